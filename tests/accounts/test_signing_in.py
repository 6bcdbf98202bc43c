"""Signing in and out: what it makes at the server, and what it never says."""

from __future__ import annotations

import datetime as dt

import pytest
from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from clinic.accounts import passwords
from clinic.accounts.models import FailedTry, User, UserSession
from clinic.cli import server
from clinic.rules.permissions import Role
from clinic.shared.database import db, transaction
from tests.accounts.people import (
    OTHER_PASSWORD,
    PASSWORD,
    browser_of,
    deeds,
    how_many,
    is_signed_in,
    mails,
    make_person,
    sign_in,
)

pytestmark = pytest.mark.usefixtures("premises", "now")

NOT_ON_THIS_SITE = [
    "https://evil.example",
    "//evil.example",
    "///evil.example",
    "////evil.example/%2f..",
    "/\\evil.example",
    "\\/evil.example",
    "\\\\evil.example",
    "/\t/evil.example",
    "/\n/evil.example",
    "\x01//evil.example",
    " //evil.example",
    "http:evil.example",
    "https:/evil.example",
    "javascript:alert(1)",
    "data:text/html,x",
    "evil.example",
    "@evil.example",
    "//evil.example@localhost/",
    "/a\\b",
    "//[::1]/",
]


def rows(email: str) -> list[UserSession]:
    return list(
        db.session.scalars(select(UserSession).join(User).where(User.email == email).order_by(UserSession.id))
    )


def test_right_password_opens_a_session_whose_key_is_only_kept_hashed(
    client: FlaskClient, now: dt.datetime
) -> None:
    make_person("ann@mail.example")
    answer = sign_in(client, "ann@mail.example")
    assert (answer.status_code, is_signed_in(client)) == (303, True)
    [row] = rows("ann@mail.example")
    with client.session_transaction() as cookie:
        key = cookie["_user_id"]
    assert len(key) == 43
    assert key not in (row.token_hash, str(row.__dict__))
    assert (row.created_at, row.last_seen_at, row.ended_at) == (now, now, None)
    assert deeds() == ["signed_in"]


@pytest.mark.parametrize("email", ["ANN@Mail.Example", "  ann@mail.example  "])
def test_email_is_taken_as_people_type_it(client: FlaskClient, email: str) -> None:
    make_person("ann@mail.example")
    assert sign_in(client, email).status_code == 303


@pytest.mark.parametrize(
    ("email", "password"),
    [
        ("ann@mail.example", "not her password"),
        ("ann@mail.example", PASSWORD + " "),
        ("ann@mail.example", PASSWORD.upper()),
        ("ann@mail.example", PASSWORD + "x" * 300),
        ("nobody@mail.example", PASSWORD),
        ("left@mail.example", PASSWORD),
        ("invited@mail.example", PASSWORD),
        ("' OR 1=1 --", PASSWORD),
        ("ann@mail.example\u2028", "<script>alert(1)</script>"),
    ],
)
def test_every_wrong_sign_in_gets_the_same_answer(client: FlaskClient, email: str, password: str) -> None:
    make_person("ann@mail.example")
    make_person("left@mail.example", is_active=False)
    make_person("invited@mail.example", Role.THERAPIST, password=None)
    expected = sign_in(client, "stranger@mail.example", "whatever it may be")
    answer = sign_in(client, email, password)
    typed = str(client.application.jinja_env.filters["e"](email.strip()))
    assert answer.status_code == expected.status_code == 422
    assert answer.text.replace(typed, "stranger@mail.example") == expected.text
    assert not is_signed_in(client)
    assert how_many(UserSession) == 0


def test_typed_email_is_kept_and_typed_password_is_not(client: FlaskClient) -> None:
    text = sign_in(client, '"><b>ann', "my secret words").text
    assert 'value="&#34;&gt;&lt;b&gt;ann"' in text
    assert "my secret words" not in text


@pytest.mark.parametrize(
    "data", [{}, {"email": "", "password": ""}, {"email": "x" * 100_000, "password": "y"}]
)
def test_missing_or_endless_input_is_said_at_its_field(client: FlaskClient, data: dict[str, str]) -> None:
    answer = client.post("/sign-in", data=data)
    assert answer.status_code == 422
    assert 'id="email-error"' in answer.text


@pytest.mark.parametrize("bad", [b"email=a%00b&password=x", b"email=a&password=%ED%A0%80", b"em%00ail=a"])
def test_what_no_keyboard_types_is_a_bad_request_or_a_wrong_sign_in(client: FlaskClient, bad: bytes) -> None:
    answer = client.post("/sign-in", data=bad, content_type="application/x-www-form-urlencoded")
    assert answer.status_code in (400, 422)


def test_session_is_new_at_every_sign_in_and_the_one_before_ends(client: FlaskClient) -> None:
    make_person("ann@mail.example")
    keys = []
    for _ in range(2):
        sign_in(client, "ann@mail.example")
        with client.session_transaction() as cookie:
            keys.append(cookie["_user_id"])
    assert keys[0] != keys[1]
    assert [row.ended_at is None for row in rows("ann@mail.example")] == [False, True]


def test_planted_cookie_does_not_survive_but_the_booking_does(client: FlaskClient) -> None:
    make_person("ann@mail.example")
    with client.session_transaction() as cookie:
        cookie["_user_id"] = "chosen by somebody else"
        cookie["checkout"] = "key of the booking"
        cookie["planted"] = "x"
    sign_in(client, "ann@mail.example")
    with client.session_transaction() as cookie:
        assert cookie["_user_id"] != "chosen by somebody else"
        assert cookie["checkout"] == "key of the booking"
        assert "planted" not in cookie


def test_sign_out_ends_the_session_at_the_server(client: FlaskClient, app: Flask) -> None:
    make_person("ann@mail.example")
    sign_in(client, "ann@mail.example")
    copied = client.get_cookie("clinic")
    assert copied is not None
    with client.session_transaction() as cookie:
        cookie["checkout"] = "key of the booking"
    answer = client.post("/sign-out")
    assert (answer.status_code, answer.location) == (303, "/sign-in")
    with client.session_transaction() as cookie:
        assert {"_user_id", "checkout"}.isdisjoint(cookie)
    thief = app.test_client()
    thief.set_cookie("clinic", copied.value)
    assert not is_signed_in(thief)
    assert deeds() == ["signed_in", "signed_out"]


def test_next_never_leaves_this_site(client: FlaskClient) -> None:
    make_person("ann@mail.example")
    first_page = sign_in(client, "ann@mail.example").location
    assert first_page.startswith("/my")
    led_to = {
        target: (
            sign_in(client, "ann@mail.example", next=target).location,
            client.get("/sign-in", query_string={"next": target}).location,
        )
        for target in NOT_ON_THIS_SITE
    }
    assert led_to == dict.fromkeys(NOT_ON_THIS_SITE, (first_page, first_page))


@pytest.mark.parametrize("target", ["/account", "/account?a=1&b=//x", "/services/swedish#top"])
def test_next_leads_on_inside_this_site(client: FlaskClient, target: str) -> None:
    make_person("ann@mail.example")
    page = client.get("/sign-in", query_string={"next": target}).text
    assert f'value="{target.replace("&", "&amp;")}"' in page
    assert sign_in(client, "ann@mail.example", next=target).location == target


def test_closed_page_leads_to_sign_in_and_back(client: FlaskClient) -> None:
    make_person("ann@mail.example")
    answer = client.get("/account?from=mail")
    assert (answer.status_code, answer.location) == (303, "/sign-in?next=/account?from%3Dmail")
    page = client.get(answer.location).text
    assert 'value="/account?from=mail"' in page


def test_what_was_pressed_when_signed_out_is_said_not_to_be_done_and_leads_back(client: FlaskClient) -> None:
    page = {"Referer": "http://localhost/my/people?next=/book/who"}
    answer = client.post("/my/people", headers=page)
    assert (answer.status_code, answer.location) == (303, "/sign-in?next=/my/people&undone=y")
    assert "what you pressed was not done" in client.get(answer.location).text
    assert "what you pressed was not done" not in client.get("/sign-in?next=/my/people").text
    for other in ("http://evil.example/my", "http://localhost/my/visits/1/cancel", ""):
        assert client.post("/my/people", headers={"Referer": other}).location == "/sign-in?undone=y"
    assert client.post("/sign-out", headers=page).location == "/sign-in"


def test_a_part_of_a_page_that_is_closed_sends_the_whole_page_to_sign_in(client: FlaskClient) -> None:
    answer = client.get("/my/visits/1/move?day=2026-12-01", headers={"HX-Request": "true"})
    assert (answer.status_code, answer.text) == (204, "")
    assert answer.headers["HX-Redirect"] == "/sign-in?next=/my/visits/1/move?day%3D2026-12-01"


def test_weaker_stored_hash_is_renewed_at_sign_in(client: FlaskClient) -> None:
    weak = PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1).hash(PASSWORD)
    user = make_person("ann@mail.example", password=None)
    user.password_hash = weak
    db.session.commit()
    assert sign_in(client, "ann@mail.example").status_code == 303
    stored = db.session.scalar(select(User.password_hash))
    assert stored is not None
    assert stored.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert sign_in(client, "ann@mail.example").status_code == 303
    assert db.session.scalar(select(User.password_hash)) == stored


def test_hashing_happens_outside_every_transaction(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_person("ann@mail.example")
    real, open_then = passwords.is_right, []

    def watched(stored: str | None, password: str) -> bool:
        open_then.append(db.session().in_transaction())
        return real(stored, password)

    monkeypatch.setattr(passwords, "is_right", watched)
    sign_in(client, "ann@mail.example")
    assert open_then == [False]


@pytest.mark.parametrize("values", [{"is_active": False}, {"password_hash": "changed"}])
def test_account_changed_while_the_password_is_checked_stays_closed(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch, values: dict[str, object]
) -> None:
    make_person("ann@mail.example")
    real = passwords.is_right

    def slow(stored: str | None, password: str) -> bool:
        with transaction() as session:
            session.execute(update(User).values(values))
        return real(stored, password)

    monkeypatch.setattr(passwords, "is_right", slow)
    assert sign_in(client, "ann@mail.example").status_code == 422
    assert how_many(UserSession) == 0


def test_account_that_is_switched_off_in_any_way_is_signed_out(app: Flask, client: FlaskClient) -> None:
    ann = make_person("ann@mail.example")
    mine = browser_of(app, "ann@mail.example")
    assert is_signed_in(mine)
    ann.is_active = False
    db.session.commit()
    assert not is_signed_in(mine)


def test_wrong_password_writes_nothing_but_the_count(client: FlaskClient) -> None:
    make_person("ann@mail.example")
    sign_in(client, "ann@mail.example", OTHER_PASSWORD)
    assert (deeds(), mails(), how_many(UserSession)) == ([], [], 0)


def test_when_too_many_sign_in_the_next_is_asked_to_try_again_and_no_try_is_counted(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_person("pat@people.example")
    browser = app.test_client()
    monkeypatch.setattr(passwords._LINE, "waiting", passwords.MOST_WAITING)
    answer = sign_in(browser, "pat@people.example", PASSWORD)
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "5"
    assert "Many people are signing in at this moment" in answer.text
    assert 'value="pat@people.example"' in answer.text
    assert how_many(FailedTry) == 0
    assert rows("pat@people.example") == []
    monkeypatch.setattr(passwords._LINE, "waiting", passwords.MOST_WAITING - 1)
    assert sign_in(browser, "pat@people.example", PASSWORD).status_code == 303


def test_half_of_those_that_answer_are_left_to_others_while_passwords_are_hashed() -> None:
    assert passwords.MOST_WAITING * 2 <= server.THREADS
