"""What helps a client who finds no time: the nearest change, as a button that carries the order on."""

from __future__ import annotations

import datetime as dt
import html
import re
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import delete, select

from clinic.accounts.models import User
from clinic.booking.models import Visit
from clinic.booking.services import time_off
from clinic.premises.models import Device, Location
from clinic.rules.permissions import Role
from clinic.shared.database import db, transaction
from clinic.therapists.models import WorkingHours
from tests import factories
from tests.booking import world as w
from tests.booking.test_gate_edges import HAEMOPHILIA
from tests.conftest import NOW
from tests.owners import browser_of
from tests.statements import counted
from tests.web import Visitor

pytestmark = pytest.mark.usefixtures("now")


def helps(page: str) -> dict[str, dict[str, str]]:
    """Each button's words → the fields of its form."""
    found = {}
    for form in re.findall(r'<form method="post" action="[^"]*/times">(.*?)</form>', page, re.DOTALL):
        button = re.search(r'btn-wide" type="submit" name="slot" value="([^"]+)">([^<]+)<', form)
        if button:
            fields = dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', form))
            words = html.unescape(button[2]).replace("\N{NO-BREAK SPACE}", " ")
            found[words] = {**fields, "slot": button[1]}
    return found


def away(here: w.World, therapist: int, first: int, days: int) -> None:
    time_off.add_time_off(
        therapist, "off", w.at(first, 0), w.at(first + days, 0), "an operation", by=here.desk_id, now=NOW
    )


def get(browser: FlaskClient, service: str = "swedish", **query: Any) -> str:
    values = {"minutes": 60, **query}
    answer = browser.get(f"/book/{service}/times", query_string=values)
    assert answer.status_code == 200
    return answer.text


def somebody_known(app: Flask) -> tuple[int, FlaskClient]:
    """A client, and the browser in which they are signed in."""
    user = factories.make_user(email="ann@people.example", roles=[Role.CLIENT])
    ann = factories.make_client(
        first_name="Ann", last_name="Alone", born_on=dt.date(1990, 3, 3), acts={user.id: "self"}
    ).id
    return ann, browser_of(app, db.session.get_one(User, user.id))


def test_another_therapist_is_named_and_her_button_holds_the_time(app: Flask) -> None:
    app.test_client_class = Visitor
    here = w.build(therapists=2)
    ana, ben = here.therapists
    away(here, ana, 0, 70)
    browser = app.test_client()
    page = get(browser, therapist=ana)
    found = helps(page)
    assert list(found) == ["With Terry 1: Tuesday 9 June, 10:00 am"]
    assert "operation" not in page
    answer = browser.post("/book/swedish/times", data=found["With Terry 1: Tuesday 9 June, 10:00 am"])
    assert (answer.status_code, answer.location) == (303, "/book/next")
    visit = db.session.scalars(select(Visit)).one()
    assert (visit.therapist_id, visit.starts_at, visit.status) == (ben, w.at(0, 10), "held")
    assert not visit.any_therapist


def test_shorter_without_an_addon_and_later_are_tried(app: Flask) -> None:
    app.test_client_class = Visitor
    here = w.build(therapists=1)
    (ana,) = here.therapists
    with transaction() as session:
        session.execute(delete(WorkingHours))
        for device in session.scalars(select(Device).where(Device.device_kind == "stone_heater")):
            device.is_active = False
    factories.save(
        WorkingHours(
            therapist_id=ana, location_id=here.place_id, weekday=4, starts=dt.time(9), ends=dt.time(10, 15)
        )
    )
    browser = app.test_client()
    assert list(helps(get(browser, minutes=90))) == ["1 hour: Friday 12 June, 9:00 am"]
    hot = helps(get(browser, addons="hot_stone"))
    assert list(hot) == ["Without hot stones: Friday 12 June, 9:00 am"]
    assert "addons" not in hot["Without hot stones: Friday 12 June, 9:00 am"]
    browser.environ_base["HTTP_ACCEPT_LANGUAGE"] = "de"
    assert "Ohne Heiße Steine" in get(browser, addons="hot_stone")
    del browser.environ_base["HTTP_ACCEPT_LANGUAGE"]
    empty = get(browser, day="2026-06-11")
    assert "No free times on Thursday 11 June" in html.unescape(empty).replace("\N{NO-BREAK SPACE}", " ")
    assert list(helps(empty)) == ["The next free day: Friday 12 June, 9:00 am"]
    assert helps(get(browser, day="2026-06-12")) == {}


def test_another_place_is_proposed_where_there_is_one(app: Flask) -> None:
    app.test_client_class = Visitor
    here = w.build(therapists=1)
    time_off.add_closure(here.place_id, None, w.at(0, 0), w.at(70, 0), "rebuilt", by=here.desk_id, now=NOW)
    harbour = factories.make_location(zone=w.ZONE, name="Harbour")
    factories.make_room(harbour)
    ben = factories.make_therapist(name="Ben", skills=w.SKILLS)
    factories.make_hours(ben, harbour, starts="12:00", ends="20:00", weekdays=range(7))
    browser = app.test_client()
    found = helps(get(browser))
    assert list(found) == ["At Harbour: Tuesday 9 June, 12:00 pm"]
    browser.post("/book/swedish/times", data=found["At Harbour: Tuesday 9 June, 12:00 pm"])
    assert db.session.scalars(select(Visit.location_id)).one() == harbour.id


def test_nothing_is_proposed_that_the_gate_refuses(app: Flask) -> None:
    """And the number of statements does not grow with the clinic."""
    here = w.build(therapists=2)
    away(here, here.therapists[0], 0, 70)
    ann, browser = somebody_known(app)
    w.sign(ann)
    wanted: dict[str, Any] = {
        "service": "decompression_vacuum",
        "minutes": 45,
        "therapist": here.therapists[0],
    }
    with counted() as two:
        assert len(helps(get(browser, **wanted))) == 1
    for number in range(3):
        one = factories.make_therapist(name=f"More {number}", skills=w.SKILLS)
        place = db.session.get_one(Location, here.place_id)
        factories.make_hours(one, place, starts="08:00", ends="20:00", weekdays=range(7))
    with counted() as five:
        assert len(helps(get(browser, **wanted))) == 1
    assert len(five) == len(two) <= 100
    w.sign(ann, now=NOW + dt.timedelta(minutes=1), bleeding_disorder=HAEMOPHILIA)
    page = get(browser, **wanted)
    assert helps(page) == {}
    assert "bleed" not in page


def test_what_the_gate_refuses_today_it_may_let_in_some_days_later(app: Flask) -> None:
    """Deep work is safe again six weeks after a birth, which is on the fifth of the days shown."""
    here = w.build(therapists=2)
    away(here, here.therapists[0], 0, 70)
    ann, browser = somebody_known(app)
    w.sign(ann, postpartum={"date": (w.TODAY - dt.timedelta(days=38)).isoformat()})
    found = list(helps(get(browser, "deep_tissue", therapist=here.therapists[0])))
    assert found == ["With Terry 1: Saturday 13 June, 8:00 am"]


def test_the_next_free_day_is_one_on_which_the_gate_lets_them_in(app: Flask) -> None:
    here = w.build(therapists=1)
    away(here, here.therapists[0], 0, 14)
    ann, browser = somebody_known(app)
    w.sign(ann, postpartum={"date": (w.TODAY - dt.timedelta(days=25)).isoformat()})
    found = list(helps(get(browser, "deep_tissue")))
    assert found == ["The next free day: Friday 26 June, 8:00 am"]
