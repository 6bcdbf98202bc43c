"""What has been told since a visit began: it is judged no more, and whoever treats the person has to know at once."""

from __future__ import annotations

import datetime as dt

from clinic.booking.models import Screening, Visit
from clinic.intake import queries as intake
from clinic.rules.visit_status import VisitStatus
from clinic.shared.database import db


def told_since(visit: Visit) -> dt.datetime | None:
    """When this person signed other answers or named a warning sign after the judgement that the visit under way rests
    on; None for any other visit, and where nothing was told."""
    if visit.status != VisitStatus.IN_SESSION or visit.client_id is None:
        return None
    row = db.session.get(Screening, visit.screening_id or 0)
    if row is None:
        return None
    newest = intake.newest(visit.client_id)
    told = [one.raised_at for one in intake.stops_in_force(visit.client_id)]
    if newest is not None:
        told.append(newest.signed_at)
    return max((at for at in told if at > row.judged_at), default=None)
