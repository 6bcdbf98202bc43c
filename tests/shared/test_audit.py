"""Traces: one for each deed, numbered without gaps, in the deed's own transaction."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask
from sqlalchemy import select

from clinic.shared.audit import AuditCounter, AuditRow, leave_trace
from clinic.shared.database import db, transaction
from tests.conftest import NOW


def numbers() -> list[int]:
    db.session.rollback()
    return list(db.session.scalars(select(AuditRow.sequence).order_by(AuditRow.sequence)))


def test_numbers_have_no_gaps_whatever_is_taken_back(app: Flask) -> None:
    for fails in (False, True, False):
        try:
            with transaction() as session:
                leave_trace(session, "one", "thing", 1, by=None, now=NOW)
                leave_trace(session, "two", "thing", 2, by=None, now=NOW, much=3)
                with session.begin_nested():
                    pass  # its end is not yet the commit
                with session.begin_nested() as part:
                    part.rollback()  # takes back nothing of what was left before it
                if fails:
                    raise LookupError
        except LookupError:
            pass
    assert numbers() == [1, 2, 3, 4]
    assert db.session.get_one(AuditCounter, 1).value == 4
    rows = db.session.execute(select(AuditRow.deed, AuditRow.detail).order_by(AuditRow.sequence)).all()
    assert [tuple(row) for row in rows] == [("one", {}), ("two", {"much": 3})] * 2


def test_a_trace_is_not_left_where_it_could_outlive_its_deed(app: Flask) -> None:
    with transaction() as session, session.begin_nested(), pytest.raises(RuntimeError):
        leave_trace(session, "one", "thing", 1, by=None, now=NOW)
    assert numbers() == []


def test_the_number_is_taken_last(app: Flask) -> None:
    """A deed under way that has left its trace keeps nobody else from finishing theirs."""
    if db.engine.dialect.name == "sqlite":
        assert numbers() == []  # one writer at a time: nothing to keep
        return
    done = threading.Event()

    def other() -> None:
        with app.app_context():
            with transaction() as session:
                leave_trace(session, "short", "thing", 1, by=None, now=NOW)
            done.set()
            db.session.remove()

    with ThreadPoolExecutor(1) as pool, transaction() as session:
        leave_trace(session, "long", "thing", 1, by=None, now=NOW)
        pool.submit(other)
        assert done.wait(10), "it waits for the deed under way"
    deeds = list(db.session.scalars(select(AuditRow.deed).order_by(AuditRow.sequence)))
    assert deeds == ["short", "long"]
