"""A client books online, page by page, without JavaScript."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from clinic.booking.models import Claim, Screening, Visit
from clinic.shared.database import db
from tests.booking import walk
from tests.booking import world as w

pytestmark = pytest.mark.usefixtures("now")


@pytest.fixture
def client(world: w.World, client: FlaskClient) -> FlaskClient:
    return client


def only_visit() -> Visit:
    db.session.rollback()
    return db.session.scalars(select(Visit).where(Visit.status != "released")).one()


def test_somebody_healthy_books_in_six_screens(client: FlaskClient) -> None:
    assert walk.heading(client.get("/book")) == "What would you like?"
    assert walk.heading(client.get("/book/swedish")) == "Swedish massage"
    assert walk.heading(client.get("/book/swedish/times?minutes=60")) == "Choose a time"
    assert walk.location(walk.hold(client, "swedish")) == "/book/next"
    assert walk.location(client.get("/book/next")) == "/book/who"
    assert walk.location(walk.name(client)) == "/book/next"
    assert walk.location(client.get("/book/next")) == "/book/health"
    assert walk.location(client.get("/book/health")) == "/book/health/1"
    assert walk.location(walk.answer(client, whole=True)) == "/book/health/sign"
    assert walk.location(walk.sign(client)) == "/book/next"
    assert walk.location(client.get("/book/next")) == "/book/check"
    assert walk.location(walk.confirm(client)) == "/book/done"

    page = client.get("/book/done")
    assert walk.heading(page) == "Your time is booked"
    assert "Friday 12 June, 10:00 am to 11:15 am" in page.text
    for said in (
        "Add to my calendar", "Show on a map", "Bring little", "What to expect", "Answered and signed on",
        "Tuesday 9 June",
    ):  # fmt: skip
        assert said in page.text.replace("\N{NO-BREAK SPACE}", " ")
    visit = only_visit()
    assert (visit.status, visit.permits, visit.waiting_for) == ("confirmed", True, None)
    assert db.session.get_one(Screening, visit.screening_id).permits is True
    assert len(db.session.scalars(select(Claim).where(Claim.visit_id == visit.id)).all()) == 3
