"""The warning before a licence runs out: 60, 30 and 7 days ahead."""

from __future__ import annotations

import datetime as dt

import pytest

from clinic.rules.licence import Days, LicenceState, common, licence_state, licence_words, skill_words

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


def test_what_has_days_holds_from_the_first_to_the_last_of_them() -> None:
    yesterday, tomorrow = TODAY - dt.timedelta(days=1), TODAY + dt.timedelta(days=1)
    holds = {
        "always": (Days(), [True, True, True]),
        "from today": (Days(TODAY), [False, True, True]),
        "until today": (Days(None, TODAY), [True, True, False]),
        "today alone": (Days(TODAY, TODAY), [False, True, False]),
    }
    for name, (days, expected) in holds.items():
        assert [days.hold(day) for day in (yesterday, TODAY, tomorrow)] == expected, name


def test_several_hold_together_where_each_of_them_does() -> None:
    early, late = Days(None, TODAY), Days(TODAY - dt.timedelta(days=3), TODAY + dt.timedelta(days=3))
    assert common([early, late]) == Days(late.starts_on, TODAY)
    assert common([]) == Days()
    apart = common([Days(TODAY), Days(None, TODAY - dt.timedelta(days=1))])
    assert not any(apart.hold(TODAY + dt.timedelta(days=number)) for number in range(-2, 2))


def test_the_words_say_what_comes_first() -> None:
    far = TODAY + dt.timedelta(days=200)
    assert [
        skill_words(days, TODAY)
        for days in (
            Days(), Days(TODAY), Days(None, far), Days(None, TODAY), Days(None, TODAY - dt.timedelta(days=1)),
            Days(TODAY + dt.timedelta(days=1)), Days(TODAY + dt.timedelta(days=1), far),
        )
    ] == [
        "", "", "Good until Saturday 26 December", "Today is the last day, Tuesday 9 June",
        "Ended on Monday 8 June", "From Wednesday 10 June on", "From Wednesday 10 June to Saturday 26 December",
    ]  # fmt: skip
