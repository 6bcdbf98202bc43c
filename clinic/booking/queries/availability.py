"""What the book says around a window, read once; rules/availability.py then says what is free.

One indexed read each of: therapists, their hours, opening hours, rooms, devices, claims. The number of statements
does not grow with therapists, days or history.
"""

from __future__ import annotations

import datetime as dt
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
from clinic.premises.models import Device, Room
from clinic.rules import availability as rule
from clinic.rules.booking_policy import BookingSettings, earliest_start, latest_start
from clinic.rules.intervals import Interval, intersect
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
from clinic.shared.database import db
from clinic.therapists import queries as therapists

STAFF_STEP_MINUTES = 5


@dataclass(frozen=True)
class Ask:
    """Who wants what, when. `by_staff`: no lead time or horizon, starts every five minutes.

    `instead_of`: a visit that is being moved, whose own claims do not stand in its way. `rested_areas`: a client's
    own wish for these areas, for which starts that leave the body too little rest are left out; None minds no rest.
    """

    plan: VisitPlan
    location_id: int
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
    leaning: rule.Leaning
    rest: Rest | None = None

    def starts(self) -> list[rule.Start]:
        """Free starts in the window, earliest first, without those that leave too little rest."""
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
        return list(rule.combinations_for(minute, self.wanted, self.eligible, self.book, self.leaning))


def look(ask: Ask) -> Open:
    """Read the book for this wish."""
    place = premises.location(ask.location_id)
    if place is None:
        raise LookupError(f"no location {ask.location_id}")
    settings = premises.booking_settings()
    clock = WallClock(ZoneInfo(place.zone))
    days = dates_from(ask.first_day, ask.days)
    duty = _duty(ask, clock)
    rooms = _rooms(ask)
    groups = _device_groups(ask)
    everything = [*duty, *rooms, *(device for group in groups for device in group)]
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
        opening=_opening(ask.location_id, clock, ask),
        busy=busy,
        client_busy=busy.get(ask.client_id, []) if ask.client_id else [],
    )
    step = STAFF_STEP_MINUTES if ask.by_staff else settings.slot_step_minutes
    leaning = rule.Leaning(
        usage={one: sum(end - start for start, end in busy.get(one, ())) for one in everything}
    )
    return Open(
        zone=place.zone,
        wanted=wanted,
        eligible=rule.Eligible(list(duty), rooms, groups),
        book=book,
        grid=grid_over(clock, days, step),
        leaning=leaning,
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


def _duty(ask: Ask, clock: WallClock) -> dict[int, list[Interval]]:
    """Working hours less breaks of everybody who may give this, on days on which the licence is good."""
    skills = ask.plan.skills | (intake.skills_needed(ask.client_id) if ask.client_id else frozenset())
    people = therapists.eligible(skills, ask.plan.licence_kind)
    apart = therapists.never_together(*clients.who_it_may_be(ask.client_id)) if ask.client_id else set()
    wanted = [one for one in people if ask.therapist_id in (None, one.id) and one.id not in apart]
    rows = therapists.weekly_hours([one.id for one in wanted], ask.location_id)
    days = spill_days(ask.first_day, ask.days)
    duty: dict[int, list[Interval]] = {}
    for one in wanted:
        mine = [row for row in rows if row.therapist_id == one.id]
        work = [WeeklyHours(row.weekday, row.starts, row.ends) for row in mine if row.kind == "work"]
        breaks = [WeeklyHours(row.weekday, row.starts, row.ends) for row in mine if row.kind == "break"]
        hours = hours_on(clock, days, work, breaks)
        licence_ends = clock.day_bounds(one.licence_expires_on)[1]
        duty[one.id] = intersect(hours, [(hours[0][0], licence_ends)]) if hours else []
    return duty


def _opening(location_id: int, clock: WallClock, ask: Ask) -> list[Interval]:
    rows = [WeeklyHours(row.weekday, row.opens, row.closes) for row in premises.opening_hours(location_id)]
    return hours_on(clock, spill_days(ask.first_day, ask.days), rows)


def _rooms(ask: Ask) -> list[int]:
    return list(
        db.session.scalars(
            select(Room.id)
            .where(Room.location_id == ask.location_id, Room.is_active, Room.room_kind == ask.plan.room_kind)
            .order_by(Room.id)
        )
    )


def _device_groups(ask: Ask) -> list[list[int]]:
    kinds = ask.plan.device_kinds
    if not kinds:
        return []
    rows = db.session.execute(
        select(Device.device_kind, Device.id)
        .where(Device.location_id == ask.location_id, Device.is_active, Device.device_kind.in_(kinds))
        .order_by(Device.id)
    ).all()
    return [[device for found, device in rows if found == kind] for kind in kinds]


def _busy(resources: Iterable[int], window: Interval, ask: Ask) -> dict[int, list[Interval]]:
    """Claims that reach into the window or the hours after it (turnover may run on past midnight)."""
    until = moment(window[1]) + dt.timedelta(days=1)
    wanted = (
        select(Claim.resource_id, Claim.starts_at, Claim.ends_at)
        .where(
            Claim.resource_id.in_(list(resources)),
            Claim.ends_at > moment(window[0]),
            Claim.starts_at < until,
            or_(Claim.expires_at.is_(None), Claim.expires_at > ask.now),
        )
        .order_by(Claim.resource_id, Claim.starts_at)
    )
    if ask.instead_of is not None:
        wanted = wanted.where(or_(Claim.visit_id.is_(None), Claim.visit_id != ask.instead_of))
    busy: dict[int, list[Interval]] = {}
    for resource, starts_at, ends_at in db.session.execute(wanted):
        busy.setdefault(resource, []).append((epoch_minute(starts_at), epoch_minute_after(ends_at)))
    return busy
