"""Series through the API: planned, booked whole or not at all, listed and cancelled."""

from __future__ import annotations

from typing import Any

from sqlalchemy import update

from clinic.booking.models import Claim, Series, Visit
from clinic.premises.models import Clinic
from clinic.shared.database import transaction
from tests.api.conftest import Program
from tests.api.test_visits import BLOCKED, count, wish
from tests.booking import world
from tests.booking.test_from_day import OPERATED
from tests.booking.world import healthy


def order(client: int, **more: Any) -> dict[str, Any]:
    return {"client": client, "service": "relaxation", "minutes": 60, "every_weeks": 2, **more}


def planned(desk: Program, client: int, **more: Any) -> list[dict[str, Any]]:
    answer = desk.post(
        "/series/plan", order(client, starts_at=world.at(3).isoformat(), **{"count": 4, **more})
    )
    assert answer.status_code == 200, answer.get_json()
    assert answer.get_json()["zone"] == world.ZONE
    return list(answer.get_json()["starts"])


def starts(*days: int) -> list[dict[str, Any]]:
    return [{"starts_at": world.at(one).isoformat()} for one in days]


def test_planned_booked_read_and_cancelled(desk: Program, clinic: world.World) -> None:
    client, ana = healthy(), clinic.therapists[0]
    taken = {"client": healthy(), "service": "relaxation", "minutes": 60, "therapist": ana}
    assert desk.post("/visits", {**taken, "starts_at": world.at(17).isoformat()}).status_code == 201
    found = planned(desk, client, therapist=ana)
    assert [(one["fits"], one["code"]) for one in found] == [
        (True, None), (False, "slot_taken"), (True, None), (True, None)
    ]  # fmt: skip
    assert found[0]["starts_at"] == "2026-06-12T10:00:00-04:00"
    assert found[1]["alternatives"][0] == {"starts_at": "2026-06-26T08:45:00-04:00", "therapist": ana}
    assert count(Visit) == 1
    chosen = [found[0], found[1]["alternatives"][0], found[3]]
    body = order(client, therapist=ana, starts=[{"starts_at": one["starts_at"]} for one in chosen])
    booked = desk.post("/series", body, Idempotency_Key="s1")
    assert booked.status_code == 201, booked.get_json()
    made = booked.get_json()
    assert [(one["starts_at"], one["status"], one["therapist"]) for one in made["visits"]] == [
        (one["starts_at"], "confirmed", ana) for one in chosen
    ]
    assert desk.post("/series", body, Idempotency_Key="s1").get_json() == made
    assert (count(Series), count(Visit)) == (1, 4)
    assert desk.get(f"/series/{made['id']}").get_json() == made
    over = desk.post(f"/series/{made['id']}/cancel", {"by_clinic": True}).get_json()
    assert [one["status"] for one in over["visits"]] == ["cancelled"] * 3
    assert count(Claim) == 3


def test_none_is_booked_when_one_went_and_the_plan_comes_afresh(desk: Program, clinic: world.World) -> None:
    client = healthy()
    for therapist in clinic.therapists:
        answer = desk.post(
            "/visits", order(healthy(), therapist=therapist, **starts(17)[0], every_weeks=None)
            | {"every_weeks": 1}
        )  # fmt: skip
        assert answer.status_code == 422  # what is not named in the shape is refused
        wish = {"client": healthy(), "service": "relaxation", "minutes": 60, "therapist": therapist}
        assert desk.post("/visits", wish | starts(17)[0]).status_code == 201
    answer = desk.post("/series", order(client, starts=starts(3, 17, 31)))
    body = answer.get_json()
    assert (answer.status_code, answer.content_type, body["code"]) == (
        409, "application/problem+json", "slot_taken"
    )  # fmt: skip
    assert [one["fits"] for one in body["plan"]] == [True, False, True]
    assert body["plan"][1]["alternatives"][0]["therapist"] is None
    assert (count(Series), world.statuses(client)) == (0, [])


def test_waiting_refused_and_wrong_requests(desk: Program) -> None:
    waits = world.person()
    world.sign_answers(waits, OPERATED)
    answer = desk.post("/series", order(waits, starts=starts(3, 17)))
    assert answer.status_code == 202
    assert [one["waiting_for"] for one in answer.get_json()["visits"]] == ["clearance", None]
    blocked = world.person()
    world.sign_answers(blocked, BLOCKED)
    deep = {"service": "deep_tissue", "starts": starts(3, 17)}
    refused = desk.post("/series", order(blocked, **deep))
    assert (refused.status_code, refused.get_json()["code"]) == (409, "screening_refuses")
    assert [one["outcome"] for one in refused.get_json()["refused"]] == ["refuse", "refuse"]
    assert "bleed" not in refused.get_data(as_text=True).casefold()
    client, first = healthy(), {"starts_at": world.at(3).isoformat()}
    for path, body, status in (
        ("/series/plan", order(client, **first), 409),
        ("/series/plan", order(client, **first, count=2, until="2026-07-01"), 409),
        ("/series/plan", order(client, **first, count=27), 422),
        ("/series/plan", order(client, **first, until="2026-06-13"), 409),
        ("/series/plan", order(client, starts_at="2026-06-12T10:00:30-04:00", count=2), 409),
        ("/series/plan", order(client, **first, count=2) | {"every_weeks": 0}, 422),
        ("/series/plan", order(client, **first, count=2) | {"service": "nothing"}, 422),
        ("/series", order(client, starts=[]), 422),
        ("/series", order(client, starts=starts(3, 3)), 409),
        ("/series", order(client, starts=starts(3) * 27), 422),
        ("/series", order(client, starts=[{"starts_at": "2026-06-12T10:00:30-04:00"}]), 409),
        ("/series", order(client, starts=starts(3)) | {"minutes": 55}, 422),
    ):
        wrong = desk.post(path, body)
        code = {409: "not_allowed", 422: "invalid"}[status]
        assert (wrong.status_code, wrong.get_json()["code"]) == (status, code), body
    assert desk.post("/series", order(987_654, starts=starts(3))).status_code == 404
    assert desk.post("/series/987654/cancel", {}).status_code == 404
    assert desk.get("/series/987654").get_json()["code"] == "not_found"
    off = world.at(3, 10, 5).isoformat()  # between two starts
    between = desk.post("/series", order(client, starts=[{"starts_at": off}]))
    assert (between.status_code, between.get_json()["code"]) == (409, "slot_taken")
    assert [one["code"] for one in between.get_json()["plan"]] == ["slot_taken"]
    assert between.get_json()["plan"][0]["alternatives"], "the nearest that fit"
    far = desk.post("/series", order(client, starts=starts(61, 75)))
    assert (far.status_code, far.get_json()["code"]) == (409, "too_late")
    assert far.get_json()["plan"][0]["code"] == "too_late"
    assert world.statuses(client) == []


def test_a_series_too_near_or_too_far_for_somebody_new_is_outside_of_what_they_may_book(
    desk: Program, clinic: world.World
) -> None:
    """As one visit is: not a time that is taken, which another one might be instead."""
    new, known = healthy(), healthy()
    assert desk.post("/visits", {**wish(known), "starts_at": world.at(1).isoformat()}).status_code == 201
    with transaction() as session:
        session.execute(update(Visit).values(status="done"))
        session.execute(update(Clinic).values(new_lead_time_minutes=4 * 1440, new_horizon_days=10))
    for days in ((3, 17), (12, 26)):
        one = desk.post("/visits", wish(new) | {"starts_at": world.at(days[0]).isoformat()})
        refused = desk.post("/series", order(new, starts=starts(*days)))
        for answer in (one, refused):
            assert (answer.status_code, answer.get_json()["code"]) == (409, "too_late"), days
        assert refused.get_json()["plan"][0]["code"] == "too_late"
        assert desk.post("/series", order(known, starts=starts(*days))).status_code == 201
    # Those after the first follow it, however far.
    assert desk.post("/series", order(new, starts=starts(6, 20))).status_code == 201
