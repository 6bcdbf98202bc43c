"""The phone number of a person, changed by the account that acts for them."""

from __future__ import annotations

import dataclasses
import datetime as dt

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from clinic.accounts.models import User
from clinic.booking.models import CallRequest
from clinic.clients import queries as clients
from clinic.clients.models import Client
from clinic.rules.visit_status import VisitStatus
from clinic.shared.audit import AuditRow
from clinic.shared.database import db
from tests import factories
from tests.booking import world as w
from tests.booking.desk import desk_browser
from tests.booking.test_look_alikes import FAR, HEART, WHO, account, known, stranger
from tests.conftest import NOW
from tests.owners import browser_of

pytestmark = pytest.mark.usefixtures("now")
NEW = "(212) 555-0777"
FAR_WITH_MY_PHONE = dataclasses.replace(FAR, phone=WHO.phone)


@pytest.fixture
def me(world: w.World) -> int:
    return known({}, FAR)


@pytest.fixture
def browser(app: Flask, me: int) -> FlaskClient:
    return browser_of(app, db.session.get_one(User, account(me)))


def save(browser: FlaskClient, client_id: int, phone: str = NEW) -> int:
    found = browser.post("/my/phone", data={"person": client_id, f"p{client_id}-phone": phone})
    db.session.rollback()
    return found.status_code


def numbers(client_id: int) -> tuple[str | None, str | None]:
    db.session.expire_all()
    row = db.session.get_one(Client, client_id)
    return row.phone, row.phone_key


def to_look_at() -> list[tuple[int | None, str]]:
    rows = select(CallRequest).where(CallRequest.about == "phone").order_by(CallRequest.id)
    return [(one.client_id, one.phone) for one in db.session.scalars(rows)]


def changes() -> int:
    wanted = select(func.count()).select_from(AuditRow).where(AuditRow.deed == "client.phone_changed")
    return db.session.scalar(wanted) or 0


def test_the_own_number_is_changed_for_everything_that_uses_it(browser: FlaskClient, me: int) -> None:
    assert FAR.phone in browser.get("/my/phone").text
    assert "/my/phone" in browser.get("/my").text
    assert "/my/phone" in browser.get("/account").text
    assert save(browser, me) == 303
    assert numbers(me) == (NEW, "+12125550777")
    assert changes() == 1
    assert to_look_at() == []
    page = browser.get("/my/phone").text
    assert "The phone number is saved." in page
    assert NEW in page


@pytest.mark.parametrize("phone", ["", "  ", "hello", "12", "5" * 41])
def test_what_is_no_number_is_said_at_its_field_and_kept(browser: FlaskClient, me: int, phone: str) -> None:
    page = browser.post("/my/phone", data={"person": me, f"p{me}-phone": phone})
    assert page.status_code == 422
    assert f'id="p{me}-phone-error"' in page.text
    assert f'href="#p{me}-phone"' in page.text
    assert f'value="{phone.strip()}"' in page.text
    assert numbers(me)[0] == FAR.phone
    assert changes() == 0


@pytest.mark.parametrize("person", ["", "x", "0", "999999"])
def test_nobody_else_is_there(browser: FlaskClient, world: w.World, person: str) -> None:
    other = known({})
    assert browser.post("/my/phone", data={"person": person, "p0-phone": NEW}).status_code == 404
    assert save(browser, other) == 404
    assert numbers(other)[0] == WHO.phone


def test_a_familys_numbers_are_theirs_alone(app: Flask, browser: FlaskClient, me: int) -> None:
    """They share an e-mail and perhaps a phone: that is no question for the desk."""
    user_id = db.session.scalars(select(User.id).where(User.email == "sam@people.example")).one()
    child = factories.make_client(
        first_name="Kim",
        last_name="Other",
        born_on=dt.date(2001, 2, 3),
        email=FAR.email,
        acts={user_id: "carer"},
    ).id
    assert save(browser, child) == 303
    assert save(browser, me) == 303
    assert numbers(child) == numbers(me) == (NEW, "+12125550777")
    assert to_look_at() == []


def test_nobody_shakes_off_a_match_by_another_number(app: Flask, world: w.World) -> None:
    me = known(HEART)
    result, other = stranger({}, FAR_WITH_MY_PHONE, service="deep_tissue")
    assert result.status == VisitStatus.PENDING
    browser = browser_of(app, db.session.get_one(User, account(me)))
    assert save(browser, me) == 303
    assert save(browser, me, "(212) 555-0778") == 303
    assert numbers(me) == ("(212) 555-0778", "+12125550188")
    assert [one.id for one in clients.look_alikes(db.session.get_one(Client, other))] == [me]
    assert to_look_at() == [(me, "(212) 555-0778")]
    desk = desk_browser(app, world)
    assert "Typed this new number online" in desk.get("/todo").text


def test_nobody_reaches_for_anothers_visit_by_their_number(app: Flask, world: w.World) -> None:
    me = known({}, FAR)
    browser = browser_of(app, db.session.get_one(User, account(me)))
    _result, other = stranger({})
    before = browser.get("/my/phone").text
    assert save(browser, me, WHO.phone) == 303
    assert numbers(me) == (WHO.phone, "+12125550123")
    assert clients.look_alikes(db.session.get_one(Client, other)) == []
    page = browser.get("/my/phone").text
    assert "The phone number is saved." in page
    assert before.count("<form") == page.count("<form")


def test_whoever_was_only_typed_online_keeps_what_they_are_found_by(app: Flask, world: w.World) -> None:
    _result, me = stranger({}, FAR)
    browser = browser_of(app, db.session.get_one(User, account(me)))
    assert save(browser, me) == 303
    assert numbers(me) == (NEW, "+12125550123")
    assert to_look_at() == [(me, NEW)]


def test_the_same_number_in_other_spelling_is_no_question(app: Flask, world: w.World) -> None:
    _result, me = stranger({}, FAR)
    browser = browser_of(app, db.session.get_one(User, account(me)))
    assert save(browser, me, "+1 212 555 0123") == 303
    assert numbers(me) == ("(212) 555-0123", "+12125550123")
    assert to_look_at() == []


def test_after_a_while_it_is_asked_who_is_there(browser: FlaskClient, me: int) -> None:
    with time_machine.travel(NOW + dt.timedelta(minutes=11), tick=False):
        assert browser.get("/my/phone").location == "/account/prove?next=/my/phone"
        assert save(browser, me) == 422
    assert numbers(me)[0] == FAR.phone
