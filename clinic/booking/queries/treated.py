"""A therapist's own visits: nobody else's can be asked for here."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from clinic.booking.models import StatusChange, Visit
from clinic.booking.queries.blocks import starts_near
from clinic.rules.visit_status import VisitStatus
from clinic.shared.database import db

# Of a service only its own row is shown: its modes, lengths and add-ons are not read.
_WITH_NAMES = (
    joinedload(Visit.client), joinedload(Visit.room), joinedload(Visit.service).lazyload("*"),
)  # fmt: skip
_NOT_SHOWN = (VisitStatus.HELD, VisitStatus.RELEASED)


def visits_of_therapist(therapist_id: int, start: dt.datetime, end: dt.datetime) -> Sequence[Visit]:
    """This therapist's visits that reach into the span, by time, holds included. One statement."""
    return db.session.scalars(
        select(Visit)
        .where(
            Visit.therapist_id == therapist_id,
            starts_near(start, end),
            Visit.ends_at > start,
            Visit.status != VisitStatus.RELEASED,
        )
        .order_by(Visit.starts_at, Visit.id)
        .options(*_WITH_NAMES)
    ).all()


def also_in_session(visit: Visit) -> Visit | None:
    """Another visit of the same therapist that is marked as under way; the one that began first."""
    return db.session.scalars(
        select(Visit)
        .where(
            Visit.therapist_id == visit.therapist_id,
            Visit.status == VisitStatus.IN_SESSION,
            Visit.id != visit.id,
        )
        .order_by(Visit.starts_at, Visit.id)
        .limit(1)
        .options(*_WITH_NAMES)
    ).first()


def moved_away(visit_ids: Collection[int]) -> set[int]:
    """Those of them that ended because their client said yes to another time. No statement for none."""
    if not visit_ids:
        return set()
    moved = select(StatusChange.visit_id).where(
        StatusChange.visit_id.in_(visit_ids), StatusChange.reason == "moved"
    )
    return set(db.session.scalars(moved))


def visit_of_therapist(therapist_id: int, visit_id: int) -> Visit | None:
    """The visit, when it is this therapist's and booked; else None, as if it were not there."""
    return db.session.scalars(
        select(Visit)
        .where(Visit.id == visit_id, Visit.therapist_id == therapist_id, Visit.status.not_in(_NOT_SHOWN))
        .options(*_WITH_NAMES)
    ).one_or_none()
