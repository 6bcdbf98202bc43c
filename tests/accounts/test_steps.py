"""Accounts that other features open inside their own transactions."""

from __future__ import annotations

import datetime as dt
from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask

from clinic.accounts import queries, services, steps
from clinic.accounts.models import MailedLink, User
from clinic.rules.permissions import Role
from clinic.shared.database import db, transaction
from tests.accounts.people import ORIGIN, OTHER_PASSWORD, how_many, key_in, mails, make_person

NOW = dt.datetime(2026, 6, 9, 13, tzinfo=dt.UTC)


def open_for(email: str, now: dt.datetime) -> tuple[int, str | None]:
    with transaction() as session:
        user, token = steps.open_account_for_client(session, email, "Ann Lee", now)
        return user.id, token


def test_new_client_gets_an_account_and_a_key_for_a_week(app: Flask) -> None:
    user_id, token = open_for(" Ann@Mail.Example ", NOW)
    user = db.session.get_one(User, user_id)
    assert (user.email, user.name, user.roles, user.password_hash) == (
        "ann@mail.example",
        "Ann Lee",
        frozenset({Role.CLIENT}),
        None,
    )
    assert token is not None
    assert queries.live_link(token, NOW + dt.timedelta(days=7)) is not None
    assert queries.live_link(token, NOW + dt.timedelta(days=7, seconds=1)) is None


@pytest.mark.parametrize("is_active", [True, False])
def test_known_email_gets_no_key_and_nothing_changes(app: Flask, is_active: bool) -> None:
    known = make_person("ann@mail.example", Role.THERAPIST, is_active=is_active)
    before = known.password_hash
    assert open_for("ann@mail.example", NOW) == (known.id, None)
    assert (known.roles, known.password_hash, known.name) == (frozenset({Role.THERAPIST}), before, "Ann")
    assert how_many(MailedLink) == 0


def test_account_goes_with_the_callers_transaction(app: Flask) -> None:
    def fail_after_opening() -> None:
        with transaction() as session:
            steps.open_account_for_client(session, "ann@mail.example", "Ann", NOW)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_after_opening()
    assert (how_many(User), how_many(MailedLink)) == (0, 0)


def test_two_bookings_at_once_make_one_account(app: Flask) -> None:
    def book(_number: int) -> tuple[int, str | None]:
        with app.app_context():
            return open_for("ann@mail.example", NOW)

    with ThreadPoolExecutor(6) as threads:
        opened = list(threads.map(book, range(6)))
    assert len({user_id for user_id, _ in opened}) == 1
    assert len([token for _, token in opened if token]) == 1
    assert how_many(User) == 1


def test_welcome_mail_carries_the_key_and_not_what_a_stranger_typed(app: Flask) -> None:
    with transaction() as session:
        user, token = steps.open_account_for_client(
            session, "ann@mail.example", "Win at evil.example\nSubject: x", NOW
        )
        assert token is not None
        steps.mail_welcome(session, user, token, NOW)
    [mail] = mails()
    assert key_in(mail) == token
    assert "evil" not in mail.subject + mail.text


def test_owner_begins_with_a_link_for_a_day(app: Flask) -> None:
    token = services.begin_owner("boss@mail.example", "The Boss", NOW)
    link = queries.live_link(token, NOW + dt.timedelta(hours=24))
    assert link is not None
    assert (link.email, link.has_second_step) == ("boss@mail.example", False)
    services.set_password_by_link(token, OTHER_PASSWORD, clinic_name="", origin=ORIGIN, now=NOW)
    assert not services.sign_in("boss@mail.example", OTHER_PASSWORD, origin=ORIGIN, now=NOW).is_whole
    assert mails() == []
