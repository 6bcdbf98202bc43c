"""Bad reactions to a treatment: what was recorded, and whom they ask for a whole new intake."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select

from clinic.accounts import queries as accounts
from clinic.clients import queries as clients
from clinic.intake.models import BadReaction, Intake
from clinic.shared.database import db
from clinic.shared.read_once import may_have


@dataclass(frozen=True)
class Recorded:
    """One bad reaction as those who treat read it."""

    happened_on: dt.date
    recorded_at: dt.datetime
    by: str
    what_happened: str


def of_records(client_ids: Collection[int]) -> Sequence[BadReaction]:
    """What was recorded for these records, oldest first."""
    ids = may_have(BadReaction, client_ids)
    if client_ids and not ids:
        return []
    return db.session.scalars(
        select(BadReaction)
        .where(BadReaction.client_id.in_(ids))
        .order_by(BadReaction.recorded_at, BadReaction.id)
    ).all()


def recorded_of(client_id: int) -> list[Recorded]:
    """What was recorded for this client and records merged into it, newest first."""
    rows = of_records(clients.all_ids(client_id))
    names = accounts.names_of({row.recorded_by_id for row in rows})
    return [
        Recorded(row.happened_on, row.recorded_at, names.get(row.recorded_by_id, ""), row.what_happened)
        for row in reversed(rows)
    ]


def asking_anew(records: Mapping[int, Collection[int]]) -> set[int]:
    """Of these clients (each with the ids of all its records) those who have signed no whole intake since the last
    bad reaction."""
    rows = of_records({one for ids in records.values() for one in ids})
    asking = set()
    for client_id, ids in records.items():
        last = [row for row in rows if row.client_id in ids][-1:]
        if last and not _has_signed_since(ids, last[0]):
            asking.add(client_id)
    return asking


def _has_signed_since(client_ids: Collection[int], reaction: BadReaction) -> bool:
    signed = select(Intake.id).where(
        Intake.client_id.in_(client_ids),
        Intake.kind == "full",
        Intake.signed_at > reaction.recorded_at,
        Intake.completed_on >= reaction.happened_on,
    )
    return db.session.scalar(signed.limit(1)) is not None
