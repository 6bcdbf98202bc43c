"""Visits that fell out by a new judgement: the way on for the client, the next step for the desk, news for both."""

from __future__ import annotations

import datetime as dt
import html
import re

import pytest
from flask import Flask
from sqlalchemy import select
from time_machine import travel

from clinic.booking.models import Visit
from clinic.booking.queries import fell_out
from clinic.booking.services import visits
from clinic.clients.models import ClientAccess
from clinic.intake.services import intakes
from clinic.rules.permissions import Role
from clinic.shared.database import db
from tests.accounts.people import browser_of, make_person
from tests.booking import world as w
from tests.booking.desk import desk_browser
from tests.conftest import NOW
from tests.diary.staff import ME, Staffed, staffed
from tests.web import Visitor

HEART: dict[str, dict[str, object]] = {"heart_failure": {"worsening": False}}
PREGNANT: dict[str, object] = {
    "status": "confirmed", "weeks": 20, "weeks_as_of": "2026-06-09", "high_risk": False, "complication": "none",
}  # fmt: skip
WAYS_ON = ("Good for you instead", "We would like to talk with you", "Please look after yourself first")
SOON = NOW + dt.timedelta(hours=1)


@pytest.fixture
def clinic(app: Flask, now: dt.datetime) -> Staffed:
    return staffed(app)


def fallen(
    clinic: Staffed, declared: dict[str, dict[str, object]] = HEART, service: str = "deep_tissue"
) -> tuple[int, int]:
    """A client and their visit, which new answers cancelled."""
    client = w.person(email="pat@people.example", phone="(212) 555-0101")
    w.sign(client)
    visit_id = w.at_desk(clinic.world, client, service, therapist_id=clinic.me).visit_id
    w.sign_answers(client, declared, now=SOON)
    assert visit_id is not None
    assert w.statuses(client) == ["cancelled"]
    return client, visit_id


def test_the_desk_and_the_therapist_read_it_and_never_why(app: Flask, clinic: Staffed) -> None:
    client, visit_id = fallen(clinic)
    name = f"/diary/visits/{visit_id}"
    desk, me = desk_browser(app, clinic.world), clinic.browser(ME)
    for browser, address in ((desk, "/todo"), (me, "/diary"), (me, "/diary/week")):
        page = browser.get(address).text
        assert "Called off since yesterday" in page
        assert "heart failure" not in page.lower()
    assert name in me.get("/diary").text
    visit = db.session.scalars(select(Visit).where(Visit.client_id == client)).one()
    assert [one.id for one in fell_out.since_yesterday(NOW, visit.therapist_id)] == [visit_id]
    assert fell_out.since_yesterday(NOW, clinic.other) == []
    assert fell_out.since_yesterday(NOW + dt.timedelta(days=2)) == []


def test_the_desk_is_led_to_what_is_safe_and_the_row_goes_when_it_is_booked(
    app: Flask, clinic: Staffed
) -> None:
    client = w.person(email="pat@people.example")
    w.sign(client)
    visit_id = w.at_desk(clinic.world, client, "decompression_traction", areas=("lower_back",)).visit_id
    waits = w.person()
    w.sign(waits)
    w.at_desk(clinic.world, waits, "relaxation")
    with travel(SOON, tick=False):
        w.sign_answers(client, {"osteoporosis": {"severity": "osteoporosis"}}, now=SOON)
        w.sign_answers(waits, HEART, now=SOON)
        assert (w.statuses(client), w.statuses(waits)) == (["cancelled"], ["suspended"])
        desk = desk_browser(app, clinic.world)
        work = desk.get("/todo").text
        assert [one.id for one in fell_out.still_to_answer(SOON)] == [visit_id], "what is on hold waits"
        assert "Called off since yesterday" in work
        assert "called off because of the health answers" not in desk.get(f"/clients/{waits}").text
        card = desk.get(f"/clients/{client}").text
        assert f'href="/desk/visits/{visit_id}">' in card.split("called off because of the health answers")[1]
        page = desk.get(f"/desk/visits/{visit_id}").text
        offers = [html.unescape(one) for one in re.findall(r'href="(/desk/visits/new[^"]*what=[^"]+)"', page)]
        assert offers
        assert not [one for one in offers if "decompression_traction" in one]
        form = desk.get(offers[0]).text
        assert 'name="start"' in form, "with its times"
        assert "osteopor" not in (card + page + form).lower()
        visits.book_visit(
            w.choice("relaxation"), client, w.at(5), request_key="instead", source="desk", by=clinic.world.desk_id,
            now=SOON + dt.timedelta(minutes=5), reconfirmed=True,
        )  # fmt: skip
        assert fell_out.still_to_answer(SOON) == []
        on_hold = db.session.scalars(select(Visit.id).where(Visit.client_id == waits)).one()
        db.session.rollback()
        visits.cancel_visit(on_hold, by=clinic.world.desk_id, by_clinic=True, now=SOON)
        assert fell_out.still_to_answer(SOON) == [], "who called it off by hand has talked to them"


def test_a_cancellation_by_the_client_is_no_news(clinic: Staffed) -> None:
    client = w.person()
    w.sign(client)
    visit_id = w.at_desk(clinic.world, client, "swedish").visit_id
    visits.cancel_visit(visit_id or 0, by=None, by_clinic=False, now=NOW)
    assert fell_out.since_yesterday(NOW) == []


@pytest.mark.parametrize(
    ("declared", "service", "said"),
    [
        ({"pregnancy": PREGNANT}, "deep_tissue", "We would like to talk with you"),
        ({"hypermobility": {"type": "hypermobile"}}, "decompression_traction", "Good for you instead"),
    ],
    ids=["nothing is", "something is"],
)
def test_the_client_finds_what_is_safe_and_the_desk_the_next_step(
    app: Flask, clinic: Staffed, declared: dict[str, dict[str, object]], service: str, said: str
) -> None:
    client, visit_id = fallen(clinic, declared, service)
    user = make_person("own@people.example", Role.CLIENT)
    db.session.add(ClientAccess(user_id=user.id, client_id=client, relation="self", since=NOW))
    db.session.commit()
    app.test_client_class = Visitor
    with travel(SOON, tick=False):
        page = browser_of(app, "own@people.example").get(f"/my/visits/{visit_id}").text
        desk = desk_browser(app, clinic.world).get(f"/desk/visits/{visit_id}").text
    assert "Offer another treatment" in desk
    assert [one for one in WAYS_ON if one in page] == [said]


def test_while_it_is_urgent_nothing_else_is_offered(app: Flask, clinic: Staffed) -> None:
    client = w.person(email="pat@people.example")
    w.sign(client)
    visit_id = w.at_desk(clinic.world, client, "relaxation").visit_id
    intakes.raise_stop(
        client,
        {"rf_chest_pain_breathless": {"present": True}},
        source="online",
        by=None,
        now=SOON,
        today=w.TODAY,
    )
    user = make_person("own@people.example", Role.CLIENT)
    db.session.add(ClientAccess(user_id=user.id, client_id=client, relation="self", since=NOW))
    db.session.commit()
    app.test_client_class = Visitor
    with travel(SOON, tick=False):
        page = browser_of(app, "own@people.example").get(f"/my/visits/{visit_id}").text
        desk = desk_browser(app, clinic.world).get(f"/desk/visits/{visit_id}").text
    assert "We do not offer another treatment now" in page
    assert 'name="slot"' not in page
    assert "Offer nothing else now" in desk
    assert "Offer another treatment" not in desk
