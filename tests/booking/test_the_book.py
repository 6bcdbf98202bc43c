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
    read = [row[3] for row in plan if "ix_claim" in row[3]]
    alone = "SEARCH {} USING COVERING INDEX ix_claim_read_alone (resource_id=? AND ends_at>?{})"
    assert read == [alone.format("claim", " AND ends_at<?"), alone.format("later", "")]
    assert not [row[3] for row in plan if row[3].startswith("SCAN") and "json_each" not in row[3]]


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
    assert (one, ask()) == (3, 3)


def test_only_claims_that_reach_into_the_window_count(app: Flask) -> None:
    """Those that touch its edges do not; one that covers all of it does; and the ones after it are not even read."""
    room, closed = (factories.make_room(factories.make_location(zone=w.ZONE)).id for _ in range(2))
    with transaction() as session:
        for first, last in ((-9, 0), (0, 1), (58, 61), (61, 63)):
            session.add(Claim(resource_id=room, starts_at=_at(60 * first), ends_at=_at(60 * last)))
        session.add(Claim(resource_id=closed, starts_at=_at(-6000), ends_at=_at(60 * 6000)))
    minute = int(NOW.timestamp()) // 60
    found = the_book.busy([room, closed], Reach(minute, minute + 60, NOW))
    assert sorted(found[room]) == [(minute, minute + 1), (minute + 58, minute + 61)]
    assert found[closed] == [(minute - 100, minute + 6000)]
    till_an_edge = the_book.busy([room], Reach(minute + 1, minute + 61, NOW))
    assert till_an_edge == {room: [(minute + 58, minute + 61)]}


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
    found = the_book.busy([room, room + 1], reach)
    assert {one: sorted(spans) for one, spans in found.items()} == {
        room: [(minute, minute + 1), (minute + 1, minute + 2)]
    }


def _at(seconds: int) -> dt.datetime:
    return NOW + dt.timedelta(seconds=seconds)


def _place(world: w.World) -> Location:
    return db.session.get_one(Location, world.place_id)
