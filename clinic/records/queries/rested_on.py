"""What the decisions about a visit rested on, as plain values: answers, wordings, letters, signs, consents."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import select

from clinic.booking.models import RestPass, Screening
from clinic.intake.models import (
    Clearance,
    ClearanceLetter,
    Consent,
    HealthStop,
    Intake,
    QuestionSet,
    SoftenedReview,
)
from clinic.intake.queries import reactions
from clinic.shared.database import db
from clinic.therapists.models import TherapistRestriction

Facts = dict[str, Any]


def signed_answers(judgements: Sequence[Screening], own: Collection[int]) -> list[Intake]:
    """Every version of the person's answers that any of these judgements read, oldest first."""
    read = {one for row in judgements for one in row.intake_ids}
    rows = db.session.scalars(
        select(Intake)
        .where(Intake.id.in_(read), Intake.client_id.in_(own))
        .order_by(Intake.signed_at, Intake.version, Intake.id)
    )
    return list(rows)


def answers_facts(row: Intake) -> Facts:
    """One version as it was signed."""
    return {
        "id": row.id,
        "version": row.version,
        "kind": row.kind,
        "question_version": row.question_version,
        "completed_on": row.completed_on.isoformat(),
        "answered_on": row.answered_on.isoformat(),
        "signed_at": moment_fact(row.signed_at),
        "source": row.source,
        "recorded_by": row.recorded_by_id,
        "asked": row.asked,
        "renewal": row.renewal,
        "softens": row.softens,
        "signature": row.signature,
        "answers": row.answers,
        **({"shown_in": row.shown_in, "shown_version": row.shown_version} if row.shown_in else {}),
    }


def reviews_facts(intake_ids: Collection[int], until: dt.datetime) -> list[Facts]:
    """What clinical review made of weakened answers, by then."""
    rows = db.session.scalars(
        select(SoftenedReview)
        .where(SoftenedReview.intake_id.in_(intake_ids), SoftenedReview.decided_at <= until)
        .order_by(SoftenedReview.decided_at, SoftenedReview.id)
    )
    return [
        {
            "answers": row.intake_id,
            "accepted": row.accepted,
            "at": moment_fact(row.decided_at),
            "by": row.decided_by_id,
            "note": row.note,
        }
        for row in rows
    ]


def wordings(versions: Collection[str | None]) -> Mapping[str, Any]:
    """The wording of each version of the questions that was answered; a version that was not kept is missing."""
    rows = db.session.scalars(
        select(QuestionSet).where(QuestionSet.version.in_(versions)).order_by(QuestionSet.version)
    )
    return {row.version: row.wording for row in rows}


def clearances_facts(judgements: Sequence[Screening]) -> list[Facts]:
    """Every letter that made something weaker in any of these judgements."""
    used = {one for row in judgements for one in row.clearance_ids}
    rows = db.session.execute(
        select(Clearance, ClearanceLetter)
        .join(ClearanceLetter, ClearanceLetter.id == Clearance.letter_id)
        .where(Clearance.id.in_(used))
        .order_by(Clearance.verified_at, Clearance.id)
    )
    return [
        {
            "id": row.id,
            "statement": row.statement,
            "issued_on": row.issued_on.isoformat(),
            "ends_on": row.ends_on.isoformat() if row.ends_on else None,
            "lapses_on": row.lapses_on.isoformat(),
            "came_at": moment_fact(letter.sent_at),
            "came_by": letter.source,
            "verified_at": moment_fact(row.verified_at),
            "verified_by": row.verified_by_id,
        }
        for row, letter in rows
    ]


def stops_facts(own: Collection[int], until: dt.datetime) -> list[Facts]:
    """Warning signs that had been declared by then, and whether they had ended."""
    rows = db.session.scalars(
        select(HealthStop)
        .where(HealthStop.client_id.in_(own), HealthStop.raised_at <= until)
        .order_by(HealthStop.raised_at, HealthStop.id)
    )
    return [_stop(row, until) for row in rows]


def _stop(row: HealthStop, until: dt.datetime) -> Facts:
    ended_at = row.ended_at if row.ended_at and row.ended_at <= until else None
    return {
        "raised_at": moment_fact(row.raised_at),
        "needs": row.needs,
        "urgency": row.urgency,
        "source": row.source,
        "question_version": row.question_version,
        "answers": row.answers,
        "ended_at": moment_fact(ended_at) if ended_at else None,
        "ended_by": row.ended_by_id if ended_at else None,
        "ending": row.ending if ended_at else None,
        "note": row.note if ended_at else None,
    }


def consents_facts(own: Collection[int], until: dt.datetime) -> list[Facts]:
    """Consents that had been given by then, and whether they had been withdrawn."""
    rows = db.session.scalars(
        select(Consent)
        .where(Consent.client_id.in_(own), Consent.given_at <= until)
        .order_by(Consent.given_at, Consent.kind, Consent.id)
    )
    return [
        {
            "kind": row.kind,
            "text_version": row.text_version,
            "given_at": moment_fact(row.given_at),
            "given_on": row.given_on.isoformat(),
            "withdrawn_at": moment_fact(row.withdrawn_at)
            if row.withdrawn_at and row.withdrawn_at <= until
            else None,
            "by": row.recorded_by_id,
            "detail": row.detail,
        }
        for row in rows
    ]


def asked_for_facts(own: Collection[int], judgements: Sequence[Screening], until: dt.datetime) -> list[Facts]:
    """What therapists asked for beyond the rules while this visit was being judged."""
    if not judgements:
        return []
    rows = db.session.scalars(
        select(TherapistRestriction)
        .where(TherapistRestriction.client_id.in_(own), TherapistRestriction.made_at <= until)
        .order_by(TherapistRestriction.made_at, TherapistRestriction.id)
    )
    first = judgements[0].judged_at
    return [
        {
            "therapist": row.therapist_id,
            "services": row.services,
            "verdict": row.verdict,
            "until": row.until.isoformat() if row.until else None,
            "made_at": moment_fact(row.made_at),
            "by": row.made_by_id,
            "reason": row.reason,
            "ended_at": moment_fact(row.ended_at) if row.ended_at and row.ended_at <= until else None,
        }
        for row in rows
        if row.ended_at is None or row.ended_at >= first
    ]


def reactions_facts(own: Collection[int], visit_id: int, until: dt.datetime) -> list[Facts]:
    """Bad reactions that had been recorded by then, and those to this very visit."""
    return [
        {
            "happened_on": row.happened_on.isoformat(),
            "recorded_at": moment_fact(row.recorded_at),
            "by": row.recorded_by_id,
            "to_this_visit": row.visit_id == visit_id,
            "what_happened": row.what_happened,
        }
        for row in reactions.of_records(own)
        if row.recorded_at <= until or row.visit_id == visit_id
    ]


def passes_facts(visit_id: int) -> list[Facts]:
    """Each time this visit was booked or moved sooner than advised: what they were told, and why they went on."""
    rows = db.session.scalars(
        select(RestPass).where(RestPass.visit_id == visit_id).order_by(RestPass.passed_at, RestPass.id)
    )
    return [
        {
            "starts_at": moment_fact(row.starts_at),
            "rules": row.passed,
            "at": moment_fact(row.passed_at),
            "by": row.passed_by_id,
            "reason": row.reason,
        }
        for row in rows
    ]


def moment_fact(moment: dt.datetime) -> str:
    """A moment as it is written in the facts."""
    return moment.astimezone(dt.UTC).isoformat()
