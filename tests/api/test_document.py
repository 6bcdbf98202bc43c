"""What the document allows is taken, what it does not is refused, and every answer is one that it describes."""

from __future__ import annotations

import contextvars
from typing import Any

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, given, seed, settings
from schemathesis import GenerationMode

from tests.api.conftest import Program

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
