"""When a therapist works at other places: their weeks, and single dates."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import contains_eager, joinedload

from clinic.premises.models import Location
from clinic.shared.database import db
from clinic.therapists.models import DatedHours, WorkingHours


def hours_elsewhere(therapist_id: int, location_id: int) -> Sequence[WorkingHours]:
    """Working hours (without breaks) at every other place that is in use."""
    return db.session.scalars(
        select(WorkingHours)
        .join(WorkingHours.location)
        .where(
            Location.is_active,
            WorkingHours.therapist_id == therapist_id,
            WorkingHours.location_id != location_id,
            WorkingHours.kind == "work",
        )
        .order_by(WorkingHours.weekday, WorkingHours.starts, WorkingHours.id)
        .options(contains_eager(WorkingHours.location))
    ).all()


def hours_of_days(therapist_id: int, first: dt.date, last: dt.date) -> Sequence[DatedHours]:
    """Hours of their own on the dates from `first` to `last`, at every place."""
    return db.session.scalars(
        select(DatedHours)
        .where(DatedHours.therapist_id == therapist_id, DatedHours.day.between(first, last))
        .order_by(DatedHours.day, DatedHours.starts, DatedHours.id)
        .options(joinedload(DatedHours.location))
    ).all()
