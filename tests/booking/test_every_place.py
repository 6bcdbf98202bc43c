"""Three places in three zones, one of them a quarter of an hour off: every list says the wall time of a visit's own
place, and whole days off hold on every wall."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from clinic.booking.models import StatusChange, Visit
from clinic.booking.queries import blocks, in_the_way
from clinic.booking.queries.availability import Ask, look
from clinic.booking.services import time_off, zone_change
from clinic.catalogue import queries as catalogue
from clinic.rules.permissions import Role
from clinic.rules.wall_time import moment
from clinic.shared.database import db, transaction
from clinic.therapists.models import Therapist, TimeOff
from tests import factories
from tests.booking import world as w
from tests.conftest import NOW
from tests.diary.staff import ME, Staffed, person_with, staffed

pytestmark = pytest.mark.usefixtures("now")

FRIDAY = dt.date(2026, 6, 12)
ZONES = {"Main Street": w.ZONE, "Mitte": "Europe/Berlin", "Thamel": "Asia/Kathmandu"}
TIMES = {"Main Street": dt.time(10), "Mitte": dt.time(9), "Thamel": dt.time(9, 15)}


@dataclass(frozen=True)
class Chain:
    """Terry 1 works at all three: in the morning in Berlin and Kathmandu, from 8:00 to 20:00 in New York."""

    clinic: Staffed
    places: dict[str, int]
    visits: dict[str, int]
    client: int


def at(place: str, day: dt.date = FRIDAY, time: dt.time | None = None) -> dt.datetime:
    """A wall time at that place."""
    wall = dt.datetime.combine(day, time or TIMES[place], ZoneInfo(ZONES[place]))
    return wall.astimezone(dt.UTC)


@pytest.fixture
def chain(app: Flask) -> Chain:
    clinic = staffed(app)
    me = db.session.get_one(Therapist, clinic.me)
    places = {"Main Street": clinic.world.place_id}
    for name in ("Mitte", "Thamel"):
        place = factories.make_location(zone=ZONES[name], name=name)
        factories.make_room(place, name=f"{name} 1")
        factories.make_hours(me, place, starts="08:00", ends="12:00", weekdays=range(7))
        places[name] = place.id
    client = w.person()
    w.sign(client)
    booked = {
        name: w.at_desk(
            clinic.world, client, "relaxation", when=at(name), therapist_id=clinic.me, location_id=place
        ).visit_id
        or 0
        for name, place in places.items()
    }
    return Chain(clinic, places, booked, client)


def friday_off(chain: Chain) -> int:
    """Terry 1 takes the whole Friday off; returns the number of the row."""
    start = at("Main Street", FRIDAY, dt.time())
    return time_off.add_time_off(
        chain.clinic.me,
        "off",
        start,
        start + dt.timedelta(days=1),
        "",
        by=None,
        now=NOW,
        days=(FRIDAY, FRIDAY),
    )


def read(browser: FlaskClient, address: str) -> str:
    """The page, its lines as they would be broken."""
    return browser.get(address).text.replace("\N{NO-BREAK SPACE}", " ")


def said(place: str) -> str:
    time = TIMES[place]
    return f"Friday 12 June 2026 at {time.hour}:{time.minute:02} am, {place}"


def test_every_list_says_the_wall_time_of_the_place(chain: Chain) -> None:
    friday_off(chain)
    desk = chain.clinic.browser(person_with(Role.FRONT_DESK))
    me = chain.clinic.browser(ME)
    lists = (
        (desk, "/todo"), (desk, f"/clients/{chain.client}"), (desk, f"/desk/sick-day/{chain.clinic.me}/plan"),
        (desk, f"/desk/time-off?therapist={chain.clinic.me}"), (me, "/diary/time-off"),
    )  # fmt: skip
    for browser, address in lists:
        page = read(browser, address)
        assert [place for place in chain.places if said(place) not in page] == [], address
    by_day = read(desk, f"/desk/sick-day/{chain.clinic.me}").split(">Friday 12 June <", 1)[1]
    assert [place for place in chain.places if said(place).partition(" at ")[2] not in by_day] == []
    for place, visit in chain.visits.items():
        for browser, address in (
            (desk, f"/desk/visits/{visit}"), (desk, f"/desk/visits/{visit}/change"),
            (desk, f"/desk/visits/{visit}/swap"), (desk, f"/desk/visits/{visit}/cancel"),
            (me, f"/diary/visits/{visit}"),
        ):  # fmt: skip
            assert said(place) in read(browser, address), address
    with transaction() as session:
        for row in session.scalars(select(Visit)):
            row.status, row.permits, row.waiting_for = "suspended", None, "review"
            session.add(StatusChange(visit_id=row.id, status="suspended", at=NOW, reason="new rules"))
    for browser, address in ((me, "/diary"), (desk, "/todo")):
        page = read(browser, address)
        assert [place for place in chain.places if said(place) not in page] == [], address


def test_my_week_has_the_hours_and_visits_of_every_place(chain: Chain) -> None:
    me = chain.clinic.browser(ME)
    week = read(me, "/diary/week?day=2026-06-12")
    assert "3 visits." in week
    columns = week.split("dg-col")[1:]
    assert len([one for one in columns if "Fri 12" in one]) == 3
    for place, time in TIMES.items():
        (mine,) = [one for one in columns if f"/diary/visits/{chain.visits[place]}" in one]
        assert f"{time.hour}:{time.minute:02}" in mine.split("ev-time")[1][:60]
        assert place in mine
    day = read(me, "/diary?day=2026-06-12")
    hours = (
        "8:00 am to 8:00 pm, Main Street (New York); 8:00 am to 12:00 pm, Mitte (Berlin);"
        " 8:00 am to 12:00 pm, Thamel (Kathmandu)."
    )
    assert f"Your hours: {hours}" in day


def free(chain: Chain, place: str, day: dt.date) -> list[str]:
    """Starts that day, as the wall there shows them."""
    plan = catalogue.plan_for("relaxation", None, (), 60, first_visit=False)
    assert plan is not None
    found = look(Ask(plan, chain.places[place], day, 1, NOW, therapist_id=chain.clinic.me, by_staff=True))
    return [f"{moment(one.starts_at).astimezone(ZoneInfo(ZONES[place])):%H:%M}" for one in found.starts()]


def test_whole_days_off_hold_on_every_wall_and_no_longer(chain: Chain) -> None:
    eve, after = FRIDAY - dt.timedelta(days=1), FRIDAY + dt.timedelta(days=1)
    before = {(place, day): free(chain, place, day) for place in chain.places for day in (eve, after)}
    row = friday_off(chain)
    assert {place: free(chain, place, FRIDAY) for place in chain.places} == {
        place: [] for place in chain.places
    }
    assert {key: free(chain, *key) for key in before} == before
    assert before["Main Street", eve][-1] == "19:00"  # already Friday in Kathmandu and Berlin
    under = [one.id for one in blocks.visits_under_time_off(chain.clinic.me, NOW)]
    assert sorted(under) == sorted(chain.visits.values())
    assert [one.id for one in blocks.therapists_off(NOW)] == [chain.clinic.me]
    zone_change.change_zone("Thamel", "Pacific/Auckland", now=NOW)
    kept = db.session.get_one(TimeOff, row)
    assert (kept.starts_at, kept.ends_at) == (
        dt.datetime(2026, 6, 11, 12, tzinfo=dt.UTC), at("Main Street", after, dt.time())
    )  # fmt: skip


def test_visits_next_to_a_whole_day_off_are_not_touched_by_it(chain: Chain) -> None:
    """20:00 on Thursday in New York is Friday in Berlin already."""
    late = w.person()
    w.sign(late)
    eve = FRIDAY - dt.timedelta(days=1)
    outcome = w.at_desk(
        chain.clinic.world, late, "relaxation", when=at("Main Street", eve, dt.time(18, 30)),
        therapist_id=chain.clinic.me,
    )  # fmt: skip
    assert outcome.visit_id is not None
    friday_off(chain)
    under = {one.id for one in in_the_way.visits_under(NOW)}
    assert under == set(chain.visits.values())


def test_hours_off_are_typed_by_the_clock_of_the_chosen_place(chain: Chain) -> None:
    me = chain.clinic.browser(ME)
    asked = {"kind": "meeting", "starts_on": "2026-06-15", "starts": "9", "ends": "10"}
    for place in ("Mitte", "Thamel"):
        me.post("/diary/time-off", data={**asked, "place": chain.places[place]})
    me.post(
        "/diary/time-off", data=asked
    )  # that day they start work in Berlin and Kathmandu at once: the first
    me.post(
        "/diary/time-off", data={"kind": "off", "starts_on": "2026-06-16", "place": chain.places["Mitte"]}
    )
    db.session.rollback()
    rows = db.session.scalars(select(TimeOff).order_by(TimeOff.id)).all()
    monday = dt.date(2026, 6, 15)
    assert [(row.location_id, row.starts_at) for row in rows[:3]] == [
        (chain.places["Mitte"], at("Mitte", monday, dt.time(9))),
        (chain.places["Thamel"], at("Thamel", monday, dt.time(9))),
        (chain.places["Main Street"], at("Main Street", monday, dt.time(9))),
    ]
    assert [(row.location_id, row.days) for row in rows[3:]] == [
        (None, (monday + dt.timedelta(days=1), monday + dt.timedelta(days=1)))
    ]
    page = read(me, "/diary/time-off")
    assert "Monday 15 June 2026, 9:00 am to 10:00 am, Thamel" in page
    assert "Tuesday 16 June, the whole day" in page
    zone_change.change_zone("Mitte", "Europe/London", now=NOW)
    db.session.rollback()
    moved = [row.starts_at for row in db.session.scalars(select(TimeOff).order_by(TimeOff.id))]
    assert moved[:3] == [
        at("Mitte", monday, dt.time(10)), at("Thamel", monday, dt.time(9)), at("Main Street", monday, dt.time(9))
    ]  # fmt: skip


def test_who_cannot_work_today_is_off_today_on_every_wall(chain: Chain) -> None:
    me = chain.clinic.browser(ME)
    assert "Tuesday 9 June, the whole day. Nothing is saved yet." in read(me, "/diary/time-off/today")
    assert me.post("/diary/time-off/today").status_code == 303
    db.session.rollback()
    assert [row.days for row in db.session.scalars(select(TimeOff))] == [(w.TODAY, w.TODAY)]
    tomorrow = w.TODAY + dt.timedelta(days=1)
    assert {place: bool(free(chain, place, w.TODAY)) for place in chain.places} == dict.fromkeys(
        chain.places, False
    )
    assert all(free(chain, place, tomorrow) for place in chain.places)
    assert "9:15 am, Thamel, the last until 11:15 am, Main Street" in read(me, "/diary?day=2026-06-12")


def test_a_day_off_that_has_begun_further_east_only_is_no_day_off_yet(chain: Chain) -> None:
    """At 15:00 in New York it is tomorrow in Kathmandu already: whoever falls ill is entered as off today."""
    tomorrow = w.TODAY + dt.timedelta(days=1)
    time_off.add_time_off(
        chain.clinic.me, "off", w.at(1, 0), w.at(2, 0), "", by=None, now=NOW, days=(tomorrow, tomorrow)
    )
    with time_machine.travel(w.at(0, 15), tick=False):
        me = chain.clinic.browser(ME)
        assert 'href="/diary/time-off/today"' in me.get("/diary").text
        assert "Nothing is saved yet." in me.get("/diary/time-off/today").text
        me.post("/diary/time-off/today")
        me.post("/diary/time-off/today")  # twice is once
        assert "You are not in at the moment" in me.get("/diary").text
    db.session.rollback()
    rows = db.session.scalars(select(TimeOff).order_by(TimeOff.id))
    assert [row.days for row in rows] == [(tomorrow, tomorrow), (w.TODAY, w.TODAY)]


def test_a_coming_visit_further_west_is_judged_again_though_its_day_is_over_at_the_first_place(
    app: Flask,
) -> None:
    """Past midnight in New York; in Honolulu it is seven in the evening before."""
    world = w.build(therapists=1)
    west = factories.make_location(zone="Pacific/Honolulu", name="West", closes="23:00")
    factories.make_room(west, name="West 1")
    terry = db.session.get_one(Therapist, world.therapists[0])
    factories.make_hours(terry, west, starts="08:00", ends="23:00", weekdays=range(7))
    client, late = w.person(), dt.datetime.combine(FRIDAY, dt.time(1), ZoneInfo(w.ZONE)).astimezone(dt.UTC)
    w.sign(client)
    visit = w.at_desk(
        world, client, "deep_tissue", when=late + dt.timedelta(hours=2), location_id=west.id
    ).visit_id
    assert w.statuses(client) == ["confirmed"]
    w.sign(client, now=late, fracture={"date": "2026-06-01"})
    assert w.statuses(client) == ["cancelled"]
    assert db.session.get_one(Visit, visit).permits is None
    new_here = w.person()
    w.sign(new_here, now=late)  # dated tomorrow, seen from there
    w.at_desk(world, new_here, "relaxation", when=late + dt.timedelta(hours=2), location_id=west.id)
    assert w.statuses(new_here) == ["confirmed"]
