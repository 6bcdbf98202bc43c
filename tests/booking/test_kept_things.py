"""Devices of a kept time that are shut or switched off before it is booked."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import select, update

from clinic.booking.models import Visit
from clinic.booking.services import checkout, holds, time_off, visits
from clinic.clients.steps import Details
from clinic.premises.models import Device, Room
from clinic.rules.errors import SlotTaken
from clinic.shared.database import db, transaction
from tests.booking import world as w
from tests.conftest import NOW

pytestmark = pytest.mark.usefixtures("now")

WHO = Details("Only", "Online", dt.date(1990, 1, 1), email="online@people.example", phone="(212) 555-2345")
START = w.at(3, 11)


@pytest.fixture
def world(app: Flask) -> w.World:
    return w.build()


def by_a_page() -> Callable[[], object]:
    """Kept on the page; what confirms it."""
    token = checkout.hold_slot(
        None, w.choice("decompression_vacuum"), START, first_visit=True, user_id=None, now=NOW
    )
    w.sign(checkout.name_person(token, WHO, relation="self", now=NOW))
    return lambda: checkout.confirm(token, user_id=None, now=NOW)


def by_a_program() -> Callable[[], object]:
    client = w.person()
    w.sign(client)
    choice = w.choice("decompression_vacuum")
    hold = holds.keep_time(choice, START, client_id=client, source="api", by=None, now=NOW)
    return lambda: visits.book_visit(
        choice, client, START, request_key="k", source="api", by=None, now=NOW, reconfirmed=True, hold_id=hold
    )


def booked() -> list[str]:
    db.session.rollback()
    return list(db.session.scalars(select(Visit.status).where(Visit.status.not_in(("held", "released")))))


@pytest.mark.parametrize("shut", [Device, Room])
@pytest.mark.parametrize("keep", [by_a_page, by_a_program])
def test_what_is_shut_after_it_was_kept_is_booked_all_the_same(
    world: w.World, keep: Callable[[], Callable[[], object]], shut: type[Device] | type[Room]
) -> None:
    book = keep()
    held = db.session.scalars(select(Visit).where(Visit.status == "held")).one()
    span = held.starts_at, held.ends_at
    ids = list(db.session.scalars(select(shut.id)))
    db.session.rollback()
    for one in ids:
        time_off.add_closure(world.place_id, one, *span, "Being cleaned", by=world.desk_id, now=NOW)
    book()
    assert booked() == ["confirmed"]


@pytest.mark.parametrize("keep", [by_a_page, by_a_program])
def test_a_device_that_was_switched_off_is_not_booked(
    world: w.World, keep: Callable[[], Callable[[], object]]
) -> None:
    """It is broken, or gone: the visit could not be given."""
    book = keep()
    with transaction() as session:
        session.execute(update(Device).values(is_active=False))
    with pytest.raises(SlotTaken):
        book()
    assert booked() == []
