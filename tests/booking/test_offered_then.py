"""What an offered time becomes once somebody has said yes to it, and what it may not cost them."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import func, select

from clinic.booking.models import Claim, Offer, Visit
from clinic.booking.services import answering, deadlines, in_line, sick_day, time_off, visits, waitlist
from clinic.booking.services._steps import new_manage_key
from clinic.booking.services.undoing import take_back
from clinic.intake.models import Clearance
from clinic.intake.services import clearances
from clinic.rules.errors import MoveNotAllowed, RestNeeded, SlotTaken
from clinic.rules.waitlist import When
from clinic.shared.database import db, transaction
from clinic.shared.mail import OutgoingMail
from clinic.therapists.models import Therapist
from tests.booking import world as w
from tests.booking.test_sick_day import get, patient
from tests.conftest import NOW
from tests.intake import letters

pytestmark = pytest.mark.usefixtures("now")
DAYS = dt.timedelta(days=1)


@pytest.fixture
def world(app: Flask) -> w.World:
    return w.build(therapists=3)


def with_letter(reviewer: int) -> int:
    """Somebody whose heart asks for a doctor's letter, which is here."""
    client = w.person(email=f"h{w.new_number()}@people.example")
    w.sign(client, now=NOW - DAYS, heart_failure=letters.HEART)
    letters.verify(client, reviewer)
    return client


def call_back(client: int, reviewer: int) -> None:
    """The doctor takes the letter back."""
    number = db.session.scalars(select(Clearance.id).where(Clearance.client_id == client)).first() or 0
    db.session.rollback()
    clearances.withdraw_clearance(number, "The doctor called it back.", by=reviewer, now=NOW)


def offered_wish(client: int, days: int, service: str = "relaxation") -> int:
    day = w.TODAY + dt.timedelta(days=days)
    waitlist.join(w.choice(service), When(day, day), client, source="desk", by=None, now=NOW)
    in_line.keep_line(NOW)
    return newest_offer().id


def newest_offer() -> Offer:
    db.session.rollback()
    return db.session.scalars(select(Offer).order_by(Offer.id.desc())).first() or pytest.fail("none")


def offered_instead(world: w.World, visit: int, when: dt.datetime, therapist: int = 1) -> int:
    revision = get(visit).revision
    return sick_day.offer_time(
        visit, when, world.therapists[therapist], revision=revision, by=world.desk_id, now=NOW
    )


def at_the_desk(world: w.World, client: int, days: int = 3, service: str = "relaxation") -> int:
    made = w.at_desk(world, client, service, when=w.at(days), therapist_id=world.therapists[0]).visit_id
    return made or pytest.fail("not booked")


# ── deadlines ────────────────────────────────────────────────────────────────────────────────────────────


def by_the_waitlist(world: w.World, client: int) -> int:
    return answering.accept(offered_wish(client, 9), by=None, now=NOW, reconfirmed=True).visit_id


def by_another_time(world: w.World, client: int) -> int:
    offer = offered_instead(world, at_the_desk(world, client, 5), w.at(9))
    return answering.accept(offer, by=None, now=NOW).visit_id


@pytest.mark.parametrize("taken", [by_the_waitlist, by_another_time])
def test_it_is_given_back_at_its_deadline_like_any_other_visit(
    app: Flask, world: w.World, taken: Callable[[w.World, int], int]
) -> None:
    reviewer = letters.reviewer()
    client = with_letter(reviewer)
    visit = taken(world, client)
    assert get(visit).status == "confirmed"
    call_back(client, reviewer)
    deadline = get(visit).deadline_at
    assert (get(visit).status, deadline is not None) == ("suspended", True)
    assert deadline is not None
    deadlines.keep_deadlines(deadline - dt.timedelta(seconds=1))
    assert get(visit).status == "suspended"
    deadlines.keep_deadlines(deadline)
    assert get(visit).status == "released"
    assert db.session.scalar(select(func.count()).where(Claim.visit_id == visit)) == 0
    keys = db.session.scalars(select(OutgoingMail.key)).all()
    assert [one for one in keys if one.startswith(f"visit_released:{visit}")] != []


def test_a_yes_on_earlier_answers_that_nobody_confirms_is_given_back(app: Flask, world: w.World) -> None:
    client = w.person(email="old@people.example")
    w.sign(client, now=NOW - 40 * DAYS)
    visit = answering.accept(offered_wish(client, 9), by=None, now=NOW).visit_id
    deadline = get(visit).deadline_at
    assert (get(visit).status, get(visit).waiting_for) == ("pending", "reconfirm")
    assert deadline is not None
    deadlines.keep_deadlines(deadline)
    assert get(visit).status == "released"


def test_a_time_that_is_only_kept_is_left_to_the_waitlist(app: Flask, world: w.World) -> None:
    offered_wish(patient(), 9)
    kept = newest_offer().visit_id
    until = get(kept).deadline_at
    assert until is not None
    deadlines.keep_deadlines(until + DAYS)
    assert get(kept).status == "held"


# ── rest ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_no_other_time_is_offered_too_soon_after_another_visit(app: Flask) -> None:
    world = w.build(therapists=3, minds_rest=True)
    client = patient()
    visit = at_the_desk(world, client, 3, "deep_tissue")
    at_the_desk(world, client, 14, "deep_tissue")
    with pytest.raises(RestNeeded, match="too soon after another visit of theirs"):
        offered_instead(world, visit, w.at(14, 15))
    assert db.session.scalar(select(func.count(Offer.id))) == 0
    assert offered_instead(world, visit, w.at(3, 15)) > 0, "the visit that is to be moved does not count"


def test_a_yes_to_another_time_comes_not_too_soon_after_what_was_booked_since(app: Flask) -> None:
    world = w.build(therapists=3, minds_rest=True)
    client = patient()
    visit = at_the_desk(world, client, 3, "deep_tissue")
    offer = offered_instead(world, visit, w.at(9, 18))
    booked = visits.book_visit(
        w.choice("deep_tissue"), client, w.at(10, 8), request_key="x1", source="api", by=None, now=NOW,
        reconfirmed=True,
    )  # fmt: skip
    assert booked.status == "confirmed", "a time that is only kept is no visit yet"
    with pytest.raises(RestNeeded, match="too soon"):
        answering.accept(offer, by=None, now=NOW)
    assert get(visit).status == "confirmed"


# ── what a yes may not cost ──────────────────────────────────────────────────────────────────────────────


def test_a_yes_gives_up_no_confirmed_visit_for_one_that_only_waits(app: Flask, world: w.World) -> None:
    reviewer = letters.reviewer()
    client = with_letter(reviewer)
    visit = at_the_desk(world, client)
    offer = offered_instead(world, visit, w.at(9))
    number = db.session.scalars(select(Clearance.id).where(Clearance.client_id == client)).one()
    db.session.rollback()
    letters.verify(client, reviewer, ends_on=w.TODAY + 5 * DAYS)
    clearances.withdraw_clearance(number, "The doctor called it back.", by=reviewer, now=NOW)
    assert get(visit).status == "confirmed"
    with pytest.raises(MoveNotAllowed, match="cannot book this time for you"):
        answering.accept(offer, by=None, now=NOW)
    ended = db.session.get_one(Offer, offer)
    assert (get(visit).status, ended.ended_as) == ("confirmed", "not_possible")
    assert get(ended.visit_id).status == "released"


def test_an_older_page_does_not_cancel_what_another_visit_stands_for(app: Flask, world: w.World) -> None:
    visit = at_the_desk(world, patient())
    with transaction() as session:
        token = new_manage_key(session.get_one(Visit, visit))
    offer = offered_instead(world, visit, w.at(6, 10), 2)
    revision = get(visit).revision
    db.session.rollback()
    stands = answering.accept(offer, by=None, now=NOW).visit_id
    browser = app.test_client()
    page = browser.get(f"/visit/{token}").text
    assert ("Your visit was moved" in page, "Cancelled" in page) == (True, False)
    assert re.search(r"It is on [^<]*15[^<]* with Terry 2 now", page)
    again = browser.post(f"/visit/{token}/cancel", data={"sure": "1", "revision": str(revision)})
    assert (again.status_code, "was moved to another time, which stands" in again.text) == (409, True)
    with pytest.raises(MoveNotAllowed):
        visits.cancel_visit(visit, by=world.desk_id, by_clinic=True, now=NOW)
    assert get(stands).status == "confirmed"
    visits.cancel_visit(stands, by=world.desk_id, by_clinic=True, now=NOW)
    assert visits.cancel_visit(visit, by=world.desk_id, by_clinic=True, now=NOW) == "cancelled"
    assert "Your visit was moved" not in browser.get(f"/visit/{token}").text


# ── who gives it ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("other", ["woman", "man"])
def test_whoever_asked_for_a_woman_gets_no_man_whose_entry_was_corrected_since(
    app: Flask, world: w.World, other: str
) -> None:
    with transaction() as session:
        for number in world.therapists:
            session.get_one(Therapist, number).gender = "woman"
    client, day = patient(), w.TODAY + 3 * DAYS
    waitlist.join(
        w.choice("relaxation", gender="woman"), When(day, day), client, source="desk", by=None, now=NOW
    )
    in_line.keep_line(NOW)
    made = newest_offer()
    offer, before = made.id, made.visit.therapist_id
    db.session.rollback()
    with transaction() as session:
        for number in world.therapists:
            session.get_one(Therapist, number).gender = "man" if number == before else other
    if other == "man":
        with pytest.raises(SlotTaken):
            answering.accept(offer, by=None, now=NOW, reconfirmed=True)
        assert w.statuses(client) == ["held"]
    else:
        visit = answering.accept(offer, by=None, now=NOW, reconfirmed=True).visit_id
        assert (get(visit).status, get(visit).therapist.gender) == ("confirmed", "woman")


# ── a step of the desk that can be taken back ────────────────────────────────────────────────────────────


def say_no(offer: int, _wish: int, now: dt.datetime) -> None:
    answering.decline(offer, by=None, now=now)


def leave_the_list(_offer: int, wish: int, now: dt.datetime) -> None:
    waitlist.withdraw(wish, by=None, now=now)


def say_nothing(_offer: int, _wish: int, now: dt.datetime) -> None:
    in_line.keep_line(now)


@pytest.mark.parametrize(
    ("deed", "later"),
    [(say_no, 5), (leave_the_list, 5), (say_nothing, 60)],
)
def test_what_can_still_be_taken_back_is_offered_to_nobody_meanwhile(
    app: Flask, deed: Callable[[int, int, dt.datetime], None], later: int
) -> None:
    world = w.build(therapists=2)
    for one in world.therapists:
        for span in ((w.at(3, 0), w.at(3, 10)), (w.at(3, 11, 30), w.at(4, 0))):
            time_off.add_time_off(one, "off", *span, "", by=world.desk_id, now=NOW)
    booked = at_the_desk(world, patient(), 3, "deep_tissue")
    day = w.TODAY + 3 * DAYS
    wishes = [
        waitlist.join(
            w.choice("deep_tissue"),
            When(day, day),
            patient(),
            source="desk",
            by=None,
            now=NOW + dt.timedelta(seconds=n),
        )[0]
        for n in range(3)
    ]
    assert in_line.keep_line(NOW) == 1
    first, now = newest_offer().id, NOW + dt.timedelta(minutes=later)
    sick_day.call_off(booked, revision=get(booked).revision, by=world.desk_id, now=now, can_go_back=True)
    deed(first, wishes[0], now)
    assert newest_offer().id == first, "nobody is offered anything in these seconds"
    take_back(booked, by=world.desk_id, now=now + dt.timedelta(seconds=3))
    assert get(booked).status == "confirmed"
    assert in_line.keep_line(now + dt.timedelta(seconds=30)) == 1, "then the time that was given back"
    assert newest_offer().visit.therapist_id != get(booked).therapist_id
