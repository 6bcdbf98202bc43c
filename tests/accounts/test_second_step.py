"""The second step: without it nobody of the team gets anywhere, and each code opens once."""

from __future__ import annotations

import datetime as dt
import re

import pyotp
import pytest
import time_machine
from click.testing import CliRunner
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from clinic.accounts import factors, services
from clinic.accounts.models import Authenticator, HalfSignIn, RecoveryCode, User, UserSession
from clinic.accounts.queries import app_to_confirm
from clinic.accounts.services.factors import AtScreen
from clinic.accounts.services.second_step import HalfwayOver
from clinic.accounts.steps import new_link
from clinic.cli import accounts, main
from clinic.rules.permissions import Permission, Role
from clinic.shared.audit import AuditRow
from clinic.shared.database import db, transaction
from tests.accounts.people import (
    ORIGIN,
    PASSWORD,
    browser_of,
    code_of,
    deeds,
    how_many,
    is_signed_in,
    mails,
    make_person,
    sign_in,
)
from tests.conftest import NOW
from tests.factories import make_user

pytestmark = pytest.mark.usefixtures("premises", "now")

BOSS, ANN = "boss@mail.example", "ann@mail.example"
STEP, SET_UP = "/sign-in/second-step", "/account/second-step"
PAGES_OF_STAFF = ("/desk", "/account", "/owner/team", "/clients", "/account/password", "/diary")


def halfway(client: FlaskClient, email: str = BOSS, **data: str) -> FlaskClient:
    """The password is right; nothing more is done."""
    answer = client.post("/sign-in", data={"email": email, "password": PASSWORD, **data})
    assert (answer.status_code, answer.location) == (303, STEP)
    return client


def give(client: FlaskClient, code: str) -> int:
    """Send the second step."""
    return client.post(STEP, data={"proof_code": code}).status_code


def secret_on(page: str) -> str:
    found = re.search(r"data-secret>([A-Z2-7 ]+)<", page)
    assert found
    return found.group(1).replace(" ", "")


def codes_on(page: str) -> list[str]:
    return re.findall(r"<li><code>([a-z0-9-]+)</code></li>", page)


def test_password_alone_opens_nothing_to_staff(app: Flask, client: FlaskClient) -> None:
    """Each staff role, and whoever was given a permission by name: neither a page nor a session row."""
    for number, role in enumerate((Role.OWNER, Role.FRONT_DESK, Role.THERAPIST)):
        make_person(f"p{number}@mail.example", role)
    make_person("p3@mail.example", Role.CLIENT, given=[Permission.CLINICAL_REVIEW])
    for number in range(4):
        browser = halfway(app.test_client(), f"p{number}@mail.example")
        assert browser.get(STEP).location == SET_UP
        for address in PAGES_OF_STAFF:
            assert browser.get(address).location.startswith("/sign-in?next=")
        refused = browser.post("/account/password", data={"current_password": PASSWORD})
        assert refused.location == "/sign-in?undone=y"
        assert browser.post("/account/recovery-codes").location == STEP
    assert how_many(UserSession) == 0
    assert deeds() == []


def test_whoever_was_signed_in_in_this_browser_is_not_while_somebody_else_owes_the_second_step(
    app: Flask, client: FlaskClient
) -> None:
    make_person(BOSS, Role.OWNER)
    make_person(ANN, Role.CLIENT)
    sign_in(client, ANN)
    assert is_signed_in(client)
    halfway(client)
    assert not is_signed_in(client)


def test_session_without_a_second_step_is_none_for_staff(app: Flask, client: FlaskClient) -> None:
    """Such rows are left from before: the door itself does not know them, and the demo alone does."""
    make_person(BOSS, Role.OWNER)
    browser = browser_of(app, BOSS)
    db.session.execute(update(UserSession).values(factor_at=None))
    db.session.commit()
    assert not is_signed_in(browser)
    app.config["CLINIC_DEMO"] = True
    assert is_signed_in(browser)


def test_demo_goes_without_until_one_is_set_up(app: Flask, client: FlaskClient) -> None:
    make_person(BOSS, Role.OWNER)
    app.config["CLINIC_DEMO"] = True
    assert client.post("/sign-in", data={"email": BOSS, "password": PASSWORD}).location == "/desk"
    code_of(BOSS)
    halfway(app.test_client())


def test_staff_set_up_an_app_and_are_in(app: Flask, client: FlaskClient) -> None:
    boss = make_person(BOSS, Role.OWNER)
    halfway(client, next="/owner/team")
    assert client.get(SET_UP).status_code == 200
    assert client.post("/account/app/begin").location == "/account/app"
    page = client.get("/account/app").text
    secret = secret_on(page)
    assert "data:image/svg+xml;base64," in page
    assert f"otpauth://totp/Still%20Waters:boss%40mail.example?secret={secret}" in page
    assert client.post("/account/app", data={"code": "000000"}).status_code == 422
    assert not is_signed_in(client)
    with client.session_transaction() as cookie:
        half = cookie["halfway"]
    done = client.post("/account/app", data={"code": pyotp.TOTP(secret).at(NOW)})
    codes = codes_on(done.text)
    assert (done.status_code, len(codes), len(set(codes))) == (200, 10, 10)
    assert 'href="/owner/team"' in done.text
    assert is_signed_in(client)
    with client.session_transaction() as cookie:
        assert "halfway" not in cookie
        assert cookie["_user_id"] != half
    assert how_many(HalfSignIn) == 0
    assert deeds() == ["factor_added", "signed_in"]
    assert [one.subject for one in mails()] == ["How you sign in was changed"]
    kept = repr(db.session.execute(select(RecoveryCode.code_hash)).all())
    assert not any(code.replace("-", "") in kept for code in codes)
    row = db.session.scalars(select(Authenticator)).one()
    assert secret.encode() not in row.secret_sealed
    assert (row.user_id, row.secret) == (boss.id, secret)


def test_halfway_in_nothing_can_be_added_to_an_account_that_has_a_second_step(
    app: Flask, client: FlaskClient
) -> None:
    """Else a stolen password would be enough after all."""
    boss = make_person(BOSS, Role.OWNER)
    code_of(BOSS)
    halfway(client)
    for address in ("/account/app/begin", "/account/app", "/account/passkeys/new", "/account/passkeys"):
        assert client.post(address, data={"code": "1"}).location == STEP
    assert client.get(SET_UP).location == STEP
    assert how_many(Authenticator) == 1
    assert not is_signed_in(client)
    with client.session_transaction() as cookie:
        who = AtScreen(boss.id, half=cookie["halfway"])
    services.begin_app(boss.id, NOW)
    secret = app_to_confirm(boss.id) or ""
    with pytest.raises(HalfwayOver):  # whatever page asked for it
        services.confirm_app(who, pyotp.TOTP(secret).at(NOW), origin=ORIGIN, now=NOW)


@pytest.mark.parametrize(
    ("steps_ago", "is_taken"), [(-1, False), (0, True), (1, True), (2, False), (2880, False)]
)
def test_code_of_this_moment_or_the_one_before(steps_ago: int, is_taken: bool) -> None:
    row = Authenticator(secret=pyotp.random_base32(), last_step=0)
    code = pyotp.TOTP(row.secret).at(NOW - dt.timedelta(seconds=30 * steps_ago))
    assert factors.takes(row, code, NOW) is is_taken


def test_code_is_taken_once_and_none_older_after_it(app: Flask, client: FlaskClient) -> None:
    make_person(BOSS, Role.OWNER)
    code = code_of(BOSS)
    secret = db.session.scalars(select(Authenticator)).one().secret
    before = pyotp.TOTP(secret).at(NOW - dt.timedelta(seconds=30))
    assert give(halfway(client), code) == 303
    for again in (code, before, code[:3], "", "x" * 50, "٣٣٣٣٣٣"):
        assert give(halfway(app.test_client()), again) in (422, 429)
    with time_machine.travel(NOW + dt.timedelta(minutes=6), tick=False):
        assert give(halfway(app.test_client()), code) == 422
        assert give(halfway(app.test_client()), pyotp.TOTP(secret).now()) == 303


def test_five_wrong_codes_make_the_account_wait_in_whatever_browser(app: Flask) -> None:
    """Counted in the database, for the account: neither a new sign-in nor another address starts afresh."""
    for email in (BOSS, "desk@mail.example"):
        make_person(email, Role.OWNER)
    right = code_of(BOSS)
    for number in range(5):
        browser = app.test_client()
        browser.environ_base["REMOTE_ADDR"] = f"192.0.2.{number}"
        assert give(halfway(browser), "123456") == 422
    browser = app.test_client()
    browser.environ_base["REMOTE_ADDR"] = "192.0.2.77"
    assert give(halfway(browser), right) == 429
    assert sign_in(app.test_client(), "desk@mail.example").location == "/desk"
    with time_machine.travel(NOW + dt.timedelta(minutes=5, seconds=1), tick=False):
        assert give(halfway(browser), code_of(BOSS)) == 303


@pytest.mark.parametrize("wrong", [4, 5])
def test_five_wrong_codes_after_the_right_password_are_told_once_in_an_hour(app: Flask, wrong: int) -> None:
    """Somebody else has the password, and tries on: whoever it belongs to can change it."""
    make_person(BOSS, Role.OWNER)
    code_of(BOSS)
    told = []
    for minute in (0, 6, 12, 90):
        with time_machine.travel(NOW + dt.timedelta(minutes=minute), tick=False):
            for number in range(wrong if minute == 0 else 5):
                browser = app.test_client()
                browser.environ_base["REMOTE_ADDR"] = f"192.0.2.{number}"
                give(halfway(browser), "123456")
            told.append([mail.subject for mail in mails()])
    subject = "Wrong codes for your account"
    assert [len(one) for one in told] == [wrong // 5, 1, 1, 2]
    assert told[-1] == [subject] * 2
    assert all(mail.to == BOSS for mail in mails())


def test_recovery_code_opens_once_and_is_told(app: Flask, client: FlaskClient) -> None:
    make_person(BOSS, Role.OWNER)
    other = make_person("desk@mail.example", Role.FRONT_DESK)
    mine = browser_of(app, BOSS)
    codes = codes_on(mine.post("/account/recovery-codes", data={"sure": "1"}).text)
    code_of("desk@mail.example")
    assert give(halfway(app.test_client(), "desk@mail.example"), codes[0]) == 422  # somebody else's
    assert give(halfway(client), codes[0].upper().replace("-", " ")) == 303
    assert give(halfway(app.test_client()), codes[0]) == 422
    told = [one for one in mails() if one.subject == "A recovery code was used"]
    assert [(one.to, "9 of them still work" in one.text) for one in told] == [(BOSS, True)]
    assert "9 of 10 still work" in mine.get(SET_UP).text
    fresh = codes_on(mine.post("/account/recovery-codes", data={"sure": "1"}).text)
    assert give(halfway(app.test_client()), codes[1]) == 422
    assert give(halfway(app.test_client()), fresh[1]) == 303
    assert db.session.scalars(select(RecoveryCode).where(RecoveryCode.user_id == other.id)).all() == []


def test_second_step_never_replaces_the_password(app: Flask, client: FlaskClient) -> None:
    make_person(BOSS, Role.OWNER)
    code = code_of(BOSS)
    for data in ({"password": ""}, {"password": code}, {"password": "wrong wrong wrong"}):
        answer = client.post("/sign-in", data={"email": BOSS, "proof_code": code, **data})
        assert answer.status_code == 422
    assert client.post(STEP, data={"email": BOSS, "proof_code": code}).location.startswith("/sign-in")
    assert how_many(HalfSignIn) == how_many(UserSession) == 0


def test_half_a_sign_in_ends_by_time_password_and_switching_off(app: Flask, client: FlaskClient) -> None:
    boss = make_person(BOSS, Role.OWNER)
    make_person("two@mail.example", Role.OWNER)
    code_of(BOSS)
    halfway(client)
    with time_machine.travel(NOW + dt.timedelta(minutes=30, seconds=1), tick=False):
        assert client.post(STEP, data={"proof_code": code_of(BOSS)}).location.startswith("/sign-in")
    halfway(client)
    owner = browser_of(app, "two@mail.example")
    assert owner.post(f"/owner/team/{boss.id}/off", data={"sure": "1"}).status_code == 303
    assert client.post(STEP, data={"proof_code": code_of(BOSS)}).location.startswith("/sign-in")
    assert not is_signed_in(client)


def test_link_for_a_new_password_does_not_skip_the_second_step(app: Flask, client: FlaskClient) -> None:
    make_person(BOSS, Role.OWNER, password=None)
    code_of(BOSS)
    from tests.accounts.people import key_in

    client.post("/password/forgot", data={"email": BOSS})
    client.post(f"/password/{key_in(mails()[0])}", data={"password": PASSWORD})
    halfway(client)


def test_client_may_have_one_and_then_needs_it(app: Flask, client: FlaskClient) -> None:
    make_person(ANN)
    assert sign_in(client, ANN).location == "/my"
    elsewhere = browser_of(app, ANN)
    client.post("/account/app/begin")
    secret = secret_on(client.get("/account/app").text)
    assert len(codes_on(client.post("/account/app", data={"code": pyotp.TOTP(secret).at(NOW)}).text)) == 10
    assert (is_signed_in(client), is_signed_in(elsewhere)) == (True, False)
    halfway(app.test_client(), ANN)
    assert client.post("/account/app/remove", data={"sure": "1"}).location == SET_UP
    assert how_many(RecoveryCode) == 0
    assert sign_in(app.test_client(), ANN).location == "/my"


def test_last_second_step_stays_with_staff_and_with_a_short_password(app: Flask, client: FlaskClient) -> None:
    make_person(BOSS, Role.OWNER)
    ann = make_person(ANN)
    code_of(ANN)
    with transaction() as session:
        session.get_one(User, ann.id).password_is_short = True
    for email, said in ((BOSS, "your last second step"), (ANN, "too short to be used alone")):
        browser = browser_of(app, email)
        browser.post("/account/app/remove", data={"sure": "1"})
        assert said in browser.get(SET_UP).text
    assert how_many(Authenticator) == 2


def test_password_beside_a_second_step_may_be_shorter(app: Flask) -> None:
    make_person(BOSS, Role.OWNER)
    make_person(ANN)
    for email, status in ((BOSS, 303), (ANN, 422)):
        browser = browser_of(app, email)
        data = {"current_password": PASSWORD, "new_password": "kite oslo"}
        assert browser.post("/account/password", data=data).status_code == status
        assert is_signed_in(browser)
    short = db.session.execute(select(User.email).where(User.password_is_short)).scalars().all()
    assert short == [BOSS]


def test_owner_takes_the_second_step_of_a_colleague_away(app: Flask, client: FlaskClient) -> None:
    make_person(BOSS, Role.OWNER)
    desk = make_person("desk@mail.example", Role.FRONT_DESK)
    ann = make_person(ANN)
    owner, hers = browser_of(app, BOSS), browser_of(app, "desk@mail.example")
    hers.post("/account/recovery-codes", data={"sure": "1"})
    assert owner.post(f"/owner/team/{ann.id}/reset-second-step", data={"sure": "1"}).status_code == 404
    assert owner.post(f"/owner/team/{desk.id}/reset-second-step", data={"sure": "1"}).status_code == 303
    assert not is_signed_in(hers)
    assert how_many(RecoveryCode) == 0
    assert halfway(client, "desk@mail.example").get(STEP).location == SET_UP
    last = db.session.scalars(select(AuditRow).where(AuditRow.deed == "factors_reset")).one()
    assert last.thing_id == desk.id
    assert "was taken away" in [one for one in mails() if one.to == "desk@mail.example"][-1].text
    assert "No second step yet" in owner.get("/owner/team").text


def test_command_lets_a_locked_out_owner_in_again(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_person(BOSS, Role.OWNER)
    mine = browser_of(app, BOSS)
    for _ in range(6):
        give(halfway(client), "1")
    monkeypatch.setattr(accounts, "make_working_app", lambda: app)
    assert CliRunner().invoke(main, ["account", "unlock", "no@mail.example"]).exit_code == 1
    said = CliRunner().invoke(main, ["account", "unlock", "Boss@mail.example"])
    assert said.exit_code == 0, said.output
    db.session.rollback()
    assert not is_signed_in(mine)
    key = re.search(r"/password/([\w-]{43})", said.output)
    assert key
    assert client.post(f"/password/{key[1]}", data={"password": PASSWORD}).location == "/sign-in"
    assert halfway(client).get(STEP).location == SET_UP


def test_a_command_signs_everybody_out_and_ends_the_links_in_their_mails(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After an incident, and after a backup was put back in which what was ended since goes on."""
    make_person(BOSS, Role.OWNER)
    user = make_person("c@mail.example", Role.CLIENT)
    mine, theirs = browser_of(app, BOSS), browser_of(app, "c@mail.example")
    halfway(client)
    with transaction() as session:
        token = new_link(session, session.merge(user), "reset", NOW)
    assert client.get(f"/password/{token}").status_code == 200
    monkeypatch.setattr(accounts, "make_working_app", lambda: app)
    said = CliRunner().invoke(main, ["account", "sign-out-everybody"])
    assert said.exit_code == 0, said.output
    db.session.rollback()
    assert not is_signed_in(mine)
    assert not is_signed_in(theirs)
    assert client.get(STEP).location.startswith("/sign-in?")
    assert client.get(f"/password/{token}").status_code == 404
    assert "signed_out_everybody" in deeds()
    assert is_signed_in(browser_of(app, BOSS)), "and everybody may sign in again"


def test_old_key_is_dead_after_the_second_step_and_stays_out_of_halfway(
    app: Flask, client: FlaskClient
) -> None:
    """The half's key is none of a session's, wherever the cookie puts it."""
    make_user(email="x@mail.example", roles=[Role.OWNER])
    make_person(BOSS, Role.OWNER)
    code_of(BOSS)
    halfway(client)
    with client.session_transaction() as cookie:
        half = cookie["halfway"]
        cookie["_user_id"] = half
    assert not is_signed_in(client)
    with client.session_transaction() as cookie:
        del cookie["_user_id"]
    assert give(client, code_of(BOSS)) == 303
    thief = app.test_client()
    with thief.session_transaction() as cookie:
        cookie["halfway"] = half
    assert thief.get(STEP).location.startswith("/sign-in")
