"""Sending a visit's own link once more."""

from __future__ import annotations

import datetime as dt

from clinic.booking.queries import visits
from clinic.booking.services._locking import lock_visit
from clinic.booking.services._new_links import tell_again
from clinic.rules.errors import InvalidInput, MoveNotAllowed, NotFound
from clinic.rules.language import _
from clinic.rules.visit_status import UPCOMING
from clinic.shared.audit import leave_trace
from clinic.shared.database import transaction, tried_again


@tried_again
def send_link_again(visit_id: int, *, by: int, now: dt.datetime) -> None:
    """Mail the link of a coming visit; the one sent before stops working. Raises InvalidInput without an e-mail
    address, MoveNotAllowed for a visit that is over."""
    with transaction() as session:
        visit = lock_visit(session, visit_id)
        client = visits.person_of(visit) if visit is not None else None
        if visit is None or client is None:
            raise NotFound()
        if visit.status not in UPCOMING:
            raise MoveNotAllowed(_("This visit is over, so there is no link to send."))
        if not client.email:
            raise InvalidInput("email", _("There is no e-mail address on the client’s card."))
        tell_again(session, visit, now=now)
        leave_trace(session, "visit.link_sent", "visit", visit.id, by=by, now=now)
