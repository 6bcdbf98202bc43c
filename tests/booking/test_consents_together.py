"""Several consents of guardians: each counts for what it names; one that was taken back counts for nothing."""

from __future__ import annotations

import datetime as dt

import pytest
from flask import Flask
from sqlalchemy import select

from clinic.booking.models import Visit
from clinic.booking.queries.checkouts import has_consent, plan_of_visit
from clinic.clients.models import Client
from clinic.intake.models import Consent
from clinic.intake.services import consents
from clinic.rules.permissions import Role
from clinic.shared.database import db
from tests import factories
from tests.booking import world as w
from tests.conftest import NOW
from tests.owners import browser_of

SIXTEEN, FOURTEEN = dt.date(2010, 1, 1), dt.date(2012, 1, 1)
LATER = NOW + dt.timedelta(minutes=5)


@pytest.fixture
def world(app: Flask) -> w.World:
    return w.build()


def agree(client: int, *services: str, now: dt.datetime = NOW, in_room: bool = True) -> int:
    consents.give_guardian_consent(
        client, name="Ma", relation="mother", services=services, will_be_in_room=in_room, signed_on=w.TODAY,
        by=None, now=now,
    )  # fmt: skip
    return db.session.scalars(select(Consent.id).order_by(Consent.id.desc())).first() or 0


def child(born_on: dt.date = SIXTEEN) -> int:
    client = w.person(born_on=born_on)
    w.sign(client)
    return client


def test_a_consent_for_something_else_takes_nothing_back(world: w.World) -> None:
    client = child()
    agree(client, "swedish")
    assert w.at_desk(world, client, "swedish").status == "confirmed"
    agree(client, "relaxation", now=LATER)
    assert w.statuses(client) == ["confirmed"]
    assert w.at_desk(world, client, "relaxation", when=w.at(5)).status == "confirmed"
    assert w.at_desk(world, client, "sports", when=w.at(7)).status == "pending"


def test_each_consent_carries_its_own_promise_to_be_in_the_room(world: w.World) -> None:
    client = child(FOURTEEN)
    agree(client, "swedish", in_room=True)
    agree(client, "relaxation", now=LATER, in_room=False)
    assert w.at_desk(world, client, "swedish").status == "confirmed"
    assert w.at_desk(world, client, "relaxation", when=w.at(5)).status == "pending"


def test_one_that_is_taken_back_leaves_the_other(world: w.World) -> None:
    client = child()
    first = agree(client, "swedish")
    agree(client, "relaxation", now=LATER)
    w.at_desk(world, client, "swedish")
    w.at_desk(world, client, "relaxation", when=w.at(5))
    db.session.rollback()
    consents.withdraw_consent(first, client, by=None, now=LATER)
    assert w.statuses(client) == ["suspended", "confirmed"]


def test_taken_back_in_the_evening_it_does_not_count_that_evening(world: w.World) -> None:
    """20:05 in New York is the next day in Greenwich: no date is compared, taken back is taken back."""
    client = child()
    number = agree(client, "relaxation")
    visit_id = w.at_desk(world, client, "relaxation", when=w.at(0, 18, 30)).visit_id
    db.session.rollback()
    consents.withdraw_consent(number, client, by=None, now=w.at(0, 20, 5))
    assert w.statuses(client) == ["suspended"]
    visit = db.session.get_one(Visit, visit_id)
    assert not has_consent(db.session.get_one(Client, client), visit, plan_of_visit(visit))


@pytest.mark.usefixtures("now")
def test_a_parent_takes_it_back_on_the_own_page_and_coming_visits_wait(app: Flask, world: w.World) -> None:
    parent = factories.make_user(email="ma@people.example", roles=[Role.CLIENT])
    mine = factories.make_client(
        first_name="Mia", last_name="Ma", born_on=SIXTEEN, acts={parent.id: "parent"}
    ).id
    w.sign(mine)
    another = child()
    agree(mine, "swedish")
    agree(another, "swedish")
    kept = dict(
        db.session.execute(select(Consent.client_id, Consent.id).where(Consent.kind == "guardian"))
        .tuples()
        .all()
    )
    w.at_desk(world, mine, "swedish")
    assert w.statuses(mine) == ["confirmed"]
    db.session.rollback()
    browser, page = browser_of(app, parent), f"/my/health/{mine}"
    for one, status in ((kept[another], 404), (kept[mine], 303), (kept[mine], 303)):
        assert browser.post(f"{page}/consents/{one}/withdraw").status_code == status
    assert w.statuses(mine) == ["suspended"]
    assert db.session.scalars(select(Visit.waiting_for).where(Visit.client_id == mine)).one() == "consent"
    text = browser.get(page).text
    assert ("is taken back" in text, "not there any more" in text) == (True, True)
    assert "parent or guardian" not in text
