"""What the judgement of one row says beside its verdicts: the variant, whether it is sure, whether it is near."""

from __future__ import annotations

from clinic.rules.row_verdicts import RowJudgement
from clinic.rules.verdicts import Urgency
from tests.rules.gate_cases import ago, code, sheet, yes


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
