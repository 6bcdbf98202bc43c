"""What else the gate can say: red flags at once, services that are safe now, the first day that is possible."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from clinic.rules.answers import Answers, read_answers
from clinic.rules.body_areas import FULL_BODY
from clinic.rules.clearances import Clearance
from clinic.rules.row_verdicts import holds, judge_row
from clinic.rules.rule_table import TABLE, RuleTable
from clinic.rules.sheet import Sheet, Treatment, strongest
from clinic.rules.verdicts import SERVICES, Urgency, Verdict
from clinic.rules.years import age_on, years_after

GROWN_AT = (12, 18)
"""Birthdays from which on a combination by age is weaker."""


@dataclass(frozen=True)
class RedFlag:
    """A declared condition or a combination that stops the form, with its level."""

    rule: str
    label: str
    urgency: Urgency
    reason: str


def red_flags_in(answers: Answers, day: dt.date) -> tuple[RedFlag, ...]:
    """What in these answers stops the flow at once, the most urgent first; empty when nothing does.

    Raises ``AnswerError`` for answers that cannot be read.
    """
    declared = read_answers(answers)
    facts = {key: one.facts_on(day) for key, one in declared.items()}
    flags = [
        RedFlag(
            key,
            one.condition.label,
            judge_row(one.condition, facts[key], ()).urgency,
            one.condition.plain_reason,
        )
        for key, one in declared.items()
    ]
    flags += [
        RedFlag(rule.key, rule.label, rule.red_flag, rule.plain_reason)
        for rule in TABLE.combinations
        if rule.red_flag is not Urgency.NONE and holds(rule, facts, None)
    ]
    urgent = [flag for flag in flags if flag.urgency is not Urgency.NONE]
    return tuple(sorted(urgent, key=lambda flag: -flag.urgency))


def stops_today(answers: Answers) -> tuple[str, ...]:
    """Declared conditions that are about now (red flags, fever, catching illness, alcohol): keys of the rows.

    They hold, whatever the day of the visit, until a new answer is given on a later day.
    """
    return tuple(key for key, one in read_answers(answers).items() if one.condition.about_now)


def touches_combination(answers: Answers, *, age: int, day: dt.date) -> tuple[str, ...]:
    """The combinations that hold for these answers at this age on that day."""
    facts = {key: one.facts_on(day) for key, one in read_answers(answers).items()}
    return tuple(rule.key for rule in TABLE.combinations if holds(rule, facts, age))


def safe_services(
    answers: Answers,
    *,
    day: dt.date,
    age: int,
    areas: tuple[str, ...] = (FULL_BODY,),
    clearances: Iterable[Clearance] = (),
    table: RuleTable = TABLE,
) -> dict[str, Verdict]:
    """The services that are clear or caution for this person on that day; none when something is urgent.

    Only the medical verdict counts here, not whether an intake or a consent is still missing.
    """
    found = {}
    for service in SERVICES:
        treatment = Treatment((service,), areas=areas)
        sheet = Sheet.of(treatment, answers, day=day, age=age, clearances=clearances, table=table)
        if _may_be_booked(sheet):
            found[service] = strongest(sheet.findings((service,)))
    return found


def earliest_day(
    treatment: Treatment,
    answers: Answers,
    *,
    start: dt.date,
    born_on: dt.date,
    clearances: Iterable[Clearance] = (),
    within_days: int = 365,
    table: RuleTable = TABLE,
) -> dt.date | None:
    """The first day from ``start`` on whose medical verdict lets the treatment be booked; ``None`` within limits.

    Verdicts only become weaker on days where a window, a birthday or a clearance turns, so only those days are
    judged. Answers about now count as they are: with a red flag there is no such day.
    """
    clearances = tuple(clearances)
    days = turning_days(answers, born_on=born_on, clearances=clearances)
    last = start + dt.timedelta(days=within_days)
    for day in sorted(day for day in {start, *days} if start <= day <= last):
        age = age_on(born_on, day)
        sheet = Sheet.of(treatment, answers, day=day, age=age, clearances=clearances, table=table)
        if _may_be_booked(sheet):
            return day
    return None


def turning_days(answers: Answers, *, born_on: dt.date, clearances: Iterable[Clearance] = ()) -> set[dt.date]:
    """The days on which a window of these answers, a birthday or a clearance turns."""
    days = {day for one in read_answers(answers).values() for day in one.turning_days}
    days |= {clearance.issued_on for clearance in clearances}
    return days | {years_after(born_on, years) for years in GROWN_AT}


def _may_be_booked(sheet: Sheet) -> bool:
    verdict = strongest(sheet.findings(sheet.treatment.judged_as))
    return sheet.urgency is Urgency.NONE and verdict <= Verdict.CAUTION
