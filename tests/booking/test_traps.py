"""What stands in the way of a time by a few minutes, and what is in flight at the moment when somebody confirms."""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from sqlalchemy import delete, func, select, update

from clinic.booking.models import Claim, Visit
from clinic.booking.queries.availability import Ask, look
from clinic.booking.services import checkout, deadlines, holds, time_off, visits
from clinic.catalogue.queries import plan_for
from clinic.clients.steps import Details
from clinic.premises.models import Clinic, Device, OpeningHours
from clinic.rules.availability import Start
from clinic.rules.errors import HoldExpired, SlotTaken
from clinic.rules.permissions import Role
from clinic.rules.wall_time import moment
from clinic.shared.database import db, transaction
from clinic.therapists.models import Therapist
from tests import factories
from tests.booking import world as w
from tests.conftest import NOW

pytestmark = pytest.mark.every_way_on_both

DAY = w.TODAY + dt.timedelta(days=3)
START, SECOND = w.at(3, 11), dt.timedelta(seconds=1)
LATER = NOW + dt.timedelta(minutes=11)  # a hold lasts ten


def at(hour: int, minute: int = 0) -> dt.datetime:
    return dt.datetime.combine(DAY, dt.time(hour, minute), ZoneInfo(w.ZONE)).astimezone(dt.UTC)


def free(day: dt.date = DAY) -> list[int]:
    """Free starts as minutes of the day."""
    plan = plan_for("sports", None, (), 60, first_visit=False)
    assert plan is not None
    found = look(Ask(plan, None, day, 1, NOW)).starts()
    walls = [moment(one.starts_at).astimezone(ZoneInfo(w.ZONE)) for one in found]
    db.session.rollback()
    return [wall.hour * 60 + wall.minute for wall in walls]


def between(first: int, last: int) -> list[int]:
    return list(range(first, last + 1, 15))


def test_minutes_that_stand_in_the_way(app: Flask) -> None:
    factories.make_clinic()
    place = factories.make_location(zone=w.ZONE, opens="09:00", closes="18:00")
    room = factories.make_room(place).id
    device = factories.make_device(place, device_kind="gun").id
    factories.make_service(key="sports", prices={60: 9000}, device_kinds=["gun"])
    ana = factories.make_therapist(name="Ana", skills=[], licence_expires_on=DAY)
    factories.make_hours(ana, place, starts="09:00", ends="18:00", weekdays=range(7))
    ana_id, place_id = ana.id, place.id
    desk = factories.make_user(email="d@clinic.example", roles=[Role.FRONT_DESK]).id
    assert free() == between(540, 1020)  # the turnover of the last one runs past the end of duty
    assert free(DAY + dt.timedelta(days=1)) == []  # the licence was good up to and including the day before

    # The room is shut from twelve to one: neither treatment nor turnover may touch it.
    shut = time_off.add_closure(place_id, room, at(12), at(13), "Painting", by=desk, now=NOW)
    assert free() == between(540, 645) + between(780, 1020)
    time_off.remove_closure(shut, by=desk, now=NOW)
    shut = time_off.add_closure(place_id, device, at(12), at(13), "Repair", by=desk, now=NOW)
    assert free() == between(540, 645) + between(780, 1020)
    time_off.remove_closure(shut, by=desk, now=NOW)

    # Time off that begins while they would still clean up, in two rows that overlap; one of them is taken back.
    first = time_off.add_time_off(ana_id, "off", at(15), at(15, 20), "", by=desk, now=NOW)
    time_off.add_time_off(ana_id, "meeting", at(15, 10), at(15, 30), "", by=desk, now=NOW)
    assert free() == between(540, 825) + between(930, 1020)
    time_off.remove_time_off(first, ana_id, by=desk, now=NOW)
    assert free() == between(540, 825) + between(
        930, 1020
    )  # 2 pm would still be cleaned up after at ten past three

    def switch(statement: object, expected: list[int]) -> None:
        with transaction() as session:
            session.execute(statement)  # type: ignore[call-overload]
        assert free() == expected

    late = between(930, 1020)
    switch(update(Clinic).values(turnover_may_overrun=False), between(540, 825) + late[:-1])
    switch(update(Device).where(Device.id == device).values(is_active=False), [])
    switch(update(Device).where(Device.id == device).values(is_active=True), between(540, 825) + late[:-1])
    switch(update(Therapist).where(Therapist.id == ana_id).values(is_active=False), [])


def begun(when: dt.datetime) -> str:
    """A booking up to its last step."""
    number = w.new_number()
    token = checkout.hold_slot(None, w.choice("relaxation"), when, first_visit=True, user_id=None, now=NOW)
    details = Details(
        first_name="Only", last_name=f"Online{number}", born_on=dt.date(1990, 1, 1),
        email=f"flight{number}@people.example", phone=f"(212) 555-{3000 + number % 6000}",
    )  # fmt: skip
    client_id = checkout.name_person(token, details, relation="self", now=NOW)
    w.sign_answers(client_id, {})
    return token


def book_at(world: w.World, client: int, start: dt.datetime, *, now: dt.datetime) -> object:
    """At the desk, at this moment by the desk's clock."""
    return visits.book_visit(
        w.choice("relaxation"), client, start, request_key=f"at {start} {now}", source="desk",
        by=world.desk_id, now=now, reconfirmed=True,
    ).status  # fmt: skip


def at_once(app: Flask, *deeds: Callable[[], object], at_most: int = 0) -> list[str]:
    """What becomes of each of these when they are done at one moment, all of them unless `at_most` so many: the status
    of what was made, or `told kindly`."""
    many = at_most or len(deeds)
    gate = threading.Barrier(many)

    def run(number: int, deed: Callable[[], object]) -> str:
        with app.app_context():
            if number < many:
                gate.wait()
            try:
                done = deed()
                return str(getattr(done, "status", done))
            except (SlotTaken, HoldExpired):
                return "told kindly"
            finally:
                db.session.remove()

    with ThreadPoolExecutor(many) as pool:
        return list(pool.map(run, range(len(deeds)), deeds))


def test_a_hold_that_runs_out_while_it_is_confirmed_is_given_once(app: Flask) -> None:
    world = w.build(therapists=1)
    for hour in (9, 12, 15):
        token, other = begun(w.at(3, hour)), w.person()
        w.sign(other)

        def confirm(token: str = token) -> object:
            return checkout.confirm(token, user_id=None, now=LATER).status

        def book(client: int = other, hour: int = hour) -> object:
            return book_at(world, client, w.at(3, hour), now=LATER)

        results = sorted(at_once(app, confirm, book))
        assert results == ["confirmed", "told kindly"]
        db.session.rollback()
        standing = select(Visit.status).where(Visit.starts_at == w.at(3, hour), Visit.status == "confirmed")
        assert db.session.scalars(standing).all() == ["confirmed"]


def claims_of(status: str) -> list[int]:
    """How many claims each visit with this status has."""
    db.session.rollback()
    return [
        db.session.scalar(select(func.count()).select_from(Claim).where(Claim.visit_id == one)) or 0
        for one in db.session.scalars(select(Visit.id).where(Visit.status == status))
    ]


def held_until() -> dt.datetime:
    """When the newest one ends."""
    newest = select(Visit.deadline_at).where(Visit.status == "held").order_by(Visit.id.desc()).limit(1)
    until = db.session.scalars(newest).one()
    db.session.rollback()
    assert until is not None
    return until


@pytest.mark.usefixtures("now")
@pytest.mark.parametrize(
    "meanwhile", ["the same time", "a part of it", "given up", "another day", "time off"]
)
@pytest.mark.parametrize("deed", ["confirm", "renew"])
def test_a_hold_that_ended_by_another_ones_clock_is_kept_while_it_is_taken(
    app: Flask, deed: str, meanwhile: str
) -> None:
    """The request read its clock a moment before the end, and came to work a moment after it: by somebody else's clock
    it had run out, and what they wanted of it was free."""
    world = w.build(therapists=1)
    token, other = begun(w.at(3, 11)), w.person()
    w.sign(other)
    until = held_until()
    if meanwhile == "time off":
        time_off.add_time_off(
            world.therapists[0], "off", w.at(3, 8), w.at(3, 20), "", by=world.desk_id, now=NOW
        )
    elif meanwhile == "given up":
        deadlines.keep_deadlines(until)
    else:
        when = {"the same time": w.at(3, 11), "a part of it": w.at(3, 12), "another day": w.at(4, 11)}
        book_at(world, other, when[meanwhile], now=until)
    before, is_taken = until - SECOND, meanwhile in ("the same time", "a part of it", "given up")
    if deed == "renew" and is_taken:
        with pytest.raises(HoldExpired):
            checkout.renew_hold(token, now=before)
    elif deed == "renew":
        assert checkout.renew_hold(token, now=before) > until
    if is_taken:
        with pytest.raises(HoldExpired if meanwhile == "given up" else SlotTaken):
            checkout.confirm(token, user_id=None, now=before)
    else:
        assert checkout.confirm(token, user_id=None, now=before).status == "confirmed"
    assert claims_of("confirmed") == [3] * {"another day": 2, "given up": 0}.get(meanwhile, 1)


@pytest.mark.usefixtures("now")
def test_a_programs_hold_that_ended_by_another_ones_clock_is_not_renewed(app: Flask) -> None:
    world = w.build(therapists=1)
    client, other = w.person(), w.person()
    w.sign(other)
    hold = holds.keep_time(w.choice("relaxation"), START, client_id=client, source="api", by=None, now=NOW)
    until = held_until()
    book_at(world, other, START, now=until)
    with pytest.raises(HoldExpired):
        holds.keep_longer(hold, now=until - SECOND)


def test_two_clocks_around_the_end_of_a_hold_make_one_visit(app: Flask) -> None:
    world = w.build(therapists=1)
    for hour in (9, 11, 13, 15, 17):
        token, other = begun(w.at(3, hour)), w.person()
        w.sign(other)
        until = held_until()

        def confirm(token: str = token, now: dt.datetime = until - SECOND) -> object:
            time.sleep(0.02)
            return checkout.confirm(token, user_id=None, now=now).status

        def book(client: int = other, hour: int = hour, now: dt.datetime = until) -> object:
            return book_at(world, client, w.at(3, hour), now=now)

        assert sorted(at_once(app, confirm, book)) == ["confirmed", "told kindly"]
    assert claims_of("confirmed") == [3] * 5


def test_many_holds_that_run_out_at_once_hold_nobody_up(app: Flask) -> None:
    """They are confirmed, renewed, given up by the worker, and taken by others at the same moment: each start is given
    as often as there are therapists at most, and whatever stands has all that it needs."""
    world = w.build(therapists=2)
    starts = [w.at(days, hour) for days in (3, 4) for hour in (9, 11, 13, 15)]
    tokens = [begun(start) for start in starts]
    others = [w.person() for _start in starts]
    for one in others:
        w.sign(one)
    until = held_until()
    deeds: list[Callable[[], object]] = [lambda: deadlines.keep_deadlines(until)]
    for token, other, start in zip(tokens, others, starts, strict=True):
        deeds += [
            partial(checkout.confirm, token, user_id=None, now=until - SECOND),
            partial(checkout.renew_hold, token, now=until - SECOND),
            partial(book_at, world, other, start, now=until),
        ]

    results = at_once(app, *deeds, at_most=12)
    standing = claims_of("confirmed")
    assert standing == [3] * results.count("confirmed")
    assert results.count("confirmed") >= len(starts)


def test_a_clinic_that_never_shuts_offers_the_last_hour_of_the_day_however_few_days_are_asked_for(
    app: Flask,
) -> None:
    factories.make_clinic()
    place = factories.make_location(zone=w.ZONE, opens="00:00", closes="00:00")
    db.session.execute(delete(OpeningHours))
    for weekday in range(7):
        factories.save(OpeningHours(location_id=place.id, weekday=weekday, opens=dt.time(), closes=dt.time()))
    factories.make_room(place)
    factories.make_service(key="sports", prices={60: 9000})
    ana = factories.make_therapist(name="Ana", skills=[], licence_expires_on=DAY)
    factories.make_hours(ana, place, starts="00:00", ends="00:00", weekdays=range(7))
    assert free() == between(0, 1380)  # the licence ends with this day, and so does the last treatment
    db.session.execute(update(Therapist).values(licence_expires_on=DAY + dt.timedelta(days=9)))
    db.session.commit()
    assert free() == between(0, 1425)
    assert [len(free(DAY + dt.timedelta(days=more))) for more in range(3)] == [96, 96, 96]


def test_a_time_that_has_passed_is_not_named_as_the_nearest(app: Flask) -> None:
    world = w.build(therapists=1)
    first, second = w.person(), w.person()
    for one in (first, second):
        w.sign(one)
    assert w.at_desk(world, first, "relaxation", when=w.at(0, 9, 30)).visit_id
    with pytest.raises(SlotTaken) as taken:  # it is nine: half an hour from now, as an hour and a half ago
        w.at_desk(world, second, "relaxation", when=w.at(0, 9, 30))
    db.session.rollback()
    assert [moment(one.starts_at) for one in taken.value.nearest] == [
        w.at(0, 11, more) for more in (0, 5, 10)
    ]


def starts(place: int, first: dt.date, days: int) -> list[Start]:
    """Free starts of an hour of sports, asked for all these days at once or for each by itself: the same."""
    plan = plan_for("sports", None, (), 60, first_visit=False)
    assert plan is not None
    at_once = look(Ask(plan, place, first, days, NOW)).starts()
    each = [look(Ask(plan, place, first + dt.timedelta(days=one), 1, NOW)).starts() for one in range(days)]
    db.session.rollback()
    assert at_once == [start for day in each for start in day]
    return at_once


def test_a_day_offers_the_same_whichever_days_are_asked_for_with_it(app: Flask) -> None:
    """Where the gaps of a night count, and where a therapist's day begins at another place while it is still the day
    before here."""
    factories.make_clinic(gaps="only", travel_minutes=0)
    here = factories.make_location(zone=w.ZONE, opens="00:00", closes="00:00")
    away = factories.make_location(zone="Asia/Kathmandu", opens="00:00", closes="00:00")
    room, _other = factories.make_room(here).id, factories.make_room(away)
    factories.make_service(key="sports", prices={60: 9000}, turnover_minutes=15)
    ana = factories.make_therapist(name="Ana", skills=[])
    for place in (here, away):
        factories.make_hours(ana, place, starts="22:00", ends="06:00", weekdays=range(7))
    here_id, away_id, ana_id = here.id, away.id, ana.id
    desk = factories.make_user(email="d@clinic.example", roles=[Role.FRONT_DESK]).id

    def booked(when: dt.datetime, place: int) -> None:
        client = w.person()
        w.sign(client)
        choice = w.choice("sports", minutes=60, location_id=place)
        assert visits.book_visit(
            choice, client, when, request_key=None, source="desk", by=desk, now=NOW, reconfirmed=True
        ).visit_id

    booked(
        at(22), here_id
    )  # until a quarter past eleven with its turnover, and then two hours and a quarter are free
    midnight = at(22) + dt.timedelta(hours=2)
    ends, morning = midnight + dt.timedelta(minutes=90), midnight + dt.timedelta(hours=8)
    time_off.add_time_off(ana_id, "off", ends, morning, "", by=desk, now=NOW)
    shut = ends - dt.timedelta(minutes=15)
    time_off.add_closure(here_id, room, shut, morning, "Painting", by=desk, now=NOW)
    around = [(moment(one) - midnight) // dt.timedelta(minutes=1) for one, _whom in starts(here_id, DAY, 2)]
    assert [one for one in around if abs(one) < 120] == [-45, 0]  # of each day those that waste least
    booked(at(22, 15) + dt.timedelta(days=1), here_id)
    next_night = [moment(one) - midnight for one, _whom in starts(here_id, DAY + dt.timedelta(days=1), 2)]
    assert min(one for one in next_night if one >= dt.timedelta(days=1)) == dt.timedelta(days=1, minutes=30)

    with transaction() as session:
        session.get_one(Therapist, ana_id).most_visits_a_day = 1
    third = DAY + dt.timedelta(days=3)
    booked(dt.datetime.combine(third, dt.time(1), ZoneInfo("Asia/Kathmandu")), away_id)
    days = {
        moment(one).astimezone(ZoneInfo(w.ZONE)).date()
        for one, _whom in starts(here_id, DAY + dt.timedelta(2), 3)
    }
    assert days == {third - dt.timedelta(1), third + dt.timedelta(1)}
