"""Counts the statements a piece of code sends, so that lists stay at a fixed number whatever their length."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import event

from clinic.shared.database import db


@contextmanager
def counted() -> Iterator[list[str]]:
    """The statements sent to the database inside."""
    sent: list[str] = []

    def note(*args: object) -> None:
        if not str(args[2]).startswith("BEGIN"):
            sent.append(str(args[2]))

    event.listen(db.engine, "before_cursor_execute", note)
    yield sent
    event.remove(db.engine, "before_cursor_execute", note)
