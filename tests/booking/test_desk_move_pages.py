"""Moving a visit on the desk's pages: the answer before anything is saved, then saved, then taken back."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from clinic.booking.models import RestPass, Visit
from clinic.booking.services import at_desk, time_off
from clinic.premises.models import Room
from clinic.rules.errors import MoveNotAllowed
from clinic.shared.database import db
from clinic.shared.mail import OutgoingMail
from clinic.therapists.models import Therapist
from tests.booking import world as w
from tests.booking.desk import book
from tests.booking.test_from_day import OPERATED
from tests.conftest import NOW
from tests.typed_forms import form_on

pytestmark = pytest.mark.usefixtures("now")


@pytest.fixture
def world(app: Flask) -> w.World:
    return w.build(minds_rest=True)


def booked(desk: FlaskClient, world: w.World, days: int = 2, hour: int = 10, **declared: Any) -> str:
    """The address of a visit's page; its client has an e-mail."""
    client = w.person(email=f"m{w.new_number()}@people.example")
    w.sign(client, **declared)
    address = book(desk, client, "swedish", when=w.at(days, hour), therapist=world.therapists[0]).headers[
        "Location"
    ]
    assert stands(address)[2] == "confirmed"
    return address


def stands(address: str) -> tuple[Any, int, str]:
    db.session.rollback()
    visit = db.session.get_one(Visit, int(address.rpartition("/")[2]))
    return visit.starts_at, visit.therapist_id, visit.status


def test_a_move_is_shown_saved_and_taken_back(world: w.World, desk: FlaskClient) -> None:
    visit = booked(desk, world)
    before = stands(visit)
    asked = {"day": "2026-06-11", "at": "14:00", "therapist": str(world.therapists[1])}
    shown = desk.get(f"{visit}/move", query_string=asked).text
    assert "It fits" in shown
    assert "Room" in shown
    assert stands(visit) == before
    form = form_on(shown, f"{visit}/move")
    saved = desk.post(f"{visit}/move", data=form)
    assert (saved.status_code, saved.headers["Location"].partition("?")[0]) == (303, "/desk")
    assert stands(visit)[:2] == (w.at(2, 14), world.therapists[1])
    day = desk.get(saved.headers["Location"]).text
    assert "Nobody has been told yet" in day
    undo = form_on(day, f"{visit}/undo")
    assert "Undone" in desk.get(desk.post(f"{visit}/undo", data=undo).headers["Location"]).text
    assert stands(visit) == before
    db.session.rollback()
    assert [
        one.key for one in db.session.scalars(select(OutgoingMail)) if one.key.startswith("visit_moved")
    ] == []
    assert "nothing to undo" in desk.get(desk.post(f"{visit}/undo", data=undo).headers["Location"]).text


def room_of(address: str) -> int:
    db.session.rollback()
    return db.session.get_one(Visit, int(address.rpartition("/")[2])).room_id


def moved_mails() -> list[str]:
    db.session.rollback()
    keys = db.session.scalars(select(OutgoingMail.key)).all()
    return [one for one in keys if one and one.startswith("visit_moved")]


def test_a_visit_is_given_another_room_at_the_same_time_and_nobody_is_told(
    world: w.World, desk: FlaskClient
) -> None:
    visit = booked(desk, world)
    before, was_in = stands(visit), room_of(visit)
    rooms = {one.name: one.id for one in db.session.scalars(select(Room))}
    other = next(key for name, key in rooms.items() if name.startswith("Room") and key != was_in)
    asked = {"day": "2026-06-11", "at": "10:00", "room": str(other)}
    shown = desk.get(f"{visit}/move", query_string=asked).text
    assert "It fits" in shown
    assert "the client is not told" in shown
    saved = desk.post(f"{visit}/move", data=form_on(shown, f"{visit}/move") | {"back": "rooms"})
    assert (saved.status_code, "view=rooms" in saved.headers["Location"]) == (303, True)
    assert (stands(visit), room_of(visit)) == (before, other)
    assert moved_mails() == []
    undo = form_on(desk.get(saved.headers["Location"]).text, f"{visit}/undo")
    assert "Undone" in desk.get(desk.post(f"{visit}/undo", data=undo).headers["Location"]).text
    assert (stands(visit), room_of(visit)) == (before, was_in)

    desk.post(f"{visit}/move", data=form_on(shown, f"{visit}/move") | {"revision": "4"})
    later = desk.get(f"{visit}/move", query_string={**asked, "at": "12:00"}).text
    assert "The client is told ten seconds after" in later
    assert desk.post(f"{visit}/move", data=form_on(later, f"{visit}/move")).status_code == 303
    assert (stands(visit)[0], room_of(visit), len(moved_mails())) == (w.at(2, 12), other, 1)


def test_a_room_that_was_named_is_the_room_or_it_is_said_why_not(world: w.World, desk: FlaskClient) -> None:
    visit = booked(desk, world)
    client = w.person()
    w.sign(client)
    taken = book(desk, client, "swedish", when=w.at(2), therapist=world.therapists[1]).headers["Location"]
    before, was_in = stands(visit), room_of(visit)
    asked = {"day": "2026-06-11", "at": "10:00", "room": str(room_of(taken))}
    page = desk.get(f"{visit}/move", query_string=asked).text
    assert "This time is not free" in page
    assert "is taken by another visit" in page
    near = re.findall(r'data-move-to href="([^"]+)"', page)
    assert near
    assert all(f"room={room_of(taken)}" in one for one in near), "near, and in that room"
    chamber = db.session.scalars(select(Room.id).where(Room.room_kind == "chamber")).one()
    page = desk.get(f"{visit}/move", query_string={**asked, "room": str(chamber)}).text
    assert "cannot be given in that room" in page
    for room in (chamber, 99999):
        wish = at_desk.Change(2, w.at(2, 12), room_id=room, by=world.desk_id)
        with pytest.raises(MoveNotAllowed):
            at_desk.change_at_desk(int(visit.rpartition("/")[2]), wish, now=NOW)
    assert desk.get(f"{visit}/move", query_string={**asked, "room": "x"}).status_code == 200
    assert (stands(visit), room_of(visit)) == (before, was_in)


def test_what_stands_against_a_move_is_said_before_anything_is_saved(
    world: w.World, desk: FlaskClient
) -> None:
    visit, other = booked(desk, world), booked(desk, world, hour=14)
    before = stands(visit)
    taken = {"day": "2026-06-11", "at": "14:30", "therapist": str(world.therapists[0])}
    page = desk.get(f"{visit}/move", query_string=taken).text
    assert "Why this time is not free" in page
    assert "Nearest free times" in page
    assert "Move the visit</button>" not in page
    assert "See all free times" not in page.partition('<form method="get"')[0]
    time_off.add_time_off(world.therapists[1], "off", w.at(2, 0), w.at(3, 0), "", by=world.desk_id, now=NOW)
    away = {"day": "2026-06-11", "at": "14:30", "therapist": str(world.therapists[1])}
    page = desk.get(f"{visit}/move", query_string=away).text.partition('<form method="get"')[0]
    assert ("Nearest free times" in page, "See all free times" in page) == (False, True)
    past = {"day": "2026-06-08", "at": "14:30", "therapist": str(world.therapists[0])}
    assert "already passed" in desk.get(f"{visit}/move", query_string=past).text
    assert (stands(visit), stands(other)[2]) == (before, "confirmed")
    for bad in (
        {"at": "x"},
        {"at": "10:00", "day": "x"},
        {"at": "10:00", "therapist": "99999"},
        {"start": "x"},
    ):
        assert desk.get(f"{visit}/move", query_string=bad).status_code in {200, 422}, bad
    assert desk.post(f"{visit}/move", data={"start": "x"}).status_code == 303
    assert desk.get("/desk/visits/1/move").status_code == 404
    assert stands(visit) == before


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ({"at": ""}, "Enter the time."),
        ({"at": "25:10"}, "Enter a time that exists"),
        ({"day": "2026-06-31"}, "Enter a day that exists"),
        ({"day": "2026-06-31", "at": ""}, "Enter the time."),
    ],
    ids=str,
)
def test_a_day_or_a_time_that_is_none_is_said_at_its_field(
    world: w.World, desk: FlaskClient, typed: dict[str, str], says: str
) -> None:
    asked = {"day": "2026-06-11", "at": "14:00", "therapist": str(world.therapists[1])}
    page = desk.get(f"{booked(desk, world)}/move", query_string={**asked, **typed})
    assert page.status_code == 422
    assert says in page.text
    assert "It fits" not in page.text
    assert f'<option selected value="{world.therapists[1]}"' in page.text, "what was typed is kept"


def test_a_day_on_which_it_would_have_to_wait_is_not_saved(world: w.World, desk: FlaskClient) -> None:
    """After an operation it may be from 21 June on; a confirmed visit is not moved to where it would only wait."""
    client = w.person(email="safe@people.example")
    w.sign_answers(client, OPERATED)
    visit = w.at_desk(world, client, "relaxation", when=w.at(16), therapist_id=world.therapists[0]).visit_id
    address = f"/desk/visits/{visit}"
    before = stands(address)
    assert before[2] == "confirmed"
    asked = {"day": "2026-06-12", "at": "10:00", "therapist": str(world.therapists[0])}
    page = desk.get(f"{address}/move", query_string=asked).text
    assert "It would have to wait there" in page
    assert "data-move-save" not in page
    form = {"start": w.at(3).isoformat(), "therapist": str(world.therapists[0]), "revision": "2"}
    for revision in ("1", "2", "3"):
        assert desk.post(f"{address}/move", data={**form, "revision": revision}).status_code == 409
    assert stands(address) == before
    for word in ("hip", "surgery", "operation"):
        assert word not in page.lower()


def test_a_move_that_comes_too_soon_needs_a_reason(world: w.World, desk: FlaskClient) -> None:
    visit = booked(desk, world)
    db.session.rollback()
    client = db.session.get_one(Visit, int(visit.rpartition("/")[2])).client_id or 0
    book(desk, client, "swedish", when=w.at(9, 10), therapist=world.therapists[0])
    asked = {"day": "2026-06-17", "at": "10:00", "therapist": str(world.therapists[0])}
    booked(desk, world, days=8, hour=14)
    taken = desk.get(f"{visit}/move", query_string={**asked, "at": "14:00"}).text
    assert "Sooner than advised" not in taken, "no reason is asked for what cannot be had anyway"
    shown = desk.get(f"{visit}/move", query_string=asked).text
    assert "Sooner than advised" in shown
    form = form_on(shown, f"{visit}/move")
    assert desk.post(f"{visit}/move", data=form).status_code == 409
    assert stands(visit)[0] == w.at(2, 10)
    assert desk.post(f"{visit}/move", data={**form, "rest_reason": "Asked for by phone"}).status_code == 303
    assert stands(visit)[0] == w.at(8, 10)
    db.session.rollback()
    assert db.session.scalars(select(RestPass)).one().reason == "Asked for by phone"


def test_what_is_in_the_way_is_said_in_the_language_of_the_page(world: w.World, desk: FlaskClient) -> None:
    visit, _other = booked(desk, world), booked(desk, world, hour=14)
    asked = {"day": "2026-06-11", "at": "14:00", "therapist": str(world.therapists[0])}
    assert "is taken by another visit" in desk.get(f"{visit}/move", query_string=asked).text
    german = desk.get(f"{visit}/move", query_string=asked, headers={"Accept-Language": "de"}).text
    assert "is taken by another visit" not in german
    assert "ist durch einen anderen Termin belegt" in german


def test_who_cannot_give_the_visit_is_named(world: w.World, desk: FlaskClient) -> None:
    client = w.person()
    w.sign(client)
    visit = book(desk, client, "deep_tissue", when=w.at(2), therapist=world.therapists[0]).headers["Location"]
    other = db.session.get_one(Therapist, world.therapists[1])
    name, other.skill_rows = other.name, []
    db.session.commit()
    asked = {"day": "2026-06-11", "at": "14:00", "therapist": str(world.therapists[1])}
    assert f"{name} cannot give this visit." in desk.get(f"{visit}/move", query_string=asked).text
