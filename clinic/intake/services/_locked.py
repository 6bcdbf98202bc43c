"""Steps inside a transaction."""

from __future__ import annotations

from sqlalchemy.orm import Session

from clinic.clients import queries as clients
from clinic.clients.models import Client
from clinic.rules.errors import NotFound
from clinic.rules.language import _


def locked_client(client_id: int, session: Session) -> Client:
    """The client, locked: what is decided here and what is booked meanwhile wait for each other."""
    client = clients.client(client_id)
    if client is None:
        raise NotFound(_("This person is not in the clinic's book."))
    session.refresh(client, with_for_update=True)
    if client.is_erased:
        raise NotFound(_("This person is not in the clinic's book."))
    return client
