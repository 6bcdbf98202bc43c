"""When a therapist works at other places: their weeks, and single dates."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from clinic.shared.database import db
from clinic.therapists.models import DatedHours, WorkingHours


def hours_elsewhere(therapist_id: int, location_id: int) -> Sequence[WorkingHours]:
    """Working hours (without breaks) at every other place."""
    return db.session.scalars(
        select(WorkingHours)
        .where(
            WorkingHours.therapist_id == therapist_id,
            WorkingHours.location_id != location_id,
            WorkingHours.kind == "work",
        )
        .order_by(WorkingHours.weekday, WorkingHours.starts, WorkingHours.id)
        .options(joinedload(WorkingHours.location))
    ).all()


def hours_of_days(therapist_id: int, days: Collection[dt.date]) -> Sequence[DatedHours]:
    """Hours of their own on these dates, at every place."""
    return db.session.scalars(
        select(DatedHours)
        .where(DatedHours.therapist_id == therapist_id, DatedHours.day.in_(days))
        .order_by(DatedHours.day, DatedHours.starts, DatedHours.id)
        .options(joinedload(DatedHours.location))
    ).all()
