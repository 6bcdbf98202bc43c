"""Two records of one person that were merged: what was asked or chosen on either holds for the one that stands."""

from __future__ import annotations

import datetime as dt

import pytest
from flask import Flask
from sqlalchemy import select

from clinic.accounts.models import User, UserRole
from clinic.accounts.steps import add_session, store_password
from clinic.booking.models import Visit
from clinic.booking.services import people as merging
from clinic.booking.services import visits as bookings
from clinic.clients import choices
from clinic.clients.choices import Whose
from clinic.clients.models import Client, ClientAccess, MessageChoice
from clinic.clients.steps import Details, give_access
from clinic.keeping.models import Erasure
from clinic.keeping.queries import people, requests
from clinic.keeping.services import erasing, expiring
from clinic.records.queries.own_copy import copy_of
from clinic.rules.keeping import PERIODS
from clinic.rules.messages import AFTERCARE, REMINDER, SMS
from clinic.rules.permissions import Role
from clinic.shared.database import db, transaction
from clinic.shared.mail import OutgoingMail
from tests import factories
from tests.booking import walk
from tests.booking import world as w
from tests.conftest import NOW
from tests.keeping.test_erasing import columns_with

pytestmark = pytest.mark.usefixtures("now")


class Twice:
    """Ann, who has two records and an account for each."""

    def __init__(self) -> None:
        self.world = w.build()
        self.desk = self.world.desk_id
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


GUEST, ELSEWHERE = "zzguest@people.example", "zzelsewhere@people.example"
"""Where somebody booked, and where the clinic knows them."""


class Guest:
    """Somebody who booked without signing in: the mail with the way to an account lies unread, and the visit is
    called off."""

    def __init__(self, app: Flask) -> None:
        self.app, self.desk = app, w.build().desk_id
        walk.book(app.test_client(), "relaxation", who=self.details)
        db.session.rollback()
        self.client = db.session.scalars(select(Client.id)).one()
        self.visit = db.session.scalars(select(Visit.id)).one()
        self.user = db.session.scalars(select(User.id).where(User.email == GUEST)).one()
        db.session.rollback()
        bookings.cancel_visit(self.visit, by=self.desk, by_clinic=True, now=NOW)

    @property
    def details(self) -> dict[str, str]:
        return {"first_name": "Zzfirst", "last_name": "Zzwalker", "email": GUEST}

    def joined(self) -> int:
        """The record in the book that theirs is joined with."""
        keep = factories.make_client(
            first_name="Zzfirst", last_name="Zzwalker", born_on=dt.date(1988, 7, 4), email=ELSEWHERE
        ).id
        db.session.rollback()
        merging.merge_clients(keep, self.client, by=self.desk, now=NOW)
        return keep

    def corrected(self) -> int:
        """Their own record, once the desk has corrected the address."""
        born_on = dt.date(1988, 7, 4)
        details = Details("Zzfirst", "Zzwalker", born_on, email=ELSEWHERE)
        merging.change_details(self.client, details, by=self.desk, now=NOW)
        return self.client


@pytest.fixture
def guest(app: Flask) -> Guest:
    return Guest(app)


@pytest.mark.parametrize("way", ["joined", "corrected"])
def test_an_account_that_nobody_entered_goes_with_the_person_it_was_opened_for(
    guest: Guest, way: str
) -> None:
    client_id: int = getattr(guest, way)()
    shown = people.preview(client_id, NOW)
    assert shown is not None
    accounts = db.session.scalars(select(User.email).where(User.name == "Zzfirst Zzwalker")).all()
    assert {one.table: one.count for one in shown.lines}["user"] == len(accounts)
    assert GUEST in accounts
    erase(guest.app, client_id)
    words = ("Zzfirst", "zzfirst", "Zzwalker", "zzguest", "zzelsewhere")
    assert {word: found for word in words if (found := columns_with(word))} == {}
    assert not db.session.scalars(select(OutgoingMail.id).where(OutgoingMail.kind == "welcome")).all()
    assert not db.session.get_one(User, guest.user).is_active


@pytest.mark.parametrize("has", ["a password", "been entered", "somebody else", "work here"])
def test_an_account_that_is_somebodys_stays(guest: Guest, has: str) -> None:
    """Entered since, for another person by now, or of the team: it is not this person's alone."""
    client_id = guest.joined()
    kim = factories.make_client(first_name="Kim", last_name="C", born_on=dt.date(2020, 5, 5)).id
    with transaction() as session:
        user = session.get_one(User, guest.user)
        if has == "a password":
            store_password(session, user, "x", NOW, is_short=False)
        elif has == "been entered":  # by a mailed link, and its session was removed after its time
            session.delete(add_session(session, user.id, "", NOW)[0])
        elif has == "work here":
            user.role_rows.append(UserRole(role=Role.THERAPIST))
        else:
            give_access(session, user.id, kim, "parent", now=NOW)
    erase(guest.app, client_id)
    kept = db.session.get_one(User, guest.user)
    assert (kept.email, kept.name, kept.is_active) == (GUEST, "Zzfirst Zzwalker", True)
    acts = db.session.scalars(select(ClientAccess.relation).where(ClientAccess.user_id == guest.user)).all()
    assert acts == (["parent"] if has == "somebody else" else [])


def test_whoever_books_again_at_that_address_gets_an_account_once_more(guest: Guest) -> None:
    erase(guest.app, guest.joined())
    walk.book(guest.app.test_client(), "relaxation", who=guest.details)
    db.session.rollback()
    again = db.session.scalars(select(User).where(User.email == GUEST)).one()
    assert again.id != guest.user
    assert again.is_active


@pytest.mark.parametrize("years", [0, 6])
def test_a_request_on_the_other_record_alone_erases_the_one_that_stands(
    app: Flask, ann: Twice, years: int
) -> None:
    """Also where a law keeps the treatment: it goes on its day with the name, and not the joined record alone."""
    if years:
        whole = {one.kind: one.usual for one in PERIODS}
        expiring.save_periods(whole | {"law": years}, by=ann.desk, now=NOW)
        w.sign(ann.keep)
        visit_id = w.at_desk(ann.world, ann.keep, "relaxation", when=w.at(0)).visit_id
        with transaction() as session:
            session.get_one(Visit, visit_id).status = "done"
    db.session.rollback()
    erasing.ask_to_be_erased(ann.lose, by=ann.users[1], now=NOW)
    ann.merge()
    erase(app, ann.keep)
    row = db.session.scalars(select(Erasure)).one()
    assert (row.client_id, row.source, bool(row.kept_until)) == (ann.keep, "client", bool(years))
    if years:
        db.session.rollback()
        assert expiring.remove_due(NOW + dt.timedelta(days=years * 366), settings=app.config) == 1
    assert people.is_erased(ann.keep)
    names = db.session.scalars(select(Client.first_name).where(Client.id.in_([ann.keep, ann.lose]))).all()
    assert names == ["Erased", "Erased"]
