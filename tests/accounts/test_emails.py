"""Another e-mail address: it counts when its own reader confirms it, and both addresses are told."""

from __future__ import annotations

import datetime as dt
import re

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from clinic.accounts import services
from clinic.accounts.models import User
from clinic.rules.permissions import Role
from clinic.shared import clock
from clinic.shared.database import db
from clinic.shared.mail import OutgoingMail
from tests.accounts.people import ORIGIN, browser_of, deeds, is_signed_in, mails, make_person, sign_in

pytestmark = pytest.mark.usefixtures("premises", "now")

OLD, NEW = "ann@mail.example", "ann.lee@mail.example"


def ask(browser: FlaskClient, email: str = NEW) -> str:
    """Ask to go by another address; returns the path of the mailed link."""
    assert browser.post("/account/email", data={"email": email}).status_code == 303
    mail = mails("Confirm your e-mail address")[-1]
    assert mail.to == email.lower()
    found = re.search(r"http://127.0.0.1:8000(/email/[\w-]{43})$", mail.text, re.MULTILINE)
    assert found
    return found.group(1)


def test_new_address_counts_once_its_reader_confirms_it(app: Flask, client: FlaskClient) -> None:
    make_person(OLD)
    mine, elsewhere = browser_of(app, OLD), browser_of(app, OLD)
    link = ask(mine, NEW.title())
    for _ in range(2):  # a scanner that opens the link changes nothing
        assert NEW in client.get(link).text
    assert (is_signed_in(mine), sign_in(app.test_client(), NEW).status_code) == (True, 422)
    answer = client.post(link)
    assert (answer.status_code, answer.location) == (303, "/sign-in")
    assert [is_signed_in(one) for one in (mine, elsewhere, client)] == [False] * 3
    assert sign_in(client, OLD).status_code == 422
    assert sign_in(client, NEW).status_code == 303
    assert [mail.to for mail in mails("The e-mail address of your account was changed")] == [OLD, NEW]
    assert [client.get(link).status_code, client.post(link).status_code] == [404, 404]
    assert deeds()[-3:] == ["new_email_asked", "email_changed", "signed_in"]


def test_a_link_works_once_in_time_newest_only_and_for_its_purpose(
    app: Flask, client: FlaskClient, now: dt.datetime
) -> None:
    make_person(OLD)
    mine = browser_of(app, OLD)
    first, second = ask(mine), ask(mine)
    assert client.post(first).status_code == 404
    assert (
        client.post(second.replace("/email/", "/password/"), data={"password": "x" * 20}).status_code == 404
    )
    with time_machine.travel(now + dt.timedelta(minutes=31), tick=False):
        assert client.post(second).status_code == 404
    client.post("/password/forgot", data={"email": OLD})
    reset = mails("Set a new password")[-1].text
    found = re.search(r"/password/([\w-]{43})", reset)
    assert found
    assert client.post(f"/email/{found.group(1)}").status_code == 404
    assert client.post(second).status_code == 303  # asking for another purpose does not end it
    assert "email_changed" in deeds()


def test_a_taken_address_is_told_to_nobody_but_its_reader(app: Flask, client: FlaskClient) -> None:
    make_person(OLD)
    make_person(NEW, Role.OWNER)
    mine = browser_of(app, OLD)
    link = ask(mine)
    answer = client.post(link)
    assert (answer.status_code, "Another account has this e-mail" in answer.text) == (422, True)
    assert (is_signed_in(mine), "email_changed" in deeds()) == (True, False)


def test_no_address_or_the_same_one_is_said_at_its_field(app: Flask, client: FlaskClient) -> None:
    make_person(OLD)
    mine = browser_of(app, OLD)
    assert "Change your e-mail address" in mine.get("/account/email").text
    for email in ("", "no address", OLD, OLD.upper()):
        answer = mine.post("/account/email", data={"email": email})
        assert (answer.status_code, 'id="email-error"' in answer.text) == (422, True), email
    for _ in range(5):
        ask(mine)
    assert mine.post("/account/email", data={"email": NEW}).status_code == 429


@pytest.mark.parametrize(
    "deed", ["invited", "second step taken away", "signed out elsewhere", "unlocked", "switched off"]
)
def test_an_address_that_somebody_else_asked_for_is_worth_nothing_once_they_are_out(
    app: Flask, client: FlaskClient, deed: str
) -> None:
    """Whoever was signed in with somebody else's password has asked for it, and holds the link."""
    boss = make_person("boss@mail.example", Role.OWNER).id
    ann = make_person(OLD, *([] if deed == "invited" else [Role.FRONT_DESK])).id
    link, now = ask(browser_of(app, OLD), "thief@mail.example"), clock.now()
    if deed == "invited":
        services.invite(OLD, "Ann", [Role.THERAPIST], [], by=boss, now=now)
    elif deed == "second step taken away":
        services.reset_factors(ann, by=boss, now=now)
    elif deed == "signed out elsewhere":
        browser_of(app, OLD).post("/account/browsers/sign-out-others")
    elif deed == "unlocked":
        services.unlock(OLD, origin=ORIGIN, now=now)
    else:
        services.switch_off(ann, by=boss, now=now)
    assert client.post(link).status_code == 404
    assert db.session.get_one(User, ann).email == OLD


def test_an_umlauts_sharp_s_is_another_address_than_two_s(app: Flask) -> None:
    make_person("boss@mail.example", Role.OWNER)
    boss = browser_of(app, "boss@mail.example")
    invitation = {"name": "Ann", "email": "Ann@Straße.example", "roles": ["therapist"]}
    assert boss.post("/owner/team/new", data=invitation).status_code == 303
    assert [one.to for one in db.session.scalars(select(OutgoingMail))][-1] == "ann@straße.example"
