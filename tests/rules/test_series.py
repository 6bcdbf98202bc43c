"""A series keeps its time on the wall; what is near a start that does not fit."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from clinic.rules.availability import Start
from clinic.rules.errors import InvalidInput
from clinic.rules.series import MOST_VISITS, Pattern, nearest_around
from clinic.rules.wall_time import WallClock

NEW_YORK = WallClock(ZoneInfo("America/New_York"))
TUESDAY = dt.date(2026, 10, 20)
TEN = dt.time(10)


def local(pattern: Pattern, clock: WallClock = NEW_YORK) -> list[str]:
    found = [pattern.start_on(day, clock) for day in pattern.days()]
    return [clock.show(one).isoformat() if one is not None else "none" for one in found]


def test_every_second_tuesday_keeps_its_time_where_the_clock_is_changed() -> None:
    assert local(Pattern(TUESDAY, TEN, 2, count=3)) == [
        "2026-10-20T10:00:00-04:00",
        "2026-11-03T10:00:00-05:00",
        "2026-11-17T10:00:00-05:00",
    ]


def test_a_time_that_the_clock_jumps_over_is_no_start() -> None:
    lord_howe = WallClock(ZoneInfo("Australia/Lord_Howe"))  # half an hour, on 4 October 2026 at two
    assert local(Pattern(dt.date(2026, 9, 27), dt.time(2, 15), 1, count=3), lord_howe) == [
        "2026-09-27T02:15:00+10:30",
        "none",
        "2026-10-11T02:15:00+11:00",
    ]


@pytest.mark.parametrize(("fold", "offset"), [(0, "-04:00"), (1, "-05:00")])
def test_a_time_that_is_there_twice_is_told_apart(fold: int, offset: str) -> None:
    twice = Pattern(dt.date(2026, 10, 25), dt.time(1, 30), 1, count=2, fold=fold)
    assert local(twice) == ["2026-10-25T01:30:00-04:00", f"2026-11-01T01:30:00{offset}"]


@pytest.mark.parametrize(
    ("until", "number"), [(dt.date(2026, 11, 3), 2), (dt.date(2026, 11, 16), 2), (dt.date(2026, 11, 17), 3)]
)
def test_until_a_day_includes_that_day(until: dt.date, number: int) -> None:
    assert len(Pattern(TUESDAY, TEN, 2, until=until).days()) == number


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"every_weeks": 0, "count": 2}, "every_weeks"),
        ({"every_weeks": 14, "count": 2}, "every_weeks"),
        ({"every_weeks": 1}, "count"),
        ({"every_weeks": 1, "count": 2, "until": TUESDAY}, "count"),
        ({"every_weeks": 1, "count": 1}, "count"),
        ({"every_weeks": 1, "count": MOST_VISITS + 1}, "count"),
        ({"every_weeks": 2, "until": TUESDAY + dt.timedelta(days=13)}, "until"),
        ({"every_weeks": 1, "until": TUESDAY - dt.timedelta(days=1)}, "until"),
        ({"every_weeks": 1, "until": TUESDAY + dt.timedelta(weeks=MOST_VISITS)}, "until"),
    ],
)
def test_what_makes_no_series_is_said_at_its_field(values: dict[str, object], field: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        Pattern(TUESDAY, TEN, **values)  # type: ignore[arg-type]
    assert refused.value.field == field


def test_the_longest_series_has_26_visits() -> None:
    assert len(Pattern(TUESDAY, TEN, 1, count=MOST_VISITS).days()) == 26
    last = TUESDAY + dt.timedelta(weeks=MOST_VISITS - 1)
    assert Pattern(TUESDAY, TEN, 1, until=last).days()[-1] == last


def start(days: int, hour: int, minute: int, *therapists: int) -> Start:
    day = TUESDAY + dt.timedelta(days=days)
    return Start(NEW_YORK.minute_at(day, dt.time(hour, minute)), therapists)


def test_the_nearest_of_the_day_come_first_then_one_of_each_day_around() -> None:
    starts = [
        start(-1, 9, 0, 1), start(-1, 10, 0, 1), start(0, 9, 15, 1), start(0, 11, 0, 1), start(0, 9, 30, 1),
        start(1, 15, 0, 1), start(2, 10, 0, 1),
    ]  # fmt: skip
    found = nearest_around(starts, TUESDAY, TEN, NEW_YORK, None)
    assert found == [start(0, 9, 30, 1), start(0, 11, 0, 1), start(-1, 10, 0, 1), start(1, 15, 0, 1)]


def test_the_same_therapist_comes_before_a_nearer_time() -> None:
    starts = [start(0, 10, 15, 2), start(0, 14, 0, 1, 2), start(1, 10, 0, 2), start(3, 16, 0, 1)]
    assert nearest_around(starts, TUESDAY, TEN, NEW_YORK, 1) == [
        start(0, 14, 0, 1, 2), start(0, 10, 15, 2), start(3, 16, 0, 1), start(1, 10, 0, 2)
    ]  # fmt: skip
