"""Free times."""

from __future__ import annotations

import json
from typing import Any
from zoneinfo import ZoneInfo

from flask import Response

from clinic.api import shapes
from clinic.api.doors import caller
from clinic.api.freshness import has_just_written
from clinic.api.problems import problem
from clinic.api.views import kit
from clinic.api.views.blueprint import api
from clinic.booking.queries import bookable
from clinic.booking.services import offering
from clinic.premises import queries as premises
from clinic.rules.api_scopes import Scope
from clinic.rules.availability import Start
from clinic.rules.language import _
from clinic.rules.wall_time import local_texts
from clinic.shared import clock, replica


@api.door(
    "GET", "/availability", Scope.AVAILABILITY_READ, shapes.AvailabilityOut, query=shapes.AvailabilityQuery
)
def availability(query: shapes.AvailabilityQuery) -> Response:
    """Free starts of a service, and who is free then.

    The same function decides what can be booked. With `client` the person's own other visits, the skills that their
    answers ask for, and the days on which it would be refused count too; only a key that may read clients may name one.
    With `visit`, which takes a key that may read visits too, it lists where this one can be moved to, or changed to
    what is named beside it: the client and the place are its own.
    """
    wish = _wish(query)
    if wish is None:
        return problem(403, _("This key may not ask for a person."))
    now = clock.now()
    found = replica.read(lambda: offering.starts(wish, now=now), fresh=has_just_written())
    if not found.starts:
        kit.check_therapist(wish.therapist_id)
    return Response(_document(found.zone, found.starts), content_type="application/json")


@api.door(
    "GET", "/availability/reasons", Scope.VISITS_READ, shapes.ReasonsOut, query=shapes.AvailabilityQuery
)
def availability_reasons(query: shapes.AvailabilityQuery) -> dict[str, Any] | Response:
    """Why there are not more free starts: what stands in the way, counted, for whoever may see the book."""
    wish = _wish(query)
    if wish is None:
        return problem(403, _("This key may not ask for a person."))
    found = offering.reasons(wish, now=clock.now())
    if not found.free:
        kit.check_therapist(wish.therapist_id)
    return {
        "zone": found.zone,
        "starts": found.starts,
        "free": found.free,
        "reasons": [
            {
                "reason": one.why,
                "about": one.about,
                "sentence": one.sentence,
                "starts": one.starts,
                "alone": one.alone,
            }
            for one in found.reasons
        ],
        "closed_days": list(found.closed_days),
    }


def _wish(query: shapes.AvailabilityQuery) -> bookable.Wish | None:
    """What is asked; None where it is about a person and the key may not read people."""
    scopes = caller().scopes
    if query.client is not None and Scope.CLIENTS_READ not in scopes:
        return None
    if query.visit is not None and not {Scope.CLIENTS_READ, Scope.VISITS_READ} <= scopes:
        return None
    if query.location is not None:
        premises.place_in_use(query.location)
    return bookable.Wish(
        service=query.service,
        minutes=query.minutes,
        mode=query.mode,
        addons=tuple(dict.fromkeys(query.addons)),
        areas=tuple(dict.fromkeys(query.areas)),
        first_day=query.from_,
        days=query.days,
        therapist_id=query.therapist,
        gender=query.gender,
        client_id=query.client,
        location_id=query.location,
        visit_id=query.visit,
    )


def _document(zone: str, starts: list[Start]) -> str:
    """Written by hand: a month of a large clinic has thousands of starts, and each is only a time and some numbers."""
    texts = local_texts([start.starts_at for start in starts], ZoneInfo(zone))
    rows = [
        f'{{"starts_at":"{text}","therapists":{list(start.therapists)}}}'
        for text, start in zip(texts, starts, strict=True)
    ]
    return f'{{"zone":{json.dumps(zone)},"starts":[{",".join(rows)}]}}'
