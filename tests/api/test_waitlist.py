"""The waitlist through the API: put on it, offered, answered, taken off; and who may."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import time_machine
from sqlalchemy import select

from clinic.booking.models import Visit
from clinic.booking.services import in_line
from clinic.rules.waitlist import ASKED_AGAIN_AFTER
from clinic.shared.database import db
from tests.api.conftest import Program
from tests.booking import world
from tests.booking.world import healthy
from tests.conftest import NOW

DAY = "2026-06-12"


def wish(client: int, **more: Any) -> dict[str, Any]:
    return {"client": client, "service": "swedish", "minutes": 60, "first_day": DAY, "last_day": DAY, **more}


def test_a_wish_is_offered_accepted_and_booked(desk: Program) -> None:
    client = healthy()
    made = desk.post("/waitlist", wish(client, parts=["afternoon"]), Idempotency_Key="k")
    assert made.status_code == 201, made.get_json()
    body = made.get_json()
    assert (body["status"], body["offer"], body["weekdays"]) == ("waiting", None, list(range(7)))
    assert desk.post("/waitlist", wish(client, parts=["afternoon"]), Idempotency_Key="k").get_json() == body
    assert desk.post("/waitlist", wish(client, parts=["afternoon"])).get_json()["id"] == body["id"]
    assert desk.post(f"/waitlist/{body['id']}/accept", {}).get_json()["code"] == "not_found"
    in_line.keep_line(NOW)
    offered = desk.get(f"/waitlist/{body['id']}").get_json()
    assert offered["status"] == "offered"
    assert (offered["offer"]["starts_at"], offered["offer"]["expires_at"]) == (
        "2026-06-12T12:00:00-04:00", "2026-06-09T10:00:00-04:00",
    )  # fmt: skip
    kept = db.session.scalars(select(Visit.id).where(Visit.status == "held")).one()
    for deed in ("renew", "release"):  # an offer is no hold of a program
        assert desk.post(f"/holds/{kept}/{deed}", {}).status_code == 404
    listed = desk.get("/waitlist", client=client).get_json()
    assert (listed["total"], listed["items"]) == (1, [offered])
    booked = desk.post(f"/waitlist/{body['id']}/accept", {})
    assert (booked.status_code, booked.get_json()["status"]) == (200, "confirmed")
    assert desk.post(f"/waitlist/{body['id']}/accept", {}).get_json()["id"] == booked.get_json()["id"]
    assert desk.get(f"/waitlist/{body['id']}").get_json()["status"] == "booked"
    assert desk.get("/waitlist").get_json()["total"] == 0
    assert world.statuses(client) == ["confirmed"]


def test_no_and_taken_off(desk: Program) -> None:
    client = healthy()
    one = desk.post("/waitlist", wish(client)).get_json()["id"]
    in_line.keep_line(NOW)
    first = desk.get(f"/waitlist/{one}").get_json()["offer"]
    assert desk.post(f"/waitlist/{one}/decline", {}).get_json()["offer"] is None, "the next one comes later"
    later = NOW + ASKED_AGAIN_AFTER
    in_line.keep_line(later)
    with time_machine.travel(later, tick=False):
        second = desk.get(f"/waitlist/{one}").get_json()["offer"]
    assert second["starts_at"] >= first["ends_at"]
    with time_machine.travel(later + dt.timedelta(hours=1), tick=False):
        answer = desk.post(f"/waitlist/{one}/accept", {})
    assert (answer.status_code, answer.get_json()["code"]) == (409, "slot_taken")
    for _ in range(2):
        answer = desk.delete(f"/waitlist/{one}")
        assert (answer.status_code, answer.get_json()["status"]) == (200, "withdrawn")
    assert desk.delete("/waitlist/9999").status_code == 404


def test_what_cannot_be_wished_is_refused_at_its_field(desk: Program, clinic: world.World) -> None:
    client = healthy()
    cases: dict[str, dict[str, Any]] = {
        "last_day": {"last_day": "2026-06-11"},
        "weekdays": {"weekdays": [0]},
        "service": {"service": "no-such-thing"},
    }
    for field, change in cases.items():
        answer = desk.post("/waitlist", wish(client, **change))
        said = answer.get_json()["errors"][0]["field"]
        assert (answer.status_code, said) == (422 if field == "service" else 409, field)
    for change in (
        {"parts": []},
        {"parts": ["night"]},
        {"weekdays": [7]},
        {"notice_hours": "2"},
        {"more": 1},
    ):
        assert desk.post("/waitlist", wish(client, **change)).status_code == 422
    for nobody in (wish(999_999), wish(client, therapist=9999)):
        answer = desk.post("/waitlist", nobody)
        assert (answer.status_code, answer.get_json()["code"]) == (404, "not_found")
    for days in range(1, 6):
        assert desk.post("/waitlist", wish(client, notice_hours=days)).status_code == 201
    assert desk.post("/waitlist", wish(client)).get_json()["errors"][0]["field"] == "client"


def test_scopes(program: Callable[..., Program], desk: Program) -> None:
    one = desk.post("/waitlist", wish(healthy())).get_json()["id"]
    reads, other = program("desk", "waitlist:read"), program("desk", "visits:write")
    assert reads.get(f"/waitlist/{one}").status_code == 200
    assert reads.delete(f"/waitlist/{one}").status_code == 403
    assert reads.post(f"/waitlist/{one}/decline", {}).status_code == 403
    assert other.get("/waitlist").status_code == 403
    assert program("site").get("/waitlist").status_code == 403
