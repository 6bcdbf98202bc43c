"""One screening case in its exchange format: read strictly, judged, and written back as a result.

The format is for clinicians who check the rules and for tests; it needs no database. A case with an unknown
key or field, a wrong type or an impossible date is refused, naming the case and the field: nothing is guessed.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from clinic.rules.answers import AnswerError
from clinic.rules.body_areas import AREAS
from clinic.rules.case_parts import CaseError, CasePart, DoubledFields, object_of
from clinic.rules.clearances import Clearance
from clinic.rules.conditions import ISSUERS
from clinic.rules.findings import Finding
from clinic.rules.gates import GuardianConsent
from clinic.rules.rule_table import TABLE
from clinic.rules.screening import Screening, Treatment, screen
from clinic.rules.verdicts import ADDONS, COLUMNS, INTERVAL, SERVICES, Outcome
from clinic.rules.years import age_on

__all__ = ["CaseError", "judge", "judge_case", "object_of"]

OLDEST = 130
CLEARABLE = TABLE.conditions.keys() | TABLE.clearance_only.keys()

EXISTING_BOOKING: dict[Outcome, str] = {
    Outcome.ALLOW: "keep",
    Outcome.ALLOW_FLAG_THERAPIST: "keep_flag_therapist",
    Outcome.HOLD_UNTIL_CLEARANCE: "suspend_until_clearance",
    Outcome.NEEDS_GUARDIAN_CONSENT: "suspend_until_clearance",
    Outcome.NEEDS_INTAKE: "suspend_until_clearance",
    Outcome.REFUSE: "cancel",
    Outcome.REFUSE_URGENT: "cancel",
}
"""What becomes of a visit that is already booked when the new answers give this outcome."""


def judge(cases: object) -> dict[str, object] | list[dict[str, object]]:
    """Judge one case, or a list of cases in the same order; raises ``CaseError`` at the first bad one."""
    if isinstance(cases, list):
        return [judge_case(case, f"number {place} of the list") for place, case in enumerate(cases, 1)]
    return judge_case(cases)


def judge_case(case: object, unnamed: str = "?") -> dict[str, object]:
    """Judge one case; raises ``CaseError`` for anything that the format does not know.

    The error names the case by its id, or as ``unnamed`` where it has none. The result has the fields of the
    format: id, verdict, urgency, booking, addon_verdicts, existing_booking, findings of the main service,
    rules_version.
    """
    read = _Case(case, unnamed)
    treatment, answers = read.treatment(), read.answers()
    age, consent = read.client()
    clearances = read.take_list("clearances", read.clearance, optional=True)
    completed_on = read.intake_completed_on()
    has_booking = read.existing_booking()
    read.close()
    try:
        screening = screen(
            treatment,
            answers,
            day=read.day,
            age=age,
            intake_completed_on=completed_on,
            clearances=clearances,
            consent=consent,
        )
    except AnswerError as error:
        raise read.fail(f"answers.{error.key}.{error.field}", error.problem) from error
    return _result(read.case_id, screening, has_booking)


def _result(case_id: str, screening: Screening, has_booking: bool) -> dict[str, object]:
    return {
        "id": case_id,
        "verdict": screening.verdict.word,
        "urgency": screening.urgency.word,
        "booking": screening.outcome.word,
        "addon_verdicts": {addon: verdict.word for addon, verdict in screening.addon_verdicts.items()},
        "existing_booking": EXISTING_BOOKING[screening.outcome] if has_booking else None,
        "findings": [_finding(one) for one in screening.main_findings],
        "rules_version": screening.rules_version,
    }


def _finding(finding: Finding) -> dict[str, object]:
    written: dict[str, object] = {
        "rule": finding.rule,
        "verdict": finding.verdict.word,
        "reason": finding.reason,
        "source": finding.source,
    }
    if finding.until is not None:
        written["until"] = finding.until.isoformat()
    return written


class _Case(CasePart):
    def __init__(self, case: object, unnamed: str) -> None:
        case_id = case.get("id") if isinstance(case, Mapping) else None
        super().__init__(case_id if isinstance(case_id, str) else unnamed, "", case)
        if not isinstance(self.take("id"), str):
            raise self.fail("id", "needs a text")
        self.take_day("intake_date")
        self.day = self.take_needed_day("appointment_date")

    def treatment(self) -> Treatment:
        """What is to be done."""
        service = self.take_word("service", SERVICES)
        mode = self.take("mode", optional=True)
        addons = self.take_words("addons", ADDONS, optional=True)
        areas = self.take_words("requested_areas", AREAS)
        if mode not in (None, INTERVAL):
            raise self.fail("mode", f"unknown word {mode!r}")
        try:
            return Treatment((service,), INTERVAL if mode else None, addons, areas)
        except ValueError as error:
            raise self.fail("mode", str(error)) from error

    def answers(self) -> dict[str, Mapping[str, object]]:
        """The answers as the gate reads them; the gate checks their details."""
        part = CasePart(self.case_id, "answers", self.take("answers"))
        answers: dict[str, Mapping[str, object]] = {}
        for key in part.fields():
            value = part.take(key)
            if not isinstance(value, Mapping):
                raise part.fail(key, "needs an object")
            if isinstance(value, DoubledFields):
                raise part.fail(f"{key}.{value.field}", "is there twice")
            if "not_sure" in value:
                raise part.fail(f"{key}.not_sure", "unknown field")
            answers[key] = value
        return answers

    def client(self) -> tuple[int, GuardianConsent | None]:
        """Age on the day of the visit, and the guardian's consent if there is one."""
        client = CasePart(self.case_id, "client", self.take("client"))
        age = self._age(client)
        consent = self._consent(client.take("guardian_consent", optional=True))
        client.close()
        return age, consent

    def intake_completed_on(self) -> dt.date | None:
        """The day of the last full intake."""
        intake = self.take("intake")
        if intake is None:
            return None
        part = CasePart(self.case_id, "intake", intake)
        completed_on = part.take_day("completed_on")
        part.close()
        return completed_on

    def _age(self, client: CasePart) -> int:
        age, born_on = client.take("age", optional=True), client.take_day("born_on")
        if age is not None and (type(age) is not int or not 0 <= age <= OLDEST):
            raise client.fail("age", "needs whole years")
        if born_on is None:
            if not isinstance(age, int):
                raise client.fail("age", "is missing, and so is born_on")
            return age
        if born_on > self.day:
            raise client.fail("born_on", "lies after the visit")
        counted = age_on(born_on, self.day)
        if age not in (None, counted):
            raise client.fail("age", "does not fit born_on")
        return counted

    def _consent(self, value: object) -> GuardianConsent | None:
        if value is None:
            return None
        part = CasePart(self.case_id, "client.guardian_consent", value)
        consent = GuardianConsent(part.take_day("signed_on"), part.take_flag("will_be_in_room"))
        part.close()
        return consent

    def clearance(self, index: int, value: object) -> Clearance:
        """One clearance on file."""
        part = CasePart(self.case_id, f"clearances[{index}]", value)
        clearance = Clearance(
            condition=part.take_word("condition", CLEARABLE),
            services=frozenset(part.take_words("services", COLUMNS)),
            issued_on=part.take_needed_day("issued_on"),
            issued_by=part.take_word("issued_by", ISSUERS),
            expires_on=part.take_day("expires_on"),
            withdrawn_on=part.take_day("withdrawn_on"),
        )
        part.close()
        return clearance

    def existing_booking(self) -> bool:
        """Whether the visit is already booked."""
        value = self.take("existing_booking", optional=True)
        if value is None:
            return False
        part = CasePart(self.case_id, "existing_booking", value)
        status = part.take("status", optional=True)
        if status is not None and not isinstance(status, str):
            raise part.fail("status", "needs a text")
        part.take_day("made_on")
        service = part.take("service", optional=True)
        if service is not None and service not in SERVICES:
            raise part.fail("service", f"unknown word {service!r}")
        part.close()
        return True
