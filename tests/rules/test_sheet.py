"""One treatment on one day: that a letter is held against this mode and these areas, and when a finding weakens."""

from __future__ import annotations

import datetime as dt

import pytest

from clinic.rules.clearances import Clearance
from clinic.rules.sheet import strongest
from clinic.rules.verdicts import Verdict
from tests.rules.gate_cases import DAY, ago, sheet, yes

VACUUM = "decompression_vacuum"
RHYTHM = {"heart_rhythm": yes(under_treatment=True)}


def letter(modes: frozenset[str] | None = None, areas: frozenset[str] | None = None) -> Clearance:
    issued = DAY - dt.timedelta(days=5)
    return Clearance("heart_rhythm", frozenset({VACUUM}), issued, "physician", modes=modes, areas=areas)


@pytest.mark.parametrize(
    ("modes", "mode", "expected"),
    [
        (None, None, Verdict.CAUTION),
        (None, "interval", Verdict.CAUTION),
        (frozenset({"cups"}), None, Verdict.CAUTION),
        (frozenset({"cups"}), "interval", Verdict.CLEARANCE),
        (frozenset({"interval"}), "interval", Verdict.CAUTION),
        (frozenset({"interval"}), None, Verdict.CLEARANCE),
    ],
)
def test_letter_counts_only_in_the_mode_it_names(
    modes: frozenset[str] | None, mode: str | None, expected: Verdict
) -> None:
    judged = sheet(RHYTHM, service=VACUUM, mode=mode, clearances=[letter(modes=modes)])
    assert strongest(judged.findings((VACUUM,))) is expected


@pytest.mark.parametrize(
    ("areas", "asked", "expected"),
    [
        (None, ["full_body"], Verdict.CAUTION),
        (frozenset({"back"}), ["upper_back"], Verdict.CAUTION),
        (frozenset({"back"}), ["upper_back", "neck"], Verdict.CLEARANCE),
        (frozenset({"back"}), ["full_body"], Verdict.CLEARANCE),
    ],
)
def test_letter_counts_only_for_the_areas_it_names(
    areas: frozenset[str] | None, asked: list[str], expected: Verdict
) -> None:
    judged = sheet(RHYTHM, service=VACUUM, areas=asked, clearances=[letter(areas=areas)])
    assert strongest(judged.findings((VACUUM,))) is expected


def test_letter_for_the_back_does_not_open_the_chamber() -> None:
    """The chamber encloses everything below the ribs, whatever was asked for."""
    back = letter(areas=frozenset({"back"}))
    judged = sheet(RHYTHM, service=VACUUM, mode="interval", areas=["upper_back"], clearances=[back])
    assert strongest(judged.findings((VACUUM,))) is Verdict.CLEARANCE


def test_combination_weakens_on_the_day_its_window_closes() -> None:
    answers = {
        "osteoporosis": yes(severity="osteoporosis"),
        "fracture": yes(date=ago(100), site=["left_hand"]),
    }
    together = {one.rule: one.until for one in sheet(answers).findings(("swedish",))}
    assert together["I13"] == DAY + dt.timedelta(days=265)


def test_rule_speaks_once_although_a_service_is_judged_by_several_columns() -> None:
    answers = {"blood_thinners": yes(), "easy_bruising": yes()}
    found = sheet(answers).findings(("swedish", "deep_tissue"))
    assert [(one.rule, one.column) for one in found if one.rule == "I01"] == [("I01", "deep_tissue")]
    assert len({one.rule for one in found}) == len(found)
