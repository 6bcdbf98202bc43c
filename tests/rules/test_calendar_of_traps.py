"""The dates and zones on which calendars go wrong, each against plain steps through UTC, one minute after the other."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from clinic.rules.availability import Book, Eligible, Wanted, bookable_starts
from clinic.rules.wall_time import (
    WallClock,
    WeeklyHours,
    dates_from,
    grid_over,
    hours_on,
    local_texts,
    moment,
    spill_days,
)

ANA, ROOM = 1, 11
NIGHT, MORNING = (dt.time(22), dt.time(6)), (dt.time(9), dt.time(12))
SPAN = Wanted(minutes=60, turnover_minutes=15, not_before=0, not_after=10**9)
EVEN = dt.date(2026, 7, 15)
CHANGES = [
    ("America/New_York", dt.date(2026, 11, 1)), ("America/New_York", dt.date(2027, 3, 14)),
    ("America/St_Johns", dt.date(2026, 11, 1)), ("America/St_Johns", dt.date(2027, 3, 14)),
    ("Europe/Vienna", dt.date(2026, 10, 25)), ("Europe/Vienna", dt.date(2027, 3, 28)),
    ("Australia/Sydney", dt.date(2026, 10, 4)), ("Australia/Sydney", dt.date(2027, 4, 4)),
    ("Australia/Lord_Howe", dt.date(2026, 10, 4)), ("Australia/Lord_Howe", dt.date(2027, 4, 4)),
    ("America/Santiago", dt.date(2026, 9, 6)), ("Asia/Kathmandu", EVEN), ("Asia/Kolkata", EVEN),
    ("Australia/Eucla", EVEN), ("Pacific/Chatham", dt.date(2026, 9, 27)),
]  # fmt: skip


def week(*spans: tuple[dt.time, dt.time]) -> list[WeeklyHours]:
    return [WeeklyHours(weekday, *span) for weekday in range(7) for span in spans]


def offered(
    zone: str, first: dt.date, days: int, hours: list[WeeklyHours], breaks: list[WeeklyHours]
) -> list[int]:
    clock = WallClock(ZoneInfo(zone))
    duty = hours_on(clock, spill_days(first, days), hours, breaks)
    book = Book({ANA: duty}, duty, {})
    grid = grid_over(clock, dates_from(first, days), 15)
    return [one.starts_at for one in bookable_starts(grid, SPAN, Eligible([ANA], [ROOM]), book)]


def plainly(zone: str, first: dt.date, days: int) -> list[int]:
    """Starts at a quarter of the wall's hour whose every minute lies in night or morning work and in no break: a wall
    time that is there twice counts as the first until the clock is set back at the second."""
    wall = ZoneInfo(zone)
    begin = int(dt.datetime.combine(first, dt.time(), dt.UTC).timestamp()) // 60 - 2 * 1440
    shown = {at: moment(at).astimezone(wall) for at in range(begin, begin + (days + 4) * 1440)}

    def first_at(day: dt.date, at: dt.time) -> int:
        """The first minute at which the wall shows this time of the date or, where it jumps, a later one."""
        return next(
            minute
            for minute, one in shown.items()
            if one.replace(tzinfo=None) >= dt.datetime.combine(day, at)
        )

    work: set[int] = set()
    for day in dates_from(first - dt.timedelta(days=1), days + 1):
        night = range(first_at(day, NIGHT[0]), first_at(day + dt.timedelta(days=1), NIGHT[1]))
        pause = range(
            first_at(day, dt.time(23, 45)), first_at(day + dt.timedelta(days=1), dt.time(0, 15))
        )  # a break over midnight
        work |= set(night) - set(pause)
        work |= set(range(first_at(day, MORNING[0]), first_at(day, MORNING[1])))
    days_asked = set(dates_from(first, days))
    return [
        at
        for at, one in shown.items()
        if one.date() in days_asked and one.minute % 15 == 0 and all(at + step in work for step in range(60))
    ]


@pytest.mark.parametrize(("zone", "day"), CHANGES)
def test_starts_around_a_change_of_the_clock_are_those_of_plain_steps(zone: str, day: dt.date) -> None:
    first = day - dt.timedelta(days=1)
    breaks = week((dt.time(23, 45), dt.time(0, 15)))
    found = offered(zone, first, 3, week(NIGHT, MORNING), breaks)
    assert found == plainly(zone, first, 3)
    texts = local_texts(found, ZoneInfo(zone))
    assert [dt.datetime.fromisoformat(text) for text in texts] == [moment(at) for at in found]
    assert len(set(texts)) == len(texts)  # two equal wall times differ in their offset


def test_the_clock_jumps_over_times_and_shows_others_twice() -> None:
    night = week((dt.time(0), dt.time(5)))
    spring = local_texts(
        offered("America/New_York", dt.date(2027, 3, 14), 1, night, []), ZoneInfo("America/New_York")
    )
    assert not [text for text in spring if "T02:" in text]
    fall = local_texts(
        offered("America/New_York", dt.date(2026, 11, 1), 1, night, []), ZoneInfo("America/New_York")
    )
    assert [text[11:] for text in fall if "T01:30" in text] == ["01:30:00-04:00", "01:30:00-05:00"]
    half = local_texts(
        offered("Australia/Lord_Howe", dt.date(2027, 4, 4), 1, night, []), ZoneInfo("Australia/Lord_Howe")
    )
    assert [text[11:] for text in half if "T01:45" in text] == ["01:45:00+11:00", "01:45:00+10:30"]
