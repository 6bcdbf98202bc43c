"""Times kept for a short while, so that nobody takes them while a form is filled in."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from clinic.api import shapes
from clinic.api.repeats import done_anew
from clinic.api.views import kit
from clinic.api.views.blueprint import api
from clinic.booking.queries import visits as reading
from clinic.booking.services import holds
from clinic.rules.api_scopes import Scope
from clinic.rules.errors import NotFound
from clinic.rules.language import _
from clinic.shared import clock


@api.door("POST", "/holds", Scope.HOLDS_WRITE, shapes.HoldOut, body=shapes.HoldIn, status=201, once=done_anew)
def hold(body: shapes.HoldIn) -> dict[str, Any]:
    """Keep a time. It is given back by itself at `expires_at`; book it with `hold` in POST /visits."""
    with kit.by_whom(body.therapist):
        kept = holds.keep_time(
            kit.choice_at(body, body.location),
            body.starts_at,
            client_id=body.client,
            source="api",
            by=None,
            now=clock.now(),
        )
    return _shown(kept)


@api.door("POST", "/holds/<int:hold_id>/renew", Scope.HOLDS_WRITE, shapes.HoldOut, once=done_anew)
def renew(hold_id: int) -> dict[str, Any]:
    """Keep the time a little longer, up to the clinic's limit."""
    holds.keep_longer(hold_id, now=clock.now())
    return _shown(hold_id)


@api.door("POST", "/holds/<int:hold_id>/release", Scope.HOLDS_WRITE, shapes.HoldReleased, once=done_anew)
def release(hold_id: int) -> dict[str, Any]:
    """Give the time back."""
    holds.give_back(hold_id, now=clock.now())
    return {"id": hold_id, "released": True}


def _shown(hold_id: int) -> dict[str, Any]:
    found = reading.facts(hold_id)
    if found is None or found.deadline_at is None:
        raise NotFound(_("There is no such hold."))
    zone = ZoneInfo(found.zone)
    return {
        "id": found.id,
        "starts_at": found.starts_at.astimezone(zone),
        "ends_at": found.ends_at.astimezone(zone),
        "therapist": found.therapist_id,
        "location": found.location_id,
        "room": found.room_id,
        "expires_at": found.deadline_at.astimezone(zone),
    }
