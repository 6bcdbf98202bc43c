"""Which times fit a wish on the waitlist, and how long an offer stands."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clinic.rules import waitlist
from clinic.rules.errors import InvalidInput
from clinic.rules.waitlist import Part, When

MONDAY = dt.date(2026, 6, 8)
NOW = dt.datetime(2026, 6, 9, 13, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
FORTNIGHT = When(MONDAY, MONDAY + dt.timedelta(days=13))


def test_parts_of_the_day_begin_at_midnight_noon_and_five() -> None:
    found = [
        waitlist.part_of(dt.time(*wall)) for wall in ((0, 0), (11, 59), (12, 0), (16, 59), (17, 0), (23, 59))
    ]
    assert found == ["morning", "morning", "afternoon", "afternoon", "evening", "evening"]


def test_a_start_fits_by_day_weekday_and_part() -> None:
    when = replace(FORTNIGHT, weekdays=frozenset({1, 3}), parts=frozenset({Part.EVENING}))
    tuesday = dt.datetime(2026, 6, 9, 17, tzinfo=dt.UTC)
    assert when.fits(tuesday)
    assert when.fits(tuesday.replace(day=18, hour=20))
    assert not when.fits(tuesday.replace(hour=16, minute=59))  # afternoon
    assert not when.fits(tuesday.replace(day=10))  # Wednesday
    assert not when.fits(tuesday.replace(day=23))  # after the last day
    assert not when.fits(tuesday.replace(day=2))  # before the first
    assert FORTNIGHT.fits(tuesday.replace(day=8, hour=0))
    assert FORTNIGHT.fits(tuesday.replace(day=21, hour=23))


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("last_day", {"last_day": MONDAY - dt.timedelta(days=1)}),
        ("last_day", {"first_day": dt.date(2026, 1, 1), "last_day": dt.date(2026, 6, 7)}),
        ("last_day", {"last_day": MONDAY + dt.timedelta(days=waitlist.LONGEST_DAYS + 1)}),
        ("parts", {"parts": frozenset()}),
        ("parts", {"parts": frozenset({"night"})}),
        ("notice_hours", {"notice_hours": -1}),
        ("notice_hours", {"notice_hours": 337}),
        ("weekdays", {"weekdays": frozenset()}),
        ("weekdays", {"weekdays": frozenset({7})}),
        ("weekdays", {"last_day": MONDAY + dt.timedelta(days=1), "weekdays": frozenset({2})}),
    ],
)
def test_a_wish_that_cannot_come_true_is_refused_at_its_field(field: str, change: dict[str, object]) -> None:
    FORTNIGHT.check(today=MONDAY)
    with pytest.raises(InvalidInput) as refused:
        replace(FORTNIGHT, **change).check(today=MONDAY)  # type: ignore[arg-type]
    assert refused.value.field == field


def test_a_weekday_that_has_passed_in_these_days_is_refused() -> None:
    """From Monday to Wednesday, Mondays only, said on Tuesday: nothing is left."""
    when = When(MONDAY, MONDAY + dt.timedelta(days=2), weekdays=frozenset({0}))
    when.check(today=MONDAY)
    with pytest.raises(InvalidInput):
        when.check(today=MONDAY + dt.timedelta(days=1))


def until(starts_in: dt.timedelta, **more: int) -> dt.datetime | None:
    said = {"minutes": 60, "lead_minutes": 0, "notice_hours": 0, **more}
    return waitlist.offered_until(NOW + starts_in, now=NOW, **said)


def test_an_offer_stands_for_its_time_and_shorter_when_the_start_is_near() -> None:
    assert until(48 * HOUR) == NOW + HOUR
    assert until(HOUR) == NOW + HOUR
    assert until(HOUR / 2) == NOW + HOUR / 2
    assert until(48 * HOUR, minutes=20) == NOW + HOUR / 3
    assert until(3 * HOUR, lead_minutes=150) == NOW + HOUR / 2
    assert until(3 * HOUR, notice_hours=2, lead_minutes=30) == NOW + HOUR
    assert until(2.5 * HOUR, notice_hours=2) == NOW + HOUR / 2


def test_no_offer_where_the_notice_is_not_kept_or_nobody_could_decide() -> None:
    assert until(2 * HOUR, notice_hours=2) is None
    assert until(HOUR, notice_hours=2) is None
    assert until(2 * HOUR + dt.timedelta(minutes=9), notice_hours=2) is None
    assert until(2 * HOUR + dt.timedelta(minutes=10), notice_hours=2) == NOW + dt.timedelta(minutes=10)
    assert until(-HOUR) is None


@settings(max_examples=200, deadline=None)
@given(st.integers(-100, 20_000), st.integers(10, 600), st.integers(0, 600), st.integers(0, 336))
def test_whoever_accepts_at_the_last_moment_still_has_the_notice(
    starts_in: int, minutes: int, lead: int, notice: int
) -> None:
    start = NOW + dt.timedelta(minutes=starts_in)
    end = waitlist.offered_until(start, now=NOW, minutes=minutes, lead_minutes=lead, notice_hours=notice)
    if end is None:
        return
    assert NOW + waitlist.SHORTEST_OFFER <= end <= NOW + dt.timedelta(minutes=minutes)
    assert start - end >= max(dt.timedelta(minutes=lead), dt.timedelta(hours=notice))


def test_touching_is_not_overlapping() -> None:
    span = (NOW, NOW + HOUR)
    assert waitlist.touches(span, [(NOW + HOUR / 2, NOW + 2 * HOUR)])
    assert waitlist.touches(span, [(NOW - HOUR, NOW + 2 * HOUR)])
    assert not waitlist.touches(span, [(NOW + HOUR, NOW + 2 * HOUR), (NOW - HOUR, NOW)])
    assert not waitlist.touches(span, [])


def test_a_wish_in_words() -> None:
    assert waitlist.words_of(FORTNIGHT) == "any day, at any time"
    some = replace(FORTNIGHT, weekdays=frozenset({0, 2, 4}), parts=frozenset({"evening", "morning"}))
    assert waitlist.words_of(some) == ("Monday, Wednesday and Friday, in the morning or in the evening")
    one_day = replace(some, last_day=MONDAY, weekdays=frozenset({0}))
    assert waitlist.words_of(one_day) == "in the morning or in the evening", "the day is said already"
    assert waitlist.words_of(replace(FORTNIGHT, last_day=MONDAY)) == "at any time"
