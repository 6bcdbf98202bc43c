"""Visits under time off and closures: work to do."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from sqlalchemy import ColumnElement, exists, or_, select
from sqlalchemy.orm import joinedload

from clinic.booking.models import Claim, Visit
from clinic.premises.models import Closure
from clinic.rules.visit_status import VisitStatus
from clinic.shared.database import db
from clinic.therapists.models import Therapist, TimeOff

TOUCHED = (VisitStatus.PENDING, VisitStatus.CONFIRMED, VisitStatus.SUSPENDED)


def visits_under(now: dt.datetime) -> Sequence[Visit]:
    """Coming visits whose therapist is off, or whose place, room or device is closed, soonest first."""
    off = exists().where(
        TimeOff.therapist_id == Visit.therapist_id,
        TimeOff.starts_at < Visit.ends_at,
        TimeOff.ends_at > Visit.starts_at,
    )
    shut = exists().where(
        Closure.starts_at < Visit.ends_at,
        Closure.ends_at > Visit.starts_at,
        Closure.location_id == Visit.location_id,
        or_(
            Closure.resource_id.is_(None),
            exists().where(
                or_(Claim.visit_id == Visit.id, Claim.couple_id == Visit.couple_id),
                Claim.resource_id == Closure.resource_id,
            ),
        ),
    )
    return coming(now, or_(off, shut))


def therapists_off(now: dt.datetime) -> Sequence[Therapist]:
    """Therapists with coming visits that lie in their own time off, by name."""
    touched = exists().where(
        Visit.therapist_id == Therapist.id,
        Visit.status.in_(TOUCHED),
        Visit.ends_at > now,
        TimeOff.therapist_id == Therapist.id,
        TimeOff.starts_at < Visit.ends_at,
        TimeOff.ends_at > Visit.starts_at,
    )
    return db.session.scalars(select(Therapist).where(touched).order_by(Therapist.name, Therapist.id)).all()


def visits_in(
    therapist_id: int, starts_at: dt.datetime, ends_at: dt.datetime, now: dt.datetime
) -> Sequence[Visit]:
    """A therapist's coming visits that a time touches: shown before time off is saved."""
    return coming(
        now, (Visit.therapist_id == therapist_id) & (Visit.starts_at < ends_at) & (Visit.ends_at > starts_at)
    )


def visits_under_time_off(therapist_id: int, now: dt.datetime) -> Sequence[Visit]:
    """A therapist's coming visits that lie in their own time off, soonest first: each needs a new time or person."""
    off = exists().where(
        TimeOff.therapist_id == Visit.therapist_id,
        TimeOff.starts_at < Visit.ends_at,
        TimeOff.ends_at > Visit.starts_at,
    )
    return coming(now, off & (Visit.therapist_id == therapist_id))


def time_off_ahead(therapist_id: int, now: dt.datetime) -> Sequence[TimeOff]:
    """Time off and other blocks that have not ended, soonest first."""
    return db.session.scalars(
        select(TimeOff)
        .where(TimeOff.therapist_id == therapist_id, TimeOff.ends_at > now)
        .order_by(TimeOff.starts_at, TimeOff.id)
    ).all()


def coming(now: dt.datetime, *wanted: ColumnElement[bool]) -> Sequence[Visit]:
    """Booked visits that are not over and not begun, soonest first."""
    return db.session.scalars(
        select(Visit)
        .where(Visit.status.in_(TOUCHED), Visit.ends_at > now, *wanted)
        .order_by(Visit.starts_at, Visit.id)
        .options(
            joinedload(Visit.client),
            joinedload(Visit.therapist),
            joinedload(Visit.service),
            joinedload(Visit.room),
        )
    ).all()
