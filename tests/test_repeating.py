"""What is copied for each test is the same each time, whatever the test before did to it."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import select

from clinic.catalogue.models import Service
from clinic.premises.models import Room
from clinic.shared.database import db, transaction
from tests import factories
from tests.booking import world


@pytest.mark.parametrize("turn", [1, 2])
def test_a_world_is_as_it_was_made_after_somebody_changed_it(app: Flask, turn: int) -> None:
    here = world.build(therapists=2)
    rooms = db.session.scalars(select(Room).order_by(Room.id)).all()
    assert [room.name for room in rooms] == ["Room 1", "Room 2", "Room 3", "Chamber"]
    assert len(db.session.scalars(select(Service)).all()) == 7
    with transaction() as session:
        for room in session.scalars(select(Room)):
            room.name = f"Spoilt {turn}"
    later = factories.make_therapist(name="Another", skills=[])
    assert later.id > max(here.therapists), "new rows are numbered behind the copied ones"


def test_where_somebody_is_already_it_is_made_beside_them(app: Flask) -> None:
    first = factories.make_user(email="first@clinic.example", roles=[]).id
    assert world.build(therapists=2).desk_id != first
    assert len(db.session.scalars(select(Room)).all()) == 4
