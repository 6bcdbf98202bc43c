"""Steps inside a transaction: append a version of somebody's answers, or the stop after a warning sign."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.orm import Session

from clinic.clients.models import Client
from clinic.intake import queries
from clinic.intake.models import HealthStop, Intake, QuestionSet
from clinic.intake.queries import Answers
from clinic.intake.services._locked import client_who_stands
from clinic.premises import queries as premises
from clinic.rules import answer_history, question_set, questionnaire
from clinic.rules.errors import InvalidInput, NotFound
from clinic.rules.language import ENGLISH, _, spoken
from clinic.rules.screening import RedFlag
from clinic.shared.languages import speaking


@dataclass(frozen=True)
class Signature:
    """Typed or drawn. `relation` is `self` or what the signer is to the client; `points` a drawn line or None;
    `young_person_agrees`: where a parent or guardian signs, whether the young person agrees too."""

    name: str
    relation: str = "self"
    points: list[Any] | None = None
    young_person_agrees: bool = False


@dataclass(frozen=True)
class Resting:
    """The full intake that shorter answers rest on: its day, and whether only a new one will do from here on.

    `asked` names the conditions that a check-in asked about."""

    completed_on: dt.date
    renewal: bool
    asked: Collection[str] | None = None


GUARDIANS = frozenset({"mother", "father", "parent", "guardian"})


def check_signer(client: Client, signature: Signature, today: dt.date) -> None:
    """A young person's answers are signed by a parent or guardian, and the young person agrees too. Raises
    InvalidInput."""
    if client.age_on(today) >= premises.clinic().adult_age:
        return
    if not signature.name.strip():
        raise InvalidInput("guardian_name", _("Type the full name of the parent or guardian who signs."))
    if signature.relation not in GUARDIANS:
        raise InvalidInput(
            "guardian_relation", _("A parent or guardian has to sign. Choose which of the two it is.")
        )
    if not signature.young_person_agrees:
        raise InvalidInput("young_person", _("The young person has to agree too."))


def add_version(
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
    rests_on: Resting | None = None,
) -> Intake:
    """Append a signed version. Without `rests_on` it is a whole new intake of today."""
    standing = queries.standings([client.id])[client.id]
    before = standing.signed
    last = queries.newest(client.id)
    said_before = before[0].answers if before else None
    answers = answer_history.with_marks(answers, said_before)
    stamped = answer_history.with_changes_dated(answers, said_before, today)
    row = Intake(
        client_id=client.id,
        version=(last.version if last else 0) + 1,
        kind=kind,
        question_version=questionnaire.QUESTION_VERSION,
        **_as_shown(),
        completed_on=rests_on.completed_on if rests_on else today,
        answered_on=today,
        signed_at=now,
        source=source,
        recorded_by_id=by,
        asked=sorted(rests_on.asked) if rests_on is not None and rests_on.asked is not None else None,
        renewal=rests_on is not None and rests_on.renewal,
        softens=any(
            answer_history.softens(stamped, earlier.answers, given_on=earlier.answered_on, today=today)
            for earlier in standing.earlier
        ),
    )
    row.answers = stamped
    row.signature = {
        "name": signature.name.strip(),
        "relation": signature.relation,
        "points": signature.points,
    }
    if signature.young_person_agrees:
        row.signature = {**row.signature, "young_person_agrees": True}
    keep_wording(session, now)
    session.add(row)
    session.flush()
    return row


def _as_shown() -> dict[str, str]:
    """Which translation of the questions was shown; nothing where they were shown as they are written."""
    if spoken() == ENGLISH:
        return {}
    return {"shown_version": question_set.shown_version(), "shown_in": spoken()}


def keep_wording(session: Session, now: dt.datetime) -> None:
    """Keep the words of the questions that this program asks, the first time that they are answered: in English, and
    as they were shown."""
    if spoken() != ENGLISH:
        _keep(session, question_set.shown_version(), now)
    with speaking(ENGLISH):
        _keep(session, questionnaire.QUESTION_VERSION, now)


def _keep(session: Session, version: str, now: dt.datetime) -> None:
    if session.scalar(select(QuestionSet.version).where(QuestionSet.version == version)):
        return
    # Two who sign at the same moment are both first: the second leaves it as it is.
    insert = sqlite_insert if session.get_bind().dialect.name == "sqlite" else postgresql_insert
    row = {"version": version, "kept_at": now, "wording": question_set.as_asked()}
    session.execute(insert(QuestionSet).values(row).on_conflict_do_nothing())


def add_stop(
    session: Session,
    client: Client,
    answers: Answers,
    flags: Sequence[RedFlag],
    source: str,
    *,
    now: dt.datetime,
    today: dt.date,
) -> None:
    """Keep what was declared: nothing goes on for this person until it has ended. `flags`: most urgent first."""
    stop = HealthStop(
        client_id=client.id,
        raised_at=now,
        raised_on=today,
        needs="review" if any(answer_history.needs_review(flag.rule) for flag in flags) else "new_answer",
        urgency=flags[0].urgency.word,
        source=source,
        question_version=questionnaire.QUESTION_VERSION,
    )
    keep_wording(session, now)
    stop.answers = dict(answers)
    session.add(stop)
    session.flush()


def known_client(session: Session, client_id: int) -> Client:
    """The client, until the commit: neither merged away nor erased. Whoever signs, merges or erases waits for the
    others: answers that were signed on a record which is just being merged would be judged for nobody. Raises
    NotFound."""
    client = client_who_stands(session, client_id)
    if client.id != client_id:
        raise NotFound(_("This person is not in the clinic's book."))
    return client
