"""Use of time: what could be booked, what was, and in which hour of the week."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from clinic.rules.capacity import Use, bookable, by_hour_of_week, minutes_of, use_of
from clinic.rules.wall_time import WallClock, WeeklyHours, hours_on

NEW_YORK = WallClock(ZoneInfo("America/New_York"))
LORD_HOWE = WallClock(ZoneInfo("Australia/Lord_Howe"))  # its clock is changed by half an hour
MONDAY = dt.date(2026, 6, 8)


@pytest.mark.parametrize(
    ("hours", "opening", "away", "expected"),
    [
        ([(0, 480)], [(0, 480)], [], 480),
        ([(0, 480)], [(60, 420)], [], 360),  # open for less than is worked
        ([(0, 480)], [(0, 480)], [(100, 160), (130, 200)], 380),  # time off and a closure overlap
        ([(0, 480)], [(0, 480)], [(-100, 60), (450, 900)], 390),  # both reach beyond the hours
        ([(0, 480)], [(0, 480)], [(0, 480)], 0),
        ([], [(0, 480)], [], 0),
        ([(0, 120), (180, 300)], [(60, 240)], [(70, 80)], 110),  # a break in the middle
    ],
)
def test_capacity_is_hours_while_open_less_what_is_away(
    hours: list[tuple[int, int]],
    opening: list[tuple[int, int]],
    away: list[tuple[int, int]],
    expected: int,
) -> None:
    assert minutes_of(bookable(hours, opening, away)) == expected


@pytest.mark.parametrize(
    ("capacity", "booked", "expected"),
    [
        ([(0, 480)], [], Use(480, 0, 0)),
        ([(0, 480)], [(0, 75), (90, 165)], Use(480, 150, 0)),
        ([(0, 480)], [(450, 510)], Use(480, 30, 30)),  # runs past the hours
        ([(0, 480)], [(600, 660)], Use(480, 0, 60)),  # the desk booked an evening
        ([(0, 480)], [(0, 60), (0, 60), (30, 90)], Use(480, 90, 0)),  # a couple in one room
        ([], [(0, 60)], Use(0, 0, 60)),
    ],
)
def test_use_tells_booked_time_from_time_outside(
    capacity: list[tuple[int, int]], booked: list[tuple[int, int]], expected: Use
) -> None:
    assert use_of(capacity, booked) == expected


def test_share_is_of_capacity_and_unknown_without_any() -> None:
    assert Use(480, 120, 60).share == 0.25
    assert Use(0, 0, 60).share is None
    assert Use(480, 480, 30) + Use(20, 0, 1) == Use(500, 480, 31)


def test_minutes_fall_into_the_hours_of_the_week_on_the_wall() -> None:
    start = NEW_YORK.minute_at(MONDAY, dt.time(9, 45))
    assert by_hour_of_week(NEW_YORK, [(start, start + 90)]) == {(0, 9): 15, (0, 10): 60, (0, 11): 15}
    late = NEW_YORK.minute_at(MONDAY, dt.time(23, 30))
    assert by_hour_of_week(NEW_YORK, [(late, late + 60), (late, late + 10)]) == {(0, 23): 40, (1, 0): 30}


@pytest.mark.parametrize(
    ("clock", "day", "expected"),
    [
        # 2026-03-08 has no 2 o'clock, 2026-11-01 has two of 1 o'clock
        (NEW_YORK, dt.date(2026, 3, 8), {(6, 0): 60, (6, 1): 60, (6, 3): 60}),
        (NEW_YORK, dt.date(2026, 11, 1), {(6, 0): 60, (6, 1): 120, (6, 2): 60, (6, 3): 60}),
        (LORD_HOWE, dt.date(2026, 10, 4), {(6, 0): 60, (6, 1): 60, (6, 2): 30, (6, 3): 60}),
        (LORD_HOWE, dt.date(2026, 4, 5), {(6, 0): 60, (6, 1): 90, (6, 2): 60, (6, 3): 60}),
    ],
)
def test_on_the_days_on_which_the_clock_is_changed_every_minute_that_passes_counts_once(
    clock: WallClock, day: dt.date, expected: dict[tuple[int, int], int]
) -> None:
    night = hours_on(clock, [day], [WeeklyHours(6, dt.time(0), dt.time(4))])
    found = by_hour_of_week(clock, night)
    assert found == expected
    assert sum(found.values()) == minutes_of(night)
