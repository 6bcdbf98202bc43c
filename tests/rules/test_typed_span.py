"""Times as they are typed, also on the nights the clock is changed (New York: 8 March and 1 November 2026)."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from clinic.rules.errors import InvalidInput
from clinic.rules.typed_span import TypedSpan, Wall, rest_of_day, span_typed
from clinic.rules.wall_time import WallClock

CLOCK = WallClock(ZoneInfo("America/New_York"))
FORWARD, BACK = dt.date(2026, 3, 8), dt.date(2026, 11, 1)
PLAIN = dt.date(2026, 6, 9)


def typed(first: dt.date, start: str, last: dt.date, end: str) -> TypedSpan:
    walls = [
        Wall(day, dt.time.fromisoformat(text) if text else None)
        for day, text in ((first, start), (last, end))
    ]
    return span_typed(CLOCK, walls[0], walls[1], uses_24_hours=False)


def utc(*parts: int) -> dt.datetime:
    return dt.datetime(*parts, tzinfo=dt.UTC)  # type: ignore[arg-type,misc]


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        ("09:00", "12:30", (utc(2026, 6, 9, 13), utc(2026, 6, 9, 16, 30))),
        ("", "", (utc(2026, 6, 9, 4), utc(2026, 6, 10, 4))),
        ("09:00", "", (utc(2026, 6, 9, 13), utc(2026, 6, 10, 4))),
        ("", "09:00", (utc(2026, 6, 9, 4), utc(2026, 6, 9, 13))),
        ("20:00", "00:00", (utc(2026, 6, 10, 0), utc(2026, 6, 10, 4))),
    ],
)
def test_a_plain_day(start: str, end: str, expected: tuple[dt.datetime, dt.datetime]) -> None:
    whole_days = None if start or end else (PLAIN, PLAIN)
    assert typed(PLAIN, start, PLAIN, end) == TypedSpan(*expected, days=whole_days)


@pytest.mark.parametrize(("day", "hours"), [(FORWARD, 23), (BACK, 25), (PLAIN, 24)])
def test_a_whole_day_is_as_long_as_it_is(day: dt.date, hours: int) -> None:
    span = typed(day, "", day, "")
    assert (span.ends_at - span.starts_at, span.remarks) == (dt.timedelta(hours=hours), ())


@pytest.mark.parametrize(
    ("start", "end", "field"), [("02:30", "05:00", "starts"), ("01:00", "02:30", "ends")]
)
def test_a_time_that_does_not_exist_is_refused_at_its_field(start: str, end: str, field: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        typed(FORWARD, start, FORWARD, end)
    assert refused.value.field == field
    assert refused.value.sentence.startswith("There is no 2:30 am on Sunday 8 March 2026")


def test_a_time_that_comes_twice_makes_the_longer_span_and_is_said() -> None:
    span = typed(BACK, "01:30", BACK, "05:00")
    assert (span.starts_at, span.ends_at) == (utc(2026, 11, 1, 5, 30), utc(2026, 11, 1, 10))
    assert span.remarks == (
        "The clocks go back that night, so 1:30 am comes twice. It starts the first time.",
    )
    both = typed(BACK, "01:15", BACK, "01:45")
    assert (both.starts_at, both.ends_at) == (utc(2026, 11, 1, 5, 15), utc(2026, 11, 1, 6, 45))
    assert [one.rpartition(". ")[2] for one in both.remarks] == [
        "It starts the first time.",
        "It ends the second time.",
    ]


@pytest.mark.parametrize(
    ("last", "start", "end", "field"),
    [
        (PLAIN - dt.timedelta(days=1), "", "", "ends_on"),
        (PLAIN, "12:00", "09:00", "ends"),
        (PLAIN, "12:00", "12:00", "ends"),
    ],
)
def test_a_span_that_ends_before_it_starts_is_refused(
    last: dt.date, start: str, end: str, field: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        typed(PLAIN, start, last, end)
    assert refused.value.field == field
    before, after = "The last day lies before the first day.", "The end must come after the start."
    assert refused.value.sentence == (before if field == "ends_on" else after)


def test_an_end_that_comes_twice_is_said_as_the_clinic_writes_it() -> None:
    span = span_typed(CLOCK, Wall(BACK, None), Wall(BACK, dt.time(1, 30)), uses_24_hours=True)
    assert span == TypedSpan(
        utc(2026, 11, 1, 4),
        utc(2026, 11, 1, 6, 30),
        ("The clocks go back that night, so 01:30 comes twice. It ends the second time.",),
    )


def test_the_clinics_convention_is_kept_in_what_is_said() -> None:
    half_past_one = Wall(BACK, dt.time(1, 30))
    said = span_typed(CLOCK, half_past_one, Wall(BACK, dt.time(5)), uses_24_hours=True).remarks
    assert said == ("The clocks go back that night, so 01:30 comes twice. It starts the first time.",)
    with pytest.raises(InvalidInput, match="There is no 02:30 on"):
        span_typed(CLOCK, Wall(FORWARD, dt.time(2, 30)), Wall(FORWARD, dt.time(5)), uses_24_hours=True)
    with pytest.raises(InvalidInput, match="There is no 02:30 on"):
        span_typed(CLOCK, Wall(FORWARD, dt.time(1)), Wall(FORWARD, dt.time(2, 30)), uses_24_hours=True)


def test_the_rest_of_today_begins_with_a_whole_minute_in_utc() -> None:
    span = rest_of_day(CLOCK, dt.datetime(2026, 6, 9, 7, 30, 40, 5, tzinfo=CLOCK.zone))
    assert (span.starts_at, span.starts_at.tzinfo) == (utc(2026, 6, 9, 11, 30), dt.UTC)


def test_the_rest_of_today_ends_at_the_clinics_midnight() -> None:
    assert rest_of_day(CLOCK, utc(2026, 6, 9, 11, 30, 40)) == TypedSpan(
        utc(2026, 6, 9, 11, 30), utc(2026, 6, 10, 4)
    )
    late = utc(2026, 6, 10, 1)  # still 9 June in New York
    assert rest_of_day(CLOCK, late).ends_at == utc(2026, 6, 10, 4)
    assert rest_of_day(CLOCK, utc(2026, 11, 1, 4, 30)).ends_at == utc(2026, 11, 2, 5)
