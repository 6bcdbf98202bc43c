"""The demo's visits around today, judged and claimed like any other, and a few blocks in the diary."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Mapping
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from clinic.accounts.models import User
from clinic.booking.models import StatusChange, Visit
from clinic.booking.queries.availability import Ask, look
from clinic.booking.services._claims import claim_best, claim_blocks, give_up
from clinic.booking.services._judging import Order, judge
from clinic.booking.services._steps import first_status, rest_on, set_plan, wait_for
from clinic.catalogue import queries as catalogue
from clinic.catalogue.queries import VisitPlan
from clinic.clients.models import Client
from clinic.demo.team import TEAM, ZONE
from clinic.premises.models import Location
from clinic.rules.errors import SlotTaken
from clinic.rules.visit_status import VisitStatus
from clinic.rules.wall_time import moment
from clinic.therapists.models import Therapist, TimeOff

DAYS_BACK, DAYS_AHEAD = 10, 11


def fill_diary(
    session: Session,
    place: Location,
    team: list[Therapist],
    people: list[Client],
    chance: random.Random,
    now: dt.datetime,
) -> None:
    """About three visits a day for each therapist who works, judged and claimed like any other."""
    today = now.astimezone(ZoneInfo(ZONE)).date()
    plans = _plans()
    for offset in range(-DAYS_BACK, DAYS_AHEAD + 1):
        day = today + dt.timedelta(days=offset)
        for one, therapist in zip(TEAM, team, strict=True):
            if day.weekday() not in one.hours or day > therapist.licence_expires_on:
                continue
            for _ in range(chance.choice((2, 3, 3, 4))):
                plan = chance.choice([plan for plan in plans if plan.skills <= set(one.skills)])
                _visit(
                    session,
                    place,
                    therapist,
                    chance.choice(people),
                    plan=plan,
                    day=day,
                    chance=chance,
                    now=now,
                )


def fill_day(
    session: Session,
    place: Location,
    therapist: Therapist,
    people: list[Client],
    *,
    day: dt.date,
    most: int,
    now: dt.datetime,
) -> None:
    """A full day for this therapist: up to so many visits that others could give as well."""
    chance = random.Random(day.toordinal())  # noqa: S311 - demo people, no secrets
    plans = [
        plan
        for plan in _plans()
        if plan.skills <= therapist.skills and not plan.device_kinds and plan.minutes <= 60
    ]
    here = select(func.count()).where(Visit.therapist_id == therapist.id, Visit.day == day)
    for client in chance.sample(people, 30):
        if (session.scalar(here) or 0) >= most:
            return
        plan = chance.choice(plans)
        _visit(session, place, therapist, client, plan=plan, day=day, chance=chance, now=now, soonest=True)


def give_visits(
    session: Session, place: Location, team: list[Therapist], client: Client, now: dt.datetime
) -> None:
    """One that is over and one to come, for whoever signs in as a client: there is something to book again, and time
    for it, whatever chance gave the others."""
    chance = random.Random(client.id)  # noqa: S311 - demo people, no secrets
    today = now.astimezone(ZoneInfo(ZONE)).date()
    plans = {one.key: one for one in reversed(_plans())}  # the plainest of each
    for plan, therapist, offsets, status in (
        (plans["swedish"], team[0], range(-DAYS_BACK, -2), VisitStatus.DONE),
        (plans["relaxation"], team[1], range(DAYS_AHEAD, DAYS_AHEAD + 7), VisitStatus.CONFIRMED),
    ):
        there = select(Visit.id).where(Visit.client_id == client.id, Visit.status == status)
        for offset in offsets:
            day = today + dt.timedelta(days=offset)
            _visit(session, place, therapist, client, plan=plan, day=day, chance=chance, now=now)
            if session.scalar(there.limit(1)):
                break


def _plans() -> list[VisitPlan]:
    wanted = (
        ("relaxation", None, (), 60), ("relaxation", None, ("hot_stone",), 60), ("swedish", None, (), 60),
        ("swedish", None, ("aromatherapy",), 90), ("deep_tissue", None, (), 60), ("sports", None, (), 45),
        ("decompression_traction", None, (), 45), ("decompression_vacuum", None, (), 45),
        ("decompression_vacuum", "interval", (), 30), ("decompression_vacuum_magnetic", None, (), 30),
    )  # fmt: skip
    plans = [
        catalogue.plan_for(key, mode, addons, minutes, first_visit=False)
        for key, mode, addons, minutes in wanted
    ]
    return [plan for plan in plans if plan is not None]


def _visit(
    session: Session,
    place: Location,
    therapist: Therapist,
    client: Client,
    *,
    plan: VisitPlan,
    day: dt.date,
    chance: random.Random,
    now: dt.datetime,
    soonest: bool = False,
) -> None:
    made_at = min(now, dt.datetime.combine(day, dt.time(12), dt.UTC) - dt.timedelta(days=6))
    ask = Ask(
        plan=plan, location_id=place.id, first_day=day, days=1, now=made_at, therapist_id=therapist.id,
        client_id=client.id, by_staff=True,
    )  # fmt: skip
    starts = [moment(start.starts_at) for start in look(ask).starts() if start.starts_at % 15 == 0]
    if not starts:
        return
    start = starts[0] if soonest else chance.choice(starts)
    visit = Visit(
        location_id=place.id, client_id=client.id, areas=_areas(plan, chance), zone=ZONE,
        starts_at=start, status=VisitStatus.CONFIRMED, first_visit=False, currency="USD",
        source=chance.choice(("online", "online", "desk")), any_therapist=chance.random() < 0.6,
        created_at=made_at, created_by_id=None, revision=1,
    )  # fmt: skip
    set_plan(visit, plan)
    order = Order(plan, tuple(visit.areas), visit.day)
    judged = judge(session, client, order, door="demo", visit_id=visit.id, by=None, now=made_at)
    if judged.refuses or judged.unsafe_addons:
        return
    if judged.permits and judged.row is not None:
        rest_on(visit, judged.row)
    elif visit.starts_at < now + dt.timedelta(days=2):
        return
    else:
        visit.status = VisitStatus.PENDING
        wait_for(session, visit, judged, now=now)
    try:
        claim_best(session, visit, ask, expires_at=None)
    except SlotTaken:
        return
    first_status(session, visit, by=None, now=made_at)
    if visit.permits:
        _live_through(session, visit, chance, now)


def _areas(plan: VisitPlan, chance: random.Random) -> list[str]:
    return [chance.choice(("upper_back", "lower_back", "shoulders"))] if plan.asks_area else ["full_body"]


def _live_through(session: Session, visit: Visit, chance: random.Random, now: dt.datetime) -> None:
    """What the clock has made of a visit by now."""
    if visit.ends_at <= now:
        steps = [VisitStatus.ARRIVED, VisitStatus.IN_SESSION, VisitStatus.DONE]
        if chance.random() < 0.06:
            steps = [VisitStatus.NO_SHOW]
    elif visit.starts_at <= now:
        steps = [VisitStatus.ARRIVED, VisitStatus.IN_SESSION]
    elif visit.starts_at <= now + dt.timedelta(minutes=15):
        steps = [VisitStatus.ARRIVED]
    else:
        return
    at = {
        VisitStatus.ARRIVED: min(visit.starts_at - dt.timedelta(minutes=5), now),
        VisitStatus.IN_SESSION: visit.starts_at,
        VisitStatus.DONE: visit.ends_at,
        VisitStatus.NO_SHOW: visit.starts_at + dt.timedelta(minutes=15),
    }
    for step in steps:
        visit.status = step
        session.add(StatusChange(visit_id=visit.id, status=step, at=at[step], by_user_id=None, reason=""))
    session.flush()
    if visit.status == VisitStatus.NO_SHOW:
        give_up(session, visit, now)


def make_blocks(session: Session, team: list[Therapist], users: Mapping[str, User], now: dt.datetime) -> None:
    """A team meeting and a laundry hour, so that other blocks are seen on the grid."""
    today = now.astimezone(ZoneInfo(ZONE)).date()
    for therapist, kind, days, hour, note in (
        (team[0], "meeting", 1, 16, "Team meeting"), (team[2], "laundry", 2, 15, "Laundry"),
        (team[4], "off", 6, 9, "Family day"),
    ):  # fmt: skip
        start = dt.datetime.combine(today + dt.timedelta(days=days), dt.time(hour), ZoneInfo(ZONE))
        length = dt.timedelta(hours=6 if kind == "off" else 1)
        session.add(
            TimeOff(
                therapist_id=therapist.id,
                kind=kind,
                starts_at=start.astimezone(dt.UTC),
                ends_at=(start + length).astimezone(dt.UTC),
                note=note,
                created_at=now,
                created_by_id=users["owner"].id,
            )
        )
    session.flush()
    claim_blocks(session, [team[0].id, team[2].id, team[4].id], now)
