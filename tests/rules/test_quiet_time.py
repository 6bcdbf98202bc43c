"""The quiet time: which minutes lie in it, past midnight and on the days on which the clock is changed."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from clinic.rules.quiet_time import QuietTime
from clinic.rules.wall_time import WallClock, epoch_minute

NEW_YORK, LORD_HOWE = ZoneInfo("America/New_York"), ZoneInfo("Australia/Lord_Howe")
NIGHT = QuietTime(dt.time(21), dt.time(8))


def holds(quiet: QuietTime, zone: ZoneInfo, *wall: int, fold: int = 0) -> bool:
    local = dt.datetime(*wall, fold=fold, tzinfo=zone)  # type: ignore[arg-type, misc]
    return quiet.holds_at(epoch_minute(local.astimezone(dt.UTC)), WallClock(zone))


@pytest.mark.parametrize("day", [(2026, 6, 9), (2026, 3, 8), (2026, 11, 1), (2026, 3, 7), (2026, 10, 31)])
def test_the_night_runs_from_nine_to_eight_also_when_the_clock_is_changed(day: tuple[int, int, int]) -> None:
    seen = [
        holds(NIGHT, NEW_YORK, *day, hour, minute) for hour, minute in ((7, 59), (8, 0), (20, 59), (21, 0))
    ]
    assert seen == [True, False, False, True]
    assert holds(NIGHT, NEW_YORK, *day, 0, 0)


def test_an_end_that_is_shown_twice_is_the_second_one_and_a_start_the_first() -> None:
    """In the night of 1 November half past one is shown twice in New York."""
    ends = QuietTime(dt.time(22), dt.time(1, 30))
    assert [holds(ends, NEW_YORK, 2026, 11, 1, 1, 29, fold=fold) for fold in (0, 1)] == [True, True]
    assert [holds(ends, NEW_YORK, 2026, 11, 1, 1, 30, fold=fold) for fold in (0, 1)] == [True, False]
    starts = QuietTime(dt.time(1, 30), dt.time(6))
    assert [holds(starts, NEW_YORK, 2026, 11, 1, 1, 15, fold=fold) for fold in (0, 1)] == [False, True]


def test_a_time_that_is_skipped_is_the_jump() -> None:
    """On 8 March two o'clock jumps to three in New York; on 4 October half an hour is left out on Lord Howe."""
    assert [holds(QuietTime(dt.time(22), dt.time(2, 30)), NEW_YORK, 2026, 3, 8, *at) for at in ((1, 59), (3, 0))] == [
        True, False
    ]  # fmt: skip
    assert [holds(QuietTime(dt.time(2, 30), dt.time(6)), NEW_YORK, 2026, 3, 8, *at) for at in ((1, 59), (3, 0))] == [
        False, True
    ]  # fmt: skip
    quiet = QuietTime(dt.time(22), dt.time(2, 15))
    assert [holds(quiet, LORD_HOWE, 2026, 10, 4, *at) for at in ((1, 59), (2, 30))] == [True, False]


def test_a_quiet_time_by_day_and_none_at_all() -> None:
    noon = QuietTime(dt.time(12), dt.time(13))
    seen = [holds(noon, NEW_YORK, 2026, 6, 9, *at) for at in ((11, 59), (12, 0), (12, 59), (13, 0))]
    assert seen == [False, True, True, False]
    assert not any(holds(QuietTime(dt.time(9), dt.time(9)), NEW_YORK, 2026, 6, 9, hour) for hour in range(24))
