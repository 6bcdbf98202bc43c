"""The desk books a series: says it once, sees each date, books what was chosen, and cancels what is left."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from clinic.accounts.models import User
from clinic.booking.models import Series, Visit
from clinic.booking.services import visits as bookings
from clinic.booking.services.series_starts import OneStart
from clinic.clients.models import ClientAccess
from clinic.rules.permissions import Role
from clinic.shared.database import db
from tests import factories
from tests.booking import walk
from tests.booking import world as w
from tests.booking.desk import desk_browser
from tests.booking.test_from_day import OPERATED
from tests.booking.test_series import BLEEDS, book, rows, somebody
from tests.conftest import NOW
from tests.owners import browser_of

pytestmark = pytest.mark.usefixtures("now")


def order(**values: Any) -> dict[str, Any]:
    return {
        "what": "relaxation||60", "areas": ["full_body"], "therapist": "", "at": "10:00", "every": "2", "count": "4",
        "day": (w.TODAY + dt.timedelta(days=3)).isoformat(), "request_key": f"s-{w.new_number()}", **values,
    }  # fmt: skip


def pressed(desk: FlaskClient, address: str, **data: str) -> str:
    """Press a button, and read the page that comes."""
    return desk.get(desk.post(address, data=data).location).text


def picks(page: str) -> dict[str, str]:
    """What the page has chosen before anybody touches it."""
    return dict(re.findall(r'name="(date-\d+)" id="[^"]+" value="([^"]*)" checked', page))


def test_a_series_is_planned_booked_listed_and_cancelled(app: Flask, world: w.World) -> None:
    desk, client, ana = desk_browser(app, world), somebody(), str(world.therapists[0])
    w.at_desk(world, somebody(), "relaxation", when=w.at(17), therapist_id=world.therapists[0])
    first = w.at_desk(world, client, "relaxation", when=w.at(1, 9), therapist_id=world.therapists[0]).visit_id
    address = f"/clients/{client}/series/new"
    start = desk.get(f"{address}?visit={first}").text
    assert 'value="09:00"' in start
    assert 'value="2026-06-24"' in start
    page = desk.post(address, data=order(therapist=ana))
    assert page.status_code == 200
    assert "3 of 4 fit." in page.text
    assert "1 date does not fit. It is left out unless you choose a time nearby for it." in page.text
    assert "Book the chosen visits</button>" in page.text
    assert "This time is not free." in page.text
    assert rows(Visit) == 2
    chosen = picks(page.text)
    assert [one.partition("|")[0] for one in chosen.values()] == [
        w.at(3).isoformat(), "", w.at(31).isoformat(), w.at(45).isoformat()
    ]  # fmt: skip
    instead = re.findall(r'name="date-1" id="[^"]+" value="([^"]+)"', page.text)[0]
    sent = {**order(therapist=ana), **chosen, "date-1": instead, "book": "1"}
    answer = desk.post(address, data=sent)
    assert answer.status_code == 303
    assert desk.post(address, data=sent).location == answer.location, "a double click"
    assert rows(Series) == 1
    booked = db.session.scalars(
        select(Visit).where(Visit.series_id.is_not(None)).order_by(Visit.starts_at)
    ).all()
    assert [one.starts_at for one in booked] == [w.at(3), w.at(17, 8, 45), w.at(31), w.at(45)]
    assert [(one.status, one.waiting_for) for one in booked] == [("confirmed", None)] * 4
    listed = desk.get(answer.location).text
    assert "Series of 4 visits" in listed
    assert "4 still to come" in listed
    assert f"/desk/visits/{booked[0].id}" in listed
    assert answer.location in desk.get(f"/desk/visits/{booked[0].id}").text
    gone = pressed(desk, f"{answer.location}/cancel", cancelled_by="client", sure="1")
    assert "4 visits are cancelled." in gone
    assert w.statuses(client) == ["confirmed", *["cancelled"] * 4]
    again = pressed(desk, f"{answer.location}/cancel", sure="1")
    assert "No visit of this series is left to cancel." in again


def test_the_desk_is_told_that_not_every_visit_of_a_series_is_confirmed(app: Flask, world: w.World) -> None:
    """Two of the four wait for a letter."""
    desk = desk_browser(app, world)
    for client, told, other in (
        (somebody(), "The series is in the book.", "Not every visit is confirmed yet"),
        (somebody(**OPERATED), "Not every visit is confirmed yet", "The series is in the book."),
    ):
        address, wanted = f"/clients/{client}/series/new", order(every="1")
        chosen = picks(desk.post(address, data=wanted).text)
        page = pressed(desk, address, **{**wanted, "areas": "full_body", **chosen, "book": "1"})
        assert told in page
        assert other not in page


def test_what_was_taken_meanwhile_is_shown_afresh(app: Flask, world: w.World) -> None:
    desk, client, ana = desk_browser(app, world), somebody(), str(world.therapists[0])
    address = f"/clients/{client}/series/new"
    chosen = picks(desk.post(address, data=order(therapist=ana)).text)
    w.at_desk(world, somebody(), "relaxation", when=w.at(31), therapist_id=world.therapists[0])
    answer = desk.post(address, data={**order(therapist=ana), **chosen, "book": "1"})
    assert answer.status_code == 409
    assert "One of these times has just been taken." in answer.text
    assert "3 of 4 fit." in answer.text
    assert [one.partition("|")[0] for one in picks(answer.text).values()][2] == ""
    assert (rows(Series), w.statuses(client)) == (0, [])


def test_bad_input_and_what_the_gate_says(app: Flask, world: w.World) -> None:
    desk, client = desk_browser(app, world), somebody(**BLEEDS)
    address = f"/clients/{client}/series/new"
    for wrong, said in (
        ({"count": "1"}, "A series has 2 to 26 visits."),
        ({"count": "x"}, "Say how many visits, or until which day: one of the two."),
        ({"count": "99999999999999999999"}, "Say how many visits, or until which day: one of the two."),
        ({"count": "", "until": "2026-06-13"}, "Choose a last day that makes 2 to 26 visits."),
        ({"every": "0"}, "Choose from every week to every 13 weeks."),
        ({"every": "٣"}, "Choose from every week to every 13 weeks."),
        ({"day": ""}, "Choose the first day."),
        ({"at": ""}, "Choose the time."),
        ({"what": "nothing||60"}, "This is not on offer. Choose another one."),
        ({"book": "1"}, "Choose 1 to 26 visits."),
        ({"book": "1", "date-0": "soon|1", "date-1": "|"}, "Choose 1 to 26 visits."),
    ):
        answer = desk.post(address, data=order(**wrong))
        assert (answer.status_code, said in answer.text) == (422, True), wrong
    page = desk.post(address, data=order(what="deep_tissue||60", areas=["lower_back"]))
    assert "0 of 4 fit." in page.text
    assert "It cannot be booked for this person on that day." in page.text
    assert "bleed" not in page.text.casefold()
    forced = {"book": "1", "date-0": f"{w.at(3).isoformat()}|"}
    refused = desk.post(address, data=order(what="deep_tissue||60", areas=["lower_back"], **forced))
    assert (refused.status_code, w.statuses(client)) == (409, [])
    for missing in ("/clients/987654/series/new", "/desk/series/987654"):
        assert desk.get(missing).status_code == 404
    assert desk.post("/desk/series/987654/cancel", data={}).status_code == 404


def test_a_client_sees_and_cancels_their_own_series(app: Flask, world: w.World) -> None:
    user = factories.make_user(email="own@people.example", roles=[Role.CLIENT])
    client, stranger = somebody(), somebody()
    factories.save(ClientAccess(user_id=user.id, client_id=client, relation="self", since=NOW))
    own = book(client, [OneStart(w.at(day, 18)) for day in (0, 9, 10)]).series_id
    other = book(stranger, [OneStart(w.at(day)) for day in (9, 10)]).series_id
    browser = browser_of(app, db.session.get_one(User, user.id))
    page = browser.get(f"/my/series/{own}").text
    assert "Series of 3 visits" in page
    assert "2 visits can still be cancelled online" in page
    first = db.session.scalars(
        select(Visit.id).where(Visit.series_id == own).order_by(Visit.starts_at)
    ).first()
    assert f"/my/series/{own}" in browser.get(f"/my/visits/{first}").text
    asked = browser.post(f"/my/series/{own}/cancel").text
    assert ("Cancel 2 visits?" in asked, len(re.findall("<li>[^<]*with ", asked))) == (True, 2), (
        "those that can, and not the near one"
    )
    assert w.statuses(client) == ["confirmed"] * 3
    seen = walk.first(r'name="seen" value="(\w+)"', browser.get(f"/my/series/{own}"))
    last = db.session.scalars(select(Visit).where(Visit.series_id == own).order_by(Visit.starts_at)).all()[-1]
    moved = bookings.change_visit(
        last.id, revision=last.revision, starts_at=w.at(11, 18), choice=w.choice("relaxation"), by=world.desk_id,
        now=NOW,
    )  # fmt: skip
    again = browser.post(f"/my/series/{own}/cancel", data={"sure": "1", "seen": seen})
    assert (moved.status, w.statuses(client)) == ("confirmed", ["confirmed"] * 3), "one was moved meanwhile"
    assert "changed meanwhile" in again.text
    seen = walk.first(r'name="seen" value="(\w+)"', again)
    answer = pressed(browser, f"/my/series/{own}/cancel", sure="1", seen=seen)
    assert "2 visits are cancelled." in answer
    assert "What is too near to be cancelled online stays." in answer
    assert w.statuses(client) == ["confirmed", "cancelled", "cancelled"]
    for missing in (other, 987_654):
        assert browser.get(f"/my/series/{missing}").status_code == 404
        assert browser.post(f"/my/series/{missing}/cancel", data={}).status_code == 404
    assert w.statuses(stranger) == ["confirmed", "confirmed"]
