"""What reports count, and what they keep to themselves; and the days they are about."""

from __future__ import annotations

import datetime as dt

import pytest

from clinic.rules import report_counts as counts
from clinic.rules import report_period as periods
from clinic.rules.errors import InvalidInput
from clinic.rules.report_period import Period

DAY = dt.date(2026, 6, 9)
AT = dt.datetime(2026, 6, 9, 13, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)


@pytest.mark.parametrize(
    ("days", "words"),
    [
        (-3, "The same day"), (0, "The same day"), (1, "The day before"), (2, "2 to 3 days"), (3, "2 to 3 days"),
        (4, "4 to 7 days"), (7, "4 to 7 days"), (8, "8 to 14 days"), (14, "8 to 14 days"), (15, "15 to 30 days"),
        (30, "15 to 30 days"), (31, "More than 30 days"),
    ],
)  # fmt: skip
def test_days_ahead_fall_into_bars(days: int, words: str) -> None:
    assert counts.lead_words(days) == words


def test_middle_of_nothing_is_unknown() -> None:
    assert counts.middle([]) is None
    assert counts.middle([5, 1, 2]) == 2


@pytest.mark.parametrize(
    ("signed", "words"),
    [
        ([], counts.MISSING),
        ([AT - 400 * dt.timedelta(days=1)], counts.MISSING),  # too old by the visit
        ([AT + 50 * HOUR], counts.MISSING),  # after the visit began
        ([AT - HOUR], counts.ON_FILE),
        ([AT], counts.ON_FILE),
        ([AT + HOUR], counts.WHILE_BOOKING),
        ([AT + HOUR + dt.timedelta(seconds=1)], counts.BEFORE),
        ([AT + 48 * HOUR], counts.BEFORE),
        ([AT + 20 * HOUR, AT - HOUR], counts.ON_FILE),
    ],
)
def test_when_the_questions_of_a_visit_were_signed(signed: list[dt.datetime], words: str) -> None:
    assert counts.intake_words(AT, AT + 48 * HOUR, signed, 365) == words


def test_what_is_about_fewer_than_five_people_is_not_even_named() -> None:
    found = counts.guarded(
        {"Heart": {1, 2, 3, 4}, "Skin": set(range(5)), "Bones": set(range(14)), "None": set()}
    )
    assert found.shown == (("Bones", 10), ("Skin", 5))
    assert found.is_some_hidden
    assert not counts.guarded({"Skin": set(range(7)), "None": set()}).is_some_hidden


def test_one_person_more_or_less_is_not_seen_but_at_a_step_of_five() -> None:
    shown = [counts.guarded({"Skin": set(range(number))}).shown for number in range(5, 10)]
    assert set(shown) == {(("Skin", 5),)}


@pytest.mark.parametrize(
    ("after", "is_instead"), [(-1, False), (0, True), (24 * 60, True), (24 * 60 + 1, False)]
)
def test_what_is_booked_within_a_day_of_a_refusal_took_its_place(after: int, is_instead: bool) -> None:
    booked = AT + dt.timedelta(minutes=after)
    assert counts.is_soon_after(booked, [AT - 90 * 24 * HOUR, AT]) is is_instead
    assert not counts.is_soon_after(booked, [])


def test_periods() -> None:
    assert periods.last_four_weeks(DAY) == Period(dt.date(2026, 5, 12), dt.date(2026, 6, 8))
    assert periods.last_four_weeks(DAY).days == 28
    assert periods.month("2028-02") == Period(dt.date(2028, 2, 1), dt.date(2028, 2, 29))
    assert periods.month("2026-12") == Period(dt.date(2026, 12, 1), dt.date(2026, 12, 31))
    assert periods.between(DAY, DAY).days == 1
    assert periods.between(DAY, DAY + dt.timedelta(days=365)).days == 366


@pytest.mark.parametrize(
    "text", ["", "2026", "2026-13", "2026-00", "2026-1", "1999-01", "２026-01", "2026-01-01"]
)
def test_a_month_that_does_not_exist_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        periods.month(text)


@pytest.mark.parametrize(
    ("first", "last", "field"),
    [
        (DAY, DAY - dt.timedelta(days=1), "last"),
        (DAY, DAY + dt.timedelta(days=366), "last"),
        (dt.date(1999, 12, 1), dt.date(2000, 1, 1), "first"),
        (dt.date(2099, 12, 1), dt.date(2100, 1, 1), "first"),
    ],
)
def test_a_period_that_cannot_be_says_which_day_is_wrong(first: dt.date, last: dt.date, field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        periods.between(first, last)
    assert caught.value.field == field


def test_weeks_begin_on_monday_and_are_cut_at_the_period() -> None:
    found = periods.weeks_of(Period(dt.date(2026, 6, 10), dt.date(2026, 6, 22)))
    assert [(one.first.day, one.last.day) for one in found] == [(10, 14), (15, 21), (22, 22)]
    assert periods.weeks_of(Period(DAY, DAY)) == [Period(DAY, DAY)]


def test_a_long_period_goes_by_months_which_are_cut_at_the_period() -> None:
    year = Period(dt.date(2025, 6, 10), dt.date(2026, 2, 3))
    found = periods.steps_of(year)
    assert (found[0], found[-1]) == (
        Period(dt.date(2025, 6, 10), dt.date(2025, 6, 30)), Period(dt.date(2026, 2, 1), year.last),
    )  # fmt: skip
    assert (len(found), sum(one.days for one in found)) == (9, year.days)
    short = Period(dt.date(2026, 1, 5), dt.date(2026, 5, 24))
    assert periods.steps_of(short) == periods.weeks_of(short)
    assert len(periods.steps_of(Period(short.first, short.last + dt.timedelta(days=1)))) == 5
