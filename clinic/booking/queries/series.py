"""Reading series of visits."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select

from clinic.booking.models import Series, Visit
from clinic.booking.queries.visits import WITH_NAMES, VisitFacts, facts
from clinic.rules.visit_status import UPCOMING
from clinic.shared.database import db


@dataclass(frozen=True)
class SeriesFacts:
    """A series as programs see it: its visits by time."""

    id: int
    every_weeks: int
    visits: tuple[VisitFacts, ...]


def by_request(request_key: str) -> int | None:
    """The series that this very request already made."""
    return db.session.scalar(select(Series.id).where(Series.request_key == request_key))


def series(series_id: int) -> SeriesFacts | None:
    """One series; None when there is none."""
    row = db.session.get(Series, series_id)
    if row is None:
        return None
    ids = db.session.scalars(
        select(Visit.id).where(Visit.series_id == series_id).order_by(Visit.starts_at, Visit.id)
    ).all()
    found = [facts(one) for one in ids]
    return SeriesFacts(row.id, row.every_weeks, tuple(one for one in found if one is not None))


def visits_of_series(series_id: int) -> Sequence[Visit]:
    """Its visits with their names, by time."""
    return db.session.scalars(
        select(Visit)
        .where(Visit.series_id == series_id)
        .order_by(Visit.starts_at, Visit.id)
        .options(*WITH_NAMES)
    ).all()


def visits_to_change(series_id: int) -> Sequence[Visit]:
    """Its visits, locked until the commit, by time."""
    return db.session.scalars(
        select(Visit)
        .where(Visit.series_id == series_id)
        .order_by(Visit.starts_at, Visit.id)
        .with_for_update(of=Visit)
        .execution_options(populate_existing=True)
    ).all()


def how_many_coming(series_id: int | None, now: dt.datetime) -> int:
    """How many visits of the series are still to come."""
    return (
        db.session.scalar(
            select(func.count())
            .select_from(Visit)
            .where(Visit.series_id == series_id, Visit.status.in_(tuple(UPCOMING)), Visit.starts_at > now)
        )
        or 0
    )
