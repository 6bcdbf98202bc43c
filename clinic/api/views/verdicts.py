"""What the gate would say, before anything is booked."""

from __future__ import annotations

from typing import Any

from clinic.api import shapes
from clinic.api.views import kit
from clinic.api.views.blueprint import api
from clinic.booking.services import alternatives
from clinic.rules.api_scopes import Scope
from clinic.shared import clock


@api.door("POST", "/verdicts", Scope.VERDICTS_READ, shapes.VerdictOut, body=shapes.VerdictIn, once=None)
def verdict(body: shapes.VerdictIn) -> dict[str, Any]:
    """Judge a wish for a client on a day. Nothing is kept; the booking judges again."""
    judged = alternatives.preview(body.client, kit.choice_of(body), body.day, now=clock.now())
    return {
        **alternatives.in_short(judged),
        "permits": judged.permits,
        "waiting_for": judged.waiting_for,
        "day": body.day,
        "rules_version": judged.own.rules_version,
    }
