"""Who and what carries a visit when any therapist will do: least used that day, without a change of rooms."""

from __future__ import annotations

from flask import Flask
from sqlalchemy import select

from clinic.booking.models import Visit
from clinic.shared.database import db
from tests.booking import world as w


def carried_by(world: w.World, hour: int, *, day: int = 3, therapist: int | None = None) -> tuple[int, int]:
    """Book at that hour; the therapist and the room that it got."""
    client = w.person()
    w.sign(client)
    outcome = w.at_desk(world, client, "relaxation", when=w.at(day, hour), therapist_id=therapist)
    db.session.rollback()
    row = db.session.execute(
        select(Visit.therapist_id, Visit.room_id).where(Visit.id == outcome.visit_id)
    ).one()
    return row.therapist_id, row.room_id


def test_the_least_used_of_the_day_is_picked_and_stays_in_the_room(app: Flask) -> None:
    world = w.build(therapists=2)
    ana, ben = world.therapists
    for hour in (9, 11, 13):
        carried_by(world, hour, day=4, therapist=ana)  # what is booked on another day counts for nothing
    _ben, first_room = carried_by(world, 9, therapist=ben)
    who, other_room = carried_by(world, 9)
    assert (who, other_room != first_room) == (ana, True)
    assert carried_by(world, 11, therapist=ben) == (ben, first_room)
    assert carried_by(world, 11) == (ana, other_room)
    assert carried_by(world, 13)[0] == ana  # both have two hours: the lower number
    assert carried_by(world, 15) == (ben, first_room)


def test_a_visit_before_the_others_of_a_day_is_where_they_are(app: Flask) -> None:
    world = w.build(therapists=2)
    ben = world.therapists[1]
    _ben, room = carried_by(world, 13, therapist=ben)
    assert carried_by(world, 9, therapist=ben) == (ben, room)
