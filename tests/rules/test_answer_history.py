"""Answers beside earlier answers: what is dated, what is a weakening, what two people's answers make together."""

from __future__ import annotations

import datetime as dt

import pytest

from clinic.rules.answer_history import (
    both_waiting,
    differ,
    needs_review,
    plain,
    softens,
    united,
    with_changes_dated,
)

MONDAY, TUESDAY = dt.date(2026, 6, 8), dt.date(2026, 6, 9)
NO: dict[str, object] = {"present": False}
YES: dict[str, object] = {"present": True}
CALM: dict[str, object] = {"present": True, "status": "controlled"}
BAD: dict[str, object] = {"present": True, "status": "uncontrolled"}
UNSURE: dict[str, object] = {"present": True, "not_sure": True}


def test_no_and_never_asked_are_the_same() -> None:
    assert plain(None) == plain({}) == plain(NO) == {}
    assert plain({**NO, "status": "controlled"}) == {}


def test_day_of_a_change_is_no_part_of_what_is_said() -> None:
    assert plain({**CALM, "changed_on": "2026-06-01"}) == CALM


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ({"diabetes": CALM}, {"diabetes": CALM}, False),
        ({"diabetes": CALM}, {"diabetes": {**CALM, "changed_on": "2026-06-01"}}, False),
        ({"diabetes": NO}, {}, False),
        ({"diabetes": CALM}, {"diabetes": BAD}, True),
        ({"diabetes": CALM}, {}, True),
        ({}, {"diabetes": CALM}, True),
        ({"fever": NO, "diabetes": CALM}, {"fever": NO, "diabetes": NO}, True),
    ],
)
def test_answers_differ_when_they_say_something_else_about_a_condition(
    one: dict[str, dict[str, object]], other: dict[str, dict[str, object]], expected: bool
) -> None:
    assert differ(one, other) is expected


def test_first_answers_carry_no_day_of_change() -> None:
    assert with_changes_dated({"diabetes": CALM, "fever": NO}, None, TUESDAY) == {
        "diabetes": CALM,
        "fever": NO,
    }


def test_what_is_said_anew_is_dated_today() -> None:
    before = {"diabetes": CALM, "epilepsy": YES}
    dated = with_changes_dated({"diabetes": BAD, "epilepsy": NO, "fever": YES}, before, TUESDAY)
    assert dated == {
        "diabetes": {**BAD, "changed_on": "2026-06-09"},
        "epilepsy": {**NO, "changed_on": "2026-06-09"},
        "fever": {**YES, "changed_on": "2026-06-09"},
    }


def test_nothing_before_is_not_the_same_as_an_empty_version_before() -> None:
    assert with_changes_dated({"fever": YES}, None, TUESDAY) == {"fever": YES}
    assert with_changes_dated({"fever": YES}, {}, TUESDAY) == {"fever": {**YES, "changed_on": "2026-06-09"}}


def test_what_is_said_again_keeps_the_day_it_had() -> None:
    before = {"diabetes": {**CALM, "changed_on": "2026-05-01"}, "epilepsy": YES}
    dated = with_changes_dated({"diabetes": CALM, "epilepsy": YES, "fever": NO}, before, TUESDAY)
    assert dated == {"diabetes": {**CALM, "changed_on": "2026-05-01"}, "epilepsy": YES, "fever": NO}


def test_a_day_of_change_that_was_sent_in_is_not_believed() -> None:
    sent = {"diabetes": {**CALM, "changed_on": "2020-01-01"}}
    assert with_changes_dated(sent, {"diabetes": CALM}, TUESDAY) == {"diabetes": CALM}


@pytest.mark.parametrize(
    ("now_said", "before", "expected"),
    [
        ({}, {}, False),
        ({"diabetes": CALM}, {}, False),
        ({"diabetes": CALM}, {"diabetes": NO}, False),
        ({"diabetes": CALM}, {"diabetes": CALM}, False),
        ({"diabetes": CALM}, {"diabetes": BAD}, True),
        ({"diabetes": NO}, {"diabetes": BAD}, True),
        ({}, {"diabetes": BAD}, True),
        # one that stays as it is does not end the search for one that is gone
        ({"epilepsy": YES}, {"epilepsy": YES, "diabetes": BAD}, True),
        ({"epilepsy": YES}, {"asthma_breathing": NO, "epilepsy": YES, "diabetes": BAD}, True),
        ({}, {"fever": YES, "diabetes": BAD}, True),
    ],
)
def test_taking_back_or_changing_what_was_declared_is_a_weakening(
    now_said: dict[str, dict[str, object]], before: dict[str, dict[str, object]], expected: bool
) -> None:
    assert softens(now_said, before, given_on=MONDAY, today=TUESDAY) is expected


@pytest.mark.parametrize("key", ["fever", "contagious_illness", "alcohol_drugs_today"])
def test_what_passes_by_itself_may_go_on_a_later_day_but_not_on_the_same(key: str) -> None:
    assert softens({key: NO}, {key: YES}, given_on=MONDAY, today=TUESDAY) is False
    assert softens({key: NO}, {key: YES}, given_on=TUESDAY, today=TUESDAY) is True


@pytest.mark.parametrize(
    ("rule", "expected"),
    [("rf_leg_weakness", True), ("I06", True), ("pregnancy", True), ("fever", False)],
)
def test_all_but_what_passes_by_itself_needs_a_clinical_review(rule: str, expected: bool) -> None:
    assert needs_review(rule) is expected


@pytest.mark.parametrize(
    ("sources", "expected"),
    [
        ([], {}),
        ([{"diabetes": CALM}], {"diabetes": CALM}),
        ([{"diabetes": CALM}, {"diabetes": NO}], {"diabetes": CALM}),
        ([{"diabetes": NO}, {"diabetes": CALM}], {"diabetes": CALM}),
        ([{"diabetes": NO}, {"diabetes": NO}], {"diabetes": NO}),
        ([{"diabetes": CALM}, {"diabetes": CALM}], {"diabetes": CALM}),
        ([{"diabetes": CALM}, {"diabetes": BAD}], {"diabetes": UNSURE}),
        ([{"diabetes": CALM}, {"diabetes": BAD}, {"diabetes": CALM}], {"diabetes": UNSURE}),
        ([{"diabetes": CALM}, {"epilepsy": YES}], {"diabetes": CALM, "epilepsy": YES}),
    ],
)
def test_two_peoples_answers_count_together_and_a_contradiction_as_not_sure(
    sources: list[dict[str, dict[str, object]]], expected: dict[str, dict[str, object]]
) -> None:
    assert united(sources) == expected


def test_uniting_leaves_the_answers_as_they_were() -> None:
    first, second = {"diabetes": dict(CALM)}, {"diabetes": dict(BAD)}
    united([first, second])["diabetes"]["present"] = False
    assert (first, second) == ({"diabetes": CALM}, {"diabetes": BAD})
    alone = {"diabetes": dict(CALM)}
    united([alone])["diabetes"]["present"] = False
    assert alone == {"diabetes": CALM}


@pytest.mark.parametrize(
    ("waits", "more", "together"),
    [
        ({}, {}, {}),
        ({"diabetes": CALM}, {}, {"diabetes": CALM}),
        ({}, {"diabetes": CALM}, {"diabetes": CALM}),
        ({"diabetes": CALM}, {"diabetes": CALM}, {"diabetes": CALM}),
        ({"diabetes": CALM}, {"diabetes": BAD}, {"diabetes": UNSURE}),
        ({"diabetes": BAD}, {"epilepsy": YES}, {"diabetes": BAD, "epilepsy": YES}),
        (
            {"chart_pain": {"present": True, "site": ["neck"]}},
            {"chart_pain": {"present": True, "site": ["face", "neck"]}},
            {"chart_pain": {"present": True, "site": ["face", "neck"]}},
        ),
        (
            {"chart_avoid": {"present": True}},
            {"chart_avoid": {"present": True, "site": ["face"]}},
            {"chart_avoid": {"present": True, "site": ["face"]}},
        ),
    ],
)
def test_of_what_two_wait_with_neither_is_lost(
    waits: dict[str, dict[str, object]],
    more: dict[str, dict[str, object]],
    together: dict[str, dict[str, object]],
) -> None:
    assert both_waiting(waits, more) == both_waiting(more, waits) == together
