"""Who opened answers that are closed to them."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import select

from clinic.accounts.models import User
from clinic.clients.models import Client
from clinic.intake.models import AnswersOpening
from clinic.shared.database import db

LAST = 200


def opening(client_id: int, user_id: int, now: dt.datetime) -> AnswersOpening | None:
    """The opening by which this person may read this client's answers now."""
    return db.session.scalars(
        select(AnswersOpening)
        .where(
            AnswersOpening.client_id == client_id,
            AnswersOpening.user_id == user_id,
            AnswersOpening.ends_at > now,
        )
        .order_by(AnswersOpening.ends_at.desc(), AnswersOpening.id)
        .limit(1)
    ).one_or_none()


@dataclass(frozen=True)
class Opened:
    """One line of the owner's list."""

    who: str
    client: str
    client_id: int
    at: dt.datetime
    reason: str


def openings() -> list[Opened]:
    """The last ones, the newest first."""
    rows = db.session.execute(
        select(AnswersOpening, User.name, Client)
        .join(User, User.id == AnswersOpening.user_id)
        .join(Client, Client.id == AnswersOpening.client_id)
        .order_by(AnswersOpening.opened_at.desc(), AnswersOpening.id)
        .limit(LAST)
    ).tuples()
    return [Opened(who, client.name, client.id, row.opened_at, row.reason) for row, who, client in rows]
