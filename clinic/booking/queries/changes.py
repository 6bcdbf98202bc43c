"""Whether anything has changed since a page was read: three numbers instead of the whole page."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import ColumnElement, and_, func, select

from clinic.booking.models import Visit
from clinic.shared.audit import AuditRow
from clinic.shared.database import db
from clinic.shared.reading import HEALTH_READ

MARK_EVERY_MINUTES = 5


def day_mark(location_id: int, day: dt.date, now: dt.datetime, *, is_today: bool) -> str:
    """A mark that is another as soon as the day may look otherwise: any deed leaves a number in the audit, a time that
    somebody online is choosing is a visit more, and today the line of the present time moves."""
    return _mark(and_(Visit.location_id == location_id, Visit.day == day), now, has_today=is_today)


def own_mark(therapist_id: int, first: dt.date, days: int, now: dt.datetime, *, has_today: bool) -> str:
    """The same for a therapist's own days; by the clock of another place a visit may fall on the day beside."""
    one = dt.timedelta(days=1)
    near = dt.datetime.combine(first, dt.time(), dt.UTC)  # by which the index finds them
    mine = and_(
        Visit.therapist_id == therapist_id,
        Visit.starts_at.between(near - 3 * one, near + (days + 3) * one),
        Visit.day.between(first - one, first + days * one),
    )
    return _mark(mine, now, has_today=has_today)


def list_mark(now: dt.datetime) -> str:
    """The same for the list of work and for one visit, on which deadlines and the start of a visit pass."""
    return f"{_deeds()}.{int(now.timestamp()) // 60}"


def _mark(visits: ColumnElement[bool], now: dt.datetime, *, has_today: bool) -> str:
    seen = select(func.count(), func.coalesce(func.sum(Visit.revision), 0)).where(visits)
    count, revisions = db.session.execute(seen).one()
    moment = int(now.timestamp()) // 60 // MARK_EVERY_MINUTES if has_today else 0
    return f"{_deeds()}.{count}.{revisions}.{moment}"


def _deeds() -> int:
    """The newest deed. That a page with health data was shown is none: pages that look again by themselves would make
    each other look again for ever."""
    newest = select(AuditRow.sequence).where(AuditRow.deed != HEALTH_READ)
    return db.session.scalar(newest.order_by(AuditRow.sequence.desc()).limit(1)) or 0
