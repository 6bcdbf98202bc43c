"""A woman or a man is asked for through the API as on the pages: in times, holds, visits, moves, series, for two, and
on the waitlist."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from clinic.booking.models import Visit
from clinic.premises.models import Location
from clinic.shared.database import db, transaction
from clinic.therapists.models import Therapist
from tests import factories
from tests.api.conftest import Program
from tests.api.test_visits import wish
from tests.booking import world
from tests.booking.world import healthy

DAY = "2026-06-12"
GENDERS = ("woman", "man", "")


def whom(answer: Any) -> set[tuple[int, ...]]:
    """Who is free, at any of the starts."""
    assert answer.status_code == 200, answer.get_json()
    return {tuple(one["therapists"]) for one in answer.get_json()["starts"]}


def made(answer: Any, status: int = 201) -> dict[str, Any]:
    assert answer.status_code == status, answer.get_json()
    return dict(answer.get_json())


def in_the_book(visit: int) -> tuple[int, str, bool]:
    db.session.rollback()
    row = db.session.get_one(Visit, visit)
    return row.therapist_id, row.asked_gender, row.any_therapist


def test_a_gender_is_asked_for_and_kept(desk: Program, clinic: world.World) -> None:
    with transaction() as session:
        for one, gender in zip(clinic.therapists, GENDERS, strict=True):
            session.get_one(Therapist, one).gender = gender
    woman, man, _unsaid = clinic.therapists
    ask = {"service": "swedish", "minutes": 60, "from": DAY}
    assert whom(desk.get("/availability", **ask)) == {clinic.therapists}
    assert whom(desk.get("/availability", **ask, gender="")) == {clinic.therapists}
    assert whom(desk.get("/availability", **ask, gender="woman")) == {(woman,)}
    assert whom(desk.get("/availability", **ask, gender="woman", therapist=man)) == {(man,)}
    assert whom(desk.get("/availability", **ask, gender="nonbinary")) == set()
    reasons = desk.get("/availability/reasons", **ask, gender="nonbinary").get_json()["reasons"]
    assert [one["reason"] for one in reasons] == ["nobody"]

    # Held and booked with nobody else, and refused when she is taken.
    client = healthy()
    hold = made(desk.post("/holds", wish(client, gender="woman")))
    assert hold["therapist"] == woman
    assert desk.post("/visits", wish(healthy(), gender="woman")).get_json()["code"] == "slot_taken"
    visit = made(desk.post("/visits", wish(client, gender="woman", hold=hold["id"])))
    assert (visit["gender"], in_the_book(visit["id"])) == ("woman", (woman, "woman", True))
    named = made(desk.post("/visits", wish(healthy(), gender="woman", therapist=man)))
    assert (named["gender"], in_the_book(named["id"])) == ("", (man, "", False))

    # Moves go to another woman only; another treatment keeps the wish until it is said anew.
    second = factories.make_therapist(name="Wanda", gender="woman", skills=world.SKILLS)
    place = db.session.get_one(Location, clinic.place_id)
    factories.make_hours(second, place, starts="13:00", ends="20:00", weekdays=range(7))
    wanda, path = second.id, f"/visits/{visit['id']}"
    made(desk.post("/visits", wish(healthy(), when=world.at(3, 14), therapist=woman)))
    moved = made(desk.post(f"{path}/move", {"starts_at": world.at(3, 14).isoformat()}), 200)
    assert (moved["therapist"], moved["gender"]) == (wanda, "woman")
    longer = {"service": "swedish", "minutes": 90}
    assert made(desk.post(f"{path}/change", longer), 200)["gender"] == "woman"
    assert made(desk.post(f"{path}/change", {**longer, "gender": "man"}), 200)["therapist"] == man
    assert made(desk.post(f"{path}/change", {**longer, "gender": ""}), 200)["gender"] == ""


def test_series_two_people_and_the_waitlist_keep_it(desk: Program, clinic: world.World) -> None:
    with transaction() as session:
        for one, gender in zip(clinic.therapists, GENDERS, strict=True):
            session.get_one(Therapist, one).gender = gender
    woman, man, _unsaid = clinic.therapists
    plain = {"service": "relaxation", "minutes": 60}
    first = {"client": healthy(), "every_weeks": 2, "gender": "man", **plain}
    plan = made(desk.post("/series/plan", {**first, "starts_at": world.at(3).isoformat(), "count": 2}), 200)
    assert [one["therapists"] for one in plan["starts"]] == [[man], [man]]
    starts = [{"starts_at": one["starts_at"]} for one in plan["starts"]]
    series = made(desk.post("/series", {**first, "starts": starts}))
    assert {in_the_book(one["id"]) for one in series["visits"]} == {(man, "man", True)}

    factories.make_room(db.session.get_one(Location, clinic.place_id), name="For two", tables=2)
    people = [{"client": healthy(), "gender": gender, **plain} for gender in ("man", "woman")]
    times = desk.post("/couples/times", {"people": people, "from": DAY})
    assert whom(times) == {(woman, man)}
    assert "2026-06-12T10:00:00-04:00" not in {one["starts_at"] for one in times.get_json()["starts"]}
    both = {"people": people, "starts_at": world.at(4).isoformat()}
    couple = made(desk.post("/couples", both))
    assert [in_the_book(one["id"])[:2] for one in couple["visits"]] == [(man, "man"), (woman, "woman")]

    line = {"client": healthy(), "first_day": DAY, "last_day": DAY, "gender": "man", **plain}
    waiting = made(desk.post("/waitlist", line))
    assert (waiting["gender"], desk.get(f"/waitlist/{waiting['id']}").get_json()["gender"]) == ("man", "man")
    for path, body in (
        ("/visits", wish(healthy(), gender="unicorn")), ("/holds", wish(healthy(), gender=None)),
        ("/waitlist", {**line, "gender": "Woman"}), ("/verdicts", {"day": DAY, "client": 1, **plain, "gender": "man"}),
    ):  # fmt: skip
        answer = desk.post(path, body)
        assert (answer.status_code, answer.get_json()["errors"][0]["field"]) == (422, "gender"), path
        if body.get("gender") == "unicorn":
            assert answer.get_json()["errors"][0]["message"] == "is none that can be asked for"
    assert desk.get("/availability", **plain, **{"from": DAY}, gender="unicorn").status_code == 422
    assert not db.session.scalars(select(Visit).where(Visit.asked_gender == "unicorn")).all()
