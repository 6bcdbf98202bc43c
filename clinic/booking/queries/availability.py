"""What the book says around a window, read once; rules/availability.py then says what is free.

One indexed read each of: therapists, their hours, opening hours, rooms, devices, claims. The number of statements
does not grow with therapists, days or history.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from zoneinfo import ZoneInfo

from sqlalchemy import or_, select

from clinic.booking.models import Claim
from clinic.booking.queries.rest import Rest, rest_around
from clinic.catalogue.queries import VisitPlan
from clinic.clients import queries as clients
from clinic.intake import queries as intake
from clinic.premises import queries as premises
from clinic.rules import availability as rule
from clinic.rules.booking_policy import BookingSettings, earliest_start, latest_start
from clinic.rules.intervals import Interval, until
from clinic.rules.wall_time import (
    WallClock,
    WeeklyHours,
    dates_from,
    epoch_minute,
    epoch_minute_after,
    grid_over,
    hours_on,
    moment,
    spill_days,
)
from clinic.shared.database import db, minute_after, minute_of
from clinic.therapists import queries as therapists

STAFF_STEP_MINUTES = 5


@dataclass(frozen=True)
class Ask:
    """Who wants what, when. `by_staff`: no lead time or horizon, starts every five minutes.

    `instead_of`: a visit that is being moved, whose own claims do not stand in its way. `rested_areas`: a client's
    own wish for these areas, for which starts that leave the body too little rest are left out; None minds no rest.
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


@dataclass(frozen=True)
class Open:
    """What was read: enough to list the free starts, and to pick who and what for one of them."""

    zone: str
    wanted: rule.Wanted
    eligible: rule.Eligible
    book: rule.Book
    grid: list[int]
    rest: Rest | None = None

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
        return rule.bookable_starts(self.grid, self.wanted, self.eligible, self.book)

    def ways(self, starts_at: dt.datetime) -> list[rule.Combination]:
        """Therapist, room and devices for this start, best first; empty when it is not free."""
        minute = epoch_minute(starts_at)
        if moment(minute) != starts_at or minute not in self.grid:
            return []
        usage = {one: sum(end - start for start, end in spans) for one, spans in self.book.busy.items()}
        leaning = rule.Leaning(usage=usage)
        return list(rule.combinations_for(minute, self.wanted, self.eligible, self.book, leaning))


def look(ask: Ask) -> Open:
    """Read the book for this wish. Raises LookupError for an unknown place."""
    place = premises.rules_of_place(ask.location_id)
    settings, clock = place.settings, WallClock(ZoneInfo(place.zone))
    days = dates_from(ask.first_day, ask.days)
    duty = _duty(ask, clock, place.id)
    kit = premises.kit_of(place.id, ask.plan.room_kind, ask.plan.device_kinds)
    groups = list(kit.devices.values())
    everything = [*duty, *kit.rooms, *(device for group in groups for device in group)]
    window = clock.day_bounds(days[0])[0], clock.day_bounds(days[-1])[1]
    busy = _busy([*everything, *([ask.client_id] if ask.client_id else [])], window, ask)
    first, last = _bounds(ask, settings, clock.zone, window)
    wanted = rule.Wanted(
        minutes=ask.plan.total_minutes,
        turnover_minutes=ask.plan.turnover_minutes,
        not_before=first,
        not_after=last,
        turnover_may_overrun=settings.turnover_may_overrun,
    )
    book = rule.Book(
        duty=duty,
        opening=_opening(place.id, clock, ask),
        busy=busy,
        client_busy=busy.get(ask.client_id, []) if ask.client_id else [],
    )
    step = STAFF_STEP_MINUTES if ask.by_staff else settings.slot_step_minutes
    return Open(
        zone=place.zone,
        wanted=wanted,
        eligible=rule.Eligible(list(duty), kit.rooms, groups),
        book=book,
        grid=grid_over(clock, days, step),
        rest=_rest(ask, place.zone, window[0]),
    )


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
    hours = _Hours(clock, days)
    return {
        one.id: until(hours.of(one.work, one.breaks), clock.day_bounds(one.licence_expires_on)[1])
        for one in people
        if one.id not in apart
    }


class _Hours:
    """Hours on these days; many therapists keep the same week, which is then worked out once."""

    def __init__(self, clock: WallClock, days: list[dt.date]) -> None:
        self.clock, self.days = clock, days
        self._known: dict[tuple[tuple[WeeklyHours, ...], tuple[WeeklyHours, ...]], list[Interval]] = {}

    def of(self, work: tuple[WeeklyHours, ...], breaks: tuple[WeeklyHours, ...]) -> list[Interval]:
        if (work, breaks) not in self._known:
            self._known[work, breaks] = hours_on(self.clock, self.days, work, breaks)
        return self._known[work, breaks]


def _opening(location_id: int, clock: WallClock, ask: Ask) -> list[Interval]:
    rows = [WeeklyHours(row.weekday, row.opens, row.closes) for row in premises.opening_hours(location_id)]
    return hours_on(clock, spill_days(ask.first_day, ask.days), rows)


def _busy(resources: Iterable[int], window: Interval, ask: Ask) -> dict[int, list[Interval]]:
    """Claims that reach into the window or the hours after it (turnover may run on past midnight)."""
    latest = moment(window[1]) + dt.timedelta(days=1)
    claim = Claim.__table__.c  # plain columns: thousands of rows, and none becomes an object
    wanted = (
        select(claim.resource_id, minute_of(claim.starts_at), minute_after(claim.ends_at))
        .where(
            claim.resource_id.in_(list(resources)),
            claim.ends_at > moment(window[0]),
            claim.starts_at < latest,
            or_(claim.expires_at.is_(None), claim.expires_at > ask.now),
        )
        .order_by(claim.resource_id, claim.ends_at)  # claims of one resource never overlap
    )
    if ask.instead_of is not None:
        wanted = wanted.where(or_(claim.visit_id.is_(None), claim.visit_id != ask.instead_of))
    busy: dict[int, list[Interval]] = defaultdict(list)
    for resource, starts, ends in db.session.execute(wanted).all():
        busy[resource].append((starts, ends))
    return busy
