"""A finding in full: what is said to the client, what to the therapist, who may clear it."""

from __future__ import annotations

import datetime as dt
from gettext import NullTranslations

import pytest

from clinic.rules import finding_words, language
from clinic.rules.clearances import Clearance
from clinic.rules.findings import Finding
from clinic.rules.rule_table import TABLE
from clinic.rules.verdicts import Urgency, Verdict
from tests.rules.gate_cases import DAY, ago, sheet, yes
from tests.rules.row_cases import CASES

FRACTURE = TABLE.conditions["fracture"]
BROKEN = {"fracture": yes(date=ago(10), site=["left_knee"])}


def first(answers: dict[str, dict[str, object]], **asked: object) -> Finding:
    return sheet(answers, **asked).findings(("swedish",))[0]  # type: ignore[arg-type]


def test_finding_of_a_row_on_the_site() -> None:
    assert first(BROKEN, areas=["left_leg"]) == Finding(
        rule="fracture",
        label=FRACTURE.label,
        column="swedish",
        verdict=Verdict.BLOCK,
        urgency=Urgency.NONE,
        reason=FRACTURE.plain_reason,
        staff_note=(
            f"{FRACTURE.label}: {FRACTURE.reason} In this case: first 12 weeks. At or near the requested area."
        ),
        source="; ".join(FRACTURE.sources),
        until=DAY + dt.timedelta(days=74),
        who_may_clear=FRACTURE.who_may_clear,
        sure=True,
        cleared_by=None,
        clearances=(),
    )


@pytest.mark.parametrize(
    ("details", "areas", "note"),
    [
        ({"date": ago(10), "site": ["left_knee"]}, ["neck"],
         "In this case: first 12 weeks. Not in the requested area: avoid it."),
        ({"site": ["left_knee"]}, ["left_leg"],
         "At or near the requested area. Details are missing: the strict default holds."),
    ],
)  # fmt: skip
def test_note_says_where_it_is_and_what_is_missing(
    details: dict[str, object], areas: list[str], note: str
) -> None:
    found = first({"fracture": yes(**details)}, areas=areas)
    assert found.staff_note == f"{FRACTURE.label}: {FRACTURE.reason} {note}"


def test_variant_without_words_of_its_own_adds_none() -> None:
    notes = [
        one.staff_note
        for case in CASES
        for one in sheet({case.key: yes(**case.details)}).findings(("swedish",))
    ]
    assert [note for note in notes if "In this case: ." in note] == []


def test_first_of_several_clearances_is_named() -> None:
    named = [
        Clearance(key, frozenset({"swedish"}), DAY - dt.timedelta(days=5), "physician")
        for key in ("blood_thinners", "easy_bruising")
    ]
    answers = {"blood_thinners": yes(), "easy_bruising": yes()}
    together = next(
        one for one in sheet(answers, clearances=named).findings(("swedish",)) if one.rule == "I01"
    )
    assert (together.verdict, together.clearances, together.cleared_by) == (
        Verdict.CAUTION,
        tuple(named),
        named[0],
    )


def test_finding_of_a_combination() -> None:
    rule = next(rule for rule in TABLE.combinations if rule.key == "I01")
    answers = {"blood_thinners": yes(), "easy_bruising": yes()}
    found = next(one for one in sheet(answers).findings(("swedish",)) if one.rule == "I01")
    assert found == Finding(
        rule="I01",
        label=rule.label,
        column="swedish",
        verdict=rule.minimum[3],
        urgency=Urgency.NONE,
        reason=rule.plain_reason,
        staff_note=f"I01, {rule.label}: {rule.reason}",
        source="; ".join(rule.sources),
        until=None,
        who_may_clear=found.who_may_clear,
        sure=True,
    )
    both = [set(TABLE.conditions[key].who_may_clear) for key in rule.must_name]
    assert set(found.who_may_clear) == both[0] & both[1]


def test_combination_that_names_nobody_to_clear_it_has_nobody() -> None:
    found = next(one for one in sheet({}, age=80).findings(("deep_tissue",)) if one.rule == "I17")
    assert (found.who_may_clear, found.clearances, found.cleared_by) == ((), (), None)
    assert found.urgency is Urgency.NONE


def test_urgent_combination_is_urgent() -> None:
    answers = {"fever": yes(), "unexplained_pain": yes()}
    found = next(one for one in sheet(answers).findings(("swedish",)) if one.rule == "I06")
    assert found.urgency is Urgency.EMERGENCY
    assert found.what_would_change.startswith("Please get medical care first.")


class Marked(NullTranslations):
    """A language in which every text stands in brackets."""

    def gettext(self, message: str) -> str:
        return f"[{message}]"


@pytest.mark.parametrize(
    ("answers", "parts"),
    [
        ({"fracture": yes(date=ago(10), site=["left_knee"])}, ["From %(day)s on"]),
        (
            {"heart_failure": yes(worsening=False)},
            ["It can be possible with a letter from %(who)s", "a doctor", "a specialist"],
        ),
        ({"heart_failure": yes()}, ["We do not know all about it yet"]),
    ],
)
def test_what_would_change_a_kept_finding_is_said_in_the_readers_language(
    monkeypatch: pytest.MonkeyPatch, answers: dict[str, dict[str, object]], parts: list[str]
) -> None:
    finding = first(answers, areas=["left_leg"])
    kept = {
        "what_would_change": finding.what_would_change,
        "who_may_clear": list(finding.who_may_clear),
        "until": finding.until.isoformat() if finding.until else None,
    }
    assert finding_words.what_would_change(kept) == finding.what_would_change
    monkeypatch.setattr(language._Spoken, "translations", staticmethod(Marked))
    told = finding_words.what_would_change(kept)
    for part in parts:
        text = part.split(" %(")[0]
        assert f"[{text}" in told, told
    assert finding_words.what_would_change({**kept, "what_would_change": "Worded anew."}) == "Worded anew."
