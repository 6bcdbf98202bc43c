"""Time off on the pages: looked at before it is saved, a therapist's own and anybody's at the desk."""

from __future__ import annotations

import datetime as dt
import re

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select

from clinic.booking.models import Visit
from clinic.booking.services import time_off
from clinic.rules.permissions import Role
from clinic.shared.database import db
from clinic.therapists.models import TimeOff
from tests.booking import world as w
from tests.conftest import NOW
from tests.diary.staff import ME, Staffed, person_with, staffed

pytestmark = pytest.mark.usefixtures("now")

DAY = {"kind": "off", "starts_on": "2026-06-12"}


@pytest.fixture
def clinic(app: Flask) -> Staffed:
    return staffed(app)


def booked(clinic: Staffed, therapist: int, days: int = 3, hour: int = 10) -> int:
    client = w.person()
    w.sign(client)
    when = w.at(days, hour)
    visit_id = w.at_desk(clinic.world, client, "relaxation", when=when, therapist_id=therapist).visit_id
    assert visit_id is not None
    return visit_id


def rows() -> list[TimeOff]:
    db.session.rollback()
    return list(db.session.scalars(select(TimeOff).order_by(TimeOff.id)))


def test_what_is_touched_is_shown_before_it_is_saved(clinic: Staffed) -> None:
    visit = booked(clinic, clinic.me)
    name = db.session.get_one(Visit, visit).client.name  # type: ignore[union-attr]
    browser = clinic.browser(ME)
    look = browser.post("/diary/time-off", data=DAY)
    assert (look.status_code, rows()) == (200, [])
    assert name in look.text
    assert "Nothing is saved yet" in look.text
    saving, changing = (
        dict(re.findall(r'name="(\w+)" value="([^"]*)"', one))
        for one in look.text.split("<form")
        if 'name="act"' in one
    )
    assert (saving["act"], changing["act"]) == ("save", "change")
    again = browser.post("/diary/time-off", data={**changing, "note": "Dentist"})
    assert (again.status_code, rows()) == (200, [])
    assert all(f'value="{one}"' in again.text for one in (DAY["starts_on"], "Dentist"))
    hidden = saving
    assert browser.post("/diary/time-off", data={**DAY, **hidden}).status_code == 303
    assert [(row.therapist_id, row.starts_at, row.ends_at) for row in rows()] == [
        (clinic.me, w.at(3, 0), w.at(4, 0))
    ]
    after = browser.get("/diary/time-off").text
    assert "Visits that need a new time" in after
    assert name in after


def test_of_many_visits_the_first_ten_are_shown_and_the_others_unfold(clinic: Staffed) -> None:
    for days in (3, 4, 5, 6):
        for hour in (9, 11, 13, 15):
            booked(clinic, clinic.me, days, hour)
    look = clinic.browser(ME).post("/diary/time-off", data={**DAY, "ends_on": "2026-06-15"}).text
    head, rest = look.split("Show the other 6")
    assert (head.count('<span class="num">'), rest.count('<span class="num">')) == (10, 6)


def test_time_that_touches_nothing_is_saved_at_once_and_taken_back(clinic: Staffed) -> None:
    booked(clinic, clinic.other)  # somebody else's visit is not touched
    browser = clinic.browser(ME)
    assert browser.post("/diary/time-off", data={**DAY, "starts": "9", "ends": "5 pm"}).status_code == 303
    (row,) = rows()
    assert (row.starts_at, row.ends_at) == (w.at(3, 9), w.at(3, 17))
    address = f"/diary/time-off/{row.id}/remove"
    assert "Remove this entry" in browser.get("/diary/time-off").text
    question = browser.post(address).text.replace("\xa0", " ")
    assert ("Remove this entry?" in question, len(rows())) == (True, 1)
    assert "Friday 12 June 2026, 9:00 am to 5:00 pm" in question, "which one, where there are several"
    assert browser.post(address, data={"sure": "1"}).status_code == 303
    assert rows() == []
    assert browser.post(address).status_code == 303  # twice is once


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ({}, "Enter the first day."),
        ({**DAY, "starts_on": "12.6."}, "Enter the first day."),
        ({**DAY, "kind": "party"}, "Not a valid choice"),
        ({**DAY, "starts": "25:00"}, "Type a time such as"),
        ({**DAY, "starts": "half past nine"}, "Type a time such as"),
        ({**DAY, "ends_on": "soon"}, "Enter a day, or leave this empty"),
        ({**DAY, "ends_on": "2026-06-11"}, "The last day lies before the first day."),
        ({**DAY, "starts": "12:00", "ends": "09:00"}, "The end must come after the start."),
        ({**DAY, "starts_on": "2026-06-01"}, "This lies in the past."),
        ({**DAY, "ends_on": "2028-06-12"}, "Enter at most one year at a time."),
        ({**DAY, "starts_on": "2027-03-14", "starts": "02:30"}, "There is no 2:30 am"),
        ({**DAY, "note": "x" * 201}, "at most 200 characters"),
    ],
)
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_slip_is_said_at_its_field_and_kept(clinic: Staffed, data: dict[str, str], sentence: str) -> None:
    answer = clinic.browser(ME).post("/diary/time-off", data=data)
    assert (answer.status_code, rows()) == (422, [])
    assert sentence in answer.text
    assert "For example 9:30 or 2 pm. Leave this empty for the whole day." in answer.text
    assert 'maxlength="12"' not in answer.text, "a time in words is kept whole until it is understood"
    assert all(data[name] in answer.text for name in ("starts_on", "starts", "ends_on") if name in data)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_time_that_comes_twice_is_explained_before_it_is_saved(clinic: Staffed) -> None:
    data = {**DAY, "starts_on": "2026-11-01", "starts": "01:30", "ends": "05:00"}
    look = clinic.browser(ME).post("/diary/time-off", data=data)
    assert "1:30 am comes twice" in look.text
    assert rows() == []


def test_ill_today_in_two_taps(clinic: Staffed) -> None:
    visit = booked(clinic, clinic.me, days=0)
    browser = clinic.browser(ME)
    assert "/diary/time-off/today" in browser.get("/diary").text
    first = browser.get("/diary/time-off/today").text
    assert db.session.get_one(Visit, visit).client.name in first  # type: ignore[union-attr]
    assert rows() == []
    assert browser.post("/diary/time-off/today").status_code == 303
    assert [(row.therapist_id, row.starts_at, row.ends_at) for row in rows()] == [
        (clinic.me, NOW, w.at(1, 0))
    ]
    browser.post("/diary/time-off/today")
    assert len(rows()) == 1


def test_after_the_last_minute_of_work_tomorrow_is_meant(clinic: Staffed) -> None:
    visit = booked(clinic, clinic.me, days=1)
    with time_machine.travel(w.at(0, 20, 30), tick=False):
        browser = clinic.browser(ME)
        asked = browser.get("/diary/time-off/today").text
        assert "The hours of today are over" in asked
        assert "from 8:30 pm" not in asked
        fields = dict(re.findall(r'name="(kind|starts_on)" value="([^"]*)"', asked))
        assert fields == {"kind": "off", "starts_on": "2026-06-10"}
        look = browser.post("/diary/time-off", data=fields).text
        assert db.session.get_one(Visit, visit).client.name in look  # type: ignore[union-attr]
        assert "Save time off" in look
    address = f"/desk/time-off/today?therapist={clinic.other}"
    with time_machine.travel(w.at(0, 19, 59), tick=False):
        desk = clinic.browser(person_with(Role.FRONT_DESK))
        assert "cannot work today" in desk.get(address).text
    with time_machine.travel(w.at(0, 20), tick=False):
        assert "Terry 1 cannot work tomorrow" in desk.get(address).text


def test_ill_today_pressed_again_later_is_entered_once_and_the_day_says_so(clinic: Staffed) -> None:
    browser = clinic.browser(ME)
    assert "You are not in at the moment" not in browser.get("/diary").text
    browser.post("/diary/time-off/today")
    with time_machine.travel(NOW + dt.timedelta(minutes=3), tick=False):
        browser.post("/diary/time-off/today")
        assert "This is entered already." in browser.get("/diary/time-off").text
        asked = browser.get("/diary/time-off/today")  # not “nothing is saved yet”
        assert (asked.status_code, asked.location) == (303, "/diary/time-off")
        assert "This is entered already." in browser.get("/diary/time-off").text
        assert len(rows()) == 1
        day = browser.get("/diary").text
        assert "You are not in at the moment" in day
        assert 'href="/diary/time-off/today"' not in day
    assert "You are not in at the moment" not in browser.get("/diary?day=2026-06-10").text


def test_the_desk_enters_it_for_anybody_and_goes_on_to_move_the_visits(clinic: Staffed) -> None:
    visit = booked(clinic, clinic.other)
    desk = clinic.browser(person_with(Role.FRONT_DESK))
    page = f"/desk/time-off?therapist={clinic.other}"
    assert desk.post(page, data={**DAY, "act": "save"}).status_code == 303
    assert [row.therapist_id for row in rows()] == [clinic.other]
    assert f"/desk/visits/{visit}/change" in desk.get(page).text
    assert f"/desk/visits/{visit}/change" not in desk.get(f"/desk/time-off?therapist={clinic.me}").text
    assert 'formaction="/desk/time-off/today"' in desk.get("/desk/time-off").text, (
        "of whoever is chosen in the list"
    )
    # the wrong therapist in the address removes nothing
    row = rows()[0].id
    desk.post(f"/desk/time-off/{row}/remove?therapist={clinic.me}", data={"sure": "1"})
    assert len(rows()) == 1
    desk.post(f"/desk/time-off/{row}/remove?therapist={clinic.other}", data={"sure": "1"})
    assert rows() == []
    assert [
        desk.get(f"/desk/time-off?therapist={typed}").status_code for typed in ("x", "999999", "9" * 30)
    ] == [404] * 3


def test_doors_are_closed_to_the_others(clinic: Staffed) -> None:
    theirs = time_off.add_time_off(
        clinic.other, "off", w.at(3), w.at(4), "private plans", by=clinic.world.desk_id, now=NOW
    )
    own = ["/diary/time-off", "/diary/time-off/today"]
    desk = ["/desk/time-off", "/desk/time-off/today"]
    found = {}
    for email in (ME, person_with(Role.FRONT_DESK), person_with(Role.CLIENT)):
        browser = clinic.browser(email)
        found[email] = [browser.get(page).status_code for page in (*own, *desk)] + [
            browser.post(page, data=DAY).status_code for page in (own[0], desk[0])
        ]
    assert list(found.values()) == [
        [200, 200, 403, 403, 303, 403], [403, 403, 200, 200, 403, 303], [403] * 6
    ]  # fmt: skip
    mine = clinic.browser(ME)
    assert "private plans" not in mine.get("/diary/time-off").text
    mine.post(f"/diary/time-off/{theirs}/remove", data={"sure": "1"})
    assert theirs in [row.id for row in rows()]
