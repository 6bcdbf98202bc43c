"""Before a server opens it has asked the first questions itself, and whatever it finds it opens."""

from __future__ import annotations

import gc
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from flask import Flask

from clinic.cli.warming import TIMES, stay_small, warm_up
from clinic.shared.database import db
from tests.booking import world as w
from tests.statements import counted
from tests.web import app_on, sqlite_address


@pytest.fixture(autouse=True)
def _thaw() -> Iterator[None]:
    """The other tests' waste is collected again."""
    yield
    gc.unfreeze()


def test_the_book_is_asked_as_the_first_visitor_would(app: Flask) -> None:
    w.build(therapists=1)
    db.session.rollback()
    with counted() as sent:
        warm_up(app)
    assert sum("later" in one for one in sent) == 2 * TIMES  # for anybody, and for one therapist


def test_an_empty_clinic_opens_too(app: Flask) -> None:
    warm_up(app)
    assert gc.get_freeze_count() > 0


def test_a_database_without_tables_keeps_nobody_from_opening(tmp_path: Path) -> None:
    app = app_on(sqlite_address(tmp_path), tmp_path)
    warm_up(app)
    with app.app_context():
        db.engine.dispose()


def test_a_server_loads_nothing_that_it_never_uses() -> None:
    """For logs in colour, for waiting with await, and for making backups."""
    said = (
        "import sys; from clinic.cli.warming import leave_out_tools; leave_out_tools(); import clinic.app;"
        "print([one for one in ('rich', 'pygments', 'greenlet', 'pyrage') if sys.modules.get(one)])"
    )
    done = subprocess.run([sys.executable, "-c", said], check=True, capture_output=True, text=True)
    assert done.stdout == "[]\n"


def test_memory_is_taken_from_one_place_where_the_system_can(monkeypatch: pytest.MonkeyPatch) -> None:
    stay_small()
    asked: list[tuple[int, int]] = []
    library = SimpleNamespace(mallopt=lambda *what: asked.append(what))
    monkeypatch.setattr("clinic.cli.warming.ctypes.CDLL", lambda _name: library)
    stay_small()
    assert asked == [(-8, 1), (-3, 1024 * 1024)], (
        "one place for all threads, and what is large goes back at once"
    )
    monkeypatch.setattr("clinic.cli.warming.ctypes.CDLL", lambda _name: object())  # a C library without it
    stay_small()
