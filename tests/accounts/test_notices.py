"""Mails that tell of what was done with an account: in the deed's own transaction, without a way in."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from clinic.accounts.models import KnownBrowser
from clinic.accounts.notices import Notice, tell, tell_owners
from clinic.rules.permissions import Role
from clinic.shared.database import db, transaction
from tests.accounts.people import CHROME, FIREFOX, browser_of, mails, make_person, sign_in

pytestmark = pytest.mark.usefixtures("premises", "now")

ASKED: dict[Notice, dict[str, Any]] = {
    Notice.NEW_BROWSER: {"browser": "Chrome on Windows"},
    Notice.FACTOR_CHANGED: {"what": "An authenticator app was added"},
    Notice.RECOVERY_CODE_USED: {"left": 1},
    Notice.WRONG_SECOND_STEPS: {},
    Notice.EMAIL_CHANGED: {"new_email": "new@mail.example"},
    Notice.BREAK_GLASS: {"who": "Tess"},
    Notice.ERASURE_RECEIVED: {"until": "Tuesday 9 June", "clinic": "Still Waters", "phone": "(212) 555-0100"},
}


def test_each_notice_is_a_mail_without_a_way_in_and_goes_with_its_deed(app: Flask, now: dt.datetime) -> None:
    ann = make_person("ann@mail.example")
    for kind in Notice:
        with transaction() as session:
            tell(session, kind, session.merge(ann), now=now, to="old@mail.example", **ASKED.get(kind, {}))
    with transaction() as session:
        tell(session, Notice.PASSWORD_CHANGED, session.merge(ann), now=now)
        session.rollback()
    told = mails()
    assert [mail.to for mail in told] == ["old@mail.example"] * len(Notice)
    assert len({mail.subject for mail in told}) == len(Notice)
    links = {link for mail in told for link in re.findall(r"http\S+", mail.text)}
    pages = ("password/forgot", "owner/opened-answers", "owner/erasures", "my")
    assert links == {f"http://127.0.0.1:8000/{page}" for page in pages}  # none of them is a key


def test_owners_are_told_who_can_still_sign_in(app: Flask, now: dt.datetime) -> None:
    for name, roles, active in (
        ("a", [Role.OWNER], True),
        ("b", [Role.THERAPIST], True),
        ("c", [Role.OWNER], False),
        ("d", [Role.OWNER, Role.THERAPIST], True),
    ):
        make_person(f"{name}@mail.example", *roles, is_active=active)
    with transaction() as session:
        tell_owners(session, Notice.BREAK_GLASS, now=now, who="Tess")
    assert [mail.to for mail in mails()] == ["a@mail.example", "d@mail.example"]


def test_a_browser_never_seen_with_the_account_is_told_once(app: Flask, client: FlaskClient) -> None:
    make_person("ann@mail.example")
    make_person("bob@mail.example")
    first = browser_of(app, "ann@mail.example", agent=FIREFOX)
    for email in ("ann@mail.example", "bob@mail.example", "ann@mail.example"):
        sign_in(first, email)  # bob's first browser, whoever else uses it
    other = browser_of(app, "ann@mail.example", agent=CHROME)
    sign_in(other, "ann@mail.example")
    [mail] = mails()
    assert (mail.to, mail.subject) == ("ann@mail.example", "A new sign-in to your account")
    assert "Chrome on Windows" in mail.text
    kept = other.get_cookie("browser")
    assert kept is not None
    assert (kept.http_only, kept.same_site, len(kept.value)) == (True, "Lax", 43)
    assert kept.value not in db.session.scalars(select(KnownBrowser.mark_hash)).all()


def test_a_mark_that_we_did_not_make_is_replaced(client: FlaskClient) -> None:
    make_person("ann@mail.example")
    client.set_cookie("browser", "x")
    sign_in(client, "ann@mail.example")
    kept = client.get_cookie("browser")
    assert kept is not None
    assert len(kept.value) == 43
