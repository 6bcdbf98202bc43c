"""Time off claims what is not booked, at once and always: nothing new can be booked there, on both databases."""

from __future__ import annotations

import datetime as dt
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from clinic.booking.models import Claim, Visit
from clinic.booking.queries import blocks, in_the_way
from clinic.booking.queries.availability import Ask, look
from clinic.booking.services import checkout, deadlines, time_off, visits
from clinic.booking.services._claims import claim_blocks
from clinic.catalogue import queries as catalogue
from clinic.clients.steps import Details
from clinic.premises import queries as premises
from clinic.premises import services as premises_services
from clinic.premises.facts import RoomFacts
from clinic.premises.models import Closure, Location, OpeningHours, Room
from clinic.rules.errors import InvalidInput, NotFound, SlotTaken
from clinic.rules.typed_span import TypedSpan
from clinic.rules.wall_time import WallClock, epoch_minute, moment
from clinic.shared.audit import AuditRow
from clinic.shared.database import db, transaction
from clinic.therapists.models import TimeOff, WorkingHours
from tests.booking import world as w
from tests.conftest import NOW
from tests.statements import counted

pytestmark = pytest.mark.every_way_on_both

PREGNANT = {
    "status": "confirmed", "weeks": 20, "weeks_as_of": "2026-06-09", "high_risk": False, "complication": "none",
}  # fmt: skip


@pytest.fixture
def world(app: Flask) -> w.World:
    return w.build(therapists=1)


def off(
    world: w.World, start: dt.datetime, end: dt.datetime, *, kind: str = "off", now: dt.datetime = NOW
) -> int:
    return time_off.add_time_off(world.therapists[0], kind, start, end, "", by=world.desk_id, now=now)


def booked(world: w.World, when: dt.datetime) -> int:
    client = w.person()
    w.sign(client)
    visit_id = w.at_desk(world, client, "relaxation", when=when).visit_id
    assert visit_id is not None
    return visit_id


def claims(world: w.World, *, of_visits: bool = False) -> list[tuple[str, str]]:
    """The therapist's claims as local times, those of time off unless `of_visits`."""
    db.session.rollback()
    wanted = Claim.visit_id.is_not(None) if of_visits else Claim.visit_id.is_(None)
    rows = db.session.execute(
        select(Claim.starts_at, Claim.ends_at)
        .where(Claim.resource_id == world.therapists[0], wanted)
        .order_by(Claim.starts_at)
    ).all()
    zone = ZoneInfo(w.ZONE)
    return [(f"{start.astimezone(zone):%d %H:%M}", f"{end.astimezone(zone):%d %H:%M}") for start, end in rows]


def free_hours(world: w.World, days: int) -> set[int]:
    """Hours of that day at which an hour of relaxation can still start."""
    plan = catalogue.plan_for("relaxation", None, (), 60, first_visit=False)
    assert plan is not None
    day = w.TODAY + dt.timedelta(days=days)
    found = look(Ask(plan, world.place_id, day, 1, NOW, by_staff=True)).starts()
    return {moment(one.starts_at).astimezone(ZoneInfo(w.ZONE)).hour for one in found}


def test_rows_that_overlap_become_one_claim_and_each_may_go(world: w.World) -> None:
    first = off(world, w.at(3, 9), w.at(3, 12))
    second = off(world, w.at(3, 11), w.at(3, 15), kind="meeting")
    assert claims(world) == [("12 09:00", "12 15:00")]
    time_off.remove_time_off(first, world.therapists[0], by=world.desk_id, now=NOW)
    assert claims(world) == [("12 11:00", "12 15:00")]
    time_off.remove_time_off(second, world.therapists[0], by=world.desk_id, now=NOW)
    assert claims(world) == []
    assert db.session.scalars(select(TimeOff)).all() == []


def test_a_booked_visit_stays_and_becomes_work_to_do(world: w.World) -> None:
    visit = booked(world, w.at(3, 11))  # 11:00 to 12:15, turnover until 12:30
    before = claims(world, of_visits=True)
    off(world, w.at(3, 9), w.at(3, 18))
    assert claims(world, of_visits=True) == before == [("12 11:00", "12 12:30")]
    assert claims(world) == [("12 09:00", "12 11:00"), ("12 12:30", "12 18:00")]
    assert db.session.get_one(Visit, visit).status == "confirmed"
    assert [one.id for one in in_the_way.visits_under(NOW)] == [visit]
    assert [one.id for one in blocks.visits_under_time_off(world.therapists[0], NOW)] == [visit]
    at_noon = TypedSpan(w.at(3, 12), w.at(3, 13))
    assert [one.id for one in blocks.visits_in(world.therapists[0], at_noon, NOW)] == [visit]
    assert blocks.visits_in(world.therapists[0], TypedSpan(w.at(3, 12, 15), w.at(3, 13)), NOW) == []


def test_a_room_out_of_use_or_to_be_shut_names_the_visits_in_it(world: w.World) -> None:
    visit = booked(world, w.at(3, 11))
    room = db.session.get_one(Room, db.session.get_one(Visit, visit).room_id)
    until = w.at(3, 12)

    def shut_by(resource: int | None, place: int = world.place_id) -> list[int]:
        return [one.id for one in blocks.visits_shut_by(place, resource, w.at(3, 9), until, NOW)]

    assert shut_by(None) == shut_by(room.id) == [visit]
    assert shut_by(None, world.place_id + 1) == shut_by(room.id + 1000) == []
    until = w.at(3, 11)
    assert shut_by(None) == [], "it begins when the closure ends"
    for is_active, under in ((False, [visit]), (True, [])):
        room.is_active = is_active
        db.session.commit()
        assert [one.id for one in in_the_way.visits_under(NOW)] == under


def test_a_visit_cancelled_under_time_off_leaves_the_time_blocked(world: w.World) -> None:
    visit = booked(world, w.at(3, 11))
    off(world, w.at(3, 9), w.at(3, 18))
    visits.cancel_visit(visit, by=world.desk_id, by_clinic=True, now=NOW)
    assert claims(world, of_visits=True) == []
    assert free_hours(world, 3) == {18, 19}
    with pytest.raises(SlotTaken):
        booked(world, w.at(3, 11))
    assert in_the_way.visits_under(NOW) == []


def test_a_moved_visit_leaves_the_time_blocked(world: w.World) -> None:
    visit = booked(world, w.at(3, 11))
    off(world, w.at(3, 9), w.at(3, 18))
    revision = db.session.get_one(Visit, visit).revision
    visits.change_visit(visit, revision=revision, starts_at=w.at(4, 11), by=world.desk_id, now=NOW)
    assert claims(world, of_visits=True) == [("13 11:00", "13 12:30")]
    with pytest.raises(SlotTaken):
        booked(world, w.at(3, 11))


def test_a_hold_that_runs_out_under_time_off_leaves_the_time_blocked(world: w.World) -> None:
    checkout.hold_slot(None, w.choice("relaxation"), w.at(3, 11), first_visit=True, user_id=None, now=NOW)
    off(world, w.at(3, 9), w.at(3, 18))
    assert claims(world) == [("12 09:00", "12 11:00"), ("12 12:30", "12 18:00")]
    later = NOW + dt.timedelta(minutes=11)
    assert deadlines.keep_deadlines(later) == 1
    assert claims(world) != []
    assert claims(world, of_visits=True) == []
    with pytest.raises(SlotTaken):
        booked(world, w.at(3, 11))


def test_nobody_slips_into_an_expired_hold_under_time_off(world: w.World) -> None:
    """The hold ran out, the worker has not run: the next who asks finds the time off, not the gap."""
    checkout.hold_slot(None, w.choice("relaxation"), w.at(3, 11), first_visit=True, user_id=None, now=NOW)
    off(world, w.at(3, 9), w.at(3, 18))
    later = NOW + dt.timedelta(minutes=11)
    with pytest.raises(SlotTaken):
        checkout.hold_slot(
            None, w.choice("relaxation"), w.at(3, 11), first_visit=True, user_id=None, now=later
        )


def named(token: str) -> int:
    """Somebody not signed in says who they are."""
    details = Details(
        first_name="Only", last_name="Online", born_on=dt.date(1990, 1, 1), email="online@people.example",
        phone="(212) 555-2345",
    )  # fmt: skip
    return checkout.name_person(token, details, relation="self", now=NOW)


def held_under(world: w.World, *, skilled: bool = True) -> tuple[str, int]:
    """A time is kept, the therapist is off then, and only now somebody says who they are; with their checkout."""
    token = checkout.hold_slot(
        None, w.choice("relaxation"), w.at(3, 11), first_visit=True, user_id=None, now=NOW
    )
    off(world, w.at(3, 9), w.at(3, 18))
    client = named(token)
    w.sign_answers(client, {} if skilled else {"pregnancy": PREGNANT})
    return token, client


def test_a_time_that_was_kept_before_time_off_is_confirmed_whoever_it_is_for(world: w.World) -> None:
    token, client = held_under(world)
    assert checkout.confirm(token, user_id=None, now=NOW).status == "confirmed"
    assert claims(world) == [("12 09:00", "12 11:00"), ("12 12:30", "12 18:00")]
    (visit,) = blocks.visits_under_time_off(world.therapists[0], NOW)
    assert visit.client_id == client


def test_a_time_that_was_kept_before_time_off_is_lost_with_its_hold(world: w.World) -> None:
    token, _client = held_under(world)
    later = NOW + dt.timedelta(minutes=11)
    with pytest.raises(SlotTaken):
        checkout.confirm(token, user_id=None, now=later)
    assert deadlines.keep_deadlines(later) == 1
    assert claims(world) == [("12 09:00", "12 18:00")]


@pytest.mark.parametrize("what", ["the room", "the place"])
def test_what_is_used_no_more_is_not_confirmed(world: w.World, what: str) -> None:
    """Another room is taken; at a place that is used no more nothing is."""
    token = checkout.hold_slot(
        None, w.choice("relaxation"), w.at(3, 11), first_visit=True, user_id=None, now=NOW
    )
    client = named(token)
    w.sign(client)
    visit = db.session.scalars(select(Visit).where(Visit.client_id == client)).one()
    visit_id, room = visit.id, visit.room_id
    db.session.rollback()
    with transaction() as session:
        row = session.get_one(Room, room) if what == "the room" else session.get_one(Location, world.place_id)
        row.is_active = False
    if what == "the place":
        with pytest.raises(SlotTaken):
            checkout.confirm(token, user_id=None, now=NOW)
        return
    assert checkout.confirm(token, user_id=None, now=NOW).status == "confirmed"
    db.session.rollback()
    assert db.session.get_one(Visit, visit_id).room_id != room


def test_time_off_opens_a_kept_time_to_nobody_who_may_not_be_treated_by_them(app: Flask) -> None:
    token, _client = held_under(w.build(therapists=1, skills=w.SERVICE_SKILLS), skilled=False)
    with pytest.raises(SlotTaken, match="Nobody who can treat you"):
        checkout.confirm(token, user_id=None, now=NOW)


@pytest.mark.parametrize(("start", "end"), [(9, 10), (8, 19), (11, 12), (17, 19)])
def test_sql_past_all_the_code_is_refused(world: w.World, start: int, end: int) -> None:
    off(world, w.at(3, 9), w.at(3, 18))
    with pytest.raises(IntegrityError, match="ex_claim_overlap"), transaction() as session:
        session.add(Claim(resource_id=world.therapists[0], starts_at=w.at(3, start), ends_at=w.at(3, end)))


def test_touching_time_off_is_free(world: w.World) -> None:
    off(world, w.at(3, 9), w.at(3, 18))
    assert free_hours(world, 3) == {18, 19}  # from 08:00 the turnover would run into it
    booked(world, w.at(3, 18))
    assert claims(world, of_visits=True) == [("12 18:00", "12 19:30")]


def test_the_same_twice_is_once(world: w.World) -> None:
    assert off(world, w.at(3, 9), w.at(3, 18)) == off(world, w.at(3, 9), w.at(3, 18))
    deeds = list(db.session.scalars(select(AuditRow.deed).where(AuditRow.deed.like("time_off%"))))
    assert deeds == ["time_off.added"]


def test_somebody_elses_cannot_be_removed(world: w.World) -> None:
    row = off(world, w.at(3, 9), w.at(3, 18))
    with pytest.raises(NotFound):
        time_off.remove_time_off(row, world.therapists[0] + 1, by=world.desk_id, now=NOW)
    assert claims(world) == [("12 09:00", "12 18:00")]


@pytest.mark.parametrize(
    ("start", "end", "field"),
    [
        (w.at(3, 12), w.at(3, 9), "ends"),
        (w.at(3, 9), w.at(3, 9), "ends"),
        (w.at(-2, 9), w.at(-1, 9), "ends"),
        (w.at(1, 9), w.at(400, 9), "ends"),
    ],
)
def test_a_wrong_span_is_named(world: w.World, start: dt.datetime, end: dt.datetime, field: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        off(world, start, end)
    assert refused.value.field == field
    assert claims(world) == []


@pytest.mark.parametrize(("day", "hours"), [(dt.date(2026, 11, 1), 25), (dt.date(2027, 3, 14), 23)])
def test_a_whole_day_is_whole_on_the_days_the_clock_is_changed(
    world: w.World, day: dt.date, hours: int
) -> None:
    first, last = WallClock(ZoneInfo(w.ZONE)).day_bounds(day)
    off(world, moment(first), moment(last))
    row = db.session.scalars(select(Claim).where(Claim.visit_id.is_(None))).one()
    assert (row.starts_at, row.ends_at) == (moment(first), moment(last))
    assert epoch_minute(row.ends_at) - epoch_minute(row.starts_at) == hours * 60


@pytest.mark.parametrize(("hour", "minute", "is_touched"), [(22, 30, False), (23, 0, False), (23, 55, True)])
def test_on_the_eve_whose_last_hour_comes_twice_moments_decide(
    app: Flask, hour: int, minute: int, is_touched: bool
) -> None:
    """In Cairo the clock goes back from midnight to 23:00 on 29 October: an hour and a quarter from 23:00 ends at the
    second 23:15. What is shown before the day off is saved is what it leaves to do."""
    world, zone, eve = w.build(therapists=1), ZoneInfo("Africa/Cairo"), dt.date(2026, 10, 29)
    with transaction() as session:
        session.execute(update(Location).values(zone=zone.key))
        session.execute(update(OpeningHours).values(opens=dt.time(), closes=dt.time()))
        session.execute(update(WorkingHours).values(starts=dt.time(), ends=dt.time()))
    start = dt.datetime.combine(eve, dt.time(hour, minute), zone)
    made = booked(world, (start.replace(fold=1) if is_touched else start).astimezone(dt.UTC))
    day, clock, now = eve + dt.timedelta(days=1), WallClock(zone), NOW
    start_at, end_at = (moment(one) for one in clock.day_bounds(day))
    span = TypedSpan(start_at, end_at, days=(day, day))
    before = [one.id for one in blocks.visits_in(world.therapists[0], span, now)]
    db.session.rollback()
    time_off.add_time_off(world.therapists[0], "off", start_at, end_at, "", by=None, now=now, days=(day, day))
    after = [one.id for one in blocks.visits_under_time_off(world.therapists[0], now)]
    assert (before, after) == ([made] * is_touched, [made] * is_touched)


def test_called_in_sick_at_half_past_seven(world: w.World) -> None:
    """The story: two visits today, the therapist is ill from now on; both are listed, no third can be booked."""
    today = [booked(world, w.at(0, hour)) for hour in (10, 14)]
    now = NOW - dt.timedelta(minutes=90)  # 07:30
    off(world, now, w.at(1, 0), now=now)
    assert [one.id for one in in_the_way.visits_under(now)] == today
    assert free_hours(world, 0) == set()
    visits.cancel_visit(today[0], by=world.desk_id, by_clinic=True, now=now)
    assert [one.id for one in in_the_way.visits_under(now)] == today[1:]
    assert free_hours(world, 0) == set()


def test_time_off_and_bookings_at_the_same_moment(app: Flask, world: w.World) -> None:
    """Each either comes before the other: a visit stands inside the time off, or it is refused. No error, no hole."""
    clients = [w.person() for _ in range(6)]
    for client in clients:
        w.sign(client)
    starts = [w.at(3, hour) for hour in (9, 11, 13, 15, 17)]
    jobs = [*zip(clients, starts, strict=False), None, None, None]
    gate = threading.Barrier(len(jobs))

    def run(numbered: tuple[int, tuple[int, dt.datetime] | None]) -> str:
        number, job = numbered
        with app.app_context():
            gate.wait()
            try:
                if job is None:
                    off(world, w.at(3, 8 + number % 3), w.at(3, 20))
                    return "off"
                w.at_desk(world, job[0], "relaxation", when=job[1])
            except SlotTaken:
                return "taken"
            finally:
                db.session.remove()
            return "booked"

    with ThreadPoolExecutor(len(jobs)) as pool:
        results = list(pool.map(run, enumerate(jobs)))
    assert set(results) <= {"off", "taken", "booked"}
    assert results.count("off") == 3
    spans = sorted([*claims(world), *claims(world, of_visits=True)])
    assert all(one[1] <= other[0] for one, other in pairwise(spans))
    assert free_hours(world, 3) == set()


def test_a_cancellation_and_time_off_at_the_same_moment_leave_no_hole(app: Flask, world: w.World) -> None:
    for round_ in range(4):
        day = 3 + round_
        visit = booked(world, w.at(day, 11))
        assert free_hours(world, day)
        db.session.rollback()
        gate = threading.Barrier(2)

        def cancel(visit: int = visit, gate: threading.Barrier = gate) -> None:
            with app.app_context():
                gate.wait()
                visits.cancel_visit(visit, by=world.desk_id, by_clinic=True, now=NOW)
                db.session.remove()

        def add(day: int = day, gate: threading.Barrier = gate) -> None:
            with app.app_context():
                gate.wait()
                off(world, w.at(day, 8), w.at(day, 20))
                db.session.remove()

        with ThreadPoolExecutor(2) as pool:
            for done in [pool.submit(cancel), pool.submit(add)]:
                done.result()
        assert free_hours(world, day) == set()


@pytest.mark.parametrize("deed", ["close", "open"])
def test_a_room_and_a_closure_saved_at_the_same_moment_know_of_each_other(
    app: Flask, world: w.World, monkeypatch: pytest.MonkeyPatch, deed: str
) -> None:
    """The room is written first, and its transaction still open when the closure is entered, or taken back."""
    written, shut = threading.Event(), 0
    if deed == "open":
        shut = time_off.add_closure(
            world.place_id, None, w.at(3, 0), w.at(4, 0), "x", by=world.desk_id, now=NOW
        )

    def claimed(session: Session, room_id: int | None, now: dt.datetime) -> None:
        time_off.block_again(session, room_id, now)
        written.set()
        time.sleep(0.5)

    def add() -> int:
        with app.app_context():
            facts = RoomFacts(world.place_id, "New", "treatment", 1, True)
            made = premises_services.save_room(None, facts, seen="", by=None, now=NOW)
            db.session.remove()
            return made

    def close() -> None:
        with app.app_context():
            written.wait(10)
            if deed == "open":
                time_off.remove_closure(shut, by=world.desk_id, now=NOW)
            else:
                time_off.add_closure(
                    world.place_id, None, w.at(3, 0), w.at(4, 0), "x", by=world.desk_id, now=NOW
                )
            db.session.remove()

    monkeypatch.setattr(premises_services, "block_again", claimed)
    with ThreadPoolExecutor(2) as pool:
        room, _closed = (one.result() for one in (pool.submit(add), pool.submit(close)))
    claims = db.session.scalars(select(Claim.id).where(Claim.resource_id == room)).all()
    assert len(claims) == (1 if deed == "close" else 0)


def test_however_many_rooms_are_shut_it_takes_as_many_statements(world: w.World) -> None:
    """A place that is shut for a day claims every room of it."""
    rooms = [room.id for room in premises.rooms(world.place_id)]
    now = w.at(1)
    with transaction() as session:
        session.add(
            Closure(
                location_id=world.place_id,
                resource_id=None,
                starts_at=w.at(3, 0),
                ends_at=w.at(4, 0),
                reason="",
            )
        )
    sent = []
    for some in (rooms[:1], rooms):
        with counted() as statements, transaction() as session:
            claim_blocks(session, some, now)
        sent.append(len(statements))
    assert len(rooms) > 1
    assert sent == [5, 5]
    shut = select(Claim.resource_id, Claim.starts_at, Claim.ends_at).order_by(Claim.resource_id)
    assert [tuple(row) for row in db.session.execute(shut)] == [
        (room, w.at(3, 0), w.at(4, 0)) for room in sorted(rooms)
    ]
