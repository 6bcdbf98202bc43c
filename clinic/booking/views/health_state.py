"""How the health questions of a visit stand, for the one who comes: signed when, and when we ask again. No answer."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from clinic.booking.queries import check_ins, visits
from clinic.intake import queries as intake
from clinic.premises import queries as premises
from clinic.rules.check_in import OPENS
from clinic.rules.visit_status import VisitStatus
from clinic.shared import clock


@dataclass(frozen=True)
class HealthState:
    """`signed_on` is None before the first answers; `asks_again_at` is None where the visit has no check-in to come.
    `check_in` is open, done or empty."""

    signed_on: dt.date | None
    asks_again_at: dt.datetime | None
    check_in: str


def health_state(visit: Any) -> HealthState:
    """Read anew for each page."""
    newest = intake.newest(visit.client_id) if visit.client_id is not None else None
    signed_on = newest.signed_at.astimezone(ZoneInfo(visit.zone)).date() if newest is not None else None
    now, opens = clock.now(), visit.starts_at - OPENS
    is_asked = premises.clinic().check_in_needed and visits.seen_as(visit) is VisitStatus.CONFIRMED
    return HealthState(signed_on, opens if is_asked and now < opens else None, check_in_of(visit, now))


def check_in_of(visit: Any, now: dt.datetime) -> str:
    """Whether the client may answer the questions about the day now, or has; "" when they are not asked."""
    if not check_ins.may_client_check_in(visit, now):
        return ""
    if visit.to_reconfirm:
        return "open"
    if not premises.clinic().check_in_needed:
        return ""
    return "done" if check_ins.is_on_file(visit, now) else "open"
