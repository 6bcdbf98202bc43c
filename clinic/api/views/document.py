"""The OpenAPI 3.1 document of the API, and a page to read it."""

from __future__ import annotations

import datetime as dt
from typing import Any, cast
from zoneinfo import ZoneInfo

from apiflask import APIFlask
from flask import current_app, jsonify, render_template
from werkzeug.wrappers import Response

from clinic.api import examples, menu
from clinic.api.answers_shape import answers_schema
from clinic.api.doors import KEY
from clinic.api.problems import TITLES
from clinic.api.shapes import Problem
from clinic.catalogue.menu import menu as read_menu
from clinic.clients.steps import LONGEST_LIFE
from clinic.premises import queries as premises
from clinic.rules.calendar_text import DAY_OF_A_LIFE, birth_days
from clinic.rules.permissions import Permission
from clinic.rules.wall_time import local_day
from clinic.shared import clock
from clinic.shared.web import Answer, Pages

pages = Pages("api_document", __name__)

ERRORS = {
    "400": "The request cannot be read",
    "401": "No key, or one that opens nothing",
    "403": "The key may not do that",
    "404": "There is no such thing",
    "409": "A rule of the clinic stands against it: `code` says which",
    "413": "The body is too large",
    "415": "The body is not JSON",
    "422": "A field cannot be taken as it is",
    "429": "Too many requests",
    "503": "The system does not answer at the moment",
}

REPLAYED = {
    "description": "There where this very request was answered before, under the same `Idempotency-Key`.",
    "schema": {"type": "string", "enum": ["true"]},
}


@pages.get("/api/openapi.json", needs=Permission.SITE_ANY_READ)
def openapi() -> Response:
    """The document."""
    return jsonify(_document())


@pages.get("/api/docs", needs=Permission.SITE_ANY_READ)
def browse() -> Answer:
    """The document as a page."""
    return render_template("api/docs.html", document=_document(), codes=TITLES)


def _document() -> dict[str, Any]:
    return cast("dict[str, Any]", cast("APIFlask", current_app).spec)


def complete(spec: Any) -> Any:
    """Put in what the library cannot know: problem documents, the key of repetition, what every operation answers."""
    schemas = spec.setdefault("components", {}).setdefault("schemas", {})
    schemas.pop("HTTPError", None)
    schemas.pop("ValidationError", None)
    schemas["Problem"] = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas.update(schemas["Problem"].pop("$defs", {}))
    for path in spec["paths"].values():
        for method, operation in path.items():
            _complete_operation(method, operation)
    _link(spec["paths"])
    schemas["DayOfALife"] = {"type": "string", "format": "date", "pattern": DAY_OF_A_LIFE}
    schemas["IntakeIn"]["properties"]["answers"] = answers_schema()
    today, offered = _today(), read_menu()
    schemas["ClientIn"]["properties"]["born_on"]["pattern"] = birth_days(today, LONGEST_LIFE)
    menu.describe(spec, offered)
    examples.put_in(spec, offered, today, _zone())
    return spec


def _link(paths: dict[str, Any]) -> None:
    """Say where the `id` goes that something new is answered with."""
    for path, operations in paths.items():
        made = operations.get("post", {}).get("responses", {})
        for under, others in paths.items():
            ids = [
                one["name"] for other in others.values() for one in other["parameters"] if one["in"] == "path"
            ]
            if "{" in path or not under.startswith(f"{path}/{{"):
                continue
            for other in others.values():
                link = {"operationId": other["operationId"], "parameters": {ids[0]: "$response.body#/id"}}
                for status in ("201", "202"):
                    if status in made:
                        made[status].setdefault("links", {})[other["operationId"]] = link


def _today() -> dt.date:
    return local_day(clock.now(), _zone())


def _zone() -> ZoneInfo:
    facts = premises.clinic_facts()
    return ZoneInfo(facts.zone if facts else "UTC")


def _complete_operation(method: str, operation: dict[str, Any]) -> None:
    answers = operation["responses"]
    success = next(answer for status, answer in answers.items() if status.startswith("2"))
    for status in [one for one in answers if not one.startswith("2")]:
        del answers[status]
    for status in answers:
        answers[status].setdefault("content", success["content"])
    for status, meaning in ERRORS.items():
        answers[status] = {
            "description": meaning,
            "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
    for one in operation.get("parameters", []):
        if one["schema"].get("type") == "array":
            one.update(style="form", explode=False)
        if one["in"] == "path":
            one["schema"]["minimum"] = 1
    if method == "post":
        _complete_post(operation)


def _complete_post(operation: dict[str, Any]) -> None:
    """What is done once under a key, and how its repetition is told."""
    for status, answer in operation["responses"].items():
        if status.startswith("2"):
            answer["headers"] = {"Idempotency-Replayed": REPLAYED}
    if "requestBody" in operation:
        operation["requestBody"]["required"] = True
    operation.setdefault("parameters", []).append(
        {
            "in": "header",
            "name": "Idempotency-Key",
            "required": False,
            "description": "The same request under the same key is done once and answered the same. Where it was broken"
            " off, `not_known` may be the answer: look up whether it was done.",
            "schema": {"type": "string", "pattern": KEY},
        }
    )
