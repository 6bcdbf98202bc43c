"""Nobody works at two places at once. Two places may show different clocks, so moments are compared, not what the
clocks show: a time that is free in one week may not be in another, when only one of the two clocks was changed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from clinic.rules.intervals import Interval, intersect
from clinic.rules.wall_time import WallClock, WeeklyHours, dates_from, hours_on

DAYS_COMPARED = 53 * 7
"""A year of weeks has every change of the clocks in it."""
REACH_DAYS = 3
"""Dates of two clocks lie up to 26 hours apart, and hours run on past midnight."""


class Shift(NamedTuple):
    """Hours at another place, and the dates there on which they are worked."""

    place: str
    clock: WallClock
    hours: WeeklyHours
    days: Sequence[dt.date]


class Meeting(NamedTuple):
    """The first minute that hours share with those at another place."""

    minute: int
    shift: Shift


def days_to_compare(first: dt.date) -> list[dt.date]:
    """The dates of other places on which a week worked from `first` on may meet theirs."""
    return dates_from(first - dt.timedelta(days=REACH_DAYS), DAYS_COMPARED + 2 * REACH_DAYS)


def days_beside(day: dt.date) -> list[dt.date]:
    """The other dates whose hours elsewhere may meet those of this one."""
    around = dates_from(day - dt.timedelta(days=REACH_DAYS), 2 * REACH_DAYS + 1)
    return [one for one in around if one != day]


def first_meeting(here: Sequence[Interval], elsewhere: Iterable[Shift]) -> Meeting | None:
    """The earliest time that is worked here (a tidy list) and elsewhere; None where that never is."""
    found: Meeting | None = None
    for shift in elsewhere:
        shared = intersect(here, hours_on(shift.clock, shift.days, [shift.hours]))
        if shared and (found is None or shared[0][0] < found.minute):
            found = Meeting(shared[0][0], shift)
    return found
