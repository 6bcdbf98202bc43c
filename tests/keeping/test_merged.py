"""Two records of one person that were merged: what was asked or chosen on either holds for the one that stands."""

from __future__ import annotations

import datetime as dt

import pytest
from flask import Flask
from sqlalchemy import select

from clinic.accounts.models import User
from clinic.booking.services import people as merging
from clinic.clients import choices
from clinic.clients.choices import Whose
from clinic.clients.models import MessageChoice
from clinic.keeping.models import Erasure
from clinic.keeping.queries import people, requests
from clinic.keeping.services import erasing
from clinic.records.queries.own_copy import copy_of
from clinic.rules.messages import AFTERCARE, REMINDER, SMS
from clinic.rules.permissions import Role
from clinic.shared.database import db, transaction
from tests import factories
from tests.booking import world as w
from tests.conftest import NOW

pytestmark = pytest.mark.usefixtures("now")


class Twice:
    """Ann, who has two records and an account for each."""

    def __init__(self) -> None:
        self.desk = w.build().desk_id
        self.users = [
            factories.make_user(email=f"{name}@x.example", roles=[Role.CLIENT], name="Ann Canary").id
            for name in ("one", "two")
        ]
        self.keep, self.lose = (
            factories.make_client(
                first_name="Ann", last_name="Canary", born_on=dt.date(1985, 5, 5), acts={user_id: "self"}
            ).id
            for user_id in self.users
        )

    def merge(self) -> None:
        db.session.rollback()
        merging.merge_clients(self.keep, self.lose, by=self.desk, now=NOW)


@pytest.fixture
def ann(app: Flask) -> Twice:
    return Twice()


def erase(app: Flask, client_id: int) -> None:
    db.session.rollback()
    erasing.erase_person(client_id, settings=app.config, by=None, now=NOW)


def test_both_accounts_of_a_merged_person_go(app: Flask, ann: Twice) -> None:
    ann.merge()
    copied = {one.table: list(one.rows) for one in copy_of(ann.keep, ann.users[1])}
    assert sorted(row["email"] for row in copied["user"]) == ["one@x.example", "two@x.example"]
    shown = people.preview(ann.keep, NOW)
    assert shown is not None
    assert {one.table: one.count for one in shown.lines}["user"] == 2
    erase(app, ann.keep)
    left = db.session.execute(select(User.name, User.is_active).where(User.id.in_(ann.users))).all()
    assert [tuple(row) for row in left] == [("Erased", False)] * 2


def test_an_account_that_books_for_others_stays_and_the_other_one_goes(app: Flask, ann: Twice) -> None:
    born_on = dt.date(2020, 5, 5)
    factories.make_client(first_name="Kim", last_name="C", born_on=born_on, acts={ann.users[0]: "parent"})
    ann.merge()
    shown = people.preview(ann.keep, NOW)
    assert shown is not None
    assert shown.account_stays == "Their account stays: it books for other people too."
    erase(app, ann.keep)
    active = select(User.is_active).where(User.id.in_(ann.users)).order_by(User.id)
    assert db.session.scalars(active).all() == [True, False]


def test_a_request_is_carried_to_the_record_that_stands_and_closes_with_it(app: Flask, ann: Twice) -> None:
    db.session.rollback()
    later = NOW + dt.timedelta(days=1)
    due_on = erasing.ask_to_be_erased(ann.lose, by=ann.users[1], now=NOW)
    erasing.ask_to_be_erased(ann.keep, by=ann.users[0], now=later)
    ann.merge()
    assert [(one.client_id, one.due_on) for one in requests.open_requests()] == [(ann.keep, due_on)]
    mine = requests.open_request(ann.keep)
    assert (mine and mine.due_on) == due_on
    db.session.rollback()
    assert erasing.ask_to_be_erased(ann.keep, by=ann.users[0], now=later) == due_on
    erase(app, ann.keep)
    assert requests.open_requests() == []
    rows = db.session.scalars(select(Erasure)).all()
    assert [(row.erased_at, row.finished_at) for row in rows] == [(NOW, NOW)] * 2


def test_a_request_of_before_the_merge_is_taken_back(ann: Twice) -> None:
    db.session.rollback()
    erasing.ask_to_be_erased(ann.lose, by=ann.users[1], now=NOW)
    ann.merge()
    erasing.take_request_back(ann.keep, by=ann.users[0], now=NOW)
    assert requests.open_requests() == []
    assert db.session.scalars(select(Erasure.withdrawn_at)).all() == [NOW]


def test_a_no_to_mails_on_either_record_stays_a_no(ann: Twice) -> None:
    db.session.rollback()
    said = {ann.keep: {REMINDER: True, SMS: True}, ann.lose: {AFTERCARE: False, REMINDER: False, SMS: True}}
    with transaction() as session:
        for client_id, kinds in said.items():
            for kind, is_wanted in kinds.items():
                choices.choose(session, Whose(client_id), kind, is_wanted=is_wanted, now=NOW)
    ann.merge()
    rows = db.session.execute(select(MessageChoice.client_id, MessageChoice.kind, MessageChoice.is_wanted))
    found = {(client_id, kind): is_wanted for client_id, kind, is_wanted in rows}
    assert found == {(ann.keep, AFTERCARE): False, (ann.keep, REMINDER): False, (ann.keep, SMS): True}
    assert [choices.wants(Whose(one), AFTERCARE) for one in (ann.keep, ann.lose)] == [False, False]


def test_a_link_of_a_mail_from_before_the_merge_switches_off(app: Flask, ann: Twice) -> None:
    key = choices.stop_key(Whose(ann.lose), AFTERCARE)
    ann.merge()
    assert choices.wants(Whose(ann.keep), AFTERCARE)
    db.session.rollback()
    assert app.test_client().post(f"/messages/stop/{key}").status_code == 200
    assert not choices.wants(Whose(ann.keep), AFTERCARE)
