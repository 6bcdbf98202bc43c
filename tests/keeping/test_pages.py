"""A person asks, the owner reads what would go and does it; the owner sets periods and lets them begin."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import delete, func, select
from werkzeug.test import TestResponse

from clinic.accounts.models import User
from clinic.clients.models import Client
from clinic.keeping.models import Erasure
from clinic.keeping.queries import periods
from clinic.rules.permissions import Permission, Role
from clinic.rules.words import day_words
from clinic.shared.audit import AuditRow
from clinic.shared.database import db
from clinic.shared.languages import speaking
from clinic.shared.mail import OutgoingMail
from tests import factories
from tests.booking import world as w
from tests.conftest import NOW
from tests.owners import browser_of, owner_browser, save_page
from tests.records.whole_person import Person
from tests.typed_forms import form_on

pytestmark = pytest.mark.usefixtures("now")
ASKED = re.compile("You have asked us to erase it|Sie haben um Löschung gebeten")


def deeds_of(client_id: int) -> list[str]:
    rows = select(AuditRow.deed).where(AuditRow.thing == "client", AuditRow.thing_id == client_id)
    return list(db.session.scalars(rows.order_by(AuditRow.sequence)))


def erases_by_name(app: Flask, client_id: int) -> tuple[FlaskClient, int]:
    """Somebody at the desk whom the owner named finds the way to the page; their browser and their account."""
    erasures, desk = "/owner/erasures", [Role.FRONT_DESK]
    named = factories.make_user(email="n@clinic.example", roles=desk, given=[Permission.CLIENT_ANY_ERASE]).id
    browser = browser_of(app, db.session.get_one(User, named))
    assert erasures in browser.get("/clients").text
    assert f'href="/clients/{client_id}/erase"' in browser.get(erasures).text
    assert 'href="/owner"' not in browser.get(erasures).text
    assert browser.get(f"/clients/{client_id}/erase").status_code == 200
    return browser, named


def a_named_therapist_finds_the_way(app: Flask, client_id: int) -> None:
    """Who sees no list of clients finds the requests in the menu, and no link there leads to a closed door."""
    given = [Permission.CLIENT_ANY_ERASE]
    named = factories.make_user(email="t@clinic.example", roles=[Role.THERAPIST], given=given)
    browser, address = browser_of(app, named), f"/clients/{client_id}/erase"
    assert 'href="/owner/erasures"' in browser.get("/account").text
    for page in (browser.get("/owner/erasures").text, browser.get(address).text):
        assert 'href="/clients"' not in page
        assert f'href="/clients/{client_id}"' not in page


def test_from_the_request_to_the_end(app: Flask) -> None:
    world = w.build()
    person, partner = Person(app, world, "own-words"), Person(app, world, "partner-words", relation="partner")
    theirs, erasures = person.made["client"], "/owner/erasures"
    db.session.execute(delete(Erasure))  # what the factory put into every table
    db.session.commit()
    address = f"/my/people/{theirs}/erase"
    assert partner.browser.get(address).status_code == 404
    assert partner.browser.post(address).status_code == 404
    page = person.browser.get(address)
    assert "Health answers (1)" in page.text
    assert "a gap would make it worthless" in page.text
    for _twice in range(2):
        assert person.browser.post(address).status_code == 303
    assert "It will be done by Thu 9 July" in person.browser.get(address).text.replace("Thursday", "Thu")
    assert person.browser.post(f"{address}/back").status_code == 303
    assert person.browser.post(address).status_code == 303
    assert [row.withdrawn_at for row in db.session.scalars(select(Erasure).order_by(Erasure.id))] == [
        NOW,
        None,
    ]

    owner = owner_browser(app)
    assert "own-words" in owner.get(erasures).text
    desk = browser_of(app, factories.make_user(email="d@clinic.example", roles=[Role.FRONT_DESK], name="Dee"))
    assert desk.get(f"/clients/{theirs}/erase").status_code == 403
    a_named_therapist_finds_the_way(app, theirs)
    by_name = erases_by_name(app, theirs)
    assert erasures not in desk.get("/clients").text
    assert owner.post(f"/clients/{theirs}/erase").status_code == 422
    read = owner.get(f"/clients/{theirs}/erase").text
    assert "Backups" in read
    assert "Which messages they want" in read
    assert re.search(r"<dt>[^<]*[Yy]ou|<li>[^<]*[Yy]ou", read) is None, "the page speaks to the owner"
    assert save_page(by_name[0], f"/clients/{theirs}/erase", sure="y").status_code == 303
    assert db.session.get_one(Client, theirs).name == "Erased"
    assert db.session.scalars(select(Erasure.erased_by_id).order_by(Erasure.id)).all() == [None, by_name[1]]
    assert "own-words" not in owner.get(erasures).text
    assert f"record {theirs}" in owner.get(erasures).text
    assert owner.get(f"/clients/{theirs}/erase").status_code == 404
    assert person.browser.get("/my").status_code == 303  # signed out: the account is gone
    asked, back = "client.erasure_asked", "client.erasure_withdrawn"
    assert deeds_of(theirs)[-4:] == [asked, back, asked, "client.erased"]


def test_visits_ahead_are_named_and_nothing_is_erased(app: Flask) -> None:
    world = w.build()
    client_id = w.person()
    w.sign(client_id)
    visit_id = w.at_desk(world, client_id, "relaxation", when=w.at(2)).visit_id
    owner = owner_browser(app)
    page = owner.get(f"/clients/{client_id}/erase").text
    assert f"/desk/visits/{visit_id}" in page
    assert "Erase this person" not in page
    assert owner.post(f"/clients/{client_id}/erase", data={"sure": "y"}).status_code in (400, 409)
    assert db.session.get_one(Client, client_id).first_name == "Pat"


def test_the_day_is_promised_on_a_condition_while_visits_are_ahead(app: Flask) -> None:
    world = w.build()
    user = factories.make_user(email="kim@people.example", roles=[Role.CLIENT])
    client_id = factories.make_client(
        first_name="Kim", last_name="C", born_on=dt.date(1985, 5, 5), acts={user.id: "self"}
    ).id
    w.sign(client_id)
    w.at_desk(world, client_id, "relaxation", when=w.at(2))
    mine, address = browser_of(app, user), f"/my/people/{client_id}/erase"
    assert mine.post(address).status_code == 303
    page = mine.get(address).text
    assert "if your visits are over or cancelled by then" in page
    kind = OutgoingMail.kind == "notice_erasure_received"
    text = db.session.scalars(select(OutgoingMail.text).where(kind)).one()
    assert "if your visits are over or cancelled by then" in text


def test_periods_are_saved_checked_and_confirmed(app: Flask) -> None:
    factories.make_clinic()
    owner = owner_browser(app)
    address = "/owner/keeping"
    refused = save_page(owner, address, records="2", law="5")
    assert refused.status_code == 422
    assert "at least as long as the law asks for" in refused.text
    assert save_page(owner, address, records="0").status_code == 422
    assert save_page(owner, address, records="12", law="10").status_code == 303
    assert (periods.periods()["records"], periods.periods()["law"]) == (12, 10)
    assert not periods.is_confirmed()
    assert let_begin(owner, owner.get(address).text).status_code == 303
    assert periods.is_confirmed()
    assert save_page(owner, address, records="11").status_code == 303
    assert not periods.is_confirmed()


def let_begin(owner: FlaskClient, page: str) -> TestResponse:
    """Press on this page that things go from now on."""
    begin = "/owner/keeping/begin"
    return owner.post(begin, data=form_on(page, begin))


def test_an_older_page_puts_no_period_back_and_may_after_it_was_compared(app: Flask) -> None:
    factories.make_clinic()
    owner, address = owner_browser(app), "/owner/keeping"
    older = form_on(owner.get(address).text, address)
    assert save_page(owner, address, records="30").status_code == 303
    refused = owner.post(address, data=older | {"mails": ["181"]})
    assert refused.status_code == 422
    assert "Somebody changed this while you had it open" in refused.text
    assert (periods.periods()["records"], periods.periods()["mails"]) == (30, 180)
    kept = form_on(refused.text, address)
    assert (kept["records"], kept["mails"]) == (["10"], ["181"])
    assert owner.post(address, data=kept).status_code == 303
    assert (periods.periods()["records"], periods.periods()["mails"]) == (10, 181)


def test_only_the_periods_that_their_owner_saw_begin(app: Flask) -> None:
    factories.make_clinic()
    owner, address = owner_browser(app), "/owner/keeping"
    older = owner.get(address).text
    assert save_page(owner, address, records="3", no_visit="30").status_code == 303
    refused = let_begin(owner, older)
    assert refused.status_code == 409
    assert "nothing was begun from it" in refused.text
    assert owner.post(f"{address}/begin").status_code == 409
    assert not periods.is_confirmed()
    assert form_on(refused.text, address)["records"] == ["3"]
    assert let_begin(owner, refused.text).status_code == 303
    assert periods.is_confirmed()


def test_nothing_begins_from_a_page_that_shows_periods_which_are_not_saved(app: Flask) -> None:
    factories.make_clinic()
    refused = save_page(owner_browser(app), "/owner/keeping", records="0")
    assert "Save the periods first" in refused.text
    assert "/owner/keeping/begin" not in refused.text


def test_a_request_reaches_the_owner_and_whoever_asked_by_itself(app: Flask) -> None:
    """By mail, on the owner's page, and on the person's own; asked twice it is told once."""
    w.build()
    owner = owner_browser(app)
    for name in ("kim", "lou"):
        user = factories.make_user(
            email=f"{name}@people.example", name=name, roles=[Role.CLIENT], language="de"
        )
        client = factories.make_client(
            first_name=name, last_name="C", born_on=dt.date(1985, 5, 5), acts={user.id: "self"}
        ).id
        mine = browser_of(app, user)
        assert not ASKED.search(mine.get("/my").text)
        for _time in range(2):
            assert mine.post(f"/my/people/{client}/erase").status_code == 303
        assert ASKED.search(mine.get("/my").text)
    told = db.session.execute(select(OutgoingMail.kind, OutgoingMail.to, OutgoingMail.text)).all()
    owners = db.session.scalars(select(User.email).where(User.role_rows.any(role=Role.OWNER))).all()
    assert sorted((kind, to) for kind, to, _text in told) == sorted(
        [("notice_erasure_asked", to) for to in owners] * 2
        + [("notice_erasure_received", f"{name}@people.example") for name in ("kim", "lou")]
    )
    due_on = db.session.scalars(select(Erasure.due_on)).first()
    assert due_on is not None
    with speaking("de"):
        day = day_words(due_on)
    assert [day in text for kind, _to, text in told if kind == "notice_erasure_received"] == [True] * 2
    assert "2 people wait." in owner.get("/owner").text
    for _time in range(3):
        assert mine.post(f"/my/people/{client}/erase/back").status_code == 303
        assert mine.post(f"/my/people/{client}/erase").status_code == 303
    mails = select(func.count()).select_from(OutgoingMail).where(OutgoingMail.kind == "notice_erasure_asked")
    assert db.session.scalar(mails) == 2 * len(owners), "on one day the owners are told once of each person"
    assert mine.post(f"/my/people/{client}/erase/back").status_code == 303
    assert not ASKED.search(mine.get("/my").text)
    assert "1 person waits." in owner.get("/owner").text
