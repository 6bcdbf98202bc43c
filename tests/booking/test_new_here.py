"""Online rules for people who are new are asked once more when an account that knows somebody names somebody new."""

from __future__ import annotations

import datetime as dt

import pytest
from flask import Flask
from sqlalchemy import select, update

from clinic.booking.models import Visit
from clinic.catalogue.models import Service
from clinic.premises.models import Clinic
from clinic.shared.database import db, transaction
from tests import factories
from tests.booking import walk
from tests.booking import world as w
from tests.booking.test_pages_own import Account

pytestmark = pytest.mark.usefixtures("now")


@pytest.fixture
def account(app: Flask) -> Account:
    """Its own person has been treated here; the other one has not."""
    world, made = w.build(), Account(app)
    w.sign(made.client_id)
    earlier = w.at_desk(world, made.client_id, "swedish", when=w.at(1)).visit_id
    with transaction() as session:
        session.execute(update(Visit).where(Visit.id == earlier).values(status="done"))
    return made


def test_somebody_new_is_not_given_a_time_that_only_known_people_may_book(
    app: Flask, account: Account
) -> None:
    browser, known = account.browser, account.client_id
    new = factories.make_client(
        first_name="Ned", last_name="New", born_on=dt.date(1990, 1, 1), acts={account.user_id: "partner"}
    ).id

    def choose(person: int, service: str, when: dt.datetime) -> int:
        walk.location(walk.hold(browser, service, when))
        return browser.post("/book/person", data={"person": str(person)}).status_code

    def begin_anew() -> None:
        with browser.session_transaction() as kept:
            kept.pop("checkout")

    with transaction() as session:
        session.execute(update(Service).where(Service.key == "relaxation").values(known_clients_only=True))
        session.execute(update(Clinic).values(new_lead_time_minutes=4 * 1440, new_horizon_days=10))
    refused = [(new, "relaxation", w.at(6)), (new, "swedish", w.at(3)), (new, "swedish", w.at(12))]
    for wish in refused:
        assert (wish, choose(*wish)) == (wish, 409)
        db.session.rollback()
        assert db.session.scalars(select(Visit).where(Visit.status == "held")).all() == []
        times = walk.hold(browser, wish[1], wish[2])
        assert times.status_code == 409, "and it is not held for them again"
        begin_anew()
    for wish in [(new, "swedish", w.at(6)), *((known, service, when) for _new, service, when in refused)]:
        assert (wish, choose(*wish)) == (wish, 303)
        begin_anew()


@pytest.mark.parametrize("days", [10, 20])
def test_no_page_of_times_leads_past_the_last_day_of_somebody_new(app: Flask, days: int) -> None:
    w.build()
    with transaction() as session:
        session.execute(update(Clinic).values(new_horizon_days=days))
    page = app.test_client().get("/book/swedish/times?minutes=60&area=full_body").text
    assert ("Later" in page) is (days == 20)
