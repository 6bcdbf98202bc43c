"""Private addresses of calendar feeds: made, shown once, ended."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import update
from sqlalchemy.orm import Session

from clinic.accounts.models import User
from clinic.accounts.queries import hash_of
from clinic.accounts.steps import new_token
from clinic.booking.models import CalendarFeed
from clinic.booking.queries.feeds import Owner, is_of
from clinic.rules.errors import NotFound
from clinic.shared.audit import leave_trace
from clinic.shared.database import transaction, tried_again
from clinic.therapists.models import Therapist


@tried_again
def make_feed(owner: Owner, *, by: int | None, now: dt.datetime) -> str:
    """A new address for this therapist or account; the one before ends. Returns its key, which is kept hashed.

    Raises NotFound."""
    token = new_token()
    with transaction() as session:
        kind, number = (Therapist, owner.therapist_id) if owner.therapist_id else (User, owner.user_id)
        if session.get(kind, number, with_for_update=True) is None:
            raise NotFound()
        _end(session, owner, now)
        session.add(
            CalendarFeed(
                token_hash=hash_of(token), therapist_id=owner.therapist_id, user_id=owner.user_id, made_at=now,
                made_by_id=by,
            )
        )  # fmt: skip
        leave_trace(session, "feed.made", owner.kind, owner.number, by=by, now=now)
    return token


@tried_again
def end_feed(owner: Owner, *, by: int | None, now: dt.datetime) -> None:
    """The address opens nothing from now on; done twice it stays ended."""
    with transaction() as session:
        if _end(session, owner, now):
            leave_trace(session, "feed.ended", owner.kind, owner.number, by=by, now=now)


def _end(session: Session, owner: Owner, now: dt.datetime) -> bool:
    ended = session.execute(
        update(CalendarFeed).where(is_of(owner), CalendarFeed.ended_at.is_(None)).values(ended_at=now)
    )
    return bool(ended.rowcount)  # type: ignore[attr-defined]
