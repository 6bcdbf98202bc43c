"""Two people through the API: free times, booked, moved and cancelled together."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select, update

from clinic.booking.models import Claim, Couple, RestPass, Visit
from clinic.premises.models import Clinic, Location
from clinic.shared.database import db, transaction
from tests import factories
from tests.api.conftest import Program
from tests.api.test_visits import BLOCKED, count
from tests.booking import world
from tests.booking.world import healthy


def person(client: int, service: str = "relaxation", **more: Any) -> dict[str, Any]:
    return {"client": client, "service": service, "minutes": 60, **more}


def order(*people: dict[str, Any], days: int = 3, hour: int = 10) -> dict[str, Any]:
    return {"people": list(people), "starts_at": world.at(days, hour).isoformat()}


def room_for_two(clinic: world.World) -> int:
    return factories.make_room(db.session.get_one(Location, clinic.place_id), name="For two", tables=2).id


@pytest.mark.parametrize("is_known", [True, False])
def test_a_place_that_is_not_there_or_not_used_is_not_found(
    desk: Program, clinic: world.World, is_known: bool
) -> None:
    place = (
        factories.make_location(zone="America/New_York", is_active=False).id if is_known else 2_147_483_647
    )
    ask = {"people": [person(healthy()), person(healthy())], "from": "2026-06-12", "location": place}
    answer = desk.post("/couples/times", ask)
    assert (answer.status_code, answer.get_json()["code"]) == (404, "not_found")


def test_what_is_offered_is_booked_moved_and_cancelled(desk: Program, clinic: world.World) -> None:
    one, other = person(healthy()), person(healthy(), "swedish")
    ask = {"people": [one, other], "from": "2026-06-12", "days": 2}
    assert desk.post("/couples/times", ask).get_json() == {"zone": world.ZONE, "starts": []}
    assert desk.post("/couples", order(one, other)).get_json()["code"] == "slot_taken"
    room = room_for_two(clinic)
    starts = desk.post("/couples/times", ask).get_json()["starts"]
    assert (starts[0]["starts_at"], starts[0]["therapists"]) == (
        "2026-06-12T08:00:00-04:00", list(clinic.therapists)
    )  # fmt: skip
    body = {"people": [one, other], "starts_at": starts[0]["starts_at"]}
    booked = desk.post("/couples", body, Idempotency_Key="c1")
    assert booked.status_code == 201, booked.get_json()
    made = booked.get_json()
    assert [(visit["status"], visit["room"]) for visit in made["visits"]] == [("confirmed", room)] * 2
    assert [visit["client"] for visit in made["visits"]] == [one["client"], other["client"]]
    assert desk.post("/couples", body, Idempotency_Key="c1").get_json() == made
    assert (count(Couple), count(Visit), count(Claim)) == (1, 2, 5)
    first = made["visits"][0]
    alone = desk.post(f"/visits/{first['id']}/move", {"starts_at": world.at(4).isoformat()})
    assert (alone.status_code, alone.get_json()["code"]) == (409, "not_allowed")
    moved = desk.post(f"/couples/{made['id']}/move", {"starts_at": world.at(4).isoformat()})
    assert moved.status_code == 200, moved.get_json()
    assert {visit["starts_at"] for visit in moved.get_json()["visits"]} == {"2026-06-13T10:00:00-04:00"}
    assert desk.get(f"/couples/{made['id']}").get_json() == moved.get_json()
    over = desk.post(f"/couples/{made['id']}/cancel", {"by_clinic": True}).get_json()
    assert [visit["status"] for visit in over["visits"]] == ["cancelled", "cancelled"]
    assert (over["ended_at"] is not None, count(Claim)) == (True, 0)


def test_waiting_refused_and_wrong_requests(desk: Program, clinic: world.World) -> None:
    room_for_two(clinic)
    waits, ill = world.person(), world.person()
    world.sign_answers(ill, BLOCKED)
    answer = desk.post("/couples", order(person(waits), person(healthy())))
    assert answer.status_code == 202
    assert [visit["waiting_for"] for visit in answer.get_json()["visits"]] == ["intake", "partner"]
    well = healthy()
    ask = {"people": [person(well), person(ill, "deep_tissue")], "from": "2026-06-12", "days": 5}
    assert desk.post("/couples/times", ask).get_json()["starts"] == []  # nothing that would be refused
    refused = desk.post("/couples", order(person(well), person(ill, "deep_tissue"), days=5))
    body = refused.get_json()
    assert (refused.status_code, body["code"]) == (409, "screening_refuses")
    assert [(one["client"], one["outcome"]) for one in body["people"]] == [(well, "allow"), (ill, "refuse")]
    assert "bleed" not in refused.get_data(as_text=True).casefold()
    ask = {"people": [person(waits), person(well)], "from": "2026-06-12", "days": 5}
    assert desk.post("/couples/times", ask).get_json()["starts"] == []  # one of them waits already
    again = desk.post("/couples", order(person(waits), person(well), days=6))
    assert (again.status_code, again.get_json()["code"]) == (409, "not_allowed")  # one waits at a time
    ana: dict[str, Any] = {"therapist": clinic.therapists[0]}
    for wrong, status in (
        (order(person(well)), 422),
        (order(person(well), person(well)), 409),
        (order(person(well), person(healthy()), person(healthy())), 422),
        (order(person(well, **ana), person(healthy(), **ana)), 409),
        (order(person(well), person(healthy(), service="nothing")), 422),
    ):
        found = desk.post("/couples", wrong)
        code = {409: "not_allowed", 422: "invalid"}[status]
        assert (found.status_code, found.get_json()["code"]) == (status, code), wrong
    assert found.get_json()["errors"] == [{"field": "people.1.service", "message": "is not on offer"}]
    same = desk.post("/couples", order(person(well), person(well))).get_json()
    assert [one["field"] for one in same["errors"]] == ["people"], "as the document calls it"
    assert desk.post("/couples", order(person(well), person(987_654))).status_code == 404
    assert desk.get("/couples/987654").status_code == 404
    for path, sent in (("move", {"starts_at": world.at(4).isoformat()}), ("cancel", {})):
        assert desk.post(f"/couples/987654/{path}", sent).status_code == 404
    assert desk.post("/couples", order(person(well), person(healthy()), days=61)).status_code == 409
    assert (count(Couple), count(Visit)) == (1, 2)


def test_too_little_rest_is_passed_with_a_reason_only(desk: Program, clinic: world.World) -> None:
    """For two, moved, swapped and in a series: the reason is kept, sealed; without one it is refused."""
    with transaction() as session:
        session.execute(update(Clinic).values(minds_rest=True))
    room_for_two(clinic)
    tired, other = healthy(), healthy()
    two = [person(one, "deep_tissue", areas=["full_body"]) for one in (tired, other)]
    single = {**two[0], "starts_at": world.at(2).isoformat()}
    assert desk.post("/visits", single).status_code == 201
    why = {"rest_reason": "Agreed with the therapist"}
    for bad in ("", "x", 7, "     "):
        assert desk.post("/couples", {**order(*two), "rest_reason": bad}).status_code == 422
    assert desk.post("/couples", order(*two)).get_json()["code"] == "slot_taken"
    made = desk.post("/couples", {**order(*two), **why})
    assert made.status_code == 201, made.get_json()
    move = {"starts_at": world.at(3, 14).isoformat()}
    where = f"/couples/{made.get_json()['id']}/move"
    assert desk.post(where, move).status_code == 409
    assert desk.post(where, {**move, **why}).status_code == 200
    far = desk.post("/visits", {**two[0], "starts_at": world.at(30).isoformat()}).get_json()["id"]
    near = desk.post("/visits", {**person(healthy()), "starts_at": world.at(4).isoformat()}).get_json()["id"]
    swap = {"first": far, "second": near}
    assert desk.post("/visits/swap", swap).status_code == 409
    assert desk.post("/visits/swap", {**swap, **why}).status_code == 200
    series = {**two[1], "every_weeks": 1,
              "starts": [{"starts_at": world.at(days).isoformat()} for days in (20, 22)]}  # fmt: skip
    assert desk.post("/series", series).status_code == 409
    assert desk.post("/series", {**series, **why}).status_code == 201
    db.session.rollback()
    kept = db.session.scalars(select(RestPass)).all()
    assert {one.reason for one in kept} == {"Agreed with the therapist"}
    assert len(kept) == 4
