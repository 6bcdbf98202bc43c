"""Steps inside a transaction: the messages that are to be sent about a visit follow it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from sqlalchemy import bindparam, delete, text
from sqlalchemy.orm import Session

from clinic.booking.models import Visit
from clinic.booking.queries import visits as reading
from clinic.booking.queries.next_steps import RECONFIRM
from clinic.booking.timed_messages import TimedMessage
from clinic.premises import queries as premises
from clinic.rules.messages import Timing, hours_from, timed_messages
from clinic.rules.visit_status import VisitStatus
from clinic.shared.crypto import BigId
from clinic.shared.database import UtcDateTime, connection_of

FOR_ANSWERS = ("intake", "consent", RECONFIRM)

_WRITE = text(
    "INSERT INTO timed_message (visit_id, kind, starts_at, due_at) VALUES (:visit_id, :kind, :starts_at, :due_at)"
    " ON CONFLICT DO NOTHING"
).bindparams(
    bindparam("visit_id", type_=BigId),
    *(bindparam(name, type_=UtcDateTime) for name in ("starts_at", "due_at")),
)


def timing() -> Timing:
    """What the owner set."""
    row = premises.clinic()
    return Timing(hours_from(row.reminder_hours), row.asks_for_answers, row.sends_aftercare)


def plan_messages(session: Session, visits: Iterable[Visit], *, now: dt.datetime) -> None:
    """Write down what is to be sent about these visits later; what was sent already is not sent again."""
    rules = timing()
    rows = [
        {"visit_id": visit.id, "kind": kind, "starts_at": visit.starts_at, "due_at": due_at}
        for visit in visits
        for kind, due_at in timed_messages(
            VisitStatus(visit.status), visit.starts_at, visit.ends_at, visit.zone,
            answers_by=visit.deadline_at if visit.is_waiting and reading.told_wait(visit) in FOR_ANSWERS else None,
            timing=rules, now=now,
        )
    ]  # fmt: skip
    if rows:
        connection_of(session).execute(_WRITE, rows)


def follow(session: Session, *visits: Visit, now: dt.datetime) -> None:
    """The visits changed: what was to be sent about them is written anew."""
    session.flush()
    gone = TimedMessage.visit_id.in_([visit.id for visit in visits]), TimedMessage.written_at.is_(None)
    session.execute(delete(TimedMessage).where(*gone).execution_options(synchronize_session=False))
    plan_messages(session, visits, now=now)
