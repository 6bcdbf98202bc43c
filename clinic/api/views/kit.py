"""What the operations share: wishes as choices, visits and moments as JSON."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

from clinic.api import shapes
from clinic.booking.queries.visits import VisitFacts
from clinic.booking.services.checkout import Choice
from clinic.booking.services.resting import NOT_SAID, RestSaid
from clinic.premises import queries as premises
from clinic.premises.queries import ClinicFacts
from clinic.rules.errors import NotFound, SlotTaken
from clinic.rules.language import _
from clinic.rules.visit_status import VisitStatus
from clinic.therapists import queries as therapists


def clinic() -> ClinicFacts:
    """The clinic. Raises NotFound before it is set up."""
    facts = premises.clinic_facts()
    if facts is None:
        raise NotFound(_("The clinic is not set up yet."))
    return facts


def local(moment: dt.datetime, facts: ClinicFacts) -> dt.datetime:
    """The moment with the clinic's offset."""
    return moment.astimezone(ZoneInfo(facts.zone))


def rest_said(reason: str | None) -> RestSaid:
    """What a program passes on of staff who pass too little rest."""
    return RestSaid(reason=reason, books_anyway=True) if reason else NOT_SAID


def choice_of(wish: shapes.Wish, therapist: int | None = None, gender: str = "") -> Choice:
    """The wish as the booking reads it. A gender beside a name says nothing, as on the pages."""
    return Choice(
        wish.service, wish.minutes, wish.mode, tuple(dict.fromkeys(wish.addons)),
        tuple(dict.fromkeys(wish.areas)), therapist, gender="" if therapist else gender,
    )  # fmt: skip


def choice_at(wish: shapes.WishOfWhom, location: int | None) -> Choice:
    """The wish with whom it names, at that place."""
    return replace(choice_of(wish, wish.therapist, wish.gender), location_id=location)


def check_therapist(therapist_id: int | None) -> None:
    """Raise NotFound for somebody whom nobody here ever was: to a program with an old number nothing is ever free."""
    if therapist_id is not None and not therapists.is_known(therapist_id):
        raise NotFound(_("There is no such therapist."))


@contextmanager
def by_whom(therapist_id: int | None) -> Iterator[None]:
    """Where it cannot be had with this therapist, NotFound if there is none: it is asked only then."""
    try:
        yield
    except SlotTaken:
        check_therapist(therapist_id)
        raise


def choice_of_visit(visit: VisitFacts, therapist: int | None) -> Choice:
    """What the visit is, with another therapist."""
    return Choice(
        visit.service,
        visit.minutes,
        visit.mode,
        visit.addons,
        visit.areas,
        therapist,
        gender=visit.asked_gender,
    )


def visit_json(visit: VisitFacts) -> dict[str, Any]:
    """One visit, its times with the clinic's offset."""
    zone = ZoneInfo(visit.zone)
    waits = visit.status in (VisitStatus.PENDING, VisitStatus.SUSPENDED)
    return {
        "id": visit.id,
        "status": visit.status,
        "code": "screening_pending" if waits else None,
        "client": visit.client_id,
        "service": visit.service,
        "mode": visit.mode,
        "minutes": visit.minutes,
        "addons": list(visit.addons),
        "areas": list(visit.areas),
        "starts_at": visit.starts_at.astimezone(zone),
        "ends_at": visit.ends_at.astimezone(zone),
        "day": visit.day,
        "therapist": visit.therapist_id,
        "gender": visit.asked_gender,
        "location": visit.location_id,
        "room": visit.room_id,
        "waiting_for": visit.waiting_for if waits else None,
        "deadline_at": visit.deadline_at.astimezone(zone) if waits and visit.deadline_at else None,
        "price": visit.price,
        "currency": visit.currency,
        "revision": visit.revision,
        "series": visit.series_id,
        "couple": visit.couple_id,
        "warnings": [],
    }
