"""Asked again before what matters: after ten minutes, without losing what was typed, and under a new key."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from clinic.accounts.models import User, UserSession
from clinic.rules.permissions import Role
from clinic.rules.proofs import Proof
from clinic.shared.database import db
from clinic.shared.web import proofs_of
from tests.accounts.people import PASSWORD, browser_of, code_of, deeds, is_signed_in, mails, make_person
from tests.conftest import NOW
from tests.typed_forms import form_on

pytestmark = pytest.mark.usefixtures("premises", "now")

BOSS = "boss@mail.example"
INVITED = {"name": "Noor <b>", "email": "noor@mail.example", "roles": ["therapist", "front_desk"]}
# Written out by hand: what asks again when ten minutes have passed.
RECENT = (
    "accounts.add_passkey", "accounts.app_to_confirm", "accounts.begin_app", "accounts.change_email",
    "accounts.change_member", "accounts.confirm_app", "accounts.factors", "accounts.invite_again",
    "accounts.invite_member", "accounts.let_try_again", "accounts.new_passkey", "accounts.remove_app",
    "accounts.remove_passkey", "accounts.remove_pin", "accounts.rename_passkey", "accounts.renew_codes",
    "accounts.reset_second_step",
    "accounts.save_email", "accounts.sign_out_browser", "accounts.sign_out_others",
    "accounts.switch_off_member", "accounts.switch_on_member", "booking.my_phone", "booking.save_my_phone",
    "keeping.erase_client",
    "records.data_for_them", "records.data_for_them_file", "records.my_data", "records.my_data_file",
)  # fmt: skip
ASKS = {**dict.fromkeys(RECENT, Proof.RECENT), "intake.open_answers": Proof.SECOND_STEP}


@pytest.fixture
def boss(app: Flask, client: FlaskClient, premises: None, now: dt.datetime) -> FlaskClient:
    """The owner's browser."""
    make_person(BOSS, Role.OWNER)
    return browser_of(app, BOSS)


@pytest.fixture
def later(now: dt.datetime, boss: FlaskClient) -> Iterator[dt.datetime]:
    """Ten minutes and a second after signing in."""
    with time_machine.travel(NOW + dt.timedelta(minutes=10, seconds=1), tick=False):
        yield now


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_what_asks_again_is_written_out_by_hand(app: Flask) -> None:
    assert proofs_of(app) == ASKS


def invited() -> list[str]:
    return list(db.session.scalars(select(User.name).where(User.email == "noor@mail.example")))


def test_nothing_is_asked_within_ten_minutes(boss: FlaskClient) -> None:
    assert boss.post("/owner/team/new", data=INVITED).location == "/owner/team"


@pytest.mark.usefixtures("later")
def test_what_was_typed_is_done_after_the_proof(app: Flask, boss: FlaskClient) -> None:
    """By the page alone: its form holds everything, and goes to the same address."""
    asked = boss.post("/owner/team/new", data=INVITED)
    assert asked.status_code == 422
    assert invited() == []
    fields = form_on(asked.text, "/owner/team/new")
    assert {name: fields[name] for name in INVITED} == {
        "name": ["Noor <b>"], "email": ["noor@mail.example"], "roles": ["therapist", "front_desk"]
    }  # fmt: skip
    for wrong in ({"proof_password": "not this one"}, {"proof_code": "1"}):
        again = boss.post("/owner/team/new", data={**fields, **wrong})
        assert again.status_code == 422
        assert form_on(again.text, "/owner/team/new")["roles"] == ["therapist", "front_desk"]
    assert "not this one" not in again.text
    assert invited() == []
    with boss.session_transaction() as cookie:
        old = cookie["_user_id"]
    done = boss.post("/owner/team/new", data={**fields, "proof_password": PASSWORD})
    assert done.location == "/owner/team"
    assert invited() == ["Noor <b>"]
    assert deeds()[-2:] == ["proved_again", "invited"]
    thief = app.test_client()
    with thief.session_transaction() as cookie:
        cookie["_user_id"] = old
    assert not is_signed_in(thief)
    assert is_signed_in(boss)
    assert boss.post("/owner/team/new", data={**INVITED, "email": "next@mail.example"}).status_code == 303


@pytest.mark.usefixtures("later")
def test_code_serves_as_well_and_counts_as_the_second_step(boss: FlaskClient) -> None:
    done = boss.post("/owner/team/new", data={**INVITED, "proof_code": code_of(BOSS)})
    assert done.location == "/owner/team"
    row = db.session.scalars(select(UserSession)).one()
    assert row.factor_at == row.proved_at == NOW + dt.timedelta(minutes=10, seconds=1)


@pytest.mark.usefixtures("later")
def test_page_asks_before_anything_is_typed_and_leads_back(boss: FlaskClient) -> None:
    asked = boss.get("/account/second-step")
    assert asked.location == "/account/prove?next=/account/second-step"
    page = boss.get(asked.location).text
    assert 'action="/account/prove?next=/account/second-step"' in page
    assert boss.post(asked.location, data={}).status_code == 422
    done = boss.post(asked.location, data={"proof_password": PASSWORD})
    assert done.location == "/account/second-step"
    assert boss.get("/account/second-step").status_code == 200
    elsewhere = boss.post("/account/prove?next=//evil.example", data={"proof_password": PASSWORD})
    assert elsewhere.location == "/account"


@pytest.mark.usefixtures("later")
def test_wrong_passwords_are_counted_here_too(boss: FlaskClient) -> None:
    statuses = [
        boss.post("/owner/team/new", data={**INVITED, "proof_password": "wrong"}).status_code
        for _ in range(11)
    ]
    assert statuses == [422] * 10 + [429]
    assert invited() == []


@pytest.mark.usefixtures("later")
def test_five_wrong_codes_here_are_told_as_at_the_sign_in(boss: FlaskClient) -> None:
    code_of(BOSS)
    statuses = [boss.post("/account/prove", data={"proof_code": "123456"}).status_code for _ in range(6)]
    assert statuses == [422] * 5 + [429]
    assert [mail.kind for mail in mails()].count("notice_wrong_second_steps") == 1


@pytest.mark.usefixtures("later")
def test_proof_needs_the_permission_first(app: Flask, boss: FlaskClient) -> None:
    make_person("desk@mail.example", Role.FRONT_DESK)
    desk = browser_of(app, "desk@mail.example")
    with time_machine.travel(NOW + dt.timedelta(minutes=12), tick=False):
        answer = desk.post("/owner/team/new", data={**INVITED, "proof_password": PASSWORD})
    assert answer.status_code == 403
    assert deeds()[-1] == "signed_in"
