"""Booking where a clinic has several places: the page asks where, and everything that follows speaks of that place."""

from __future__ import annotations

import datetime as dt
from urllib.parse import parse_qs, urlsplit

from flask import Flask
from flask.testing import FlaskClient

from clinic.booking.models import Visit
from clinic.shared.database import db
from clinic.therapists.models import Therapist
from tests import factories
from tests.booking import world
from tests.booking.desk import book, desk_browser, order

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
    assert "All times are in Los Angeles." in there
    taken = client.post(TIMES, data={**ASKED, "place": west_id, "slot": "2026-06-12T17:00Z"})  # 10:00 there
    assert taken.status_code == 303
    row = db.session.query(Visit).one()
    assert (row.location_id, row.zone, f"{row.local_time:%H:%M}") == (west_id, "America/Los_Angeles", "10:00")
    nowhere = client.get(TIMES, query_string={**ASKED, "place": west_id + 1000})
    assert nowhere.status_code == 404
    assert parse_qs(urlsplit(taken.location).query) == {}


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
