"""A guest names somebody, then signs in and books for a person of their own: nothing stays sealed under a lost key."""

from __future__ import annotations

import datetime as dt

import pytest
from flask import Flask
from sqlalchemy import select

from clinic import checkup
from clinic.accounts.models import User
from clinic.booking.models import Checkout
from clinic.booking.queries.checkouts import IN_TURN
from clinic.booking.services import checkout
from clinic.clients.models import Client
from clinic.clients.services import add_person, create_client
from clinic.clients.steps import Details
from clinic.rules.permissions import Role
from clinic.shared import person_keys
from clinic.shared.database import db, transaction
from clinic.shared.rotation import columns_that_stay_closed
from tests import factories
from tests.booking import world as w
from tests.conftest import NOW
from tests.owners import browser_of

pytestmark = pytest.mark.usefixtures("now")

GUEST = Details("Other", "Guest", dt.date(1990, 1, 1), email="g@people.example", phone="(212) 555-0133")


@pytest.fixture
def account(app: Flask) -> int:
    w.build()
    return factories.make_user(email="mal@people.example", roles=[Role.CLIENT], name="Mal").id


def person_of(account: int, **said: str) -> int:
    details = {"email": "mal@people.example", "phone": "", **said}
    return add_person(
        account, Details("Mal", "Lory", dt.date(1990, 1, 1), **details), "self", region="US", now=NOW
    )


def test_what_was_typed_before_is_sealed_for_whom_it_is_now(app: Flask, account: int) -> None:
    mine = person_of(account)
    key = checkout.hold_slot(None, w.choice("relaxation"), w.at(3), first_visit=True, user_id=None, now=NOW)
    guest = checkout.name_person(key, GUEST, relation="child", now=NOW)
    db.session.rollback()
    checkout.choose_person(key, mine, user_id=account, now=NOW)
    db.session.rollback()
    assert db.session.get(Client, guest) is None, "nothing was known of them but a name"
    assert db.session.scalars(select(Checkout)).one().details == {"relation": "child", IN_TURN: [guest]}
    db.session.rollback()
    wrong = [one.says for one in checkup.before_opening(app, now=NOW) if one.grade is checkup.Grade.WRONG]
    assert wrong == []


def test_a_key_that_was_destroyed_on_purpose_is_no_wrong_key_file(app: Flask, account: int) -> None:
    mine = person_of(account)
    checkout.hold_slot(None, w.choice("relaxation"), w.at(3), first_visit=True, user_id=None, now=NOW)
    key = checkout.hold_slot(None, w.choice("relaxation"), w.at(4), first_visit=True, user_id=None, now=NOW)
    checkout.name_person(key, GUEST, relation="self", now=NOW)
    checkout.choose_person(key, mine, user_id=account, now=NOW)
    with transaction() as session:
        person_keys.destroy(session, [mine])
    assert columns_that_stay_closed() == []


@pytest.mark.parametrize(
    "said", [{"phone": "(212) 555-0188"}, {"phone": "(212) 555-0177"}, {"email": "vic@people.example"}]
)
def test_the_page_of_a_visit_tells_nobody_who_is_a_client(
    app: Flask, account: int, said: dict[str, str]
) -> None:
    known = Details("Vic", "Tim", dt.date(1961, 2, 3), email="vic@people.example", phone="(212) 555-0188")
    w.sign_answers(create_client(known, region="US", by=None, now=NOW), {})
    mine = person_of(account, **said)
    key = checkout.hold_slot(
        None, w.choice("relaxation"), w.at(3), first_visit=True, user_id=account, now=NOW
    )
    checkout.choose_person(key, mine, user_id=account, now=NOW)
    w.sign_answers(mine, {})
    visit = checkout.confirm(key, user_id=account, now=NOW).visit_id
    db.session.rollback()
    page = browser_of(app, db.session.get_one(User, account)).get(f"/my/visits/{visit}").text
    assert "Confirmed" in page
    assert "cleared up first" not in page
