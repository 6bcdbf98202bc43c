"""At which place somebody is on a day."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

from clinic.rules.wall_time import WallClock, WeeklyHours
from clinic.rules.workplace import HoursAt, place_on

MONDAY = dt.date(2026, 6, 8)
EIGHT, NOON, SIX = dt.time(8), dt.time(12), dt.time(18)


def hours(*weekdays: int, starts: dt.time = EIGHT, ends: dt.time = SIX) -> list[WeeklyHours]:
    return [WeeklyHours(one, starts, ends) for one in weekdays]


def day(number: int) -> dt.date:
    return MONDAY + dt.timedelta(days=number)


def test_the_place_is_where_work_starts_first_that_day() -> None:
    places = {1: HoursAt(hours(0, 1, starts=NOON)), 2: HoursAt(hours(1, 2))}
    assert [place_on(day(number), places) for number in range(3)] == [1, 2, 2]


def test_a_date_with_hours_of_its_own_says_where() -> None:
    places = {1: HoursAt(hours(0), dated={MONDAY: []}), 2: HoursAt(dated={MONDAY: hours(0, starts=NOON)})}
    assert place_on(MONDAY, places) == 2
    assert place_on(day(7), places) == 1


def test_on_a_day_without_work_it_is_the_place_with_most_hours() -> None:
    night = hours(0, starts=SIX, ends=EIGHT)  # fourteen hours, past midnight
    assert place_on(day(6), {1: HoursAt(hours(0)), 2: HoursAt(night)}) == 2
    assert place_on(day(6), {2: HoursAt(hours(0)), 1: HoursAt(hours(1))}) == 1
    assert place_on(day(6), {1: HoursAt(hours(0)), 2: HoursAt(hours(0, starts=NOON, ends=NOON))}) == 2
    assert place_on(day(6), {1: HoursAt(dated={MONDAY: hours(0)})}) is None
    assert place_on(MONDAY, {}) is None


def test_hours_of_a_place_are_read_on_its_own_wall() -> None:
    pause = [WeeklyHours(0, NOON, dt.time(13))]
    at = HoursAt(hours(0), pause)
    berlin = WallClock(ZoneInfo("Europe/Berlin"))
    (whole,) = at.worked(berlin, [MONDAY], with_breaks=True)
    assert [f"{berlin.show(one):%H:%M}" for one in whole] == ["08:00", "18:00"]
    assert len(at.worked(berlin, [MONDAY], with_breaks=False)) == 2
