"""A typed week: times as people write them, what cannot be right, and the week in words."""

from __future__ import annotations

import datetime as dt

import pytest

from clinic.rules.wall_time import WeeklyHours
from clinic.rules.week import WeekProblem, parse_time, span_words, week_in_words, week_minutes, week_problems


def hours(weekday: int, starts: str, ends: str) -> WeeklyHours:
    return WeeklyHours(weekday, dt.time.fromisoformat(starts), dt.time.fromisoformat(ends))


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("09:30", "09:30"),
        ("9.30", "09:30"),
        ("930", "09:30"),
        ("0930", "09:30"),
        ("9h30", "09:30"),
        (" 9 ", "09:00"),
        ("9 am", "09:00"),
        ("9pm", "21:00"),
        ("1 am", "01:00"),
        ("12 pm", "12:00"),
        ("12:15 AM", "00:15"),
        ("9:30 p.m.", "21:30"),
        ("24:00", "00:00"),
        ("00:00", "00:00"),
    ],
)
def test_time_is_read_as_people_write_it(typed: str, meant: str) -> None:
    assert parse_time(typed) == dt.time.fromisoformat(meant)


@pytest.mark.parametrize(
    "typed", ["", "noon", "25:00", "24:15", "9:60", "13 pm", "0 am", "9:3", "-1", "9:30:00"]
)
def test_what_is_no_time_is_none(typed: str) -> None:
    assert parse_time(typed) is None


def test_a_right_week_has_no_problems() -> None:
    week = [hours(0, "09:00", "12:00"), hours(0, "12:00", "17:00"), hours(6, "22:00", "02:00")]
    assert week_problems(week, [hours(0, "10:00", "10:15"), hours(6, "01:00", "01:30")]) == []


def test_hours_of_one_day_may_not_overlap() -> None:
    found = week_problems([hours(0, "13:00", "17:00"), hours(0, "09:00", "13:01")])
    sentence = "This overlaps 09:00 to 13:01 on Monday. Leave one of them out or change the times."
    assert found == [WeekProblem("work", 0, sentence)]
    (said,) = week_problems([hours(0, "13:00", "17:00"), hours(0, "09:00", "13:01")], uses_24_hours=False)
    assert said.sentence.startswith("This overlaps 9:00 am to 1:01 pm on Monday.")


def test_a_night_may_not_run_into_the_next_morning() -> None:
    assert [
        problem.row for problem in week_problems([hours(0, "20:00", "03:00"), hours(1, "02:59", "06:00")])
    ] == [1]
    assert week_problems([hours(0, "20:00", "03:00"), hours(1, "03:00", "06:00")]) == []


def test_sundays_night_may_not_run_into_monday() -> None:
    sunday = hours(6, "20:00", "03:00")
    assert [problem.row for problem in week_problems([hours(0, "02:59", "06:00"), sunday])] == [1]
    assert week_problems([hours(0, "03:00", "06:00"), sunday]) == []


def test_a_break_lies_inside_hours_of_its_day() -> None:
    work = [hours(0, "09:00", "12:00"), hours(0, "13:00", "17:00")]
    outside = hours(0, "11:45", "12:15")
    found = week_problems(work, [hours(0, "10:00", "10:15"), outside, hours(1, "10:00", "10:15")])
    assert found == [
        WeekProblem("break", 1, "This break does not lie inside the hours of Monday."),
        WeekProblem("break", 2, "This break does not lie inside the hours of Tuesday."),
    ]


def test_breaks_may_not_overlap() -> None:
    breaks = [hours(0, "10:00", "10:30"), hours(0, "10:15", "10:45")]
    assert [problem.row for problem in week_problems([hours(0, "09:00", "17:00")], breaks)] == [1]


def test_a_break_that_overlaps_another_is_named_as_a_break() -> None:
    breaks = [hours(0, "10:00", "10:30"), hours(0, "10:15", "10:45")]
    sentence = "This overlaps 10:00 to 10:30 on Monday. Leave one of them out or change the times."
    assert week_problems([hours(0, "09:00", "17:00")], breaks) == [WeekProblem("break", 1, sentence)]


def test_a_break_is_never_a_whole_day() -> None:
    work, whole_day = [hours(0, "00:00", "00:00")], [hours(0, "12:00", "12:00")]
    sentence = "The start and the end are the same. Check the times."
    assert week_problems(work, whole_day, may_be_whole_day=True) == [WeekProblem("break", 0, sentence)]


def test_every_row_is_looked_at() -> None:
    rows = [hours(0, "09:00", "12:00"), hours(1, "10:00", "10:00"), hours(2, "17:00", "09:00")]
    assert [problem.row for problem in week_problems(rows)] == [1, 2]


def test_a_span_past_midnight_is_at_most_fourteen_hours() -> None:
    assert week_problems([hours(0, "18:00", "08:00")]) == []
    assert week_problems([hours(0, "17:59", "08:00")]) == [
        WeekProblem(
            "work",
            0,
            "This would last 14 hours 1 minute, into the next day. Check the times, or enter the part after "
            "midnight on the next day.",
        )
    ]
    split = [hours(0, "09:00", "00:00"), hours(1, "00:00", "02:00"), hours(1, "09:00", "00:00")]
    assert week_problems(split) == [], "what the sentence says"


def test_the_same_start_and_end_means_all_day_only_where_that_may_be() -> None:
    around_the_clock = [hours(0, "00:00", "00:00")]
    assert week_problems(around_the_clock, may_be_whole_day=True) == []
    sentence = "The start and the end are the same. Check the times."
    assert week_problems(around_the_clock) == [WeekProblem("work", 0, sentence)]


def test_minutes_of_the_week_leave_breaks_out() -> None:
    assert (
        week_minutes([hours(0, "09:00", "17:00"), hours(4, "22:00", "02:00")], [hours(0, "12:00", "12:30")])
        == 690
    )


def test_week_in_words_joins_days_that_are_alike() -> None:
    week = [hours(day, "09:00", "18:00") for day in range(5)] + [hours(5, "10:00", "14:00")]
    assert week_in_words(week, uses_24_hours=False) == [
        ("Monday to Friday", "9:00 am to 6:00 pm"),
        ("Saturday", "10:00 am to 2:00 pm"),
        ("Sunday", "closed"),
    ]
    assert week_in_words([], uses_24_hours=True) == [("Every day", "closed")]


def test_two_days_alike_are_joined_by_and() -> None:
    week = [
        hours(0, "09:00", "12:00"),
        hours(0, "14:00", "18:00"),
        hours(1, "14:00", "18:00"),
        hours(1, "09:00", "12:00"),
    ]
    assert week_in_words(week, uses_24_hours=True)[0] == (
        "Monday and Tuesday",
        "09:00 to 12:00, 14:00 to 18:00",
    )


@pytest.mark.parametrize(
    ("starts", "ends", "words"),
    [
        ("20:00", "00:00", "20:00 to midnight"),
        ("20:00", "02:00", "20:00 to 02:00 (next day)"),
        ("00:00", "00:00", "all day"),
        ("06:00", "06:00", "24 hours from 06:00"),
    ],
)
def test_hours_past_midnight_say_so(starts: str, ends: str, words: str) -> None:
    assert span_words(hours(0, starts, ends), uses_24_hours=True) == words
    assert span_words(hours(0, "06:00", "06:00"), uses_24_hours=False) == "24 hours from 6:00 am"
