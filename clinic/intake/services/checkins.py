"""The check-in of the day: laid over the answers in force, and judged in the same transaction."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy.orm import Session

from clinic.intake import queries
from clinic.intake.models import Intake
from clinic.intake.services._locked import client_who_stands
from clinic.intake.services._versions import Resting, Signature, add_stop, add_version, check_signer
from clinic.intake.services.after_new_answers import judge_again
from clinic.intake.steps import lay_over
from clinic.rules import answer_history, check_in, screening
from clinic.rules.errors import InvalidInput
from clinic.rules.language import _
from clinic.rules.page_reading import asked_by
from clinic.shared.audit import leave_trace
from clinic.shared.database import transaction, tried_again

BIGGER = "topic.renewal"
"""In the draft of a check-in: something was ticked that asks for the whole form anew."""


@dataclass(frozen=True)
class CheckedIn:
    """What came of it: the version that was added, or, at a warning sign, the word of its urgency. Neither where
    nothing was signed, since the record became another one meanwhile: it is asked for once more."""

    intake_id: int | None
    urgency: str = ""


def is_stop(said: Mapping[str, Mapping[str, object]], today: dt.date) -> bool:
    """Whether these answers alone stop everything: nobody with a warning sign is sent back for a detail."""
    return bool(screening.red_flags_in(said, today))


@tried_again
def take_check_in(
    client_id: int,
    said: Mapping[str, Mapping[str, object]] | None,
    signature: Signature,
    *,
    renewal: bool = False,
    source: str,
    by: int | None,
    now: dt.datetime,
    today: dt.date,
) -> CheckedIn:
    """Add a version of kind `checkin`; `said` None is "nothing has changed". Future visits are judged again.

    The full intake keeps its age; with `renewal` only a new one will do. A warning sign stops everything instead.
    Sent twice it is one. On a record that became another one meanwhile nothing is signed, and a "yes" waits for that.
    Raises InvalidInput when there are no answers yet: then all questions are asked.
    """
    with transaction() as session:
        client = client_who_stands(session, client_id)
        last = queries.newest(client.id)
        before = last.answers if last is not None else {}
        new = check_in.nothing_changed(before) if said is None else said
        together = check_in.laid_over(before, new)
        flags = screening.red_flags_in(together, today)
        if flags:
            add_stop(session, client, together, flags, source, now=now, today=today)
            judge_again(session, client.id, by=by, now=now)
            leave_trace(session, "intake.stopped", "client", client.id, by=by, now=now, source=source)
            return CheckedIn(None, flags[0].urgency.word)
        if client.id != client_id:
            half = {BIGGER: ["y"]} if renewal else {}
            _lay_beside(session, client.id, said or {}, half, by=by, now=now)
            return CheckedIn(None)
        if last is None:
            raise InvalidInput("answers", _("Please answer all the health questions first."))
        finished = _finish_begun(session, client.id, said or {}, renewal=renewal)
        if _is_the_same(last, together, renewal, today):
            if finished:  # taken back as it was before
                judge_again(session, client.id, by=by, now=now)
            return CheckedIn(last.id)
        check_signer(client, signature, today)
        row = add_version(
            session, client, together, signature, "checkin", source, by=by, now=now, today=today,
            rests_on=Resting(last.completed_on, renewal or last.renewal, asked=new.keys()),
        )  # fmt: skip
        judge_again(session, client.id, by=by, now=now)
        leave_trace(session, "intake.checked_in", "client", client.id, by=by, now=now, source=source)
        return CheckedIn(row.id)


@tried_again
def keep_unsigned(
    client_id: int, said: Mapping[str, Mapping[str, object]], *, by: int | None, now: dt.datetime
) -> None:
    """Keep what nobody signs in the check-in that was begun: it takes nothing back, and coming visits wait for it."""
    with transaction() as session:
        _lay_beside(session, client_who_stands(session, client_id).id, said, {}, by=by, now=now)


def _lay_beside(
    session: Session,
    client_id: int,
    said: Mapping[str, Mapping[str, object]],
    half: Mapping[str, list[str]],
    *,
    by: int | None,
    now: dt.datetime,
) -> None:
    if lay_over(session, client_id, check_in.BEGUN, "checkin", said, half, now=now):
        judge_again(session, client_id, by=by, now=now)


def _finish_begun(
    session: Session, client_id: int, said: Mapping[str, Mapping[str, object]], *, renewal: bool
) -> bool:
    """What was sent with a detail missing is answered now, as far as it was asked about; that something bigger happened
    stays until it is said again. Returns whether there was any."""
    begun = queries.draft(client_id, check_in.BEGUN)
    if begun is None:
        return False
    answered = {key: one for key, one in begun.answered.items() if key not in said}
    half = {
        name: typed
        for name, typed in begun.half_answered.items()
        if asked_by(name) not in said and not (renewal and name == BIGGER)
    }
    if half or any(one.get("present") for one in answered.values()):
        begun.write(answered, half)
    else:
        session.delete(begun)
    session.flush()
    return True


def _is_the_same(last: Intake, together: queries.Answers, renewal: bool, today: dt.date) -> bool:
    """Whether this very check-in was taken a moment ago: a double click."""
    same_kind = last.kind == "checkin" and last.answered_on == today and last.renewal >= renewal
    return same_kind and not answer_history.differ(last.answers, together)
