"""A clinic with several places: each has its zone, hours and rooms, and a therapist is in one of them at a time."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import select

from clinic.booking.models import Visit
from clinic.premises.models import Clinic, Location
from clinic.shared.database import db, transaction
from clinic.therapists.models import Therapist
from tests import factories
from tests.api.conftest import Program
from tests.booking import world
from tests.booking.world import healthy

EAST, WEST = "America/New_York", "America/Los_Angeles"


@dataclass(frozen=True)
class Chain:
    """The place of tests/booking/world.py in New York, and a smaller one in Los Angeles where only the first
    therapist works too, from 8:00 to 20:00 there as well."""

    west: int
    west_room: int
    therapist: int
    another: int


@pytest.fixture
def chain(clinic: world.World) -> Chain:
    place = factories.make_location(zone=WEST, name="West", opens="08:00", closes="20:00")
    room = factories.make_room(place, name="West 1")
    both = db.session.get_one(Therapist, clinic.therapists[0])
    factories.make_hours(both, place, starts="08:00", ends="20:00", weekdays=range(7))
    return Chain(place.id, room.id, clinic.therapists[0], clinic.therapists[1])


def wish(starts_at: str, **more: Any) -> dict[str, Any]:
    return {"client": healthy(), "service": "swedish", "minutes": 60, "starts_at": starts_at, **more}


def offered(desk: Program, **more: Any) -> list[dict[str, Any]]:
    answer = desk.get("/availability", service="swedish", minutes=60, **{"from": "2026-06-12"}, **more)
    assert answer.status_code == 200, answer.get_json()
    return list(answer.get_json()["starts"])


def test_places_are_listed_first_one_first(desk: Program, chain: Chain) -> None:
    items = desk.get("/locations").get_json()["items"]
    assert [(one["name"], one["zone"]) for one in items] == [("Main Street", EAST), ("West", WEST)]


def test_times_of_a_place_are_its_own(desk: Program, chain: Chain) -> None:
    here, there = offered(desk), offered(desk, location=chain.west)
    assert (here[0]["starts_at"], len(here[0]["therapists"])) == ("2026-06-12T08:00:00-04:00", 3)
    assert there[0] == {"starts_at": "2026-06-12T08:00:00-07:00", "therapists": [chain.therapist]}
    assert offered(desk, location=chain.west, therapist=chain.another) == []


def test_a_visit_takes_a_room_of_its_place_and_keeps_its_wall_time(desk: Program, chain: Chain) -> None:
    answer = desk.post("/visits", wish("2026-06-12T10:00:00-07:00", location=chain.west)).get_json()
    assert (answer["status"], answer["location"], answer["room"]) == (
        "confirmed",
        chain.west,
        chain.west_room,
    )
    assert (answer["starts_at"], answer["therapist"]) == ("2026-06-12T10:00:00-07:00", chain.therapist)
    db.session.rollback()
    row = db.session.get_one(Visit, answer["id"])
    assert (row.zone, row.local_time, row.day) == (WEST, dt.time(10), dt.date(2026, 6, 12))
    day = {"day": "2026-06-12"}
    assert [one["id"] for one in desk.get("/visits", **day, location=chain.west).get_json()["items"]] == [
        row.id
    ]
    assert desk.get("/visits", **day, location=chain.west + 1000).get_json()["total"] == 0
    assert desk.get("/visits", **day).get_json()["total"] == 1


def test_nobody_is_in_two_places_at_one_moment(desk: Program, chain: Chain) -> None:
    """13:00 in New York is 10:00 in Los Angeles."""
    first = desk.post("/visits", wish("2026-06-12T13:00:00-04:00", therapist=chain.therapist))
    assert first.status_code == 201
    free = {one["starts_at"] for one in offered(desk, location=chain.west)}
    assert "2026-06-12T10:00:00-07:00" not in free
    second = desk.post("/visits", wish("2026-06-12T10:00:00-07:00", location=chain.west))
    assert (second.status_code, second.get_json()["code"]) == (409, "slot_taken")
    assert db.session.query(Visit).count() == 1


def test_a_hold_at_a_place_is_booked_there(desk: Program, chain: Chain) -> None:
    asked = wish("2026-06-12T10:00:00-07:00", location=chain.west)
    client = asked.pop("client")
    held = desk.post("/holds", asked).get_json()
    assert (held["location"], held["starts_at"]) == (chain.west, "2026-06-12T10:00:00-07:00")
    booked = desk.post("/visits", {**asked, "client": client, "hold": held["id"]}).get_json()
    assert (booked["status"], booked["location"]) == ("confirmed", chain.west)
    assert desk.post(f"/holds/{held['id']}/renew", {}).status_code == 409  # it is given up


def test_a_place_that_is_not_used_is_not_there(desk: Program, chain: Chain) -> None:
    with transaction() as session:
        session.get_one(Location, chain.west).is_active = False
    for place in (chain.west, chain.west + 1000):
        asked = {"service": "swedish", "minutes": 60, "from": "2026-06-12", "location": place}
        assert desk.get("/availability", **asked).get_json()["code"] == "not_found"
        assert desk.post("/visits", wish("2026-06-12T10:00:00-07:00", location=place)).status_code == 404
    assert len(desk.get("/locations").get_json()["items"]) == 1


def test_a_therapist_needs_time_from_one_place_to_another(desk: Program, chain: Chain) -> None:
    """A visit in New York from 16:00 to 17:00, and its turnover, is one in Los Angeles from 13:00 to 14:00."""
    visit = desk.post("/visits", wish("2026-06-12T16:00:00-04:00", therapist=chain.therapist)).get_json()
    with transaction() as session:
        ends_at = session.get_one(Visit, visit["id"]).free_at
        session.scalars(select(Clinic)).one().travel_minutes = 60
    free = [dt.datetime.fromisoformat(one["starts_at"]) for one in offered(desk, location=chain.west)]
    before = max(one for one in free if one < ends_at)
    after = min(one for one in free if one >= ends_at)
    turnover = ends_at - dt.datetime.fromisoformat(visit["ends_at"])
    visit_and_way = dt.timedelta(minutes=60 + 60) + turnover
    assert before + visit_and_way <= dt.datetime.fromisoformat(visit["starts_at"])
    assert ends_at + dt.timedelta(minutes=60) <= after < ends_at + dt.timedelta(minutes=75)
    too_near = (after - dt.timedelta(minutes=15)).isoformat()
    refused = desk.post("/visits", wish(too_near, location=chain.west))
    assert (refused.status_code, refused.get_json()["code"]) == (409, "slot_taken")
    assert desk.post("/visits", wish(after.isoformat(), location=chain.west)).status_code == 201
    here = {one["starts_at"]: one["therapists"] for one in offered(desk)}
    assert (
        chain.therapist in here["2026-06-12T09:00:00-04:00"]
    )  # visits at one place need no way between them


def test_services_and_therapists_say_where_they_are_to_be_had(desk: Program, chain: Chain) -> None:
    """The smaller place has one room and no device, and only the first therapist works there."""
    here = desk.get("/locations").get_json()["items"][0]["id"]
    people = {one["id"]: one["locations"] for one in desk.get("/therapists").get_json()["items"]}
    assert (people[chain.therapist], people[chain.another]) == ([here, chain.west], [here])
    given = {one["key"]: one["locations"] for one in desk.get("/services").get_json()["items"]}
    assert given["swedish"] == [here, chain.west]
    assert given["decompression_vacuum"] == [here]
    there = desk.get("/services", location=chain.west).get_json()
    assert {one["key"] for one in there["items"]} == {
        key for key, places in given.items() if len(places) == 2
    }
    assert there["total"] == len(there["items"])
    team = desk.get("/therapists", location=chain.west).get_json()["items"]
    assert [one["id"] for one in team] == [chain.therapist]
    for path in ("/services", "/therapists"):
        assert desk.get(path, location=chain.west + 1000).get_json()["code"] == "not_found"
