"""Steps of other features' transactions: what somebody told goes along with whom it is about."""

from __future__ import annotations

import datetime as dt

from sqlalchemy.orm import Session

from clinic.intake import queries
from clinic.intake.models import IntakeDraft
from clinic.rules import answer_history
from clinic.rules.page_reading import asked_by

WRITER = "client"


def carry_over(session: Session, teller_id: int, client_id: int, *, now: dt.datetime) -> bool:
    """What was told for one record and says more than was signed for the other waits there to be signed, or taken back.

    For whoever answered as somebody unknown, and then says who they are. Returns whether there was anything.
    """
    last, theirs, draft = (
        queries.newest(client_id), queries.newest(teller_id), queries.draft(teller_id, WRITER)
    )  # fmt: skip
    signed = last.answers if last is not None else {}
    told = {**(theirs.answers if theirs is not None else {}), **(draft.answered if draft is not None else {})}
    more, half = answer_history.more_than(signed, told), draft.half_answered if draft is not None else {}
    if not more and not half:
        return False
    row = queries.draft(client_id, WRITER)
    if row is None:
        row = IntakeDraft(client_id=client_id, writer=WRITER, kind="intake", updated_at=now)
        row.answers = {key: dict(one) for key, one in signed.items()}
        session.add(row)
    open_now = {asked_by(name) for name in half}
    kept = {key: one for key, one in {**row.answered, **more}.items() if key not in open_now}
    row.write(kept, {**row.half_typed, **half})
    row.updated_at = now
    session.flush()
    return True
