"""Hours at two places are compared as moments, in every week of the year."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from clinic.rules.two_places import DAYS_COMPARED, Shift, days_beside, days_to_compare, first_meeting
from clinic.rules.wall_time import WallClock, WeeklyHours, dates_from, hours_on

TODAY = dt.date(2026, 6, 9)
SUNDAY = 6


def met(here: str, mine: WeeklyHours, there: str, theirs: WeeklyHours) -> dt.date | None:
    """The day there on which two rows of two weeks meet first."""
    worked = hours_on(WallClock(ZoneInfo(here)), dates_from(TODAY, DAYS_COMPARED), [mine])
    clock = WallClock(ZoneInfo(there))
    found = first_meeting(worked, [Shift("There", clock, theirs, days_to_compare(TODAY))])
    return clock.show(found.minute).date() if found else None


def row(weekday: int, starts: int, ends: int) -> WeeklyHours:
    return WeeklyHours(weekday, dt.time(starts), dt.time(ends % 24))


@pytest.mark.parametrize(
    ("here", "mine", "there", "theirs", "day"),
    [
        ("America/Los_Angeles", row(0, 15, 21), "America/New_York", row(0, 9, 17), None),
        ("America/Los_Angeles", row(0, 8, 9), "America/New_York", row(0, 9, 17), dt.date(2026, 6, 15)),
        ("America/Los_Angeles", row(0, 14, 21), "America/New_York", row(0, 9, 17), None),  # they touch
        # in the last week of October and in March only one of the two clocks has been changed
        ("Europe/Berlin", row(0, 15, 16), "America/New_York", row(0, 10, 12), dt.date(2026, 10, 26)),
        ("Europe/Berlin", row(0, 18, 19), "America/New_York", row(0, 10, 12), None),
        # a Sunday's night here is the Sunday afternoon there, and the end of the week its beginning
        ("Pacific/Auckland", row(0, 8, 10), "America/Los_Angeles", row(SUNDAY, 13, 14), dt.date(2026, 6, 14)),
        ("UTC", row(0, 0, 1), "UTC", row(SUNDAY, 20, 24), None),
        ("UTC", row(0, 0, 1), "UTC", row(SUNDAY, 20, 1), dt.date(2026, 6, 15)),
    ],
)  # fmt: skip
def test_weeks_meet_where_their_moments_do(
    here: str, mine: WeeklyHours, there: str, theirs: WeeklyHours, day: dt.date | None
) -> None:
    assert met(here, mine, there, theirs) == day


def test_the_earliest_of_several_is_found() -> None:
    clock = WallClock(ZoneInfo("UTC"))
    worked = hours_on(clock, dates_from(TODAY, 7), [row(weekday, 9, 17) for weekday in range(5)])
    shifts = [Shift("There", clock, row(weekday, 8, 10), dates_from(TODAY, 7)) for weekday in (4, 2, 3)]
    found = first_meeting(worked, shifts)
    assert found is not None
    assert (found.shift.hours.weekday, clock.show(found.minute).date()) == (2, TODAY + dt.timedelta(days=1))
    assert first_meeting(worked, []) is None


def test_the_days_beside_one_leave_it_out() -> None:
    assert days_beside(TODAY) == [dt.date(2026, 6, day) for day in (6, 7, 8, 10, 11, 12)]
