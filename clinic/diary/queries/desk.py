"""The desk's day: every therapist side by side. A fixed number of statements whatever the number of visits."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from clinic.booking.models import Visit
from clinic.booking.queries import next_steps, running_late, visits
from clinic.booking.queries.availability import kept_from_all
from clinic.booking.queries.the_book import Reach
from clinic.diary.queries.desk_columns import (
    USUAL_HOURS,
    Column,
    Gap,
    Read,
    ShownVisit,
    Span,
    column_of,
    held_span,
    is_on_grid,
    shown_of,
    span_of,
)
from clinic.diary.queries.desk_kit import kit_columns
from clinic.premises import queries as premises
from clinic.premises.models import Closure
from clinic.rules.intervals import Interval, intersect
from clinic.rules.visit_status import VisitStatus
from clinic.rules.wall_time import (
    WallClock,
    WeeklyHours,
    hours_on,
    moment,
    spill_days,
)
from clinic.therapists import queries as therapists
from clinic.therapists.models import Therapist

SINCE_SHOWN = (VisitStatus.ARRIVED, VisitStatus.IN_SESSION, VisitStatus.DONE)


@dataclass(frozen=True)
class DeskDay:
    """The whole day. `given_up` are visits that hold no time any more; `closures` are words for what is shut."""

    day: dt.date
    columns: tuple[Column, ...]
    given_up: tuple[ShownVisit, ...]
    not_working: tuple[str, ...]
    closures: tuple[str, ...]
    from_hour: int
    to_hour: int
    now: str

    @property
    def visits(self) -> list[ShownVisit]:
        """Every visit that holds its time, by time."""
        return sorted((one for column in self.columns for one in column.visits), key=lambda one: one.start)


def desk_day(location_id: int, day: dt.date, now: dt.datetime, *, by_kit: bool = False) -> DeskDay:
    """Working hours, breaks, blocks, closures, visits and free gaps of one local day, by therapist; or the same visits
    by the rooms and devices that they take."""
    place = premises.location(location_id)
    if place is None:
        raise LookupError(f"no location {location_id}")
    clock = WallClock(ZoneInfo(place.zone))
    bounds = clock.day_bounds(day)
    found = visits.visits_between(location_id, moment(bounds[0]), moment(bounds[1]))
    people = _people({one.therapist_id for one in found})
    ids = [one.id for one in people]
    closures = [
        one
        for one in premises.closures_from(location_id, moment(bounds[0]))
        if one.starts_at < moment(bounds[1])
    ]
    opening = _opening(location_id, clock, day, bounds)
    hours = _drawn_hours(
        clock, [*opening, *(held_span(one, bounds) for one in found if is_on_grid(one))], bounds
    )
    read = Read(
        clock=clock, day=day, now=now, opening=opening,
        bounds=_minutes_of(clock, day, hours, bounds),
        shut=[(span_of(one), one.reason) for one in closures if one.resource_id is None],
        hours=therapists.weekly_hours(ids, location_id),
        dated=therapists.dated_hours(ids, location_id, spill_days(day, 1)),
        off=therapists.time_off_between(ids, moment(bounds[0]), moment(bounds[1])),
        visits=found, steps=next_steps.next_steps(found), since=visits.standing_since(_under_way(found)),
        late=running_late.minutes_late(day), kept={} if by_kit else _kept(people, location_id, clock, bounds, now),
    )  # fmt: skip
    columns = kit_columns(location_id, closures, read) if by_kit else [column_of(one, read) for one in people]
    working = [column for column, busy in columns if busy]
    return DeskDay(
        day=day,
        columns=tuple(working),
        given_up=tuple(shown_of(one, read) for one in found if not is_on_grid(one)),
        not_working=() if by_kit else tuple(column.name for column, busy in columns if not busy),
        closures=tuple(_closure_words(closures, location_id)),
        from_hour=hours[0],
        to_hour=hours[1],
        now=_now_mark(read, hours),
    )


def _under_way(found: Sequence[Visit]) -> list[int]:
    return [one.id for one in found if one.status in SINCE_SHOWN]


def _people(with_visits: Collection[int]) -> list[Therapist]:
    """Those who can be booked, and those who were booked for that day and have left since."""
    return [one for one in therapists.all_therapists() if one.is_active or one.id in with_visits]


def _kept(
    people: Sequence[Therapist], location_id: int, clock: WallClock, bounds: Interval, now: dt.datetime
) -> dict[int, list[Interval]]:
    """When a free time is none: nothing could be booked in it."""
    travel = premises.clinic().travel_minutes if len(premises.places()) > 1 else 0
    limits = {one.id: therapists.limits_of(one) for one in people}
    return kept_from_all(limits, Reach(*bounds, now, None), clock, location_id, travel)


def _opening(location_id: int, clock: WallClock, day: dt.date, bounds: Interval) -> list[Interval]:
    rows = [WeeklyHours(row.weekday, row.opens, row.closes) for row in premises.opening_hours(location_id)]
    days = spill_days(day, 1)
    return intersect(hours_on(clock, days, rows, dated=premises.dated_opening(location_id, days)), [bounds])


def _drawn_hours(clock: WallClock, spans: Sequence[Interval], bounds: Interval) -> tuple[int, int]:
    """The hours to draw: the opening hours, widened for visits outside them."""
    if not spans:
        return USUAL_HOURS
    first, last = min(start for start, _end in spans), max(end for _start, end in spans)
    from_hour, until = clock.show(first).hour, clock.show(last)
    to_hour = 24 if last >= bounds[1] else until.hour + (until.minute > 0)
    return from_hour, max(to_hour, from_hour + 1)


def _minutes_of(clock: WallClock, day: dt.date, hours: tuple[int, int], bounds: Interval) -> Interval:
    end = bounds[1] if hours[1] == 24 else clock.minute_at(day, dt.time(hours[1]))
    return clock.minute_at(day, dt.time(hours[0])), end


def _closure_words(closures: Sequence[Closure], location_id: int) -> list[str]:
    if not closures:
        return []
    names = premises.kit_names(location_id)
    return [
        f"{names.get(one.resource_id, 'A room or device')}: {one.reason}" if one.resource_id else one.reason
        for one in closures
    ]


def _now_mark(read: Read, hours: tuple[int, int]) -> str:
    local = read.now.astimezone(read.clock.zone)
    if local.date() != read.day or not hours[0] <= local.hour < hours[1]:
        return ""
    return f"{local:%H:%M}"


def first_location() -> int | None:
    """The clinic's first place; None before it is set up."""
    facts = premises.clinic_facts()
    return facts.location_id if facts else None


__all__ = ["Column", "DeskDay", "Gap", "ShownVisit", "Span", "desk_day", "first_location"]
