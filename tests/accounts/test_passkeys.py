"""Passkeys, with a phone made of Python: what is taken, what is refused, and that nothing serves twice."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from clinic.accounts import services
from clinic.accounts.models import Passkey, PasskeyChallenge, RecoveryCode
from clinic.accounts.passkeys import Site
from clinic.rules.permissions import Role
from clinic.shared.audit import AuditRow
from clinic.shared.database import db
from tests.accounts.passkeys import Phone
from tests.accounts.people import (
    PASSWORD,
    browser_of,
    code_of,
    deeds,
    how_many,
    is_signed_in,
    mails,
    make_person,
)
from tests.conftest import NOW

pytestmark = pytest.mark.usefixtures("premises", "now")

BOSS, ANN = "boss@mail.example", "ann@mail.example"


@pytest.fixture(autouse=True)
def named(app: Flask, client: FlaskClient) -> None:
    """The clinic's address has a name: without one there are no passkeys."""
    app.config["CLINIC_PUBLIC_URL"] = "http://localhost"


def options(client: FlaskClient, address: str) -> Any:
    answer = client.post(address)
    assert answer.status_code == 200, answer.text
    return json.loads(answer.text)


def add(client: FlaskClient, phone: Phone, name: str = "My phone") -> TestResponse:
    """Make a passkey and send it."""
    made = phone.make(options(client, "/account/passkeys/new"))
    return client.post("/account/passkeys", data={"name": name, "credential": made})


def enter(client: FlaskClient, phone: Phone, **data: str) -> TestResponse:
    """Sign in with nothing but the passkey."""
    signed = phone.sign(options(client, "/sign-in/passkey/challenge"))
    return client.post("/sign-in/passkey", data={"proof_passkey": signed, **data})


def boss_with(phone: Phone, app: Flask) -> FlaskClient:
    make_person(BOSS, Role.OWNER)
    browser = browser_of(app, BOSS)
    assert add(browser, phone).status_code == 303
    return browser


def test_staff_without_a_second_step_set_up_a_passkey_and_are_in(app: Flask, client: FlaskClient) -> None:
    make_person(BOSS, Role.OWNER)
    client.post("/sign-in", data={"email": BOSS, "password": PASSWORD})
    assert client.get("/account/second-step").text.count("data-passkey-from") == 1
    page = add(client, Phone())
    assert page.text.count("<li><code>") == 10
    assert is_signed_in(client)
    row = db.session.scalars(select(Passkey)).one()
    assert (row.name, row.sign_count, row.used_at) == ("My phone", 0, None)
    assert how_many(RecoveryCode) == 10
    assert deeds() == ["factor_added", "signed_in"]
    assert "A passkey was added" in mails()[-1].text


def test_passkey_alone_is_both_steps(app: Flask, client: FlaskClient) -> None:
    phone = Phone()
    boss_with(phone, app)
    asked = options(client, "/sign-in/passkey/challenge")
    assert (asked["rpId"], asked["userVerification"], asked.get("allowCredentials", [])) == (
        "localhost", "required", []
    )  # fmt: skip
    assert enter(client, phone, next="/owner/team").location == "/owner/team"
    assert is_signed_in(client)
    assert enter(app.test_client(), phone, next="//evil.example").location == "/desk"
    assert db.session.scalars(select(Passkey)).one().sign_count == 2
    assert deeds()[-1] == "signed_in"


def test_passkey_is_a_second_step_after_the_password_and_a_proof(app: Flask, client: FlaskClient) -> None:
    phone = Phone()
    boss_with(phone, app)
    client.post("/sign-in", data={"email": BOSS, "password": PASSWORD})
    asked = options(client, "/account/passkeys/challenge")
    assert len(asked["allowCredentials"]) == 1
    with client.session_transaction() as cookie:
        challenge = cookie["challenge"]
    done = client.post("/sign-in/second-step", data={"proof_passkey": phone.sign(asked)})
    assert done.location == "/desk"
    thief = app.test_client()
    thief.post("/sign-in", data={"email": BOSS, "password": PASSWORD})
    with thief.session_transaction() as cookie:
        cookie["challenge"] = challenge  # used up, however well it is signed
    again = thief.post("/sign-in/second-step", data={"proof_passkey": phone.sign(asked)})
    assert again.status_code == 422
    with time_machine.travel(NOW + dt.timedelta(minutes=12), tick=False):
        signed = phone.sign(options(client, "/account/passkeys/challenge"))
        proof = client.post("/account/prove?next=/account/second-step", data={"proof_passkey": signed})
    assert proof.location == "/account/second-step"


def test_nothing_serves_twice_elsewhere_or_late(app: Flask, client: FlaskClient) -> None:
    phone = Phone()
    boss_with(phone, app)
    asked = options(client, "/sign-in/passkey/challenge")
    with client.session_transaction() as cookie:
        challenge = cookie["challenge"]
    signed = phone.sign(asked)
    other = app.test_client()
    assert other.post("/sign-in/passkey", data={"proof_passkey": signed}).status_code == 422  # no challenge
    options(other, "/sign-in/passkey/challenge")
    assert other.post("/sign-in/passkey", data={"proof_passkey": signed}).status_code == 422  # another one
    assert client.post("/sign-in/passkey", data={"proof_passkey": signed}).status_code == 303
    with other.session_transaction() as cookie:
        cookie["challenge"] = challenge  # as if the cookie had been copied
    again = phone.sign(asked)
    assert other.post("/sign-in/passkey", data={"proof_passkey": again}).status_code == 422
    late = phone.sign(options(other, "/sign-in/passkey/challenge"))
    with time_machine.travel(NOW + dt.timedelta(minutes=5, seconds=1), tick=False):
        assert other.post("/sign-in/passkey", data={"proof_passkey": late}).status_code == 422
        options(other, "/sign-in/passkey/challenge")
        assert how_many(PasskeyChallenge) == 1
    assert not is_signed_in(other)


def test_what_is_refused(app: Flask, client: FlaskClient) -> None:
    """Without the phone's PIN, from another site, with a counter that went back, signed by another key, or no JSON."""
    phone = Phone()
    boss_with(phone, app)
    phone.counter = 41
    assert enter(app.test_client(), phone).status_code == 303
    broken: list[tuple[str, dict[str, Any]]] = [
        ("no PIN", {"asks_pin": False}),
        ("another origin", {"origin": "http://evil.example"}),
        ("another host", {"host": "evil.example"}),
        ("a copy", {"counter": 7}),
        ("another key", {"key": Phone().key}),
        ("unknown", {"credential_id": b"x" * 32}),
        ("another account", {"handle": b"account 987654"}),
    ]
    for why, changes in broken:
        wrong = Phone(**{**vars(phone), "counter": 90, **changes})
        browser = app.test_client()
        browser.environ_base["REMOTE_ADDR"] = f"192.0.2.{len(why)}"
        assert enter(browser, wrong).status_code == 422, why
        assert not is_signed_in(browser)
    for number, text in enumerate(("", "{", "[]", '{"id": 1}', "[" * 9000, "x" * 30_000, '{"rawId": "é"}')):
        browser = app.test_client()
        browser.environ_base["REMOTE_ADDR"] = f"198.51.100.{number}"
        options(browser, "/sign-in/passkey/challenge")
        answer = browser.post("/sign-in/passkey", data={"proof_passkey": text})
        assert answer.status_code in (400, 422), text[:20]
    assert db.session.scalars(select(Passkey)).one().sign_count == 42


def test_one_whose_public_half_is_something_odd_is_refused(app: Flask, client: FlaskClient) -> None:
    app.config["PROPAGATE_EXCEPTIONS"] = False
    make_person(BOSS, Role.OWNER)
    browser = browser_of(app, BOSS)
    good = Phone().public()
    odd: list[Any] = [
        [], "", [1], "x" * 80, {}, 0, None, b"", 1.5, {1: 2}, {1: 2, 3: -7}, {1: [], 3: {}}, [good], {**good, -1: None},
    ]  # fmt: skip
    for public in odd:
        made = Phone().make_of(public, options(browser, "/account/passkeys/new"))
        answer = browser.post("/account/passkeys", data={"name": "Odd", "credential": made})
        assert answer.status_code == 422, public
    assert how_many(Passkey) == 0


def test_one_without_a_pin_is_not_set_up_nor_one_twice(app: Flask, client: FlaskClient) -> None:
    phone = Phone()
    mine = boss_with(phone, app)
    assert add(mine, Phone(asks_pin=False)).status_code == 422
    assert add(mine, Phone(origin="http://evil.example")).status_code == 422
    assert add(mine, phone).status_code == 422
    assert add(mine, Phone(), name="").status_code == 422
    assert how_many(Passkey) == 1


def test_list_and_taking_away(app: Flask, client: FlaskClient) -> None:
    phone = Phone()
    mine = boss_with(phone, app)
    make_person(ANN)
    hers = browser_of(app, ANN)
    passkey = db.session.scalars(select(Passkey.id)).one()
    assert "My phone" in mine.get("/account/second-step").text
    assert hers.post(f"/account/passkeys/{passkey}/remove").status_code == 404
    assert mine.post(f"/account/passkeys/{passkey}/remove", data={"sure": "1"}).status_code == 303
    assert how_many(Passkey) == 0
    assert enter(client, phone).status_code == 422
    assert "A passkey was taken away" in mails()[-1].text


def test_a_passkey_gets_another_name_from_its_owner_alone(app: Flask, client: FlaskClient) -> None:
    own = boss_with(Phone(), app)
    make_person(ANN)
    other = browser_of(app, ANN)
    passkey = db.session.scalars(select(Passkey)).one().id
    address = f"/account/passkeys/{passkey}/name"
    assert own.post(address, data={"name": "  Key\nring "}).status_code == 303
    assert "Key ring" in own.get("/account/second-step").text
    for name, status in (("", 422), ("x" * 61, 422)):
        answer = own.post(address, data={"name": name})
        assert (answer.status_code, f'value="{name}"' in answer.text) == (status, True)
    assert other.post(address, data={"name": "Mine"}).status_code == 404
    db.session.rollback()
    assert db.session.get_one(Passkey, passkey).name == "Key ring"
    assert "passkey_renamed" in [one.deed for one in db.session.scalars(select(AuditRow))]


def test_switched_off_account_is_not_opened(app: Flask, client: FlaskClient) -> None:
    phone = Phone()
    boss_with(phone, app)
    from clinic.accounts.models import User
    from clinic.shared.database import transaction

    with transaction() as session:
        session.scalars(select(User)).one().is_active = False
    assert enter(client, phone).status_code == 422


def test_guesses_are_counted_by_address(app: Flask, client: FlaskClient) -> None:
    for _ in range(10):
        options(client, "/sign-in/passkey/challenge")
        client.post("/sign-in/passkey", data={"proof_passkey": "{}"})
    assert client.post("/sign-in/passkey/challenge").status_code == 429


@pytest.mark.parametrize(
    ("url", "works"),
    [("http://localhost:8000", True), ("https://book.clinic.example", True), ("http://127.0.0.1:8000", False),
     ("http://[::1]:8000", False)],
)  # fmt: skip
def test_only_an_address_with_a_name_has_passkeys(url: str, works: bool) -> None:
    assert Site(url, "").has_passkeys is works


def test_pages_offer_none_where_there_are_none(app: Flask, client: FlaskClient) -> None:
    assert "data-passkey" in client.get("/sign-in").text
    make_person(BOSS, Role.OWNER)
    code_of(BOSS)
    mine = browser_of(app, BOSS)
    app.config["CLINIC_PUBLIC_URL"] = "http://127.0.0.1:8000"
    assert "data-passkey" not in client.get("/sign-in").text
    assert "an address of numbers" in mine.get("/account/second-step").text


def test_who_is_invited_into_the_team_comes_in_by_the_link_alone(app: Flask) -> None:
    """A family may share a client's account, and its passkeys: the link proves the mailbox first."""
    boss = make_person("boss@mail.example", Role.OWNER).id
    make_person("pat@mail.example")
    phone = Phone()
    assert add(browser_of(app, "pat@mail.example"), phone).status_code == 200
    services.invite("pat@mail.example", "Pat", [Role.OWNER], [], by=boss, now=NOW)
    fresh = app.test_client()
    enter(fresh, phone)
    assert fresh.get("/owner/team").status_code != 200
    assert how_many(Passkey) == 0
