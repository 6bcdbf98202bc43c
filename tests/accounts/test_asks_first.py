"""What cannot be taken back about an account: first who it is, then whether it is meant, and only then the deed."""

from __future__ import annotations

import datetime as dt

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select

from clinic.accounts.models import User
from clinic.rules.permissions import Role
from clinic.shared.database import db
from tests.accounts.people import PASSWORD, browser_of, make_person
from tests.asking import asked, pressed_twice
from tests.booking import walk
from tests.conftest import NOW
from tests.typed_forms import form_on

pytestmark = pytest.mark.usefixtures("premises", "now", "client")

DESK, BOSS = "dana@clinic.example", "boss@clinic.example"
LATER = NOW + dt.timedelta(minutes=10, seconds=1)
REMOVE = "/account/pin/remove"


def has_pin() -> bool:
    db.session.rollback()
    return db.session.scalars(select(User.pin_hash).where(User.email == DESK)).one() is not None


def test_the_proof_comes_first_and_is_never_repeated(app: Flask) -> None:
    make_person(DESK, Role.FRONT_DESK)
    browser = browser_of(app, DESK)
    browser.post("/account/pin", data={"pin": "271828", "current_password": PASSWORD})
    with time_machine.travel(LATER, tick=False):
        first = browser.post(REMOVE)
        assert (first.status_code, walk.heading(first)) == (422, "Is it you?")
        proved = browser.post(REMOVE, data=form_on(first.text, REMOVE) | {"proof_password": [PASSWORD]})
        assert (proved.status_code, walk.heading(proved)) == (200, "Take your PIN away?")
        assert PASSWORD not in proved.text
        assert 'href="/account/pin">Leave it as it is' in proved.text, "where the browser says nothing of use"
        assert has_pin()
        browser.post(REMOVE, data=form_on(proved.text, REMOVE) | {"sure": ["1"]})
        assert not has_pin()


def test_what_a_dialog_has_asked_is_not_asked_again_after_the_proof(app: Flask) -> None:
    make_person(DESK, Role.FRONT_DESK)
    browser = browser_of(app, DESK)
    browser.post("/account/pin", data={"pin": "271828", "current_password": PASSWORD})
    with time_machine.travel(LATER, tick=False):
        first = browser.post(REMOVE, data={"sure": "1"})
        browser.post(REMOVE, data=form_on(first.text, REMOVE) | {"proof_password": [PASSWORD]})
    assert not has_pin()


@pytest.mark.parametrize("settings", [{"WTF_CSRF_ENABLED": True}])
def test_no_question_is_shown_for_a_form_of_somebody_else(app: Flask) -> None:
    assert app.test_client().post("/waiting/nothing-here/withdraw").status_code == 400


def test_the_owner_is_asked_about_an_account(app: Flask) -> None:
    make_person(BOSS, Role.OWNER)
    dana = make_person(DESK, Role.FRONT_DESK).id
    boss = browser_of(app, BOSS)
    name = db.session.get_one(User, dana).name
    assert name in asked(boss, f"/owner/team/{dana}/reset-second-step").text
    assert name in asked(boss, f"/owner/team/{dana}/off", {"typed": "as it was"}).text
    pressed_twice(boss, f"/owner/team/{dana}/off")
    db.session.rollback()
    assert db.session.get_one(User, dana).is_active is False
    assert boss.post("/owner/team/987654/off").status_code == 404
