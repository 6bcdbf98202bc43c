"""Series of visits: planned without booking, then booked whole or not at all."""

from __future__ import annotations

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

from clinic.api import several, shapes
from clinic.api.doors import caller
from clinic.api.problems import of_rule, problem
from clinic.api.repeats import done_anew, group_key
from clinic.api.views import kit
from clinic.api.views.blueprint import api
from clinic.booking.queries import series as reading
from clinic.booking.services import alternatives
from clinic.booking.services.series import SeriesOutcome, book_series
from clinic.booking.services.series_ending import cancel_rest
from clinic.booking.services.series_plan import plan_series, plan_starts
from clinic.booking.services.series_starts import OneStart, Planned, clinic_of
from clinic.premises.queries import ClinicFacts
from clinic.rules.api_scopes import Scope
from clinic.rules.errors import NotFound, ScreeningRefuses, SlotTaken, TooFarAhead, TooManyPending
from clinic.rules.language import N_, _
from clinic.rules.series import Pattern
from clinic.shared import clock

SOURCE = "api"
SOME_WAIT = {202: N_("Kept, and not all of them are confirmed yet: `waiting_for` says what is still needed.")}


@api.door(
    "POST",
    "/series/plan",
    Scope.VISITS_WRITE,
    several.SeriesPlanOut,
    body=several.SeriesPlanIn,
    once=None,
)
def plan(body: several.SeriesPlanIn) -> dict[str, Any]:
    """Judge and look up every date of a series; nothing is booked or kept.

    The time on the clinic's wall stays the same, also where the clock is changed. A date that does not fit has a
    `code`, a `reason` in plain words, and the nearest alternatives that do fit.
    """
    choice = kit.choice_at(body, body.location)
    local = body.starts_at.astimezone(ZoneInfo(clinic_of(choice).zone))
    pattern = Pattern(
        local.date(), local.time(), body.every_weeks, count=body.count, until=body.until, fold=local.fold
    )
    found = plan_series(choice, body.client, pattern, source=SOURCE, now=clock.now())
    return _plan_json(found, clinic_of(choice))


@api.door(
    "POST",
    "/series",
    Scope.VISITS_WRITE,
    several.SeriesOut,
    body=several.SeriesIn,
    status=201,
    also=SOME_WAIT,
    once=done_anew,
)
def book_all(body: several.SeriesIn) -> Any:
    """Book every start that is named, in one step: 201 all confirmed, 202 some are not confirmed yet, 409 none booked.

    When one of them went meanwhile none is booked, and the answer holds the `plan` of these starts afresh.
    """
    now, choice = clock.now(), kit.choice_at(body, body.location)
    rest = kit.rest_said(body.rest_reason)
    starts = [OneStart(_utc(one.starts_at), one.therapist or body.therapist, rest) for one in body.starts]
    try:
        outcome = book_series(
            choice, body.client, starts, every_weeks=body.every_weeks, request_key=group_key(caller()), source=SOURCE,
            by=None, now=now, reconfirmed=True,
        )  # fmt: skip
    except (SlotTaken, TooManyPending, TooFarAhead) as error:
        afresh = plan_starts(choice, body.client, starts, source=SOURCE, now=now)
        return of_rule(error, plan=_as_texts(_plan_json(afresh, clinic_of(choice))["starts"]))
    if outcome.series_id is None:
        return _refused(outcome, clinic_of(choice))
    shown = _shown(outcome.series_id)
    return shown, 202 if any(one["code"] for one in shown["visits"]) else 201


@api.door("GET", "/series/<int:series_id>", Scope.VISITS_READ, several.SeriesOut)
def read_series(series_id: int) -> dict[str, Any]:
    """One series with its visits, by time."""
    return _shown(series_id)


@api.door(
    "POST",
    "/series/<int:series_id>/cancel",
    Scope.VISITS_WRITE,
    several.SeriesOut,
    body=shapes.CancelIn,
    once=done_anew,
)
def cancel_series(series_id: int, body: shapes.CancelIn) -> dict[str, Any]:
    """Cancel every visit of the series that is still to come, each by the clinic's notice."""
    cancel_rest(series_id, by=None, by_clinic=body.by_clinic, now=clock.now())
    return _shown(series_id)


def _utc(moment: dt.datetime) -> dt.datetime:
    return moment.astimezone(dt.UTC)


def _plan_json(found: list[Planned], facts: ClinicFacts) -> dict[str, Any]:
    starts = [
        {
            "day": one.day,
            "starts_at": kit.local(one.starts_at, facts) if one.starts_at else None,
            "fits": one.fits,
            "code": one.code or None,
            "reason": one.reason,
            "therapists": list(one.therapists),
            "waiting_for": one.waits_for,
            "look_again_on": one.look_again_on,
            "unsafe_addons": list(one.unsafe_addons),
            "alternatives": [
                {"starts_at": kit.local(other.starts_at, facts), "therapist": other.therapist_id}
                for other in one.alternatives
            ],
        }
        for one in found
    ]
    return {"zone": facts.zone, "starts": starts}


def _as_texts(value: Any) -> Any:
    """The same with days and moments as text: a problem document is plain JSON."""
    if isinstance(value, dict):
        return {name: _as_texts(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_as_texts(one) for one in value]
    return value.isoformat() if isinstance(value, dt.date) else value


def _shown(series_id: int) -> dict[str, Any]:
    found = reading.series(series_id)
    if found is None:
        raise NotFound(_("There is no such series."))
    return {
        "id": found.id,
        "every_weeks": found.every_weeks,
        "visits": [kit.visit_json(one) for one in found.visits],
    }


def _refused(outcome: SeriesOutcome, facts: ClinicFacts) -> Any:
    refused = [
        {"starts_at": kit.local(when, facts).isoformat(), **alternatives.in_short(judged)}
        for when, judged in outcome.refused
    ]
    return problem(409, ScreeningRefuses.default_sentence, code="screening_refuses", refused=refused)
