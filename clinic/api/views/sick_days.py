"""A therapist cannot work: what it would touch, first without saving; then the days off and what is done about each
visit."""

from __future__ import annotations

import datetime as dt
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from flask import request

from clinic.api import sick_days
from clinic.api.problems import code_of, named_here
from clinic.api.repeats import Kept, done_anew
from clinic.api.values import LARGEST_ID
from clinic.api.views import kit
from clinic.api.views.blueprint import api
from clinic.booking.queries import visits as reading
from clinic.booking.services import covering, sick_day
from clinic.booking.services.covering import Case
from clinic.booking.services.time_off import add_time_off
from clinic.rules.api_scopes import Scope
from clinic.rules.errors import NotFound, RuleViolation
from clinic.rules.language import _
from clinic.rules.sick_day import Proposal, Way, best_for_all
from clinic.rules.typed_span import TypedSpan, Wall, span_typed
from clinic.rules.wall_time import WallClock, moment
from clinic.shared import clock
from clinic.therapists import queries as therapists

TIMES_SHOWN = 12


def _again(kept: Kept) -> dict[str, Any]:
    """What a repetition is answered: what was done, and the visits that are left by then."""
    therapist_id = (request.view_args or {})["therapist_id"]
    left = _answer(therapist_id, covering.cases(therapist_id, clock.now()))
    done = [{**one, "detail": ""} for one in kept["done"]]  # why one was not done says something of somebody
    return sick_days.SickDaysOut(**{**left, **kept, "done": done}).model_dump(mode="json")


@api.door("GET", "/therapists/<int:therapist_id>/sick-days", Scope.VISITS_READ, sick_days.SickDaysOut)
def read_sick_days(therapist_id: int) -> dict[str, Any]:
    """The coming visits that lie in this therapist's time off, with the best for all of them together."""
    _known(therapist_id)
    return _answer(therapist_id, covering.cases(therapist_id, clock.now()))


@api.door(
    "POST",
    "/therapists/<int:therapist_id>/sick-days/plan",
    Scope.VISITS_WRITE,
    sick_days.SickDaysOut,
    body=sick_days.SickDaysIn,
    once=None,
)
def plan_sick_days(therapist_id: int, body: sick_days.SickDaysIn) -> dict[str, Any]:
    """What these days off would touch, and what could be done about it; nothing is saved, and nobody is told."""
    _known(therapist_id)
    span = _span(therapist_id, body)
    return _answer(therapist_id, covering.cases_in(therapist_id, span, clock.now()), span)


@api.door(
    "POST",
    "/therapists/<int:therapist_id>/sick-days",
    Scope.VISITS_WRITE,
    sick_days.SickDaysOut,
    body=sick_days.SickDaysSaveIn,
    status=201,
    once=partial(done_anew, read=_again, keeps=("first_day", "last_day", "time_off", "done")),
)
def save_sick_days(therapist_id: int, body: sick_days.SickDaysSaveIn) -> dict[str, Any]:
    """Enter the days off, so that nothing new is booked there, then do what is named about each visit.

    Each visit is a step of its own: `done` says of each whether it could be done, and the clients are told. What is
    left stands in `visits` and on the desk's list of work.
    """
    _known(therapist_id)
    span = _span(therapist_id, body)
    with named_here(ends="first_day"):
        saved = add_time_off(
            therapist_id, "off", span.starts_at, span.ends_at, body.note, by=None, now=clock.now(), days=span.days,
        )  # fmt: skip
    done = [_done(therapist_id, one) for one in body.deeds]
    left = covering.cases(therapist_id, clock.now())
    return _answer(therapist_id, left, span) | {"time_off": saved, "done": done}


def _known(therapist_id: int) -> None:
    row = therapists.therapist(therapist_id) if therapist_id <= LARGEST_ID else None
    if row is None or not row.is_active:
        raise NotFound(_("There is no such therapist."))


def _span(therapist_id: int, body: sick_days.SickDaysIn) -> TypedSpan:
    """Raises InvalidInput."""
    last = body.first_day + dt.timedelta(days=body.days - 1)
    wall = WallClock(ZoneInfo(therapists.workplace(therapist_id, body.first_day).zone))
    return span_typed(wall, Wall(body.first_day, None), Wall(last, None), uses_24_hours=True)


def _done(
    therapist_id: int, one: sick_days.GiveIn | sick_days.OfferIn | sick_days.CallOffIn
) -> dict[str, Any]:
    """One deed on a visit of this therapist; what stands against it is said."""
    try:
        facts = reading.facts(one.visit)
        if facts is None or facts.therapist_id != therapist_id:
            raise NotFound(_("This therapist has no such visit."))
        _do(one)
    except RuleViolation as error:
        return {"visit": one.visit, "deed": one.deed, "code": code_of(error), "detail": error.sentence}
    return {"visit": one.visit, "deed": one.deed, "code": None, "detail": ""}


def _do(one: sick_days.GiveIn | sick_days.OfferIn | sick_days.CallOffIn) -> None:
    now = clock.now()
    if isinstance(one, sick_days.GiveIn):
        sick_day.give_to(one.visit, one.therapist, revision=one.revision, by=None, now=now)
    elif isinstance(one, sick_days.OfferIn):
        start = one.starts_at.astimezone(dt.UTC)
        sick_day.offer_time(one.visit, start, one.therapist, revision=one.revision, by=None, now=now)
    else:
        sick_day.call_off(one.visit, revision=one.revision, by=None, now=now)


def _answer(therapist_id: int, cases: list[Case], span: TypedSpan | None = None) -> dict[str, Any]:
    first, last = (span.days if span else None) or (None, None)
    open_cases = {one.visit.id: one for one in cases}
    best = best_for_all(one.touched for one in cases)
    return {
        "therapist": therapist_id,
        "first_day": first,
        "last_day": last,
        "time_off": None,
        "done": [],
        "visits": [_case(open_cases[one.visit_id], one) for one in best],
    }


def _case(case: Case, best: Proposal) -> dict[str, Any]:
    facts = reading.facts(case.visit.id)
    if facts is None:
        raise NotFound()
    zone, way = ZoneInfo(facts.zone), best.way
    asked = case.asked.offer
    return {
        "visit": kit.visit_json(facts),
        "proposal": best.deed.value,
        "starts_at": moment(way.starts_at).astimezone(zone) if way else None,
        "therapist": way.therapist if way else None,
        "by_name": case.touched.by_name,
        "safe": case.is_safe,
        "others": list(dict.fromkeys(one.therapist for one in case.touched.same_time)),
        "times": [_way(one, zone) for one in case.touched.other_times[:TIMES_SHOWN]],
        "asked": {"starts_at": asked.starts_at.astimezone(zone), "therapist": asked.visit.therapist_id}
        if asked
        else None,
    }


def _way(way: Way, zone: ZoneInfo) -> dict[str, Any]:
    return {"starts_at": moment(way.starts_at).astimezone(zone), "therapist": way.therapist}
