"""What the document allows is taken, what it does not is refused, and every answer is one that it describes."""

from __future__ import annotations

import contextvars
from typing import Any

import jsonschema_rs
import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, given, seed, settings
from schemathesis import GenerationMode

from tests.api.conftest import Program
from tests.booking import world

EXAMPLES = 2
ADDRESS = "/api/openapi.json"


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["fit", "unfit"])
def test_every_operation_answers_as_the_document_says(
    app: Flask, desk: Program, mode: GenerationMode
) -> None:
    app.config["PROPAGATE_EXCEPTIONS"] = False  # a failure is to be answered, as in real life
    headers = {"Authorization": f"Bearer {desk.key}"}
    described = schemathesis.openapi.from_dict(app.test_client().get(ADDRESS).get_json())
    described.app = app
    asked = 0

    def ask(case: Any) -> None:
        nonlocal asked
        asked += 1
        contextvars.Context().run(case.call_and_validate, base_url="http://localhost", headers=headers)

    for found in described.get_all_operations():
        operation = found.ok()  # type: ignore[union-attr]  # an operation that cannot be read fails the test here
        strategy = operation.as_strategy(generation_mode=mode)
        quick = settings(
            max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck)
        )
        seed(7)(quick(given(strategy)(ask)))()
    assert asked > sum(1 for endpoint in app.view_functions if endpoint.startswith("api."))


def test_every_example_fits_what_the_document_says_and_is_taken(app: Flask, desk: Program) -> None:
    document = app.test_client().get(ADDRESS).get_json()
    asked: list[str] = []
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            asked += check_examples(document, operation, f"{method} {path}")
    main = ("availability", "holds", "visits", "clients", "clients/{client_id}/intakes")
    assert asked == [f"{'get' if one == 'availability' else 'post'} /api/v1/{one}" for one in sorted(main)]
    query = {
        one["name"]: one["example"]
        for one in document["paths"]["/api/v1/availability"]["get"]["parameters"]
        if "example" in one
    }
    assert desk.get("/availability", **query).status_code == 200
    for name in main[1:]:
        body = document["paths"][f"/api/v1/{name}"]["post"]["requestBody"]["content"]["application/json"]
        answer = desk.post(f"/{name}".format(client_id=world.person()), body["example"])
        assert answer.status_code in ((404,) if name == "visits" else (201,)), (name, answer.get_json())


def test_examples_fit_where_the_clinic_has_nothing_on_offer_yet(app: Flask) -> None:
    document = app.test_client().get(ADDRESS).get_json()
    found = [
        check_examples(document, operation, path)
        for path, operations in document["paths"].items()
        for operation in operations.values()
    ]
    assert len([one for one in found if one]) == 5


def check_examples(document: dict[str, Any], operation: dict[str, Any], name: str) -> list[str]:
    """Every example of an operation by its schema; returns its name where it has both what is asked and answered."""
    given = [one for one in operation.get("parameters", []) if "example" in one]
    bodies = list(operation.get("requestBody", {"content": {}})["content"].values())
    answers = [one for answer in operation["responses"].values() for one in answer["content"].values()]
    for one in (*given, *bodies, *answers):
        if "example" in one:
            whole = {**one["schema"], "components": document["components"]}
            validator = jsonschema_rs.Draft202012Validator(whole, validate_formats=True)
            assert [error.message for error in validator.iter_errors(one["example"])] == [], name
    is_asked = given or any("example" in one for one in bodies)
    is_answered = any("example" in one for one in answers)
    assert bool(is_asked) == is_answered, name
    return [name] if is_answered else []


def test_descriptions_are_whole_sentences(app: Flask) -> None:
    document = app.test_client().get(ADDRESS).get_json()
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            for said in (operation["summary"], operation.get("description") or "."):
                assert said.endswith("."), (method, path, said)


@pytest.mark.parametrize(("language", "before"), [("en", "<p>"), ("de", '<p lang="en" dir="ltr">')])
def test_the_page_says_which_of_it_is_english_to_whoever_reads_another_language(
    app: Flask, clinic: world.World, language: str, before: str
) -> None:
    reader = app.test_client()
    answer = contextvars.Context().run(reader.get, "/api/docs", headers={"Accept-Language": language})
    page = answer.text
    assert f'<html lang="{language}"' in page
    assert f"{before}Free starts of a service, and who is free then.</p>" in page
    assert f"{before}The same function decides" in page
    assert ("<dd>The time is not free.</dd>" in page) == (language == "en")
