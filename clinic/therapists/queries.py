"""Reading therapists, their hours, time off and pairs that are never booked together."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import select

from clinic.shared.database import db
from clinic.therapists.models import NeverTogether, Therapist, TimeOff, WorkingHours


@dataclass(frozen=True)
class EligibleTherapist:
    """A therapist who may give a treatment. `licence_expires_on` is the last day on which they may."""

    id: int
    name: str
    initials: str
    tint: int
    licence_expires_on: dt.date


def therapist(therapist_id: int) -> Therapist | None:
    return db.session.get(Therapist, therapist_id)


def therapist_of_user(user_id: int) -> Therapist | None:
    """The therapist who signs in with this account."""
    return db.session.scalars(select(Therapist).where(Therapist.user_id == user_id)).one_or_none()


def active_therapists() -> Sequence[Therapist]:
    """Those who can be booked, by name."""
    return db.session.scalars(
        select(Therapist).where(Therapist.is_active).order_by(Therapist.name, Therapist.id)
    ).all()


def all_therapists() -> Sequence[Therapist]:
    """For the owner: first those who can be booked, then the others, by name."""
    return db.session.scalars(
        select(Therapist).order_by(Therapist.is_active.desc(), Therapist.name, Therapist.id)
    ).all()


def eligible(plan_skills: Collection[str], licence_kind: str) -> list[EligibleTherapist]:
    """Active therapists with all these skills and this kind of licence, by name. Two statements.

    The licence's last day is not compared here: it depends on the day of the visit.
    """
    rows = db.session.scalars(
        select(Therapist)
        .where(Therapist.is_active, Therapist.licence_kind == licence_kind)
        .order_by(Therapist.name, Therapist.id)
    )
    return [
        EligibleTherapist(row.id, row.name, row.initials, row.tint, row.licence_expires_on)
        for row in rows
        if row.skills >= frozenset(plan_skills)
    ]


def weekly_hours(therapist_ids: Collection[int], location_id: int) -> Sequence[WorkingHours]:
    """Work and breaks of these therapists at this place, in one statement, in the order of the week."""
    return db.session.scalars(
        select(WorkingHours)
        .where(WorkingHours.therapist_id.in_(therapist_ids), WorkingHours.location_id == location_id)
        .order_by(WorkingHours.therapist_id, WorkingHours.weekday, WorkingHours.starts, WorkingHours.id)
    ).all()


def time_off_between(
    therapist_ids: Collection[int], starts_at: dt.datetime, ends_at: dt.datetime
) -> Sequence[TimeOff]:
    """Time off and blocks of these therapists that overlap the span, soonest first."""
    return db.session.scalars(
        select(TimeOff)
        .where(
            TimeOff.therapist_id.in_(therapist_ids), TimeOff.starts_at < ends_at, TimeOff.ends_at > starts_at
        )
        .order_by(TimeOff.starts_at, TimeOff.id)
    ).all()


def never_together(client_id: int) -> set[int]:
    """Ids of the therapists that this client is never booked with."""
    return set(
        db.session.scalars(
            select(NeverTogether.therapist_id).where(
                NeverTogether.client_id == client_id, NeverTogether.ended_at.is_(None)
            )
        )
    )


def never_together_of(therapist_id: int) -> Sequence[NeverTogether]:
    """Clients this therapist is never booked with, newest first; for the owner."""
    return db.session.scalars(
        select(NeverTogether)
        .where(NeverTogether.therapist_id == therapist_id, NeverTogether.ended_at.is_(None))
        .order_by(NeverTogether.created_at.desc(), NeverTogether.id)
    ).all()
