"""Reading calendar feeds: whose address it is, and what stands in it. A fixed number of statements."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import joinedload

from clinic.accounts.models import User
from clinic.accounts.queries import hash_of
from clinic.booking.models import CalendarFeed, StatusChange, Visit
from clinic.clients import queries as clients
from clinic.rules.permissions import Permission, may
from clinic.rules.visit_status import VisitStatus
from clinic.shared.database import db
from clinic.therapists import queries as therapists
from clinic.therapists.models import Therapist, TimeOff

DAYS_BACK, DAYS_AHEAD = 30, 366
NEVER_BOOKED = (VisitStatus.HELD, VisitStatus.RELEASED)


@dataclass(frozen=True)
class Owner:
    """Whose visits a feed shows: one therapist's, or those of the people that one account acts for."""

    therapist_id: int | None = None
    user_id: int | None = None

    @property
    def kind(self) -> str:
        return "therapist" if self.therapist_id else "user"

    @property
    def number(self) -> int | None:
        return self.therapist_id or self.user_id


def is_of(owner: Owner) -> ColumnElement[bool]:
    """Feeds of this owner."""
    if owner.therapist_id:
        return CalendarFeed.therapist_id == owner.therapist_id
    return CalendarFeed.user_id == owner.user_id


def made_at(owner: Owner) -> dt.datetime | None:
    """When the address that is open now was made; None when there is none."""
    return db.session.scalar(
        select(CalendarFeed.made_at).where(is_of(owner), CalendarFeed.ended_at.is_(None))
    )


def owner_of(token: str) -> Owner | None:
    """Whose feed this key opens; None for one that is unknown or ended, or whose owner is no longer here, or may no
    longer see what is in it."""
    row = db.session.scalars(
        select(CalendarFeed).where(CalendarFeed.token_hash == hash_of(token), CalendarFeed.ended_at.is_(None))
    ).one_or_none()
    if row is None:
        return None
    user_id, needs = row.user_id, {Permission.VISIT_OWN_WRITE}
    if row.therapist_id is not None:
        therapist = db.session.get_one(Therapist, row.therapist_id)
        if not therapist.is_active:
            return None
        user_id, needs = therapist.user_id, {Permission.DIARY_OWN_READ, Permission.THERAPIST_ANY_WRITE}
        if user_id is None:  # without an account it is whoever made the address who answers for it
            user_id, needs = row.made_by_id, {Permission.THERAPIST_ANY_WRITE}
    user = db.session.get(User, user_id) if user_id is not None else None
    if user is None or not user.is_active or not any(may(user.roles, need) for need in needs):
        return None
    return Owner(row.therapist_id, row.user_id)


def visits_in_feed(owner: Owner, now: dt.datetime) -> Sequence[Visit]:
    """Visits of the last month and of the year ahead, those cancelled or given back too, so that copies learn of it.
    A time that was only kept for somebody who was booking never stood in a calendar: it never had another status."""
    if owner.therapist_id:
        whose = Visit.therapist_id == owner.therapist_id
    else:
        ids = [one.client_id for one in clients.people_of(owner.user_id or 0)]
        whose = Visit.client_id.in_(clients.all_ids(*ids))
    was_booked = select(StatusChange.id).where(
        StatusChange.visit_id == Visit.id, StatusChange.status.not_in(NEVER_BOOKED)
    )
    return db.session.scalars(
        select(Visit)
        .where(
            whose,
            Visit.status != VisitStatus.HELD,
            or_(Visit.status != VisitStatus.RELEASED, was_booked.exists()),
            Visit.starts_at > now - dt.timedelta(days=DAYS_BACK),
            Visit.starts_at < now + dt.timedelta(days=DAYS_AHEAD),
        )
        .order_by(Visit.starts_at, Visit.id)
        .options(joinedload(Visit.client), joinedload(Visit.room), joinedload(Visit.location))
    ).all()


def time_off_in_feed(owner: Owner, now: dt.datetime) -> Sequence[TimeOff]:
    """A therapist's time off and other blocks in the same span."""
    if not owner.therapist_id:
        return []
    return therapists.time_off_between(
        [owner.therapist_id], now - dt.timedelta(days=DAYS_BACK), now + dt.timedelta(days=DAYS_AHEAD)
    )
