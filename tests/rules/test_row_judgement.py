"""What the judgement of one row says beside its verdicts: the variant, whether it is sure, whether it is near."""

from __future__ import annotations

from dataclasses import replace

import pytest

from clinic.rules.answers import read_answer, read_answers
from clinic.rules.expressions import Name, compile_expression
from clinic.rules.row_verdicts import RowJudgement, holds, undecided_fields
from clinic.rules.rule_table import TABLE
from clinic.rules.verdicts import Urgency
from tests.rules.gate_cases import DAY, ago, code, sheet, yes


def fracture(areas: list[str], **details: object) -> RowJudgement:
    return sheet({"fracture": yes(site=["left_knee"], **details)}, areas=areas).rows["fracture"]


def test_row_with_a_day_before_the_visit_is_sure() -> None:
    row = fracture(["left_leg"], date=ago(10))
    assert (row.sure, row.on_site) == (True, True)
    assert row.variant is not None
    assert row.variant.when.text == "days<84"


def test_row_with_a_day_after_the_visit_names_its_variant_and_is_not_sure() -> None:
    row = fracture(["left_leg"], date=ago(-1))
    assert (row.sure, row.on_site) == (False, True)
    assert row.variant is not None
    assert row.variant.when.text == "days<84"


def test_row_with_a_day_after_the_visit_knows_that_it_is_elsewhere() -> None:
    assert fracture(["upper_back"], date=ago(-1)).on_site is False
    assert fracture(["upper_back"], date=ago(10)).on_site is False
    assert fracture(["left_leg"], date=ago(10)).on_site is True


def test_row_without_its_day_is_not_sure() -> None:
    row = fracture(["left_leg"])
    assert (row.sure, row.variant, row.urgency) == (False, None, Urgency.NONE)


def test_empty_place_is_no_place_and_the_rows_own_place_counts() -> None:
    assert code({"hernia": yes(site=[])}, areas=["upper_back"]) == "211111100"


@pytest.mark.parametrize(
    ("key", "missing"),
    [("heart_disease", {"type", "date"}), ("sickle_cell", {"trait_only", "crisis_now"})],
)
def test_everything_that_several_variants_wait_for_is_asked(key: str, missing: set[str]) -> None:
    declared = read_answer(key, yes())
    assert declared is not None
    assert undecided_fields(declared.condition, declared.facts_on(DAY)) == missing


def test_combination_does_not_hold_by_a_detail_of_what_nobody_declared() -> None:
    when = compile_expression("fracture.days < 84", {"fracture.days": Name("number")}.get)
    fresh_break = replace(TABLE.combinations[0], when=when, conditions=frozenset({"fracture"}))
    declared = {key: one.facts_on(DAY) for key, one in read_answers({"fracture": yes(date=ago(3))}).items()}
    undated = {key: one.facts_on(DAY) for key, one in read_answers({"fracture": yes()}).items()}
    assert holds(fresh_break, {}, 40) is False
    assert holds(fresh_break, declared, 40) is True
    assert holds(fresh_break, undated, 40) is True
