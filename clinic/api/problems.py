"""Errors of the JSON API: application/problem+json with a stable code, never a stack trace."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from zoneinfo import ZoneInfo

from flask import Response, g

from clinic.api import menu
from clinic.rules import errors
from clinic.rules.availability import Start
from clinic.rules.language import N_
from clinic.rules.wall_time import moment

TITLES = {
    "invalid": N_("Something in the request cannot be taken as it is"),
    "malformed": N_("The request cannot be read"),
    "unauthorized": N_("A key is needed"),
    "forbidden": N_("This key may not do that"),
    "not_found": N_("There is no such thing"),
    "method_not_allowed": N_("This address does not take that method"),
    "slot_taken": N_("The time is not free"),
    "screening_refuses": N_("This treatment cannot be booked for this person"),
    "screening_pending": N_("Something is still needed before the visit is confirmed"),
    "too_late": N_("The moment for this has passed"),
    "not_allowed": N_("This cannot be done from where it stands"),
    "too_large": N_("The request is too large"),
    "unsupported_media_type": N_("The body must be application/json"),
    "rate_limited": N_("Too many requests"),
    "in_progress": N_("The same request is still at work"),
    "not_known": N_("It is not known whether this was done"),
    "not_open": N_("This clinic is not set up yet"),
    "unavailable": N_("The clinic's system does not answer at the moment"),
    "failed": N_("Something went wrong on our side"),
}
OF_STATUS = {
    400: "malformed", 401: "unauthorized", 403: "forbidden", 404: "not_found", 405: "method_not_allowed",
    409: "not_allowed", 413: "too_large", 415: "unsupported_media_type", 422: "invalid", 429: "rate_limited",
    503: "unavailable",
}  # fmt: skip

# The first that fits says the status and the code.
OF_RULE: tuple[tuple[type[errors.RuleViolation], int, str], ...] = (
    (errors.NotFound, 404, "not_found"),
    (errors.SlotTaken, 409, "slot_taken"),
    (errors.HoldExpired, 409, "slot_taken"),
    (errors.TooLate, 409, "too_late"),
    (errors.TooFarAhead, 409, "too_late"),
    (errors.RuleViolation, 409, "not_allowed"),
)


def problem(
    status: int,
    detail: str = "",
    *,
    code: str = "",
    headers: dict[str, str] | None = None,
    **more: Any,
) -> Response:
    """The answer to a request that is not done."""
    code = code or OF_STATUS.get(status, "invalid" if status < 500 else "failed")
    body = {
        "type": f"/api/docs#{code}",
        "title": TITLES[code],
        "status": status,
        "detail": detail or TITLES[code] + ".",
        "code": code,
        "request": getattr(g, "request_id", ""),
        **more,
    }
    return Response(json.dumps(body), status, headers, content_type="application/problem+json")


DESCRIBED = ("answers", "born_on")
"""Fields of which the document says all: what the booking itself refuses about them does not fit the document."""


def of_rule(error: errors.RuleViolation, **also: Any) -> Response:
    """The answer where a rule of the clinic stands against the request. `also`: what else helps the program.

    422 says that the document does not allow it, 409 that it does, and that it cannot be done here and now.
    """
    if isinstance(error, errors.NotOpenYet):
        return problem(503, error.sentence, code="not_open", headers={"Retry-After": "10"})
    if said := menu.unlisted():
        return problem(422, errors=said)
    if isinstance(error, errors.InvalidInput) and error.field.startswith(DESCRIBED):
        return problem(422, error.sentence, errors=[{"field": error.field, "message": error.sentence}])
    status, code = _of(error)
    more: dict[str, Any] = dict(also)
    if isinstance(error, errors.InvalidInput):
        more["errors"] = [{"field": error.field, "message": error.sentence}]
    if isinstance(error, errors.SlotTaken):
        zone = ZoneInfo(error.nearest.zone)
        more["nearest"] = [_start(one, zone) for one in error.nearest]
    return problem(status, error.sentence, code=code, **more)


@contextmanager
def named_here(**names: str) -> Iterator[None]:
    """A field that the rule calls by the name it has on a page is called by its name in this request."""
    try:
        yield
    except errors.InvalidInput as error:
        error.field = names.get(error.field, error.field)
        raise


def code_of(error: errors.RuleViolation) -> str:
    """The stable code of a rule that stands against a part of a request."""
    return _of(error)[1]


def _of(error: errors.RuleViolation) -> tuple[int, str]:
    return next((status, code) for kind, status, code in OF_RULE if isinstance(error, kind))


def _start(one: Start, zone: ZoneInfo) -> dict[str, Any]:
    local = moment(one.starts_at).astimezone(zone)
    return {"starts_at": local.isoformat(), "therapists": list(one.therapists)}
