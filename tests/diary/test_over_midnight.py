"""A visit over midnight stands on both days, and both say when it begins and ends."""

from __future__ import annotations

import datetime as dt

import pytest
from flask import Flask
from flask.testing import FlaskClient

from clinic.premises import services as premises
from clinic.rules.wall_time import WeeklyHours
from clinic.therapists import services as therapists
from tests.booking import world as w
from tests.booking.desk import desk_browser
from tests.conftest import NOW
from tests.diary.staff import ME, Staffed, staffed

pytestmark = pytest.mark.usefixtures("now")
EVENING = w.TODAY + dt.timedelta(days=3)
MORNING = EVENING + dt.timedelta(days=1)


@pytest.fixture
def clinic(app: Flask) -> Staffed:
    """The first therapist works until two at night, and has a visit at half past eleven."""
    made = staffed(app)
    night = [WeeklyHours(EVENING.weekday(), dt.time(16), dt.time(2))]
    premises.set_opening_of_day(made.world.place_id, EVENING, night, by=None, now=NOW)
    therapists.set_hours_of_day(made.me, made.world.place_id, EVENING, night, by=None, now=NOW)
    client = w.person()
    w.sign(client)
    when = w.at(3, 23, 30)
    booked = w.at_desk(made.world, client, "swedish", when=when, therapist_id=made.me)
    assert booked.visit_id is not None
    return made


def read(browser: FlaskClient, address: str) -> str:
    return browser.get(address).text.replace("&nbsp;", " ").replace("\xa0", " ")


@pytest.mark.parametrize("view", ["therapists", "rooms", "list"])
def test_the_desk_reads_the_whole_time_on_both_days(app: Flask, clinic: Staffed, view: str) -> None:
    desk = desk_browser(app, clinic.world)
    evening, morning = (read(desk, f"/desk?day={day}&view={view}") for day in (EVENING, MORNING))
    until = "–12:45 am" if view == "list" else "to 12:45 am"
    assert (until in evening, until in morning) == (True, True)
    assert ("Fri 12 Jun, 11:30 pm" in evening, "Fri 12 Jun, 11:30 pm" in morning) == (False, True)


@pytest.mark.parametrize("address", ["/diary", "/diary/week"])
def test_the_therapist_reads_when_it_began(clinic: Staffed, address: str) -> None:
    shown = read(clinic.browser(ME), f"{address}?day={MORNING}")
    assert "Fri 12 Jun, 11:30 pm" in shown
    assert "the first at 11:30" not in shown


@pytest.mark.parametrize("address", ["/diary", "/diary/week"])
def test_the_therapist_reads_which_of_two_equal_times_it_is(app: Flask, address: str) -> None:
    """At two in the night the clock goes back to one."""
    made, night = staffed(app), dt.date(2026, 11, 1)
    hours = [WeeklyHours(night.weekday(), dt.time(0), dt.time(6))]
    premises.set_opening_of_day(made.world.place_id, night, hours, by=None, now=NOW)
    therapists.set_hours_of_day(made.me, made.world.place_id, night, hours, by=None, now=NOW)
    for hour in (4, 6):
        client = w.person()
        w.sign(client)
        when = dt.datetime(2026, 11, 1, hour, 30, tzinfo=dt.UTC)
        booked = w.at_desk(made.world, client, "swedish", when=when, therapist_id=made.me)
        assert booked.visit_id is not None
    shown = read(made.browser(ME), f"{address}?day={night}")
    assert ("12:30 am" in shown, "to 1:45 am EDT" in shown, "1:30 am EST" in shown) == (True, True, True)
