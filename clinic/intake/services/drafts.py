"""Answers that nobody signed: they never count, and are not kept for ever."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import delete

from clinic.intake.models import IntakeDraft
from clinic.premises import queries as premises
from clinic.shared.database import transaction, tried_again


@tried_again
def erase_old_drafts(now: dt.datetime) -> None:
    """Erase what nobody has gone on with for as many days as the clinic has set."""
    before = now - dt.timedelta(days=premises.clinic().draft_days)
    with transaction() as session:
        session.execute(delete(IntakeDraft).where(IntakeDraft.updated_at < before))
