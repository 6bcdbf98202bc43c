"""Records that a booking in the making left and on which nothing rests: nobody signed, booked or edited anything."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, or_, select
from sqlalchemy.orm import aliased

from clinic.booking.models import Checkout, Visit
from clinic.booking.queries import open_questions
from clinic.booking.queries.checkouts import LASTS, all_before, guest_of
from clinic.clients import queries as clients
from clinic.clients.models import Client
from clinic.clients.queries import Pair
from clinic.intake import queries as intake
from clinic.intake.models import IntakeDraft
from clinic.shared.audit import AuditRow
from clinic.shared.database import Base, db

# What a checkout itself leaves. Rows of every other table that name a client keep the record.
_OF_A_CHECKOUT = (Visit.__table__, Checkout.__table__, IntakeDraft.__table__, Client.__table__)


def is_bare(one: Any) -> ColumnElement[bool]:
    """Whether this record (Client, or an alias of it) was typed online and holds nothing but what was typed there.

    A table that is still to come counts by itself as soon as it names a client: when unsure, the record stays.
    """
    merged = aliased(Client)
    rests = [exists().where(column == one.id) for column in _naming_a_client()]
    rests += [
        exists().where(merged.merged_into_id == one.id),
        exists().where(Visit.client_id == one.id, Visit.status.not_in(("held", "released"))),
        exists().where(IntakeDraft.client_id == one.id, IntakeDraft.writer != "client"),
        exists().where(AuditRow.thing == "client", AuditRow.thing_id == one.id),
    ]
    typed_online = (one.is_unproven, one.created_by_id.is_(None), one.merged_into_id.is_(None))
    return and_(*typed_online, ~or_(*rests))


def _naming_a_client() -> list[Any]:
    return [
        key.parent
        for table in Base.metadata.sorted_tables
        if table not in _OF_A_CHECKOUT
        for key in table.foreign_keys
        if key.column is Client.__table__.c.id
    ]


def can_be_forgotten(client_id: int) -> Client | None:
    """The record, locked, when it is bare and no booking is being made for it; else None. Looked at once it is locked:
    somebody's visit may have begun to wait for it until then."""
    db.session.execute(select(Client.id).where(Client.id == client_id).with_for_update())
    return db.session.scalars(
        select(Client).where(
            Client.id == client_id,
            is_bare(Client),
            ~exists().where(Visit.client_id == client_id, Visit.status == "held"),
            ~exists().where(Checkout.client_id == client_id),
        )
    ).one_or_none()


def is_named(client_ids: Collection[int], now: dt.datetime) -> bool:
    """Whether a booking goes on in which one of these people was named before somebody else, or in which a guest who
    named them may name another one yet."""
    going_on = select(Checkout).where(Checkout.finished_at.is_(None), Checkout.updated_at >= now - LASTS)
    ids = set(client_ids)
    return any(
        one.user_id is None if one.client_id in ids else bool(ids.intersection(all_before(one)))
        for one in db.session.scalars(going_on)
    )


def guests_of(client_ids: Collection[int]) -> list[int]:
    """Bare records that these people typed as guests of a booking that they have not ended yet."""
    theirs = select(Checkout).where(Checkout.client_id.in_(client_ids), Checkout.finished_at.is_(None))
    typed = {one for one in map(guest_of, db.session.scalars(theirs)) if one is not None}
    bare = select(Client.id).where(Client.id.in_(typed), is_bare(Client)).order_by(Client.id)
    return list(db.session.scalars(bare)) if typed else []


def ended(now: dt.datetime, limit: int = 100) -> Sequence[int]:
    """Checkouts that were never finished and with which nobody can go on any more, oldest first."""
    return db.session.scalars(
        select(Checkout.id)
        .where(Checkout.updated_at < now - LASTS, Checkout.finished_at.is_(None))
        .order_by(Checkout.updated_at, Checkout.id)
        .limit(limit)
    ).all()


def pairs() -> list[Pair]:
    """Records that look alike, without those of bookings that were begun and went no further; and those for which a
    visit waits, however little they look alike."""
    found = clients.pairs(besides=is_bare)
    there = {frozenset((pair.first.id, pair.second.id)) for pair in found}
    asked = [pair for pair in open_questions.pairs() if frozenset((pair[0].id, pair[1].id)) not in there]
    return [*(open_questions.shown_pair(one, other) for one, other in asked), *found]


def look_alikes(one: Client) -> Sequence[Client]:
    """Those that look like this one, without those same records, and those for which a visit waits."""
    found = {
        row.id: row for row in (*clients.look_alikes(one, besides=is_bare), *open_questions.with_whom(one))
    }
    return [found[key] for key in sorted(found)]


def alike_and_unsigned(client: Client) -> set[int]:
    """Records that may be this unproven person, by name or contact and by day of birth, and for which more was typed
    than signed."""
    alike = [one.id for one in clients.look_alikes(client) if one.born_on == client.born_on]
    return {draft.client_id for draft in intake.unsigned_drafts(alike)}
