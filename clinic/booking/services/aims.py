"""What a visit is for, in the client's words: kept sealed with the visit, read by whoever treats."""

from __future__ import annotations

import datetime as dt

from clinic.booking.services._locking import lock_visit
from clinic.rules.errors import MoveNotAllowed, NotFound
from clinic.rules.language import _
from clinic.rules.visit_status import AHEAD, VisitStatus
from clinic.shared.audit import leave_trace
from clinic.shared.database import transaction, tried_again

MAY_BE_SAID = AHEAD | {VisitStatus.RELEASED}
"""A kept time that ran out takes the words with it to the next one."""


@tried_again
def say_aim(visit_id: int, text: str, *, by: int | None, now: dt.datetime) -> None:
    """Keep the words in place of what was said before; without any, take them away.

    Raises NotFound, and MoveNotAllowed once the visit is over or called off.
    """
    aim = text.strip() or None
    with transaction() as session:
        visit = lock_visit(session, visit_id)
        if visit is None:
            raise NotFound()
        if visit.note == aim:
            return
        if visit.status not in MAY_BE_SAID:
            raise MoveNotAllowed(_("This visit is over, or does not take place."))
        visit.note = aim
        leave_trace(session, "visit.aim_written", "visit", visit.id, by=by, now=now)
