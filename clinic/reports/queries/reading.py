"""What reports read: a fixed number of statements, however many visits, therapists and places there are.

Visits are read from the table of visits, never from claims: those of the past lie in another table, or nowhere.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select

from clinic.booking.models import Visit
from clinic.premises.models import Closure, DatedOpening, Location, OpeningHours, Room
from clinic.rules.intervals import Interval, intersect
from clinic.rules.report_period import Period
from clinic.rules.visit_status import HOLDING_CLAIMS, VisitStatus
from clinic.rules.wall_time import (
    WallClock,
    WeeklyHours,
    epoch_minute,
    epoch_minute_after,
    hours_on,
    moment,
    spill_days,
)
from clinic.shared.database import db, minute_after, minute_of
from clinic.therapists.models import DatedHours, Therapist, TimeOff, WorkingHours

BOOKED = HOLDING_CLAIMS - {VisitStatus.HELD}
LOST = frozenset({VisitStatus.NO_SHOW, VisitStatus.LATE_CANCELLED})
COUNTED = BOOKED | LOST | {VisitStatus.CANCELLED}


@dataclass(frozen=True)
class Counted:
    """A visit, as far as reports look at it: from its start to the end of the time to get ready, in epoch minutes."""

    client_id: int | None
    therapist_id: int
    room_id: int
    location_id: int
    status: VisitStatus
    day: dt.date
    start: int
    free: int
    booked_at: int
    source: str

    @property
    def span(self) -> Interval:
        return self.start, self.free


@dataclass(frozen=True)
class PlaceRead:
    """One place in the period: when it is open, and when it is shut as a whole."""

    id: int
    name: str
    clock: WallClock
    bounds: Interval
    opening: list[Interval]
    shut: list[Interval]
    shut_kit: Mapping[int, list[Interval]]  # closures of one room or device


@dataclass(frozen=True)
class Read:
    """Everything about the time of a period."""

    period: Period
    is_everywhere: bool  # of all places, not of one
    places: Sequence[PlaceRead]
    therapists: Sequence[Therapist]
    rooms: Sequence[Room]
    visits: Sequence[Counted]
    hours: Mapping[tuple[int, int], list[WorkingHours]]  # (therapist, place)
    dated: Mapping[int, list[DatedHours]]
    off: Mapping[int, list[Interval]]

    @cached_property
    def visits_of(self) -> Mapping[int, list[Counted]]:
        """Therapist → their visits."""
        return _grouped(self.visits, lambda one: one.therapist_id)

    def place_of(self, location_id: int) -> PlaceRead:
        return next(one for one in self.places if one.id == location_id)


def read(period: Period, place_id: int | None) -> Read:
    """The period at one place, or at all of them. Ten statements."""
    rows = _all(select(Location).order_by(Location.id))
    rows = [row for row in rows if place_id in (None, row.id)]
    clocks = {row.id: WallClock(ZoneInfo(row.zone)) for row in rows}
    bounds = {one: _bounds(clock, period) for one, clock in clocks.items()}
    start = min((one[0] for one in bounds.values()), default=0)
    end = max((one[1] for one in bounds.values()), default=0)
    return Read(
        period=period,
        is_everywhere=place_id is None,
        places=_places(rows, clocks, bounds, period),
        therapists=_all(select(Therapist).order_by(Therapist.name, Therapist.id)),
        rooms=_all(select(Room).where(Room.location_id.in_(clocks)).order_by(Room.name, Room.id)),
        visits=_visits(bounds, start, end),
        hours=_grouped(
            _all(select(WorkingHours).where(WorkingHours.location_id.in_(clocks))),
            lambda row: (row.therapist_id, row.location_id),
        ),
        dated=_grouped(
            _all(select(DatedHours).where(_days_of(DatedHours.day, period))), lambda row: row.therapist_id
        ),
        off={
            therapist: [(epoch_minute(row.starts_at), epoch_minute_after(row.ends_at)) for row in rows]
            for therapist, rows in _grouped(
                _all(select(TimeOff).where(TimeOff.starts_at < moment(end), TimeOff.ends_at > moment(start))),
                lambda row: row.therapist_id,
            ).items()
        },
    )


def working(therapist: Therapist, place: PlaceRead, read: Read) -> list[Interval]:
    """The therapist's hours at that place, without their breaks, as long as the licence holds. Of somebody who no
    longer works here nothing is known."""
    if not therapist.is_active:
        return []
    rows = read.hours.get((therapist.id, place.id), [])
    dated: dict[dt.date, list[WeeklyHours]] = {}
    for one in read.dated.get(therapist.id, []):
        here = dated.setdefault(one.day, [])
        if one.location_id == place.id:
            here.append(WeeklyHours(one.day.weekday(), one.starts, one.ends))
    work, breaks = (
        [WeeklyHours(row.weekday, row.starts, row.ends) for row in rows if row.kind == kind]
        for kind in ("work", "break")
    )
    days = spill_days(read.period.first, read.period.days)
    hours = hours_on(
        place.clock, [day for day in days if day <= therapist.licence_expires_on], work, breaks, dated
    )
    return intersect(hours, [place.bounds])


def _bounds(clock: WallClock, period: Period) -> Interval:
    return clock.day_bounds(period.first)[0], clock.day_bounds(period.last)[1]


def _all(wanted: Any) -> Sequence[Any]:
    return db.session.scalars(wanted).all()


def _grouped(rows: Sequence[Any], key: Any) -> dict[Any, list[Any]]:
    found: dict[Any, list[Any]] = defaultdict(list)
    for row in rows:
        found[key(row)].append(row)
    return found


def _days_of(column: Any, period: Period) -> Any:
    """With the day before, whose hours may run past midnight."""
    return column.between(period.first - dt.timedelta(days=1), period.last)


def _places(
    rows: Sequence[Location], clocks: Mapping[int, WallClock], bounds: Mapping[int, Interval], period: Period
) -> list[PlaceRead]:
    weekly = _grouped(_all(select(OpeningHours)), lambda row: row.location_id)
    dated = _grouped(
        _all(select(DatedOpening).where(_days_of(DatedOpening.day, period))), lambda row: row.location_id
    )
    closures = _grouped(_all(select(Closure).order_by(Closure.starts_at)), lambda row: row.location_id)
    return [
        _place(row, clocks[row.id], bounds[row.id], period, weekly[row.id], dated[row.id], closures[row.id])
        for row in rows
    ]


def _place(
    row: Location,
    clock: WallClock,
    bounds: Interval,
    period: Period,
    weekly: Sequence[OpeningHours],
    dated: Sequence[DatedOpening],
    closures: Sequence[Closure],
) -> PlaceRead:
    of_day: dict[dt.date, list[WeeklyHours]] = defaultdict(list)
    for one in dated:
        of_day[one.day].append(WeeklyHours(one.day.weekday(), one.opens, one.closes))
    week = [WeeklyHours(one.weekday, one.opens, one.closes) for one in weekly]
    opening = hours_on(clock, spill_days(period.first, period.days), week, dated=of_day)
    shut: list[Interval] = []
    of_kit: dict[int, list[Interval]] = defaultdict(list)
    for closure in closures:
        span = epoch_minute(closure.starts_at), epoch_minute_after(closure.ends_at)
        (shut if closure.resource_id is None else of_kit[closure.resource_id]).append(span)
    return PlaceRead(row.id, row.name, clock, bounds, intersect(opening, [bounds]), shut, of_kit)


_COLUMNS = (
    Visit.client_id, Visit.therapist_id, Visit.room_id, Visit.location_id, Visit.status, Visit.day,
    minute_of(Visit.starts_at), minute_after(Visit.free_at), minute_of(Visit.created_at), Visit.source,
)  # fmt: skip


def _visits(bounds: Mapping[int, Interval], start: int, end: int) -> list[Counted]:
    """Visits that begin in the period of their place, soonest first."""
    rows = db.session.execute(
        select(*_COLUMNS)
        .where(
            Visit.location_id.in_(bounds),
            Visit.starts_at >= moment(start),
            Visit.starts_at < moment(end),
            Visit.status.in_(COUNTED),
        )
        .order_by(Visit.starts_at, Visit.id)
    )
    return [
        Counted(client, therapist, room, place, VisitStatus(status), *rest)
        for client, therapist, room, place, status, *rest in rows
        if bounds[place][0] <= rest[1] < bounds[place][1]
    ]
