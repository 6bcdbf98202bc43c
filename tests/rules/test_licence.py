"""The warning before a licence runs out: 60, 30 and 7 days ahead."""

from __future__ import annotations

import datetime as dt

import pytest

from clinic.rules.licence import LicenceState, licence_state, licence_words

TODAY = dt.date(2026, 6, 9)


@pytest.mark.parametrize(
    ("days_left", "state"),
    [
        (61, "good"),
        (60, "soon"),
        (31, "soon"),
        (30, "near"),
        (8, "near"),
        (7, "last"),
        (0, "last"),
        (-1, "expired"),
    ],
)
def test_warning_grows_at_60_30_and_7_days(days_left: int, state: str) -> None:
    assert licence_state(TODAY + dt.timedelta(days=days_left), TODAY) is LicenceState(state)


@pytest.mark.parametrize(
    ("days_left", "words"),
    [
        (400, "Good until Wednesday 14 July 2027"),
        (5, "Expires in 5 days, last day Sunday 14 June"),
        (2, "Expires in 2 days, last day Thursday 11 June"),
        (1, "Tomorrow is the last day, Wednesday 10 June"),
        (0, "Today is the last day, Tuesday 9 June"),
        (-1, "Expired on Monday 8 June: no visits can be booked"),
    ],
)
def test_words_name_the_last_good_day(days_left: int, words: str) -> None:
    assert licence_words(TODAY + dt.timedelta(days=days_left), TODAY) == words
