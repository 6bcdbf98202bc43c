"""Clearances that end while visits are booked: which to warn of, and which visits rest on one that does not hold."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import String, cast, exists, select

from clinic.booking.models import Screening, Visit
from clinic.booking.queries.judged_by import lies_ahead
from clinic.clients import queries as clients
from clinic.clients.models import Client
from clinic.intake.models import Clearance
from clinic.premises import queries as premises
from clinic.rules.visit_status import UPCOMING, VisitStatus
from clinic.shared.database import db

WARN_DAYS = 14
"""So long before a clearance ends client and desk hear of it, while visits are booked."""

CONFIRMED = (VisitStatus.CONFIRMED, VisitStatus.ARRIVED)


@dataclass(frozen=True)
class Lapse:
    """A clearance that ends soon, without saying what it is about. `last_day` is the last on which it holds."""

    clearance_id: int
    client: Client
    last_day: dt.date


def lapsing(now: dt.datetime, client_id: int | None = None) -> list[Lapse]:
    """Clearances, of one client or of all, that end within 14 days while their client has visits ahead, the nearest
    first. One that a later clearance for the same condition follows is left out.
    """
    today = premises.today(now)
    whose = [] if client_id is None else [Clearance.client_id.in_(clients.all_ids(client_id))]
    rows = db.session.scalars(
        select(Clearance)
        .where(
            Clearance.withdrawn_at.is_(None),
            Clearance.lapses_on > today,
            Clearance.lapses_on <= today + dt.timedelta(days=WARN_DAYS),
            *whose,
        )
        .order_by(Clearance.lapses_on, Clearance.id)
    ).all()
    found = []
    for row in rows:
        client = clients.client(row.client_id)
        if client is not None and _has_visits(client.id, now) and not _is_followed(row, client.id):
            found.append(Lapse(row.id, client, row.lapses_on - dt.timedelta(days=1)))
    return found


def _has_visits(client_id: int, now: dt.datetime) -> bool:
    ids = clients.all_ids(client_id)
    ahead = exists().where(Visit.client_id.in_(ids), lies_ahead(now), Visit.status.in_(tuple(UPCOMING)))
    return bool(db.session.scalar(select(ahead)))


def _is_followed(row: Clearance, client_id: int) -> bool:
    ids = clients.all_ids(client_id)
    later = db.session.scalars(
        select(Clearance).where(
            Clearance.client_id.in_(ids),
            Clearance.withdrawn_at.is_(None),
            Clearance.lapses_on > row.lapses_on,
        )
    )
    mine = row.statement
    return any(
        one.statement["condition"] == mine["condition"]
        and set(one.statement["services"]) >= set(mine["services"])
        for one in later
    )


def resting_on_ended(now: dt.datetime) -> list[int]:
    """Clients with a confirmed visit ahead that rests on a clearance which does not hold on its day (any more)."""
    rows = db.session.execute(
        select(Visit.client_id, Visit.day, Screening.clearance_ids)
        .join(Screening, Screening.id == Visit.screening_id)
        .where(Visit.status.in_(CONFIRMED), lies_ahead(now), cast(Screening.clearance_ids, String) != "[]")
        .order_by(Visit.starts_at, Visit.id)
    ).all()
    used = {one for row in rows for one in row.clearance_ids}
    on_file = {one.id: one for one in db.session.scalars(select(Clearance).where(Clearance.id.in_(used)))}
    ended = [
        row.client_id
        for row in rows
        if any(not _holds(on_file.get(one), row.day) for one in row.clearance_ids)
    ]
    return list(dict.fromkeys(ended))


def _holds(row: Clearance | None, day: dt.date) -> bool:
    return row is not None and row.withdrawn_at is None and row.issued_on <= day < row.lapses_on
