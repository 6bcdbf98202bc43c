"""What a kept time takes, before it is booked: shut, switched off, or not able to give it any more."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from sqlalchemy import select, update

from clinic.booking.models import Claim, Offer, Visit
from clinic.booking.services import answering, checkout, holds, time_off, visits, waitlist
from clinic.catalogue.models import Service
from clinic.clients.models import Client
from clinic.clients.steps import Details
from clinic.premises.models import Device, Room
from clinic.rules.errors import SlotTaken
from clinic.rules.waitlist import When
from clinic.shared.database import db, transaction
from clinic.shared.mail import OutgoingMail
from clinic.therapists.models import Therapist, TherapistSkill
from tests import factories
from tests.booking import world as w
from tests.conftest import NOW

pytestmark = pytest.mark.usefixtures("now")

WHO = Details("Only", "Online", dt.date(1990, 1, 1), email="online@people.example", phone="(212) 555-2345")
START = w.at(3, 11)


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


def by_an_offer() -> Callable[[], object]:
    """Kept for the first in line; their yes."""
    client = w.person(email="offer@people.example")
    w.sign(client)
    day = When(START.date(), START.date())
    wish, _token = waitlist.join(
        w.choice("decompression_vacuum"), day, client, source="desk", by=None, now=NOW
    )
    waitlist.offer_now(wish, by=factories.make_user(email="desk2@clinic.example", roles=[]).id, now=NOW)
    offer = db.session.scalars(select(Offer.id)).one()
    db.session.rollback()
    return lambda: answering.accept(offer, by=None, now=NOW, reconfirmed=True)


DAY_BEFORE = START.date() - dt.timedelta(days=1)
CHANGES = {
    "licence": update(Therapist).values(licence_expires_on=DAY_BEFORE),
    "licence that day": update(Therapist).values(licence_expires_on=START.date()),
    "kind of licence": update(Therapist).values(licence_kind="none"),
    "skill": update(TherapistSkill).where(TherapistSkill.skill == "cupping").values(ends_on=DAY_BEFORE),
    "kind of room": update(Room).where(Room.room_kind == "treatment").values(room_kind="chamber"),
    "kind of device": update(Device).values(device_kind="stone_heater"),
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("keep", [by_a_page, by_a_program, by_an_offer])
def test_what_may_not_give_it_any_more_is_not_booked(
    world: w.World, keep: Callable[[], Callable[[], object]], change: str
) -> None:
    book = keep()
    with transaction() as session:
        session.execute(CHANGES[change])
    if change == "licence that day":  # the last day of a licence is a good one
        book()
        assert booked() == ["confirmed"]
        return
    with pytest.raises(SlotTaken):
        book()
    assert booked() == []


def test_whoever_may_still_give_it_takes_it_over(world: w.World) -> None:
    book = by_a_page()
    held = db.session.scalars(select(Visit).where(Visit.status == "held")).one()
    first, room = held.therapist_id, held.room_id
    db.session.rollback()
    with transaction() as session:
        session.execute(update(Therapist).where(Therapist.id == first).values(licence_expires_on=DAY_BEFORE))
        session.execute(update(Room).where(Room.id == room).values(room_kind="chamber"))
    book()
    visit = db.session.scalars(select(Visit).where(Visit.status == "confirmed")).one()
    assert visit.therapist_id != first
    assert visit.room_id != room


def test_two_who_are_kept_apart_since_are_not_booked_together(world: w.World) -> None:
    book = by_a_page()
    held = db.session.scalars(select(Visit).where(Visit.status == "held")).one()
    first = held.therapist_id
    factories.make_never_together(db.session.get_one(Client, held.client_id), held.therapist)
    book()
    visit = db.session.scalars(select(Visit).where(Visit.status == "confirmed")).one()
    assert visit.therapist_id != first


@pytest.mark.parametrize("deed", ["confirmed", "renewed first", "offered"])
def test_a_device_that_the_treatment_needs_by_now_is_taken_along(world: w.World, deed: str) -> None:
    """The owner says so while the time is kept, and one is free."""
    client = w.person()
    w.sign(client)
    if deed == "offered":
        day = When(START.date(), START.date())
        wish, _token = waitlist.join(w.choice("relaxation"), day, client, source="desk", by=None, now=NOW)
        waitlist.offer_now(wish, by=world.desk_id, now=NOW)
        offer = db.session.scalars(select(Offer.id)).one()
    else:
        hold = holds.keep_time(
            w.choice("relaxation"), START, client_id=client, source="api", by=None, now=NOW
        )
    db.session.rollback()
    with transaction() as session:
        session.execute(
            update(Service).where(Service.key == "relaxation").values(device_kinds=["stone_heater"])
        )
    if deed == "offered":
        answering.accept(offer, by=None, now=NOW, reconfirmed=True)
    else:
        if deed == "renewed first":
            holds.keep_longer(hold, now=NOW + dt.timedelta(minutes=5))
        visits.book_visit(
            w.choice("relaxation"), client, START, request_key="k", source="api", by=None, now=NOW, reconfirmed=True,
            hold_id=hold,
        )  # fmt: skip
    visit = db.session.scalars(select(Visit).where(Visit.status == "confirmed")).one()
    theirs = (
        select(Device.device_kind)
        .join(Claim, Claim.resource_id == Device.id)
        .where(Claim.visit_id == visit.id)
    )
    assert db.session.scalars(theirs).all() == ["stone_heater"]


@pytest.mark.parametrize("keep", [by_a_page, by_an_offer])
def test_whoever_takes_over_at_the_last_step_is_named_in_the_mail(
    world: w.World, keep: Callable[[], Callable[[], object]]
) -> None:
    """It named the one who may not give the visit any more."""
    book = keep()
    before = db.session.scalars(select(Visit)).one().therapist
    was, name = before.id, before.name
    with transaction() as session:
        session.execute(update(Therapist).where(Therapist.id == was).values(licence_expires_on=DAY_BEFORE))
    db.session.get_one(Therapist, was)  # as a page does that has shown who gives it
    book()
    taken_by = db.session.scalars(select(Visit)).one().therapist.name
    mail = db.session.scalars(select(OutgoingMail).where(OutgoingMail.kind == "visit_booked")).one()
    assert taken_by != name
    assert (taken_by in mail.text, name in mail.text) == (True, False)
