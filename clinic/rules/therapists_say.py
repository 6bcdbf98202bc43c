"""A therapist who treats somebody may ask for more care than the rules do: never for less.

What they ask for is a minimum under the verdict of the rules. No letter meets it: it ends when it is withdrawn,
or after its last day.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from clinic.rules.findings import Finding
from clinic.rules.language import N_
from clinic.rules.screening import Screening
from clinic.rules.verdicts import ADDONS, Outcome, Urgency, Verdict

RULE: Final = "therapist"
LABEL: Final = N_("Your therapist")
REASON: Final = N_("Your therapist would like to talk with you first.")
SHORTEST_REASON: Final = 5

COLUMN_WORDS: Final = {
    "decompression_traction": N_("Decompression by hand (traction)"),
    "decompression_vacuum": N_("Decompression by vacuum"),
    "decompression_vacuum_magnetic": N_("Vacuum with magnets"),
    "swedish": N_("Swedish massage"),
    "deep_tissue": N_("Deep tissue"),
    "sports": N_("Sports massage"),
    "relaxation": N_("Relaxation massage"),
    "hot_stone": N_("Hot stones"),
    "aromatherapy": N_("Aromatherapy"),
}
"""What is judged, in the words of the form that names it."""

_OUTCOMES = {
    Verdict.CAUTION: Outcome.ALLOW_FLAG_THERAPIST,
    Verdict.CLEARANCE: Outcome.HOLD_UNTIL_CLEARANCE,
    Verdict.BLOCK: Outcome.REFUSE,
}


@dataclass(frozen=True)
class Restriction:
    """At least this verdict for these columns (none named: all), on days up to `until` (None: until withdrawn)."""

    verdict: Verdict
    reason: str
    services: frozenset[str] = frozenset()
    until: dt.date | None = None

    def holds(self, column: str, day: dt.date) -> bool:
        """Whether it is about this column on that day; the last day is still inside."""
        return (not self.services or column in self.services) and (self.until is None or day <= self.until)


def raised(judgement: Screening, restrictions: Iterable[Restriction], columns: Iterable[str]) -> Screening:
    """The judgement with every restriction on these columns counted as a minimum; never laxer than it was."""
    said = list(restrictions)
    addons = dict(judgement.addon_verdicts)
    verdict, outcome, findings = judgement.verdict, judgement.outcome, list(judgement.findings)
    for one, column in ((one, column) for column in columns for one in said):
        if not one.holds(column, judgement.day):
            continue
        findings.append(_finding(one, column))
        verdict, outcome = max(verdict, one.verdict), max(outcome, _OUTCOMES[one.verdict])
    for one, addon in ((one, addon) for addon in addons for one in said):
        if one.services and one.holds(addon, judgement.day):
            findings.append(_finding(one, addon))
            addons[addon] = max(addons[addon], one.verdict)
    ordered = tuple(sorted(findings, key=lambda one: (-one.urgency, -one.verdict)))
    return replace(judgement, verdict=verdict, outcome=outcome, addon_verdicts=addons, findings=ordered)


def is_the_only_wait(judgement: Screening) -> bool:
    """Whether nothing but a therapist's say keeps the visit waiting: then it is a talk that is needed."""
    strong = [
        one for one in judgement.findings if one.verdict >= Verdict.CLEARANCE and one.column not in ADDONS
    ]
    return bool(strong) and not judgement.gates and all(one.rule == RULE for one in strong)


def _finding(one: Restriction, column: str) -> Finding:
    return Finding(
        rule=RULE, label=LABEL, column=column, verdict=one.verdict, urgency=Urgency.NONE, reason=REASON,
        staff_note=one.reason, source="the treating therapist", until=None, who_may_clear=(), sure=True,
    )  # fmt: skip
