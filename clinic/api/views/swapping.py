"""Two visits exchange their places."""

from __future__ import annotations

from functools import partial
from typing import Any

from flask import request

from clinic.api import several
from clinic.api.problems import problem
from clinic.api.repeats import Kept, done_once
from clinic.api.views import kit
from clinic.api.views.blueprint import api
from clinic.booking.queries import visits as reading
from clinic.booking.services import alternatives
from clinic.booking.services.swapping import swap_visits
from clinic.rules.api_scopes import Scope
from clinic.rules.errors import NotFound, ScreeningRefuses
from clinic.rules.language import _
from clinic.shared import clock


def _again(_kept: Kept) -> dict[str, Any]:
    """What a repetition is answered: both as they are by then."""
    asked = several.SwapIn.model_validate(request.get_json())
    return several.SwapOut(**_shown(asked)).model_dump(mode="json")


@api.door(
    "POST",
    "/visits/swap",
    Scope.VISITS_WRITE,
    several.SwapOut,
    body=several.SwapIn,
    once=partial(done_once, read=_again, keeps=()),
)
def swap(body: several.SwapIn) -> Any:
    """Exchange time, therapist and room of two visits: both judged for their new day, both changed or neither."""
    current = [_facts(one) for one in (body.first, body.second)]
    seen = [
        asked or one.revision
        for asked, one in zip((body.first_revision, body.second_revision), current, strict=True)
    ]
    outcome = swap_visits(
        body.first, body.second, seen=seen, keeps_therapists=body.keep_therapists,
        rest=kit.rest_said(body.rest_reason), by=None, now=clock.now(),
    )  # fmt: skip
    if not outcome.is_done:
        people = [
            {"visit": one.id, **alternatives.in_short(judged)}
            for one, judged in zip(current, outcome.judged, strict=True)
        ]
        sentence = ScreeningRefuses.default_sentence
        return problem(409, sentence, code="screening_refuses", outcome="refuse", visits=people)
    return _shown(body)


def _shown(asked: several.SwapIn) -> dict[str, Any]:
    return {"visits": [kit.visit_json(_facts(one)) for one in (asked.first, asked.second)]}


def _facts(visit_id: int) -> reading.VisitFacts:
    found = reading.facts(visit_id)
    if found is None:
        raise NotFound(_("There is no such visit."))
    return found
