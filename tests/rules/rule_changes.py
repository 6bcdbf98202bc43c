"""Changes of rules and judgements under them, for tests."""

from __future__ import annotations

import datetime as dt
from typing import Any

from clinic.rules.changed_table import (
    adjusted,
)
from clinic.rules.rule_change import RuleChange
from clinic.rules.rule_table import TABLE, RuleTable
from clinic.rules.screening import Screening, Treatment, screen
from clinic.rules.sheet import Sheet, strongest
from clinic.rules.verdicts import COLUMNS, Verdict
from tests.rules.gate_cases import ADULT, DAY, yes

SINCE = dt.date(2026, 3, 1)
PILLS = yes(med_class="anticoagulant", medication="warfarin", stable_3_months=True, bruising=False)
STABLE = {"blood_thinners": PILLS}


def stricter(rule: str, verdict: Verdict, *columns: str, **more: Any) -> RuleChange:
    return RuleChange(rule, columns or COLUMNS, verdict, SINCE, "We want to be careful", **more)


def laxer(rule: str, verdict: Verdict, *columns: str, **more: Any) -> RuleChange:
    said = {
        "clinician": "Dr Ada Ray", "role": "physician", "register_number": "MD 1", "said_on": SINCE,
        "made_on": TABLE.version,
    }  # fmt: skip
    return RuleChange(
        rule, columns or COLUMNS, verdict, SINCE, "Seen for years", is_laxer=True, **{**said, **more}
    )


def under(*changes: RuleChange, number: int = 1) -> RuleTable:
    return adjusted(TABLE, changes, number)


def judged(
    answers: dict[str, Any], table: RuleTable = TABLE, service: str = "swedish", **more: Any
) -> Screening:
    values: dict[str, Any] = {"day": DAY, "age": ADULT, "intake_completed_on": DAY, **more}
    areas = values.pop("areas", ("full_body",))
    mode, addons = values.pop("mode", None), values.pop("addons", ())
    treatment = Treatment((service,), mode=mode, addons=addons, areas=areas)
    return screen(treatment, answers, table=table, **values)


def code(answers: dict[str, Any], table: RuleTable = TABLE, **more: Any) -> str:
    values: dict[str, Any] = {"day": DAY, "age": ADULT, **more}
    treatment = Treatment(("swedish",), areas=values.pop("areas", ("full_body",)))
    sheet = Sheet.of(treatment, answers, table=table, **values)
    return "".join(str(int(strongest(sheet.findings((column,))))) for column in COLUMNS)
