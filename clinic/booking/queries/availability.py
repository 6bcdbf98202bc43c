"""What the book says around a window, read once; rules/availability.py then says what is free.

One indexed read each of: the place with its opening hours, therapists with theirs, rooms and devices, claims. The
number of statements does not grow with therapists, days or history.
"""

from __future__ import annotations

import datetime as dt
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from zoneinfo import ZoneInfo

from sqlalchemy import String, bindparam, cast, or_, select

from clinic.booking.models import Claim, Visit
from clinic.booking.queries import visits
from clinic.booking.queries.rest import Rest, rest_around
from clinic.catalogue.queries import VisitPlan
from clinic.clients import queries as clients
from clinic.intake import queries as intake
from clinic.premises import queries as premises
from clinic.premises.queries import OpenPlace, hours_of
from clinic.rules import availability as rule
from clinic.rules.booking_policy import BookingSettings, earliest_start, latest_start
from clinic.rules.intervals import Interval, until
from clinic.rules.wall_time import (
    WallClock,
    dates_from,
    epoch_minute,
    epoch_minute_after,
    grid_over,
    hours_on,
    local_day,
    moment,
    spill_days,
)
from clinic.shared.database import db, minute_after, minute_of
from clinic.shared.statements import among, joined, taken_apart
from clinic.therapists import queries as therapists

STAFF_STEP_MINUTES = 5


@dataclass(frozen=True)
class Ask:
    """Who wants what, when. `by_staff`: no lead time or horizon, starts every five minutes.

    `instead_of`: a visit that is being moved, whose own claims do not stand in its way. `rested_areas`: a client's
    own wish for these areas, for which starts that leave the body too little rest are left out; None minds no rest.
    `by_history`: each start is planned as the person's first visit, or not, by their visits before it; else the plan
    holds for all starts.
    """

    plan: VisitPlan
    location_id: int | None  # None: the clinic's first place
    first_day: dt.date
    days: int
    now: dt.datetime
    therapist_id: int | None = None
    client_id: int | None = None
    by_staff: bool = False
    instead_of: int | None = None
    rested_areas: tuple[str, ...] | None = None
    by_history: bool = False


@dataclass(frozen=True)
class Part:
    """Candidate starts in a row that are planned alike. A first visit takes longer: where it is booked already, the
    starts up to it and those after it are two parts."""

    grid: list[int]
    wanted: rule.Wanted


@dataclass(frozen=True)
class Open:
    """What was read: enough to list the free starts, and to pick who and what for one of them."""

    ask: Ask
    clock: WallClock
    parts: tuple[Part, ...]
    eligible: rule.Eligible
    book: rule.Book
    rest: Rest | None = None

    @property
    def zone(self) -> str:
        return self.clock.zone.key

    def starts(self) -> list[rule.Start]:
        """Free starts in the window, earliest first, without those that leave too little rest."""
        if self.rest is None:
            return self._free
        return [one for one in self._free if not self.is_too_soon(one.starts_at)]

    def left_out(self) -> list[Interval]:
        """Where free starts are left out for the rest between visits: from the first of them until it is fine again."""
        spans: list[Interval] = []
        for minute in (one.starts_at for one in self._free):
            if self.rest is not None and self.is_too_soon(minute) and (not spans or minute >= spans[-1][1]):
                spans.append((minute, self.rest.fine_from(minute)))
        return spans

    def is_too_soon(self, minute: int) -> bool:
        """Whether a start leaves the person too little rest; never where rest is not minded."""
        return self.rest is not None and self.rest.is_short(minute)

    @cached_property
    def _free(self) -> list[rule.Start]:
        return [
            start
            for part in self.parts
            for start in rule.bookable_starts(part.grid, part.wanted, self.eligible, self.book)
        ]

    def ways(self, starts_at: dt.datetime) -> list[rule.Combination]:
        """Therapist, room and devices for this start, best first; empty when it is not free."""
        minute = epoch_minute(starts_at)
        part = next((one for one in self.parts if minute in one.grid), None)
        if part is None or moment(minute) != starts_at:
            return []
        leaning = _leaning(self.ask, self.eligible, self.clock, minute)
        return list(rule.combinations_for(minute, part.wanted, self.eligible, self.book, leaning))


def look(ask: Ask) -> Open:
    """Read the book for this wish. Raises LookupError for an unknown place."""
    place = premises.open_place(ask.location_id)
    settings, clock = place.settings, WallClock(ZoneInfo(place.zone))
    days = dates_from(ask.first_day, ask.days)
    duty = _duty(ask, clock, place.id)
    kit = premises.kit_of(place.id, ask.plan.room_kind, ask.plan.device_kinds)
    eligible = rule.Eligible(list(duty), kit.rooms, list(kit.devices.values()))
    window = clock.day_bounds(days[0])[0], clock.day_bounds(days[-1])[1]
    busy = _busy([*eligible.everything, *([ask.client_id] if ask.client_id else [])], window, ask)
    book = rule.Book(
        duty=duty,
        opening=_opening(place, clock, ask),
        busy=busy,
        client_busy=busy.get(ask.client_id, []) if ask.client_id else [],
    )
    step = STAFF_STEP_MINUTES if ask.by_staff else settings.slot_step_minutes
    return Open(
        ask=ask,
        clock=clock,
        parts=_parts(ask, settings, clock.zone, window, grid_over(clock, days, step)),
        eligible=eligible,
        book=book,
        rest=_rest(ask, place.zone, window[0]),
    )


def _parts(
    ask: Ask, settings: BookingSettings, zone: ZoneInfo, window: Interval, grid: list[int]
) -> tuple[Part, ...]:
    first, last = _bounds(ask, settings, zone, window)

    def part(grid: list[int], plan: VisitPlan) -> Part:
        wanted = rule.Wanted(
            minutes=plan.total_minutes,
            turnover_minutes=plan.turnover_minutes,
            not_before=first,
            not_after=last,
            turnover_may_overrun=settings.turnover_may_overrun,
        )
        return Part(grid, wanted)

    if ask.client_id is None or not ask.by_history or not ask.plan.first_visit_minutes:
        return (part(grid, ask.plan),)
    first_visit = visits.first_visit_at(ask.client_id, besides=ask.instead_of)
    split = len(grid) if first_visit is None else bisect_right(grid, epoch_minute(first_visit))
    return part(grid[:split], ask.plan.as_first(True)), part(grid[split:], ask.plan.as_first(False))


def _rest(ask: Ask, zone: str, first: int) -> Rest | None:
    if ask.rested_areas is None or ask.client_id is None:
        return None
    return rest_around(
        ask.client_id, ask.plan, ask.rested_areas, since=moment(first), zone=zone, besides=ask.instead_of
    )


def _bounds(ask: Ask, settings: BookingSettings, zone: ZoneInfo, window: Interval) -> Interval:
    """The first and last permitted start: lead time and horizon for clients, the window for staff."""
    if ask.by_staff:
        return window[0], window[1] - 1
    first = epoch_minute_after(earliest_start(ask.now, settings))
    last = epoch_minute(latest_start(ask.now, zone, settings))
    return max(window[0], first), min(window[1] - 1, last)


def _duty(ask: Ask, clock: WallClock, place_id: int) -> dict[int, list[Interval]]:
    """Working hours less breaks of everybody who may give this, on days on which the licence is good."""
    skills = ask.plan.skills | (intake.skills_needed(ask.client_id) if ask.client_id else frozenset())
    people = therapists.on_duty(skills, ask.plan.licence_kind, place_id, ask.therapist_id)
    apart = therapists.never_together(*clients.who_it_may_be(ask.client_id)) if ask.client_id else set()
    days = spill_days(ask.first_day, ask.days)
    worked_out: dict[tuple[str, str | None], list[Interval]] = {}  # many keep the same week
    duty = {}
    for one in people:
        if one.id in apart:
            continue
        week = one.work, one.breaks
        if week not in worked_out:
            worked_out[week] = hours_on(clock, days, hours_of(one.work), hours_of(one.breaks))
        duty[one.id] = until(worked_out[week], clock.day_bounds(one.licence_expires_on)[1])
    return duty


def _opening(place: OpenPlace, clock: WallClock, ask: Ask) -> list[Interval]:
    return hours_on(clock, spill_days(ask.first_day, ask.days), place.weekly)


_CLAIM, _VISIT = Claim.__table__.c, Visit.__table__.c
_STANDING = (
    among(_CLAIM.resource_id, "resources"),
    _CLAIM.ends_at > bindparam("since"),
    _CLAIM.starts_at < bindparam("until"),
    or_(_CLAIM.expires_at.is_(None), _CLAIM.expires_at > bindparam("now")),
    or_(_CLAIM.visit_id.is_(None), _CLAIM.visit_id != bindparam("besides")),
)
_STARTS, _ENDS = minute_of(_CLAIM.starts_at), minute_after(_CLAIM.ends_at)
_BUSY = (
    select(_CLAIM.resource_id, joined(cast(_STARTS, String)), joined(cast(_ENDS, String)))
    .where(*_STANDING)
    .group_by(_CLAIM.resource_id)
)
_OF_THE_DAY = (
    select(_CLAIM.resource_id, _VISIT.room_id, _STARTS, _ENDS)
    .join(Visit.__table__, _VISIT.id == _CLAIM.visit_id)
    .where(*_STANDING)
    .order_by(_CLAIM.starts_at)
)


def _span(resources: Iterable[int], since: int, before: dt.datetime, ask: Ask) -> dict[str, object]:
    return {
        "resources": list(resources), "since": moment(since), "until": before, "now": ask.now,
        "besides": ask.instead_of or 0,
    }  # fmt: skip


def _busy(resources: Iterable[int], window: Interval, ask: Ask) -> dict[int, list[Interval]]:
    """Claims that reach into the window or the hours after it (turnover may run on past midnight)."""
    given = _span(resources, window[0], moment(window[1]) + dt.timedelta(days=1), ask)
    return {
        resource: list(zip(map(int, taken_apart(starts)), map(int, taken_apart(ends)), strict=True))
        for resource, starts, ends in db.session.execute(_BUSY, given)
    }


def _leaning(ask: Ask, eligible: rule.Eligible, clock: WallClock, minute: int) -> rule.Leaning:
    """What the visits of the day of this start make of everybody and everything: how long used, and where last."""
    since, end = clock.day_bounds(local_day(moment(minute), clock.zone))
    usage: dict[int, int] = defaultdict(int)
    last_room: dict[int, int] = {}
    people = set(eligible.therapists)
    given = _span(eligible.everything, since, moment(end), ask)
    for resource, room, starts, ends in db.session.execute(_OF_THE_DAY, given):
        usage[resource] += min(ends, end) - max(starts, since)
        if resource in people and starts < minute:
            last_room[resource] = room  # the rows come by time: the last before this start stays
    return rule.Leaning(usage, last_room)
