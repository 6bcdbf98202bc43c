"""Wall clocks, clock changes and grids, compared with reading the clock at every single minute."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, timezone
from functools import cache
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clinic.rules.intervals import Interval
from clinic.rules.wall_time import (
    STEPS_MINUTES,
    WallClock,
    WeeklyHours,
    break_fits,
    dates_from,
    epoch_minute,
    epoch_minute_after,
    grid_of,
    grid_over,
    hours_on,
    local_day,
    moment,
    spill_days,
)

BERLIN = ZoneInfo("Europe/Berlin")
SPRING, AUTUMN = date(2026, 3, 29), date(2026, 10, 25)  # Berlin: 02:00 → 03:00, and 03:00 → 02:00

# zone and local date of a change: both hemispheres, :30 and :45 zones, half an hour, two hours, at midnight,
# one minute past midnight, and the date that Samoa left out
CHANGES = [
    ("Europe/Berlin", SPRING),
    ("Europe/Berlin", AUTUMN),
    ("America/New_York", date(2026, 3, 8)),
    ("America/New_York", date(2026, 11, 1)),
    ("America/St_Johns", date(2006, 4, 2)),
    ("America/St_Johns", date(2006, 10, 29)),
    ("Australia/Adelaide", date(2026, 4, 5)),
    ("Australia/Adelaide", date(2026, 10, 4)),
    ("Australia/Lord_Howe", date(2026, 4, 5)),
    ("Australia/Lord_Howe", date(2026, 10, 4)),
    ("Pacific/Chatham", date(2026, 4, 5)),
    ("Pacific/Chatham", date(2026, 9, 27)),
    ("Antarctica/Troll", date(2022, 3, 27)),
    ("America/Sao_Paulo", date(2018, 11, 4)),
    ("America/Sao_Paulo", date(2018, 2, 17)),
    ("America/Havana", date(2024, 11, 3)),
    ("America/Toronto", date(1919, 3, 30)),
    ("Pacific/Apia", date(2011, 12, 30)),
    ("Asia/Kathmandu", date(2026, 6, 1)),
    ("Asia/Kolkata", date(2026, 6, 1)),
]
NEAR_A_CHANGE = st.tuples(st.sampled_from(CHANGES), st.integers(-1, 1)).map(
    lambda case: (ZoneInfo(case[0][0]), case[0][1] + timedelta(days=case[1]))
)
WALLS = st.builds(time, st.integers(0, 23), st.sampled_from([0, 1, 15, 30, 45, 59]))


@cache
def readings(zone: ZoneInfo, day: date) -> list[tuple[int, datetime]]:
    """Every minute around a date, with what the clock on the wall shows then."""
    noon = int(datetime(day.year, day.month, day.day, 12, tzinfo=UTC).timestamp()) // 60
    return [
        (at, datetime.fromtimestamp(at * 60, zone).replace(tzinfo=None, fold=0))
        for at in range(noon - 40 * 60, noon + 64 * 60)
    ]


def first_minute_showing(zone: ZoneInfo, day: date, wall: time, add_days: int = 0) -> int:
    target = datetime.combine(day + timedelta(days=add_days), wall)
    return next(at for at, shown in readings(zone, day) if shown >= target)


def utc(text: str) -> int:
    return epoch_minute(datetime.fromisoformat(text).replace(tzinfo=UTC))


# ── against reading the clock at every minute ─────────────────────────────────────────────────────────────


@settings(max_examples=100, deadline=None)
@given(NEAR_A_CHANGE, WALLS)
def test_a_bound_is_the_first_minute_that_shows_it_or_later(where: tuple[ZoneInfo, date], wall: time) -> None:
    zone, day = where
    assert WallClock(zone).minute_at(day, wall) == first_minute_showing(zone, day, wall)


@settings(max_examples=100, deadline=None)
@given(NEAR_A_CHANGE, WALLS)
def test_a_candidate_is_every_minute_that_shows_it(where: tuple[ZoneInfo, date], wall: time) -> None:
    zone, day = where
    target = datetime.combine(day, wall)
    expected = tuple(at for at, shown in readings(zone, day) if shown == target)
    assert WallClock(zone).minutes_at(day, wall) == expected


@settings(max_examples=100, deadline=None)
@given(NEAR_A_CHANGE, st.sampled_from(STEPS_MINUTES))
def test_the_grid_is_every_minute_that_shows_a_step(where: tuple[ZoneInfo, date], step: int) -> None:
    zone, day = where
    expected = [
        at
        for at, shown in readings(zone, day)
        if shown.date() == day and (shown.hour * 60 + shown.minute) % step == 0
    ]
    assert grid_of(WallClock(zone), day, step) == expected


@settings(max_examples=100, deadline=None)
@given(NEAR_A_CHANGE, WALLS, WALLS)
def test_hours_run_from_bound_to_bound(where: tuple[ZoneInfo, date], starts: time, ends: time) -> None:
    zone, day = where
    span = (
        first_minute_showing(zone, day, starts),
        first_minute_showing(zone, day, ends, add_days=1 if ends <= starts else 0),
    )
    expected = [span] if span[0] < span[1] else []
    assert hours_on(WallClock(zone), [day], [WeeklyHours(day.weekday(), starts, ends)]) == expected


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(CHANGES), st.integers(-200, 200))
def test_days_follow_each_other_without_gap(change: tuple[str, date], offset: int) -> None:
    clock, day = WallClock(ZoneInfo(change[0])), change[1] + timedelta(days=offset)
    assert clock.day_bounds(day)[1] == clock.day_bounds(day + timedelta(days=1))[0]
    for at in grid_of(clock, day, 60):
        assert local_day(moment(at), clock.zone) == day


# ── days of 23, 24, 25 hours ──────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/Berlin", SPRING, 23),
        ("Europe/Berlin", AUTUMN, 25),
        ("Europe/Berlin", date(2026, 7, 1), 24),
        ("Australia/Lord_Howe", date(2026, 4, 5), 24.5),
        ("Australia/Lord_Howe", date(2026, 10, 4), 23.5),
        ("America/Sao_Paulo", date(2018, 11, 4), 23),
        ("America/Sao_Paulo", date(2018, 2, 17), 25),
        ("Pacific/Apia", date(2011, 12, 30), 0),
    ],
)
def test_a_local_date_is_as_long_as_its_clock_makes_it(zone: str, day: date, hours: float) -> None:
    start, end = WallClock(ZoneInfo(zone)).day_bounds(day)
    assert end - start == hours * 60


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        (SPRING, (utc("2026-03-29T00:00"), utc("2026-03-29T03:00"))),
        (AUTUMN, (utc("2026-10-24T23:00"), utc("2026-10-25T04:00"))),
        (date(2026, 10, 26), (utc("2026-10-26T00:00"), utc("2026-10-26T04:00"))),
    ],
)
def test_one_to_five_is_three_five_or_four_hours(day: date, expected: Interval) -> None:
    night = [WeeklyHours(weekday, time(1), time(5)) for weekday in range(7)]
    assert hours_on(WallClock(BERLIN), [day], night) == [expected]


def test_hours_past_midnight_cross_the_clock_change() -> None:
    saturday_night = [WeeklyHours(5, time(22), time(6))]
    clock = WallClock(BERLIN)
    lengths = [
        sum(end - start for start, end in hours_on(clock, [day - timedelta(days=1)], saturday_night)) / 60
        for day in (SPRING, AUTUMN, date(2026, 7, 5))
    ]
    assert lengths == [7, 9, 8]


def test_a_time_that_does_not_exist_is_no_start_and_bounds_at_the_jump() -> None:
    clock = WallClock(BERLIN)
    assert clock.minutes_at(SPRING, time(2, 30)) == ()
    assert clock.minute_at(SPRING, time(2, 30)) == utc("2026-03-29T01:00")
    assert hours_on(clock, [SPRING], [WeeklyHours(6, time(2, 10), time(2, 50))]) == []
    grid = grid_of(clock, SPRING, 30)
    assert len(grid) == 46
    assert [clock.show(at).strftime("%H:%M") for at in grid[3:6]] == ["01:30", "03:00", "03:30"]


def test_a_time_that_exists_twice_is_told_apart_by_fold() -> None:
    clock = WallClock(BERLIN)
    first, second = clock.minutes_at(AUTUMN, time(2, 30))
    assert (first, second) == (utc("2026-10-25T00:30"), utc("2026-10-25T01:30"))
    assert [clock.show(at).fold for at in (first, second)] == [0, 1]
    assert clock.minute_at(AUTUMN, time(2, 30)) == first
    shown = [(clock.show(at).strftime("%H:%M"), clock.show(at).fold) for at in grid_of(clock, AUTUMN, 30)]
    assert shown[3:9] == [("01:30", 0), ("02:00", 0), ("02:30", 0), ("02:00", 1), ("02:30", 1), ("03:00", 0)]
    assert len(shown) == 50


@pytest.mark.parametrize(
    ("zone", "day", "expected"),
    [
        ("Europe/Berlin", date(2026, 7, 1), utc("2026-06-30T22:00")),
        ("America/New_York", date(2026, 1, 1), utc("2026-01-01T05:00")),
        ("Asia/Kathmandu", date(2026, 6, 1), utc("2026-05-31T18:15")),
        ("Europe/Berlin", SPRING, None),
        ("Europe/Berlin", AUTUMN, None),
        ("Europe/Berlin", SPRING + timedelta(days=1), utc("2026-03-29T22:00")),
        ("Europe/Berlin", SPRING - timedelta(days=1), utc("2026-03-27T23:00")),
        ("America/Sao_Paulo", date(2018, 11, 3), None),  # its last minute is followed by a jump
    ],
)
def test_a_day_is_even_when_its_clock_is_left_alone(zone: str, day: date, expected: int | None) -> None:
    clock = WallClock(ZoneInfo(zone))
    assert clock.even_midnight(day) == expected
    assert clock.even_midnight(day) == expected  # also where it is remembered


def test_a_wall_time_keeps_its_place_through_the_year() -> None:
    clock = WallClock(BERLIN)
    for day in dates_from(date(2026, 1, 1), 365):
        assert clock.show(clock.minute_at(day, time(9, 15))).strftime("%F %H:%M") == f"{day} 09:15"


def test_the_grid_over_a_change_stays_in_order() -> None:
    days = dates_from(AUTUMN - timedelta(days=1), 3)
    grid = grid_over(WallClock(BERLIN), days, 15)
    assert grid == sorted(set(grid))
    assert len(grid) == (24 + 25 + 24) * 4


@pytest.mark.parametrize("step", [0, 7, 45, 90, -15])
def test_the_grid_refuses_other_steps(step: int) -> None:
    with pytest.raises(ValueError, match="step"):
        grid_of(WallClock(BERLIN), SPRING, step)


# ── weekly hours, breaks, dated exceptions ────────────────────────────────────────────────────────────────

UTC_CLOCK = WallClock(ZoneInfo("UTC"))
MONDAY = date(2026, 6, 1)
ZERO = utc("2026-06-01T00:00")


def on_monday(hours: list[WeeklyHours], breaks: list[WeeklyHours]) -> list[Interval]:
    spans = hours_on(UTC_CLOCK, spill_days(MONDAY, 1), hours, breaks)
    return [(start - ZERO, end - ZERO) for start, end in spans]


@pytest.mark.parametrize(
    ("hours", "breaks", "expected"),
    [
        ([(0, 9, 18)], [], [(540, 1080)]),
        ([(1, 9, 18)], [], []),
        ([(0, 9, 13), (0, 13, 18)], [], [(540, 1080)]),
        ([(0, 9, 18)], [(0, 12, 13)], [(540, 720), (780, 1080)]),
        ([(0, 9, 18)], [(1, 12, 13)], [(540, 1080)]),
        ([(0, 9, 18)], [(0, 9, 10), (0, 17, 18)], [(600, 1020)]),
        ([(0, 9, 18)], [(0, 12, 14), (0, 13, 15)], [(540, 720), (900, 1080)]),
        ([(0, 0, 0)], [], [(0, 1440)]),
        ([(0, 22, 6)], [(0, 2, 3)], [(1320, 1560), (1620, 1800)]),
        ([(6, 22, 6)], [(6, 2, 3)], [(-120, 120), (180, 360)]),
        ([(6, 22, 6)], [(0, 2, 3)], [(-120, 360)]),
        ([(0, 9, 13), (0, 20, 2)], [(0, 11, 12)], [(540, 660), (720, 780), (1200, 1560)]),
        ([(6, 22, 6), (0, 5, 9)], [(0, 5, 6)], [(-120, 300), (360, 540)]),
    ],
)
def test_hours_less_breaks(
    hours: list[tuple[int, int, int]], breaks: list[tuple[int, int, int]], expected: list[Interval]
) -> None:
    def rows(of: list[tuple[int, int, int]]) -> list[WeeklyHours]:
        return [WeeklyHours(weekday, time(starts), time(ends)) for weekday, starts, ends in of]

    assert on_monday(rows(hours), rows(breaks)) == expected


def test_a_dated_exception_replaces_the_weekly_hours_of_its_date() -> None:
    weekly = [WeeklyHours(weekday, time(9), time(18)) for weekday in range(7)]
    dated = {
        MONDAY: [WeeklyHours(3, time(14), time(16))],
        MONDAY + timedelta(days=1): [],
    }
    spans = hours_on(UTC_CLOCK, dates_from(MONDAY, 3), weekly, dated=dated)
    assert [(start - ZERO, end - ZERO) for start, end in spans] == [(840, 960), (2880 + 540, 2880 + 1080)]


@pytest.mark.parametrize(
    ("hours", "pause", "expected"),
    [
        (((9, 0), (18, 0)), ((12, 0), (13, 0)), True),
        (((9, 0), (18, 0)), ((9, 0), (18, 0)), True),
        (((9, 0), (18, 0)), ((12, 0), (12, 1)), True),
        (((9, 0), (18, 0)), ((8, 59), (9, 30)), False),
        (((9, 0), (18, 0)), ((17, 30), (18, 1)), False),
        (((9, 0), (18, 0)), ((12, 0), (12, 0)), False),
        (((9, 0), (18, 0)), ((13, 0), (12, 0)), False),
        (((22, 0), (6, 0)), ((2, 0), (3, 0)), True),
        (((22, 0), (6, 0)), ((23, 30), (0, 30)), True),
        (((22, 0), (6, 0)), ((5, 30), (6, 1)), False),
        (((22, 0), (6, 0)), ((22, 0), (23, 0)), True),
        (((22, 0), (6, 0)), ((21, 0), (22, 30)), False),
        (((0, 0), (0, 0)), ((23, 50), (23, 55)), True),
        (((0, 0), (0, 0)), ((23, 0), (0, 0)), True),
    ],
)
def test_break_fits_inside_its_hours(
    hours: tuple[tuple[int, int], tuple[int, int]],
    pause: tuple[tuple[int, int], tuple[int, int]],
    expected: bool,
) -> None:
    shift = WeeklyHours(2, time(*hours[0]), time(*hours[1]))
    assert break_fits(shift, WeeklyHours(2, time(*pause[0]), time(*pause[1]))) is expected
    assert break_fits(shift, WeeklyHours(3, time(*pause[0]), time(*pause[1]))) is False


# ── moments and minutes ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("instant", "floor", "ceiling"),
    [
        (datetime(1970, 1, 1, tzinfo=UTC), 0, 0),
        (datetime(1970, 1, 1, 0, 1, tzinfo=UTC), 1, 1),
        (datetime(1970, 1, 1, 0, 1, 0, 1, tzinfo=UTC), 1, 2),
        (datetime(1970, 1, 1, 0, 1, 59, 999999, tzinfo=UTC), 1, 2),
        (datetime(1969, 12, 31, 23, 59, 30, tzinfo=UTC), -1, 0),
        (datetime(1970, 1, 1, 2, 0, tzinfo=timezone(timedelta(hours=2))), 0, 0),
    ],
)
def test_a_moment_becomes_the_minute_it_lies_in_or_the_next(
    instant: datetime, floor: int, ceiling: int
) -> None:
    assert (epoch_minute(instant), epoch_minute_after(instant)) == (floor, ceiling)


def test_minutes_and_moments_go_both_ways() -> None:
    assert moment(29_000_000) == datetime(2025, 2, 19, 21, 20, tzinfo=UTC)
    assert epoch_minute(moment(29_000_000)) == 29_000_000


def test_a_moment_without_zone_is_refused() -> None:
    naive = datetime(2026, 6, 1, 9, 0)  # noqa: DTZ001 the very thing to refuse
    for convert in (epoch_minute, epoch_minute_after, lambda instant: local_day(instant, BERLIN)):
        with pytest.raises(ValueError, match=r"^a moment needs its time zone$"):
            convert(naive)


@pytest.mark.parametrize(
    ("zone", "expected"),
    [
        ("Europe/Berlin", date(2026, 6, 2)),
        ("America/New_York", date(2026, 6, 1)),
        ("Pacific/Chatham", date(2026, 6, 2)),
    ],
)
def test_the_local_day_is_the_one_on_the_wall(zone: str, expected: date) -> None:
    assert local_day(datetime(2026, 6, 1, 22, 30, tzinfo=UTC), ZoneInfo(zone)) == expected


def test_spill_days_begin_a_day_early() -> None:
    assert spill_days(MONDAY, 2) == [date(2026, 5, 31), date(2026, 6, 1), date(2026, 6, 2)]
