"""Links by mail: single use, newest only, short-lived, and silent about who has an account."""

from __future__ import annotations

import datetime as dt
from contextlib import nullcontext

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import delete, select

from clinic.accounts import queries, services
from clinic.accounts.models import MailedLink
from clinic.accounts.services.links import DeadLink, use_link
from clinic.rules.errors import NotFound
from clinic.rules.permissions import Role
from clinic.shared.database import db, transaction
from clinic.shared.mail import OutgoingMail
from tests.accounts.people import (
    ORIGIN,
    OTHER_PASSWORD,
    PASSWORD,
    browser_of,
    deeds,
    how_many,
    is_signed_in,
    key_in,
    mails,
    make_person,
    sign_in,
)
from tests.statements import counted

pytestmark = pytest.mark.usefixtures("premises", "now")


def ask(client: FlaskClient, email: str) -> str:
    """Ask for a link; returns the key that was mailed."""
    assert client.post("/password/forgot", data={"email": email}).status_code == 303
    return key_in(mails("Set a new password")[-1])


def set_password(client: FlaskClient, key: str, password: str = OTHER_PASSWORD) -> int:
    return client.post(f"/password/{key}", data={"password": password}).status_code


def test_mailed_link_sets_a_new_password_and_signs_out_everywhere(app: Flask, client: FlaskClient) -> None:
    make_person("ann@mail.example")
    elsewhere = browser_of(app, "ann@mail.example")
    key = ask(client, "ann@mail.example")
    page = client.get(f"/password/{key}")
    assert page.status_code == 200
    assert "At least 15 characters" in page.text
    answer = client.post(f"/password/{key}", data={"password": OTHER_PASSWORD})
    assert (answer.status_code, answer.location) == (303, "/sign-in")
    assert not is_signed_in(elsewhere)
    assert not is_signed_in(client)  # a link never signs in by itself
    assert sign_in(client, "ann@mail.example", PASSWORD).status_code == 422
    assert sign_in(client, "ann@mail.example", OTHER_PASSWORD).status_code == 303
    assert [mail.subject for mail in mails()] == [
        "Set a new password",
        "Your password was changed",
        "A new sign-in to your account",
    ]
    assert deeds() == ["signed_in", "password_link_asked", "password_set_by_link", "signed_in"]


@pytest.mark.parametrize("email", ["nobody@mail.example", "left@mail.example", "ann@mail.example"])
def test_answer_is_the_same_whether_there_is_an_account_or_not(client: FlaskClient, email: str) -> None:
    make_person("ann@mail.example")
    make_person("left@mail.example", is_active=False)
    answers = [client.post("/password/forgot", data={"email": email}) for _ in range(6)]
    assert [answer.status_code for answer in answers] == [303] * 5 + [429]
    assert answers[0].location == "/password/sent"
    assert answers[5].headers["Retry-After"] == "3600"
    assert "Please wait 60 minutes" in answers[5].text
    assert len(mails()) == (5 if email == "ann@mail.example" else 0)
    assert deeds() == ["password_link_asked"] * 5


def test_one_address_asks_twenty_times_an_hour(client: FlaskClient) -> None:
    answers = [
        client.post("/password/forgot", data={"email": f"p{number}@mail.example"}).status_code
        for number in range(21)
    ]
    assert answers == [303] * 20 + [429]


@pytest.mark.parametrize(
    "email", ["", "ann", "ann@", "ann@mail", "a b@mail.example", "x" * 300 + "@mail.example"]
)
def test_what_is_no_email_is_said_at_the_field_and_kept(client: FlaskClient, email: str) -> None:
    answer = client.post("/password/forgot", data={"email": email})
    assert answer.status_code == 422
    assert 'id="email-error"' in answer.text
    assert f'value="{email}"' in answer.text


def test_link_is_used_once(client: FlaskClient) -> None:
    make_person("ann@mail.example")
    key = ask(client, "ann@mail.example")
    assert set_password(client, key) == 303
    assert set_password(client, key, "another kettle on the moor") == 404
    assert sign_in(client, "ann@mail.example", OTHER_PASSWORD).status_code == 303


def test_only_the_newest_link_works(client: FlaskClient) -> None:
    make_person("ann@mail.example")
    first, second = ask(client, "ann@mail.example"), ask(client, "ann@mail.example")
    assert (set_password(client, first), set_password(client, second)) == (404, 303)


@pytest.mark.parametrize(("minutes", "status"), [(30, 303), (31, 404)])
def test_reset_link_lasts_half_an_hour(
    client: FlaskClient, now: dt.datetime, minutes: int, status: int
) -> None:
    make_person("ann@mail.example")
    key = ask(client, "ann@mail.example")
    with time_machine.travel(now + dt.timedelta(minutes=minutes), tick=False):
        assert client.get(f"/password/{key}").status_code == (200 if status == 303 else 404)
        assert set_password(client, key) == status


@pytest.mark.parametrize(
    ("role", "hours", "works"),
    [
        (Role.CLIENT, 7 * 24, True),
        (Role.CLIENT, 7 * 24 + 1, False),
        (Role.OWNER, 24, True),
        (Role.OWNER, 25, False),
        (Role.THERAPIST, 25, False),
    ],
)
def test_welcome_link_lasts_a_week_for_clients_and_a_day_for_staff(
    client: FlaskClient, now: dt.datetime, role: Role, hours: int, works: bool
) -> None:
    user = make_person("ann@mail.example", role, password=None)
    services.send_welcome_link(user.id, now)
    [mail] = mails()
    assert mail.subject == ("Set up your account" if role == Role.CLIENT else "Your account for the team")
    with time_machine.travel(now + dt.timedelta(hours=hours), tick=False):
        assert (set_password(client, key_in(mail)) == 303) is works
        assert (sign_in(client, "ann@mail.example", OTHER_PASSWORD).status_code == 303) is works


def test_first_password_brings_no_warning_mail(client: FlaskClient, now: dt.datetime) -> None:
    user = make_person("ann@mail.example", password=None)
    services.send_welcome_link(user.id, now)
    set_password(client, key_in(mails()[0]))
    assert len(mails()) == 1


def test_welcome_link_is_not_sent_to_an_account_that_is_switched_off(app: Flask, now: dt.datetime) -> None:
    user = make_person("ann@mail.example", is_active=False)
    with pytest.raises(NotFound):
        services.send_welcome_link(user.id, now)
    assert how_many(OutgoingMail) == 0


def test_every_dead_link_gets_the_same_answer(client: FlaskClient, now: dt.datetime) -> None:
    make_person("ann@mail.example")
    left = make_person("left@mail.example")
    used = ask(client, "ann@mail.example")
    set_password(client, used)
    client.get("/sign-in")  # shows that it is set, once
    replaced, old = ask(client, "ann@mail.example"), ask(client, "left@mail.example")
    ask(client, "ann@mail.example")
    left.is_active = False
    db.session.commit()
    never = "A" * 43
    pages = {client.get(f"/password/{key}").text for key in (used, replaced, old, never, "x", "x" * 2000)}
    assert len(pages) == 1
    text = pages.pop()
    assert 'href="/password/forgot"' in text
    assert "ann" not in text
    posts = {
        client.post(f"/password/{key}", data={"password": "x"}).text.replace(
            f' data-comes-back-to="/password/{key}"',
            "",  # its own address, which the browser knows
        )
        for key in (used, old, never)
    }
    assert posts == {text}


def test_guessing_links_is_limited(client: FlaskClient) -> None:
    answers = [set_password(client, f"guess{number}") for number in range(11)]
    assert answers == [404] * 10 + [429]


@pytest.mark.parametrize(
    "password", ["", "too short", "passwordpassword", "still waters run deep", "ann@mail.example!"]
)
def test_refused_password_leaves_the_link_alive(client: FlaskClient, password: str) -> None:
    make_person("ann@mail.example")
    key = ask(client, "ann@mail.example")
    answer = client.post(f"/password/{key}", data={"password": password})
    assert answer.status_code == 422
    assert 'id="password-error"' in answer.text
    assert set_password(client, key) == 303


def test_staff_need_fifteen_characters(client: FlaskClient) -> None:
    make_person("desk@mail.example", Role.FRONT_DESK)
    key = ask(client, "desk@mail.example")
    assert set_password(client, key, "kettle on moor") == 422  # fourteen
    assert set_password(client, key, "kettle on moors") == 303


def test_link_names_the_configured_host_whatever_the_request_says(client: FlaskClient) -> None:
    make_person("ann@mail.example")
    client.post(
        "/password/forgot",
        data={"email": "ann@mail.example"},
        headers={
            "Host": "evil.example",
            "X-Forwarded-Host": "evil.example",
            "Origin": "https://evil.example",
        },
    )
    [mail] = mails()
    assert "evil" not in mail.text
    assert f"{client.application.config['CLINIC_PUBLIC_URL']}/password/" in mail.text


def test_keys_are_kept_hashed(client: FlaskClient) -> None:
    make_person("ann@mail.example")
    key = ask(client, "ann@mail.example")
    link = db.session.scalars(select(MailedLink)).one()
    assert key not in str(vars(link))
    assert len(link.token_hash) == 64


def test_booking_in_the_making_survives_a_new_password(client: FlaskClient) -> None:
    make_person("ann@mail.example")
    key = ask(client, "ann@mail.example")
    with client.session_transaction() as cookie:
        cookie["checkout"] = "key of the booking"
    set_password(client, key)
    with client.session_transaction() as cookie:
        assert cookie["checkout"] == "key of the booking"


def test_link_used_twice_at_once_works_once(app: Flask, client: FlaskClient, now: dt.datetime) -> None:
    """The second one passes the first look, and is stopped by the second one inside the transaction."""
    make_person("ann@mail.example")
    link = queries.live_link(ask(client, "ann@mail.example"), now)
    assert link is not None
    for still in (nullcontext(), pytest.raises(DeadLink)):
        with still, transaction() as session:
            use_link(session, link, now)


def test_a_link_whose_account_is_being_erased_is_a_dead_one(
    app: Flask, client: FlaskClient, now: dt.datetime
) -> None:
    make_person("ann@mail.example")
    link = queries.live_link(ask(client, "ann@mail.example"), now)
    assert link is not None
    with transaction() as session:
        session.execute(delete(MailedLink))
    with transaction() as session, pytest.raises(DeadLink):
        use_link(session, link, now)


def test_service_raises_for_a_dead_link(app: Flask, now: dt.datetime) -> None:
    with pytest.raises(DeadLink):
        services.set_password_by_link("x", OTHER_PASSWORD, clinic_name="", origin=ORIGIN, now=now)


@pytest.mark.parametrize("path", ["/password/forgot", "/sign-in/link"])
def test_asking_does_the_same_work_whether_there_is_an_account_or_not(app: Flask, path: str) -> None:
    """How long the answer takes says nothing either."""
    for email, role in (("client@mail.example", Role.CLIENT), ("staff@mail.example", Role.THERAPIST)):
        make_person(email, role)
    sent = {}
    for email in ("first@mail.example", "nobody@mail.example", "client@mail.example", "staff@mail.example"):
        browser = app.test_client()
        with counted() as statements:
            assert browser.post(path, data={"email": email}).status_code == 303
        sent[email] = len(statements)
    del sent["first@mail.example"]  # it may read once what is remembered from then on
    assert len(set(sent.values())) == 1, sent
