"""Steps at the desk that can still be taken back."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import exists, select
from sqlalchemy.orm import joinedload

from clinic.booking.models import Visit
from clinic.booking.taken_back import TakeBack
from clinic.rules.taking_back import SHOWN_SECONDS, TIME_TO_TAKE_BACK
from clinic.shared.database import db


@dataclass(frozen=True)
class LastStep:
    """What can be taken back, for the bar on the page."""

    visit_id: int
    deed: str
    client: str
    seconds: int
    """How long the page still offers it."""


def last_step_of(user_id: int, now: dt.datetime) -> LastStep | None:
    """The newest step of this person that can still be taken back."""
    row = db.session.scalars(
        select(TakeBack)
        .join(Visit, Visit.id == TakeBack.visit_id)
        .where(TakeBack.done_by_id == user_id, TakeBack.until > now, TakeBack.revision == Visit.revision)
        .order_by(TakeBack.until.desc(), TakeBack.id.desc())
        .options(joinedload(TakeBack.visit).joinedload(Visit.client))
        .limit(1)
    ).one_or_none()
    if row is None:
        return None
    client = row.visit.client
    left = row.until - (TIME_TO_TAKE_BACK - dt.timedelta(seconds=SHOWN_SECONDS)) - now
    return LastStep(
        row.visit_id, row.deed, client.name if client else "", max(0, round(left.total_seconds()))
    )


def may_free_time_again(now: dt.datetime) -> bool:
    """Whether a visit has just left its time and may still come back to it: till then it is offered to nobody."""
    open_steps = exists().where(TakeBack.until > now, TakeBack.deed != "marked")
    return bool(db.session.scalar(select(open_steps)))
