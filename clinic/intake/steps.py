"""Steps of other features' transactions: what somebody told goes along with whom it is about."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from sqlalchemy.orm import Session

from clinic.intake import queries
from clinic.intake.models import IntakeDraft
from clinic.intake.queries import Answers
from clinic.rules import answer_history, check_in
from clinic.rules.page_reading import half_of_both, opened_again

WRITER = "client"


def carry_over(session: Session, teller_id: int, client_id: int, *, now: dt.datetime) -> bool:
    """What was told for one record and says more than was signed for the other waits there to be signed, or taken back.

    For whoever answered as somebody unknown, and then says who they are. Returns whether there was anything.
    """
    theirs, draft = queries.newest(teller_id), queries.draft(teller_id, WRITER)
    told = {**(theirs.answers if theirs is not None else {}), **(draft.answered if draft is not None else {})}
    half = draft.half_answered if draft is not None else {}
    return lay_over(session, client_id, WRITER, "intake", told, half, now=now)


def ask_anew(session: Session, client_id: int) -> None:
    """It may be somebody else by now of whom this is told: every "no" is asked once more, and no "yes" is lost by a
    slip that was mended."""
    for draft in queries.drafts(client_id):
        told = {key: one for key, one in draft.answered.items() if answer_history.plain(one)}
        draft.write(told, draft.half_answered)
    session.flush()


def say_it_now(client_id: int, *, now: dt.datetime) -> None:
    """It is somebody else by now, or somebody with another address, of whom this is told: before, nobody said it of
    them."""
    for draft in queries.unsigned_drafts([client_id]):
        draft.updated_at = now


def bring_along(session: Session, lost_id: int, client_id: int, *, now: dt.datetime) -> None:
    """What was typed on a record and not signed is kept where that record goes on: it can be seen, signed or taken back
    there. What was signed counts by itself."""
    for draft in queries.drafts(lost_id):
        if not queries.says_more(draft, client_id):  # it was signed there since
            continue
        told, half = draft.answered, draft.half_answered
        if lay_over(session, client_id, draft.writer, draft.kind, told, half, now=now):
            session.delete(draft)


def lay_over(
    session: Session,
    client_id: int,
    writer: str,
    kind: str,
    told: Answers,
    half: Mapping[str, list[str]],
    *,
    now: dt.datetime,
) -> bool:
    """Keep what says more than was signed in this person's draft, beside what waits there: neither word is lost to the
    other. A question that is half typed in one of the two is asked once more. Returns whether there was anything."""
    last = queries.newest(client_id)
    signed = last.answers if last is not None else {}
    more = answer_history.more_than(signed, told)
    if not more and not half:
        return False
    row = queries.draft(client_id, writer, to_change=True)
    if row is None:
        row = IntakeDraft(client_id=client_id, writer=writer, kind=kind, updated_at=now)
        row.answers = {} if writer == check_in.BEGUN else {key: dict(one) for key, one in signed.items()}
        session.add(row)
    waits = answer_history.more_than(signed, row.answered)
    row.write(
        *opened_again(
            {**row.answered, **answer_history.both_waiting(waits, more)},
            half_of_both(row.half_answered, half),
        )
    )
    row.updated_at = now
    session.flush()
    return True
