"""A clinic on its first day: no therapist, no phone, nothing booked. Every page leads on."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from clinic.premises.models import Location, Room
from clinic.rules.permissions import Role
from clinic.shared.database import db, transaction
from tests.factories import (
    make_clinic,
    make_hours,
    make_location,
    make_room,
    make_service,
    make_therapist,
    make_user,
)
from tests.owners import browser_of, owner_browser

pytestmark = pytest.mark.usefixtures("now")


@pytest.fixture
def owner(app: Flask) -> FlaskClient:
    make_clinic(emergency_number="112")
    make_location(zone="America/New_York", phone="")
    make_service(key="swedish", prices={60: 9000})
    return owner_browser(app)


def test_owner_is_led_through_the_first_steps(owner: FlaskClient) -> None:
    page = owner.get("/desk").text
    assert "First steps" in page
    assert "112 is shown on every page" in page
    for address in (
        "/owner/settings",
        "/owner/locations",
        "/owner/rooms",
        "/owner/therapists",
        "/owner/team",
    ):
        assert f'<a href="{address}">' in page, address


def test_owners_page_ticks_what_is_done_until_somebody_can_be_booked(owner: FlaskClient) -> None:
    def ticks() -> list[bool]:
        steps = owner.get("/owner").text.partition('id="first-steps"')[2].split("<li>")
        return ['class="tick"' in row for row in steps[2:5]]

    assert ticks() == [True, False, False]
    place = db.session.scalars(select(Location)).one()
    room = make_room(place)
    assert ticks() == [True, True, False]
    therapist = make_therapist(name="Tess", skills=[])
    assert ticks() == [True, True, False], "without hours nobody can be booked"
    make_hours(therapist, place, starts="09:00", ends="17:00")
    assert "First steps" not in owner.get("/owner").text
    db.session.get_one(Room, room.id).is_active = False
    db.session.commit()
    assert ticks() == [True, False, True]


def test_desk_reads_that_the_owner_adds_therapists(app: Flask, owner: FlaskClient) -> None:
    desk = browser_of(app, make_user(email="dora@clinic.example", roles=[Role.FRONT_DESK]))
    page = desk.get("/desk").text
    assert "There are no therapists yet" in page
    assert "First steps" not in page


def test_time_off_says_that_there_is_nobody_yet(owner: FlaskClient) -> None:
    assert owner.get("/desk/time-off").location == "/desk"
    assert "There are no therapists yet." in owner.get("/desk").text


def test_no_page_offers_to_call_without_a_number(owner: FlaskClient) -> None:
    for address in (
        "/",
        "/book",
        "/services",
        "/therapists",
        "/book/swedish",
        "/book/swedish/times?minutes=60",
    ):
        answer = owner.get(address)
        assert answer.status_code == 200, address
        assert 'href="tel:"' not in answer.text, address


def test_nobody_is_sent_into_a_booking_that_cannot_be_made(app: Flask, owner: FlaskClient) -> None:
    visitor = app.test_client()
    ways = ("/", "/book", "/book/swedish/times?minutes=60")

    def says_so() -> list[bool]:
        pages = [visitor.get(way).text for way in ways]
        return ["Nothing can be booked online at the moment" in page for page in pages]

    assert says_so() == [True, True, True]
    home = visitor.get("/").text
    assert "/book/swedish" not in home, "no button that leads nowhere"
    assert "Please ask the clinic." in home, "no phone is known"
    with transaction() as session:
        session.scalars(select(Location)).one().phone = "(212) 555-0142"
    place = db.session.scalars(select(Location)).one()
    make_room(place)
    make_hours(make_therapist(name="Tess", skills=[]), place, starts="09:00", ends="17:00")
    assert says_so() == [False, False, False]
    assert "How booking works" in visitor.get("/").text
    with transaction() as session:
        session.scalars(select(Room)).one().is_active = False
    assert says_so() == [True, True, True]
    assert 'href="tel:(212)555-0142"' in visitor.get("/book").text
