"""Who has no e-mail address is called about what became of the visit: the desk has it on its list."""

from __future__ import annotations

import datetime as dt

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from clinic.accounts.models import User
from clinic.booking.models import Visit
from clinic.booking.queries.visits import open_calls
from clinic.booking.services import calls, people, visits
from clinic.clients.steps import Details
from clinic.rules.permissions import Role
from clinic.rules.visit_status import VisitStatus
from clinic.shared.database import db, transaction
from tests import factories
from tests.booking import world as w
from tests.booking.desk import book
from tests.conftest import NOW
from tests.mailing import sent_at
from tests.owners import browser_of

pytestmark = pytest.mark.usefixtures("now")
LETTER = {"heart_failure": {"worsening": False}}
SERIOUS = {"heart_disease": {"not_sure": True}}


def test_visit_taken_back_without_an_address_is_a_call_to_make(desk: FlaskClient) -> None:
    client = w.person(email=None, phone="(212) 555-0188")
    w.sign(client)
    book(desk, client, "deep_tissue")
    assert (w.statuses(client), list(open_calls())) == (["confirmed"], [])
    w.sign_answers(client, SERIOUS)
    w.sign_answers(client, SERIOUS)
    assert w.statuses(client) == ["cancelled"]
    assert [(call.client_id, call.phone, call.about) for call in open_calls()] == [
        (client, "(212) 555-0188", "news")
    ]
    page = desk.get("/todo").text
    assert "Has no e-mail." in page
    assert 'href="tel:(212)555-0188"' in page


def test_who_has_come_needs_no_news_of_it(world: w.World, desk: FlaskClient) -> None:
    client = w.person(email=None, phone="(212) 555-0188")
    book(desk, client, "deep_tissue")
    assert w.statuses(client) == ["pending"]
    w.sign(client)
    assert w.statuses(client) == ["confirmed"]
    assert [call.about for call in open_calls()] == ["news"]
    visit = db.session.scalars(select(Visit).where(Visit.client_id == client)).one()
    for status in (VisitStatus.ARRIVED, VisitStatus.IN_SESSION, VisitStatus.DONE):
        with transaction() as session:
            session.get_one(Visit, visit.id).status = status
        assert list(open_calls()) == [], status


def test_who_has_no_address_is_promised_no_mail(world: w.World, desk: FlaskClient) -> None:
    for email, planned in ((None, False), ("nora@people.example", True)):
        client = w.person(email=email)
        w.sign(client)
        visit = book(desk, client, "relaxation").headers["Location"]
        assert ("Goes out" in desk.get(visit).text) is planned


def test_nobody_is_called_who_gets_a_mail(desk: FlaskClient) -> None:
    client = w.person(email="nora@people.example", phone="(212) 555-0188")
    w.sign(client)
    book(desk, client, "deep_tissue")
    w.sign_answers(client, SERIOUS)
    assert w.statuses(client) == ["cancelled"]
    assert list(open_calls()) == []


@pytest.mark.parametrize(("by_clinic", "about"), [(True, ["news"]), (False, [])])
def test_who_loses_the_address_before_the_news_leave_is_called(
    world: w.World, by_clinic: bool, about: list[str]
) -> None:
    """What its client called off themselves is no news to them."""
    client = w.person(email="wrong@people.example")
    w.sign(client)
    visit = w.at_desk(world, client, "relaxation", when=w.at(5, 14)).visit_id or 0
    sent_at(NOW)
    visits.cancel_visit(visit, by=world.desk_id, by_clinic=by_clinic, now=NOW)
    without = Details("Pat", "Nolan", dt.date(1985, 5, 5), email="", phone="(212) 555-0188")
    people.change_details(client, without, by=world.desk_id, now=NOW)
    assert list(open_calls()) == []
    for _round in range(2):
        assert sent_at(NOW) == []
    assert [(call.visit_id, call.phone, call.about) for call in open_calls()] == [
        (visit, "(212) 555-0188", one) for one in about
    ]


def test_without_a_phone_the_list_says_so(desk: FlaskClient) -> None:
    client = w.person(email=None, phone=None)
    w.sign(client)
    book(desk, client, "deep_tissue")
    w.sign_answers(client, SERIOUS)
    page = desk.get("/todo").text
    assert "no phone number" in page
    assert 'href="tel:"' not in page


def test_a_call_ticked_off_by_a_slip_goes_back_on_the_list(
    app: Flask, world: w.World, desk: FlaskClient
) -> None:
    calls.ask_for_call(client_id=w.person(), visit_id=None, phone="(212) 555-0188", about="booking", now=NOW)
    (call,) = open_calls()
    number, back = call.id, f"/desk/calls/{call.id}/open"
    assert back not in desk.get("/todo").text
    desk.post(f"/desk/calls/{number}/done")
    page = desk.get("/todo").text
    assert page.count(f'action="{back}"') == 2, "in the bar, and below for the day"
    assert 'data-undo data-step data-no-busy data-seconds="10"' in page
    other = browser_of(app, factories.make_user(email="b@desk.example", roles=[Role.FRONT_DESK]))
    assert other.get("/todo").text.count(f'action="{back}"') == 1, "no bar for somebody else’s step"
    with time_machine.travel(NOW + dt.timedelta(seconds=11), tick=False):
        assert "data-undo" not in desk.get("/todo").text
    desk.post(back)
    assert "Undone. The call is on the list again." in desk.get("/todo").text
    assert [one.id for one in open_calls()] == [number]
    assert desk.post(back).status_code == 303
    desk.post("/desk/calls/999/open")
    assert "This call is not on the list any more." in desk.get("/todo").text
    desk.post(f"/desk/calls/{number}/done")
    with time_machine.travel(NOW + dt.timedelta(hours=13), tick=False):
        later = browser_of(app, db.session.get_one(User, world.desk_id))
        assert back not in later.get("/todo").text


def test_a_visit_that_waits_for_a_letter_says_to_call_who_has_no_mail(desk: FlaskClient) -> None:
    for email, hour, said in (("nora@people.example", 9, 0), (None, 14, 1)):
        client = w.person(email=email, phone="(212) 555-0188")
        w.sign_answers(client, LETTER)
        book(desk, client, "swedish", when=w.at(3, hour))
        assert w.statuses(client) == ["pending"]
        assert desk.get("/todo").text.count("Has no e-mail: please call") == said
