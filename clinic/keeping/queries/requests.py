"""Who asked to be erased, and what became of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import select

from clinic.clients import queries as clients
from clinic.clients.models import Client
from clinic.keeping.models import Erasure
from clinic.shared.database import db

_IS_OPEN = Erasure.erased_at.is_(None), Erasure.withdrawn_at.is_(None)


@dataclass(frozen=True)
class Asked:
    """One request in the clinic's queue."""

    client_id: int
    name: str
    asked_at: dt.datetime
    due_on: dt.date
    by_themselves: bool


def open_requests() -> list[Asked]:
    """Requests that nobody has carried out yet, the most urgent first."""
    rows = db.session.execute(
        select(Erasure, Client)
        .join(Client, Client.id == Erasure.client_id)
        .where(*_IS_OPEN)
        .order_by(Erasure.due_on, Erasure.id)
    ).all()
    found: dict[int, Asked] = {}
    for row, one in rows:
        client = clients.client(one.id) or one  # the record that it was merged into since
        asked = Asked(client.id, client.name, row.asked_at, row.due_on, row.source == "client")
        found.setdefault(client.id, asked)
    return list(found.values())


def waiting_ids() -> set[int]:
    """The records of which somebody asked that they be erased."""
    return {one.client_id for one in open_requests()}


def open_request(client_id: int) -> Erasure | None:
    """The request of this person that is open, the most urgent first; also where it was made on a record that was
    merged into theirs."""
    return next(iter(open_requests_of(clients.all_ids(client_id))), None)


def open_requests_of(client_ids: Collection[int]) -> Sequence[Erasure]:
    """All that is open on these records."""
    theirs = select(Erasure).where(Erasure.client_id.in_(client_ids), *_IS_OPEN)
    return db.session.scalars(theirs.order_by(Erasure.due_on, Erasure.id)).all()


def was_asked_since(moment: dt.datetime, client_id: int) -> bool:
    """Whether this person asked then or later, taken back or not."""
    asked = Erasure.client_id == client_id, Erasure.source == "client", Erasure.asked_at >= moment
    return db.session.scalar(select(Erasure.id).where(*asked).limit(1)) is not None


def unfinished(client_id: int) -> Erasure | None:
    """The last erasing of this person that a law let go only half the way."""
    begun = Erasure.client_id == client_id, Erasure.erased_at.is_not(None), Erasure.finished_at.is_(None)
    return db.session.scalars(select(Erasure).where(*begun).order_by(Erasure.id.desc())).first()


def carried_out(limit: int = 50) -> Sequence[Erasure]:
    """What was erased, the newest first."""
    return db.session.scalars(
        select(Erasure).where(Erasure.erased_at.is_not(None)).order_by(Erasure.id.desc()).limit(limit)
    ).all()
