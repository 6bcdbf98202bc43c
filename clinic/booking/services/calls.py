""" "Please call me": open requests for the desk."""

from __future__ import annotations

import datetime as dt

from clinic.booking.models import CallRequest
from clinic.booking.queries import visits
from clinic.clients.steps import who_stands
from clinic.premises import queries as premises
from clinic.rules.errors import InvalidInput
from clinic.rules.language import _
from clinic.shared.audit import leave_trace
from clinic.shared.database import transaction, tried_again


@tried_again
def ask_for_call(
    *, client_id: int | None, visit_id: int | None, phone: str, about: str, now: dt.datetime
) -> None:
    """ "Please call me": one open request for each person or number is enough."""
    facts = premises.clinic_facts()
    if not phone.strip() or len(phone) > 40:
        raise InvalidInput("phone", _("Enter the number we should call."))
    with transaction() as session:
        client = who_stands(session, client_id, is_judged=False) if client_id is not None else None
        client_id = client.id if client is not None else None
        already = [
            row
            for row in visits.open_calls()
            if (client_id is not None and row.client_id == client_id) or row.phone == phone.strip()
        ]
        if already or facts is None:
            return
        session.add(
            CallRequest(
                client_id=client_id, visit_id=visit_id, phone=phone.strip(), about=about, asked_at=now
            )
        )
        leave_trace(session, "call.asked", "client", client_id, by=None, now=now, about=about)
