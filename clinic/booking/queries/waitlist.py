"""Reading the waitlist: wishes in the order in which they were made, and the offers that stand."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, and_, exists, func, or_, select
from sqlalchemy.orm import aliased, joinedload

from clinic.accounts.queries import hash_of
from clinic.booking.models import Offer, StatusChange, Visit, WaitlistWish
from clinic.booking.queries.blocks import CANNOT_BE_GIVEN
from clinic.clients import queries as clients
from clinic.premises.models import Location
from clinic.rules.booking_policy import LINKS_LAST
from clinic.rules.visit_status import NEEDING_PERMIT, UPCOMING, VisitStatus
from clinic.rules.waitlist import ASKED_AGAIN_AFTER, SAME_DAY, SET_ASIDE, Span, When
from clinic.rules.wall_time import local_day
from clinic.shared.database import db

CAME_TO_NOTHING = ("declined", "expired", "not_possible")
_WITH_NAMES = (
    joinedload(WaitlistWish.client), joinedload(WaitlistWish.service), joinedload(WaitlistWish.therapist),
    joinedload(WaitlistWish.location),
)  # fmt: skip
_OFFER_WITH_NAMES = (
    joinedload(Offer.wish), joinedload(Offer.instead_of),
    *(
        joinedload(Offer.visit).joinedload(one)
        for one in (Visit.client, Visit.therapist, Visit.service, Visit.room, Visit.location)
    ),
)  # fmt: skip


def when_of(wish: WaitlistWish) -> When:
    """The wish as the rules read it."""
    return When(
        wish.first_day, wish.last_day, frozenset(wish.weekdays), frozenset(wish.parts), wish.notice_hours
    )


def wish(wish_id: int) -> WaitlistWish | None:
    return db.session.get(WaitlistWish, wish_id, options=_WITH_NAMES)


def wish_by_key(token: str, now: dt.datetime) -> WaitlistWish | None:
    """The wish whose page this mailed key opens, for some time after its end too."""
    lasts = or_(WaitlistWish.ended_at.is_(None), WaitlistWish.ended_at > now - LINKS_LAST)
    return db.session.scalars(
        select(WaitlistWish).where(WaitlistWish.key_hash == hash_of(token), lasts).options(*_WITH_NAMES)
    ).one_or_none()


def waiting(day: dt.date | None = None) -> list[WaitlistWish]:
    """Wishes that wait for an offer, first in line first; of a `day`, those that could come on it."""
    rows = db.session.scalars(
        select(WaitlistWish)
        .where(WaitlistWish.ended_at.is_(None), ~_has_open_offer(), *_on(day))
        .order_by(WaitlistWish.made_at, WaitlistWish.id)
        .options(joinedload(WaitlistWish.service))
    ).all()
    return [one for one in rows if day is None or when_of(one).is_on(day)]


def _has_open_offer() -> ColumnElement[bool]:
    return exists().where(Offer.wish_id == WaitlistWish.id, Offer.ended_at.is_(None))


def _on(day: dt.date | None) -> list[ColumnElement[bool]]:
    return [WaitlistWish.first_day <= day, WaitlistWish.last_day >= day] if day is not None else []


def open_wishes() -> Sequence[WaitlistWish]:
    """Everybody on the list, first in line first."""
    return db.session.scalars(
        select(WaitlistWish)
        .where(WaitlistWish.ended_at.is_(None))
        .order_by(WaitlistWish.made_at, WaitlistWish.id)
        .options(*_WITH_NAMES)
    ).all()


def page(*, client_id: int | None, page: int, per_page: int) -> tuple[Sequence[WaitlistWish], int]:
    """One page of the open wishes, of one client or of all, first in line first, and how many there are."""
    here = [WaitlistWish.ended_at.is_(None)]
    if client_id is not None:
        person = clients.client(client_id)
        client_id = person.id if person is not None else client_id
        here.append(WaitlistWish.client_id.in_(clients.all_ids(client_id)))
    total = db.session.scalar(select(func.count()).select_from(WaitlistWish).where(*here)) or 0
    rows = db.session.scalars(
        select(WaitlistWish)
        .where(*here)
        .order_by(WaitlistWish.made_at, WaitlistWish.id)
        .options(*_WITH_NAMES)
        .limit(per_page)
        .offset((page - 1) * per_page)
    ).all()
    return rows, total


def wishes_of(client_ids: Collection[int]) -> Sequence[WaitlistWish]:
    """The open wishes of these people, oldest first."""
    ids = clients.all_ids(*client_ids)
    return db.session.scalars(
        select(WaitlistWish)
        .where(WaitlistWish.client_id.in_(ids), WaitlistWish.ended_at.is_(None))
        .order_by(WaitlistWish.made_at, WaitlistWish.id)
        .options(*_WITH_NAMES)
    ).all()


def wishes_to_end(now: dt.datetime) -> list[tuple[int, str]]:
    """Open wishes whose last day has passed by the clock of their place, or whose person has booked such a visit since:
    id and how they end."""
    tomorrow = now.date() + dt.timedelta(days=1)  # nowhere is it later than that
    one = aliased(WaitlistWish)
    booked_at = (  # online it is made before, when its time is kept
        select(func.min(StatusChange.at))
        .where(StatusChange.visit_id == Visit.id, StatusChange.status != VisitStatus.HELD)
        .scalar_subquery()
    )
    booked = exists().where(
        Visit.client_id == one.client_id,
        Visit.service_id == one.service_id,
        or_(Visit.created_at > one.made_at, booked_at > one.made_at),
        Visit.day >= one.first_day,
        Visit.day <= one.last_day,
        Visit.status.in_((*UPCOMING, *NEEDING_PERMIT)),
    )
    rows = db.session.execute(
        select(one.id, one.last_day, Location.zone, booked)
        .join(Location, Location.id == one.location_id)
        .where(one.ended_at.is_(None), or_(one.last_day < tomorrow, booked))
        .order_by(one.id)
    )
    ended: list[tuple[int, str]] = []
    for wish_id, last_day, zone, has_booked in rows:
        if last_day < local_day(now, ZoneInfo(zone)):
            ended.append((wish_id, "over"))
        elif has_booked:
            ended.append((wish_id, "booked"))
    return ended


def offer(offer_id: int) -> Offer | None:
    return db.session.get(Offer, offer_id, options=_OFFER_WITH_NAMES)


def offer_by_key(token: str, now: dt.datetime) -> Offer | None:
    """The offer that this mailed key opens, for some time after its end too."""
    lasts = Offer.expires_at > now - LINKS_LAST
    return db.session.scalars(
        select(Offer).where(Offer.token_hash == hash_of(token), lasts).options(*_OFFER_WITH_NAMES)
    ).one_or_none()


def open_offers(*, kinds: Collection[str] = ("wish", "move")) -> Sequence[Offer]:
    """Offers that wait for an answer, the one that runs out first at the top."""
    return db.session.scalars(
        select(Offer)
        .where(Offer.ended_at.is_(None), Offer.kind.in_(kinds))
        .order_by(Offer.expires_at, Offer.id)
        .options(*_OFFER_WITH_NAMES)
    ).all()


def offers_of_wishes(wish_ids: Collection[int]) -> dict[int, Offer]:
    """The open offer of each of these wishes."""
    rows = db.session.scalars(
        select(Offer)
        .where(Offer.wish_id.in_(wish_ids), Offer.ended_at.is_(None))
        .order_by(Offer.id)
        .options(*_OFFER_WITH_NAMES)
    )
    return {row.wish_id: row for row in rows if row.wish_id is not None}


def last_answers(wish_ids: Collection[int]) -> dict[int, Offer]:
    """The last offer to each of these wishes that came to nothing: declined, run out, or not possible any more."""
    rows = db.session.scalars(
        select(Offer)
        .where(Offer.wish_id.in_(wish_ids), Offer.ended_as.in_(CAME_TO_NOTHING))
        .order_by(Offer.ended_at, Offer.id)
    )
    return {row.wish_id: row for row in rows if row.wish_id is not None}


def newest_offer(wish_id: int) -> int | None:
    """The id of the last offer that was made to this wish, open or not."""
    return db.session.scalar(
        select(Offer.id).where(Offer.wish_id == wish_id).order_by(Offer.id.desc()).limit(1)
    )


def offers_to(client_ids: Collection[int], now: dt.datetime) -> Sequence[Offer]:
    """Times that are kept for these people until they have answered, the one that runs out first at the top. One that
    has run out is none, also before the round that ends it: no yes takes it any more."""
    ids = clients.all_ids(*client_ids)
    return [one for one in open_offers() if one.visit.client_id in ids and still_stands(one, now)]


@dataclass(frozen=True)
class Instead:
    """What a client was asked about: another time that is kept until they answer, or how the last such `offer` ended
    ("" while one is kept, and where none was)."""

    offer: Offer | None = None
    last_answer: str = ""


def asked_about(visit_id: int) -> ColumnElement[bool]:
    """The mails about this visit that its client has still to answer: another time, or another therapist."""
    about_it = (Offer.instead_of_id == visit_id) | ((Offer.visit_id == visit_id) & (Offer.kind == "given"))
    return about_it & Offer.ended_at.is_(None)


def is_asked(visit_id: int) -> bool:
    """Whether there is one."""
    return bool(db.session.scalar(select(exists().where(asked_about(visit_id)))))


def asked_instead(visit_ids: Collection[int]) -> dict[int, Instead]:
    """Those of these visits for which another time was offered."""
    found: dict[int, Instead] = {}
    for visit_id, offers in _offers_instead_of(visit_ids).items():
        is_open = next((one for one in offers if one.ended_at is None), None)
        found[visit_id] = Instead(is_open) if is_open else Instead(None, offers[-1].ended_as or "")
    return found


def _offers_instead_of(visit_ids: Collection[int]) -> dict[int, list[Offer]]:
    """The other times that were offered for each of these visits, oldest first."""
    rows = db.session.scalars(
        select(Offer).where(Offer.instead_of_id.in_(visit_ids)).order_by(Offer.id).options(*_OFFER_WITH_NAMES)
    )
    found: dict[int, list[Offer]] = {}
    for row in rows:
        found.setdefault(row.instead_of_id or 0, []).append(row)
    return found


def still_stands(offer: Offer, now: dt.datetime) -> bool:
    """Whether it can be answered, also before the round that ends what has run out or is overtaken."""
    if offer.ended_at is not None or offer.expires_at <= now:
        return False
    if offer.kind == "given":
        return offer.visit.status in UPCOMING and offer.visit.starts_at == offer.starts_at
    return is_unsettled(offer)


def is_unsettled(offer: Offer) -> bool:
    """Whether the visit that it would stand in for, if any, is still to come."""
    return offer.instead_of is None or offer.instead_of.status in UPCOMING


def is_blocked(offer: Offer) -> bool:
    """Whether what is offered lies in time off or a closure by now: unlike a client who is just booking, whoever is
    asked has hours to answer."""
    return offer.kind != "given" and bool(
        db.session.scalar(select(exists().where(Visit.id == offer.visit_id, CANNOT_BE_GIVEN)))
    )


def offers_to_end(now: dt.datetime) -> Sequence[int]:
    """Open offers that have run out, or whose time is not kept any more, or is blocked."""
    gone = exists().where(
        Visit.id == Offer.visit_id,
        or_(
            and_(Offer.kind != "given", or_(Visit.status != VisitStatus.HELD, CANNOT_BE_GIVEN)),
            and_(Offer.kind == "given", Visit.status.not_in(tuple(UPCOMING))),
            and_(Offer.kind == "given", Visit.starts_at != Offer.starts_at),
        ),
    )
    settled = exists().where(Visit.id == Offer.instead_of_id, Visit.status.not_in(tuple(UPCOMING)))
    return db.session.scalars(
        select(Offer.id)
        .where(Offer.ended_at.is_(None), or_(Offer.expires_at <= now, gone, settled))
        .order_by(Offer.expires_at, Offer.id)
        .limit(200)
    ).all()


def refused_spans(wish: WaitlistWish, now: dt.datetime) -> list[Span]:
    """Times that came to nothing before: whatever overlaps one is not offered again, and for a few hours nothing on
    either side of it. Who did not want a time for one open wish does not want it for another; what the gate refused
    says something of that wish alone."""
    rows = db.session.execute(
        select(Offer.starts_at, Offer.ends_at, Offer.ended_at)
        .join(WaitlistWish, WaitlistWish.id == Offer.wish_id)
        .where(
            WaitlistWish.client_id == wish.client_id,
            or_(
                and_(Offer.wish_id == wish.id, Offer.ended_as == "not_possible"),
                and_(WaitlistWish.ended_at.is_(None), Offer.ended_as.in_(("declined", "expired"))),
            ),
        )
    )
    spans = []
    for start, end, ended_at in rows:
        around = SAME_DAY if ended_at > now - ASKED_AGAIN_AFTER else dt.timedelta()
        spans.append((start - around, end + around))
    return spans


def spans_set_aside(now: dt.datetime) -> list[Span]:
    """Times that the desk has just taken back to give them to somebody else."""
    rows = db.session.execute(
        select(Offer.starts_at, Offer.ends_at).where(
            Offer.ended_as == "set_aside", Offer.ended_at > now - SET_ASIDE
        )
    )
    return [(start, end) for start, end in rows]
