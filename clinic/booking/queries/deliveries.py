"""What was written to the client about a visit, how it went, and what is still to come: for staff."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import or_, select

from clinic.booking.models import Visit
from clinic.booking.timed_messages import UNWRITTEN, TimedMessage
from clinic.clients.models import Client
from clinic.rules.messages import KINDS, SMS
from clinic.shared.database import db
from clinic.shared.mail import OutgoingMail


@dataclass(frozen=True)
class Delivery:
    """One message. `state` is sent, failed, refused, dropped, trying, waiting or planned; `at` belongs to it."""

    label: str
    by_sms: bool
    state: str
    at: dt.datetime
    attempts: int = 0


def deliveries(visit_id: int) -> list[Delivery]:
    """Everything about this visit, oldest first; what is planned stands last: no mail for somebody without e-mail."""
    mails = db.session.scalars(
        select(OutgoingMail)
        .where(OutgoingMail.visit_id == visit_id)
        .order_by(OutgoingMail.due_at, OutgoingMail.id)
    )
    planned = db.session.scalars(
        select(TimedMessage)
        .join(Visit, Visit.id == TimedMessage.visit_id)
        .join(Client, Client.id == Visit.client_id)
        .where(TimedMessage.visit_id == visit_id, UNWRITTEN)
        .where(or_(TimedMessage.kind == SMS, Client.email.is_not(None)))
        .order_by(TimedMessage.due_at, TimedMessage.id)
    )
    found = [_delivery(one) for one in mails]
    return [*found, *(Delivery(KINDS[one.kind].label, False, "planned", one.due_at) for one in planned)]


def _delivery(row: OutgoingMail) -> Delivery:
    if row.sent_at is not None:
        state, at = "sent", row.sent_at
    elif row.ended_as is not None:
        state, at = "refused" if row.trouble == "refused" else row.ended_as, row.tried_at or row.due_at
    else:
        state, at = "trying" if row.attempts else "waiting", row.due_at
    label = KINDS[row.kind].label if row.kind in KINDS else ""
    return Delivery(label, row.channel == "sms", state, at, row.attempts)
