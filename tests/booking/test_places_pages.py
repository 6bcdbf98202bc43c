"""Booking where a clinic has several places: the page asks where, and everything that follows speaks of that place."""

from __future__ import annotations

import datetime as dt
from urllib.parse import parse_qs, urlsplit

from flask import Flask
from flask.testing import FlaskClient

from clinic.booking.models import Visit
from clinic.premises.models import Location, OpeningHours
from clinic.shared.database import db, transaction
from clinic.shared.mail import OutgoingMail
from clinic.therapists.models import Therapist
from tests import factories
from tests.booking import world
from tests.booking.desk import book, desk_browser, order
from tests.owners import owner_browser

TIMES = "/book/swedish/times"
ASKED = {"minutes": "60", "areas": "full_body"}


def test_where_is_asked_only_where_there_is_a_choice(app: Flask, client: FlaskClient, now: object) -> None:
    clinic = world.build(therapists=1)
    assert 'aria-label="Where"' not in client.get(TIMES, query_string=ASKED).get_data(as_text=True)
    west = factories.make_location(
        zone="America/Los_Angeles", name="West", address="1 Sunset Street\nLos Angeles"
    )
    factories.make_room(west, name="West 1")
    therapist = db.session.get_one(Therapist, clinic.therapists[0])
    factories.make_hours(therapist, west, starts="08:00", ends="20:00", weekdays=range(7))
    west_id = west.id
    page = client.get(TIMES, query_string=ASKED).get_data(as_text=True)
    assert 'aria-label="Where"' in page
    assert "12 Main Street, Springfield" in page
    there = client.get(TIMES, query_string={**ASKED, "place": west_id}).get_data(as_text=True)
    assert "1 Sunset Street, Los Angeles" in there
    assert "at a first visit. Times are in Los Angeles." in there
    taken = client.post(TIMES, data={**ASKED, "place": west_id, "slot": "2026-06-12T17:00Z"})  # 10:00 there
    assert taken.status_code == 303
    row = db.session.query(Visit).one()
    assert (row.location_id, row.zone, f"{row.local_time:%H:%M}") == (west_id, "America/Los_Angeles", "10:00")
    nowhere = client.get(TIMES, query_string={**ASKED, "place": west_id + 1000})
    assert nowhere.status_code == 404
    assert parse_qs(urlsplit(taken.location).query) == {}


def second_place(clinic: world.World, opens: str | None = "08:00") -> int:
    """A place with a room and somebody who works there; `opens=None`: it has no opening hours yet."""
    place = factories.make_location(zone=world.ZONE, name="Harbour", opens=opens)
    factories.make_room(place, name="Harbour 1")
    factories.make_hours(
        db.session.get_one(Therapist, clinic.therapists[0]),
        place,
        starts="08:00",
        ends="20:00",
        weekdays=range(7),
    )
    return place.id


def test_a_place_that_is_being_set_up_is_not_offered(app: Flask, client: FlaskClient, now: object) -> None:
    clinic = world.build(therapists=2)
    harbour = second_place(clinic, opens=None)
    page = client.get(TIMES, query_string=ASKED)
    assert page.status_code == 200
    assert 'aria-label="Where"' not in page.text
    there = client.get(TIMES, query_string={**ASKED, "place": harbour}).text
    assert "This cannot be booked at Harbour yet" in there
    assert "At Main Street: " in there
    assert "Tell me when a time comes free" not in there
    factories.make_opening_hours(db.session.get_one(Location, harbour), opens="08:00", closes="20:00")
    assert 'aria-label="Where"' in client.get(TIMES, query_string=ASKED).text


def test_the_first_page_shows_a_place_once_something_can_be_booked_there(
    app: Flask, client: FlaskClient, now: object
) -> None:
    clinic = world.build(therapists=1)
    owner, shut = owner_browser(app), "Nothing can be booked here yet"
    assert shut not in owner.get("/owner/locations").text
    harbour = factories.make_location(zone=world.ZONE, name="Harbour", opens="08:00")
    missing = [shut, "A room at this place", "A therapist with hours at this place"]

    def looks(left: list[str]) -> None:
        page = owner.get("/owner/locations").text
        assert [words for words in missing if words in page] == left
        assert ("Harbour" in client.get("/").text) is (not left)

    looks(missing)
    factories.make_room(harbour, name="Harbour 1")
    looks([missing[0], missing[2]])
    therapist = db.session.get_one(Therapist, clinic.therapists[0])
    factories.make_hours(therapist, harbour, starts="08:00", ends="20:00", weekdays=range(7))
    looks([])
    for row in db.session.query(OpeningHours).filter_by(location_id=clinic.place_id):
        db.session.delete(row)
    db.session.commit()
    page = client.get("/").text.partition("<footer")[0]
    assert ("Harbour" in page, "Main Street</h3>" in page) == (True, False)


def test_what_nobody_gives_is_said_at_once_and_leads_to_other_treatments(
    app: Flask, client: FlaskClient, now: object
) -> None:
    clinic = world.build(therapists=2, skills=["traction", "cupping"])
    address = "/book/deep_tissue/times"
    page = client.get(address, query_string=ASKED).text
    assert "This cannot be booked at Main Street yet" in page
    assert ('href="/book"' in page, "Later days" in page, "Tell me when" in page) == (True, False, False)
    swedish = client.get(TIMES, query_string=ASKED).text
    assert "cannot be booked" not in swedish
    owner = owner_browser(app)
    listed = owner.get("/owner/therapists").text
    nobody = listed.partition("Nobody gives these yet")[2].partition("</ul>")[0]
    assert "Deep tissue massage" in nobody
    assert "Decompression by vacuum: Interval chamber" in nobody, "the ordinary way is given"
    assert "Swedish massage" not in nobody
    for one in clinic.therapists:
        db.session.get_one(Therapist, one).licence_expires_on = world.TODAY - dt.timedelta(days=1)
    db.session.commit()
    assert "This cannot be booked at Main Street yet" in client.get(TIMES, query_string=ASKED).text
    assert "Swedish massage" in owner.get("/owner/therapists").text


def test_whoever_names_no_place_is_led_to_one_that_opens(
    app: Flask, client: FlaskClient, now: object
) -> None:
    clinic = world.build(therapists=2)
    harbour = second_place(clinic)
    for row in db.session.query(OpeningHours).filter_by(location_id=clinic.place_id):
        db.session.delete(row)
    db.session.commit()
    led = client.get(TIMES, query_string=ASKED)
    assert parse_qs(urlsplit(led.location).query)["place"] == [str(harbour)]
    assert 'name="slot"' in client.get(led.location).text


def test_a_clinic_without_any_opening_hours_asks_to_call(
    app: Flask, client: FlaskClient, now: object
) -> None:
    world.build()
    db.session.query(OpeningHours).delete()
    db.session.commit()
    for page in ("/", "/book", f"{TIMES}?minutes=60"):
        assert "Nothing can be booked online at the moment" in client.get(page).text, page
    assert "Tell me when a time comes free" not in client.get(f"{TIMES}?minutes=60").text


def test_the_desk_sees_and_books_one_place_at_a_time(app: Flask, now: object) -> None:
    clinic = world.build(therapists=1)
    west = factories.make_location(zone="America/Los_Angeles", name="West")
    factories.make_room(west, name="West 1")
    therapist = db.session.get_one(Therapist, clinic.therapists[0])
    factories.make_hours(therapist, west, starts="08:00", ends="20:00", weekdays=range(7))
    person, west_id = world.person(), west.id
    world.sign(person)
    browser = desk_browser(app, clinic)
    there = {"place": str(west_id), "day": "2026-06-12", "when": dt.datetime(2026, 6, 12, 17, tzinfo=dt.UTC)}
    shown = browser.post("/desk/visits/new", data={**order(person, "swedish", **there), "start": ""})
    assert 'value="2026-06-12T15:00:00+00:00"' in shown.get_data(as_text=True)  # 8:00 there
    assert book(browser, person, "swedish", **there).status_code == 303
    row = db.session.query(Visit).one()
    assert (row.location_id, f"{row.local_time:%H:%M}") == (west_id, "10:00")
    link, day = f"/desk/visits/{row.id}", "/desk?day=2026-06-12"
    assert f'href="{link}' in browser.get(f"{day}&place={west_id}").get_data(as_text=True)
    assert f'href="{link}' not in browser.get(day).get_data(as_text=True)
    assert browser.get(f"/desk?place={west_id + 1000}").status_code == 404


def test_who_looks_for_a_time_is_told_the_telephone_of_the_place(
    app: Flask, client: FlaskClient, now: object
) -> None:
    harbour = second_place(world.build(therapists=1))
    there = {**ASKED, "place": harbour}
    call = "Nothing that fits? Call us"
    with transaction() as session:
        session.get_one(Location, harbour).phone = "(213) 555-0199"
    assert "(213) 555-0199" in client.get(TIMES, query_string=there).text.partition(call)[2][:200]
    with transaction() as session:
        session.get_one(Location, harbour).phone = ""
    assert "+12125550100" in client.get(TIMES, query_string=there).text.partition(call)[2][:200]


def test_a_mail_about_a_place_without_a_telephone_names_that_of_the_first(app: Flask, now: object) -> None:
    clinic = world.build(therapists=1)
    harbour, person = second_place(clinic), world.person(email="pat@people.example")
    with transaction() as session:
        session.get_one(Location, harbour).phone = ""
    world.sign(person)
    when = dt.datetime(2026, 6, 12, 14, tzinfo=dt.UTC)
    assert (
        book(desk_browser(app, clinic), person, "swedish", place=str(harbour), when=when).status_code == 303
    )
    assert "+12125550100" in db.session.query(OutgoingMail).one().text
