"""Which visits lie outside the hours of their therapist: by the rule that offers times."""

from __future__ import annotations

import datetime as dt

import pytest

from clinic.booking.models import Visit
from clinic.booking.queries.outside import Week, _lies
from clinic.rules.wall_time import WeeklyHours

MONDAY = dt.date(2026, 6, 8)


def hours(weekday: int, starts: str, ends: str) -> WeeklyHours:
    return WeeklyHours(weekday, dt.time.fromisoformat(starts), dt.time.fromisoformat(ends))


@pytest.mark.parametrize(
    ("weekday", "starts", "minutes", "lies"),
    [
        (0, "09:00", 180, True),
        (0, "11:30", 60, False),  # into the break
        (0, "11:00", 60, True),
        (0, "13:00", 240, True),  # over the seam of two rows
        (0, "16:30", 60, False),
        (1, "10:00", 60, False),
        (6, "23:30", 60, True),
        (0, "00:30", 90, True),  # the rest of the Sunday's night
        (0, "01:30", 60, False),
    ],
)
def test_a_visit_lies_in_a_week_or_not(weekday: int, starts: str, minutes: int, lies: bool) -> None:
    week = [hours(0, "09:00", "15:00"), hours(0, "15:00", "17:00"), hours(6, "22:00", "02:00")]
    breaks = [hours(0, "12:00", "13:00")]
    day = MONDAY + dt.timedelta(days=weekday)
    begins = dt.datetime.combine(day, dt.time.fromisoformat(starts), dt.UTC)
    visit = Visit(day=day, zone="UTC", starts_at=begins, ends_at=begins + dt.timedelta(minutes=minutes))
    assert _lies(visit, Week(week, breaks), {}) is lies
