"""What is stored about one visit and its decisions, as plain values: the substance of its record.

Only what was written at the time is in here, nothing of today: no name that may be changed, no state that moves
on by itself. So an unchanged visit has the same facts, and the same fingerprint, for ever.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Collection, Sequence

from sqlalchemy import select

from clinic.booking.models import Screening, StatusChange, Visit
from clinic.booking.queries import visits
from clinic.clients import queries as clients
from clinic.clients.models import Client
from clinic.records.queries.rested_on import (
    Facts,
    answers_facts,
    asked_for_facts,
    clearances_facts,
    consents_facts,
    moment_fact,
    passes_facts,
    reactions_facts,
    reviews_facts,
    signed_answers,
    stops_facts,
    wordings,
)
from clinic.shared.audit import AuditRow
from clinic.shared.database import db

# What was done to a visit, by its audit rows. Reading it changes nothing about it.
DEEDS = (
    "visit.aim_written", "visit.booked", "visit.cancelled", "visit.change_refused", "visit.changed", "visit.judged",
    "visit.marked", "visit.reassigned", "visit.released",
)  # fmt: skip


def fingerprint(facts: Facts) -> str:
    """The SHA-256 of the facts, written in one way only: keys in order, no spaces, ASCII."""
    text = json.dumps(facts, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def facts_of(visit: Visit) -> Facts:
    """Everything that was decided about this visit, and what each decision rested on."""
    judgements = sorted(visits.screenings_of(visit.id), key=lambda row: _order(row, visit))
    steps = visits.history(visit.id)
    until = max([visit.created_at, *(one.at for one in steps), *(one.judged_at for one in judgements)])
    own = _records_of_the_person(visit, judgements, until)
    signed = signed_answers(judgements, own)
    stops = stops_facts(own, until) if any(one.findings["stopped"] for one in judgements) else []
    return {
        "visit": _visit(visit),
        "steps": [_step(one) for one in steps],
        "deeds": _deeds(visit.id),
        "judgements": [_judgement(one, {row.id for row in signed}) for one in judgements],
        "answers": [answers_facts(one) for one in signed],
        "reviews": reviews_facts([one.id for one in signed], until),
        "questions": wordings(
            {one.question_version for one in signed} | {one["question_version"] for one in stops}
        ),
        "clearances": clearances_facts(judgements),
        "stops": stops,
        "consents": consents_facts(own, until),
        "passes": passes_facts(visit.id),
        "reactions": reactions_facts(own, visit.id, until),
        "therapist_asked": asked_for_facts(own, judgements, until),
    }


def _order(row: Screening, visit: Visit) -> tuple[dt.datetime, bool, int]:
    """Of several at one moment (without an add-on after with it) the one that the visit rests on came last."""
    return row.judged_at, row.id == visit.screening_id, row.id


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
        "starts_at": moment_fact(row.starts_at),
        "ends_at": moment_fact(row.ends_at),
        "day": row.day.isoformat(),
        "zone": row.zone,
        "status": row.status,
        "first_visit": row.first_visit,
        "price": row.price,
        "currency": row.currency,
        "source": row.source,
        "created_at": moment_fact(row.created_at),
        "created_by": row.created_by_id,
        "rests_on": row.screening_id,
        "note": row.note,
    }


def _step(row: StatusChange) -> Facts:
    return {"status": row.status, "at": moment_fact(row.at), "by": row.by_user_id, "reason": row.reason}


def _deeds(visit_id: int) -> list[Facts]:
    rows = db.session.scalars(
        select(AuditRow)
        .where(AuditRow.thing == "visit", AuditRow.thing_id == visit_id, AuditRow.deed.in_(DEEDS))
        .order_by(AuditRow.sequence)
    )
    return [
        {
            "number": row.sequence,
            "deed": row.deed,
            "at": moment_fact(row.at),
            "by": row.by_user_id,
            "detail": row.detail,
        }
        for row in rows
    ]


def _judgement(row: Screening, signed: Collection[int]) -> Facts:
    """`others`: answers of a record that may be the same person were read too. What they say is that person's, so
    neither they nor the strictest reading, which may rest on them, are handed out here."""
    findings = row.findings
    others = [one for one in row.intake_ids if one not in signed]
    return {
        "id": row.id,
        "at": moment_fact(row.judged_at),
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
