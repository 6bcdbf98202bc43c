"""The waitlist: who is first, what becomes free, how long an offer stands, and what the gate says before and after."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select, update

from clinic.accounts.queries import hash_of
from clinic.booking.models import Claim, Offer, Screening, Visit, WaitlistWish
from clinic.booking.queries import in_the_way
from clinic.booking.services import answering, checkout, deadlines, in_line, time_off, visits, waitlist
from clinic.booking.services._line import end_offer
from clinic.catalogue.models import Service
from clinic.clients.models import Client
from clinic.premises.models import Clinic, Location, Room
from clinic.rules.errors import (
    BarredOnline,
    HoldExpired,
    InvalidInput,
    MoveNotAllowed,
    NotFound,
    RestNeeded,
    SlotTaken,
    TooManyPending,
)
from clinic.rules.permissions import Role
from clinic.rules.waitlist import ASKED_AGAIN_AFTER, Part, When
from clinic.shared.audit import AuditRow
from clinic.shared.database import db, transaction
from clinic.shared.mail import OutgoingMail
from clinic.therapists.models import Therapist
from tests import factories
from tests.booking import world as w
from tests.conftest import NOW

DAY = w.TODAY + dt.timedelta(days=3)
HOUR = dt.timedelta(hours=1)
WHEN = When(DAY, DAY)
BLOCKED = {"bleeding_disorder": {"type": "haemophilia", "bleed_last_4_weeks": False}}


@pytest.fixture
def world(app: Flask) -> w.World:
    """One therapist, who is off on the day but for the hour and turnover and a half from 10."""
    world = w.build(therapists=1)
    off(world, w.at(3, 0), w.at(3, 10))
    off(world, w.at(3, 11, 30), w.at(4, 0))
    return world


def off(world: w.World, start: dt.datetime, end: dt.datetime) -> None:
    time_off.add_time_off(world.therapists[0], "off", start, end, "", by=world.desk_id, now=NOW)


def patient(**declared: Any) -> int:
    client = w.person(email=f"p{w.new_number()}@people.example")
    w.sign(client, **declared)
    return client


def wish(client: int, when: When = WHEN, *, now: dt.datetime = NOW, **values: Any) -> int:
    return waitlist.join(w.choice("deep_tissue", **values), when, client, source="desk", by=None, now=now)[0]


def offers() -> list[tuple[int | None, str | None]]:
    """Wish and end of every offer, in the order in which they were made."""
    db.session.rollback()
    return [(one.wish_id, one.ended_as) for one in db.session.scalars(select(Offer).order_by(Offer.id))]


def open_offer() -> Offer:
    db.session.rollback()
    return db.session.scalars(select(Offer).where(Offer.ended_at.is_(None))).one()


def switch_off(kind: type[Room | Location], number: int) -> None:
    db.session.rollback()
    with transaction() as session:
        session.execute(update(kind).where(kind.id == number).values(is_active=False))


def claims() -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).where(Claim.visit_id.is_not(None))) or 0


def test_before_the_clinic_is_set_up_nobody_is_in_line(app: Flask) -> None:
    assert in_line.keep_line(NOW) == 0


def test_the_first_in_line_gets_what_becomes_free_then_the_next(app: Flask, world: w.World) -> None:
    booked = w.at_desk(world, patient(), "deep_tissue", when=w.at(3)).visit_id or 0
    second, first = patient(), patient()
    later = wish(second, now=NOW + dt.timedelta(minutes=2))
    sooner = wish(first, now=NOW + dt.timedelta(minutes=1))
    assert in_line.keep_line(NOW) == 0
    visits.cancel_visit(booked, by=world.desk_id, by_clinic=True, now=NOW)
    assert (in_line.keep_line(NOW), in_line.keep_line(NOW)) == (1, 0)
    assert offers() == [(sooner, None)]
    made = open_offer()
    visit = db.session.get_one(Visit, made.visit_id)
    assert (visit.status, visit.client_id, visit.starts_at, made.expires_at) == (
        "held", first, w.at(3), NOW + HOUR
    )  # fmt: skip
    # Nobody else gets it meanwhile.
    with pytest.raises(SlotTaken):
        w.at_desk(world, patient(), "deep_tissue", when=w.at(3))
    with pytest.raises(SlotTaken):
        checkout.hold_slot(None, w.choice("deep_tissue"), w.at(3), first_visit=False, user_id=None, now=NOW)
    # It runs out: in the same step it is the next one's.
    ended = NOW + HOUR
    deadlines.keep_deadlines(ended)
    in_line.keep_line(ended)
    assert offers() == [(sooner, "expired"), (later, None)]
    answered = answering.accept(open_offer().id, by=None, now=ended, reconfirmed=True)
    assert answered.status == "confirmed"
    assert (w.statuses(second), w.statuses(first)) == (["confirmed"], [])
    assert claims() == 3  # therapist, room, client
    db.session.rollback()
    ends = {one.id: one.ended_as for one in db.session.scalars(select(WaitlistWish))}
    assert ends == {sooner: None, later: "booked"}
    # Said twice, it stays one visit; and what ran out once is not offered to the same person again.
    assert answering.accept(offers_id(later), by=None, now=ended).visit_id == answered.visit_id
    visits.cancel_visit(answered.visit_id, by=world.desk_id, by_clinic=True, now=ended)
    assert in_line.keep_line(ended) == 0


def offers_id(wish_id: int) -> int:
    return db.session.scalars(select(Offer.id).where(Offer.wish_id == wish_id)).one()


def test_the_gate_and_the_wish_pass_over(app: Flask, world: w.World) -> None:
    """Every wish but the last is passed over, each for a reason of its own; nobody but the last is told anything."""
    busy = patient()
    letter = {"blood_thinners": {"med_class": "anticoagulant", "medication": "x", "stable_3_months": False,
                                 "bruising": True}}  # fmt: skip
    nobody = w.person(email="none@people.example")
    barred = patient()
    with transaction() as session:
        session.get_one(Client, barred).is_barred_online = True
    passed = [
        wish(patient(**BLOCKED)),
        wish(patient(**letter)),
        wish(nobody),
        wish(barred),
        wish(
            patient(),
            replace(WHEN, first_day=DAY - dt.timedelta(days=1), last_day=DAY - dt.timedelta(days=1)),
        ),
        wish(patient(), replace(WHEN, parts=frozenset({Part.EVENING, Part.AFTERNOON}))),
        wish(patient(), replace(WHEN, notice_hours=73)),
        wish(patient(), minutes=90),
        wish(patient(), replace(WHEN, last_day=DAY + dt.timedelta(days=6), weekdays=frozenset({5}))),
    ]
    off(world, w.at(2, 0), w.at(3, 0))  # the neighbouring days are full
    off(world, w.at(4, 0), w.at(10, 0))
    last = wish(busy)
    assert in_line.keep_line(NOW) == 1
    assert offers() == [(last, None)]
    subjects = db.session.scalars(select(OutgoingMail.subject).order_by(OutgoingMail.id)).all()
    assert [one for one in subjects if "waitlist" not in one] == [
        "A time is free for you: Friday 12 June 2026 at 10:00 am"
    ]
    assert len(passed) == 9


def test_other_visits_rest_and_pairs_pass_over(app: Flask) -> None:
    world = w.build(therapists=1, minds_rest=True)
    off(world, w.at(3, 0), w.at(3, 10))
    off(world, w.at(3, 11, 30), w.at(4, 0))
    apart, tired = patient(), patient()
    factories.make_never_together(
        db.session.get_one(Client, apart), db.session.get_one(Therapist, world.therapists[0])
    )
    w.at_desk(world, tired, "deep_tissue", when=w.at(2, 18))
    wish(apart)
    wish(tired)
    assert in_line.keep_line(NOW) == 0
    fresh = wish(patient())
    assert in_line.keep_line(NOW) == 1
    assert offers() == [(fresh, None)]


def test_no_is_passed_on_at_once_and_is_not_asked_again(app: Flask, world: w.World) -> None:
    first, second = wish(patient()), wish(patient(), now=NOW + HOUR)
    in_line.keep_line(NOW)
    one = open_offer().id
    answering.decline(one, by=None, now=NOW)
    answering.decline(one, by=None, now=NOW)
    assert offers() == [(first, "declined"), (second, None)]
    with pytest.raises(HoldExpired):
        answering.accept(one, by=None, now=NOW)
    waitlist.withdraw(second, by=None, now=NOW)
    waitlist.withdraw(second, by=None, now=NOW)
    assert offers() == [(first, "declined"), (second, "withdrawn")]
    assert in_line.keep_line(NOW) == 0
    assert claims() == 0


def test_who_declined_a_time_is_not_offered_it_for_another_wish(app: Flask, world: w.World) -> None:
    person = patient()
    first = wish(person)
    in_line.keep_line(NOW)
    waitlist.join(w.choice("swedish"), WHEN, person, source="desk", by=None, now=NOW)
    answering.decline(open_offer().id, by=None, now=NOW)
    assert in_line.keep_line(NOW) == 0
    assert offers() == [(first, "declined")]
    # Off the list and on it again they ask for whatever there is.
    for one in db.session.scalars(select(WaitlistWish.id)).all():
        waitlist.withdraw(one, by=None, now=NOW)
    again = wish(person)
    assert in_line.keep_line(NOW) == 1
    assert offers() == [(first, "declined"), (again, None)]


def test_what_the_gate_refused_for_one_wish_may_be_offered_for_another(app: Flask, world: w.World) -> None:
    person = patient()
    first = wish(person)
    in_line.keep_line(NOW)
    second = waitlist.join(w.choice("swedish"), WHEN, person, source="desk", by=None, now=NOW)[0]
    with transaction() as session:
        made = session.scalars(select(Offer)).one()
        end_offer(session, made, "not_possible", by=None, now=NOW)
    assert in_line.keep_line(NOW) == 1
    assert offers() == [(first, "not_possible"), (second, None)]


def test_two_freed_times_are_two_offers(app: Flask) -> None:
    world = w.build(therapists=1)
    off(world, w.at(3, 0), w.at(3, 10))
    off(world, w.at(3, 13), w.at(4, 0))
    for _ in range(3):
        wish(patient())
    assert in_line.keep_line(NOW) == 2
    db.session.rollback()
    assert sorted(db.session.scalars(select(Offer.starts_at))) == [w.at(3, 10), w.at(3, 11, 30)]


def test_an_answer_is_judged_anew(app: Flask, world: w.World) -> None:
    """Answers of today: confirmed at once. Of an earlier day: first they say what has changed. Not safe now: no."""
    old = w.person()
    w.sign(old, now=NOW - dt.timedelta(days=5))
    asked = wish(old)
    in_line.keep_line(NOW)
    answered = answering.accept(open_offer().id, by=None, now=NOW)
    assert (answered.status, w.statuses(old)) == ("pending", ["pending"])
    db.session.rollback()
    assert db.session.get_one(Visit, answered.visit_id).waiting_for == "reconfirm"
    w.sign(old)
    assert w.statuses(old) == ["confirmed"]
    visits.cancel_visit(answered.visit_id, by=world.desk_id, by_clinic=True, now=NOW)
    changed, next_one = patient(), patient()
    first, second = wish(changed), wish(next_one, now=NOW + HOUR)
    in_line.keep_line(NOW)
    w.sign_answers(changed, BLOCKED)
    offer_id = open_offer().id
    with pytest.raises(MoveNotAllowed):
        answering.accept(offer_id, by=None, now=NOW)
    assert offers() == [(asked, "accepted"), (first, "not_possible"), (second, None)]
    assert w.statuses(changed) == []


def test_an_offer_that_runs_out_while_it_is_accepted(app: Flask, world: w.World) -> None:
    """At the moment itself it is over; and a time that somebody else could claim by then is not accepted either."""
    wish(patient())
    in_line.keep_line(NOW)
    offer_id, late = open_offer().id, NOW + HOUR
    with pytest.raises(HoldExpired):
        answering.accept(offer_id, by=None, now=late)
    # Another process is a minute ahead and takes what has run out; the slow yes does not book over it.
    other = patient()
    ahead = late + dt.timedelta(minutes=2)
    visits.book_visit(
        w.choice("deep_tissue"), other, w.at(3), request_key="x", source="desk", by=world.desk_id, now=ahead,
        reconfirmed=True,
    )  # fmt: skip
    with pytest.raises(HoldExpired):
        answering.accept(offer_id, by=None, now=late - dt.timedelta(seconds=1))
    in_line.keep_line(ahead)
    assert claims() == 3
    assert [end for _wish, end in offers()] == ["expired"]


def test_wishes_end_by_themselves(app: Flask, world: w.World) -> None:
    over = wish(patient(), When(w.TODAY, w.TODAY + dt.timedelta(days=1)))
    client = patient()
    own = wish(client)
    w.at_desk(world, client, "deep_tissue", when=w.at(3))
    with transaction() as session:
        session.scalars(select(Visit)).one().created_at = NOW + HOUR
    tomorrow = NOW + dt.timedelta(days=2)
    in_line.keep_line(tomorrow)
    db.session.rollback()
    ends = {one.id: one.ended_as for one in db.session.scalars(select(WaitlistWish))}
    assert ends == {over: "over", own: "booked"}


def test_the_desk_takes_a_time_back_for_somebody_else(app: Flask, world: w.World) -> None:
    first, _second = wish(patient()), wish(patient(), now=NOW + HOUR)
    in_line.keep_line(NOW)
    offer_id = open_offer().id
    assert waitlist.give_to_somebody_else(offer_id, by=world.desk_id, now=NOW) == w.at(3)
    assert in_line.keep_line(NOW) == 0  # the desk has it for itself for a while
    other = patient()
    assert w.at_desk(world, other, "deep_tissue", when=w.at(3)).visit_id
    visits.cancel_visit(
        db.session.scalars(select(Visit.id).where(Visit.client_id == other)).one(), by=world.desk_id,
        by_clinic=True, now=NOW,
    )  # fmt: skip
    assert in_line.keep_line(NOW + dt.timedelta(minutes=16)) == 1
    assert offers() == [(first, "set_aside"), (first, None)]


def test_the_desk_offers_to_one_person_now(app: Flask, world: w.World) -> None:
    _first, second = wish(patient()), wish(patient(), now=NOW + HOUR)
    made = waitlist.offer_now(second, by=world.desk_id, now=NOW)
    assert waitlist.offer_now(second, by=world.desk_id, now=NOW) == made
    assert offers() == [(second, None)]
    with pytest.raises(SlotTaken):
        waitlist.offer_now(wish(patient(), minutes=90), by=world.desk_id, now=NOW)


def test_what_only_known_clients_may_book_is_offered_to_them(app: Flask, world: w.World) -> None:
    new, known = patient(), patient()
    done = w.at_desk(world, known, "deep_tissue", when=w.at(0, 15)).visit_id
    with transaction() as session:
        session.execute(update(Visit).where(Visit.id == done).values(status="done"))
        session.execute(update(Service).values(known_clients_only=True))
    wish(new)
    second = wish(known)
    assert in_line.keep_line(NOW) == 1
    assert offers() == [(second, None)]


def test_two_workers_at_once_offer_once(app: Flask, world: w.World) -> None:
    line = [wish(patient(), now=NOW + dt.timedelta(minutes=number)) for number in range(3)]
    gate = threading.Barrier(2)

    def work(_number: int) -> int:
        with app.app_context():
            gate.wait()
            try:
                return in_line.keep_line(NOW)
            finally:
                db.session.remove()

    for number in range(3):
        with ThreadPoolExecutor(2) as pool:
            assert sum(pool.map(work, range(2))) == (1 if number == 0 else 0)
        made = offers()
        assert made[-1] == (line[number], None)
        answering.decline(open_offer().id, by=None, now=NOW)  # the next one's, in the same step
    assert [one for one, _end in offers()] == line
    assert claims() == 0


def test_a_yes_and_the_worker_at_the_same_moment(app: Flask, world: w.World) -> None:
    """One of them comes first, and the other sees it: a visit with all its claims, or none and the next is asked."""
    first, second = wish(patient()), wish(patient(), now=NOW + HOUR)
    in_line.keep_line(NOW)
    offer_id, end = open_offer().id, open_offer().expires_at
    gate = threading.Barrier(2)

    def run(job: str) -> str:
        with app.app_context():
            gate.wait()
            try:
                if job == "yes":
                    answering.accept(offer_id, by=None, now=end - dt.timedelta(seconds=1), reconfirmed=True)
                else:
                    in_line.keep_line(end)
            except HoldExpired:
                return "over"
            finally:
                db.session.remove()
            return "done"

    with ThreadPoolExecutor(2) as pool:
        said, _worked = pool.map(run, ("yes", "worker"))
    assert offers() == ([(first, "accepted")] if said == "done" else [(first, "expired"), (second, None)])
    assert claims() == 3


def test_at_night_nobody_is_sent_an_offer_by_itself(app: Flask, world: w.World) -> None:
    """What becomes free then is offered when the quiet time is over, and what is too near by then to nobody."""
    booked = w.at_desk(world, patient(), "deep_tissue", when=w.at(3)).visit_id or 0
    asked = wish(patient())
    night, morning = w.at(1, 21), w.at(2, 8)
    visits.cancel_visit(booked, by=world.desk_id, by_clinic=True, now=night)
    for at in (night, w.at(2, 2), morning - dt.timedelta(minutes=1)):
        assert (at, in_line.keep_line(at)) == (at, 0)
    assert offers() == []
    assert in_line.keep_line(morning) == 1
    assert offers() == [(asked, None)]
    # An offer that is answered at night goes to nobody else before the morning, when this time is too near.
    other = wish(patient())
    late = w.at(2, 23)
    answering.decline(open_offer().id, by=None, now=w.at(2, 8, 30))
    assert offers() == [(asked, "declined"), (other, None)]
    with transaction() as session:
        session.get_one(Offer, open_offer().id).expires_at = late
    third = wish(patient(), replace(WHEN, notice_hours=3))
    in_line.keep_line(late)
    in_line.keep_line(w.at(3, 8))
    assert offers() == [(asked, "declined"), (other, "expired")]
    # The desk may offer at any hour; a clinic without a quiet time does so by itself.
    with transaction() as session:
        session.execute(update(Clinic).values(quiet_from=dt.time(0), quiet_until=dt.time(0)))
    assert third
    assert in_line.keep_line(w.at(3, 2)) == 1


def test_after_a_no_the_rest_of_that_day_is_not_rolled_through(app: Flask) -> None:
    w.build(therapists=1)
    day = w.at(3).date()
    asked = wish(patient(), When(day, day))
    assert in_line.keep_line(NOW) == 1
    no = open_offer()
    first = no.starts_at
    answering.decline(no.id, by=None, now=NOW)
    assert in_line.keep_line(NOW + HOUR) == 0
    assert offers() == [(asked, "declined")]
    in_line.keep_line(NOW + ASKED_AGAIN_AFTER - dt.timedelta(seconds=1))
    assert offers() == [(asked, "declined")]
    in_line.keep_line(NOW + ASKED_AGAIN_AFTER)
    assert offers() == [(asked, "declined"), (asked, None)]
    assert open_offer().starts_at > first


def test_after_a_no_another_day_is_offered_at_once(app: Flask) -> None:
    w.build(therapists=1)
    asked = wish(patient(), When(w.at(3).date(), w.at(4).date()))
    in_line.keep_line(NOW)
    no = open_offer()
    answering.decline(no.id, by=None, now=NOW)
    in_line.keep_line(NOW)
    assert offers() == [(asked, "declined"), (asked, None)]
    assert open_offer().starts_at.date() > no.starts_at.date()


# ── what is told, and what is refused ────────────────────────────────────────────────────────────────────


def mails(kind: str) -> list[OutgoingMail]:
    db.session.rollback()
    return list(db.session.scalars(select(OutgoingMail).where(OutgoingMail.kind == kind)))


def traces(deed: str) -> list[tuple[str, int | None, dict[str, Any]]]:
    """Of what, which, and the detail of each such deed."""
    db.session.rollback()
    rows = db.session.scalars(select(AuditRow).where(AuditRow.deed == deed).order_by(AuditRow.sequence))
    return [(row.thing, row.thing_id, row.detail or {}) for row in rows]


def test_a_yes_is_confirmed_by_mail_with_the_way_to_the_visit(app: Flask, world: w.World) -> None:
    wish(patient())
    in_line.keep_line(NOW)
    offer = open_offer().id
    answered = answering.accept(offer, by=None, now=NOW, reconfirmed=True)
    (mail,) = mails("visit_booked")
    assert mails("visit_waiting") == []
    assert answered.token
    assert f"/visit/{answered.token}" in mail.text
    assert mail.visit_id == answered.visit_id
    assert traces("waitlist.accepted") == [("visit", answered.visit_id, {"status": "confirmed"})]
    again = answering.accept(offer, by=None, now=NOW)
    assert (again.visit_id, again.status, again.token) == (answered.visit_id, "confirmed", "")
    assert len(mails("visit_booked")) == 1
    assert db.session.get_one(Visit, answered.visit_id).deadline_at is None


def test_a_yes_on_earlier_answers_waits_and_says_so(app: Flask, world: w.World) -> None:
    person = w.person(email="old@people.example")
    w.sign(person, now=NOW - dt.timedelta(days=5))
    wish(person)
    in_line.keep_line(NOW)
    answered = answering.accept(open_offer().id, by=None, now=NOW)
    assert answered.status == "pending"
    assert (len(mails("visit_waiting")), mails("visit_booked")) == (1, [])
    row = db.session.get_one(Visit, answered.visit_id)
    assert row.deadline_at is not None
    assert row.deadline_at > NOW + HOUR, "a deadline of its own, not the offer's"
    ends = db.session.scalars(select(Claim.expires_at).where(Claim.visit_id == row.id)).all()
    assert ends == [None, None, None], "kept until somebody decides"


def test_a_yes_that_the_gate_refuses_is_noted_and_passed_on(app: Flask, world: w.World) -> None:
    changed, next_one = patient(), patient()
    first, second = wish(changed), wish(next_one, now=NOW + HOUR)
    in_line.keep_line(NOW)
    made = open_offer()
    offer, visit = made.id, made.visit_id
    w.sign_answers(changed, BLOCKED)
    with pytest.raises(MoveNotAllowed, match="cannot book this time for you"):
        answering.accept(offer, by=None, now=NOW)
    assert traces("waitlist.not_possible") == [("visit", visit, {})]
    doors = db.session.scalars(select(Screening.door).where(Screening.visit_id == visit)).all()
    assert "waitlist" in doors
    assert offers() == [(first, "not_possible"), (second, None)]


def therapist_is_off(world: w.World, _visit: Visit) -> None:
    off(world, w.at(3, 11), w.at(3, 11, 30))


def therapist_is_off_all_day(world: w.World, _visit: Visit) -> None:
    time_off.add_time_off(
        world.therapists[0], "off", w.at(3, 0), w.at(4, 0), "", by=world.desk_id, now=NOW, days=(DAY, DAY)
    )


def place_is_shut(world: w.World, _visit: Visit) -> None:
    time_off.add_closure(
        world.place_id, None, w.at(3, 10, 30), w.at(3, 10, 45), "Water", by=world.desk_id, now=NOW
    )


def room_is_shut(world: w.World, visit: Visit) -> None:
    time_off.add_closure(
        world.place_id, visit.room_id, w.at(3, 9), w.at(3, 10, 1), "Paint", by=world.desk_id, now=NOW
    )


BLOCKS = [therapist_is_off, therapist_is_off_all_day, place_is_shut, room_is_shut]


@pytest.mark.parametrize("block", BLOCKS)
@pytest.mark.parametrize("is_before_the_round", [True, False])
def test_nobody_says_yes_to_a_time_that_was_blocked_since(
    app: Flask, world: w.World, block: Callable[[w.World, Visit], None], is_before_the_round: bool
) -> None:
    """Whoever is asked has hours to answer: unlike a client who is just booking, they do not go before time off."""
    person = patient()
    mine = wish(person)
    in_line.keep_line(NOW)
    made = open_offer().id
    visit = db.session.get_one(Visit, open_offer().visit_id)
    db.session.expunge(visit)
    db.session.rollback()
    block(world, visit)
    if not is_before_the_round:
        in_line.keep_line(NOW)
        assert offers()[0] == (mine, "blocked")
    elif block is room_is_shut:  # another room is as good
        assert answering.accept(made, by=None, now=NOW, reconfirmed=True).status == "confirmed"
        assert db.session.get_one(Visit, visit.id).room_id != visit.room_id
        return
    with pytest.raises(HoldExpired, match=r"not free any more\. You are still on the list"):
        answering.accept(made, by=None, now=NOW)
    assert (offers()[0], "confirmed" in w.statuses(person)) == ((mine, "blocked"), False)
    assert db.session.get_one(Visit, visit.id).status == "released"
    assert db.session.scalar(select(WaitlistWish.ended_at)) is None
    again = db.session.scalars(select(Offer).where(Offer.ended_at.is_(None))).all()
    assert [one.starts_at for one in again] == ([w.at(3)] if block is room_is_shut else [])


def touching(world: w.World, _visit: Visit) -> None:
    off(world, w.at(3, 11, 15), w.at(3, 11, 30))
    time_off.add_closure(world.place_id, None, w.at(3, 9), w.at(3, 10), "x", by=world.desk_id, now=NOW)


def of_another_room(world: w.World, visit: Visit) -> None:
    other = db.session.scalars(select(Room.id).where(Room.id != visit.room_id)).first()
    db.session.rollback()
    time_off.add_closure(world.place_id, other, w.at(3, 9), w.at(3, 12), "x", by=world.desk_id, now=NOW)


@pytest.mark.parametrize("beside", [touching, of_another_room])
def test_what_is_blocked_beside_it_takes_no_offer_away(
    app: Flask, world: w.World, beside: Callable[[w.World, Visit], None]
) -> None:
    person = patient()
    wish(person)
    in_line.keep_line(NOW)
    visit = db.session.get_one(Visit, open_offer().visit_id)
    db.session.expunge(visit)
    db.session.rollback()
    beside(world, visit)
    in_line.keep_line(NOW)
    assert answering.accept(open_offer().id, by=None, now=NOW, reconfirmed=True).status == "confirmed"
    assert w.statuses(person) == ["confirmed"]


def test_nobody_whom_the_desk_books_for_says_yes_by_themselves(app: Flask, world: w.World) -> None:
    person = patient()
    wish(person)
    in_line.keep_line(NOW)
    with transaction() as session:
        session.get_one(Client, person).is_barred_online = True
    with pytest.raises(BarredOnline):
        answering.accept(open_offer().id, by=None, now=NOW)
    assert w.statuses(person) == ["held"]


def test_a_yes_that_would_come_too_soon_for_the_body_is_refused(app: Flask) -> None:
    world = w.build(therapists=1, minds_rest=True)
    off(world, w.at(3, 0), w.at(3, 10))
    off(world, w.at(3, 11, 30), w.at(4, 0))
    person = patient()
    asked = wish(person)
    in_line.keep_line(NOW)
    visits.book_visit(
        w.choice("deep_tissue"), person, w.at(2), request_key="sooner", source="desk", by=world.desk_id, now=NOW,
        reconfirmed=True,
    )  # fmt: skip
    with pytest.raises(RestNeeded):
        answering.accept(open_offer().id, by=None, now=NOW, reconfirmed=True)
    assert offers() == [(asked, None)], "they may still say no"
    assert w.statuses(person) == ["confirmed", "held"]


@pytest.mark.parametrize("is_named", [False, True])
def test_a_yes_finds_another_therapist_where_this_one_has_left(app: Flask, is_named: bool) -> None:
    """Where any was asked for; who was asked for by name is not replaced, and nothing is confirmed."""
    world = w.build(therapists=2)
    for one in world.therapists:
        time_off.add_time_off(one, "off", w.at(3, 0), w.at(3, 10), "", by=world.desk_id, now=NOW)
        time_off.add_time_off(one, "off", w.at(3, 11, 30), w.at(4, 0), "", by=world.desk_id, now=NOW)
    person = patient()
    asked = wish(person, therapist_id=world.therapists[0] if is_named else None)
    in_line.keep_line(NOW)
    first = db.session.get_one(Visit, open_offer().visit_id).therapist_id
    with transaction() as session:
        session.get_one(Therapist, first).is_active = False
    if is_named:
        with pytest.raises(SlotTaken, match="Please choose another therapist"):
            answering.accept(open_offer().id, by=None, now=NOW, reconfirmed=True)
        assert (offers(), w.statuses(person)) == ([(asked, None)], ["held"])
        return
    answered = answering.accept(open_offer().id, by=None, now=NOW, reconfirmed=True)
    assert offers() == [(asked, "accepted")]
    assert db.session.get_one(Visit, answered.visit_id).therapist_id not in (None, first)
    assert w.statuses(person) == ["confirmed"]


def test_a_yes_finds_another_room_where_this_one_is_used_no_more(app: Flask, world: w.World) -> None:
    wish(patient())
    assert in_line.keep_line(NOW) == 1
    offer = open_offer()
    offer_id, visit_id = offer.id, offer.visit_id
    room = db.session.get_one(Visit, visit_id).room_id
    switch_off(Room, room)
    answering.accept(offer_id, by=None, now=NOW, reconfirmed=True)
    db.session.rollback()
    visit = db.session.get_one(Visit, visit_id)
    assert (visit.status, visit.room_id != room) == ("confirmed", True)
    assert in_the_way.visits_under(NOW) == []


@pytest.mark.parametrize("what", ["all rooms", "the place"])
def test_a_yes_takes_nothing_that_is_used_no_more(app: Flask, world: w.World, what: str) -> None:
    wish(patient())
    assert in_line.keep_line(NOW) == 1
    offer = open_offer()
    offer_id, visit_id = offer.id, offer.visit_id
    if what == "the place":
        switch_off(Location, world.place_id)
    else:
        for room in db.session.scalars(select(Room.id)).all():
            switch_off(Room, room)
    with pytest.raises(SlotTaken):
        answering.accept(offer_id, by=None, now=NOW, reconfirmed=True)
    db.session.rollback()
    assert db.session.get_one(Visit, visit_id).status == "held"


def test_one_person_has_so_many_waiting_visits_also_from_the_waitlist(app: Flask, world: w.World) -> None:
    person = patient()
    asked = wish(person)
    in_line.keep_line(NOW)
    w.sign_answers(person, {"doctor_said_no": {"reason": "rest", "date": "2026-05-01"}})
    assert w.at_desk(world, person, "deep_tissue", when=w.at(5)).status == "pending"
    with pytest.raises(TooManyPending):
        answering.accept(open_offer().id, by=None, now=NOW, reconfirmed=True)
    assert (offers(), w.statuses(person)) == ([(asked, None)], ["held", "pending"])


def test_what_is_not_there_is_said(app: Flask, world: w.World) -> None:
    for deed in (
        lambda: answering.accept(10**6, by=None, now=NOW),
        lambda: answering.decline(10**6, by=None, now=NOW),
        lambda: waitlist.withdraw(10**6, by=None, now=NOW),
        lambda: waitlist.give_to_somebody_else(10**6, by=world.desk_id, now=NOW),
        lambda: waitlist.offer_now(10**6, by=world.desk_id, now=NOW),
        lambda: wish(10**6),
    ):
        with pytest.raises(NotFound):
            deed()


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("service", {"service": "not_there"}),
        ("service", {"minutes": 61}),
        ("areas", {"areas": ()}),
        ("therapist", {"therapist_id": 10**6}),
    ],
)
def test_a_wish_is_checked_before_it_is_kept(
    app: Flask, world: w.World, field: str, values: dict[str, Any]
) -> None:
    choice = replace(w.choice("deep_tissue"), **values)
    with pytest.raises(InvalidInput) as refused:
        waitlist.join(choice, WHEN, patient(), source="desk", by=None, now=NOW)
    assert refused.value.field == field
    db.session.rollback()
    assert db.session.scalars(select(WaitlistWish)).all() == []


def test_who_books_by_phone_only_is_put_on_the_list_by_the_desk(app: Flask, world: w.World) -> None:
    person = patient()
    with transaction() as session:
        session.get_one(Client, person).is_barred_online = True
    with pytest.raises(BarredOnline):
        waitlist.join(w.choice("deep_tissue"), WHEN, person, source="online", by=None, now=NOW)
    assert wish(person)


def test_the_same_wish_is_one_and_five_are_enough(app: Flask, world: w.World) -> None:
    person = patient()
    first, key = waitlist.join(w.choice("deep_tissue"), WHEN, person, source="desk", by=None, now=NOW)
    again, newer = waitlist.join(w.choice("deep_tissue"), WHEN, person, source="desk", by=None, now=NOW)
    assert (first, key != newer) == (again, True)
    db.session.rollback()
    assert db.session.get_one(WaitlistWish, first).key_hash == hash_of(newer), "the page that opens now works"
    assert len(mails("waitlist_joined")) == 1
    assert traces("waitlist.joined") == [("client", person, {"source": "desk"})]
    for hours in range(1, 5):
        wish(person, replace(WHEN, notice_hours=hours))
    with pytest.raises(InvalidInput) as refused:
        wish(person, replace(WHEN, notice_hours=9))
    assert refused.value.field == "client"
    assert len(db.session.scalars(select(WaitlistWish)).all()) == 5


@pytest.mark.parametrize("has_answers", [True, False])
def test_who_has_answered_nothing_is_asked_to_when_they_join(
    app: Flask, world: w.World, has_answers: bool
) -> None:
    person = w.person(email="new@people.example")
    if has_answers:
        w.sign(person)
    wish(person)
    (mail,) = mails("waitlist_joined")
    assert ("once you have answered our questions" in mail.text) is not has_answers
    assert "on our waitlist for Friday 12 June 2026: at any time." in mail.text, "one day is not from and to"


def test_leaving_the_list_is_noted_once_and_passes_on_what_was_offered(app: Flask, world: w.World) -> None:
    person, next_one = patient(), patient()
    first, second = wish(person), wish(next_one, now=NOW + HOUR)
    in_line.keep_line(NOW)
    for _ in range(2):
        waitlist.withdraw(first, by=None, now=NOW)
    assert traces("waitlist.left") == [("client", person, {})]
    assert offers() == [(first, "withdrawn"), (second, None)]


def test_what_the_desk_sets_aside_is_noted_once_and_only_while_it_is_open(app: Flask, world: w.World) -> None:
    wish(patient())
    in_line.keep_line(NOW)
    offer = open_offer().id
    for _ in range(2):
        assert waitlist.give_to_somebody_else(offer, by=world.desk_id, now=NOW) == w.at(3)
    assert traces("waitlist.set_aside") == [("offer", offer, {})]
    in_line.keep_line(NOW + HOUR)
    accepted = open_offer().id
    answering.accept(accepted, by=None, now=NOW + HOUR, reconfirmed=True)
    with pytest.raises(MoveNotAllowed, match="has been answered"):
        waitlist.give_to_somebody_else(accepted, by=world.desk_id, now=NOW + HOUR)


def test_the_desk_offers_the_same_person_one_time_at_once(app: Flask, world: w.World) -> None:
    asked = wish(patient())
    made = waitlist.offer_now(asked, by=world.desk_id, now=NOW)
    assert waitlist.offer_now(asked, by=world.desk_id, now=NOW) == made
    assert offers() == [(asked, None)]
    answering.decline(made, by=None, now=NOW)
    with pytest.raises(SlotTaken):  # what they said no to is not that time's offer any more
        waitlist.offer_now(asked, by=world.desk_id, now=NOW)
    waitlist.withdraw(asked, by=None, now=NOW)
    with pytest.raises(NotFound):
        waitlist.offer_now(asked, by=world.desk_id, now=NOW)


@pytest.mark.parametrize("wished_at", [2, 6])
def test_who_confirms_what_was_kept_before_the_wish_has_what_was_wished_for(
    app: Flask, wished_at: int
) -> None:
    """It is booked when it is confirmed, not when its time was kept: one made before that is over, one after stays."""
    w.build()
    user = factories.make_user(email="pat@people.example", roles=[Role.CLIENT]).id
    client = w.person(email="pat@people.example", acts={user: "self"})
    w.sign(client)
    minute = dt.timedelta(minutes=1)
    token = checkout.hold_slot(
        None, w.choice("swedish"), w.at(3, 10), first_visit=True, user_id=user, now=NOW
    )
    checkout.choose_person(token, client, user_id=user, now=NOW)

    def wish() -> None:
        waitlist.join(
            w.choice("swedish"), WHEN, client, source="online", by=user, now=NOW + wished_at * minute
        )

    if wished_at == 2:
        wish()
    assert checkout.confirm(token, user_id=user, now=NOW + 4 * minute).status == "confirmed"
    if wished_at == 6:
        wish()
    in_line.keep_line(NOW + 7 * minute)
    db.session.rollback()
    ended = db.session.scalars(select(WaitlistWish.ended_as)).all()
    assert ended == ["booked" if wished_at == 2 else None]
