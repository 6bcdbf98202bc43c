"""Pages that show health data say so where they are declared, and each showing leaves one row in the audit."""

from __future__ import annotations

from collections.abc import Callable

from flask import Flask, Response, request

from clinic.shared import clock
from clinic.shared.audit import leave_trace
from clinic.shared.database import transaction, tried_again

HEALTH_READ = "health.read"
SHOWN = (200, 409, 422)
"""A page that is shown again with what is wrong in its form, or with what came in between, shows as much as the first
time."""


def record_reads(app: Flask, who: Callable[[], int | None]) -> None:
    """Write down who was shown what, before the page is sent: one that cannot be recorded is not shown."""

    @app.after_request
    def record(response: Response) -> Response:
        thing = app.extensions["clinic_reads"].get(request.endpoint)
        if thing and response.status_code in SHOWN:
            _record(thing, (request.view_args or {}).get(f"{thing}_id"), who())
        return response


@tried_again
def _record(thing: str, thing_id: int | None, by: int | None) -> None:
    with transaction() as session:
        page = str(request.endpoint)
        leave_trace(session, HEALTH_READ, thing, thing_id, by=by, now=clock.now(), page=page)
