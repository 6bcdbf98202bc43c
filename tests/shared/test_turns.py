"""Writers of SQLite take turns; on PostgreSQL many write at once."""

from __future__ import annotations

import threading

import pytest
from flask import Flask

from clinic.shared import turns
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


def test_nobody_waits_for_ever_for_a_writer_that_hangs(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who gives up is told so kindly, leaves nothing behind, and does not keep those after them from writing."""
    monkeypatch.setattr(turns, "LONGEST_WAIT", 0.2)
    hangs, ends = threading.Event(), threading.Event()

    def hang() -> None:
        with app.app_context(), turn_to_write(db.engine):
            hangs.set()
            ends.wait(30)

    hanging = threading.Thread(target=hang)
    hanging.start()
    assert hangs.wait(10)

    typed = {"email": "nobody@example.org", "password": "wrong password"}  # each try is counted, so written
    told = [app.test_client().post("/sign-in", data=typed) for _ in range(2)]
    ends.set()
    hanging.join(10)
    monkeypatch.undo()
    after = app.test_client().post("/sign-in", data=typed)
    assert after.status_code < 500
    if db.engine.dialect.name == "sqlite":
        assert [one.status_code for one in told] == [503, 503]
        assert "Please try again in a few minutes." in told[0].text
        assert told[0].headers["Retry-After"] == "10"
