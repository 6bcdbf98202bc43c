"""Signing in by a mailed link: once, in time, for clients, and on to the second step where there is one."""

from __future__ import annotations

import datetime as dt
import re

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update

from clinic.accounts.models import MailedLink, User
from clinic.rules.permissions import Role
from clinic.shared.database import transaction
from tests.accounts.people import (
    browser_of,
    code_of,
    deeds,
    how_many,
    is_signed_in,
    mails,
    make_person,
)

pytestmark = pytest.mark.usefixtures("premises", "now")

ANN = "ann@mail.example"


def ask(client: FlaskClient, email: str = ANN) -> None:
    answer = client.post("/sign-in/link", data={"email": email})
    assert (answer.status_code, answer.location) == (303, "/sign-in/link/sent")


def link(client: FlaskClient) -> str:
    """Ask for a link; returns its path. The address of this site is the configured one, whatever the request says."""
    client.post("/sign-in/link", data={"email": ANN}, headers={"Host": "evil.example"})
    found = re.search(
        r"http://127.0.0.1:8000(/sign-in/link/[\w-]{43})$", mails("Your link to sign in")[-1].text, re.M
    )
    assert found
    return found.group(1)


def test_link_signs_in_once_by_a_button(app: Flask, client: FlaskClient) -> None:
    make_person(ANN, password=None)
    path = link(client)
    for _ in range(2):  # a scanner that opens the link does not use it up
        assert "Sign in now" in client.get(path).text
        assert not is_signed_in(client)
    elsewhere = app.test_client()
    assert (client.post(path).status_code, is_signed_in(client)) == (303, True)
    assert (elsewhere.post(path).status_code, elsewhere.get(path).status_code) == (404, 404)
    assert not is_signed_in(elsewhere)
    assert deeds() == ["sign_in_link_asked", "signed_in"]


def test_newest_only_in_time_and_nothing_else_opens_it(
    app: Flask, client: FlaskClient, now: dt.datetime
) -> None:
    make_person(ANN)
    first, second = link(client), link(client)
    key = second.removeprefix("/sign-in/link/")
    for path in (first, f"/password/{key}", f"/email/{key}", f"{second}x"):
        assert client.post(path, data={"password": "x" * 20}).status_code == 404, path
    with time_machine.travel(now + dt.timedelta(minutes=20, seconds=1), tick=False):
        assert client.post(second).status_code == 404
    assert not is_signed_in(client)
    assert client.post(second).status_code == 303


def test_second_step_is_not_left_out(client: FlaskClient) -> None:
    make_person(ANN)
    code_of(ANN)  # sets up an app
    answer = client.post(link(client))
    assert (answer.location, is_signed_in(client)) == ("/sign-in/second-step", False)
    client.post(answer.location, data={"proof_code": code_of(ANN)})
    assert is_signed_in(client)


def test_staff_the_switched_off_and_nobody_get_the_same_answer_and_no_link(
    app: Flask, client: FlaskClient
) -> None:
    make_person(ANN, Role.CLIENT, Role.THERAPIST)
    make_person("left@mail.example", is_active=False)
    for email in (ANN, "left@mail.example", "nobody@mail.example"):
        ask(client, email)
    assert (mails(), how_many(MailedLink)) == ([], 0)
    assert deeds() == ["sign_in_link_asked"] * 3
    assert client.post("/sign-in/link", data={"email": "x"}).status_code == 422
    for _ in range(4):
        ask(client)
    answer = client.post("/sign-in/link", data={"email": ANN})
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "3600")


def test_who_joined_the_team_or_left_meanwhile_does_not_get_in(app: Flask, client: FlaskClient) -> None:
    user = make_person(ANN)
    path = link(client)
    owner = make_person("olga@clinic.example", Role.OWNER)
    browser = browser_of(app, owner.email)
    browser.post(
        "/owner/team/new", data={"name": "Ann", "email": ANN, "roles": "therapist"}
    )  # asks for a new password
    assert client.post(path).status_code == 404
    with transaction() as session:
        session.execute(update(User).where(User.id == user.id).values(is_active=False))
    assert client.post(path).status_code == 404
    assert not is_signed_in(client)
