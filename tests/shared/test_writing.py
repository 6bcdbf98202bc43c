"""A row that is written past the mapper is the row that the mapper would have written."""

from __future__ import annotations

import datetime as dt

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from clinic.booking.models import Checkout, Visit
from clinic.shared.database import db, transaction
from clinic.shared.read_once import may_have, note_none
from clinic.shared.writing import write_at_once
from tests.conftest import NOW


def checkout(token: str) -> Checkout:
    row = Checkout(token_hash=token, created_at=NOW, updated_at=NOW, choice={"service": "swedish"})
    row.details = {"relation": "self"}
    return row


def test_it_is_in_the_session_and_in_the_database(app: Flask) -> None:
    with transaction() as session:
        row = checkout("one")
        write_at_once(session, row)
        assert session.get(Checkout, row.id) is row
        assert (row.visit_id, row.finished_at) == (None, None)
        row.updated_at = NOW + dt.timedelta(minutes=1)  # what changes afterwards is written as ever
        key = row.id
    kept = db.session.scalars(select(Checkout)).one()
    assert (kept.id, kept.token_hash, kept.choice) == (key, "one", {"service": "swedish"})
    assert kept.details == {"relation": "self"}
    assert (kept.created_at, kept.updated_at) == (NOW, NOW + dt.timedelta(minutes=1))


def test_what_was_noted_of_its_table_is_forgotten(app: Flask) -> None:
    with transaction() as session:
        for kind in (Checkout, Visit):
            note_none(kind, 1)
        write_at_once(session, checkout("one"))
        assert (may_have(Checkout, [1]), may_have(Visit, [1])) == ([1], [])


def test_what_is_taken_back_with_a_part_of_the_deed_can_be_written_again(app: Flask) -> None:
    row = checkout("one")
    with transaction() as session:
        part = session.begin_nested()
        write_at_once(session, row)
        part.rollback()
        write_at_once(session, row)
    assert [one.token_hash for one in db.session.scalars(select(Checkout))] == ["one"]
    with pytest.raises(IntegrityError), transaction() as session:
        write_at_once(session, checkout("one"))
