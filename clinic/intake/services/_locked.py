"""Steps inside a transaction."""

from __future__ import annotations

from sqlalchemy.orm import Session

from clinic.clients.models import Client
from clinic.clients.steps import who_stands
from clinic.rules.errors import NotFound
from clinic.rules.language import _


def client_who_stands(session: Session, client_id: int, *, is_judged: bool = True) -> Client:
    """The client, or whoever the record became, locked: what is decided here and what is booked meanwhile wait for each
    other; `is_judged` as in `who_stands`. Raises NotFound, also for somebody who was erased."""
    client = who_stands(session, client_id, is_judged=is_judged)
    if client is None or client.is_erased:
        raise NotFound(_("This person is not in the clinic's book."))
    return client
