"""Clinical review: how a warning sign ended, and whether a weakened answer stands."""

from __future__ import annotations

import datetime as dt

from clinic.intake import queries
from clinic.intake.models import HealthStop, Intake, SoftenedReview
from clinic.intake.services._locked import client_who_stands
from clinic.intake.services._reviewer import check_reviewer
from clinic.intake.services.after_new_answers import judge_again
from clinic.rules.errors import InvalidInput, NotFound
from clinic.rules.language import _
from clinic.shared.audit import leave_trace
from clinic.shared.database import transaction, tried_again

ENDINGS = ("assessed", "entered_in_error")


@tried_again
def end_stop(stop_id: int, ending: str, note: str, *, by: int, now: dt.datetime) -> None:
    """Record "assessed by … on …" or "entered in error" with its reason. Booking opens again only when a new
    intake is signed after this. Raises InvalidInput without a note, NotFound when it ended before."""
    if ending not in ENDINGS:
        raise InvalidInput("ending", _("Choose how this ended."))
    if len(note.strip()) < 5:
        raise InvalidInput("note", _("Write who assessed it and on which day, or why it was an error."))
    with transaction() as session:
        stop = session.get(HealthStop, stop_id)
        client = client_who_stands(session, stop.client_id) if stop is not None else None
        stop = session.get(HealthStop, stop_id, with_for_update=True, populate_existing=True)
        if client is None or stop is None or stop.ended_at is not None:
            raise NotFound(_("This has been dealt with already."))
        check_reviewer(by, client.id, field="note")
        stop.ending, stop.ended_at, stop.ended_by_id, stop.note = ending, now, by, note.strip()
        session.flush()
        judge_again(session, client.id, by=by, now=now)
        leave_trace(session, "stop.ended", "client", stop.client_id, by=by, now=now, ending=ending)


@tried_again
def review_softened(intake_id: int, accepted: bool, note: str, *, by: int, now: dt.datetime) -> None:
    """Accept a weakened answer, or keep the earlier one in force. Visits are judged again either way."""
    if len(note.strip()) < 5:
        raise InvalidInput("note", _("Write why in a few words: at least 5 letters."))
    with transaction() as session:
        intake = session.get(Intake, intake_id)
        if intake is None or not intake.softens:
            raise NotFound(_("There is nothing to review here."))
        client = client_who_stands(session, intake.client_id)
        if any(row.id == intake_id for row in queries.softened_to_review()) is False:
            raise NotFound(_("This has been reviewed already, or newer answers came in."))
        check_reviewer(by, client.id, field="note")
        review = SoftenedReview(intake_id=intake_id, accepted=accepted, decided_at=now, decided_by_id=by)
        review.note = note.strip()
        session.add(review)
        session.flush()
        judge_again(session, client.id, by=by, now=now)
        leave_trace(
            session, "answers.reviewed", "client", intake.client_id, by=by, now=now, accepted=accepted
        )


@tried_again
def note_look(client_id: int, what: str, *, by: int, now: dt.datetime) -> None:
    """Record that somebody with clinical review read this client's answers; `what` is stop or answers."""
    with transaction() as session:
        leave_trace(session, "answers.read", "client", client_id, by=by, now=now, door=f"review {what}")
