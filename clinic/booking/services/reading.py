"""Reading a client's answers is a deed of its own: it leaves a row in the audit, and only who treats may do it."""

from __future__ import annotations

import datetime as dt

from clinic.booking.queries import treated, visits
from clinic.rules.errors import NotFound
from clinic.shared.audit import leave_trace
from clinic.shared.database import transaction, tried_again


@tried_again
def note_reading(therapist_id: int, visit_id: int, *, by: int, now: dt.datetime) -> int:
    """Record that this therapist reads the answers of the client of their visit. Returns the client's id.

    Raises NotFound, as if there were nothing, for somebody else's visit and for a client whom this therapist does
    not treat at present.
    """
    with transaction() as session:
        visit = treated.visit_of_therapist(therapist_id, visit_id)
        if visit is None or visit.client_id is None or not visits.treats(therapist_id, visit.client_id, now):
            raise NotFound()
        leave_trace(session, "answers.read", "client", visit.client_id, by=by, now=now, door="diary")
        return visit.client_id
