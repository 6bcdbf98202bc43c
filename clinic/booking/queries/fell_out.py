"""Visits that fell out: a new judgement cancelled them or put them on hold. Which visits, never why."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Select, and_, exists, false, func, or_, select
from sqlalchemy.orm import aliased, joinedload

from clinic.booking.models import StatusChange, Visit
from clinic.premises import queries as premises
from clinic.rules.visit_status import VisitStatus
from clinic.rules.wall_time import WallClock, moment
from clinic.shared.database import db

REASONS = ("judged again", "new rules")
ENDED = (VisitStatus.CANCELLED, VisitStatus.RELEASED)
OUT = (*ENDED, VisitStatus.SUSPENDED)


def since_yesterday(now: dt.datetime, therapist_id: int | None = None) -> Sequence[Visit]:
    """Coming visits that fell out yesterday or today and have not come back, soonest first; of one therapist, or of
    all."""
    wanted = _recent(now).where(Visit.status.in_(OUT))
    if therapist_id is not None:
        wanted = wanted.where(Visit.therapist_id == therapist_id)
    return _read(wanted)


def still_to_answer(now: dt.datetime, client_ids: Collection[int] | None = None) -> Sequence[Visit]:
    """Those of them that are called off for good, by nobody's own hand, and whose client has booked nothing since: what
    the desk has still to look after, of these people or of all. What is on hold stands among the visits that wait."""
    its_steps = select(func.max(StatusChange.at)).where(StatusChange.visit_id == Visit.id)
    fell = its_steps.correlate(Visit).scalar_subquery()
    later = aliased(Visit)
    booked = exists().where(
        later.client_id == Visit.client_id, later.created_at > fell, later.status != VisitStatus.RELEASED
    )
    by_hand = exists().where(
        StatusChange.visit_id == Visit.id,
        StatusChange.status == VisitStatus.CANCELLED,
        func.coalesce(StatusChange.reason, "").not_in(REASONS),
    )
    wanted = _recent(now).where(Visit.status.in_(ENDED), ~booked, ~by_hand)
    return _read(wanted if client_ids is None else wanted.where(Visit.client_id.in_(client_ids)))


def _recent(now: dt.datetime) -> Select[tuple[Visit]]:
    return select(Visit).where(or_(false(), *(_fell_at(places, since) for places, since in _yesterday(now))))


def _read(wanted: Select[tuple[Visit]]) -> Sequence[Visit]:
    return db.session.scalars(
        wanted.order_by(Visit.starts_at, Visit.id).options(
            joinedload(Visit.client), joinedload(Visit.therapist), joinedload(Visit.service)
        )
    ).all()


def _yesterday(now: dt.datetime) -> list[tuple[list[int], dt.datetime]]:
    """When yesterday began, by the clock of each zone, with the places that have it."""
    places: dict[str, list[int]] = {}
    for one in premises.locations():
        places.setdefault(one.zone, []).append(one.id)
    day = dt.timedelta(days=1)
    return [
        (ids, moment(WallClock(ZoneInfo(zone)).day_bounds(premises.today(now, zone) - day)[0]))
        for zone, ids in places.items()
    ]


def _fell_at(places: list[int], since: dt.datetime) -> ColumnElement[bool]:
    fell = exists().where(
        StatusChange.visit_id == Visit.id,
        StatusChange.at >= since,
        StatusChange.reason.in_(REASONS),
        StatusChange.status.in_((VisitStatus.CANCELLED, VisitStatus.SUSPENDED)),
    )
    return and_(Visit.location_id.in_(places), Visit.starts_at >= since, fell)
