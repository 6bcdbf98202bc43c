"""With whom a visit for two is, for whoever may read that: by a name that their account knows anyway."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from sqlalchemy import select

from clinic.booking.models import Checkout, Visit
from clinic.booking.queries import couples
from clinic.booking.queries.checkouts import COMPANION
from clinic.clients import queries as clients
from clinic.clients.models import Client
from clinic.rules.visit_status import HOLDING_CLAIMS
from clinic.shared.database import db
from clinic.shared.seen import mark_of


def companions(found: Iterable[Visit], user_id: int | None) -> dict[int, str]:
    """Of those of these visits that are for two, by their id: the name of the other person, where this account acts for
    them or typed it itself when it booked; else an empty one."""
    of_two = {one.id: one.couple_id for one in found if one.couple_id and one.status in HOLDING_CLAIMS}
    if not of_two or user_id is None:
        return dict.fromkeys(of_two, "")
    names, own = _typed(of_two, user_id), {one.client_id: one.name for one in clients.people_of(user_id)}
    pairs = db.session.execute(
        select(Visit.couple_id, Visit.id, Visit.client_id).where(Visit.couple_id.in_(of_two.values()))
    ).all()
    for couple_id, visit_id, client_id in pairs:
        if client_id in own:
            names |= {
                one: own[client_id] for one, its in of_two.items() if its == couple_id and one != visit_id
            }
    return {one: names.get(one, "") for one in of_two}


def companion(visit: Visit, user_id: int | None) -> str | None:
    """The same of one visit; None for one that is not for two."""
    return companions([visit], user_id).get(visit.id)


def asked_along_by(visit: Visit) -> str:
    """The first name of whoever named the client of this visit as the second of two, as the mail to them said it. Empty
    for any other visit, and once the card of whoever asked reads otherwise."""
    partner = couples.partner_of(visit)
    if partner is None or partner.client is None or visit.client_id is None:
        return ""
    named, first_name = _named_with(partner), partner.client.first_name
    if len(named) < 3 or named[0] not in clients.all_ids(visit.client_id) or mark_of(first_name) != named[2]:
        return ""
    return first_name


def has_asked_by_mail(visit: Visit) -> bool:
    """Whether the other one of two was named when this visit was booked, and asked for health answers by e-mail: the
    same before they answered and after."""
    return couples.partner_of(visit) is not None and bool(_named_with(visit))


def _named_with(visit: Visit) -> tuple[Any, ...]:
    begun = select(Checkout).where(Checkout.visit_id == visit.id).order_by(Checkout.id)
    return next((named for one in db.session.scalars(begun) if (named := _named_in(one))), ())


def _named_in(begun: Checkout) -> tuple[Any, ...]:
    return tuple((begun.details or {}).get(COMPANION, ()))


def _typed(visit_ids: Collection[int], user_id: int) -> dict[int, str]:
    """As it was typed: also once that record was merged into another one, of which nothing is told. Nothing once the
    card reads otherwise: whatever stands there then was not theirs to know."""
    begun = db.session.scalars(
        select(Checkout).where(Checkout.visit_id.in_(visit_ids), Checkout.user_id == user_id)
    ).all()
    named = {one.visit_id: _named_in(one)[:2] for one in begun}
    ids = [one[0] for one in named.values() if one]
    rows = select(Client).where(Client.id.in_(ids), Client.erased_at.is_(None))
    people = {(one.id, mark_of(one.name)): one.name for one in db.session.scalars(rows)}
    return {visit_id: people[one] for visit_id, one in named.items() if visit_id and one in people}
