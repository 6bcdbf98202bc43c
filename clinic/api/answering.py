"""What the application needs for programs: problem documents for errors, the document, the counting of requests."""

from __future__ import annotations

from apiflask import APIFlask
from apiflask.exceptions import HTTPError
from flask import Response
from werkzeug.exceptions import HTTPException

from clinic.api.counting import limiter_for
from clinic.api.problems import problem
from clinic.api.views.document import complete
from clinic.shared import web

PAGE = "/api/docs"


def answer_programs(app: APIFlask) -> None:
    """Everything under /api/ that goes wrong is answered with a problem document, but for the page for people: also
    where there is nothing, such as /api/v2/."""
    app.extensions["clinic_api_limiter"] = limiter_for(app.config["CLINIC_LIMITS_URL"])
    app.spec_processor(complete)
    app.error_callback = _unfit
    web.other_errors(app, _is_for_programs, _as_problem)


def _is_for_programs(path: str) -> bool:
    return (path + "/").startswith("/api/") and path != PAGE


def _unfit(error: HTTPError) -> Response:
    """What a shape refused, field by field."""
    fields = error.detail if isinstance(error.detail, dict) else {}
    said = [
        {"field": name, "message": message.removeprefix("Value error, ")}
        for place in fields.values()
        for name, messages in (place.items() if isinstance(place, dict) else ())
        for message in messages
    ]
    return problem(error.status_code, errors=said)


def _as_problem(status: int, detail: str, error: HTTPException | None) -> Response:
    given = error.get_headers() if error is not None else ()
    headers = {name: value for name, value in given if name in ("Allow", "Retry-After")}
    if status == 503:
        headers.setdefault("Retry-After", "10")
    return problem(status, detail, headers=headers)
