"""Calendar files and feeds, read by two independent libraries: they agree with the page and with each other."""

from __future__ import annotations

import datetime as dt
import html
import re
from typing import Any

import icalendar
import pytest
from flask import Flask
from flask.testing import FlaskClient
from ical.calendar_stream import IcsCalendarStream
from sqlalchemy import select, update

from clinic.accounts.models import User, UserRole
from clinic.accounts.queries import hash_of
from clinic.booking.models import CalendarFeed, Visit
from clinic.booking.services import deadlines, holds, time_off, visits
from clinic.booking.services._programs import PROGRAM
from clinic.premises.models import Clinic, OpeningHours
from clinic.rules.permissions import Role
from clinic.shared.audit import AuditRow
from clinic.shared.database import db, transaction
from clinic.therapists.models import Therapist, WorkingHours
from tests import factories
from tests.booking import world as w
from tests.conftest import NOW
from tests.owners import browser_of, owner_browser, save_page
from tests.statements import counted
from tests.web import Visitor

pytestmark = pytest.mark.usefixtures("now")
PLAIN = re.compile(rb"[\x20-\x7e\x80-\xff]*")


def read(text: bytes) -> dict[str, tuple[Any, ...]]:
    """UID → what two independent readers make of the entry, which is the same; and no line is too long."""
    assert text.endswith(b"\r\n")
    for line in text.split(b"\r\n"):
        assert len(line) <= 75, line
        assert PLAIN.fullmatch(line), line
    first: dict[str, tuple[Any, ...]] = {}
    events: list[Any] = icalendar.Calendar.from_ical(text).walk("VEVENT")
    for event in events:
        first[str(event["uid"])] = (
            event["dtstart"].dt, event["dtend"].dt, str(event["summary"]), str(event["location"]),
            str(event["status"]), int(event["sequence"]),
        )  # fmt: skip
    second = {
        event.uid: (
            event.dtstart, event.dtend, event.summary, event.location or "", str(event.status.value), event.sequence,
        )
        for event in IcsCalendarStream.calendar_from_ics(text.decode()).events
        if event.status is not None
    }  # fmt: skip
    assert first == second
    return first


def address_on(page: str) -> str:
    found = re.search(r'id="address" value="http://[^/]+(/calendar/[\w-]+\.ics)"', html.unescape(page))
    assert found is not None, page
    return found[1]


def open_all_night(here: w.World) -> None:
    with transaction() as session:
        session.execute(update(OpeningHours).values(opens=dt.time(), closes=dt.time()))
        session.execute(update(WorkingHours).values(starts=dt.time(), ends=dt.time()))


def booked(here: w.World, client: int, when: dt.datetime, **values: Any) -> int:
    values.setdefault("therapist_id", here.therapists[0])
    visit_id = w.at_desk(here, client, "swedish", when=when, **values).visit_id
    assert visit_id is not None
    return visit_id


def therapist_browser(app: Flask, here: w.World) -> FlaskClient:
    user = factories.make_user(email="terry@clinic.example", roles=[Role.THERAPIST])
    with transaction() as session:
        session.get_one(Therapist, here.therapists[0]).user_id = user.id
    return browser_of(app, db.session.get_one(User, user.id))


def test_a_therapists_feed_shows_when_and_where_and_whom_by_initials(app: Flask) -> None:
    here = w.build(therapists=2)
    open_all_night(here)
    noa = factories.make_client(first_name="נועה", last_name="כהן", born_on=dt.date(1985, 5, 5)).id
    w.sign(noa)
    midnight = dt.datetime(2026, 11, 1, 4, tzinfo=dt.UTC)
    late = dt.datetime(2026, 11, 1, 6, 30, tzinfo=dt.UTC)
    first = booked(here, noa, midnight)
    second = booked(here, noa, late)
    gone = booked(here, noa, w.at(3, 10))
    booked(here, noa, w.at(5, 10), therapist_id=here.therapists[1])
    visits.cancel_visit(gone, by=here.desk_id, by_clinic=True, now=NOW)
    away = time_off.add_time_off(
        here.therapists[0], "off", w.at(4, 0), w.at(5, 0), "an operation", by=here.desk_id, now=NOW
    )
    days = w.TODAY + dt.timedelta(days=6), w.TODAY + dt.timedelta(days=7)
    holiday = time_off.add_time_off(
        here.therapists[0], "off", w.at(6, 0), w.at(8, 0), "", by=here.desk_id, now=NOW, days=days
    )
    browser = therapist_browser(app, here)
    assert "There is no address at the moment." in browser.get("/diary/calendar").text
    address = address_on(browser.post("/diary/calendar").text)
    feed = app.test_client().get(address)
    assert (feed.status_code, feed.mimetype) == (200, "text/calendar")
    assert feed.headers["Cache-Control"] == "private, no-store"
    found = {uid.partition("@")[0]: row for uid, row in read(feed.data).items()}
    rooms = {row.id: row.room.name for row in db.session.scalars(select(Visit))}
    assert {key: row[:3] for key, row in found.items()} == {
        f"visit-{first}": (midnight, midnight + dt.timedelta(minutes=75), "Visit נ. כ."),
        f"visit-{second}": (late, late + dt.timedelta(minutes=60), "Visit נ. כ."),
        f"visit-{gone}": (w.at(3, 10), w.at(3, 11, 15), "Visit נ. כ."),
        f"off-{away}": (w.at(4, 0), w.at(5, 0), "Time off"),
        f"off-{holiday}": (days[0], days[1] + dt.timedelta(days=1), "Time off"),  # dates: by every clock
    }
    assert found[f"visit-{second}"][3:] == (rooms[second], "CONFIRMED", 1)
    assert found[f"visit-{gone}"][4:] == ("CANCELLED", 2)
    text = feed.data.decode().replace("\r\n ", "")
    for word in ("כהן", "נועה", "Swedish", "operation", "swedish"):
        assert word not in text
    kept = db.session.scalars(select(CalendarFeed.token_hash)).one()
    assert address.rsplit("/", 1)[1].removesuffix(".ics") not in kept


def test_a_visit_that_is_given_back_at_its_deadline_is_taken_out_of_the_calendars(app: Flask) -> None:
    """An entry that only vanishes from a feed stays in a calendar that merges. What never was a visit is in none."""
    here = w.build(therapists=1)
    user = factories.make_user(email="ann@people.example", roles=[Role.CLIENT])
    ann = factories.make_client(
        first_name="Ann", last_name="Alone", born_on=dt.date(1980, 3, 3), acts={user.id: "self"}
    ).id
    waits = booked(here, ann, w.at(4, 10))
    kept = holds.keep_time(w.choice("swedish"), w.at(3, 10), client_id=ann, source=PROGRAM, by=None, now=NOW)
    feeds = [
        address_on(therapist_browser(app, here).post("/diary/calendar").text),
        address_on(browser_of(app, db.session.get_one(User, user.id)).post("/my/calendar").text),
    ]

    def shown() -> list[dict[str, tuple[str, int]]]:
        found = [read(app.test_client().get(one).data) for one in feeds]
        return [{uid.partition("@")[0]: row[4:] for uid, row in one.items()} for one in found]

    assert shown() == [{f"visit-{waits}": ("TENTATIVE", 1)}] * 2
    deadlines.keep_deadlines(w.at(4, 9))
    db.session.rollback()
    assert {db.session.get_one(Visit, one).status for one in (waits, kept)} == {"released"}
    assert shown() == [{f"visit-{waits}": ("CANCELLED", 2)}] * 2


@pytest.mark.parametrize("loss", ["role", "account", "switched off"])
def test_an_address_opens_nothing_once_its_therapist_may_not_see_the_diary(app: Flask, loss: str) -> None:
    here = w.build(therapists=1)
    address = address_on(therapist_browser(app, here).post("/diary/calendar").text)
    assert app.test_client().get(address).status_code == 200
    with transaction() as session:
        therapist = session.get_one(Therapist, here.therapists[0])
        user = session.get_one(User, therapist.user_id)
        if loss == "role":
            user.role_rows[:] = [UserRole(role=Role.FRONT_DESK)]
        elif loss == "account":
            therapist.user_id = None
        else:
            user.is_active = False
    assert app.test_client().get(address).status_code == 404


def test_an_owner_who_treats_without_the_role_has_one_too(app: Flask) -> None:
    here, owner = w.build(therapists=1), owner_browser(app)
    with transaction() as session:
        owners = select(UserRole.user_id).where(UserRole.role == Role.OWNER)
        session.get_one(Therapist, here.therapists[0]).user_id = session.scalars(owners).one()
    address = address_on(owner.post(f"/owner/therapists/{here.therapists[0]}/calendar").text)
    assert app.test_client().get(address).status_code == 200


def test_the_owner_makes_one_for_a_therapist_without_an_account(app: Flask) -> None:
    here, owner = w.build(therapists=1), owner_browser(app)
    address = address_on(owner.post(f"/owner/therapists/{here.therapists[0]}/calendar").text)
    assert app.test_client().get(address).status_code == 200


def test_an_address_is_ended_replaced_and_guessed_slowly(app: Flask) -> None:
    here = w.build(therapists=1)
    browser = therapist_browser(app, here)
    stranger = app.test_client()
    old = address_on(browser.post("/diary/calendar").text)
    assert old not in browser.get("/diary/calendar").text
    new = address_on(browser.post("/diary/calendar", data={"sure": "1"}).text)
    assert (stranger.get(old).status_code, stranger.get(new).status_code) == (404, 200)
    owner = owner_browser(app)
    page = f"/owner/therapists/{here.therapists[0]}/calendar"
    assert "End the address" in owner.get(page).text
    assert owner.post(f"{page}/end", data={"sure": "1"}).status_code == 303
    assert stranger.get(new).status_code == 404
    newest = address_on(owner.post(page).text)
    with transaction() as session:
        session.get_one(Therapist, here.therapists[0]).is_active = False
    assert stranger.get(newest).status_code == 404
    deeds = [row.deed for row in db.session.scalars(select(AuditRow).order_by(AuditRow.sequence))]
    assert [one for one in deeds if one.startswith("feed.")] == [
        "feed.made",
        "feed.made",
        "feed.ended",
        "feed.made",
    ]
    assert {stranger.get(f"/calendar/guess{number}.ics").status_code for number in range(26)} == {404}
    answers = [stranger.get(f"/calendar/more{number}.ics").status_code for number in range(4)]
    assert answers[-1] == 429
    assert owner.get("/owner/therapists/999/calendar").status_code == 404


def test_a_form_sent_again_makes_no_other_address(app: Flask) -> None:
    here = w.build(therapists=1)
    browser, page = therapist_browser(app, here), "/diary/calendar"
    first = address_on(save_page(browser, page).text)
    assert browser.post(page, data={"stands": ""}).location == page  # the page with the address, reloaded
    assert "An address was made already" in browser.get(page).text
    assert app.test_client().get(first).status_code == 200
    assert address_on(save_page(browser, page, sure="1").text) != first
    assert app.test_client().get(first).status_code == 404


def test_a_clients_feed_shows_their_people_as_their_pages_do(app: Flask) -> None:
    here = w.build(therapists=2)
    user = factories.make_user(email="ann@people.example", roles=[Role.CLIENT])
    people = [
        factories.make_client(
            first_name=name, last_name="Alone", born_on=dt.date(1980, 3, 3), acts={user.id: relation}
        ).id
        for name, relation in (("Ann", "self"), ("Ben", "other"))
    ]  # fmt: skip
    w.sign(people[0])
    with transaction() as session:
        session.execute(update(Clinic).values(name="Still; Waters, \\ Spa " + "long " * 20))
    mine = booked(here, people[0], w.at(3, 10))
    waits = w.at_desk(here, people[1], "swedish", when=w.at(4, 10)).visit_id
    other = w.person()
    w.sign(other)
    booked(here, other, w.at(5, 10))
    browser = browser_of(app, db.session.get_one(User, user.id))
    address = address_on(browser.post("/my/calendar").text)
    found = {uid.partition("@")[0]: row for uid, row in read(app.test_client().get(address).data).items()}
    assert set(found) == {f"visit-{mine}", f"visit-{waits}"}
    title = "Visit at Still; Waters, \\ Spa " + "long " * 20
    assert found[f"visit-{mine}"][2:] == (f"{title} (A. A.)", "12 Main Street, Springfield", "CONFIRMED", 1)
    assert found[f"visit-{waits}"][2:5] == (f"{title} (B. A.)", "12 Main Street, Springfield", "TENTATIVE")
    one = read(browser.get(f"/my/visits/{mine}/visit.ics").data)
    assert [row[:2] for row in one.values()] == [(w.at(3, 10), w.at(3, 11, 15))]
    assert list(one) == [uid for uid in one if uid.startswith(f"visit-{mine}@")]
    visits.change_visit(mine, revision=1, starts_at=w.at(6, 12), by=here.desk_id, now=NOW)
    again = read(browser.get(f"/my/visits/{mine}/visit.ics").data)
    assert list(again) == list(one)
    assert [(row[0], row[5]) for row in again.values()] == [(w.at(6, 12), 2)]
    with counted() as few:
        app.test_client().get(address)
    for day in range(8, 14):
        booked(here, people[0], w.at(day, 15))
    with counted() as many:
        app.test_client().get(address)
    assert len(few) == len(many) <= 12
    with transaction() as session:
        session.get_one(User, user.id).is_active = False
    assert app.test_client().get(address).status_code == 404


def test_what_stands_in_calendars_keeps_its_name_when_the_sender_of_mails_changes(app: Flask) -> None:
    """Under another name each visit would stand there twice."""
    here = w.build(therapists=1)
    person = w.person()
    w.sign(person)
    visit_id = booked(here, person, w.at(3, 10))
    address = address_on(therapist_browser(app, here).post("/diary/calendar").text)
    assert list(read(app.test_client().get(address).data)) == [f"visit-{visit_id}@stillwaters.example"]
    save_page(owner_browser(app), "/owner/settings", mail_sender="hello@other.example")
    db.session.rollback()
    assert db.session.scalars(select(Clinic.mail_sender)).one() == "hello@other.example"
    assert list(read(app.test_client().get(address).data)) == [f"visit-{visit_id}@stillwaters.example"]


def test_a_file_does_not_say_that_somebody_may_be_known(app: Flask) -> None:
    """Whoever books as somebody new is told the same whether or not the desk has to look first."""
    app.test_client_class = Visitor
    here = w.build(therapists=1)
    person = w.person()
    w.sign(person)
    visit_id = booked(here, person, w.at(3, 10))
    with transaction() as session:
        visit = session.get_one(Visit, visit_id)
        assert visit.client is not None
        visit.client.is_unproven = True
        visit.status, visit.permits, visit.waiting_for, visit.manage_hash = (
            "pending",
            None,
            "review",
            hash_of("key"),
        )
    file = app.test_client().get("/visit/key/visit.ics")
    assert [row[4] for row in read(file.data).values()] == ["CONFIRMED"]
