"""What a clinician may be asked about: what waits for a clearance, never what is blocked."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import pytest

from clinic.rules.letter_scope import COLUMN_FACTS, COLUMN_WORDS, awaiting_clearance, label_of
from clinic.rules.rule_table import TABLE
from clinic.rules.verdicts import COLUMNS

TODAY = dt.date(2026, 6, 9)
BORN = dt.date(1985, 5, 5)
GENTLE = ("swedish", "relaxation")


def waiting(born_on: dt.date = BORN, **declared: Mapping[str, object]) -> dict[str, tuple[str, ...]]:
    answers = {key: {"present": True, **details} for key, details in declared.items()}
    return awaiting_clearance(answers, born_on=born_on, today=TODAY)


def test_nothing_declared_needs_no_letter() -> None:
    assert waiting() == {}


def test_condition_is_offered_for_what_waits_and_not_for_what_is_blocked() -> None:
    assert waiting(heart_failure={"worsening": False}) == {
        "heart_failure": ("decompression_traction", "swedish", "relaxation")
    }


def test_a_block_that_turns_into_a_clearance_later_is_offered_already() -> None:
    operation = {
        "date": "2026-06-01",
        "type": "hip",
        "site": ["left_hip"],
        "minor": False,
        "complications": False,
    }
    assert set(GENTLE) <= set(waiting(recent_surgery=operation)["recent_surgery"])


def test_what_something_else_blocks_is_not_offered() -> None:
    alone = waiting(heart_failure={"worsening": False})["heart_failure"]
    with_spread = waiting(heart_failure={"worsening": False}, cancer_metastatic={"bone_metastases": True})
    assert "swedish" in alone
    assert "swedish" not in with_spread["heart_failure"]


def test_addons_are_offered_although_the_vacuum_they_may_go_with_is_blocked() -> None:
    assert waiting(bleeding_disorder={}) == {
        "bleeding_disorder": ("decompression_traction", "swedish", "relaxation", "hot_stone")
    }


def test_what_only_waits_in_the_chamber_is_offered() -> None:
    controlled = {"status": "controlled", "systolic": 159, "diastolic": 99}
    assert waiting(high_blood_pressure=controlled) == {"high_blood_pressure": ("decompression_vacuum",)}


def test_what_only_waits_where_a_part_of_the_body_is_meant_is_offered() -> None:
    arm = {"type": "lymphoedema", "site": ["left_hand"]}
    assert waiting(swelling_lymphoedema=arm) == {"swelling_lymphoedema": ("swedish", "relaxation")}


def test_what_is_blocked_for_good_is_not_offered() -> None:
    assert waiting(blood_clot={"status": "current", "still_on_treatment": True}) == {}


def test_a_combination_asks_for_everything_it_names() -> None:
    single = {
        "med_class": "single_antiplatelet",
        "medication": "aspirin",
        "stable_3_months": True,
        "bruising": False,
    }
    found = waiting(blood_thinners=single, easy_bruising={})
    assert set(GENTLE) <= set(found["blood_thinners"])
    assert set(GENTLE) <= set(found["easy_bruising"])


def test_what_nobody_may_clear_is_asked_of_nobody() -> None:
    assert waiting(low_blood_pressure={}) == {}
    wound = {"type": "wound", "site": ["left_foot"], "extent": "small"}
    assert set(waiting(weak_immune={}, open_wound_burn=wound)) == {"weak_immune"}


def test_a_warning_sign_needs_care_and_no_letter() -> None:
    assert waiting(rf_saddle_numbness={"checked_by_doctor": False}) == {}


@pytest.mark.parametrize(
    ("born_on", "columns"),
    [
        (dt.date(2010, 5, 5), ("decompression_traction", "deep_tissue")),
        (dt.date(2016, 5, 5), None),
        (dt.date(2014, 12, 9), ("decompression_traction", "deep_tissue")),  # 12 within the year
        (dt.date(2015, 3, 5), ("decompression_traction", "deep_tissue")),  # 12 with the next birthday
        (dt.date(2015, 6, 9), ("decompression_traction", "deep_tissue")),  # 12 in a year to the day
        (dt.date(2015, 6, 10), None),
        (dt.date(2008, 6, 9), None),  # 18 today
        (dt.date(2008, 6, 10), ("decompression_traction", "deep_tissue")),
    ],
)
def test_under_18_may_be_cleared_from_12_on(born_on: dt.date, columns: tuple[str, ...] | None) -> None:
    assert waiting(born_on).get("age_under_18") == columns


def test_somebody_born_on_29_february_can_be_judged() -> None:
    assert "age_under_18" in waiting(dt.date(2012, 2, 29))


def test_every_column_has_words_and_facts_and_every_clearable_thing_a_label() -> None:
    assert tuple(COLUMN_WORDS) == tuple(COLUMN_FACTS) == COLUMNS
    for column in ("decompression_vacuum", "decompression_vacuum_magnetic"):
        assert "30 kPa" in COLUMN_FACTS[column]
    assert label_of("age_under_18") == "Under 18"
    assert label_of("heart_failure") == TABLE.conditions["heart_failure"].label
