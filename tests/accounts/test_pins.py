"""A PIN on one's own account page: set with the password, kept hashed, for the team alone."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import select

from clinic.accounts.models import User
from clinic.rules.permissions import Role
from clinic.shared.database import db
from tests.accounts.people import PASSWORD, browser_of, make_person

pytestmark = pytest.mark.usefixtures("premises", "now", "client")

DESK = "dana@clinic.example"


def kept() -> str | None:
    db.session.rollback()
    return db.session.scalars(select(User.pin_hash).where(User.email == DESK)).one()


def test_a_pin_is_set_with_the_password_changed_and_taken_away(app: Flask) -> None:
    make_person(DESK, Role.FRONT_DESK)
    browser = browser_of(app, DESK)
    assert "Set a PIN" in browser.get("/account").text
    wrong = [
        ({"pin": "271828", "current_password": "not this one"}, "not the password you have now"),
        ({"pin": "27182", "current_password": PASSWORD}, "6 to 12 digits"),
        ({"pin": "2718281828459", "current_password": PASSWORD}, "6 to 12 digits"),
        ({"pin": "27182x", "current_password": PASSWORD}, "6 to 12 digits"),
        ({"pin": "٢٧١٨٢٨", "current_password": PASSWORD}, "6 to 12 digits"),
        ({"pin": "121212", "current_password": PASSWORD}, "too easy to guess"),
        ({"pin": "345678", "current_password": PASSWORD}, "too easy to guess"),
        ({"pin": "987654", "current_password": PASSWORD}, "too easy to guess"),
        ({"pin": "", "current_password": PASSWORD}, "Please write a PIN."),
    ]
    for form, sentence in wrong:
        answer = browser.post("/account/pin", data=form)
        assert (answer.status_code, sentence in answer.text) == (422, True), form
        assert form["pin"] not in answer.text or not form["pin"]
    assert kept() is None
    for pin in ("271828", "314159"):
        assert (
            browser.post("/account/pin", data={"pin": pin, "current_password": PASSWORD}).status_code == 303
        )
        assert (kept() or "").startswith("$argon2id$")
    assert "Take my PIN away" in browser.get("/account/pin").text
    browser.post("/account/pin/remove", data={"sure": "1"})
    assert kept() is None


def test_wrong_passwords_there_are_counted_as_at_the_sign_in(app: Flask) -> None:
    make_person(DESK, Role.FRONT_DESK)
    browser = browser_of(app, DESK)
    form = {"pin": "271828", "current_password": "not this one"}
    statuses = [browser.post("/account/pin", data=form).status_code for _ in range(11)]
    assert statuses == [422] * 10 + [429]


def test_clients_have_no_pin(app: Flask) -> None:
    make_person(DESK, Role.CLIENT)
    browser = browser_of(app, DESK)
    assert "PIN" not in browser.get("/account").text
    assert browser.get("/account/pin").status_code == 404
    answer = browser.post("/account/pin", data={"pin": "271828", "current_password": PASSWORD})
    assert (answer.status_code, kept()) == (404, None)
