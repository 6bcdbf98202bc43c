"""Examples for the document: a visit from its free time to its booking, with somebody new who has nothing to declare.

They name what the clinic at hand offers, on a day that is ahead, so that each fits what the document says of it.
"""

from __future__ import annotations

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

from clinic.catalogue.menu import Menu

CLIENT, THERAPIST, ROOM, HOLD, VISIT = 7, 3, 12, 4011, 4012
DAYS_AHEAD = 7
USUAL_MINUTES = 60
PERSON = {
    "first_name": "Ada", "last_name": "Hall", "born_on": "1985-02-28", "email": "ada@example.com",
    "phone": "+1 212 555 0123",
}  # fmt: skip


def put_in(spec: dict[str, Any], menu: Menu, today: dt.date, zone: ZoneInfo) -> None:
    """Put them into the document, beside what they are examples of."""
    starts = dt.datetime.combine(today + dt.timedelta(days=DAYS_AHEAD), dt.time(10), zone)
    wish: dict[str, Any] = {"service": next(iter(menu.services), "swedish"), "minutes": _minutes(menu)}
    at = {**wish, "starts_at": starts.isoformat()}
    look = spec["paths"]["/api/v1/availability"]["get"]
    _put_in_address(look, {**wish, "from": starts.date().isoformat()})
    free = {"starts_at": starts.isoformat(), "therapists": [THERAPIST]}
    _put_answer(look, {"zone": zone.key, "starts": [free]})
    answers = spec["components"]["schemas"]["IntakeIn"]["properties"]["answers"]["required"]
    nothing = {key: {"present": False} for key in answers}
    signed = {
        "id": 18,
        "client": CLIENT,
        "completed_on": today.isoformat(),
        "stopped": False,
        "urgency": "none",
    }
    for path, asked, answered in (
        ("clients", PERSON, {"id": CLIENT, **PERSON, "intake_completed_on": None}),
        ("clients/{client_id}/intakes", {"answers": nothing, "signed_by": "Ada Hall"}, signed),
        ("holds", at, _hold(starts, wish["minutes"])),
        ("visits", {**at, "client": CLIENT, "hold": HOLD}, _visit(starts, wish)),
    ):
        operation = spec["paths"][f"/api/v1/{path}"]["post"]
        operation["requestBody"]["content"]["application/json"]["example"] = asked
        _put_answer(operation, answered)


def _minutes(menu: Menu) -> int:
    return USUAL_MINUTES if USUAL_MINUTES in menu.minutes else next(iter(menu.minutes), USUAL_MINUTES)


def _put_in_address(operation: dict[str, Any], asked: dict[str, Any]) -> None:
    for one in operation["parameters"]:
        if one["name"] in asked:
            one["example"] = asked[one["name"]]


def _put_answer(operation: dict[str, Any], answered: dict[str, Any]) -> None:
    good = min(status for status in operation["responses"] if status.startswith("2"))
    operation["responses"][good]["content"] = {
        kind: {**content, "example": answered}
        for kind, content in operation["responses"][good]["content"].items()
    }


def _hold(starts: dt.datetime, minutes: int) -> dict[str, Any]:
    return {
        "id": HOLD, "starts_at": starts.isoformat(), "ends_at": _after(starts, minutes), "therapist": THERAPIST,
        "location": 1, "room": ROOM, "expires_at": _after(starts - dt.timedelta(days=DAYS_AHEAD), 10),
    }  # fmt: skip


def _visit(starts: dt.datetime, wish: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": VISIT, "status": "confirmed", "code": None, "client": CLIENT, **wish, "mode": None, "addons": [],
        "areas": ["full_body"], "starts_at": starts.isoformat(), "ends_at": _after(starts, wish["minutes"]),
        "day": starts.date().isoformat(), "therapist": THERAPIST, "gender": "", "location": 1, "room": ROOM,
        "waiting_for": None, "deadline_at": None, "price": 9500, "currency": "USD", "revision": 1, "series": None,
        "couple": None, "warnings": [],
    }  # fmt: skip


def _after(start: dt.datetime, minutes: int) -> str:
    """So much later, as a clock on the wall of that place would say."""
    later = start.astimezone(dt.UTC) + dt.timedelta(minutes=minutes)
    return later.astimezone(start.tzinfo).isoformat()
