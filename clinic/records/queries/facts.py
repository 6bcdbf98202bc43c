"""What is stored about one visit and its decisions, as plain values: the substance of its record.

Only what was written at the time is in here, nothing of today: no name that may be changed, no state that moves
on by itself. So an unchanged visit has the same facts, and the same fingerprint, for ever.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import select

from clinic.booking.models import Screening, StatusChange, Visit
from clinic.booking.queries import visits
from clinic.clients import queries as clients
from clinic.clients.models import Client
from clinic.intake.models import Clearance, ClearanceLetter, Consent, HealthStop, Intake, QuestionSet, SoftenedReview
from clinic.shared.audit import AuditRow
from clinic.shared.database import db
from clinic.therapists.models import TherapistRestriction

Facts = dict[str, Any]

# What was done to a visit, by its audit rows. Reading it changes nothing about it.
DEEDS = (
    "visit.booked", "visit.cancelled", "visit.change_refused", "visit.changed", "visit.judged", "visit.marked",
    "visit.released",
)  # fmt: skip


def fingerprint(facts: Facts) -> str:
    """The SHA-256 of the facts, written in one way only: keys in order, no spaces, ASCII."""
    text = json.dumps(facts, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def facts_of(visit: Visit) -> Facts:
    """Everything that was decided about this visit, and what each decision rested on."""
    judgements = list(reversed(visits.screenings_of(visit.id)))
    steps = visits.history(visit.id)
    until = max([visit.created_at, *(one.at for one in steps), *(one.judged_at for one in judgements)])
    own = _records_of_the_person(visit, judgements, until)
    signed = _signed(judgements, own)
    stops = _stops(own, until) if any(one.findings["stopped"] for one in judgements) else []
    return {
        "visit": _visit(visit),
        "steps": [_step(one) for one in steps],
        "deeds": _deeds(visit.id),
        "judgements": [_judgement(one, own, {row.id for row in signed}) for one in judgements],
        "answers": [_answers(one) for one in signed],
        "reviews": _reviews([one.id for one in signed], until),
        "questions": _questions({one.question_version for one in signed} | {one["question_version"] for one in stops}),
        "clearances": _clearances(judgements),
        "stops": stops,
        "consents": _consents(own, until),
        "therapist_asked": _asked_for(own, judgements, until),
    }


def _records_of_the_person(visit: Visit, judgements: Sequence[Screening], until: dt.datetime) -> set[int]:
    """The records that were this person's at the time. What was merged later adds nothing to what was decided."""
    named = {one for one in (visit.client_id, *(row.client_id for row in judgements)) if one is not None}
    merged = {alias for one in named for alias in clients.alias_ids(one)}
    rows = db.session.scalars(
        select(Client.id).where(Client.id.in_(merged), Client.merged_at <= until).order_by(Client.id)
    )
    return named | set(rows)


def _visit(row: Visit) -> Facts:
    return {
        "id": row.id,
        "client": row.client_id,
        "location": row.location_id,
        "therapist": row.therapist_id,
        "room": row.room_id,
        "service": row.service_id,
        "mode": row.mode,
        "addons": row.addons,
        "areas": row.areas,
        "minutes": row.minutes,
        "starts_at": _moment(row.starts_at),
        "ends_at": _moment(row.ends_at),
        "day": row.day.isoformat(),
        "zone": row.zone,
        "status": row.status,
        "first_visit": row.first_visit,
        "price": row.price,
        "currency": row.currency,
        "source": row.source,
        "created_at": _moment(row.created_at),
        "created_by": row.created_by_id,
        "rests_on": row.screening_id,
        "note": row.note,
    }


def _step(row: StatusChange) -> Facts:
    return {"status": row.status, "at": _moment(row.at), "by": row.by_user_id, "reason": row.reason}


def _deeds(visit_id: int) -> list[Facts]:
    rows = db.session.scalars(
        select(AuditRow)
        .where(AuditRow.thing == "visit", AuditRow.thing_id == visit_id, AuditRow.deed.in_(DEEDS))
        .order_by(AuditRow.sequence)
    )
    return [
        {"number": row.sequence, "deed": row.deed, "at": _moment(row.at), "by": row.by_user_id, "detail": row.detail}
        for row in rows
    ]


def _judgement(row: Screening, own: Collection[int], signed: Collection[int]) -> Facts:
    """`others`: answers of a record that may be the same person were read too. What they say is that person's, so
    neither they nor the strictest reading, which may rest on them, are handed out here."""
    findings = row.findings
    others = [one for one in row.intake_ids if one not in signed]
    return {
        "id": row.id,
        "at": _moment(row.judged_at),
        "by": row.by_user_id,
        "door": row.door,
        "day": row.day.isoformat(),
        "service": row.service,
        "mode": row.mode,
        "addons": row.addons,
        "areas": row.areas,
        "minutes": row.minutes,
        "verdict": row.verdict,
        "outcome": row.outcome,
        "urgency": row.urgency,
        "permits": row.permits,
        "rules_version": row.rules_version,
        "question_version": row.question_version,
        "answers": [one for one in row.intake_ids if one in signed],
        "others": len(others),
        "clearances": row.clearance_ids,
        "findings": findings["own"],
        "strictest": [] if others else findings["strictest"],
        "stopped": findings["stopped"],
        "places": findings.get("places", []),
    }


def _signed(judgements: Sequence[Screening], own: Collection[int]) -> list[Intake]:
    """Every version of the person's answers that any of these judgements read, oldest first."""
    read = {one for row in judgements for one in row.intake_ids}
    rows = db.session.scalars(
        select(Intake).where(Intake.id.in_(read), Intake.client_id.in_(own)).order_by(Intake.signed_at, Intake.id)
    )
    return list(rows)


def _answers(row: Intake) -> Facts:
    signature = row.signature
    return {
        "id": row.id,
        "version": row.version,
        "kind": row.kind,
        "question_version": row.question_version,
        "completed_on": row.completed_on.isoformat(),
        "answered_on": row.answered_on.isoformat(),
        "signed_at": _moment(row.signed_at),
        "source": row.source,
        "recorded_by": row.recorded_by_id,
        "renewal": row.renewal,
        "softens": row.softens,
        "signed_by": signature["name"],
        "relation": signature["relation"],
        "drawn": bool(signature["points"]),
        "answers": row.answers,
    }


def _reviews(intake_ids: Collection[int], until: dt.datetime) -> list[Facts]:
    rows = db.session.scalars(
        select(SoftenedReview)
        .where(SoftenedReview.intake_id.in_(intake_ids), SoftenedReview.decided_at <= until)
        .order_by(SoftenedReview.decided_at, SoftenedReview.id)
    )
    return [
        {
            "answers": row.intake_id,
            "accepted": row.accepted,
            "at": _moment(row.decided_at),
            "by": row.decided_by_id,
            "note": row.note,
        }
        for row in rows
    ]


def _questions(versions: Collection[str | None]) -> Mapping[str, Any]:
    """The wording of each version of the questions that was answered; a version that was not kept is missing."""
    rows = db.session.scalars(
        select(QuestionSet).where(QuestionSet.version.in_(versions)).order_by(QuestionSet.version)
    )
    return {row.version: row.wording for row in rows}


def _clearances(judgements: Sequence[Screening]) -> list[Facts]:
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
            "came_at": _moment(letter.sent_at),
            "came_by": letter.source,
            "verified_at": _moment(row.verified_at),
            "verified_by": row.verified_by_id,
        }
        for row, letter in rows
    ]


def _stops(own: Collection[int], until: dt.datetime) -> list[Facts]:
    rows = db.session.scalars(
        select(HealthStop)
        .where(HealthStop.client_id.in_(own), HealthStop.raised_at <= until)
        .order_by(HealthStop.raised_at, HealthStop.id)
    )
    return [_stop(row, until) for row in rows]


def _stop(row: HealthStop, until: dt.datetime) -> Facts:
    has_ended = row.ended_at is not None and row.ended_at <= until
    return {
        "raised_at": _moment(row.raised_at),
        "needs": row.needs,
        "urgency": row.urgency,
        "source": row.source,
        "question_version": row.question_version,
        "answers": row.answers,
        "ended_at": _moment(row.ended_at) if has_ended else None,
        "ended_by": row.ended_by_id if has_ended else None,
        "ending": row.ending if has_ended else None,
        "note": row.note if has_ended else None,
    }


def _consents(own: Collection[int], until: dt.datetime) -> list[Facts]:
    rows = db.session.scalars(
        select(Consent)
        .where(Consent.client_id.in_(own), Consent.given_at <= until)
        .order_by(Consent.given_at, Consent.kind, Consent.id)
    )
    return [
        {
            "kind": row.kind,
            "text_version": row.text_version,
            "given_at": _moment(row.given_at),
            "given_on": row.given_on.isoformat(),
            "withdrawn_at": _moment(row.withdrawn_at) if row.withdrawn_at and row.withdrawn_at <= until else None,
            "by": row.recorded_by_id,
            "detail": row.detail,
        }
        for row in rows
    ]


def _asked_for(own: Collection[int], judgements: Sequence[Screening], until: dt.datetime) -> list[Facts]:
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
            "made_at": _moment(row.made_at),
            "by": row.made_by_id,
            "reason": row.reason,
            "ended_at": _moment(row.ended_at) if row.ended_at and row.ended_at <= until else None,
        }
        for row in rows
        if row.ended_at is None or row.ended_at >= first
    ]


def _moment(moment: dt.datetime) -> str:
    return moment.astimezone(dt.UTC).isoformat(timespec="seconds")
