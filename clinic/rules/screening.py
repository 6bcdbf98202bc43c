"""The gate: one treatment, one person, one day, judged in the fixed order of the clinical rules.

Red flags; row verdicts by day and place; the chamber's raise; clearances; combinations as minimums; add-ons
apart; the strongest holds; then the administrative gates. Pure: no clock, no database, nothing remembered.
What else the gate can say (red flags at once, what is safe, from when on) is in ``advice.py``.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from clinic.rules.advice import (
    RedFlag,
    earliest_day,
    red_flags_in,
    safe_services,
    stops_today,
    touches_combination,
)
from clinic.rules.answer_history import MARKS
from clinic.rules.answers import AnswerError, Answers
from clinic.rules.clearances import Clearance
from clinic.rules.findings import Finding
from clinic.rules.gates import STANDARD, Gate, GateSettings, GuardianConsent, gates_not_passed, is_overtaken
from clinic.rules.rule_table import TABLE, RuleTable
from clinic.rules.sheet import Sheet, Treatment, strongest
from clinic.rules.verdicts import ADDONS, Outcome, Urgency, Verdict

__all__ = [
    "AnswerError",
    "Answers",
    "Clearance",
    "Finding",
    "Gate",
    "GateSettings",
    "GuardianConsent",
    "RedFlag",
    "Screening",
    "Treatment",
    "earliest_day",
    "red_flags_in",
    "safe_services",
    "screen",
    "stops_today",
    "touches_combination",
]

CALL_FIRST_FROM = 3
"""From so many cautions on the therapist calls the client before the visit."""


@dataclass(frozen=True)
class Screening:
    """The judgement. ``verdict`` is the medical one for the main service, clearances counted.

    ``findings`` hold everything that speaks against the treatment, strongest first, add-ons included (by their
    ``column``); ``gates`` the administrative gates that are not passed; ``clearances_used`` what counted.
    """

    day: dt.date
    verdict: Verdict
    urgency: Urgency
    outcome: Outcome
    addon_verdicts: Mapping[str, Verdict]
    findings: tuple[Finding, ...]
    gates: tuple[Gate, ...]
    rules_version: str

    @property
    def permits(self) -> bool:
        """Whether a visit may be confirmed with this judgement."""
        return self.outcome.permits

    @property
    def is_urgent(self) -> bool:
        """Whether the flow stops with an urgent message."""
        return self.urgency is not Urgency.NONE

    @cached_property
    def main_findings(self) -> tuple[Finding, ...]:
        """The findings about the main service."""
        return tuple(finding for finding in self.findings if finding.column not in ADDONS)

    @property
    def dropped_addons(self) -> tuple[str, ...]:
        """Add-ons that may not be done and are taken off; the main service stands on its own verdict."""
        return tuple(key for key, verdict in self.addon_verdicts.items() if verdict >= Verdict.CLEARANCE)

    @property
    def call_first(self) -> bool:
        """Whether the therapist should call the client before the visit: three or more cautions, marks not counted."""
        cautions = [
            one for one in self.main_findings if one.verdict is Verdict.CAUTION and one.rule not in MARKS
        ]
        return len(cautions) >= CALL_FIRST_FROM

    @property
    def clearances_used(self) -> tuple[Clearance, ...]:
        """The clearances that counted in some finding, without repeats."""
        return tuple(dict.fromkeys(used for one in self.findings for used in one.clearances))


def screen(
    treatment: Treatment,
    answers: Answers,
    *,
    day: dt.date,
    age: int,
    intake_completed_on: dt.date | None,
    clearances: Iterable[Clearance] = (),
    consent: GuardianConsent | None = None,
    settings: GateSettings = STANDARD,
    table: RuleTable = TABLE,
) -> Screening:
    """Judge ``treatment`` on ``day``, to which every window counts, for a person of ``age`` in whole years then.

    ``intake_completed_on`` is the day of the last full signed intake, ``None`` when there is none. ``table`` is what
    a clinic judges by when it has changed rules of its own.
    Raises ``AnswerError`` (a ``ValueError``) for answers that cannot be read: nothing is guessed.
    """
    sheet = Sheet.of(treatment, answers, day=day, age=age, clearances=clearances, table=table)
    main = sheet.findings(treatment.judged_as)
    addons = {addon: sheet.findings((addon,)) for addon in treatment.addons}
    verdict, urgency = strongest(main), sheet.urgency
    services = (*treatment.judged_as, *treatment.addons)
    full_intake = None if is_overtaken(intake_completed_on, sheet.declared) else intake_completed_on
    gates = gates_not_passed(full_intake, consent, services, day, age, settings)
    findings = [*main, *(finding for found in addons.values() for finding in found)]
    return Screening(
        day=day,
        verdict=verdict,
        urgency=urgency,
        outcome=max([_medical_outcome(verdict, urgency), *(gate.outcome for gate in gates)]),
        addon_verdicts={addon: strongest(found) for addon, found in addons.items()},
        findings=tuple(sorted(findings, key=lambda one: (-one.urgency, -one.verdict))),
        gates=gates,
        rules_version=table.version,
    )


def _medical_outcome(verdict: Verdict, urgency: Urgency) -> Outcome:
    if urgency is not Urgency.NONE:
        return Outcome.REFUSE_URGENT
    return {
        Verdict.CLEAR: Outcome.ALLOW,
        Verdict.CAUTION: Outcome.ALLOW_FLAG_THERAPIST,
        Verdict.CLEARANCE: Outcome.HOLD_UNTIL_CLEARANCE,
        Verdict.BLOCK: Outcome.REFUSE,
    }[verdict]
