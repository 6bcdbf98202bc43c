"""Somebody's hours at each place of the clinic, and at which of them they are on a day."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from clinic.rules.intervals import Interval
from clinic.rules.wall_time import WallClock, WeeklyHours, hours_on


class HoursAt(NamedTuple):
    """Hours at one place: weekly ones, the breaks in them, and those of single dates (none on a date that is worked at
    another place)."""

    work: Sequence[WeeklyHours] = ()
    breaks: Sequence[WeeklyHours] = ()
    dated: Mapping[dt.date, Sequence[WeeklyHours]] = {}

    def on(self, day: dt.date) -> Sequence[WeeklyHours]:
        """The hours that start on this day, breaks not taken out."""
        if day in self.dated:
            return self.dated[day]
        return [one for one in self.work if one.weekday == day.weekday()]

    def worked(self, clock: WallClock, days: Iterable[dt.date], *, with_breaks: bool) -> list[Interval]:
        """Hours on these local dates in epoch minutes; `with_breaks`: as if none were taken."""
        return hours_on(clock, days, self.work, () if with_breaks else self.breaks, self.dated)


def place_on(day: dt.date, places: Mapping[int, HoursAt]) -> int | None:
    """The place where somebody's work starts first on that day; where they do not work, the one with the most hours in
    a week; None for whoever has no hours at all."""
    starts = [(row.starts, place) for place, hours in places.items() for row in hours.on(day)]
    if starts:
        return min(starts)[1]
    in_a_week = [(-_minutes(hours.work), place) for place, hours in places.items() if hours.work]
    return min(in_a_week)[1] if in_a_week else None


def _minutes(rows: Iterable[WeeklyHours]) -> int:
    return sum((_minute(one.ends) - _minute(one.starts)) % (24 * 60) or 24 * 60 for one in rows)


def _minute(wall: dt.time) -> int:
    return wall.hour * 60 + wall.minute
