"""Typing, signing and confirming answers; a warning sign stops everything."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from clinic.clients.models import Client
from clinic.intake import queries
from clinic.intake.models import Consent, HealthStop, Intake, IntakeDraft
from clinic.intake.queries import Answers
from clinic.intake.services.after_new_answers import judge_again
from clinic.rules import answer_history, questionnaire, screening
from clinic.rules.errors import InvalidInput, NotFound
from clinic.shared.audit import leave_trace
from clinic.shared.database import transaction, tried_again

CONSENT_VERSION = "1"


@dataclass(frozen=True)
class Signature:
    """Typed or drawn. `relation` is `self` or what the signer is to the client; `points` a drawn line or None."""

    name: str
    relation: str = "self"
    points: list[Any] | None = None


@tried_again
def save_draft(
    client_id: int,
    writer: str,
    kind: str,
    answers: Answers,
    *,
    now: dt.datetime,
    replace: bool = False,
    asked: Collection[str] = (),
) -> None:
    """Keep what has been typed so far; new answers are laid over the earlier ones unless `replace`.

    `asked` names the questions that were on the page: one that has no readable answer now has none, whatever it
    had before, so that an old "no" never stands in for a "yes" that is half typed.
    """
    with transaction() as session:
        row = queries.draft(client_id, writer)
        if row is None:
            row = IntakeDraft(client_id=client_id, writer=writer, kind=kind, updated_at=now)
            row.answers = {}
            session.add(row)
        kept = {} if replace else {key: value for key, value in row.answers.items() if key not in asked}
        row.answers = {**kept, **answers}
        row.kind, row.updated_at = kind, now


@tried_again
def submit_intake(
    client_id: int,
    answers: Answers,
    signature: Signature,
    *,
    writer: str,
    source: str,
    consents: Mapping[str, Mapping[str, object]],
    by: int | None,
    now: dt.datetime,
    today: dt.date,
) -> int:
    """Sign a full intake: a new version, its consents, and every future visit judged again, all at once.

    Returns the intake's id. Raises InvalidInput when a question is unanswered or the signature is empty: an
    unanswered question is never "no".
    """
    if questionnaire.unanswered(answers, "intake"):
        raise InvalidInput("answers", "Some questions still need an answer.")
    if not signature.name.strip():
        raise InvalidInput("signature", "Type your full name to sign.")
    with transaction() as session:
        client = _client(session, client_id)
        row = _add_version(session, client, answers, signature, "full", source, by=by, now=now, today=today)
        for kind, detail in consents.items():
            consent = Consent(
                client_id=client.id, kind=kind, text_version=CONSENT_VERSION, given_at=now, given_on=today,
                recorded_by_id=by,
            )  # fmt: skip
            consent.detail = dict(detail)
            session.add(consent)
        draft = queries.draft(client.id, writer)
        if draft is not None:
            session.delete(draft)
        judge_again(session, client.id, by=by, now=now)
        leave_trace(session, "intake.signed", "client", client.id, by=by, now=now, source=source)
        return row.id


@tried_again
def confirm_still_right(
    client_id: int, signature: Signature, *, source: str, by: int | None, now: dt.datetime, today: dt.date
) -> int:
    """ "Still right?" answered with yes: the same answers, stamped today; the full intake keeps its age."""
    with transaction() as session:
        client = _client(session, client_id)
        last = queries.newest(client.id)
        if last is None:
            raise NotFound("There are no answers yet.")
        row = _add_version(
            session, client, last.answers, signature, "confirm", source, by=by, now=now, today=today,
            completed_on=last.completed_on,
        )  # fmt: skip
        judge_again(session, client.id, by=by, now=now)
        leave_trace(session, "intake.confirmed", "client", client.id, by=by, now=now, source=source)
        return row.id


def _add_version(
    session: Session,
    client: Client,
    answers: Answers,
    signature: Signature,
    kind: str,
    source: str,
    *,
    by: int | None,
    now: dt.datetime,
    today: dt.date,
    completed_on: dt.date | None = None,
) -> Intake:
    before = queries.in_force(client.id)
    last = queries.newest(client.id)
    stamped = answer_history.with_changes_dated(answers, before[0].answers if before else None, today)
    row = Intake(
        client_id=client.id,
        version=(last.version if last else 0) + 1,
        kind=kind,
        question_version=questionnaire.QUESTION_VERSION,
        completed_on=completed_on or today,
        answered_on=today,
        signed_at=now,
        source=source,
        recorded_by_id=by,
        softens=any(
            answer_history.softens(stamped, earlier.answers, given_on=earlier.answered_on, today=today)
            for earlier in before
        ),
    )
    row.answers = stamped
    row.signature = {
        "name": signature.name.strip(),
        "relation": signature.relation,
        "points": signature.points,
    }
    session.add(row)
    session.flush()
    return row


@tried_again
def raise_stop(
    client_id: int,
    answers: Answers,
    *,
    source: str,
    by: int | None,
    now: dt.datetime,
    today: dt.date,
) -> str:
    """A warning sign was declared. Keeps it, stops every visit of this person, and returns the urgency's word.

    Raises InvalidInput when these answers hold no warning sign.
    """
    flags = screening.red_flags_in(answers, today)
    if not flags:
        raise InvalidInput("answers", "There is no warning sign in these answers.")
    with transaction() as session:
        client = _client(session, client_id)
        stop = HealthStop(
            client_id=client.id,
            raised_at=now,
            raised_on=today,
            needs="review" if any(answer_history.needs_review(flag.rule) for flag in flags) else "new_answer",
            urgency=flags[0].urgency.word,
            source=source,
        )
        stop.answers = dict(answers)
        session.add(stop)
        session.flush()
        judge_again(session, client.id, by=by, now=now)
        # The log and the audit hold the fact of the stop alone.
        leave_trace(session, "intake.stopped", "client", client.id, by=by, now=now, source=source)
    return flags[0].urgency.word


def _client(session: Session, client_id: int) -> Client:
    client = session.get(Client, client_id)
    if client is None or client.merged_into_id is not None:
        raise NotFound("This person is not in the clinic's book.")
    return client
