"""What a change of zone does to one visit, one span, one deadline, and who would clash."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from clinic.rules.booking_policy import BookingSettings
from clinic.rules.wall_time import WallClock
from clinic.rules.zone_change import (
    Found,
    MovedSpan,
    MovedVisit,
    Taken,
    ZoneChange,
    bound_at,
    clashes,
    deadline_after,
    start_at,
    wall_text,
)

BERLIN = WallClock(ZoneInfo("Europe/Berlin"))
SETTINGS = BookingSettings(pending_ends_hours_before=24, pending_near_ends_hours_before=2)


def utc(*when: int) -> dt.datetime:
    return dt.datetime(*when, tzinfo=dt.UTC)  # type: ignore[misc,arg-type]


@pytest.mark.parametrize(
    ("day", "wall", "fold", "found"),
    [
        (dt.date(2026, 6, 9), dt.time(10), 0, Found(utc(2026, 6, 9, 8), False)),
        (dt.date(2026, 6, 9), dt.time(10), 1, Found(utc(2026, 6, 9, 8), False)),
        (dt.date(2026, 3, 29), dt.time(2, 30), 0, Found(None, False)),
        (dt.date(2026, 10, 25), dt.time(2, 30), 0, Found(utc(2026, 10, 25, 0, 30), True)),
        (dt.date(2026, 10, 25), dt.time(2, 30), 1, Found(utc(2026, 10, 25, 1, 30), True)),
    ],
)
def test_a_visit_starts_when_the_clock_shows_its_time(
    day: dt.date, wall: dt.time, fold: int, found: Found
) -> None:
    assert start_at(BERLIN, day, wall, fold) == found


def test_what_bounds_a_span_begins_at_the_jump_and_keeps_its_seconds() -> None:
    assert bound_at(BERLIN, dt.datetime(2026, 3, 29, 2, 30)) == utc(2026, 3, 29, 1)  # noqa: DTZ001
    assert bound_at(BERLIN, dt.datetime(2026, 6, 9, 10, 0, 7)) == utc(2026, 6, 9, 8, 0, 7)  # noqa: DTZ001
    assert wall_text(utc(2026, 6, 9, 8, 0, 7), "Europe/Berlin") == "2026-06-09T10:00:07"


@pytest.mark.parametrize(
    ("deadline", "expected"),
    [
        (utc(2026, 6, 9, 10), utc(2026, 6, 9, 5)),  # 24 hours before the start: moves with it
        (utc(2026, 6, 10, 8), utc(2026, 6, 10, 3)),  # 2 hours before
        (utc(2026, 6, 10, 10), utc(2026, 6, 10, 5)),  # at the start
        (utc(2026, 6, 5, 7), utc(2026, 6, 5, 7)),  # 7 days after it began to wait: stays
        (utc(2026, 6, 9, 8), utc(2026, 6, 9, 5)),  # the same, but later than a day before the new start
        (utc(2026, 6, 10, 10, 20), utc(2026, 6, 10, 10, 20)),  # somebody at the desk
    ],
)
def test_a_deadline_keeps_its_distance_to_the_start(deadline: dt.datetime, expected: dt.datetime) -> None:
    old, new = utc(2026, 6, 10, 10), utc(2026, 6, 10, 5)
    assert deadline_after(deadline, old, new, SETTINGS) == expected


def taken(resource: int, start: int, end: int, visit: int, moves: bool = True) -> Taken:
    return Taken(resource, utc(2026, 6, 9, start), utc(2026, 6, 9, end), visit, moves)


def test_only_what_overlaps_and_moves_clashes() -> None:
    assert clashes([taken(1, 8, 10, 1), taken(1, 10, 12, 2), taken(2, 9, 11, 3)]) == []
    assert clashes([taken(1, 8, 10, 1, False), taken(1, 9, 12, 2, False)]) == []
    assert clashes(
        [taken(1, 9, 12, 2), taken(1, 8, 10, 1, False), taken(3, 9, 10, 2), taken(3, 9, 10, 1)]
    ) == [(1, 2)]
    assert clashes([taken(1, 8, 12, 5), taken(1, 9, 10, 4), taken(1, 11, 13, 3)]) == [(3, 5), (4, 5)]
    assert clashes([taken(1, 8, 10, 1), taken(1, 8, 10, 1)]) == []


def test_the_preview_says_everything() -> None:
    now = utc(2026, 6, 9, 9)
    day, wall = dt.date(2026, 6, 9), dt.time(10)

    def visit(number: int, new: dt.datetime | None, twice: bool = False) -> MovedVisit:
        return MovedVisit(number, day, wall, utc(2026, 6, 9, 14), new, twice)

    change = ZoneChange(
        place="Main Street",
        old_zone="America/New_York",
        new_zone="Europe/London",
        now=now,
        visits=(
            visit(1, utc(2026, 6, 9, 9, 30)),
            visit(2, utc(2026, 6, 9, 15), True),
            visit(3, None),
            visit(4, now),
            visit(5, utc(2026, 6, 9, 14)),
        ),
        time_off=(MovedSpan(1, (now, now), (now, now + dt.timedelta(hours=1))),),
        closures=(),
        claims=7,
        clashing=((1, 2),),
    )
    assert change.lines() == [
        "Main Street: America/New_York becomes Europe/London. Days and times on the wall stay.",
        "1 visit: the moment moves 5 hours earlier",
        "1 visit: the moment moves 4 hours 30 minutes earlier",
        "1 visit: the moment stays",
        "1 visit: the moment moves 1 hour later",
        "1 time off: the moment moves 1 hour later",
        "Claims of these visits that move with them: 7.",
        "Exists twice, the one at 15:00 UTC is taken: visit 2, Tuesday 9 June 2026 at 10:00",
        "DOES NOT EXIST on that day: visit 3, Tuesday 9 June 2026 at 10:00",
        "WOULD ALREADY HAVE BEGUN: visit 4, Tuesday 9 June 2026 at 10:00",
        "CLASH: visit 1 and visit 2 would overlap",
    ]
    assert not change.is_possible
    assert [one.id for one in change.begun] == [4]
