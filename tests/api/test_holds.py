"""A time that a program keeps can be booked until the hold is over: what was asked of it was asked when it was kept."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select, update

from clinic.booking.models import Visit
from clinic.booking.services import time_off
from clinic.catalogue.models import Service
from clinic.premises.models import Clinic
from clinic.shared.database import db, transaction
from tests.api.conftest import Program
from tests.booking import world
from tests.booking.world import healthy
from tests.conftest import NOW

pytestmark = pytest.mark.usefixtures("now")


def wish(client: int, when: dt.datetime, **more: Any) -> dict[str, Any]:
    return {
        "client": client, "service": "relaxation", "minutes": 60, "starts_at": when.isoformat(), **more,
    }  # fmt: skip


def kept(desk: Program, asked: dict[str, Any]) -> int:
    answer = desk.post("/holds", asked)
    assert answer.status_code == 201, answer.get_json()
    return int(answer.get_json()["id"])


def outcome(desk: Program, asked: dict[str, Any]) -> tuple[int, str | None]:
    answer = desk.post("/visits", asked)
    return answer.status_code, answer.get_json()["code"]


@pytest.mark.parametrize("rules", [{}, {"new_lead_time_minutes": 60, "lead_time_minutes": 30}])
def test_a_time_kept_just_in_time_is_booked_minutes_later(
    app: Flask, desk: Program, rules: dict[str, int]
) -> None:
    """The notice is counted from when it was kept, for everybody and for people who are new."""
    with transaction() as session:
        session.execute(update(Clinic).values(rules or {"lead_time_minutes": 60}))
    soon = wish(healthy(), NOW + dt.timedelta(minutes=60))
    hold = kept(desk, soon)
    with time_machine.travel(NOW + dt.timedelta(minutes=5), tick=False):
        other = {**soon, "client": healthy()}
        assert outcome(desk, other) == (409, "too_late")
        late = {**other, "starts_at": (NOW + dt.timedelta(minutes=45)).isoformat(), "hold": hold}
        assert outcome(desk, late)[0] == 409  # another time than the one that is kept
        assert outcome(desk, {**soon, "hold": hold}) == (201, None)


def test_a_time_that_is_kept_for_somebody_is_booked_for_nobody_else(app: Flask, desk: Program) -> None:
    mine = wish(healthy(), world.at(3, 10))
    hold = kept(desk, mine)
    answer = desk.post("/visits", {**mine, "client": healthy(), "hold": hold})
    assert (answer.status_code, [one["field"] for one in answer.get_json()["errors"]]) == (409, ["hold"])
    db.session.rollback()
    assert db.session.scalars(select(Visit.status)).all() == ["held"]
    assert outcome(desk, {**mine, "hold": hold}) == (201, None)


def test_a_time_that_is_kept_for_nobody_yet_is_booked_for_anybody(app: Flask, desk: Program) -> None:
    mine = wish(healthy(), world.at(3, 10))
    hold = kept(desk, {**mine, "client": None})
    assert outcome(desk, {**mine, "hold": hold}) == (201, None)


def test_a_hold_that_has_run_out_shortens_no_notice(desk: Program) -> None:
    soon = wish(healthy(), NOW + dt.timedelta(minutes=60))
    hold = kept(desk, soon)
    with time_machine.travel(NOW + dt.timedelta(minutes=15), tick=False):
        assert outcome(desk, {**soon, "hold": hold}) == (409, "too_late")


def test_whether_a_kept_time_leaves_a_hole_is_not_asked_again(desk: Program, clinic: world.World) -> None:
    """It left none when it was kept; since then its neighbours have gone."""
    with transaction() as session:
        session.execute(update(Clinic).values(gaps="only"))
        session.execute(update(Service).values(turnover_minutes=0, first_visit_minutes=0))
    therapist = clinic.therapists[0]
    around = [
        desk.post("/visits", wish(healthy(), world.at(3, hour), therapist=therapist)).get_json()["id"]
        for hour in (8, 9, 10)
    ]
    mine = wish(healthy(), world.at(3, 11), therapist=therapist)
    hold = kept(desk, mine)
    for visit in around:
        assert desk.post(f"/visits/{visit}/cancel", {"by_clinic": True}).status_code == 200
    time_off.add_time_off(
        therapist, "off", world.at(3, 8), world.at(3, 10, 45), "", by=clinic.desk_id, now=NOW
    )
    beside = wish(healthy(), world.at(3, 12, 15), therapist=therapist)
    assert outcome(desk, beside) == (409, "slot_taken")  # others are asked
    assert outcome(desk, {**mine, "hold": hold}) == (201, None)


@pytest.mark.parametrize(("days", "hour"), [(-7, 10), (0, 9), (400, 10)])
def test_a_time_that_nobody_may_book_is_kept_for_nobody_and_told_as_when_booked(
    app: Flask, desk: Program, days: int, hour: int
) -> None:
    asked = wish(healthy(), world.at(days, hour, 30))
    for person in (asked["client"], None):
        answer = desk.post("/holds", {**asked, "client": person}).get_json()
        assert (answer["code"], "nearest" in answer) == ("too_late", False), answer
    assert outcome(desk, asked) == (409, "too_late")
    db.session.rollback()
    assert db.session.scalars(select(Visit)).all() == []
