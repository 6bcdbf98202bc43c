"""Every rule as answers that somebody gives, with what the table says about them: for the tests of every door.

What a row says is read from the table that tests/rules writes out by hand, never from the code that judges.
"""

# ruff: noqa: E501 (a table: one combination a line)

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby, pairwise

from clinic.rules.rule_table import TABLE
from clinic.rules.verdicts import SERVICES
from tests.booking import world as w
from tests.rules.gate_cases import DAY, ago, yes
from tests.rules.row_cases import CASES, RowCase

ADULT = 40
PLACE = "lower_back"
DAYS = ("date", "weeks_as_of", "last_faint")
WORDS = ("clear", "caution", "clearance", "block")
Declared = dict[str, dict[str, object]]


@dataclass(frozen=True)
class Try:
    """One treatment somebody wants: what must come of it, and the verdict that the record must hold."""

    service: str
    end: str  # booked, waits, refused
    verdict: str


@dataclass(frozen=True)
class Case:
    """What somebody declares, how old they are on the day, and the treatments they try to have."""

    rule: str
    declared: Declared
    tries: tuple[Try, ...]
    age: int = ADULT
    urgent: bool = False

    @property
    def born_on(self) -> dt.date:
        return VISIT_DAY.replace(year=VISIT_DAY.year - self.age)


VISIT_DAY = w.TODAY + dt.timedelta(days=1)
NEEDS_CONSENT_UNDER = 18


def tries(code: str, *, age: int = ADULT, of: str = "320") -> tuple[Try, ...]:
    """One treatment for each verdict that the nine digits hold for the seven services: the strictest first. A "0"
    in `of` stands for the mildest that is allowed."""
    found = {digit: service for service, digit in reversed(list(zip(SERVICES, code, strict=False)))}
    wanted = [digit if digit != "0" else min(found) for digit in of]
    return tuple(
        Try(found[digit], _end(int(digit), age), WORDS[int(digit)])
        for digit in dict.fromkeys(wanted)
        if digit in found
    )


def _end(verdict: int, age: int) -> str:
    if verdict == 3:
        return "refused"
    return "waits" if verdict == 2 or age < NEEDS_CONSENT_UNDER else "booked"


def on_visit_day(details: Mapping[str, object], day: dt.date = VISIT_DAY) -> dict[str, object]:
    """Details of the table, whose days count back from its own day, as if counted back from the visit's."""
    shift = day - DAY
    return {
        name: (dt.date.fromisoformat(str(value)) + shift).isoformat() if name in DAYS else value
        for name, value in details.items()
    }


def answer_of(row: RowCase, day: dt.date = VISIT_DAY) -> dict[str, object]:
    """The row's details with the place that is treated, where it has one."""
    place = {"site": [PLACE]} if "site" in TABLE.conditions[row.key].fields_by_name else {}
    return {**on_visit_day(row.details, day), **place}


def _is_yesterday_or_before(row: RowCase) -> bool:
    """Nobody declares today what happens tomorrow, the day of the visit."""
    return "date" not in row.details or str(row.details["date"]) < DAY.isoformat()


def row_cases() -> Iterator[Case]:
    """Of every row of the table the answers that block, wait, stop at once and allow: each as soon as some do."""
    usable = [row for row in CASES if _is_yesterday_or_before(row)]
    for key, rows in groupby(usable, key=lambda row: row.key):
        open_ends = {"refused", "waits", "booked", "urgent"}
        for row in rows:
            urgent = row.urgency != "none"
            found = [one for one in tries(row.on) if one.end in open_ends]
            if urgent and "urgent" not in open_ends:
                continue
            if found or (urgent and "urgent" in open_ends):
                yield Case(key, {key: answer_of(row)}, tuple(found) or tries(row.on), urgent=urgent)
                open_ends -= {one.end for one in found} | ({"urgent"} if urgent else set())


THINNER = yes(med_class="anticoagulant", stable_3_months=True, bruising=False)
NORMAL = {
    "status": "confirmed",
    "weeks": 20,
    "weeks_as_of": ago(1),
    "high_risk": False,
    "complication": "none",
}
CALM_SUGAR = yes(status="controlled", complications=False, insulin=False)
BAD_PRESSURE = yes(status="uncontrolled", systolic=130, diastolic=85)
STEROIDS = yes(status="stopped", date=ago(400))
THIN_BONES = yes(severity="osteopenia")

# What holds together, by hand: the combination, the answers, the nine digits, and whether it stops everything.
COMBINATIONS: list[tuple[str, Declared, str, bool, int]] = [
    ("I01", {"blood_thinners": THINNER, "easy_bruising": yes(since="a year")}, "233233220", False, ADULT),
    ("I02", {"blood_thinners": THINNER, "acute_injury": yes(type="bruise", date=ago(2), site=[PLACE])}, "333333333", True, ADULT),
    ("I03", {"steroids_long_term": STEROIDS, "osteoporosis": THIN_BONES}, "333133110", False, ADULT),
    ("I04", {"steroids_long_term": STEROIDS, "osteoporosis": THIN_BONES}, "333233220", False, 66),
    ("I05", {"cancer_past": yes(date=ago(900)), "unexplained_pain": yes(weeks_lasting=8)}, "333333333", True, ADULT),
    ("I06", {"fever": yes(fever_free_hours=48), "unexplained_pain": yes(weeks_lasting=8)}, "333333333", True, ADULT),
    ("I07", {"pregnancy": yes(**NORMAL), "blood_clot": yes(status="past", date=ago(3000))}, "333333333", False, ADULT),
    ("I08", {"pregnancy": yes(**NORMAL), "diabetes": CALM_SUGAR}, "333233233", False, ADULT),
    ("I09", {"diabetes": CALM_SUGAR, "reduced_feeling": yes(cause_known=True, site=["left_foot"])}, "133133130", False, ADULT),
    ("I10", {"weak_immune": yes(reason="transplant"), "open_wound_burn": yes(type="wound", extent="small", site=["left_foot"])}, "133122131", False, ADULT),
    ("I11", {"heart_failure": yes(worsening=False), "kidney_liver_disease": yes(severity="advanced")}, "333333231", False, ADULT),
    ("I12", {"clotting_tendency": yes(type="V"), "postpartum": yes(date=ago(83))}, "233233220", False, ADULT),
    ("I13", {"osteoporosis": yes(severity="osteoporosis"), "fracture": yes(date=ago(300), site=["left_foot"])}, "333233220", False, ADULT),
    ("I14", {"high_blood_pressure": BAD_PRESSURE, "stroke_tia": yes(date=ago(400))}, "333233230", False, ADULT),
    ("I15", {}, "233121131", False, 17),
    ("I16", {}, "333133131", False, 11),
    ("I17", {}, "111111110", False, 75),
]  # fmt: skip


def combination_cases() -> Iterator[Case]:
    """Every combination, the ages among them."""
    for rule, answers, code, urgent, age in COMBINATIONS:
        yield Case(
            rule, {key: on_visit_day(one) for key, one in answers.items()}, tries(code, age=age), age, urgent
        )


ALL: tuple[Case, ...] = (*row_cases(), *combination_cases())

MILD = frozenset({"low_blood_pressure", "allergy_contact", "strong_painkillers", "I17"})
"""Rules that ask for care but forbid none of the seven services."""


@dataclass(frozen=True)
class Window:
    """A rule that grows milder with time: what it says `days` after the day declared, and on the next day."""

    rule: str
    details: dict[str, object]
    days: int
    before: Try
    after: Try

    def declared(self, day: dt.date) -> Declared:
        """The answers with which `day` is the last one of the stricter verdict."""
        return {self.rule: answer_of(RowCase(self.rule, self.details, "", None, "none"), day)}


def windows() -> list[Window]:
    """Every boundary of the table: two rows that differ by one day, where some service gets a milder verdict."""
    found = []
    for first, second in pairwise(CASES):
        if first.key != second.key or not _is_next_day(first, second):
            continue
        for service, was, then in zip(SERVICES, first.on, second.on, strict=False):
            if int(was) >= 2 and then < was:
                before, after = (Try(service, _end(int(one), ADULT), WORDS[int(one)]) for one in (was, then))
                days = (DAY - dt.date.fromisoformat(str(first.details["date"]))).days
                found.append(Window(first.key, first.details, days, before, after))
                break
    return found


def _is_next_day(first: RowCase, second: RowCase) -> bool:
    one, two = dict(first.details), dict(second.details)
    day, next_day = one.pop("date", None), two.pop("date", None)
    if day is None or next_day is None or one != two:
        return False
    return dt.date.fromisoformat(str(day)) - dt.date.fromisoformat(str(next_day)) == dt.timedelta(days=1)
