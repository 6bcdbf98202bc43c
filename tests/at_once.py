"""Two deeds at one moment: the first one is stopped in its middle, and the second one is started meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any

import pytest
from flask import Flask

from clinic.rules.errors import RuleViolation
from clinic.shared.database import db


class Deeds:
    """Two deeds at once: the first one waits in the middle until the second one is under way."""

    def __init__(self, app: Flask, monkeypatch: pytest.MonkeyPatch, pool: ThreadPoolExecutor) -> None:
        self.app, self.monkeypatch, self.pool = app, monkeypatch, pool
        self.reached, self.go_on = threading.Event(), threading.Event()
        self.first: int | None = None

    def stop_in(self, module: Any, name: str) -> None:
        real = getattr(module, name)

        def stopped(*arguments: Any, **options: Any) -> Any:
            if threading.get_ident() == self.first and not self.reached.is_set():
                self.reached.set()
                self.go_on.wait(10)
            return real(*arguments, **options)

        self.monkeypatch.setattr(module, name, stopped)

    def do(self, first: Callable[[], object], second: Callable[[], object]) -> tuple[str, str]:
        """What came of each: "done", or the error's name."""
        db.session.rollback()
        one = self.pool.submit(self._run, first, is_first=True)
        assert self.reached.wait(10)
        other = self.pool.submit(self._run, second)
        wait([other], timeout=0.5)  # enough for a deed that is held up by nothing
        self.go_on.set()
        found = one.result(20), other.result(20)
        db.session.rollback()
        return found

    def _run(self, deed: Callable[[], object], *, is_first: bool = False) -> str:
        if is_first:
            self.first = threading.get_ident()
        with self.app.app_context():
            try:
                deed()
            except RuleViolation as error:
                return type(error).__name__
            finally:
                db.session.remove()
        return "done"


@pytest.fixture
def deeds(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[Deeds]:
    with ThreadPoolExecutor(2) as both:
        yield Deeds(app, monkeypatch, both)
