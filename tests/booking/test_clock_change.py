"""Visits around the two nights on which a clock is changed: on pages, in the API, in mails and calendar files."""

from __future__ import annotations

import datetime as dt
import html
import re
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from clinic.accounts.queries import hash_of
from clinic.api.services import make_token
from clinic.booking.models import Claim, Screening, Visit
from clinic.booking.services import time_off, visits
from clinic.booking.services.zone_change import change_zone
from clinic.premises.models import Clinic, OpeningHours
from clinic.shared.database import db, transaction
from clinic.shared.mail import OutgoingMail
from clinic.therapists.models import WorkingHours
from tests.booking import desk
from tests.booking import world as w
from tests.booking.test_feeds import read
from tests.conftest import NOW

pytestmark = pytest.mark.usefixtures("now")
MINUTES = 60


@pytest.fixture
def here(app: Flask) -> w.World:
    """Open without a pause, from 6 in the morning to 6 in the next, as far ahead as next spring."""
    made = w.build(therapists=2)
    with transaction() as session:
        session.execute(update(OpeningHours).values(opens=dt.time(6), closes=dt.time(6)))
        session.execute(update(WorkingHours).values(starts=dt.time(6), ends=dt.time(6)))
        session.execute(update(Clinic).values(horizon_days=365, uses_24_hours=True))
    return made


def person() -> int:
    """Somebody new with clear answers, who gets mails: the first visit takes 15 minutes longer."""
    client = w.person(email=f"pat{w.new_number()}@people.example")
    w.sign(client)
    return client


def plain(page: str) -> str:
    return html.unescape(page).replace("\N{NO-BREAK SPACE}", " ")


def booked(here: w.World, when: dt.datetime, **values: Any) -> int:
    outcome = w.at_desk(here, person(), "swedish", when=when, **values)
    assert outcome.visit_id is not None
    return outcome.visit_id


def row(visit_id: int) -> Visit:
    db.session.rollback()
    return db.session.get_one(Visit, visit_id)


class Program:
    """What a program of the desk reads of a visit."""

    def __init__(self, app: Flask) -> None:
        key = make_token("tests", "desk", (), per_minute=0, now=NOW)
        self.client, self.headers = app.test_client(), {"Authorization": f"Bearer {key}"}

    def visit(self, visit_id: int) -> Any:
        return self.client.get(f"/api/v1/visits/{visit_id}", headers=self.headers).get_json()

    def starts(self, day: str) -> list[str]:
        query = {"service": "swedish", "minutes": MINUTES, "from": day}
        found = self.client.get("/api/v1/availability", query_string=query, headers=self.headers)
        return [one["starts_at"] for one in found.get_json()["starts"]]


def test_a_time_that_does_not_exist_is_not_offered_and_said_to_be_missing(here: w.World, app: Flask) -> None:
    offered = Program(app).starts("2027-03-14")
    assert "2027-03-14T01:45:00-05:00" in offered
    assert "2027-03-14T03:00:00-04:00" in offered
    assert not [one for one in offered if "T02:" in one]
    browser = desk.desk_browser(app, here)
    page = plain(browser.get("/desk/visits/new?what=swedish||60&day=2027-03-14&at=02:30").text)
    assert "02:30 does not exist on this day: the clock is put forward." in page
    assert "01:45" in page
    assert "02:30 on" not in page


def test_a_time_that_exists_twice_is_told_apart_everywhere(here: w.World, app: Flask) -> None:
    first, second = (dt.datetime(2026, 11, 1, hour, 30, tzinfo=dt.UTC) for hour in (5, 6))
    program, browser = Program(app), desk.desk_browser(app, here)
    both = ["2026-11-01T01:30:00-04:00", "2026-11-01T01:30:00-05:00"]
    assert [one for one in program.starts("2026-11-01") if "T01:30" in one] == both
    asked = plain(browser.get("/desk/visits/new?what=swedish||60&day=2026-11-01&at=01:30").text)
    asked = asked.partition("The time you asked for")[2].partition("First times that fit")[0]
    assert ("01:30 EDT" in asked, "01:30 EST" in asked) == (True, True)
    shown = plain(app.test_client().get("/book/swedish/times?minutes=60&day=2026-11-01").text)
    assert "1:30 EDT with any therapist" in shown
    assert "1:30 EST with any therapist" in shown
    visit_ids = [booked(here, when) for when in (first, second)]
    for visit_id, text, name, when in zip(visit_ids, both, ("EDT", "EST"), (first, second), strict=True):
        found = row(visit_id)
        assert (found.starts_at, found.day, found.local_time, found.fold) == (
            when, dt.date(2026, 11, 1), dt.time(1, 30), int(name == "EST"),
        )  # fmt: skip
        assert program.visit(visit_id)["starts_at"] == text
        assert f"at 01:30 {name}" in plain(browser.get(f"/desk/visits/{visit_id}").text)
        mail = db.session.scalars(select(OutgoingMail).where(OutgoingMail.key.contains(str(visit_id)))).one()
        assert f"Sunday 1 November 2026 at 01:30 {name}" in plain(mail.text)
        with transaction() as session:
            session.get_one(Visit, visit_id).manage_hash = hash_of(name)
        page = plain(app.test_client().get(f"/visit/{name}").text)
        assert f"01:30 {name}" in page
        file = app.test_client().get(f"/visit/{name}/visit.ics").data
        assert [one[0] for one in read(file).values()] == [when]
    for view in ("therapists", "rooms", "list"):
        day = plain(browser.get(f"/desk?day=2026-11-01&view={view}").text)
        said = re.findall(r"01:30 E.T|(?:–|to )01:45 E.T", day)  # the first one ends at the second 01:45
        assert sorted(said) == sorted(
            ["01:30 EDT", "01:30 EST", f"{'–' if view == 'list' else 'to '}01:45 EST"]
        )


def test_one_of_two_equal_times_is_named_also_where_only_that_one_is_free(here: w.World, app: Flask) -> None:
    """A first visit with its turnover takes an hour and a half: what is off at its very end leaves the first free."""
    night = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)
    for gone, left in ((night.replace(hour=7), "EDT"), (night.replace(hour=5, minute=30), "EST")):
        off = [
            time_off.add_time_off(
                one, "off", gone, gone + dt.timedelta(minutes=10), "", by=here.desk_id, now=NOW
            )
            for one in here.therapists
        ]
        shown = plain(app.test_client().get("/book/relaxation/times?minutes=60&day=2026-11-01").text)
        assert re.findall(r"\b01:30( \w+)? with any therapist", shown) == [f" {left}"]
        for row, one in zip(off, here.therapists, strict=True):
            time_off.remove_time_off(row, one, by=here.desk_id, now=NOW)


NIGHTS = [
    # zone, wall time of the start, its offset, the end after 75 minutes
    ("America/New_York", "2026-10-31T23:30", "-04:00", "2026-11-01T00:45:00-04:00"),
    ("America/New_York", "2026-11-01T01:00", "-04:00", "2026-11-01T01:15:00-05:00"),
    ("America/New_York", "2027-03-14T01:30", "-05:00", "2027-03-14T03:45:00-04:00"),
    ("America/St_Johns", "2026-11-01T00:45", "-02:30", "2026-11-01T01:00:00-03:30"),
    ("Asia/Kathmandu", "2026-10-31T23:30", "+05:45", "2026-11-01T00:45:00+05:45"),
    ("Australia/Lord_Howe", "2026-10-04T01:15", "+10:30", "2026-10-04T03:00:00+11:00"),
    ("Australia/Sydney", "2026-10-04T01:15", "+10:00", "2026-10-04T03:30:00+11:00"),
    ("America/Santiago", "2026-09-05T23:30", "-04:00", "2026-09-06T01:45:00-03:00"),
    ("Africa/Cairo", "2026-10-29T23:15", "+03:00", "2026-10-29T23:30:00+02:00"),
]


def test_visits_of_a_changing_night_last_as_long_as_they_say(here: w.World, app: Flask) -> None:
    """In zones of whole, half and quarter hours, in both halves of the world, across midnight."""
    program = Program(app)
    for zone, typed, offset, end in NIGHTS:
        wall = dt.datetime.fromisoformat(typed)
        change_zone("Main Street", zone, by=None, now=NOW)
        start = wall.replace(tzinfo=ZoneInfo(zone)).astimezone(dt.UTC)
        visit_id = booked(here, start)
        found = row(visit_id)
        assert (found.day, found.local_time, found.zone) == (wall.date(), wall.time(), zone)
        assert (found.ends_at - found.starts_at, found.free_at - found.ends_at) == (
            dt.timedelta(minutes=75), dt.timedelta(minutes=15),
        )  # fmt: skip
        read_back = program.visit(visit_id)
        assert (read_back["starts_at"], read_back["ends_at"]) == (f"{wall.isoformat()}{offset}", end)
        assert read_back["day"] == wall.date().isoformat()
        claims = db.session.execute(select(Claim.starts_at).where(Claim.visit_id == visit_id)).scalars()
        assert set(claims) == {start}
        visits.cancel_visit(visit_id, by=here.desk_id, by_clinic=True, now=NOW)


def test_a_visit_moved_over_the_change_is_at_the_time_that_was_pressed(here: w.World, app: Flask) -> None:
    zone = ZoneInfo(w.ZONE)
    before, after = (dt.datetime(2026, 10, 31, 10, tzinfo=zone), dt.datetime(2026, 11, 1, 10, tzinfo=zone))
    visit_id = booked(here, before.astimezone(dt.UTC))
    browser: FlaskClient = desk.desk_browser(app, here)
    answer = browser.post(
        f"/desk/visits/{visit_id}/change",
        data={
            "what": "swedish||60", "areas": "full_body", "day": "2026-11-01", "revision": "1",
            "start": after.isoformat(),
        },
    )  # fmt: skip
    assert answer.status_code == 303, answer.text
    found = row(visit_id)
    assert (found.day, found.local_time, found.starts_at) == (after.date(), dt.time(10), after)
    assert after.astimezone(dt.UTC) - before.astimezone(dt.UTC) == dt.timedelta(hours=25)
    judged = db.session.get_one(Screening, found.screening_id or 0)
    assert (judged.day, judged.permits) == (after.date(), True)
    assert Program(app).visit(visit_id)["starts_at"] == "2026-11-01T10:00:00-05:00"
