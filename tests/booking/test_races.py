"""Many at once want one slot: one gets it, the others are told kindly. Short here; `make soak` runs it long."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait

import pytest
from flask import Flask
from sqlalchemy import func, select, update

from clinic.booking.models import Claim, Visit
from clinic.booking.services import checkout, visits
from clinic.clients.models import Client
from clinic.clients.steps import Details
from clinic.rules.errors import NotFound, SlotTaken
from clinic.shared.database import db, transaction
from tests.booking import world as w
from tests.conftest import NOW

pytestmark = pytest.mark.every_way_on_both


@pytest.fixture
def world(app: Flask) -> w.World:
    return w.build(therapists=1)


def all_at_once(app: Flask, jobs: list[tuple[int, str]], world: w.World) -> list[str]:
    """Every job (client, request key) in its own thread, started together."""
    gate = threading.Barrier(len(jobs))

    def run(job: tuple[int, str]) -> str:
        client, key = job
        with app.app_context():
            gate.wait()
            try:
                visits.book_visit(
                    w.choice("relaxation"),
                    client,
                    w.at(3),
                    request_key=key,
                    source="desk",
                    by=world.desk_id,
                    now=NOW,
                )
            except SlotTaken:
                return "taken"
            finally:
                db.session.remove()
            return "booked"

    with ThreadPoolExecutor(len(jobs)) as pool:
        return list(pool.map(run, jobs))


def test_one_slot_is_booked_once(app: Flask, world: w.World) -> None:
    clients = [w.person() for _ in range(12)]
    for client in clients:
        w.sign(client)
    for _round in range(3):
        results = all_at_once(app, [(client, f"{_round}-{client}") for client in clients], world)
        assert sorted(results) == ["booked"] + ["taken"] * 11
        db.session.rollback()
        booked = db.session.scalars(select(Visit).where(Visit.status == "confirmed")).one()
        visits.cancel_visit(booked.id, by=world.desk_id, by_clinic=True, now=NOW)


def test_one_request_sent_many_times_books_once(app: Flask, world: w.World) -> None:
    client = w.person()
    w.sign(client)
    results = all_at_once(app, [(client, "the same")] * 8, world)
    assert results == ["booked"] * 8
    assert db.session.scalar(select(func.count()).select_from(Visit)) == 1


def test_no_two_claims_overlap_after_a_storm(app: Flask, world: w.World) -> None:
    """Holds for overlapping times by many browsers at once: what stands never overlaps."""
    starts = [w.at(3, 10, minute) for minute in (0, 15, 30, 45)] * 5
    gate = threading.Barrier(len(starts))

    def hold(starts_at: dt.datetime) -> None:
        with app.app_context():
            gate.wait()
            try:
                checkout.hold_slot(
                    None, w.choice("relaxation"), starts_at, first_visit=True, user_id=None, now=NOW
                )
            except SlotTaken:
                pass
            finally:
                db.session.remove()

    with ThreadPoolExecutor(len(starts)) as pool:
        list(pool.map(hold, starts))
    db.session.rollback()
    held = db.session.scalars(select(Claim).where(Claim.resource_id == world.therapists[0])).all()
    assert len(held) == 1


def test_a_double_click_holds_once_and_confirms_once(app: Flask, world: w.World) -> None:
    """One browser, four clicks at the same moment: one hold, one visit, the same answer to all."""
    gate = threading.Barrier(4)

    def at_once(deed: Callable[[], object]) -> list[object]:
        def run(_number: int) -> object:
            with app.app_context():
                gate.wait()
                try:
                    return deed()
                finally:
                    db.session.remove()

        with ThreadPoolExecutor(4) as pool:
            return list(pool.map(run, range(4)))

    choice = w.choice("relaxation")
    held = at_once(
        lambda: checkout.hold_slot("one-browser", choice, w.at(3), first_visit=True, user_id=None, now=NOW)
    )
    assert held == ["one-browser"] * 4
    details = Details(
        "Dana", "Double", dt.date(1990, 1, 1), email="dana@people.example", phone="(212) 555-0199"
    )
    client = checkout.name_person("one-browser", details, relation="self", now=NOW)
    w.sign(client)
    results = at_once(lambda: checkout.confirm("one-browser", user_id=None, now=NOW))
    db.session.rollback()
    visit = db.session.scalars(select(Visit)).one()
    assert visit.status == "confirmed"
    assert {(result.visit_id, result.status) for result in results} == {(visit.id, "confirmed")}  # type: ignore[attr-defined]


def test_answers_signed_while_a_booking_is_judged_are_not_slipped_past(app: Flask, world: w.World) -> None:
    """Booking and a new answer at the same moment, whichever comes first: no confirmed visit is left."""
    for round_ in range(6):
        client = w.person()
        w.sign(client)
        gate = threading.Barrier(2)

        def in_own_context(deed: Callable[[], object], gate: threading.Barrier = gate) -> None:
            with app.app_context():
                gate.wait()
                try:
                    deed()
                finally:
                    db.session.remove()

        when = w.at(3 + round_)
        deeds = [
            lambda client=client, when=when: w.at_desk(world, client, "deep_tissue", when=when),
            lambda client=client: w.sign(
                client, now=NOW + dt.timedelta(minutes=1), clotting_tendency={"type": "V"}
            ),
        ]
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(in_own_context, deeds))
        assert w.statuses(client) in ([], ["cancelled"])


@pytest.mark.parametrize("changed", ["born_on", "merged_into_id"])
def test_who_somebody_is_changes_while_a_booking_waits(app: Flask, world: w.World, changed: str) -> None:
    """The booking has read the record and waits for it; what it reads then is what counts."""
    client, other = w.person(), w.person()
    w.sign(client)
    w.sign(other, clotting_tendency={"type": "V"})
    values: dict[str, object] = {"born_on": dt.date(2016, 1, 1), "merged_into_id": other}

    def book() -> None:
        with app.app_context():
            try:
                w.at_desk(world, client, "deep_tissue")
            except NotFound:
                return
            finally:
                db.session.remove()

    with ThreadPoolExecutor(1) as pool:
        with transaction() as session:
            session.execute(update(Client).where(Client.id == client).values({changed: values[changed]}))
            booking = pool.submit(book)
            wait([booking], timeout=1.5)
            assert not booking.done(), "it waits for whoever changes the record"
        booking.result()
    db.session.rollback()
    assert db.session.scalars(select(Visit.status).where(Visit.status == "confirmed")).all() == []


def test_a_known_person_signs_while_a_stranger_who_looks_like_them_books(app: Flask, world: w.World) -> None:
    """The signing waits for the booking under way, so that it sees the visit and judges it too."""
    known, stranger = (
        w.person(phone="(212) 555-0177"),
        w.person(phone="(212) 555-0177", is_unproven=True),
    )

    def sign() -> None:
        with app.app_context():
            try:
                w.sign(known, clotting_tendency={"type": "V"})
            finally:
                db.session.remove()

    with ThreadPoolExecutor(1) as pool:
        with transaction() as session:  # a booking that began before the known record was there
            session.scalars(select(Client).where(Client.id == stranger).with_for_update()).one()
            signing = pool.submit(sign)
            wait([signing], timeout=1.5)
            assert not signing.done()
        signing.result()
