"""Brute force: counted in the database, so that every process and every restart counts the same."""

from __future__ import annotations

import datetime as dt
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from clinic.accounts import passwords, services
from clinic.accounts.models import FailedTry
from clinic.accounts.services.signing_in import WrongSignIn
from clinic.accounts.tries import Origin, TooManyTries, mark
from clinic.rules.permissions import Role
from clinic.shared.database import db
from tests.accounts.people import ORIGIN, PASSWORD, browser_of, how_many, is_signed_in, make_person, sign_in
from tests.web import Visitor, app_on

pytestmark = pytest.mark.usefixtures("premises", "now")

WRONG = "not this password either"


def guess(client: FlaskClient, email: str, times: int, *, address: str | None = None) -> list[int]:
    """Wrong passwords, each from an address of its own unless one is given; the statuses of the answers."""
    answers = []
    for number in range(times):
        client.environ_base["REMOTE_ADDR"] = address or f"198.51.100.{number + 1}"
        answers.append(sign_in(client, email, WRONG).status_code)
    return answers


@pytest.mark.parametrize("email", ["ann@mail.example", "nobody@mail.example"])
def test_eleventh_try_within_five_minutes_is_refused_for_the_account(client: FlaskClient, email: str) -> None:
    make_person("ann@mail.example")
    assert guess(client, email, 12) == [422] * 10 + [429] * 2
    answer = sign_in(client, email, PASSWORD)  # the right one too, for ann
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "300")
    assert "There were too many tries. Please wait 5 minutes, then try again." in answer.text
    assert not is_signed_in(client)


def test_other_accounts_are_not_touched(client: FlaskClient) -> None:
    make_person("ann@mail.example")
    make_person("bob@mail.example")
    guess(client, "ann@mail.example", 11)
    assert sign_in(client, "bob@mail.example").status_code == 303


def test_wait_ends_by_itself_and_refused_tries_do_not_lengthen_it(
    client: FlaskClient, now: dt.datetime
) -> None:
    make_person("ann@mail.example")
    guess(client, "ann@mail.example", 10)
    with time_machine.travel(now + dt.timedelta(minutes=4, seconds=1), tick=False):
        assert guess(client, "ann@mail.example", 5) == [429] * 5
        assert "Please wait 1 minute," in sign_in(client, "ann@mail.example").text
    with time_machine.travel(now + dt.timedelta(minutes=5), tick=False):
        assert sign_in(client, "ann@mail.example").status_code == 303


def test_one_address_gets_ten_tries_whatever_it_writes_into_its_headers(client: FlaskClient) -> None:
    make_person("ann@mail.example")
    answers = [
        client.post(
            "/sign-in",
            data={"email": f"person{number}@mail.example", "password": WRONG},
            headers={"X-Forwarded-For": f"203.0.113.{number}", "Forwarded": f"for=203.0.113.{number}"},
        ).status_code
        for number in range(12)
    ]
    assert answers == [422] * 10 + [429] * 2
    assert sign_in(client, "ann@mail.example").status_code == 429
    client.environ_base["REMOTE_ADDR"] = "198.51.100.200"
    assert sign_in(client, "ann@mail.example").status_code == 303


def test_ipv6_addresses_of_one_customer_count_as_one(client: FlaskClient) -> None:
    answers = []
    for number in range(11):
        client.environ_base["REMOTE_ADDR"] = f"2001:db8:1:2::{number + 1:x}"
        answers.append(sign_in(client, f"p{number}@mail.example", WRONG).status_code)
    assert answers == [422] * 10 + [429]
    client.environ_base["REMOTE_ADDR"] = "2001:db8:1:3::1"
    assert sign_in(client, "p@mail.example", WRONG).status_code == 422


def test_ipv4_addresses_that_come_written_as_ipv6_count_each_by_itself(client: FlaskClient) -> None:
    for number in range(11):
        client.environ_base["REMOTE_ADDR"] = f"::ffff:198.51.100.{number + 1}"
        assert sign_in(client, f"p{number}@mail.example", WRONG).status_code == 422
    written = [
        Origin(address, "", "k").keeper(None) for address in ("::ffff:192.0.2.1", "192.0.2.1", "192.0.2.2")
    ]
    assert written[0] == written[1] != written[2]


def test_right_passwords_are_not_counted(app: Flask, client: FlaskClient) -> None:
    make_person("ann@mail.example")
    for _ in range(12):
        browser_of(app, "ann@mail.example")
    assert how_many(FailedTry) == 0


def test_two_processes_count_together(
    app: Flask, client: FlaskClient, database: str, data_folder: Path
) -> None:
    make_person("ann@mail.example")
    other = app_on(database, data_folder)
    other.test_client_class = Visitor
    both = (client, other.test_client())
    answers = [
        guess(both[number % 2], "ann@mail.example", 1, address=f"198.51.100.{number}")[0]
        for number in range(12)
    ]
    with other.app_context():
        db.engine.dispose()
    assert answers == [422] * 10 + [429] * 2


def test_guesses_sent_at_once_are_not_let_through_together(
    app: Flask, now: dt.datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(passwords, "MOST_WAITING", 9)  # nobody is sent away before their guess is counted
    make_person("ann@mail.example")

    def guess_once(number: int) -> type[Exception]:
        with app.app_context():
            origin = Origin(address=f"198.51.100.{number}", browser="", secret="a key for tests")
            try:
                services.sign_in("ann@mail.example", WRONG, origin=origin, now=now)
            except (WrongSignIn, TooManyTries) as error:
                return type(error)
        raise AssertionError("a wrong password was taken")

    with ThreadPoolExecutor(8) as threads:
        outcomes = list(threads.map(guess_once, range(24)))
    assert outcomes.count(WrongSignIn) == 10
    assert outcomes.count(TooManyTries) == 14


def test_counts_name_nobody_and_go_after_an_hour(client: FlaskClient, now: dt.datetime) -> None:
    guess(client, "ann@mail.example", 3, address="198.51.100.77")
    stored = " ".join(
        f"{row.kind} {row.who}" for row in db.session.scalars(select(FailedTry).order_by(FailedTry.id))
    )
    assert "ann" not in stored
    assert "198.51" not in stored
    assert mark("another key", "ann@mail.example") not in stored
    assert how_many(FailedTry) == 6
    with time_machine.travel(now + dt.timedelta(minutes=61), tick=False):
        guess(client, "bob@mail.example", 1)
    assert how_many(FailedTry) == 2


def test_owner_lifts_the_wait_of_one_of_the_team(app: Flask, client: FlaskClient, now: dt.datetime) -> None:
    owner = make_person("owner@mail.example", Role.OWNER)
    desk = make_person("desk@mail.example", Role.FRONT_DESK)
    guess(client, "desk@mail.example", 11)
    boss = browser_of(app, owner.email)
    assert sign_in(client, "desk@mail.example").status_code == 429
    answer = boss.post(f"/owner/team/{desk.id}/let-try-again")
    assert (answer.status_code, answer.location) == (303, f"/owner/team/{desk.id}")
    client.environ_base["REMOTE_ADDR"] = "198.51.100.201"
    assert sign_in(client, "desk@mail.example").status_code == 303


def test_key_that_hides_the_counts_is_not_in_the_words_of_an_origin() -> None:
    assert ORIGIN.secret not in repr(ORIGIN)
