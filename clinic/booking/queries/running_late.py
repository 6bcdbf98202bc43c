"""Who runs late today, and whom that concerns."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from clinic.booking.models import Visit
from clinic.rules.visit_status import VisitStatus
from clinic.shared.database import db
from clinic.therapists.models import RunningLate


def minutes_late(day: dt.date) -> dict[int, int]:
    """Therapist → the minutes they said last on that day; those who are on time are left out. One statement."""
    rows = db.session.execute(
        select(RunningLate.therapist_id, RunningLate.minutes)
        .where(RunningLate.day == day)
        .order_by(RunningLate.said_at, RunningLate.id)
    )
    newest = dict(rows.tuples().all())
    return {therapist: minutes for therapist, minutes in newest.items() if minutes}


def coming_visits(therapist_id: int, day: dt.date, now: dt.datetime) -> Sequence[Visit]:
    """Confirmed visits of that day that have not begun, soonest first: whoever is here already is told by a person."""
    return db.session.scalars(
        select(Visit)
        .where(
            Visit.therapist_id == therapist_id,
            Visit.day == day,
            Visit.starts_at > now,
            Visit.status == VisitStatus.CONFIRMED,
        )
        .order_by(Visit.starts_at, Visit.id)
        .options(joinedload(Visit.client), joinedload(Visit.location))
    ).all()
