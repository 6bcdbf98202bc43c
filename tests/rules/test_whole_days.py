"""Whole days at places in different zones, also in one that is off by a quarter of an hour."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

from clinic.rules.wall_time import WallClock, moment
from clinic.rules.whole_days import days_at, on_any_wall, on_every_wall

BERLIN, NEW_YORK, KATHMANDU, KIRITIMATI, NIUE = (
    WallClock(ZoneInfo(zone))
    for zone in ("Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Pacific/Kiritimati", "Pacific/Niue")
)
DAY = dt.date(2026, 6, 9)


def said(span: tuple[int, int]) -> list[str]:
    return [f"{moment(one):%d %H:%M}" for one in span]


def test_a_day_is_from_midnight_to_midnight_on_each_wall() -> None:
    assert said(days_at(BERLIN, DAY, DAY)) == ["08 22:00", "09 22:00"]
    assert said(days_at(KATHMANDU, DAY, DAY)) == ["08 18:15", "09 18:15"]
    spring = dt.date(2026, 3, 29)  # an hour short in Berlin
    start, end = days_at(BERLIN, spring, spring)
    assert end - start == 23 * 60


def test_any_wall_is_the_widest_and_every_wall_the_narrowest() -> None:
    clocks = [BERLIN, NEW_YORK, KATHMANDU]
    assert said(on_any_wall(clocks, DAY, DAY)) == ["08 18:15", "10 04:00"]
    assert said(on_every_wall(clocks, DAY, DAY)) == ["09 04:00", "09 18:15"]
    assert on_any_wall([BERLIN], DAY, DAY) == on_every_wall([BERLIN], DAY, DAY) == days_at(BERLIN, DAY, DAY)


def test_places_may_be_too_far_apart_for_one_day_to_be_everywhere() -> None:
    start, end = on_every_wall([KIRITIMATI, NIUE], DAY, DAY)
    assert end <= start
    start, end = on_every_wall([KIRITIMATI, NIUE], DAY, DAY + dt.timedelta(days=1))
    assert end > start
