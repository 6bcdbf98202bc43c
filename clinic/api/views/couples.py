"""Two people at the same time in one room: free times, booked, moved and cancelled together."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from flask import Response

from clinic.api import several, shapes
from clinic.api.doors import caller
from clinic.api.problems import named_here, problem
from clinic.api.repeats import Kept, done_anew, group_key
from clinic.api.views import kit
from clinic.api.views.blueprint import api
from clinic.booking.queries import couples as reading
from clinic.booking.services import alternatives, couple_changes, offering
from clinic.booking.services.couples import Half, book_couple
from clinic.rules.api_scopes import Scope
from clinic.rules.errors import NotFound, ScreeningRefuses
from clinic.rules.language import N_, _
from clinic.rules.wall_time import moment
from clinic.shared import clock


def _again(kept: Kept) -> dict[str, Any]:
    """What a repetition is answered: the couple as it is by then."""
    return several.CoupleOut(**_shown(kept["id"])).model_dump(mode="json")


BOTH_WAIT = {
    202: N_("Kept, and not confirmed yet: both are confirmed or neither. `waiting_for` says what is needed.")
}


@api.door(
    "POST",
    "/couples/times",
    Scope.VISITS_WRITE,
    shapes.AvailabilityOut,
    body=several.CoupleTimesIn,
    once=None,
)
def times_for_two(body: several.CoupleTimesIn) -> dict[str, Any]:
    """Free starts for two people: two therapists, devices for both, and one room with two tables.

    Left out are the days on which one of them would be refused.
    """
    found = offering.starts_for_two(_halves(body), body.from_, body.days, now=clock.now())
    zone = ZoneInfo(found.zone)
    starts = [
        {"starts_at": moment(one.starts_at).astimezone(zone), "therapists": list(one.therapists)}
        for one in found.starts
    ]
    return {"zone": zone.key, "starts": starts}


@api.door(
    "POST",
    "/couples",
    Scope.VISITS_WRITE,
    several.CoupleOut,
    body=several.CoupleIn,
    status=201,
    also=BOTH_WAIT,
    once=partial(done_anew, read=_again),
)
def book_two(body: several.CoupleIn) -> Any:
    """Book two people at once: both confirmed (201), both kept until more is there (202), or neither booked (409)."""
    with named_here(client="people", therapist="people"):
        outcome = book_couple(
            _halves(body), body.starts_at, request_key=group_key(caller()), source="api", by=None, now=clock.now(),
            reconfirmed=True, rest=kit.rest_said(body.rest_reason),
        )  # fmt: skip
    if outcome.couple_id is None:
        return _refused([one.client for one in body.people], outcome.judged)
    return _answer(outcome.couple_id, 201)


@api.door("GET", "/couples/<int:couple_id>", Scope.VISITS_READ, several.CoupleOut)
def read_couple(couple_id: int) -> dict[str, Any]:
    """One couple with its visits."""
    return _shown(couple_id)


@api.door(
    "POST",
    "/couples/<int:couple_id>/move",
    Scope.VISITS_WRITE,
    several.CoupleOut,
    body=several.CoupleMoveIn,
    also=BOTH_WAIT,
    once=partial(done_anew, read=_again),
)
def move_couple(couple_id: int, body: several.CoupleMoveIn) -> Any:
    """Another time for both: judged for the new day and claimed anew; refused, both keep their place.

    The rules for the time are those for booking.
    """
    people = [one["client"] for one in _shown(couple_id)["visits"]]
    outcome = couple_changes.move_couple(
        couple_id,
        body.starts_at,
        rest=kit.rest_said(body.rest_reason),
        by=None,
        by_program=True,
        now=clock.now(),
    )
    if outcome.couple_id is None:
        return _refused(people, outcome.judged)
    return _answer(couple_id, 200)


@api.door(
    "POST",
    "/couples/<int:couple_id>/cancel",
    Scope.VISITS_WRITE,
    several.CoupleOut,
    body=shapes.CancelIn,
    once=partial(done_anew, read=_again),
)
def cancel_couple(couple_id: int, body: shapes.CancelIn) -> dict[str, Any]:
    """Cancel both, each by the clinic's notice."""
    couple_changes.cancel_couple(couple_id, by=None, by_clinic=body.by_clinic, now=clock.now())
    return _shown(couple_id)


def _halves(body: several.CoupleIn | several.CoupleTimesIn) -> tuple[Half, Half]:
    one, other = (Half(person.client, kit.choice_at(person, body.location)) for person in body.people)
    return one, other


def _answer(couple_id: int, status: int) -> tuple[dict[str, Any], int]:
    shown = _shown(couple_id)
    return shown, 202 if any(one["code"] for one in shown["visits"]) else status


def _shown(couple_id: int) -> dict[str, Any]:
    found = reading.couple(couple_id)
    if found is None:
        raise NotFound(_("There is no such couple."))
    ended: dt.datetime | None = found.ended_at
    if ended is not None:
        ended = ended.astimezone(ZoneInfo(found.visits[0].zone))
    return {"id": found.id, "ended_at": ended, "visits": [kit.visit_json(one) for one in found.visits]}


def _refused(clients: Sequence[int], judged: Sequence[Any]) -> Response:
    """Not both can be booked: for each what came out and what to do, never why."""
    people = [
        {"client": client, **alternatives.in_short(one)} for client, one in zip(clients, judged, strict=True)
    ]
    return problem(
        409, ScreeningRefuses.default_sentence, code="screening_refuses", outcome="refuse", people=people
    )
