"""Keys: which open what, how often, and what everybody else is told."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from clinic.api import doors
from clinic.api.models import ApiToken
from clinic.api.queries import kept_answer
from clinic.api.services import begin_answer, end_token, make_token
from clinic.rules.errors import InvalidInput
from clinic.shared.database import db
from clinic.worker import Job, do, tidy
from tests.api.conftest import Program
from tests.conftest import NOW

AVAILABILITY = {"service": "swedish", "minutes": 60, "from": "2026-06-12"}


def test_no_key_opens_nothing(client: FlaskClient, clinic: Any) -> None:
    for headers in ({}, {"Authorization": "Bearer nothing"}, {"Authorization": "Basic YTpi"}):
        answer = client.get("/api/v1/services", headers=headers)
        assert (answer.status_code, answer.get_json()["code"]) == (401, "unauthorized")
        assert answer.content_type == "application/problem+json"


def test_every_operation_asks_for_a_key_and_then_for_its_scope(
    app: Flask, client: FlaskClient, program: Callable[..., Program]
) -> None:
    site = program("site", "availability:read")
    document = client.get("/api/openapi.json").get_json()
    asked = 0
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            address = re.sub(r"{\w+}", "1", path)
            assert client.open(address, method=method, json={}).status_code == 401
            if operation["x-scope"] != "availability:read":
                headers = {"Authorization": f"Bearer {site.key}"}
                answer = client.open(address, method=method, json={}, headers=headers)
                assert (answer.status_code, answer.get_json()["code"]) == (403, "forbidden")
            asked += 1
    assert asked == sum(1 for endpoint in app.view_functions if endpoint.startswith("api."))


def test_keys_are_kept_as_hashes(desk: Program) -> None:
    row = db.session.scalars(select(ApiToken)).one()
    assert desk.key not in (row.token_hash, row.name)
    assert len(row.token_hash) == 64


def test_a_key_that_is_ended_or_too_old_opens_nothing(desk: Program, app: Flask) -> None:
    assert desk.get("/services").status_code == 200
    end_token(db.session.scalars(select(ApiToken.id)).one(), now=NOW)
    assert desk.get("/services").status_code == 401
    old = make_token("old", "desk", (), per_minute=0, expires_at=NOW, now=NOW)
    assert Program(app.test_client(), old).get("/services").status_code == 401


def test_scopes_bound_what_a_key_does(program: Callable[..., Program]) -> None:
    site = program("site", "availability:read")
    assert site.get("/availability", **AVAILABILITY).status_code == 200
    assert site.get("/availability", **AVAILABILITY, client=1).get_json()["code"] == "forbidden"
    assert site.get("/services").get_json()["code"] == "forbidden"
    assert site.post("/visits", {}).get_json()["code"] == "forbidden"


@pytest.mark.parametrize(
    ("role", "scopes"), [("owner", ()), ("site", ("visits:write",)), ("desk", ("everything",))]
)
def test_unknown_roles_and_scopes_are_refused(app: Flask, role: str, scopes: tuple[str, ...]) -> None:
    with pytest.raises(InvalidInput):
        make_token("tests", role, scopes, per_minute=0, now=NOW)


def test_too_many_requests_are_told_so(program: Callable[..., Program]) -> None:
    slow = program("desk", per_minute=2)
    assert [slow.get("/services").status_code for _ in range(3)] == [200, 200, 429]
    assert slow.get("/services").get_json()["code"] == "rate_limited"


def test_wrong_keys_are_told_so_until_they_are_noise(
    app: Flask, desk: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A program that checks the interface asks often without a key; one with a key is never refused for others'."""
    assert doors.TRIES_PER_MINUTE >= 6000
    monkeypatch.setattr(doors, "TRIES_PER_MINUTE", 3)
    wrong = Program(app.test_client(), "clinic_wrong")
    assert [wrong.get("/services").status_code for _ in range(2)] == [401, 401]
    assert [wrong.get("/services").status_code for _ in range(2)] == [401, 429]
    assert desk.get("/services").status_code == 200


@pytest.mark.parametrize(
    ("body", "kind", "status", "code"),
    [
        (b"{", "application/json", 400, "malformed"),
        (b"[" * 100_000, "application/json", 400, "malformed"),
        (rb'{"first_name": "\ud800"}', "application/json", 400, "malformed"),
        (rb'{"first_name": "a\u0000b", "last_name": "b"}', "application/json", 400, "malformed"),
        (b"[]", "application/json", 422, "invalid"),
        (b"null", "application/json", 422, "invalid"),
        (b"{}", "text/plain", 415, "unsupported_media_type"),
    ],
)
def test_bodies_that_are_not_json_are_refused(
    desk: Program, body: bytes, kind: str, status: int, code: str
) -> None:
    answer = desk.client.post(
        "/api/v1/clients", data=body, content_type=kind, headers={"Authorization": f"Bearer {desk.key}"}
    )
    assert (answer.status_code, answer.content_type) == (status, "application/problem+json")
    assert answer.get_json()["code"] == code


def test_addresses_that_are_not_there(desk: Program) -> None:
    assert desk.get("/nothing").get_json()["code"] == "not_found"
    assert desk.get("/visits/99999999999999").get_json()["code"] == "not_found"
    wrong = desk.client.delete("/api/v1/services", headers={"Authorization": f"Bearer {desk.key}"})
    assert (wrong.status_code, wrong.get_json()["code"]) == (405, "method_not_allowed")
    assert "GET" in wrong.headers["Allow"]


def test_the_document_names_every_operation(client: FlaskClient, clinic: Any) -> None:
    document = client.get("/api/openapi.json").get_json()
    assert document["openapi"].startswith("3.1")
    assert {"/api/v1/availability", "/api/v1/visits", "/api/v1/holds", "/api/v1/verdicts"} <= set(
        document["paths"]
    )
    page = client.get("/api/docs")
    assert page.status_code == 200
    assert "slot_taken" in page.get_data(as_text=True)
    assert "`" not in page.get_data(as_text=True)


def test_the_worker_forgets_kept_answers_after_two_days(desk: Program, app: Flask) -> None:
    who = db.session.scalars(select(ApiToken.id)).one()
    for key, days in (("old", 3), ("new", 1)):
        begin_answer(who, key, "x", now=NOW - dt.timedelta(days=days))
    do(app, Job(tidy, 60))
    db.session.rollback()
    assert [kept_answer(who, key) is None for key in ("old", "new")] == [True, False]
