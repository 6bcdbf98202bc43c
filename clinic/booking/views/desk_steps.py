"""The steps of a visit at the desk: one tap each, on the day's grid and on the visit's card."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import Any
from zoneinfo import ZoneInfo

from clinic.rules.language import N_
from clinic.rules.visit_status import VisitStatus


@dataclass(frozen=True)
class Step:
    """A button: the status it brings, its words and its icon."""

    status: VisitStatus
    words: str
    icon: str
    is_main: bool = False


STEPS = {
    VisitStatus.CONFIRMED: (
        Step(VisitStatus.ARRIVED, N_("Mark as arrived"), "door-open", is_main=True),
        Step(VisitStatus.NO_SHOW, N_("Did not come"), "person-x"),
    ),
    VisitStatus.ARRIVED: (
        Step(VisitStatus.IN_SESSION, N_("Start the session"), "play-circle", is_main=True),
        Step(VisitStatus.CONFIRMED, N_("Not here yet after all"), "arrow-counterclockwise"),
    ),
    VisitStatus.IN_SESSION: (
        Step(VisitStatus.DONE, N_("Finish the session"), "check-all", is_main=True),
        Step(VisitStatus.ARRIVED, N_("Not started after all"), "arrow-counterclockwise"),
    ),
    VisitStatus.DONE: (Step(VisitStatus.IN_SESSION, N_("Not finished after all"), "arrow-counterclockwise"),),
    VisitStatus.NO_SHOW: (Step(VisitStatus.ARRIVED, N_("Came after all"), "door-open", is_main=True),),
    VisitStatus.LATE_CANCELLED: (
        Step(VisitStatus.CANCELLED, N_("Let it pass as cancelled in time"), "check-circle"),
    ),
}


TOOK_PLACE = Step(VisitStatus.DONE, N_("It took place"), "check-all", is_main=True)


def steps_of(visit: Any, now: dt.datetime) -> list[Step]:
    """Steps that make sense now: nobody fails to come before the start, nobody arrives on another day, and what is done
    is opened again on its own day only. A late cancellation can be let pass on any day. What is over and stands open
    can be closed in one."""
    status, day, starts_at = VisitStatus(visit.status), visit.day, visit.starts_at
    today = now.astimezone(ZoneInfo(visit.zone)).date()
    if status in (VisitStatus.CONFIRMED, VisitStatus.ARRIVED) and now >= visit.ends_at:
        later = [one for one in STEPS[status] if day == today or one.status is VisitStatus.NO_SHOW]
        return [TOOK_PLACE, *(replace(one, is_main=False) for one in later)]
    if (day > today and status is not VisitStatus.LATE_CANCELLED) or (
        status is VisitStatus.DONE and day < today
    ):
        return []
    steps = STEPS.get(status, ())
    return [one for one in steps if one.status is not VisitStatus.NO_SHOW or now >= starts_at]


def next_step_of(status: VisitStatus) -> Step | None:
    """The step that usually comes next."""
    return next((one for one in STEPS.get(status, ()) if one.is_main), None)
