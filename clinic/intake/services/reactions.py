"""A bad reaction to a treatment: recorded by staff, it asks for a whole new intake and ends clearances."""

from __future__ import annotations

import datetime as dt

from clinic.intake.models import BadReaction
from clinic.intake.services._locked import client_who_stands
from clinic.intake.services.after_new_answers import judge_again
from clinic.rules.errors import InvalidInput
from clinic.rules.language import _
from clinic.shared.audit import leave_trace
from clinic.shared.database import transaction, tried_again


@tried_again
def record_bad_reaction(
    client_id: int,
    what_happened: str,
    *,
    happened_on: dt.date,
    visit_id: int | None,
    by: int,
    now: dt.datetime,
    today: dt.date,
) -> int:
    """Keep it; letters from before it count no longer, and coming visits wait for a whole new intake. Returns its id.

    Raises InvalidInput without words or for a day to come, NotFound.
    """
    if len(what_happened.strip()) < 5:
        raise InvalidInput("what_happened", _("Write in a few words what happened."))
    if happened_on > today:
        raise InvalidInput("happened_on", _("This day lies in the future."))
    with transaction() as session:
        client = client_who_stands(session, client_id)
        row = BadReaction(
            client_id=client.id,
            visit_id=visit_id,
            happened_on=happened_on,
            recorded_at=now,
            recorded_by_id=by,
        )
        row.what_happened = what_happened.strip()
        session.add(row)
        session.flush()
        judge_again(session, client.id, by=by, now=now)
        leave_trace(session, "reaction.recorded", "client", client.id, by=by, now=now)
        return row.id
