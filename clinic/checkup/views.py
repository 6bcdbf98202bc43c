"""Pages for machines: is the process alive, can it answer, and what was counted. No personal data on any of them."""

from __future__ import annotations

import hmac

from flask import Response, abort, current_app, jsonify, request
from prometheus_client import CONTENT_TYPE_LATEST

from clinic import checkup
from clinic.checkup import figures
from clinic.checkup.finding import Grade
from clinic.checkup.settings import LOOPBACK
from clinic.rules.permissions import Permission
from clinic.shared import clock, metrics
from clinic.shared.web import Answer, Pages

pages = Pages("checkup", __name__)


@pages.get("/healthz", needs=Permission.SITE_ANY_READ)
def health() -> Answer:
    """The process is alive: it asks nobody, so that a database that is away restarts no server."""
    return Response("alive\n", content_type="text/plain")


@pages.get("/readyz", needs=Permission.SITE_ANY_READ)
def readiness() -> Answer:
    """Whether requests can be answered now; what is wrong is for whoever runs the server."""
    found = checkup.ready(current_app, now=clock.now())
    status = 503 if checkup.is_to_be_mended(found) else 200
    if is_near() or has_token():
        wrong = [{"says": one.says, "mend": one.mend} for one in found if one.grade is Grade.WRONG]
        answer = jsonify(ready=status == 200, wrong=wrong)
    else:
        answer = Response("ready\n" if status == 200 else "not ready\n", content_type="text/plain")
    answer.status_code = status
    if status == 503:
        answer.headers["Retry-After"] = "10"
    return answer


@pages.get("/metrics", needs=Permission.SITE_ANY_READ)
def numbers() -> Answer:
    """What was counted, for Prometheus; there is no such page unless a token is set."""
    if not current_app.config["CLINIC_METRICS_TOKEN"]:
        abort(404)
    if not has_token():
        return Response("a token is needed\n", 401, {"WWW-Authenticate": "Bearer"}, content_type="text/plain")
    return Response(metrics.as_text(figures.of_now(clock.now())), content_type=CONTENT_TYPE_LATEST)


def has_token() -> bool:
    """Whether the request carries the token of the metrics."""
    token = str(current_app.config["CLINIC_METRICS_TOKEN"])
    given = request.headers.get("Authorization", "")
    return bool(token) and hmac.compare_digest(f"Bearer {token}".encode(), given.encode())


def is_near() -> bool:
    """Whether the request comes from this machine itself. Behind a proxy that is not believed everybody seems to."""
    is_behind = current_app.config["CLINIC_PUBLIC_URL"].startswith("https:")
    return request.remote_addr in LOOPBACK and (
        not is_behind or bool(current_app.config["CLINIC_TRUSTED_PROXIES"])
    )
