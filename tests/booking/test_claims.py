"""What happens when the best combination went to somebody else between looking and claiming."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from clinic.booking.models import Claim, Visit
from clinic.booking.queries import availability
from clinic.booking.queries.availability import Ask, Open
from clinic.booking.services import _claims
from clinic.premises.models import Resource, Room
from clinic.rules.errors import SlotTaken
from clinic.rules.wall_time import epoch_minute
from clinic.shared import locks
from clinic.shared.database import TRIES, TryAgain, db, tried_again
from tests.booking import world as w


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[Ask]:
    """The second who looks sees the book as it was for the first; everybody after that as it is."""
    asked: list[Ask] = []
    seen: list[Open] = []
    real = availability.look

    def look(ask: Ask) -> Open:
        asked.append(ask)
        if len(asked) > 2:
            return real(ask)
        seen.append(real(ask))
        return seen[0]

    monkeypatch.setattr(_claims, "look", look)
    return asked


def two_clients() -> tuple[int, int]:
    first, second = w.person(), w.person()
    for client in (first, second):
        w.sign(client)
    return first, second


def standing() -> list[tuple[int, int]]:
    db.session.rollback()
    rows = db.session.execute(
        select(Visit.therapist_id, Visit.room_id).where(Visit.status == "confirmed")
    ).all()
    assert db.session.scalar(select(func.count()).select_from(Claim)) == 3 * len(rows)
    return [(therapist, room) for therapist, room in rows]


def test_the_next_combination_is_taken(app: Flask, looks: list[Ask]) -> None:
    world = w.build(therapists=2)
    for client in two_clients():
        assert w.at_desk(world, client, "relaxation").visit_id
    (one, here), (other, there) = standing()
    assert one != other
    assert here != there
    assert len(looks) == 2


def test_when_none_is_left_the_person_hears_it(app: Flask, looks: list[Ask]) -> None:
    world = w.build(therapists=1)
    first, second = two_clients()
    w.at_desk(world, first, "relaxation")
    with pytest.raises(SlotTaken) as refused:
        w.at_desk(world, second, "relaxation")
    assert len(refused.value.nearest.starts) == 3
    assert len(standing()) == 1


def test_a_room_that_another_is_claiming_is_passed_by_while_one_is_free(app: Flask) -> None:
    world = w.build(therapists=1)
    (client, _second) = two_clients()
    with db.engine.connect() as other:
        first = select(Room.id).where(Room.name == "Room 1")
        if other.dialect.name == "postgresql":  # SQLite has one writer at a time
            taken = select(Resource.id).where(Resource.id == first.scalar_subquery()).with_for_update()
            assert len(other.execute(taken).all()) == 1
        assert w.at_desk(world, client, "relaxation").visit_id
        best = other.execute(first).scalar_one()
    ((_therapist, room),) = standing()
    assert (room == best) == (db.engine.dialect.name == "sqlite")


def test_a_room_is_passed_by_only_where_another_wants_it_for_the_same_time(app: Flask) -> None:
    world = w.build(therapists=1)
    sooner, later = two_clients()
    with db.engine.connect() as other:
        best = other.execute(select(Room.id).where(Room.name == "Room 1")).scalar_one()
        if is_crowded := other.dialect.name == "postgresql":  # SQLite has one writer at a time
            time = epoch_minute(w.at(3)) // 15
            given = {
                "ids": [],
                "first": 0,
                "unless_taken": [],
                "for_a_time": [best],
                "since": time,
                "until": time,
            }
            assert other.execute(locks.locking(Resource.__table__), given).scalars().all() == [best]
        booked = [
            w.at_desk(world, client, "relaxation", when=w.at(day)).facts
            for client, day in ((sooner, 3), (later, 4))
        ]
    assert [one is not None and one.room_id == best for one in booked] == [not is_crowded, True]


def test_what_there_is_no_choice_of_is_waited_for_and_the_rest_never(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While all of the rest is in other hands everything is let go, and tried again."""
    world = w.build(therapists=1)
    client, _second = two_clients()
    real = locks.lock_in_order
    asked: list[tuple[set[int], int]] = []

    def lock(session: Any, table: Any, ids: Collection[int], **how: Any) -> set[int]:
        asked.append((set(ids), len(how["for_a_time"])))
        return set(ids) if len(asked) <= 3 else real(session, table, ids, **how)

    monkeypatch.setattr(_claims, "lock_in_order", lock)
    assert w.at_desk(world, client, "relaxation").visit_id
    ((therapist, _room),) = standing()
    assert asked == [({client, therapist}, 1)] * 4  # three rooms, and the first of them once more


def test_tried_too_often_it_is_the_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clinic.shared.database.time.sleep", lambda _seconds: None)
    tries: list[int] = []

    @tried_again
    def book() -> None:
        tries.append(1)
        raise TryAgain(SlotTaken)

    with pytest.raises(SlotTaken):
        book()
    assert len(tries) == TRIES
