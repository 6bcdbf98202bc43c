"""Keeping therapists: profile, licence, skills, weekly hours, and pairs that are never booked together."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import asdict, fields
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from clinic.accounts.models import User
from clinic.clients.steps import who_stands
from clinic.premises import queries as premises
from clinic.premises.models import Location
from clinic.premises.steps import drop_picture, keep_picture
from clinic.rules.errors import InvalidInput, NotFound
from clinic.rules.language import _
from clinic.rules.permissions import Role
from clinic.rules.wall_time import WeeklyHours, local_day
from clinic.rules.week import check_day, week_problems
from clinic.shared.audit import leave_trace
from clinic.shared.database import transaction, tried_again
from clinic.shared.locks import lock_row
from clinic.shared.pictures import Drawn
from clinic.shared.seen import check_seen
from clinic.therapists import queries
from clinic.therapists.facts import TherapistFacts
from clinic.therapists.models import DatedHours, NeverTogether, Therapist, TherapistSkill, WorkingHours
from clinic.therapists.steps import check_day_elsewhere, check_week_elsewhere

TINTS = range(1, 7)


@tried_again
def add_therapist(facts: TherapistFacts, *, by: int | None, now: dt.datetime) -> int:
    """A new therapist, with no hours yet. Returns the id. Raises InvalidInput, also where the form is sent twice."""
    with transaction() as session:
        _check_new(session, facts, by)
        row = Therapist(skill_rows=[])
        _write(session, row, facts)
        session.add(row)
        session.flush()
        leave_trace(session, "therapist.added", "therapist", row.id, by=by, now=now)
        return row.id


@tried_again
def change_therapist(
    therapist_id: int, facts: TherapistFacts, *, seen: str, by: int | None, now: dt.datetime
) -> None:
    """Change the profile. Visits already booked stay. Raises InvalidInput, NotFound, ChangedMeanwhile."""
    with transaction() as session:
        row = _therapist(session, therapist_id)
        check_seen(session, row, lambda: asdict(queries.therapist_facts(row)), seen)
        before = queries.therapist_facts(row)
        _write(session, row, facts)
        changed = [one.name for one in fields(facts) if getattr(before, one.name) != getattr(facts, one.name)]
        detail = ", ".join(changed)
        leave_trace(session, "therapist.changed", "therapist", row.id, by=by, now=now, fields=detail)


@tried_again
def say_of_oneself(user_id: int, bio: str, gender: str, *, seen: str, now: dt.datetime) -> None:
    """A therapist writes what clients read of them. Raises NotFound, ChangedMeanwhile."""
    with transaction() as session:
        row = queries.therapist_of_user(user_id)
        if row is None:
            raise NotFound()
        check_seen(session, row, lambda: [row.bio, row.gender], seen)
        row.bio, row.gender = bio, gender
        leave_trace(
            session, "therapist.changed", "therapist", row.id, by=user_id, now=now, fields="bio, gender"
        )


@tried_again
def save_picture(therapist_id: int, face: Drawn | None, *, by: int | None, now: dt.datetime) -> None:
    """Show this picture of the therapist, or none any more; the one before is deleted. Raises NotFound."""
    with transaction() as session:
        row = _therapist(session, therapist_id)
        old = row.picture_id
        row.picture_id = keep_picture(session, face, by=by, now=now) if face is not None else None
        drop_picture(session, old)
        leave_trace(
            session,
            "therapist.picture_changed",
            "therapist",
            therapist_id,
            by=by,
            now=now,
            shown=face is not None,
        )


def _therapist(session: Session, therapist_id: int) -> Therapist:
    row = session.get(Therapist, therapist_id)
    if row is None:
        raise NotFound(_("There is no such therapist."))
    return row


def _write(session: Session, row: Therapist, facts: TherapistFacts) -> None:
    if facts.tint not in TINTS:
        raise InvalidInput("tint", _("Choose one of the colours."))
    if facts.user_id not in (None, row.user_id):
        _check_account(session, row, facts.user_id)
    for name, value in asdict(facts).items():
        if name not in ("skills", "skill_dates"):
            setattr(row, name, value)
    kept = {one.skill: one for one in row.skill_rows}
    row.skill_rows = [kept.get(skill) or TherapistSkill(skill=skill) for skill in sorted(set(facts.skills))]
    dates = {skill: (first, last) for skill, first, last in facts.skill_dates}
    for one in row.skill_rows:
        one.starts_on, one.ends_on = dates.get(one.skill, (None, None))
        if one.starts_on and one.ends_on and one.ends_on < one.starts_on:
            raise InvalidInput("dates", _("The last day of a skill lies before its first day."))


def _check_new(session: Session, facts: TherapistFacts, by: int | None) -> None:
    """Two people may share a name, but not the number of a licence as well. The other press of a button waits."""
    if by is not None:
        session.get(User, by, with_for_update={"key_share": True})
    of_number = select(Therapist.name).where(Therapist.licence_number == facts.licence_number)
    if facts.name.casefold() in {name.casefold() for name in session.scalars(of_number)}:
        raise InvalidInput(
            "licence_number",
            _("There is a therapist of this name with this licence number already. Change that one."),
        )


def _check_account(session: Session, row: Therapist, user_id: int) -> None:
    """An account that was chosen anew exists, is a therapist's, and is nobody else's."""
    account = session.get(User, user_id)
    if account is None or Role.THERAPIST not in account.roles:
        raise InvalidInput("user_id", _("Choose an account that has the role of therapist."))
    other = session.scalars(select(Therapist.id).where(Therapist.user_id == user_id)).first()
    if other not in (None, row.id):
        raise InvalidInput("user_id", _("Another therapist signs in with this account."))


@tried_again
def save_weekly_hours(
    therapist_id: int,
    location_id: int,
    hours: Sequence[WeeklyHours],
    breaks: Sequence[WeeklyHours],
    *,
    seen: str,
    by: int | None,
    now: dt.datetime,
) -> None:
    """Replace the therapist's week at one place. Booked visits stay as they are.

    `seen` is the mark of `queries.week_of` as it was shown. Raises InvalidInput (its field is `<kind>.<row>`),
    NotFound, ChangedMeanwhile.
    """
    for problem in week_problems(hours, breaks):
        raise InvalidInput(f"{problem.kind}.{problem.row}", problem.sentence)
    with transaction() as session:
        row = _therapist(session, therapist_id)
        place = session.get(Location, location_id)
        if place is None:
            raise NotFound(_("There is no such place."))
        check_seen(session, row, lambda: queries.week_of(therapist_id, location_id), seen)
        check_week_elsewhere(therapist_id, place, hours, local_day(now, ZoneInfo(place.zone)))
        for old in queries.weekly_hours([therapist_id], location_id):
            session.delete(old)
        session.add_all(
            WorkingHours(
                therapist_id=therapist_id,
                location_id=location_id,
                kind=kind,
                weekday=row.weekday,
                starts=row.starts,
                ends=row.ends,
            )
            for kind, rows in (("work", hours), ("break", breaks))
            for row in rows
        )
        leave_trace(session, "therapist.hours_changed", "therapist", therapist_id, by=by, now=now)


@tried_again
def set_hours_of_day(
    therapist_id: int,
    location_id: int,
    day: dt.date,
    hours: Sequence[WeeklyHours],
    *,
    by: int | None,
    now: dt.datetime,
) -> None:
    """On this day they work these hours at this place and no others. Booked visits stay as they are. A day on which
    they do not work is time off instead. Raises InvalidInput (day, starts, starts_again), NotFound."""
    with transaction() as session:
        lock_row(session, _therapist(session, therapist_id))  # nobody sets their hours elsewhere meanwhile
        place = session.get(Location, location_id)
        if place is None:
            raise NotFound(_("There is no such place."))
        check_day(day, hours, today=local_day(now, ZoneInfo(place.zone)), uses_24_hours=_uses_24_hours())
        check_day_elsewhere(therapist_id, place, day, hours)
        session.execute(_day_of(therapist_id, day))
        session.add_all(
            DatedHours(
                therapist_id=therapist_id, location_id=location_id, day=day, starts=row.starts, ends=row.ends
            )
            for row in hours
        )
        leave_trace(
            session, "therapist.day_set", "therapist", therapist_id, by=by, now=now, day=day.isoformat()
        )


@tried_again
def drop_hours_of_day(therapist_id: int, day: dt.date, *, by: int | None, now: dt.datetime) -> None:
    """The weekly hours hold again on this day; done twice it changes nothing."""
    with transaction() as session:
        if session.scalars(_day_of(therapist_id, day).returning(DatedHours.id)).all():
            leave_trace(
                session,
                "therapist.day_dropped",
                "therapist",
                therapist_id,
                by=by,
                now=now,
                day=day.isoformat(),
            )


def _day_of(therapist_id: int, day: dt.date) -> Any:
    return delete(DatedHours).where(DatedHours.therapist_id == therapist_id, DatedHours.day == day)


def _uses_24_hours() -> bool:
    facts = premises.clinic_facts()
    return facts is None or facts.uses_24_hours


@tried_again
def keep_apart(client_id: int, therapist_id: int, reason: str, *, by: int | None, now: dt.datetime) -> int:
    """This client and this therapist are not booked together from now on. Returns the id of the row.

    The reason is sealed and only the owner reads it. Raises InvalidInput, NotFound.
    """
    if not 0 < len(reason.strip()) <= 2000:
        raise InvalidInput(
            "reason", _("Write the reason in at most 2,000 characters. Only the owner reads it.")
        )
    with transaction() as session:
        _therapist(session, therapist_id)
        client = who_stands(session, client_id, is_judged=False)
        if client is None:
            raise NotFound(_("This person is not in the clinic's book."))
        if therapist_id in queries.never_together(client.id):
            raise InvalidInput("client_id", _("These two are kept apart already."))
        row = NeverTogether(client_id=client.id, therapist_id=therapist_id, created_at=now, created_by_id=by)
        row.reason = reason.strip()
        session.add(row)
        leave_trace(session, "pair.kept_apart", "therapist", therapist_id, by=by, now=now, client=client.id)
        return row.id


@tried_again
def end_keeping_apart(pair_id: int, therapist_id: int, *, by: int | None, now: dt.datetime) -> None:
    """They may be booked together again; the row stays, ended. Raises NotFound."""
    with transaction() as session:
        row = session.get(NeverTogether, pair_id)
        if row is None or row.therapist_id != therapist_id or row.ended_at is not None:
            raise NotFound(_("There is no such pair."))
        row.ended_at = now
        leave_trace(
            session, "pair.together_again", "therapist", therapist_id, by=by, now=now, client=row.client_id
        )
