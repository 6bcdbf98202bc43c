"""Coming visits outside the hours of their therapist or place: what new hours would leave behind, and what they did."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple
from zoneinfo import ZoneInfo

from clinic.booking.models import Visit
from clinic.booking.queries.blocks import coming
from clinic.premises import queries as premises
from clinic.rules.intervals import contains
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


def left_outside(therapist_id: int, location_id: int, new: Week, now: dt.datetime) -> list[Visit]:
    """The therapist's coming visits at a place that lie in the hours of today and would not in the new ones, soonest
    first."""
    ahead = coming(now, Visit.therapist_id == therapist_id, Visit.location_id == location_id)
    if not ahead:
        return []
    old = _weeks([therapist_id], location_id)[therapist_id]
    dated = _dated([therapist_id], location_id, ahead)[therapist_id]
    return [one for one in ahead if _lies(one, old, dated) and not _lies(one, new, dated)]


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
    old, dated = _opening(location_id, ahead)
    new, then = old if weekly is None else Week(weekly, []), {**dated, **dict([day] if day else [])}
    return [one for one in ahead if _lies(one, old, dated) and not _lies(one, new, then)]


def left_behind(ahead: Sequence[Visit]) -> list[Visit]:
    """Those of these coming visits that no longer lie in the hours of their therapist and of their place, in the same
    order."""
    behind: set[int] = set()
    for place in sorted({one.location_id for one in ahead}):
        here = [one for one in ahead if one.location_id == place]
        ids = {one.therapist_id for one in here}
        weeks, dated, opening = _weeks(ids, place), _dated(ids, place, here), _opening(place, here)
        behind |= {
            one.id
            for one in here
            if not (_lies(one, weeks[one.therapist_id], dated[one.therapist_id]) and _lies(one, *opening))
        }
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


def _opening(location_id: int, ahead: Sequence[Visit]) -> tuple[Week, Dated]:
    """When the place is open: in its week, and on dates with hours of their own."""
    dated = premises.dated_opening(location_id, _all_days(ahead))
    return Week(premises.week_of(location_id), []), dated


def _all_days(ahead: Sequence[Visit]) -> list[dt.date]:
    return sorted({day for one in ahead for day in _days(one)})


def _days(visit: Visit) -> list[dt.date]:
    """Its day, the eve, whose hours may run on into it, and the day after, into which it may run on itself."""
    return days_around(visit.day, 1)


def _lies(visit: Visit, week: Week, dated: Dated) -> bool:
    worked = hours_on(WallClock(ZoneInfo(visit.zone)), _days(visit), *week, dated)
    return contains(worked, (epoch_minute(visit.starts_at), epoch_minute_after(visit.ends_at)))
