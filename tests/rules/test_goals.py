"""What suits a goal, and what falls out of it for a person's safety."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic.rules.goals import ALSO, BY_KEY, FIRST, GOALS, NO, REFERRED, advice_for
from clinic.rules.verdicts import ADDONS, SERVICES, Verdict

verdicts = st.dictionaries(st.sampled_from(SERVICES), st.sampled_from(list(Verdict)))


def names(goal: str, **given_verdicts: Verdict) -> list[tuple[str, bool, bool]]:
    advice = advice_for(BY_KEY[goal], given_verdicts)
    return [(one.service, one.is_first, one.needs_word) for one in advice.suggestions]


def test_the_table_is_whole() -> None:
    for goal in GOALS:
        assert list(goal.fits) == list(SERVICES)
        assert set(goal.fits.values()) <= {FIRST, ALSO, NO, REFERRED}
        assert set(goal.addons) <= set(ADDONS)
        assert goal.fits["decompression_vacuum_magnetic"] in (NO, ALSO)  # never a first suggestion
    assert len(BY_KEY) == len(GOALS) == 13


def test_first_suggestions_come_first() -> None:
    assert names("calm") == [
        ("relaxation", True, False),
        ("decompression_traction", False, False),
        ("swedish", False, False),
    ]


def test_a_blocked_first_choice_falls_out_and_is_named() -> None:
    advice = advice_for(BY_KEY["knots"], {"deep_tissue": Verdict.BLOCK, "sports": Verdict.CLEARANCE})
    assert advice.fallen_out == ("deep_tissue",)
    assert names("knots", deep_tissue=Verdict.BLOCK, sports=Verdict.CLEARANCE) == [
        ("decompression_vacuum", False, False),
        ("sports", False, True),
    ]


def test_a_caution_changes_nothing() -> None:
    assert names("calm", relaxation=Verdict.CAUTION) == names("calm")


def test_what_is_given_on_chosen_places_comes_before_what_suits_as_well() -> None:
    on_places = {"decompression_vacuum", "deep_tissue", "sports"}

    def order(goal: str) -> list[str]:
        return [one.service for one in advice_for(BY_KEY[goal], {}, on_places=on_places).suggestions]

    assert order("wellness") == ["swedish", "relaxation", "decompression_vacuum"]
    assert order("new_back_pain") == [
        "swedish", "decompression_vacuum", "deep_tissue", "decompression_traction", "relaxation",
    ]  # fmt: skip


def test_what_needs_a_referral_is_never_first() -> None:
    assert names("after_operation") == [
        ("decompression_traction", False, True),
        ("decompression_vacuum", False, True),
        ("swedish", False, True),
        ("relaxation", False, True),
    ]


@pytest.mark.parametrize("goal", GOALS, ids=lambda goal: goal.key)
@given(found=verdicts)
def test_nothing_blocked_is_ever_suggested(goal: object, found: dict[str, Verdict]) -> None:
    advice = advice_for(goal, found)  # type: ignore[arg-type]
    suggested = {one.service for one in advice.suggestions}
    assert not suggested & {service for service, verdict in found.items() if verdict is Verdict.BLOCK}
    assert not suggested & set(advice.fallen_out)
    assert all(
        found.get(one.service, Verdict.CLEAR) <= Verdict.CAUTION for one in advice.suggestions if one.is_first
    )
