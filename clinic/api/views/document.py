"""The OpenAPI 3.1 document of the API, and a page to read it."""

from __future__ import annotations

from typing import Any, cast

from apiflask import APIFlask
from flask import current_app, jsonify, render_template
from werkzeug.wrappers import Response

from clinic.api.problems import TITLES
from clinic.api.shapes import Problem
from clinic.rules.permissions import Permission
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
    return spec


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
    if method == "post":
        if "requestBody" in operation:
            operation["requestBody"]["required"] = True
        operation.setdefault("parameters", []).append(
            {
                "in": "header",
                "name": "Idempotency-Key",
                "required": False,
                "description": "The same request under the same key is done once and answered the same.",
                "schema": {"type": "string", "minLength": 1, "maxLength": 200},
            }
        )
