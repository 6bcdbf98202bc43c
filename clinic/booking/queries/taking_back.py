"""Steps at the desk that can still be taken back."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import exists, select
from sqlalchemy.orm import joinedload

from clinic.booking.models import Visit
from clinic.booking.taken_back import TakeBack
from clinic.rules.taking_back import SHOWN_SECONDS, TIME_TO_TAKE_BACK, step_words
from clinic.rules.visit_status import VisitStatus, holds_claims
from clinic.shared.database import db

_WITH_CLIENT = joinedload(TakeBack.visit).joinedload(Visit.client)


@dataclass(frozen=True)
class LastStep:
    """What can be taken back, for the bar on the page."""

    visit_ids: tuple[int, ...]
    deed: str
    clients: tuple[str, ...]
    seconds: int
    """How long the page still offers it."""
    revision: int
    """Of the first visit after it: what somebody did to that visit since is another step."""
    status: VisitStatus
    """Of the first visit that is meant, after it."""
    meant: int
    """Visits it was done to: of two people one is cancelled, and the other one stays."""

    @property
    def words(self) -> str:
        """What was done: `moved`, `marked as arrived`, or `6 visits booked`."""
        return step_words(self.deed, self.meant, self.status)


def last_step_of(user_id: int, now: dt.datetime) -> LastStep | None:
    """The newest step of this person that can still be taken back, with all that belongs to it."""
    row = db.session.scalars(
        select(TakeBack)
        .join(Visit, Visit.id == TakeBack.visit_id)
        .where(TakeBack.done_by_id == user_id, TakeBack.until > now, TakeBack.revision == Visit.revision)
        .order_by(TakeBack.until.desc(), TakeBack.id.desc())
        .options(_WITH_CLIENT)
        .limit(1)
    ).one_or_none()
    if row is None:
        return None
    rows: Sequence[TakeBack] = [row]
    if row.together is not None:
        theirs = select(TakeBack).where(TakeBack.together == row.together).options(_WITH_CLIENT)
        rows = db.session.scalars(theirs.order_by(TakeBack.id)).all()
    left = row.until - (TIME_TO_TAKE_BACK - dt.timedelta(seconds=SHOWN_SECONDS)) - now
    meant = [
        one.visit
        for one in rows
        if row.deed != "cancelled" or not holds_claims(VisitStatus(one.visit.status))
    ] or [row.visit]
    names = dict.fromkeys(one.client.name for one in meant if one.client is not None)
    return LastStep(
        tuple(one.visit_id for one in rows),
        row.deed,
        tuple(names),
        max(0, round(left.total_seconds())),
        rows[0].revision,
        VisitStatus(meant[0].status),
        len(meant),
    )


def may_free_time_again(now: dt.datetime) -> bool:
    """Whether a visit has just left its time and may still come back to it: till then it is offered to nobody."""
    open_steps = exists().where(TakeBack.until > now, TakeBack.deed.in_(("moved", "cancelled")))
    return bool(db.session.scalar(select(open_steps)))
