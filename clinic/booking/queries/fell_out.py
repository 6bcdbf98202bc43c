"""Visits that fell out: a new judgement cancelled them or put them on hold. Which visits, never why."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from clinic.booking.models import StatusChange, Visit
from clinic.premises import queries as premises
from clinic.rules.visit_status import VisitStatus
from clinic.rules.wall_time import WallClock, moment
from clinic.shared.database import db

REASONS = ("judged again", "new rules")
OUT = (VisitStatus.CANCELLED, VisitStatus.SUSPENDED, VisitStatus.RELEASED)


def since_yesterday(now: dt.datetime, therapist_id: int | None = None) -> Sequence[Visit]:
    """Coming visits that fell out yesterday or today and have not come back, soonest first; of one therapist, or of
    all."""
    facts = premises.clinic_facts()
    if facts is None:
        return []
    clock = WallClock(ZoneInfo(facts.zone))
    since = moment(clock.day_bounds(premises.today(now) - dt.timedelta(days=1))[0])
    fell = (
        select(StatusChange.id)
        .where(
            StatusChange.visit_id == Visit.id,
            StatusChange.at >= since,
            StatusChange.reason.in_(REASONS),
            StatusChange.status.in_((VisitStatus.CANCELLED, VisitStatus.SUSPENDED)),
        )
        .exists()
    )
    wanted = select(Visit).where(fell, Visit.starts_at >= since, Visit.status.in_(OUT))
    if therapist_id is not None:
        wanted = wanted.where(Visit.therapist_id == therapist_id)
    return db.session.scalars(
        wanted.order_by(Visit.starts_at, Visit.id).options(
            joinedload(Visit.client), joinedload(Visit.therapist), joinedload(Visit.service)
        )
    ).all()
