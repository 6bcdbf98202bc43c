"""The sick call through the API: planned without a trace, then saved, and each visit given, moved or called off."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from sqlalchemy import func, select

from clinic.booking.models import Claim, Offer, Visit
from clinic.booking.services import time_off
from clinic.shared.database import db, transaction
from clinic.shared.mail import OutgoingMail
from clinic.therapists.models import Therapist, TimeOff
from tests.api.conftest import Program
from tests.booking import world as w
from tests.conftest import NOW
from tests.statements import counted

DAY = {"first_day": "2026-06-12"}


def healthy() -> int:
    client = w.person(email=f"a{w.new_number()}@people.example")
    w.sign(client)
    return client


def booked(desk: Program, therapist: int, hour: int) -> dict[str, Any]:
    asked = {
        "client": healthy(), "service": "swedish", "minutes": 60, "starts_at": f"2026-06-12T{hour:02}:00:00-04:00",
        "therapist": therapist,
    }  # fmt: skip
    answer = desk.post("/visits", asked)
    assert answer.status_code == 201, answer.get_json()
    return dict(answer.get_json())


def count(kind: Any) -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(kind)) or 0


def test_a_plan_says_what_could_be_done_and_leaves_no_trace(desk: Program, clinic: w.World) -> None:
    sick, path = clinic.therapists[0], f"/therapists/{clinic.therapists[0]}/sick-days"
    visits = [booked(desk, sick, hour) for hour in (10, 14)]
    before = [count(kind) for kind in (TimeOff, Claim, Offer, OutgoingMail)]
    with counted() as sent:
        plan = desk.post(f"{path}/plan", DAY)
    assert plan.status_code == 200, plan.get_json()
    assert len(sent) < 30 * len(visits), "the book is not asked again for each free time"
    told = plan.get_json()
    assert (told["first_day"], told["last_day"], told["time_off"]) == ("2026-06-12", "2026-06-12", None)
    assert [one["visit"]["id"] for one in told["visits"]] == [one["id"] for one in visits]
    first = told["visits"][0]
    assert (first["proposal"], first["starts_at"]) == ("give", "2026-06-12T10:00:00-04:00")
    assert (first["by_name"], first["safe"], first["asked"]) == (True, True, None)
    assert sorted(first["others"]) == sorted(clinic.therapists[1:])
    in_the_day = [one for one in first["times"] if one["starts_at"].startswith("2026-06-12")]
    assert in_the_day
    assert all(one["therapist"] != sick for one in in_the_day)
    assert [count(kind) for kind in (TimeOff, Claim, Offer, OutgoingMail)] == before
    assert desk.get(path).get_json()["visits"] == []


def test_the_days_are_saved_and_each_visit_is_a_step_of_its_own(desk: Program, clinic: w.World) -> None:
    sick, other, _third = clinic.therapists
    path = f"/therapists/{sick}/sick-days"
    given, offered, called_off, stale, left = (booked(desk, sick, hour) for hour in (9, 11, 13, 15, 17))
    about = {
        one["id"]: {"visit": one["id"], "revision": one["revision"]} for one in (given, offered, called_off)
    }
    deeds = [
        {"deed": "give", **about[given["id"]], "therapist": other},
        {
            "deed": "offer", **about[offered["id"]], "therapist": other,
            "starts_at": "2026-06-13T12:00:00-04:00",
        },
        {"deed": "call_off", **about[called_off["id"]]},
        {"deed": "give", "visit": stale["id"], "revision": stale["revision"] + 1, "therapist": other},
        {"deed": "call_off", "visit": 1, "revision": 1},
    ]  # fmt: skip
    asked = {**DAY, "note": "Not in today", "deeds": deeds}
    answer = desk.post(path, asked, Idempotency_Key="sick-1")
    assert answer.status_code == 201, answer.get_json()
    told = answer.get_json()
    assert [one["code"] for one in told["done"]] == [None, None, None, "not_allowed", "not_found"]
    assert [one["visit"]["id"] for one in told["visits"]] == [offered["id"], stale["id"], left["id"]]
    assert told["visits"][0]["asked"] == {"starts_at": "2026-06-13T12:00:00-04:00", "therapist": other}
    db.session.rollback()
    row = db.session.scalars(select(TimeOff)).one()
    assert (row.id, row.therapist_id, row.days) == (
        told["time_off"], sick, (dt.date(2026, 6, 12), dt.date(2026, 6, 12))
    )  # fmt: skip
    rows = {one["id"]: db.session.get_one(Visit, one["id"]) for one in (given, called_off, left)}
    assert [(one.therapist_id, one.status) for one in rows.values()] == [
        (other, "confirmed"), (sick, "cancelled"), (sick, "confirmed")
    ]  # fmt: skip
    mails = count(OutgoingMail)
    again = desk.post(path, asked, Idempotency_Key="sick-1")
    assert (again.status_code, again.headers["Idempotency-Replayed"], count(OutgoingMail)) == (
        201,
        "true",
        mails,
    )
    assert desk.post(path, DAY).get_json()["time_off"] == row.id  # the same days are one
    assert [one["visit"]["id"] for one in desk.get(path).get_json()["visits"]] == [
        offered["id"], stale["id"], left["id"]
    ]  # fmt: skip
    free = desk.get(
        "/availability", service="swedish", minutes=60, therapist=sick, days=2, **{"from": "2026-06-12"}
    )
    assert {one["starts_at"][:10] for one in free.get_json()["starts"]} == {"2026-06-13"}


def test_what_cannot_be_is_refused_and_saves_nothing(desk: Program, clinic: w.World) -> None:
    sick = clinic.therapists[0]
    path = f"/therapists/{sick}/sick-days"
    wrong: list[tuple[str, dict[str, Any], int, str]] = [
        (path, {}, 422, "invalid"),
        (path, {**DAY, "days": 0}, 422, "invalid"),
        (path, {**DAY, "deeds": [{"deed": "give", "visit": 1, "revision": 1}]}, 422, "invalid"),
        (path, {**DAY, "deeds": [{"deed": "sing", "visit": 1, "revision": 1}]}, 422, "invalid"),
        (path, {"first_day": "2026-06-08"}, 409, "not_allowed"),
        (f"/therapists/{sick + 100000}/sick-days", DAY, 404, "not_found"),
        (f"/therapists/{10**15}/sick-days/plan", DAY, 404, "not_found"),
    ]
    for where, body, status, code in wrong:
        answer = desk.post(where, body)
        assert (answer.status_code, answer.get_json()["code"]) == (status, code), (where, body)
    past = desk.post(path, {"first_day": "2026-06-08"}).get_json()
    assert [one["field"] for one in past["errors"]] == ["first_day"], "as the document calls it"
    assert count(TimeOff) == 0


@pytest.mark.parametrize("limit", [{"most_visits_a_day": 1}, {"pause_minutes": 60}, {}])
def test_the_best_for_all_can_be_done_for_all(desk: Program, clinic: w.World, limit: dict[str, int]) -> None:
    """One colleague is there; with her limit she cannot take both."""
    sick, other, away = clinic.therapists
    visits = [booked(desk, sick, 10), booked(desk, sick, 12)]
    with transaction() as session:
        for one in visits:
            session.get_one(Visit, one["id"]).any_therapist = True
        for name, value in limit.items():
            setattr(session.get_one(Therapist, other), name, value)
    time_off.add_time_off(away, "meeting", w.at(3, 0), w.at(4, 0), "", by=None, now=NOW)
    path = f"/therapists/{sick}/sick-days"
    plan = desk.post(f"{path}/plan", DAY).get_json()["visits"]
    given = [one for one in plan if one["proposal"] == "give"]
    assert len(given) == (1 if limit else 2)
    assert {one["therapist"] for one in given} == {other}
    deeds = [
        {
            "visit": one["visit"]["id"],
            "revision": one["visit"]["revision"],
            "deed": "give",
            "therapist": other,
        }
        for one in given
    ]
    done = desk.post(path, {**DAY, "deeds": deeds})
    assert [one["code"] for one in done.get_json()["done"]] == [None] * len(deeds), done.get_json()
