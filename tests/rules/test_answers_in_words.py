"""Answers as a person reads them: every kind of detail, and what the table no longer knows."""

from __future__ import annotations

import datetime as dt

import pytest

from clinic.rules.answers_in_words import Said, changes_in_words, declared_in_words


def details(key: str, **answer: object) -> dict[str, str]:
    (said,) = declared_in_words({key: {"present": True, **answer}})
    return dict(said.details)


def test_days_and_choices_are_said_in_words() -> None:
    assert details("stroke_tia", date="2026-03-01") == {
        "When was the last one?": "Sunday 1 March 2026",
    }
    assert details("diabetes", status="controlled", complications=False, insulin=True) == {
        "Is your sugar under control?": "Yes, under control",
        "Any damage to heart, kidneys, eyes, feet or blood flow?": "No",
        "Do you use insulin?": "Yes",
    }


def test_numbers_are_said_as_they_were_typed() -> None:
    assert details("high_blood_pressure", status="controlled", systolic=120, diastolic=72.5) == {
        "Is it under control?": "Yes, under control",
        "Your last reading: the top number": "120",
        "Your last reading: the bottom number": "72.5",
    }


def test_a_day_with_a_time_is_said_as_a_day() -> None:
    assert details("stroke_tia", date="2026-03-01T10:00:00") == {
        "When was the last one?": "Sunday 1 March 2026",
    }


@pytest.mark.parametrize("nothing", [None, "", []])
def test_what_was_left_out_is_not_given(nothing: object) -> None:
    assert details("stroke_tia", date=nothing) == {"When was the last one?": "not given"}
    assert details("diabetes", status=nothing)["Is your sugar under control?"] == "not given"
    assert list(details("hernia", site=nothing).values()) == ["not given"]


def test_a_choice_that_the_table_has_lost_is_said_as_it_was_stored() -> None:
    assert details("diabetes", status="borderline")["Is your sugar under control?"] == "borderline"


def test_a_text_in_the_place_of_an_area_is_said_as_it_was_stored() -> None:
    assert list(details("hernia", site="abdomen").values()) == ["abdomen"]


def test_a_condition_that_the_table_has_lost_is_said_whole() -> None:
    answers = {"gone_row": {"present": True, "last_seen_on": "long ago", "changed_on": "2026-06-01"}}
    assert declared_in_words(answers) == [
        Said("gone_row", "Gone row", (("Last seen on", "long ago"),), dt.date(2026, 6, 1))
    ]


def test_a_change_carries_the_tables_own_label() -> None:
    (change,) = changes_in_words({}, {"stroke_tia": {"present": True}})
    assert change.label == "Stroke or mini-stroke (TIA)"
    assert change.after is not None
    assert change.after.label == change.label
