"""How the book is read: by an index that answers alone, and by a number of statements that does not grow."""

from __future__ import annotations

import datetime as dt

import pytest
from flask import Flask
from sqlalchemy.dialects import sqlite

from clinic.api.services import make_token
from clinic.booking.models import Claim
from clinic.booking.queries import the_book
from clinic.booking.queries.the_book import Reach
from clinic.premises.models import Location
from clinic.shared.database import db, transaction
from tests import factories
from tests.booking import world as w
from tests.conftest import NOW
from tests.statements import counted


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_claims_are_searched_by_resource_and_end_in_the_index_alone(app: Flask) -> None:
    """History costs nothing. Without statistics, as in a new clinic."""
    statement = the_book._BUSY.compile(dialect=sqlite.dialect())
    values = tuple("x" for _ in statement.positiontup or ())
    with db.engine.connect() as connection:
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values).all()
    read = [row[3] for row in plan if "claim" in row[3]]
    assert read == ["SEARCH claim USING COVERING INDEX ix_claim_read_alone (resource_id=? AND ends_at>?)"]


def test_the_number_of_statements_is_small_and_the_same_for_one_and_for_many(app: Flask) -> None:
    world = w.build(therapists=1)
    key = make_token("tests", "desk", (), per_minute=0, now=NOW)
    address = f"/api/v1/availability?service=swedish&minutes=60&from={w.TODAY}&days=30"

    def ask() -> int:
        db.session.rollback()
        with counted() as sent:
            answer = app.test_client().get(address, headers={"Authorization": f"Bearer {key}"})
            assert answer.status_code == 200
        return len(sent)

    one = ask()
    place = factories.make_room(_place(world)).location
    for number in range(8):
        more = factories.make_therapist(name=f"More {number}", skills=w.SKILLS)
        factories.make_hours(more, place, starts="08:00", ends="20:00")
    assert (one, ask()) == (6, 6)


def test_claims_come_with_the_minutes_that_they_touch(app: Flask) -> None:
    """A part of a minute is the whole minute, at both ends, and a claim that has run out is none."""
    room = factories.make_room(factories.make_location(zone=w.ZONE)).id
    seconds = [(0, 30), (61, 90)]
    with transaction() as session:
        for first, last in seconds:
            session.add(Claim(resource_id=room, starts_at=_at(first), ends_at=_at(last)))
        session.add(Claim(resource_id=room, starts_at=_at(600), ends_at=_at(900), expires_at=NOW))
    minute = int(NOW.timestamp()) // 60
    reach = Reach(minute - 60, minute + 60, NOW)
    assert the_book.busy([room, room + 1], reach) == {room: [(minute, minute + 1), (minute + 1, minute + 2)]}


def _at(seconds: int) -> dt.datetime:
    return NOW + dt.timedelta(seconds=seconds)


def _place(world: w.World) -> Location:
    return db.session.get_one(Location, world.place_id)
