"""Visits: booked, moved, changed, cancelled and listed through the same services and gate as the desk's pages."""

from __future__ import annotations

from typing import Any

from flask import Response

from clinic.api import shapes
from clinic.api.doors import caller
from clinic.api.paging import part_of
from clinic.api.problems import problem
from clinic.api.repeats import REPLAYED, booked_once, done_anew, visit_key
from clinic.api.views import kit
from clinic.api.views.blueprint import api
from clinic.booking.queries import visits as reading
from clinic.booking.queries.rest import passed
from clinic.booking.queries.visits import VisitFacts
from clinic.booking.services import alternatives, visits
from clinic.booking.services.checkout import Choice
from clinic.booking.services.holds import GIVEN_BACK
from clinic.booking.services.resting import RestSaid
from clinic.booking.services.visits import Outcome
from clinic.rules.api_scopes import Scope
from clinic.rules.errors import NotFound, ScreeningRefuses
from clinic.rules.language import N_, _
from clinic.shared import clock

TOLD = RestSaid(books_anyway=True)
"""A program books what comes soon after another visit as staff would, and is told so in `warnings`."""
PENDING = {202: N_("Kept, and not confirmed yet: `waiting_for` says what is still needed.")}


@api.door("GET", "/visits", Scope.VISITS_READ, shapes.VisitsOut, query=shapes.DayQuery)
def list_visits(query: shapes.DayQuery) -> dict[str, Any]:
    """Visits that start on one local day, by time; without those given back before they were booked."""
    rows, total = reading.day_page(
        query.day, page=query.page, per_page=query.per_page, location_id=query.location
    )
    return part_of([kit.visit_json(one) for one in rows], total, query)


@api.door("GET", "/visits/<int:visit_id>", Scope.VISITS_READ, shapes.VisitOut)
def read_visit(visit_id: int) -> dict[str, Any]:
    """One visit."""
    return _shown(visit_id)


@api.door(
    "POST",
    "/visits",
    Scope.VISITS_WRITE,
    shapes.VisitOut,
    body=shapes.VisitIn,
    status=201,
    also=PENDING,
    once=booked_once,
)
def book(body: shapes.VisitIn) -> Any:
    """Book a visit: confirmed (201), kept until something more is there (202), or refused (409).

    The same `Idempotency-Key` books once, however often it is sent.
    """
    choice = kit.choice_at(body, body.location)
    with kit.by_whom(body.therapist):
        outcome = visits.book_visit(
            choice,
            body.client,
            body.starts_at,
            request_key=visit_key(caller()),
            source="api",
            hold_id=body.hold,
            by=None,
            now=clock.now(),
            rest=TOLD,
            reconfirmed=True,  # asking what has changed is the duty of the program (docs/operations.md)
        )
    done = _done(outcome, 201, choice)
    return (*done, REPLAYED) if outcome.is_repeated else done


@api.door(
    "POST",
    "/visits/<int:visit_id>/move",
    Scope.VISITS_WRITE,
    shapes.VisitOut,
    body=shapes.MoveIn,
    also=PENDING,
    once=done_anew,
)
def move(visit_id: int, body: shapes.MoveIn) -> Any:
    """Another time for a visit: judged for the new day and claimed anew; refused, it keeps its place.

    The times are those of `GET /availability` with `visit`: the rules are those for booking.
    """
    current = _facts(visit_id)
    choice = kit.choice_of_visit(current, body.therapist) if body.therapist else None
    outcome = _changed(current, body, choice)
    return _done(outcome, 200, choice or kit.choice_of_visit(current, None))


@api.door(
    "POST",
    "/visits/<int:visit_id>/change",
    Scope.VISITS_WRITE,
    shapes.VisitOut,
    body=shapes.ChangeIn,
    also=PENDING,
    once=done_anew,
)
def change(visit_id: int, body: shapes.ChangeIn) -> Any:
    """Another service, length, mode, add-ons, areas or therapist: judged and claimed anew.

    At the same time, whenever that is, or at another one of `GET /availability` with `visit`.
    """
    current = _facts(visit_id)
    gender = current.asked_gender if body.gender is None else body.gender
    says_by_whom = current.any_therapist or not body.model_fields_set.isdisjoint({"therapist", "gender"})
    choice = kit.choice_of(body, body.therapist if says_by_whom else current.therapist_id, gender)
    outcome = _changed(current, body, choice)
    return _done(outcome, 200, choice)


def _changed(current: VisitFacts, body: shapes.MoveIn | shapes.ChangeIn, choice: Choice | None) -> Outcome:
    with kit.by_whom(body.therapist):
        return visits.change_visit(
            current.id,
            revision=body.revision or current.revision,
            starts_at=body.starts_at,
            choice=choice,
            by=None,
            by_program=True,
            now=clock.now(),
            rest=TOLD,
        )


def _done(outcome: Outcome, status: int, choice: Choice) -> Any:
    """The visit as it stands now, with what staff are warned of; 202 while it waits."""
    if outcome.visit_id is None:
        return _refused(outcome, choice)
    warned = [one.sentence for one in outcome.rest.short] if outcome.rest else []
    if outcome.is_repeated:  # told before, and kept with the visit
        warned = [rule for one in passed([outcome.visit_id]).values() for rule in one.rules]
    facts = outcome.facts or _facts(outcome.visit_id)
    shown = {**kit.visit_json(facts), "warnings": warned}
    return shown, 202 if shown["code"] else status


@api.door(
    "POST",
    "/visits/<int:visit_id>/cancel",
    Scope.VISITS_WRITE,
    shapes.VisitOut,
    body=shapes.CancelIn,
    once=done_anew,
)
def cancel(visit_id: int, body: shapes.CancelIn) -> dict[str, Any]:
    """Cancel a visit. Inside the clinic's notice it counts as late, unless the clinic cancels.

    A hold is no visit yet: it is given back with `POST /holds/{id}/release`.
    """
    if _facts(visit_id).status in GIVEN_BACK:
        raise NotFound(_("There is no such visit."))
    visits.cancel_visit(visit_id, by=None, by_clinic=body.by_clinic, now=clock.now())
    return _shown(visit_id)


def _facts(visit_id: int) -> reading.VisitFacts:
    """The visit. Raises NotFound, for a time that is kept for nobody yet as well: that is a hold."""
    found = reading.facts(visit_id)
    if found is None or found.client_id is None:
        raise NotFound(_("There is no such visit."))
    return found


def _shown(visit_id: int) -> dict[str, Any]:
    return kit.visit_json(_facts(visit_id))


def _refused(outcome: Outcome, choice: Choice) -> Response:
    """What came out, what to do and what is safe instead, never why."""
    told: dict[str, Any] = {}
    if outcome.judged is not None:
        told = alternatives.in_short(outcome.judged)
        told["instead"] = alternatives.instead_of(outcome.judged, choice, now=clock.now())
    told["unsafe_addons"] = list(outcome.unsafe_addons)
    return problem(409, ScreeningRefuses.default_sentence, code="screening_refuses", **told)
