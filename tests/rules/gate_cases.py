"""What the tests of the gate share: a day, dates counted back from it, and the nine verdicts as a code."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping

from clinic.rules.clearances import Clearance
from clinic.rules.sheet import Sheet, Treatment, strongest
from clinic.rules.verdicts import COLUMNS

DAY = dt.date(2026, 3, 16)
ADULT = 40


def ago(days: int, *, day: dt.date = DAY) -> str:
    """The ISO date that many days before the visit."""
    return (day - dt.timedelta(days=days)).isoformat()


def yes(**details: object) -> dict[str, object]:
    """An answer "yes" with these details."""
    return {"present": True, **details}


def sheet(
    answers: Mapping[str, Mapping[str, object]],
    *,
    service: str = "swedish",
    mode: str | None = None,
    areas: Iterable[str] = ("full_body",),
    age: int = ADULT,
    clearances: Iterable[Clearance] = (),
    day: dt.date = DAY,
) -> Sheet:
    """Everything the rules say about these answers."""
    treatment = Treatment((service,), mode=mode, areas=tuple(areas))
    return Sheet.of(treatment, answers, day=day, age=age, clearances=clearances)


def code(
    answers: Mapping[str, Mapping[str, object]],
    *,
    areas: Iterable[str] = ("full_body",),
    age: int = ADULT,
    clearances: Iterable[Clearance] = (),
    day: dt.date = DAY,
) -> str:
    """The verdicts of all nine columns as nine digits, 0 clear to 3 block, in the order of the table."""
    judged = sheet(answers, areas=areas, age=age, clearances=clearances, day=day)
    return "".join(str(int(strongest(judged.findings((column,))))) for column in COLUMNS)
