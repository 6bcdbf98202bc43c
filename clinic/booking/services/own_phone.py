"""The account changes the phone number of somebody it acts for."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import select
from sqlalchemy.orm import Session

from clinic.booking.models import CallRequest
from clinic.clients import queries as clients
from clinic.clients.models import Client
from clinic.clients.steps import one_change_at_a_time, who_stands
from clinic.premises import queries as premises
from clinic.rules import contact
from clinic.rules.errors import InvalidInput, NotFound
from clinic.rules.language import _
from clinic.shared.audit import leave_trace
from clinic.shared.database import transaction, tried_again


@tried_again
def change_phone(user_id: int, client_id: int, phone: str, *, now: dt.datetime) -> None:
    """Call this number from now on. Raises InvalidInput for `phone`, NotFound for somebody it may not act for.

    Look-alikes are found by the number, and their answers count for a visit. Where somebody else in the book is
    concerned, before or after, people go on being compared by the number of before until the desk saves the new one:
    nobody shakes off a match, or reaches for another person's visits, by typing a number. The page tells neither.
    """
    facts = premises.clinic_facts()
    with transaction() as session:
        one_change_at_a_time(session)
        client = clients.client_of(user_id, client_id)
        if client is None or facts is None:
            raise NotFound()
        client = who_stands(session, client.id)
        if client is None or clients.client_of(user_id, client.id) is None:
            raise NotFound()
        number, before = contact.phone_key(phone, facts.phone_region), client.phone_key
        if number is None:
            raise InvalidInput("phone", _("Enter your phone number, so that we can reach you."))
        is_open = _may_be_another(client, user_id)
        client.phone, client.phone_key = contact.phone_words(phone, facts.phone_region), number
        session.flush()
        if (_may_be_another(client, user_id) or is_open) and number != before:
            client.phone_key = before
            _ask_the_desk(session, client, now)
        leave_trace(session, "client.phone_changed", "client", client.id, by=user_id, now=now)


def _may_be_another(client: Client, user_id: int) -> bool:
    return clients.may_be_another(client, user_id) or client.is_unproven


def _ask_the_desk(session: Session, client: Client, now: dt.datetime) -> None:
    """One open request for each person, with the number typed last."""
    row = session.scalars(
        select(CallRequest)
        .where(
            CallRequest.client_id == client.id, CallRequest.about == "phone", CallRequest.done_at.is_(None)
        )
        .limit(1)
    ).one_or_none()
    if row is None:
        row = CallRequest(client_id=client.id, visit_id=None, about="phone")
        session.add(row)
    row.phone, row.asked_at = client.phone or "", now
