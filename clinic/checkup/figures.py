"""What the database says about the work that waits, for the metrics."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from clinic.shared import heartbeat
from clinic.shared.database import db
from clinic.shared.mail import WAITS, OutgoingMail


def of_now(now: dt.datetime) -> dict[str, tuple[str, float]]:
    """Name → (what it is, value); when the database does not answer only that it does not."""
    answers = "Whether the database answers"
    try:
        waits = select(func.count(), func.min(OutgoingMail.due_at))
        depth, oldest = db.session.execute(waits.where(WAITS, OutgoingMail.due_at <= now)).one()
        seen_at = heartbeat.last_beat_at()
        db.session.rollback()
    except SQLAlchemyError:
        db.session.rollback()
        return {"clinic_database_up": (answers, 0)}
    found = {
        "clinic_database_up": (answers, 1.0),
        "clinic_outbox_depth": ("Mails that are due and have not left", float(depth)),
        "clinic_outbox_oldest_seconds": (
            "For how long the oldest of them has been due",
            (now - oldest).total_seconds() if oldest else 0.0,
        ),
    }
    if seen_at:
        found["clinic_worker_last_run_timestamp_seconds"] = (
            "When the worker was last at work",
            seen_at.timestamp(),
        )
    return found
