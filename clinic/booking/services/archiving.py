"""Claims of what is over leave the table of claims: they tell nobody any more what is free."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import delete, exists, insert, or_, select

from clinic.booking.models import Claim, ClaimHistory, Visit
from clinic.rules.visit_status import CALLED_OFF, VisitStatus
from clinic.shared.audit import leave_trace
from clinic.shared.database import transaction, tried_again

KEPT_FOR = dt.timedelta(days=90)
BATCH = 1000
OVER = (VisitStatus.DONE, VisitStatus.NO_SHOW, *sorted(CALLED_OFF))
STILL_NEEDED = or_(
    exists().where(Visit.id == Claim.visit_id, Visit.status.not_in(OVER)),
    exists().where(Visit.couple_id == Claim.couple_id, Visit.status.not_in(OVER)),
)
_COLUMNS = ("resource_id", "visit_id", "couple_id", "starts_at", "ends_at")


def archive_claims(before: dt.datetime, *, now: dt.datetime) -> int:
    """Move claims that ended before that moment, of visits that are over and of time off; returns how many.

    In batches, so that bookings go on meanwhile. Can be broken off, and run again or in two processes.
    """
    before, moved = min(before, now), 0
    while found := _move(before, now):
        moved += found
    return moved


@tried_again
def _move(before: dt.datetime, now: dt.datetime) -> int:
    with transaction() as session:
        ids = session.scalars(
            select(Claim.id)
            .where(Claim.ends_at < before, ~STILL_NEEDED)
            .order_by(Claim.id)
            .limit(BATCH)
            .with_for_update()
        ).all()
        if not ids:
            return 0
        past = select(*(getattr(Claim, name) for name in _COLUMNS)).where(Claim.id.in_(ids))
        session.execute(insert(ClaimHistory).from_select(_COLUMNS, past))
        session.execute(delete(Claim).where(Claim.id.in_(ids)))
        leave_trace(session, "claims.archived", "claim", ids[-1], by=None, now=now, count=len(ids))
        return len(ids)
