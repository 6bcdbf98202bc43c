"""Coming visits outside the hours of their therapist or place: what new hours would leave behind, and what they did."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple
from zoneinfo import ZoneInfo

from clinic.booking.models import Visit
from clinic.booking.queries.blocks import coming
from clinic.premises import queries as premises
from clinic.rules.intervals import Interval, contains
from clinic.rules.wall_time import (
    WallClock,
    WeeklyHours,
    days_around,
    epoch_minute,
    epoch_minute_after,
    hours_on,
)
from clinic.therapists import queries as therapists

Dated = Mapping[dt.date, Sequence[WeeklyHours]]
"""Dates with hours of their own, which no week changes."""


class Week(NamedTuple):
    """What is worked at a place."""

    hours: list[WeeklyHours]
    breaks: list[WeeklyHours]


class WorkedHours:
    """The hours of a week and of dates with hours of their own, worked out once for each day that is asked about."""

    def __init__(self, week: Week, dated: Dated) -> None:
        self.week, self.dated = week, dated
        self._around: dict[tuple[str, dt.date], list[Interval]] = {}

    def hold(self, visit: Visit) -> bool:
        """Whether the visit lies in them as a whole."""
        key = visit.zone, visit.day
        if key not in self._around:
            clock = WallClock(ZoneInfo(visit.zone))
            self._around[key] = hours_on(clock, _days(visit), *self.week, self.dated)
        return contains(self._around[key], (epoch_minute(visit.starts_at), epoch_minute_after(visit.ends_at)))


def left_outside(therapist_id: int, location_id: int, new: Week, now: dt.datetime) -> list[Visit]:
    """The therapist's coming visits at a place that lie in the hours of today and would not in the new ones, soonest
    first."""
    ahead = coming(now, Visit.therapist_id == therapist_id, Visit.location_id == location_id)
    if not ahead:
        return []
    dated = _dated([therapist_id], location_id, ahead)[therapist_id]
    old, then = (
        WorkedHours(week, dated) for week in (_weeks([therapist_id], location_id)[therapist_id], new)
    )
    return [one for one in ahead if old.hold(one) and not then.hold(one)]


def left_shut(
    location_id: int,
    now: dt.datetime,
    *,
    weekly: list[WeeklyHours] | None = None,
    day: tuple[dt.date, list[WeeklyHours]] | None = None,
) -> list[Visit]:
    """The coming visits that lie in the opening hours of a place and would not with another week, or with other hours
    on a date, soonest first."""
    ahead = coming(now, Visit.location_id == location_id)
    if not ahead:
        return []
    old = _opening(location_id, ahead)
    new = old.week if weekly is None else Week(weekly, [])
    then = WorkedHours(new, {**old.dated, **dict([day] if day else [])})
    return [one for one in ahead if old.hold(one) and not then.hold(one)]


def left_behind(ahead: Sequence[Visit]) -> list[Visit]:
    """Those of these coming visits that no longer lie in the hours of their therapist and of their place, in the same
    order."""
    behind: set[int] = set()
    for place in sorted({one.location_id for one in ahead}):
        here = [one for one in ahead if one.location_id == place]
        ids = {one.therapist_id for one in here}
        dated, opening = _dated(ids, place, here), _opening(place, here)
        theirs = {one: WorkedHours(week, dated[one]) for one, week in _weeks(ids, place).items()}
        behind |= {one.id for one in here if not (theirs[one.therapist_id].hold(one) and opening.hold(one))}
    return [one for one in ahead if one.id in behind]


def _weeks(ids: Collection[int], location_id: int) -> dict[int, Week]:
    weeks = {one: Week([], []) for one in ids}
    for row in therapists.weekly_hours(ids, location_id):
        week = weeks[row.therapist_id]
        kind = week.hours if row.kind == "work" else week.breaks
        kind.append(WeeklyHours(row.weekday, row.starts, row.ends))
    return weeks


def _dated(ids: Collection[int], location_id: int, ahead: Sequence[Visit]) -> Mapping[int, Dated]:
    return therapists.dated_hours(ids, location_id, _all_days(ahead))


def _opening(location_id: int, ahead: Sequence[Visit]) -> WorkedHours:
    """When the place is open: in its week, and on dates with hours of their own."""
    dated = premises.dated_opening(location_id, _all_days(ahead))
    return WorkedHours(Week(premises.week_of(location_id), []), dated)


def _all_days(ahead: Sequence[Visit]) -> list[dt.date]:
    return sorted({day for one in ahead for day in _days(one)})


def _days(visit: Visit) -> list[dt.date]:
    """Its day, the eve, whose hours may run on into it, and the day after, into which it may run on itself."""
    return days_around(visit.day, 1)
