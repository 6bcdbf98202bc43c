"""Reading visits, their history, and who may see a client's answers."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import and_, bindparam, exists, func, or_, select
from sqlalchemy.orm import joinedload

from clinic.accounts.queries import hash_of
from clinic.booking.models import CallRequest, Checkout, Offer, Screening, StatusChange, Visit
from clinic.booking.queries.blocks import starts_near
from clinic.booking.queries.judged_by import lies_ahead
from clinic.booking.queries.next_steps import PARTNER, RECONFIRM
from clinic.catalogue import queries as catalogue
from clinic.catalogue.models import Service
from clinic.catalogue.queries import VisitPlan
from clinic.clients import queries as clients
from clinic.clients.models import Client
from clinic.premises import queries as premises
from clinic.rules import visit_status
from clinic.rules.booking_policy import LINKS_LAST
from clinic.rules.visit_status import NEEDING_PERMIT, UPCOMING, WAY_TO_DONE, VisitStatus
from clinic.shared import signed
from clinic.shared.database import db
from clinic.shared.read_once import may_have, read_once
from clinic.shared.statements import spelt_out
from clinic.therapists import queries as therapists
from clinic.therapists.models import Therapist

WITH_NAMES = (
    joinedload(Visit.client), joinedload(Visit.room), joinedload(Visit.location),
    # What a therapist may give and what a service offers beside it is not asked of a visit that is booked.
    joinedload(Visit.therapist).lazyload(Therapist.skill_rows), joinedload(Visit.service).lazyload(Service.addons),
)  # fmt: skip

LOOK = "review"
"""What a visit waits for until somebody has looked at answers, or at two records that look alike."""
NEEDS_REVIEW = "needs_review"
"""The outcome of a judgement that leads there."""
OFFERED = "waitlist"
"""The source of a visit whose time is kept for an offer."""
LEFT_OPEN_DAYS = 14
"""How long a visit that nobody closed is asked about."""

JUDGED_AGAIN = (
    VisitStatus.HELD, VisitStatus.PENDING, VisitStatus.CONFIRMED, VisitStatus.ARRIVED, VisitStatus.SUSPENDED,
)  # fmt: skip


def visit(visit_id: int) -> Visit | None:
    return db.session.get(Visit, visit_id, options=WITH_NAMES)


def plan_of(visit: Visit) -> VisitPlan:
    """What this visit is: it keeps what it was booked as, whatever was switched off since."""
    return catalogue.plan_for_booked(
        visit.service_id, visit.mode, visit.addons, visit.minutes, first_visit=visit.first_visit
    )


def person_of(visit: Visit) -> Client | None:
    """Whose visit it is by now: one that is over or called off stays with the record that it was written for, also
    where that was merged into another. No statement more than the visit's own record takes, where it was not."""
    return clients.client(visit.client_id) if visit.client_id is not None else None


def visit_by_key(token: str, now: dt.datetime) -> Visit | None:
    """The visit that this mailed key opens: the one of its booking, or the one of a reminder that followed from it.
    Both end some time after the visit."""
    which = Visit.manage_hash == hash_of(token)
    if reminded := signed.opened(signed.VISIT, token):
        which = and_(Visit.id == reminded[0], Visit.manage_hash == reminded[1])
    lasts = Visit.ends_at > now - LINKS_LAST
    return db.session.scalars(select(Visit).where(which, lasts).options(*WITH_NAMES)).one_or_none()


def reminder_key(visit: Visit) -> str:
    """A key for the visit's own page beside the one that is only in a mailbox. It ends when that one does."""
    return signed.sign(signed.VISIT, [visit.id, visit.manage_hash])


@dataclass(frozen=True)
class Made:
    """The visit that a request made. `asked`: by a program, a hash of what it asked for."""

    id: int
    status: str
    asked: str | None


_MADE = select(Visit.id, Visit.status, Visit.request_asked).where(Visit.request_key == bindparam("key"))


def visit_by_request(request_key: str) -> Made | None:
    """The visit that this very request already made: a double click gets the same answer."""
    return read_once(("made by", request_key), lambda: _made(request_key), Visit)


def _made(request_key: str) -> Made | None:
    row = db.session.execute(_MADE, {"key": request_key}).one_or_none()
    return Made(*row) if row is not None else None


def note_not_made(request_key: str) -> None:
    """Whoever asks in this transaction what this request made knows: nothing yet."""
    read_once(("made by", request_key), lambda: None, Visit)


def seen_as(visit: Visit) -> VisitStatus:
    """What whoever booked may be told. Whoever may be a known person under another name sees what everybody sees who
    is known to nobody: else the page would say who is known."""
    return VisitStatus.CONFIRMED if is_hidden_wait(visit) else VisitStatus(visit.status)


def is_hidden_wait(visit: Visit) -> bool:
    """Whether this visit waits for the desk to look who it is, and whoever booked it is not told."""
    waits = visit.status == VisitStatus.PENDING and visit.waiting_for is not None
    return waits and told_wait(visit) is None


def told_wait(visit: Visit) -> str | None:
    """What whoever booked may be told that it waits for: what it would wait for if nobody looked like them. None for
    one that stands then, or stands anyway."""
    waits_for = visit.waiting_for
    if visit.status != VisitStatus.PENDING or waits_for not in (LOOK, PARTNER):
        return waits_for
    own = _own_wait(visit)
    other = _other_that_waits(visit) if own in (None, PARTNER) else None
    if other is None:
        return own
    others_own = _own_wait(other) if other.status == VisitStatus.PENDING else other.waiting_for
    if (own, others_own) == (PARTNER, PARTNER):  # each for the other: nothing is hidden there
        return PARTNER
    return None if others_own in (None, PARTNER) else PARTNER


def _own_wait(visit: Visit) -> str | None:
    """What one that waits would wait for without a look-alike, whatever there is of the other one of two."""
    if visit.waiting_for != LOOK or visit.client is None or not visit.client.is_unproven:
        return visit.waiting_for
    kept = db.session.get(Screening, visit.screening_id) if visit.screening_id is not None else None
    alone = kept.findings.get("alone", {}) if kept is not None else {}
    if alone.get("outcome") == NEEDS_REVIEW:  # their own answers have to be looked at
        return LOOK
    return RECONFIRM if visit.to_reconfirm else None


def _other_that_waits(visit: Visit) -> Visit | None:
    """The other visit of two, where it waits as well."""
    if visit.couple_id is None:
        return None
    return db.session.scalars(
        select(Visit).where(
            Visit.couple_id == visit.couple_id,
            Visit.id != visit.id,
            Visit.status.in_(spelt_out("pending", "suspended")),
        )
    ).one_or_none()


def is_offered(visit: Visit) -> bool:
    """Whether its time is only kept for somebody who has been asked and has not answered yet."""
    return visit.status == VisitStatus.HELD and visit.source == OFFERED


IS_OFFERED = and_(Visit.status == VisitStatus.HELD, Visit.source == OFFERED)
"""The same in a statement: after the yes it is a visit like any other."""


def moved_to(visit: Visit) -> Visit | None:
    """The visit that stands for this one by now, where a time that was offered instead was taken."""
    found: Visit | None = visit
    while found is not None and found.status == VisitStatus.CANCELLED:
        taken = Offer.instead_of_id == found.id, Offer.ended_as == "accepted"
        found = db.session.scalars(
            select(Visit).join(Offer, Offer.visit_id == Visit.id).where(*taken).limit(1)
        ).one_or_none()
    return found if found is not None and found is not visit and found.status in UPCOMING else None


def as_booked(visit_id: int | None) -> list[int]:
    """This visit, and the one that was booked at first where it was, or is to be, moved to a time that was offered."""
    found: list[int] = []
    while visit_id is not None and visit_id not in found:
        found.append(visit_id)
        visit_id = db.session.scalar(
            select(Offer.instead_of_id)
            .where(
                Offer.visit_id == visit_id,
                Offer.kind == "move",
                Offer.ended_at.is_(None) | (Offer.ended_as == "accepted"),
            )
            .limit(1)
        )
    return found


def booked_at(visit_ids: Collection[int]) -> dt.datetime | None:
    """When the first of these was booked, confirmed or not; None while their times are only held."""
    return db.session.scalar(
        select(func.min(StatusChange.at)).where(
            StatusChange.visit_id.in_(visit_ids), StatusChange.status != VisitStatus.HELD
        )
    )


def visits_of(client_ids: Collection[int]) -> Sequence[Visit]:
    """Every visit of these people but holds, newest first."""
    return db.session.scalars(
        select(Visit)
        .where(Visit.client_id.in_(client_ids), Visit.status.not_in(("held", "released")))
        .order_by(Visit.starts_at.desc(), Visit.id)
        .options(*WITH_NAMES)
    ).all()


def own_visit(user_id: int, visit_id: int) -> Visit | None:
    """The visit, when this account may act for its client; else None, as if it were not there."""
    found = visit(visit_id)
    if found is None or found.client_id is None:
        return None
    return found if clients.client_of(user_id, found.client_id) is not None else None


def visits_ahead(client_id: int, now: dt.datetime) -> Sequence[Visit]:
    """Visits that a new answer, rule or birthday must judge again, soonest first."""
    return db.session.scalars(
        select(Visit)
        .where(Visit.client_id == client_id, lies_ahead(now), Visit.status.in_(JUDGED_AGAIN))
        .order_by(Visit.starts_at, Visit.id)
    ).all()


def visits_between(location_id: int, start: dt.datetime, end: dt.datetime) -> Sequence[Visit]:
    """Visits on the grid, holds included, by time."""
    shown = [status for status in VisitStatus if status not in (VisitStatus.RELEASED,)]
    return db.session.scalars(
        select(Visit)
        .where(
            Visit.location_id == location_id,
            starts_near(start, end),
            Visit.free_at > start,
            Visit.status.in_(shown),
        )
        .order_by(Visit.starts_at, Visit.id)
        .options(*WITH_NAMES)
    ).all()


def waiting_visits() -> Sequence[Visit]:
    """Pending and suspended visits, nearest deadline first."""
    return db.session.scalars(
        select(Visit)
        .where(Visit.status.in_(spelt_out("pending", "suspended")))
        .order_by(Visit.deadline_at, Visit.starts_at, Visit.id)
        .options(*WITH_NAMES)
    ).all()


def not_closed(now: dt.datetime) -> Sequence[Visit]:
    """Visits of the last two weeks that ended an hour ago or earlier, and of which nobody said whether they took place:
    the oldest first."""
    today = now.date()
    return db.session.scalars(
        select(Visit)
        .where(
            Visit.day.between(today - dt.timedelta(days=LEFT_OPEN_DAYS), today + dt.timedelta(days=1)),
            Visit.ends_at <= now - dt.timedelta(hours=1),
            Visit.status.in_(tuple(WAY_TO_DONE)),
        )
        .order_by(Visit.starts_at, Visit.id)
        .options(*WITH_NAMES)
    ).all()


def visits_switched_off(now: dt.datetime) -> Sequence[Visit]:
    """Coming visits of a service that the owner has switched off since, soonest first."""
    return db.session.scalars(
        select(Visit)
        .join(Service, Service.id == Visit.service_id)
        .where(Visit.starts_at > now, Visit.status.in_(tuple(UPCOMING)), Service.is_active.is_(False))
        .order_by(Visit.starts_at, Visit.id)
        .options(*WITH_NAMES)
    ).all()


def first_visit_at(client_id: int, *, besides: int | None = None) -> dt.datetime | None:
    """When the first visit that this person has, or had, starts; None where there is none. One that their client takes
    for confirmed counts as one: how long the next one takes would tell."""
    ids = clients.all_ids(client_id)
    if not may_have(Visit, ids):
        return None
    mine = [Visit.client_id.in_(ids), *([Visit.id != besides] if besides is not None else [])]
    stands = select(func.min(Visit.starts_at)).where(*mine, Visit.status.in_(tuple(NEEDING_PERMIT)))
    waits = exists().where(*mine, Visit.status == VisitStatus.PENDING, Visit.waiting_for.in_((LOOK, PARTNER)))
    first, may_be_told = db.session.execute(select(stands.scalar_subquery(), waits)).one()
    told: list[dt.datetime] = [] if first is None else [first]
    if may_be_told:
        told += [one.starts_at for one in others_pending(ids, besides=besides) if is_hidden_wait(one)]
    return min(told, default=None)


def has_been_before(client_id: int, moment: dt.datetime, *, besides: int | None = None) -> bool:
    """Whether this person has, or had, a visit before this one: else it is a first visit."""
    first = first_visit_at(client_id, besides=besides)
    return first is not None and first < moment


def is_known(client_ids: Collection[int]) -> bool:
    """Whether any of these people has been treated here: else they are new."""
    if not client_ids:
        return False
    ids = clients.all_ids(*client_ids)
    return bool(
        db.session.scalar(select(exists().where(Visit.client_id.in_(ids), Visit.status == VisitStatus.DONE)))
    )


def others_pending(client_ids: Collection[int], *, besides: int | None = None) -> Sequence[Visit]:
    """Visits of these people that wait to be confirmed."""
    return db.session.scalars(
        select(Visit)
        .where(Visit.client_id.in_(client_ids), Visit.status == VisitStatus.PENDING, Visit.id != besides)
        .order_by(Visit.id)
    ).all()


def treats(therapist_id: int, client_id: int, now: dt.datetime) -> bool:
    """Whether this therapist treats this client: a visit from 30 days back to 60 ahead (settings)."""
    return bool(treated(therapist_id, [client_id], now))


def concerns_reviewer(user_id: int, client_id: int, now: dt.datetime) -> bool:
    """Whether the therapist with this account treats the client, or a visit of theirs waits for a letter or a look."""
    me = therapists.therapist_of_user(user_id)
    if me is not None and treats(me.id, client_id, now):
        return True
    waits = exists().where(
        Visit.client_id.in_(clients.all_ids(client_id)),
        Visit.status.in_(("pending", "suspended")),
        Visit.waiting_for.in_(("clearance", "review")),
    )
    return bool(db.session.scalar(select(waits)))


def treated(therapist_id: int, client_ids: Collection[int], now: dt.datetime) -> set[int]:
    """Those of the clients whom this therapist treats: see `treats`. Two statements where no record was merged."""
    settings = premises.clinic()
    below = clients.aliases(client_ids)
    whose = {one: one for one in client_ids}
    for into, gone in below.items():  # from the record that stands downwards
        whose |= {one.id: whose[into] for one in gone}
    wanted = (
        select(Visit.client_id)
        .where(
            Visit.therapist_id == therapist_id,
            Visit.client_id.in_(whose),
            Visit.starts_at > now - dt.timedelta(days=settings.treated_days_back),
            Visit.starts_at < now + dt.timedelta(days=settings.treated_days_ahead),
            Visit.status.in_(("pending", "suspended", *NEEDING_PERMIT)),
        )
        .distinct()
    )
    return {whose[one] for one in db.session.scalars(wanted) if one is not None}


def history(visit_id: int) -> Sequence[StatusChange]:
    """The visit's life, oldest step first."""
    return db.session.scalars(
        select(StatusChange)
        .where(StatusChange.visit_id == visit_id)
        .order_by(StatusChange.at, StatusChange.id)
    ).all()


def standing_since(visit_ids: Collection[int]) -> dict[int, dt.datetime]:
    """Since when each of these visits stands as it does. One statement."""
    rows = db.session.execute(
        select(StatusChange.visit_id, StatusChange.status, StatusChange.at)
        .where(StatusChange.visit_id.in_(visit_ids))
        .order_by(StatusChange.at, StatusChange.id)
    )
    steps: dict[int, list[tuple[VisitStatus, dt.datetime]]] = {}
    for visit_id, status, at in rows:
        steps.setdefault(visit_id, []).append((VisitStatus(status), at))
    return {visit_id: visit_status.standing_since(one) for visit_id, one in steps.items()}


def screenings_of(visit_id: int) -> Sequence[Screening]:
    """Every judgement of this visit, newest first; of two in the same second the one that does not permit."""
    return db.session.scalars(
        select(Screening)
        .where(Screening.visit_id == visit_id)
        .order_by(Screening.judged_at.desc(), Screening.permits, Screening.id)
    ).all()


def newest_screening(visit_id: int) -> Screening | None:
    """The judgement that stands for this visit, permitting or not."""
    return next(iter(screenings_of(visit_id)), None)


def checkout(token: str, *, to_change: bool = False) -> Checkout | None:
    """The booking that this browser is making. `to_change` keeps a second tab waiting until this one is done."""
    wanted = select(Checkout).where(Checkout.token_hash == hash_of(token))
    return db.session.scalars(wanted.with_for_update() if to_change else wanted).one_or_none()


NEWEST_CALLS = 500


def open_calls() -> Sequence[CallRequest]:
    """People who asked to be called, longest waiting first. Who has come to a visit needs no news of it any more."""
    has_come = Visit.status.in_((VisitStatus.ARRIVED, VisitStatus.IN_SESSION, VisitStatus.DONE))
    return db.session.scalars(
        select(CallRequest)
        .outerjoin(Visit, Visit.id == CallRequest.visit_id)
        .where(CallRequest.done_at.is_(None))
        .where(or_(CallRequest.about != "news", Visit.id.is_(None), ~has_come))
        .order_by(CallRequest.asked_at, CallRequest.id)
        .options(joinedload(CallRequest.client), joinedload(CallRequest.visit))
    ).all()


def asks_for_call(visit_id: int) -> bool:
    """Whether the client asked about this visit to be called, and waits for it."""
    asked = select(CallRequest.id).where(
        CallRequest.visit_id == visit_id, CallRequest.about != "news", CallRequest.done_at.is_(None)
    )
    return db.session.scalar(asked.limit(1)) is not None


def calls_made(since: dt.datetime) -> Sequence[CallRequest]:
    """People who were called since then, the last call first: of the newest requests, so that a long list costs
    nothing."""
    newest = select(func.max(CallRequest.id)).scalar_subquery()
    return db.session.scalars(
        select(CallRequest)
        .where(CallRequest.id > newest - NEWEST_CALLS, CallRequest.done_at >= since)
        .order_by(CallRequest.done_at.desc(), CallRequest.id.desc())
        .options(joinedload(CallRequest.client), joinedload(CallRequest.visit))
    ).all()


@dataclass(frozen=True)
class VisitFacts:
    """A visit as programs see it: plain values, no name and no note."""

    id: int
    status: str
    client_id: int | None
    service: str
    mode: str | None
    minutes: int
    addons: tuple[str, ...]
    areas: tuple[str, ...]
    starts_at: dt.datetime
    ends_at: dt.datetime
    day: dt.date
    zone: str
    location_id: int
    therapist_id: int
    any_therapist: bool
    asked_gender: str
    room_id: int
    waiting_for: str | None
    deadline_at: dt.datetime | None
    price: int
    currency: str
    revision: int
    series_id: int | None
    couple_id: int | None


_FACTS = (
    Visit.id, Visit.status, Visit.client_id, Service.key, Visit.mode, Visit.minutes, Visit.addons, Visit.areas,
    Visit.starts_at, Visit.ends_at, Visit.day, Visit.zone, Visit.location_id, Visit.therapist_id, Visit.any_therapist,
    Visit.asked_gender, Visit.room_id, Visit.waiting_for, Visit.deadline_at, Visit.price, Visit.currency,
    Visit.revision, Visit.series_id, Visit.couple_id,
)  # fmt: skip


def facts_as_booked(visit: Visit, service: str) -> VisitFacts:
    """The facts of a visit that is being booked; `service` is the key of its service. No statement."""
    plain = {one.key: getattr(visit, one.key) for one in _FACTS if one.key not in ("id", "key")}
    return _facts_of((visit.id, plain.pop("status"), plain.pop("client_id"), service, *plain.values()))


def facts(visit_id: int) -> VisitFacts | None:
    """One visit, holds included; None when there is none. One statement."""
    row = db.session.execute(select(*_FACTS).join(Service).where(Visit.id == visit_id)).one_or_none()
    return _facts_of(row) if row is not None else None


def day_page(
    day: dt.date, *, page: int, per_page: int, location_id: int | None = None
) -> tuple[list[VisitFacts], int]:
    """One page of the visits that start on a local day, by time, and how many there are in all."""
    here = [Visit.day == day, Visit.status.not_in((VisitStatus.HELD, VisitStatus.RELEASED))]
    if location_id is not None:
        here.append(Visit.location_id == location_id)
    total = db.session.scalar(select(func.count()).select_from(Visit).where(*here)) or 0
    rows = db.session.execute(
        select(*_FACTS)
        .join(Service)
        .where(*here)
        .order_by(Visit.starts_at, Visit.id)
        .limit(per_page)
        .offset((page - 1) * per_page)
    )
    return [_facts_of(row) for row in rows], total


def _facts_of(row: Any) -> VisitFacts:
    plain = VisitFacts(*row)
    return replace(plain, addons=tuple(plain.addons), areas=tuple(plain.areas))
