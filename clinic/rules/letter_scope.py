"""What a clinician may be asked about: conditions that wait for a clearance, and for which treatments.

A letter can only ever be about these. Whatever is blocked stays blocked, and is not offered here.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping

from clinic.rules.answers import Answers, read_answers
from clinic.rules.body_areas import FULL_BODY
from clinic.rules.findings import Finding
from clinic.rules.language import N_
from clinic.rules.rule_table import TABLE, RuleTable
from clinic.rules.sheet import Sheet, Treatment, strongest
from clinic.rules.verdicts import ADDONS, COLUMNS, INTERVAL, VACUUM, Urgency, Verdict
from clinic.rules.years import age_on, years_after

AHEAD_DAYS = 365
"""How far ahead windows are looked at: a letter may come before the day from which it counts."""

COLUMN_WORDS: Mapping[str, str] = {
    "decompression_traction": N_("Decompression by hand"),
    "decompression_vacuum": N_("Decompression by vacuum"),
    "decompression_vacuum_magnetic": N_("Decompression by vacuum with magnets"),
    "swedish": N_("Swedish massage"),
    "deep_tissue": N_("Deep tissue massage"),
    "sports": N_("Sports massage"),
    "relaxation": N_("Relaxation massage"),
    "hot_stone": N_("Hot stones"),
    "aromatherapy": N_("Aromatherapy"),
}
"""What staff call the columns that rules judge."""

ISSUER_NAMES: Mapping[str, str] = {
    "physician": N_("doctor"),
    "specialist": N_("specialist doctor"),
    "nurse_practitioner": N_("nurse practitioner"),
    "midwife": N_("midwife"),
    "physiotherapist": N_("physiotherapist"),
    "massage_therapist": N_("massage therapist"),
    "chiropractor": N_("chiropractor"),
    "other": N_("somebody else"),
}
"""What somebody is who writes a letter."""

# Facts for the reader of a letter: the suction ceiling and the chamber's range are the house's own figures.
COLUMN_FACTS: Mapping[str, str] = {
    "decompression_traction": N_(
        "slow stretching and pulling by hand along the spine and limbs; no belts, no machine"
    ),
    "decompression_vacuum": (
        N_(
            "cups lift the skin with up to 25 kPa (190 mmHg), never more than 30 kPa (225 mmHg), at most five minutes"
            " on one spot; it leaves marks for some days"
        )
    ),
    "decompression_vacuum_magnetic": (
        N_(
            "cups with magnets lift the skin with up to 25 kPa (190 mmHg), never more than 30 kPa (225 mmHg), at most"
            " five minutes on one spot; it leaves marks for some days"
        )
    ),
    "swedish": N_("gliding, kneading and rubbing strokes of medium pressure with oil"),
    "deep_tissue": N_("slow, firm pressure with hands and forearms on deeper muscle layers"),
    "sports": N_("targeted, firm work on the muscles that are strained most"),
    "relaxation": N_("light, long strokes with oil"),
    "hot_stone": N_("smooth stones, warm but never hot, kept moving on the skin"),
    "aromatherapy": N_("scented plant oil, thinned in the massage oil"),
}
CHAMBER_FACTS = N_(
    "the body lies up to the ribs in a chamber in which mild suction of 2 to 7 kPa (15 to 53 mmHg) and release take"
    " turns for 20 to 30 minutes"
)


def label_of(key: str) -> str:
    """What a condition is called; also what is no condition but may have to be cleared."""
    return TABLE.clearable(key).label


def awaiting_clearance(
    answers: Answers, *, born_on: dt.date, today: dt.date, table: RuleTable = TABLE
) -> dict[str, tuple[str, ...]]:
    """For each condition that a clearance is needed for, today or on a later day within a year: its columns.

    The conditions that a combination wants named count with it; a treatment that is blocked all the same
    does not. Raises ``AnswerError`` for unreadable answers.
    """
    found: dict[str, set[str]] = {}
    for treatment, day in _everything(answers, born_on, today):
        sheet = Sheet.of(treatment, answers, day=day, age=age_on(born_on, day), table=table)
        for column in (*treatment.judged_as, *treatment.addons):
            findings = sheet.findings((column,))
            if strongest(findings) is Verdict.BLOCK:
                continue
            for finding in findings:
                for key in _needed(finding, sheet):
                    found.setdefault(key, set()).add(column)
    return {key: tuple(column for column in COLUMNS if column in columns) for key, columns in found.items()}


def _needed(finding: Finding, sheet: Sheet) -> list[str]:
    if finding.verdict is not Verdict.CLEARANCE or finding.urgency is not Urgency.NONE:
        return []
    named: tuple[str, ...] = (finding.rule,)
    if finding.rule not in sheet.declared:
        rule = next(one for one in sheet.combinations if one.key == finding.rule)
        named = tuple(key for key in rule.must_name if key in sheet.declared or key in TABLE.clearance_only)
    # What nobody may clear is asked of nobody, although it waits (low blood pressure in the chamber).
    return [key for key in named if TABLE.clearable(key).who_may_clear]


def _everything(answers: Answers, born_on: dt.date, today: dt.date) -> Iterator[tuple[Treatment, dt.date]]:
    """Every treatment on every day on which something may turn, on an unknown place and on the whole body."""
    last = today + dt.timedelta(days=AHEAD_DAYS)
    turning = {day for one in read_answers(answers).values() for day in one.turning_days}
    turning |= {years_after(born_on, today.year - born_on.year + more) for more in (0, 1)}
    for day in sorted(day for day in {today, *turning} if today <= day <= last):
        for areas in ((), (FULL_BODY,)):
            for column in COLUMNS:
                if column not in ADDONS:
                    yield Treatment((column,), areas=areas), day
            yield Treatment((VACUUM,), mode=INTERVAL, addons=ADDONS, areas=areas), day
