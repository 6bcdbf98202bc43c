"""Reading therapists, their hours, time off and pairs that are never booked together."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, fields
from functools import cache
from itertools import groupby
from typing import Any

from sqlalchemy import (
    Integer,
    Label,
    Select,
    and_,
    bindparam,
    func,
    literal_column,
    null,
    or_,
    select,
    true,
)

from clinic.accounts.models import User, UserRole
from clinic.catalogue import queries as catalogue
from clinic.premises import queries as premises
from clinic.rules.language import _
from clinic.rules.licence import Days
from clinic.rules.limits import Limits
from clinic.rules.permissions import Role
from clinic.rules.therapists_say import Restriction
from clinic.rules.verdicts import VERDICT_WORDS
from clinic.rules.wall_time import WeeklyHours
from clinic.shared.database import db
from clinic.shared.read_once import may_have
from clinic.shared.statements import rows
from clinic.therapists.facts import TherapistFacts
from clinic.therapists.models import (
    DatedHours,
    NeverTogether,
    Therapist,
    TherapistRestriction,
    TherapistSkill,
    TimeOff,
    WorkingHours,
)
from clinic.therapists.queries.elsewhere import hours_elsewhere, hours_of_days
from clinic.therapists.queries.offered import given_at, working_at
from clinic.therapists.queries.time_off import days_off, span_at
from clinic.therapists.queries.workplaces import hours_are_over, workplace, workplaces

__all__ = [  # besides what is here
    "days_off", "given_at", "hours_are_over", "hours_elsewhere", "hours_of_days", "span_at", "working_at", "workplace",
    "workplaces",
]  # fmt: skip


@dataclass(frozen=True)
class EligibleTherapist:
    """A therapist who may give a treatment. `licence_expires_on` is the last day on which they may."""

    id: int
    name: str
    tint: int
    licence_expires_on: dt.date
    gender: str = ""
    picture_id: int | None = None


def therapist(therapist_id: int) -> Therapist | None:
    return db.session.get(Therapist, therapist_id)


def is_known(therapist_id: int) -> bool:
    """Whether there is, or was, such a therapist: no more of them is read."""
    return db.session.scalar(select(Therapist.id).where(Therapist.id == therapist_id)) is not None


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
    """Active therapists with all these skills and this kind of licence, by name. One statement.

    Days on which licence and skills are good are not compared here: that depends on the day of the visit.
    """
    skills = sorted(set(plan_skills))
    given = {"skills": skills, "of": len(skills)} if skills else {}
    found = rows(_able(with_skills=bool(skills)), {"licence": licence_kind} | given)
    return [EligibleTherapist(*row) for row in found]


@dataclass(frozen=True)
class OnDuty:
    """A therapist who may give a treatment, and how much they give a day. `work` and `breaks`: their weekly hours at
    one place, as `hours_of` reads them, `dated` those of single dates at all places; many keep the same hours, which
    then have to be worked out only once. `off`: whole days off, as `days_off` reads them, where zones
    differ. `good_on`: the days on which the licence and all the skills are good."""

    id: int
    good_on: Days
    limits: Limits
    work: str | None
    breaks: str | None
    dated: str | None
    off: str | None


_THERAPIST, _SKILL, _HOURS, _DATED, _OFF = (
    table.__table__.c for table in (Therapist, TherapistSkill, WorkingHours, DatedHours, TimeOff)
)


@cache
def _able(*, with_skills: bool) -> Select[Any]:
    skilled = (
        select(_SKILL.therapist_id)
        .where(_SKILL.skill.in_(bindparam("skills", expanding=True)))
        .group_by(_SKILL.therapist_id)
        .having(func.count() == bindparam("of"))
    )
    return (
        select(*(_THERAPIST[field.name] for field in fields(EligibleTherapist)))
        .where(_THERAPIST.is_active, _THERAPIST.licence_kind == bindparam("licence"))
        .where(_THERAPIST.id.in_(skilled) if with_skills else true())
        .order_by(_THERAPIST.name, _THERAPIST.id)
    )


def _week(kind: str) -> Label[str]:
    here = select(premises.hours_text(_HOURS.weekday, _HOURS.starts, _HOURS.ends)).where(
        _HOURS.therapist_id == _THERAPIST.id,
        _HOURS.location_id == bindparam("place"),
        _HOURS.kind == literal_column(f"'{kind}'"),
    )
    return here.scalar_subquery().label(kind)


def _dates() -> Label[str]:
    hours = select(premises.hours_text(_DATED.day, _DATED.location_id, _DATED.starts, _DATED.ends)).where(
        _DATED.therapist_id == _THERAPIST.id, _DATED.day.between(bindparam("first"), bindparam("last"))
    )
    return hours.scalar_subquery().label("dated")


def _whole_days_off() -> Label[str]:
    off = select(premises.hours_text(_OFF.first_day, _OFF.last_day)).where(
        _OFF.therapist_id == _THERAPIST.id,
        _OFF.first_day <= bindparam("last"),
        _OFF.last_day >= bindparam("first"),
    )
    return off.scalar_subquery().label("off")


_LIMITS = ("most_minutes_a_day", "most_intense_minutes_a_day", "most_visits_a_day", "pause_minutes")
"""The columns of `Limits`, in its order."""


@cache
def _on_duty(*, one: bool, gendered: bool, skilled: bool, zones_differ: bool) -> Select[Any]:
    """In a clinic with one zone the claims of time off hold whole days, and nobody has to read them here."""
    limits = [getattr(_THERAPIST, column) for column in _LIMITS]
    off = _whole_days_off() if zones_differ else null().label("off")
    with_all = (
        select(
            _SKILL.therapist_id,
            func.max(_SKILL.starts_on).label("starts_on"),
            func.min(_SKILL.ends_on).label("ends_on"),
        )
        .where(_SKILL.skill.in_(bindparam("skills", expanding=True)))
        .group_by(_SKILL.therapist_id)
        .having(func.count() == bindparam("skill_count", type_=Integer))
        .subquery()
    )
    days = (with_all.c.starts_on, with_all.c.ends_on) if skilled else (null(), null())
    wanted = select(
        *(_THERAPIST.id, _THERAPIST.name, _THERAPIST.licence_expires_on),
        *(one.label(name) for one, name in zip(days, ("skilled_from", "skilled_until"), strict=True)),
        *(_week("work"), _week("break"), _dates(), off),
        *limits,
    ).where(_THERAPIST.is_active, _THERAPIST.licence_kind == bindparam("licence_kind"))
    if one:
        wanted = wanted.where(_THERAPIST.id == bindparam("therapist"))
    if gendered:
        wanted = wanted.where(_THERAPIST.gender == bindparam("gender"))
    return wanted.join(with_all, with_all.c.therapist_id == _THERAPIST.id) if skilled else wanted


def ask_on_duty(
    plan_skills: Collection[str],
    licence_kind: str,
    location_id: int,
    days: Sequence[dt.date],
    therapist_id: int | None = None,
    gender: str = "",
    *,
    zones_differ: bool = False,
) -> tuple[Select[Any], dict[str, Any]]:
    """The statement that finds those of `eligible`, with the hours at this place on these days (in order), and what it
    is given: to be asked with more, and read by `on_duty`. `gender`: only therapists who say they have this one, where
    none is named. `zones_differ`: another place of the clinic has another zone."""
    given: dict[str, Any] = {
        "place": location_id, "licence_kind": licence_kind, "first": days[0], "last": days[-1],
    }  # fmt: skip
    if therapist_id is not None:
        given["therapist"] = therapist_id
    is_gendered = bool(gender) and therapist_id is None
    if is_gendered:
        given["gender"] = gender
    if plan_skills:
        given |= {"skills": sorted(set(plan_skills)), "skill_count": len(set(plan_skills))}
    wanted = _on_duty(
        one=therapist_id is not None,
        gendered=is_gendered,
        skilled=bool(plan_skills),
        zones_differ=zones_differ,
    )
    return wanted, given


def on_duty(found: Iterable[Sequence[Any]], *, without_hours: bool = False) -> list[OnDuty]:
    """Those in the rows that `ask_on_duty` finds, by name; who has no hours there is left out unless they are wanted
    `without_hours`, and so is what is no therapist. Whatever stands behind their columns is passed over."""
    people = sorted((row for row in found if row[2] is not None), key=lambda row: (row[1], row[0]))
    return [
        OnDuty(
            person,
            Days(skilled_from, min(expires_on, skilled_until or expires_on)),
            Limits(*more[: len(_LIMITS)]),
            work,
            breaks,
            dated,
            off,
        )
        for person, _name, expires_on, skilled_from, skilled_until, work, breaks, dated, off, *more in people
        if work or dated or without_hours
    ]


def limits_of(row: Therapist) -> Limits:
    """What this therapist gives a day, and the pause they need."""
    return Limits(*(getattr(row, column) for column in _LIMITS))


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
    """Time off and blocks of these therapists that may overlap the span, soonest first; at a place it is `span_at`."""
    return db.session.scalars(
        select(TimeOff)
        .where(
            TimeOff.therapist_id.in_(therapist_ids), TimeOff.starts_at < ends_at, TimeOff.ends_at > starts_at
        )
        .order_by(TimeOff.starts_at, TimeOff.id)
    ).all()


def never_together(*client_ids: int) -> set[int]:
    """Ids of the therapists that these records of one person are never booked with."""
    if not may_have(NeverTogether, client_ids):
        return set()
    return set(
        db.session.scalars(
            select(NeverTogether.therapist_id).where(
                NeverTogether.client_id.in_(client_ids), NeverTogether.ended_at.is_(None)
            )
        )
    )


def kept_apart(client_ids: Collection[int]) -> set[tuple[int, int]]:
    """(client, therapist) of the pairs among these clients that are never booked together."""
    rows = select(NeverTogether.client_id, NeverTogether.therapist_id).where(
        NeverTogether.client_id.in_(client_ids), NeverTogether.ended_at.is_(None)
    )
    return {(row[0], row[1]) for row in db.session.execute(rows)}


def restriction_rows(client_ids: Collection[int]) -> Sequence[TherapistRestriction]:
    """What therapists asked for beyond the rules for these records of one person, newest first; not withdrawn ones."""
    ids = may_have(TherapistRestriction, client_ids)
    if client_ids and not ids:
        return []
    return db.session.scalars(
        select(TherapistRestriction)
        .where(TherapistRestriction.client_id.in_(ids), TherapistRestriction.ended_at.is_(None))
        .order_by(TherapistRestriction.made_at.desc(), TherapistRestriction.id)
    ).all()


def restrictions_of(client_ids: Collection[int]) -> list[Restriction]:
    """The same as the gate reads them."""
    return [
        Restriction(VERDICT_WORDS[row.verdict], row.reason, frozenset(row.services), row.until)
        for row in restriction_rows(client_ids)
    ]


def all_restrictions() -> Sequence[TherapistRestriction]:
    """Everybody's that are not withdrawn, newest first; for clinical review."""
    return db.session.scalars(
        select(TherapistRestriction)
        .where(TherapistRestriction.ended_at.is_(None))
        .order_by(TherapistRestriction.made_at.desc(), TherapistRestriction.id)
    ).all()


def never_together_of(therapist_id: int) -> Sequence[NeverTogether]:
    """Clients this therapist is never booked with, newest first; for the owner."""
    return db.session.scalars(
        select(NeverTogether)
        .where(NeverTogether.therapist_id == therapist_id, NeverTogether.ended_at.is_(None))
        .order_by(NeverTogether.created_at.desc(), NeverTogether.id)
    ).all()


def therapist_facts(row: Therapist) -> TherapistFacts:
    """The profile as its form shows it."""
    special: dict[str, Any] = {
        "skills": tuple(sorted(row.skills)),
        "skill_dates": tuple(sorted((one.skill, *one.days) for one in row.skill_rows if any(one.days))),
    }
    plain = {one.name: getattr(row, one.name) for one in fields(TherapistFacts) if one.name not in special}
    return TherapistFacts(**plain, **special)


def week_of(therapist_id: int, location_id: int) -> dict[str, list[WeeklyHours]]:
    """Work and breaks of one therapist at one place, as the rules read them."""
    rows = weekly_hours([therapist_id], location_id)
    return {
        kind: [WeeklyHours(row.weekday, row.starts, row.ends) for row in rows if row.kind == kind]
        for kind in ("work", "break")
    }


def dated_hours(
    therapist_ids: Collection[int], location_id: int, days: Sequence[dt.date]
) -> dict[int, dict[dt.date, list[WeeklyHours]]]:
    """Therapist → those of these days, in order, with hours of their own: those at this place, none where they work
    at another that day."""
    rows = db.session.scalars(
        select(DatedHours)
        .where(DatedHours.therapist_id.in_(therapist_ids), DatedHours.day.between(days[0], days[-1]))
        .order_by(DatedHours.day, DatedHours.starts, DatedHours.id)
    )
    found: dict[int, dict[dt.date, list[WeeklyHours]]] = {one: {} for one in therapist_ids}
    for row in rows:
        here = found[row.therapist_id].setdefault(row.day, [])
        if row.location_id == location_id:
            here.append(WeeklyHours(row.day.weekday(), row.starts, row.ends))
    return found


def days_ahead(therapist_id: int, today: dt.date) -> list[tuple[dt.date, int, list[WeeklyHours]]]:
    """(date, place, hours) of the dates from today on with hours of their own, in order."""
    rows = db.session.scalars(
        select(DatedHours)
        .where(DatedHours.therapist_id == therapist_id, DatedHours.day >= today)
        .order_by(DatedHours.day, DatedHours.location_id, DatedHours.starts, DatedHours.id)
    )
    return [
        (day, place, [WeeklyHours(day.weekday(), row.starts, row.ends) for row in group])
        for (day, place), group in groupby(rows, key=lambda row: (row.day, row.location_id))
    ]


def accounts_of_therapists(linked: int | None = None) -> list[tuple[int, str]]:
    """(id, `Name, e-mail`) of the accounts that have the role of therapist, by name. The one that is `linked` now is
    among them whatever became of it, and says so."""
    of_therapists = select(UserRole.user_id).where(UserRole.role == Role.THERAPIST)
    found = db.session.scalars(
        select(User)
        .where(or_(and_(User.id.in_(of_therapists), User.is_active), User.id == linked))
        .order_by(User.name, User.id)
    )
    return [(row.id, _account_words(row)) for row in found]


def _account_words(row: User) -> str:
    account = f"{row.name}, {row.email}"
    if not row.is_active:
        return _("%(account)s (switched off)", account=account)
    if Role.THERAPIST not in row.roles:
        return _("%(account)s (without the role of therapist)", account=account)
    return account


def skills() -> list[str]:
    """The known skills, those the catalogue asks for, and those that therapists have."""
    own = db.session.scalars(select(TherapistSkill.skill).distinct().order_by(TherapistSkill.skill))
    return list(dict.fromkeys([*catalogue.skills(), *own]))


def licences_held() -> Sequence[str]:
    """Every kind of licence that a therapist has, by name."""
    return db.session.scalars(
        select(Therapist.licence_kind).distinct().order_by(Therapist.licence_kind)
    ).all()


def therapists_to_show() -> Sequence[Therapist]:
    """For the public page: those who can be booked and have hours somewhere, by name."""
    works = select(WorkingHours.therapist_id).where(WorkingHours.kind == "work")
    return db.session.scalars(
        select(Therapist)
        .where(Therapist.is_active, Therapist.id.in_(works))
        .order_by(Therapist.name, Therapist.id)
    ).all()
