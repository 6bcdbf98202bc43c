"""Writers of SQLite take turns; on PostgreSQL many write at once."""

from __future__ import annotations

import threading

from flask import Flask

from clinic.shared.audit import AuditCounter
from clinic.shared.database import db, transaction
from clinic.shared.turns import turn_to_write


def test_a_writer_waits_for_the_one_before(app: Flask) -> None:
    entered, told = threading.Event(), list[str]()

    def other() -> None:
        with app.app_context(), turn_to_write(db.engine):
            told.append("other")
            entered.set()

    waiting = threading.Thread(target=other)
    with turn_to_write(db.engine):
        waiting.start()
        waits = not entered.wait(0.2)
        told.append("first")
    waiting.join(10)
    assert waits is (db.engine.dialect.name == "sqlite")
    assert told == (["first", "other"] if waits else ["other", "first"])


def test_a_turn_ends_with_the_deed_whatever_comes_of_it(app: Flask) -> None:
    with transaction() as session:
        session.get_one(AuditCounter, 1)
    try:
        with transaction():
            raise ZeroDivisionError
    except ZeroDivisionError:
        pass
    done = threading.Event()

    def another() -> None:
        with app.app_context(), turn_to_write(db.engine):
            done.set()

    after = threading.Thread(target=another, daemon=True)
    after.start()
    assert done.wait(10)
