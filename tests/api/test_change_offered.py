"""What is listed for a visit is what can be made of it, and who or what nobody knows is said to be unknown."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import update

from clinic.booking.models import Visit
from clinic.booking.services import people, time_off
from clinic.keeping.services import erasing, expiring
from clinic.premises.models import Clinic, Location
from clinic.rules.keeping import PERIODS
from clinic.shared.database import db, transaction
from clinic.therapists.models import Therapist
from tests import factories
from tests.api.conftest import Program
from tests.booking import world
from tests.conftest import NOW

DAY = {"from": "2026-06-13"}
AT_TEN = "2026-06-13T10:00:00-04:00"
SWEDISH = {"service": "swedish", "minutes": 60}


def booked(desk: Program, **more: Any) -> dict[str, Any]:
    client = world.person()
    world.sign(client)
    asked = {**SWEDISH, "client": client, "starts_at": world.at(3).isoformat(), **more}
    made = desk.post("/visits", asked)
    assert made.status_code == 201, made.get_json()
    visit: dict[str, Any] = made.get_json()
    return visit


def away(clinic: world.World, *people: int) -> None:
    """On the day after the visit."""
    for one in people:
        time_off.add_time_off(one, "off", world.at(4, 0), world.at(5, 0), "", by=clinic.desk_id, now=NOW)


@pytest.mark.parametrize(
    "wish", [SWEDISH, {**SWEDISH, "minutes": 90}, {"service": "relaxation", "minutes": 60}]
)
@pytest.mark.parametrize("is_named", [True, False])
def test_without_a_therapist_a_change_is_listed_with_whom_it_was(
    desk: Program, clinic: world.World, wish: dict[str, Any], is_named: bool
) -> None:
    visit = booked(desk, **({"therapist": clinic.therapists[0]} if is_named else {}))
    away(clinic, visit["therapist"])
    listed = desk.get("/availability", **wish, visit=visit["id"], **DAY).get_json()["starts"]
    assert bool(listed) is not is_named
    at = listed[0]["starts_at"] if listed else AT_TEN
    made = desk.post(f"/visits/{visit['id']}/change", {**wish, "starts_at": at})
    assert made.status_code == (409 if is_named else 200)


@pytest.mark.parametrize("who_is_away", ["man", "women"])
def test_another_gender_is_listed_with_those_of_that_gender(
    desk: Program, clinic: world.World, who_is_away: str
) -> None:
    man, *women = clinic.therapists
    with transaction() as session:
        for one in clinic.therapists:
            session.get_one(Therapist, one).gender = "man" if one == man else "woman"
    visit = booked(desk, therapist=man)
    away(clinic, *([man] if who_is_away == "man" else women))
    asked = {**SWEDISH, "gender": "woman"}
    listed = desk.get("/availability", **asked, visit=visit["id"], **DAY).get_json()["starts"]
    assert all(set(one["therapists"]) <= set(women) for one in listed)
    assert (AT_TEN in [one["starts_at"] for one in listed]) is (who_is_away == "man")
    made = desk.post(f"/visits/{visit['id']}/change", {**asked, "starts_at": AT_TEN})
    assert made.status_code == (200 if who_is_away == "man" else 409)
    if made.status_code == 200:
        assert db.session.get_one(Therapist, made.get_json()["therapist"]).gender == "woman"


@pytest.mark.parametrize("starts_at", ["2026-06-10T10:00:00-04:00", "2026-06-25T10:00:00-04:00"])
def test_the_rules_for_new_clients_are_told_as_those_for_everybody(desk: Program, starts_at: str) -> None:
    visit = booked(desk)
    with transaction() as session:
        session.execute(update(Clinic).values(new_lead_time_minutes=60 * 24 * 3, new_horizon_days=10))
    asked = {**SWEDISH, "client": visit["client"], "starts_at": starts_at}
    for path, body in (
        ("/visits", asked),
        (f"/visits/{visit['id']}/move", {"starts_at": starts_at}),
        (f"/visits/{visit['id']}/change", {**SWEDISH, "minutes": 90, "starts_at": starts_at}),
    ):
        refused = desk.post(path, body)
        assert (refused.status_code, refused.get_json()["code"]) == (409, "too_late"), path


def test_an_unknown_therapist_is_not_found(desk: Program, clinic: world.World) -> None:
    visit, nobody = booked(desk), 987_654
    asked = {**SWEDISH, "therapist": nobody}
    for path in ("/availability", "/availability/reasons"):
        assert desk.get(path, **asked, **DAY).get_json()["code"] == "not_found"
    for path, body in (
        ("/visits", {**asked, "client": visit["client"], "starts_at": AT_TEN}),
        ("/holds", {**asked, "starts_at": AT_TEN}),
        (f"/visits/{visit['id']}/move", {"therapist": nobody, "starts_at": AT_TEN}),
        (f"/visits/{visit['id']}/change", {**asked, "starts_at": AT_TEN}),
    ):
        refused = desk.post(path, body)
        assert (refused.status_code, refused.get_json()["code"]) == (404, "not_found"), path


def test_a_merged_record_is_the_one_that_it_became(desk: Program, clinic: world.World) -> None:
    factories.make_room(db.session.get_one(Location, clinic.place_id), name="For two", tables=2)
    keep, lose, other = (world.person() for _ in range(3))
    for one in (keep, lose, other):
        world.sign(one)
    visit = world.at_desk(clinic, keep, "relaxation", when=world.at(1)).visit_id
    people.merge_clients(keep, lose, by=clinic.desk_id, now=NOW)
    with transaction() as session:
        session.get_one(Visit, visit).status = "done"
        session.execute(update(Clinic).values(new_lead_time_minutes=60 * 24 * 9))

    def both(*whom: int) -> dict[str, Any]:
        return {"people": [{"client": one, "service": "relaxation", "minutes": 60} for one in whom]}

    for path, more in (("/couples/times", DAY), ("/couples", {"starts_at": AT_TEN})):
        refused = desk.post(path, {**both(keep, lose), **more})
        assert (refused.status_code, refused.get_json()["code"]) == (409, "not_allowed")
    at = world.at(10).isoformat()
    assert desk.post("/couples", {**both(lose, other), "starts_at": at}).status_code == 201
    wish = {
        "client": lose, "service": "relaxation", "minutes": 60, "first_day": "2026-06-12", "last_day": "2026-06-20",
    }  # fmt: skip
    assert desk.post("/waitlist", wish).status_code == 201
    assert [desk.get("/waitlist", client=one).get_json()["total"] for one in (keep, lose)] == [1, 1]


@pytest.mark.parametrize("law", [0, 5])
def test_no_verdict_is_given_of_who_was_erased(desk: Program, clinic: world.World, law: int) -> None:
    one = world.person()
    world.sign(one)
    visit = world.at_desk(clinic, one, "relaxation").visit_id
    with transaction() as session:
        session.get_one(Visit, visit).status = "done"
    amounts = {**{period.kind: period.usual for period in PERIODS}, "law": law}
    expiring.save_periods(amounts, by=clinic.desk_id, now=NOW)
    erasing.erase_person(one, settings=desk.client.application.config, by=None, now=NOW)
    asked = {"client": one, "service": "relaxation", "minutes": 60, "day": "2026-06-12"}
    assert desk.post("/verdicts", asked).status_code == 404


@pytest.mark.parametrize("is_second", [False, True])
def test_no_time_is_offered_to_who_was_erased(desk: Program, clinic: world.World, is_second: bool) -> None:
    """Each would be refused."""
    factories.make_room(db.session.get_one(Location, clinic.place_id), name="For two", tables=2)
    gone, other = world.person(), world.person()
    for one in (gone, other):
        world.sign(one)
    erasing.erase_person(gone, settings=desk.client.application.config, by=None, now=NOW)
    hers = {**SWEDISH, "client": gone}
    dates = {"every_weeks": 1, "count": 2, "starts_at": AT_TEN}
    two = [hers, {**SWEDISH, "client": other}]
    answers = [
        desk.get("/availability", **hers, **DAY),
        desk.get("/availability/reasons", **hers, **DAY),
        desk.post("/series/plan", {**hers, **dates}),
        desk.post("/couples/times", {"people": two[::-1] if is_second else two, **DAY}),
    ]
    assert [(one.status_code, one.get_json().get("code")) for one in answers] == [(404, "not_found")] * 4
