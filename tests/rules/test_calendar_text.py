"""The patterns say exactly which days and moments there are."""

from __future__ import annotations

import datetime as dt
import re

import pytest

from clinic.rules.calendar_text import DAY, DAY_OF_A_LIFE, MOMENT, birth_days


@pytest.mark.parametrize(("pattern", "first", "last"), [(DAY, 1971, 2199), (DAY_OF_A_LIFE, 1900, 2200)])
def test_every_day_of_the_years_fits_and_no_other(pattern: str, first: int, last: int) -> None:
    kind = re.compile(pattern)
    day = dt.date(first - 1, 12, 1)
    while day.year <= last + 1:
        assert bool(kind.fullmatch(day.isoformat())) == (first <= day.year <= last), day
        day += dt.timedelta(days=1)


@pytest.mark.parametrize(
    "text",
    [
        "2100-02-29",
        "2026-02-29",
        "2026-02-30",
        "2026-04-31",
        "2026-13-01",
        "2026-00-10",
        "2026-1-1",
        "20260101",
    ],
)
def test_what_is_no_day_does_not_fit(text: str) -> None:
    assert not re.fullmatch(DAY, text)


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        ("2026-12-01T09:00:00+01:00", True),
        ("2026-12-01T09:00Z", True),
        ("2026-12-01T09:00:00.123456-05:45", True),
        ("2026-12-01T09:00:00", False),
        ("2026-12-01 09:00:00Z", False),
        ("2026-12-01T24:00:00Z", False),
        ("2026-02-29T09:00:00Z", False),
        ("2026-12-01T09:00:00+24:00", False),
    ],
)
def test_a_moment_has_an_offset(text: str, fits: bool) -> None:
    assert bool(re.fullmatch(MOMENT, text)) == fits


def test_nobody_is_born_tomorrow_or_too_long_ago() -> None:
    pattern = birth_days(dt.date(2026, 11, 26), 120)
    fits = [
        bool(re.fullmatch(pattern, day)) for day in ("2026-11-26", "2026-11-27", "1906-01-01", "1905-12-31")
    ]
    assert fits == [True, False, True, False]
