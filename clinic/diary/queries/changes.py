"""Whether anything has changed since a page was read: three numbers instead of the whole page."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import func, select

from clinic.booking.models import Visit
from clinic.shared.audit import AuditCounter
from clinic.shared.database import db

MARK_EVERY_MINUTES = 5


def day_mark(location_id: int, day: dt.date, now: dt.datetime, *, is_today: bool) -> str:
    """A mark that is another as soon as the day may look otherwise: any deed leaves a number in the audit, a time that
    somebody online is choosing is a visit more, and today the line of the present time moves."""
    seen = select(func.count(), func.coalesce(func.sum(Visit.revision), 0)).where(
        Visit.location_id == location_id, Visit.day == day
    )
    count, revisions = db.session.execute(seen).one()
    moment = int(now.timestamp()) // 60 // MARK_EVERY_MINUTES if is_today else 0
    return f"{_deeds()}.{count}.{revisions}.{moment}"


def list_mark(now: dt.datetime) -> str:
    """The same for the list of work, on which deadlines pass."""
    return f"{_deeds()}.{int(now.timestamp()) // 60}"


def _deeds() -> int:
    return db.session.scalar(select(AuditCounter.value).where(AuditCounter.id == 1)) or 0
