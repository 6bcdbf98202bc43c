"""A judgement as it is kept: plain values, in the words of the rules of that day."""

from __future__ import annotations

from collections.abc import Mapping

from clinic.rules.findings import Finding, change_words
from clinic.rules.language import ENGLISH
from clinic.rules.rule_change import RuleChange
from clinic.rules.screening import Screening as Judgement
from clinic.rules.words import day_words
from clinic.shared.languages import speaking


def clearances_used(*judgements: Judgement) -> list[int]:
    """Ids of the clearances that made something weaker in any of these judgements."""
    used = [one for judgement in judgements for one in judgement.clearances_used]
    return sorted({one.id for one in used if isinstance(one.id, int)})


def _staff_note(finding: Finding, limits: Mapping[object, str]) -> str:
    """What staff read; where a clearance counted, its day and what the clinician asked to keep to."""
    notes = [finding.staff_note]
    for one in finding.clearances:
        kept = limits.get(one.id, "")
        within = f" with these limits: {kept}" if kept else ""
        notes.append(f"A letter of {day_words(one.issued_on)} allows it{within}.")
    return " ".join(notes)


def _change_record(change: RuleChange | None) -> dict[str, object] | None:
    """The clinic's own change that made the verdict, so that a less strict one is marked wherever it is read."""
    if change is None:
        return None
    return {**change.as_record(), "words": change_words(change)}


def finding_record(finding: Finding, limits: Mapping[object, str]) -> dict[str, object]:
    """One finding as it is kept: plain values, in the words of the rules of that day.

    A record does not depend on who happened to be at the screen: it is in the language of the rules.
    """
    with speaking(ENGLISH):
        return _plain_values(finding, limits)


def _plain_values(finding: Finding, limits: Mapping[object, str]) -> dict[str, object]:
    return {
        "rule": finding.rule,
        "label": finding.label,
        "verdict": finding.verdict.word,
        "urgency": finding.urgency.word,
        "column": finding.column,
        "reason": finding.reason,
        "staff_note": _staff_note(finding, limits),
        "source": finding.source,
        "until": finding.until.isoformat() if finding.until else None,
        "what_would_change": finding.what_would_change,
        "who_may_clear": list(finding.who_may_clear),
        "clearances": [one.id for one in finding.clearances],
        "changed_by_clinic": _change_record(finding.changed),
    }
