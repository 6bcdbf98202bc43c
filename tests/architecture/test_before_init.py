"""A database that is there and a clinic that is not: every door says so, none breaks."""

from __future__ import annotations

import datetime as dt

import pytest
from flask import Flask

from clinic.api.services import make_token
from clinic.rules.permissions import Role
from tests.architecture.doors import browser, doors
from tests.factories import make_user

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
SIGN_OUT = {"accounts.sign_out", "accounts.sign_in_again", "accounts.lock_screen"}
ORDER = {"service": "swedish", "minutes": 60, "starts_at": "2026-06-10T10:00:00+02:00"}


@pytest.fixture
def settings() -> dict[str, object]:
    """Errors are answered as in a real clinic, so that a broken page shows as one."""
    return {"PROPAGATE_EXCEPTIONS": False}


def test_no_page_breaks_before_there_is_a_clinic(app: Flask, now: dt.datetime) -> None:
    roles = [Role.CLIENT, Role.THERAPIST, Role.FRONT_DESK, Role.OWNER]
    visitor = browser(app, make_user(email="all@doors.example", roles=roles).id)
    found = {
        str(door): visitor.open(door.address, method=door.method)
        for door in doors(app)
        if door.endpoint not in SIGN_OUT
    }
    assert {door: answer for door, answer in found.items() if answer.status_code == 500} == {}
    shut = [answer for door, answer in found.items() if answer.status_code == 503 and "readyz" not in door]
    assert shut
    assert {"will be right back" in one.text and "Retry-After" in one.headers for one in shut} == {True}


def test_programs_are_told_that_there_is_no_clinic(app: Flask, now: dt.datetime) -> None:
    key = {"Authorization": f"Bearer {make_token('tests', 'desk', (), per_minute=0, now=now)}"}
    program = app.test_client()
    once = {**key, "Idempotency-Key": "the-same-one"}
    for answer in (
        program.get("/api/v1/services", headers=key),
        program.post("/api/v1/holds", json=ORDER, headers=key),
        program.post("/api/v1/holds", json=ORDER, headers=once),
    ):
        assert (answer.status_code, answer.mimetype) == (503, "application/problem+json")
        assert answer.get_json(force=True)["code"] == "not_open"
        assert answer.headers["Retry-After"] == "10"
    for path in ("/clients", "/locations", "/therapists", "/waitlist"):
        assert program.get(f"/api/v1{path}", headers=key).status_code == 200
