"""Somebody signs, or two desks press, while a record is merged or erased: each waits for the other; nothing is lost.

Each test stops one deed in the middle and starts the other; SQLite has one writer, and passes by itself.
"""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update
from sqlalchemy.exc import DBAPIError

from clinic.booking.models import Claim, Offer, Visit
from clinic.booking.queries import visits
from clinic.booking.services import (
    _changing,
    _judging,
    aims,
    couple_changes,
    deadlines,
    holds,
    links,
    people,
    restricting,
    sick_day,
)
from clinic.booking.services import visits as bookings
from clinic.booking.services.couples import Half, book_couple
from clinic.clients import queries as clients
from clinic.clients import services as keeping
from clinic.clients.choices import Whose
from clinic.clients.models import Client, MessageChoice
from clinic.clients.steps import Details
from clinic.intake.models import HealthStop, Intake
from clinic.intake.services import _versions, intakes
from clinic.keeping.models import Erasure
from clinic.keeping.services import _erasing, erasing, expiring
from clinic.messages import services as messages
from clinic.rules.errors import HoldExpired, MoveNotAllowed, NotFound, SlotTaken
from clinic.rules.messages import FOR_CLIENTS
from clinic.rules.permissions import Role
from clinic.rules.waitlist import GRACE
from clinic.shared import database
from clinic.shared.database import db
from tests import factories
from tests.at_once import Deeds, deeds
from tests.booking import world as w
from tests.booking.test_gate_edges import HAEMOPHILIA
from tests.conftest import NOW

pytestmark = pytest.mark.every_way_on_both

__all__ = ["deeds"]

LATER = NOW + dt.timedelta(minutes=5)
SECOND = dt.timedelta(seconds=1)
SIGN: dict[str, dict[str, object]] = {"rf_chest_pain_breathless": {}}


def merged(keep: int, lose: int, world: w.World) -> Callable[[], object]:
    return lambda: people.merge_clients(keep, lose, by=world.desk_id, now=NOW)


def test_what_is_signed_while_the_record_is_merged_is_judged(deeds: Deeds, world: w.World) -> None:
    keep, lose = w.person(), w.person()
    for one in (keep, lose):
        w.sign(one)
    w.at_desk(world, keep, "deep_tissue")
    assert w.statuses(keep) == ["confirmed"]
    deeds.stop_in(intakes, "add_version")
    came = deeds.do(lambda: w.sign(lose, now=LATER, bleeding_disorder=HAEMOPHILIA), merged(keep, lose, world))
    assert came == ("done", "done")
    assert w.statuses(keep) != ["confirmed"]


def test_who_merges_first_leaves_nothing_to_sign_on(deeds: Deeds, world: w.World) -> None:
    keep, lose = w.person(), w.person()
    deeds.stop_in(people, "_fill_gaps")
    came = deeds.do(merged(keep, lose, world), lambda: w.sign(lose, now=LATER))
    assert came == ("done", "NotFound")
    assert db.session.scalars(select(Intake)).all() == []


def test_a_warning_sign_is_kept_for_whoever_the_record_became(deeds: Deeds, world: w.World) -> None:
    keep, lose = w.person(), w.person()
    w.sign(keep)
    w.at_desk(world, keep, "relaxation")
    deeds.stop_in(people, "_fill_gaps")
    came = deeds.do(
        merged(keep, lose, world),
        lambda: intakes.raise_stop(
            lose, w.answers(**SIGN), source="online", by=None, now=LATER, today=w.TODAY
        ),
    )
    assert came == ("done", "done")
    assert [one.client_id for one in db.session.scalars(select(HealthStop))] == [keep]
    assert w.statuses(keep) != ["confirmed"]


def test_two_desks_that_keep_another_record_each_make_no_circle(deeds: Deeds, world: w.World) -> None:
    one, other = w.person(), w.person()
    deeds.stop_in(people, "_fill_gaps")
    came = deeds.do(merged(one, other, world), merged(other, one, world))
    assert came == ("done", "NotFound")
    rows = dict(db.session.execute(select(Client.id, Client.merged_into_id)).tuples().all())
    assert (rows[one], rows[other]) == (None, one)


def test_nothing_is_signed_on_a_record_that_is_being_erased(app: Flask, deeds: Deeds, world: w.World) -> None:
    client = w.person()
    w.sign(client)
    deeds.stop_in(intakes, "add_version")
    came = deeds.do(
        lambda: w.sign(client, now=LATER),
        lambda: erasing.erase_person(client, settings=app.config, by=world.desk_id, now=NOW),
    )
    assert came == ("done", "done")
    assert db.session.scalars(select(Intake)).all() == []
    with pytest.raises(NotFound):
        w.sign(client, now=LATER)


def test_a_signature_that_is_pressed_twice_is_no_error(deeds: Deeds, world: w.World) -> None:
    client = w.person()
    deeds.stop_in(_versions, "keep_wording")
    came = deeds.do(lambda: w.sign(client), lambda: w.sign(client))
    assert came == ("done", "done")
    assert sorted(one.version for one in db.session.scalars(select(Intake))) == [1, 2]


def test_a_note_whose_button_is_pressed_twice_is_kept_once(deeds: Deeds, world: w.World) -> None:
    client = w.person()
    write = partial(keeping.write_note, client, "Rang", by=world.desk_id, now=NOW)
    deeds.stop_in(keeping, "leave_trace")
    assert deeds.do(write, write) == ("done", "done")
    assert [one.text for one in clients.notes(client)] == ["Rang"]


def test_a_move_that_is_pressed_twice_is_made_once(deeds: Deeds, world: w.World) -> None:
    client = w.person()
    w.sign(client)
    visit_id = w.at_desk(world, client, "relaxation", when=w.at(3)).visit_id or 0
    seen = db.session.get_one(Visit, visit_id).revision
    own: dict[str, Any] = {"revision": seen, "by": None, "by_client": True, "now": NOW}
    move = partial(bookings.change_visit, visit_id, starts_at=w.at(5), **own)
    deeds.stop_in(_changing, "give_up")
    assert deeds.do(move, move) == ("done", "done")
    visit = db.session.get_one(Visit, visit_id)
    assert (visit.starts_at, visit.revision) == (w.at(5), seen + 1)
    with pytest.raises(MoveNotAllowed):
        bookings.change_visit(visit_id, starts_at=w.at(6), **own)
    bookings.cancel_visit(visit_id, by=None, by_clinic=False, by_client=True, now=NOW)
    with pytest.raises(MoveNotAllowed):
        move()


def test_more_care_is_asked_for_whoever_the_record_became(
    deeds: Deeds, world: w.World, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep, lose = w.person(), w.person()
    for one in (keep, lose):
        w.sign(one)
    w.at_desk(world, keep, "deep_tissue")
    monkeypatch.setattr(visits, "treats", lambda *_asked: True)
    deeds.stop_in(restricting, "_judge_again")
    came = deeds.do(
        lambda: restricting.ask_for_more_care(
            world.therapists[0], lose, services=[], verdict="block", reason="Fainted twice", until=None,
            by=world.desk_id, now=NOW,
        ),
        merged(keep, lose, world),
    )  # fmt: skip
    assert came == ("done", "done")
    assert w.statuses(keep) != ["confirmed"]


def test_a_record_that_is_joined_meanwhile_is_not_erased_by_half(
    app: Flask, deeds: Deeds, world: w.World
) -> None:
    """The other one is booked: whoever erases is told so, as if it had been joined before."""
    keep, lose = w.person(), w.person()
    for one in (keep, lose):
        w.sign(one)
    w.at_desk(world, keep, "relaxation")
    deeds.stop_in(people, "_fill_gaps")
    came = deeds.do(
        merged(keep, lose, world),
        lambda: erasing.erase_person(lose, settings=app.config, by=world.desk_id, now=NOW),
    )
    assert came == ("done", "VisitsAhead")
    assert "Erased" not in db.session.scalars(select(Client.first_name)).all()
    assert w.statuses(keep) == ["confirmed"]


def long_gone() -> int:
    return w.person(created_at=NOW - dt.timedelta(days=800))


def test_whoever_signs_while_their_time_runs_out_stays(app: Flask, deeds: Deeds, world: w.World) -> None:
    """The worker judges once nobody is at it any more; where it was first, nothing is signed."""
    one, other = long_gone(), long_gone()
    expiring.let_go_by_periods(by=world.desk_id, now=NOW)
    deeds.stop_in(intakes, "add_version")
    came = deeds.do(lambda: w.sign(one), lambda: expiring.remove_due(NOW, settings=app.config))
    assert came == ("done", "done")
    names = [db.session.get_one(Client, client_id).first_name for client_id in (one, other)]
    assert names == ["Pat", "Erased"]
    assert [row.client_id for row in db.session.scalars(select(Intake))] == [one]


def test_whoever_is_booked_while_their_time_runs_out_keeps_nobody_else(
    app: Flask, deeds: Deeds, world: w.World
) -> None:
    first, booked, last = long_gone(), long_gone(), long_gone()
    w.sign(booked)
    expiring.let_go_by_periods(by=world.desk_id, now=NOW)
    deeds.stop_in(_judging, "weigh")
    came = deeds.do(
        lambda: w.at_desk(world, booked, "relaxation", when=w.at(7)),
        lambda: expiring.remove_due(NOW + dt.timedelta(days=366), settings=app.config),
    )
    assert came == ("done", "done")
    names = [db.session.get_one(Client, client_id).first_name for client_id in (first, booked, last)]
    assert names == ["Erased", "Pat", "Erased"]
    assert booked not in db.session.scalars(select(Erasure.client_id)).all()


def test_who_was_erased_before_the_worker_broke_off_is_gone_everywhere(
    app: Flask, world: w.World, monkeypatch: pytest.MonkeyPatch
) -> None:
    long_gone()
    expiring.let_go_by_periods(by=world.desk_id, now=NOW)
    cleaned: list[int] = []
    monkeypatch.setattr(_erasing, "clean_up", lambda *_given: cleaned.append(1))

    def breaks_off(*_given: object) -> int:
        raise RuntimeError

    monkeypatch.setattr(expiring, "_shorten_audit", breaks_off)
    with pytest.raises(RuntimeError):
        expiring.remove_due(NOW, settings=app.config)
    assert cleaned == [1]


@pytest.mark.parametrize(
    ("deed", "middle"),
    [
        ("give", (sick_day, "judge")),
        ("offer", (sick_day, "end_offers_for")),
        ("call off", (sick_day, "end_offers_for")),
        ("cancel", (bookings, "set_status")),
        ("release", (deadlines, "set_status")),
    ],
)
def test_whoever_signs_and_staff_who_change_the_visit_never_wait_in_a_ring(
    deeds: Deeds, world: w.World, monkeypatch: pytest.MonkeyPatch, deed: str, middle: tuple[Any, str]
) -> None:
    """The person before the visit, always: PostgreSQL broke such a ring off after a second."""
    client = w.person()
    if deed != "release":
        w.sign(client)
    booked = w.at_desk(world, client, "relaxation", when=w.at(3, 11), therapist_id=world.therapists[0])
    visit = db.session.get_one(Visit, booked.visit_id)
    number, revision, until = visit.id, visit.revision, visit.deadline_at
    other = world.therapists[1]
    staff: dict[str, Any] = {"by": world.desk_id, "now": NOW}
    todo: dict[str, Callable[[], object]] = {
        "give": lambda: sick_day.give_to(number, other, revision=revision, **staff),
        "offer": lambda: sick_day.offer_time(number, w.at(3, 15), other, revision=revision, **staff),
        "call off": lambda: sick_day.call_off(number, revision=revision, **staff),
        "cancel": lambda: bookings.cancel_visit(number, by_clinic=True, **staff),
        "release": lambda: deadlines.keep_deadlines(until or NOW),
    }
    broken_off = noted_rings(monkeypatch)
    deeds.stop_in(*middle)
    came = deeds.do(todo[deed], lambda: w.sign(client, now=until or NOW))
    assert (came, broken_off) == (("done", "done"), [])


def noted_rings(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the database will have broken off and the program tried again."""
    found: list[str] = []
    asked = database._may_try_again

    def noted(error: DBAPIError, attempt: int) -> bool:
        found.append(str(error.orig))
        return asked(error, attempt)

    monkeypatch.setattr(database, "_may_try_again", noted)
    return found


@pytest.mark.parametrize("deed", ["what it is for", "the link", "the other of two"])
def test_two_deeds_on_a_visit_never_wait_in_a_ring(
    deeds: Deeds, world: w.World, monkeypatch: pytest.MonkeyPatch, deed: str
) -> None:
    """A cancellation takes the person first, and both people of a visit for two: so does whatever it meets."""
    client, other = (w.person(email=f"ring{number}@people.example") for number in (1, 2))
    for one in (client, other):
        w.sign(one)
    staff: dict[str, Any] = {"by": world.desk_id, "now": NOW}
    if deed == "the other of two":
        w.add_room_for_two(world)
        halves = Half(client, w.choice("relaxation")), Half(other, w.choice("relaxation"))
        book_couple(halves, w.at(3), request_key=None, source="desk", reconfirmed=True, **staff)
    else:
        w.at_desk(world, client, "relaxation")
    db.session.rollback()
    numbers = list(db.session.scalars(select(Visit.id).order_by(Visit.client_id)))
    first: Callable[[], object] = partial(bookings.cancel_visit, numbers[-1], by_clinic=True, **staff)
    if deed == "what it is for":
        first = partial(aims.say_aim, numbers[0], "my neck", **staff)
        deeds.stop_in(aims, "leave_trace")
    elif deed == "the link":
        first = partial(links.send_link_again, numbers[0], **staff)
        deeds.stop_in(links, "tell_again")
    else:
        deeds.stop_in(bookings, "set_status")
    broken_off = noted_rings(monkeypatch)
    came = deeds.do(first, partial(bookings.cancel_visit, numbers[0], by_clinic=True, **staff))
    assert (came, broken_off) == (("done", "done"), [])
    assert set(db.session.scalars(select(Visit.status))) == {"cancelled"}


def test_a_link_that_stops_messages_may_be_pressed_twice(deeds: Deeds, world: w.World) -> None:
    """By the mail program and by the person."""
    client = w.person()
    kind = sorted(FOR_CLIENTS)[0]

    def stop() -> None:
        messages.choose(Whose(client_id=client), {kind: False}, now=NOW)

    deeds.stop_in(messages, "leave_trace")
    assert deeds.do(stop, stop) == ("done", "done")
    assert [one.is_wanted for one in db.session.scalars(select(MessageChoice))] == [False]


def test_guests_who_look_alike_may_sign_at_one_moment(
    app: Flask, world: w.World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A family books from one telephone: whose answers count for whom was waited for in a second step, in a ring."""
    guests = [w.person(phone="+12125552345", is_unproven=True) for _ in range(4)]
    db.session.execute(update(Client).values(phone_key="+12125552345", is_unproven=True))
    db.session.commit()
    assert len(clients.look_alikes(db.session.get_one(Client, guests[0]))) == 3
    db.session.rollback()
    broken_off, gate = noted_rings(monkeypatch), threading.Barrier(4)

    def sign(guest: int) -> None:
        with app.app_context():
            gate.wait(10)
            w.sign(guest)
            db.session.remove()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(sign, guests))
    assert broken_off == []
    assert set(db.session.scalars(select(Intake.client_id))) == set(guests)


@pytest.mark.parametrize("whose", ["keep", "lose"])
def test_a_kept_time_that_ran_out_stands_in_no_merges_way(world: w.World, whose: str) -> None:
    """The worker has not been by yet, and nobody could move or cancel what the desk was told to."""
    keep, lose = w.person(), w.person()
    for one in (keep, lose):
        w.sign(one)
    holds_it, comes = (keep, lose) if whose == "keep" else (lose, keep)
    hold = holds.keep_time(
        w.choice("relaxation"), w.at(3, 11), client_id=holds_it, source="api", by=None, now=NOW
    )
    later = NOW + dt.timedelta(minutes=11)
    w.at_desk(world, comes, "relaxation", when=w.at(3, 11), therapist_id=world.therapists[1])
    with pytest.raises(MoveNotAllowed):  # not yet
        people.merge_clients(keep, lose, by=world.desk_id, now=NOW)
    people.merge_clients(keep, lose, by=world.desk_id, now=later)
    db.session.rollback()
    visit = db.session.scalars(select(Visit).where(Visit.status == "confirmed")).one()
    claimed = db.session.scalars(select(Claim.visit_id).where(Claim.resource_id == keep)).all()
    assert (visit.client_id, claimed) == (keep, [visit.id])
    with pytest.raises((SlotTaken, HoldExpired)):
        bookings.book_visit(
            w.choice("relaxation"), keep, w.at(3, 11), request_key="k", source="api", by=None, now=later,
            reconfirmed=True, hold_id=hold,
        )  # fmt: skip


@pytest.mark.parametrize("whose", ["keep", "lose"])
@pytest.mark.parametrize("seconds", [0, 30, 61])
def test_an_offered_time_stands_in_a_merges_way_for_as_long_as_it_is_taken(
    world: w.World, whose: str, seconds: int
) -> None:
    """A moment longer than it may be said yes to: the desk is told, and may merge when that is over."""
    keep, lose = w.person(email="k@people.example"), w.person(email="l@people.example")
    for one in (keep, lose):
        w.sign(one)
    offered, comes = (keep, lose) if whose == "keep" else (lose, keep)
    staff: dict[str, Any] = {"by": world.desk_id, "now": NOW}
    booked = w.at_desk(world, offered, "relaxation", when=w.at(3, 11), therapist_id=world.therapists[0])
    visit = db.session.get_one(Visit, booked.visit_id)
    sick_day.offer_time(visit.id, w.at(3, 15), world.therapists[1], revision=visit.revision, **staff)
    w.at_desk(world, comes, "relaxation", when=w.at(3, 15), therapist_id=world.therapists[2])
    until = db.session.scalars(select(Offer.expires_at)).one()
    merge = partial(people.merge_clients, keep, lose, by=world.desk_id, now=until + seconds * SECOND)
    if seconds < GRACE.total_seconds():
        with pytest.raises(MoveNotAllowed):
            merge()
    else:
        merge()
        assert sorted(w.statuses(keep)).count("confirmed") == 2


@pytest.mark.parametrize("who", [0, 1])
@pytest.mark.parametrize("other_deed", ["sign", "cancel one", "cancel visit"])
def test_whoever_cancels_for_two_waits_for_both_first(
    deeds: Deeds, world: w.World, monkeypatch: pytest.MonkeyPatch, who: int, other_deed: str
) -> None:
    pair = [w.person(email=f"ring{number}@people.example") for number in (1, 2)]
    for one in pair:
        w.sign(one)
    w.add_room_for_two(world)
    halves = Half(pair[0], w.choice("relaxation")), Half(pair[1], w.choice("relaxation"))
    staff: dict[str, Any] = {"by": world.desk_id, "now": NOW}
    booked = book_couple(halves, w.at(3), request_key=None, source="desk", reconfirmed=True, **staff)
    numbers = list(db.session.scalars(select(Visit.id).order_by(Visit.client_id)))
    broken_off = noted_rings(monkeypatch)
    deeds.stop_in(couple_changes, "end_couple")
    second: dict[str, Callable[[], object]] = {
        "sign": lambda: w.sign(pair[who]),
        "cancel one": lambda: couple_changes.cancel_one(numbers[who], by_clinic=True, **staff),
        "cancel visit": lambda: bookings.cancel_visit(numbers[who], by_clinic=True, **staff),
    }
    first = partial(couple_changes.cancel_couple, booked.couple_id or 0, by_clinic=True, **staff)
    deeds.do(first, second[other_deed])
    assert broken_off == []
    assert set(db.session.scalars(select(Visit.status))) == {"cancelled"}


def make_alike(guest: int, known: int) -> None:
    """Both have one telephone, and nobody has looked at who the guest is."""
    alike = update(Client).where(Client.id.in_([guest, known])).values(phone_key="+12125552345")
    db.session.execute(alike)
    db.session.execute(update(Client).where(Client.id == guest).values(is_unproven=True))
    db.session.commit()


@pytest.mark.parametrize("deed", ["merge", "details", "new phone"])
def test_whoever_changes_a_record_waits_at_once_for_those_who_look_like_it(
    deeds: Deeds, world: w.World, monkeypatch: pytest.MonkeyPatch, deed: str
) -> None:
    guest = w.person()
    keep, lose, known = w.person(), w.person(), w.person()
    whose = known if deed == "new phone" else keep
    make_alike(guest, whose)
    broken_off = noted_rings(monkeypatch)
    details = Details("Pat", "Changed", dt.date(1990, 1, 1), phone="+1 212 555 2345")
    firsts: dict[str, Callable[[], object]] = {
        "merge": merged(keep, lose, world),
        "details": partial(people.change_details, keep, details, by=world.desk_id, now=NOW),
        "new phone": partial(people.change_details, keep, details, by=world.desk_id, now=NOW),
    }
    deeds.stop_in(people, "_fill_gaps" if deed == "merge" else "judge_visits_of_all")
    came = deeds.do(firsts[deed], lambda: w.sign(whose))
    assert (came, broken_off) == (("done", "done"), [])


@pytest.mark.parametrize("is_first", [True, False])
def test_what_is_signed_while_two_records_are_taken_apart_is_judged(
    deeds: Deeds, world: w.World, is_first: bool
) -> None:
    """Staff take away what the other one said: what this one says at that moment counts all the same."""
    known, guest = w.person(), w.person()
    make_alike(guest, known)
    w.sign(known, bleeding_disorder=HAEMOPHILIA)
    w.sign(guest)
    w.at_desk(world, guest, "deep_tissue")
    assert w.statuses(guest) == ["pending"]
    reviewer = factories.make_user(email="review@clinic.example", roles=[Role.THERAPIST]).id
    apart = partial(people.say_two_people, known, guest, by=reviewer, now=NOW)
    sign = partial(w.sign, guest, now=LATER, bleeding_disorder=HAEMOPHILIA)
    deeds.stop_in(*((intakes, "leave_trace") if is_first else (people, "leave_trace")))
    assert deeds.do(*((sign, apart) if is_first else (apart, sign))) == ("done", "done")
    assert w.statuses(guest) != ["confirmed"]
