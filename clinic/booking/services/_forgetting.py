"""A step inside a transaction: forget a record that a booking in the making left, and on which nothing rests."""

from __future__ import annotations

from sqlalchemy import delete, update
from sqlalchemy.orm import Session

from clinic.booking.models import Visit
from clinic.booking.queries import unfinished
from clinic.clients.models import Client
from clinic.intake import queries as intake
from clinic.premises.models import GONE, Resource
from clinic.rules import screening
from clinic.rules.page_reading import warnings_ticked
from clinic.shared import person_keys


def forget_if_bare(session: Session, client_id: int) -> None:
    """The record goes with its half-typed answers; times that were given back stay, with nobody's name on them.

    Answers in which a warning sign stands are kept, though nobody pressed the button: they may be asked for.
    """
    client = unfinished.can_be_forgotten(client_id)
    if client is None:
        return
    draft = intake.draft(client_id, "client")
    if draft is not None:
        told = {**warnings_ticked(draft.half_typed), **draft.answered}
        if screening.red_flags_in(told, draft.updated_at.date()):
            return
        session.delete(draft)
    session.execute(update(Visit).where(Visit.client_id == client_id).values(client_id=None))
    session.flush()
    person_keys.forget(session, [client_id])
    session.expunge(client)
    session.execute(delete(Client).where(Client.id == client_id))
    session.execute(update(Resource).where(Resource.id == client_id).values(kind=GONE))
