"""What passes by itself, and what a stop holds of what was told."""

from __future__ import annotations

import pytest

from clinic.rules import answer_history
from clinic.rules.answer_history import PASSING
from clinic.rules.rule_table import TABLE

TOLD: dict[str, dict[str, object]] = {
    "rf_chest_pain_breathless": {"present": True},
    "fever": {"present": True},
    "blood_thinners": {"present": True, "medication": "warfarin"},
}


@pytest.mark.parametrize("rule", [*TABLE.conditions, *(rule.key for rule in TABLE.combinations)])
def test_every_stop_but_what_passes_by_itself_is_reviewed(rule: str) -> None:
    assert answer_history.needs_review(rule) == (
        rule not in {"fever", "contagious_illness", "alcohol_drugs_today"}
    )


@pytest.mark.parametrize(
    ("passes", "left"), [(True, ["blood_thinners"]), (False, ["fever", "blood_thinners"])]
)
def test_the_stop_holds_the_signs_and_what_passes(passes: bool, left: list[str]) -> None:
    assert list(answer_history.beside_the_sign(TOLD, passes=passes)) == left


def test_what_passes_is_in_the_table() -> None:
    assert set(TABLE.conditions) >= PASSING
