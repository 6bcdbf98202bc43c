"""One visit as its therapist reads it in ten seconds."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from clinic.booking.queries import couples, next_steps, rest, treated, under_way, visits
from clinic.booking.queries.rest import Passed
from clinic.catalogue import queries as catalogue
from clinic.clients.models import Client
from clinic.diary.queries.findings import Care, care_of
from clinic.intake import queries as intake
from clinic.intake.queries import reactions
from clinic.intake.queries.reactions import Recorded
from clinic.premises import queries as premises
from clinic.records.queries import notes
from clinic.records.queries.notes import Note, NotedVisit
from clinic.rules.language import _
from clinic.rules.places_to_avoid import areas_in_words
from clinic.rules.visit_status import VisitStatus
from clinic.rules.words import capital


@dataclass(frozen=True)
class VisitCard:
    """Who comes, for what, and what to take care of. `phone` is there only where the client is to be called, `beside`
    is the therapist at the other table where two come together. `told_since`: when other answers were signed, or a
    warning sign was named, after the visit began."""

    id: int
    revision: int
    status: VisitStatus
    starts_at: dt.datetime
    ends_at: dt.datetime
    zone: str
    location_id: int
    day: dt.date
    client: str
    client_id: int
    age: int
    first_visit: bool
    service: str
    way: str
    addons: tuple[str, ...]
    minutes: int
    total_minutes: int
    turnover_minutes: int
    room: str
    beside: str
    areas: str
    note: str
    guardian: str
    guardian_in_room: bool
    phone: str
    waiting: str
    may_read_answers: bool
    hidden: str
    """Why nothing about their health, and not what they wrote, is in it: nothing where the therapist treats them."""
    care: Care
    told_since: dt.datetime | None
    sooner: Passed | None
    reactions: list[Recorded]
    notes: list[Note]
    last_notes: list[NotedVisit]
    may_note: bool  # it has begun


def visit_card(therapist_id: int, visit_id: int, now: dt.datetime) -> VisitCard | None:
    """The visit when it is this therapist's own; else None, as if it were not there."""
    visit = treated.visit_of_therapist(therapist_id, visit_id)
    if visit is None or visit.client is None:
        return None
    client = visit.client
    plan = catalogue.plan_for_booked(
        visit.service_id, visit.mode, visit.addons, visit.minutes, first_visit=visit.first_visit
    )
    treats, partner = visits.treats(therapist_id, client.id, now), couples.partner_of(visit)
    rows = next_steps.screenings([visit.screening_id] if visit.screening_id and treats else [])
    care = care_of(rows.get(visit.screening_id or 0))
    guardian, in_room = _guardian(client, visit.day)
    return VisitCard(
        id=visit.id,
        revision=visit.revision,
        status=VisitStatus(visit.status),
        starts_at=visit.starts_at,
        ends_at=visit.ends_at,
        zone=visit.zone,
        location_id=visit.location_id,
        day=visit.day,
        client=client.name,
        client_id=client.id,
        age=client.age_on(visit.day),
        first_visit=visit.first_visit,
        service=plan.name,
        way=plan.mode_name,
        addons=plan.addon_names,
        minutes=visit.minutes,
        total_minutes=plan.total_minutes,
        turnover_minutes=plan.turnover_minutes,
        room=visit.room.name,
        beside=partner.therapist.name if partner else "",
        areas=capital(areas_in_words(visit.areas)),
        note=(visit.note or "") if treats else "",
        guardian=guardian,
        guardian_in_room=in_room,
        phone=(client.phone or "") if care.call_first else "",
        waiting=next_steps.next_step(visit).title if visit.is_waiting else "",
        reactions=reactions.recorded_of(client.id) if treats else [],
        may_read_answers=treats,
        hidden="" if treats else _why_hidden(),
        notes=notes.notes_of(visit.id) if treats else [],
        last_notes=notes.last_notes(client.id, before=visit.starts_at) if treats else [],
        may_note=treats and visit.status in notes.BEGUN,
        care=care,
        told_since=under_way.told_since(visit),
        sooner=rest.passed([visit.id]).get(visit.id) if treats else None,
    )


def _why_hidden() -> str:
    rules = premises.clinic()
    return _(
        "You see what to take care of while you treat this person. Days before a visit: %(ahead)s. Days after it:"
        " %(back)s.",
        ahead=rules.treated_days_ahead,
        back=rules.treated_days_back,
    )


def _guardian(client: Client, day: dt.date) -> tuple[str, bool]:
    """Who signed for somebody under age, and whether a parent or guardian stays in the room."""
    rules, age = premises.clinic(), client.age_on(day)
    if age >= rules.adult_age:
        return "", False
    consent = intake.guardian_consent(client.id)
    if consent is None or consent.withdrawn_at is not None:
        return client.guardian_name, age <= rules.guardian_in_room_age
    return consent.detail["name"], age <= rules.guardian_in_room_age or bool(
        consent.detail["will_be_in_room"]
    )
