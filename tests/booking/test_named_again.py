"""A "yes" of somebody who was named first for a booking holds the visit, whoever is named at its end."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from clinic.booking.models import Visit
from clinic.booking.services import deadlines, forgetting, people
from clinic.booking.services.asking import ask_for_check_ins
from clinic.clients.models import Client
from clinic.intake import queries as intake
from clinic.rules.permissions import Role
from clinic.rules.visit_status import VisitStatus
from clinic.shared.database import db, transaction
from clinic.shared.mail import OutgoingMail
from tests import factories
from tests.booking import walk
from tests.booking import world as w
from tests.booking.desk import desk_browser
from tests.booking.test_said_stays_said import CLOTS, PAGE, says_yes, visits
from tests.conftest import NOW
from tests.owners import save_page

pytestmark = pytest.mark.usefixtures("now")

NORA = {
    "first_name": "Nora", "last_name": "Walker", "born_year": "1988",
    "email": "nora@people.example", "phone": "(212) 555-7001",
}  # fmt: skip
BEN = {"first_name": "Ben", "last_name": "Stone", "born_year": "1990"}
OTHERWISE = {**NORA, "email": "walker@people.example", "phone": "(212) 555-7009"}
MARRIED = {**OTHERWISE, "last_name": "Walker-Smith"}
LATER = {**OTHERWISE, "born_year": "1989"}
NEXT_DAY = NOW + dt.timedelta(hours=25)


@pytest.fixture
def world(app: Flask) -> w.World:
    return w.build(check_in=True)


def says_yes_as_nora(browser: FlaskClient) -> int:
    walk.location(walk.hold(browser, "deep_tissue"))
    walk.location(walk.name(browser, **NORA))
    says_yes(browser, "/book/health")
    return named()


def named() -> int:
    """Whom the time is kept for."""
    db.session.rollback()
    return db.session.scalars(select(Visit.client_id).where(Visit.status == "held")).one() or 0


def is_shown(browser: FlaskClient) -> bool:
    page = browser.get(f"/book/health/{PAGE}").text
    return bool(re.search(r'name="c\.clotting_tendency"[^>]*value="yes"[^>]*checked', page))


def there() -> set[int]:
    db.session.rollback()
    return set(db.session.scalars(select(Client.id)))


def ends_with_no(browser: FlaskClient) -> None:
    walk.answer(browser)
    walk.location(walk.sign(browser))
    walk.location(walk.confirm(browser))


def judged_anew(app: Flask, desk: FlaskClient) -> list[list[tuple[str, str | None]]]:
    """The visit after a harmless change of its client's card, and after "Nothing has changed" in the check-in."""
    db.session.rollback()
    visit = db.session.scalars(select(Visit).where(Visit.status == "pending")).one()
    client_id, asked_at = visit.client_id, visit.starts_at - dt.timedelta(hours=20)
    assert save_page(desk, f"/clients/{client_id}/edit", emergency_contact="Mum").status_code == 303
    found = [visits()]
    with time_machine.travel(asked_at, tick=False):
        ask_for_check_ins(asked_at)
        db.session.rollback()
        text = db.session.scalars(
            select(OutgoingMail.text).where(OutgoingMail.kind == "visit_check_in")
        ).one()
        way = re.search(r"(/check-in/[\w-]+)", text)
        assert way
        app.test_client().post(way[1], data={"step": "nothing"})
        found.append(visits())
    return found


@pytest.mark.parametrize(
    "again", [[BEN, NORA], [BEN, OTHERWISE], [BEN, {**BEN, "first_name": "Bo"}, NORA], [BEN, NORA, BEN, NORA]]
)
def test_whoever_is_named_again_has_their_own_answers_again(
    app: Flask, world: w.World, again: list[dict[str, Any]]
) -> None:
    browser = app.test_client()
    nora = says_yes_as_nora(browser)
    for one in again:
        walk.location(walk.name(browser, **one))
        is_nora = one["first_name"] == "Nora"
        assert is_shown(browser) == is_nora
        assert (named() == nora) == is_nora
    drafts = intake.drafts(nora)
    assert any("clotting_tendency" in one.answered for one in drafts)


def test_nobody_has_the_no_of_another_person(app: Flask, world: w.World) -> None:
    browser = app.test_client()
    walk.location(walk.hold(browser, "deep_tissue"))
    for one in (NORA, BEN):
        walk.location(walk.name(browser, **one))
        assert not intake.drafts(named())
        walk.answer(browser)
    walk.location(walk.name(browser, **MARRIED))
    assert not intake.drafts(named())
    ends_with_no(browser)
    assert visits() == [("confirmed", None)]
    assert len([one for one in there() if one > 0 and db.session.get_one(Client, one).is_unproven]) == 1


@pytest.mark.parametrize("again", [[BEN], [BEN, MARRIED], [BEN, LATER], [BEN, NORA, BEN]])
def test_a_yes_holds_the_visit_whoever_is_named_at_the_end(
    app: Flask, world: w.World, again: list[dict[str, Any]]
) -> None:
    browser = app.test_client()
    nora = says_yes_as_nora(browser)
    for one in again:
        walk.location(walk.name(browser, **one))
    ends_with_no(browser)
    assert visits() == [("pending", "review")]
    assert nora in there()
    deadlines.keep_deadlines(NEXT_DAY)
    forgetting.forget_unfinished(NEXT_DAY)
    assert nora in there()
    desk = desk_browser(app, world)
    assert judged_anew(app, desk) == [[("pending", "review")]] * 2
    visit = db.session.scalars(select(Visit)).one()
    assert f"/compare/{max(nora, visit.client_id or 0)}" in desk.get("/clients/duplicates").text


@pytest.mark.parametrize("end", ["over", "decided"])
def test_it_is_kept_until_the_visit_is_over_or_the_desk_has_decided(
    app: Flask, world: w.World, end: str
) -> None:
    browser = app.test_client()
    nora = says_yes_as_nora(browser)
    for one in (BEN, MARRIED):
        walk.location(walk.name(browser, **one))
    ends_with_no(browser)
    db.session.rollback()
    visit = db.session.scalars(select(Visit)).one()
    if end == "decided":
        by = factories.make_user(email="review@clinic.example", roles=[Role.OWNER]).id
        client_id = visit.client_id or 0
        db.session.rollback()
        people.say_two_people(client_id, nora, by=by, now=NOW)
        assert visits() == [("confirmed", None)]
        return
    with transaction():
        visit.status = VisitStatus.CANCELLED
    forgetting.forget_unfinished(NEXT_DAY)
    assert nora not in there()


def test_a_booking_that_was_given_up_holds_the_next_one_after_its_day(app: Flask, world: w.World) -> None:
    nora = says_yes_as_nora(app.test_client())
    walk.up_to_check(other := app.test_client(), "deep_tissue", {}, when=w.at(6), who=OTHERWISE)
    walk.location(walk.confirm(other))
    assert sorted(visits(), key=str) == [("held", None), ("pending", "review")]
    with time_machine.travel(NEXT_DAY, tick=False):
        deadlines.keep_deadlines(NEXT_DAY)
        forgetting.forget_unfinished(NEXT_DAY)
    assert nora in there()
    assert judged_anew(app, desk_browser(app, world)) == [[("pending", "review")]] * 2


@pytest.mark.parametrize("way", ["", "/keep"], ids=["sent", "saved"])
def test_a_page_opened_for_somebody_else_answers_no_for_nobody(app: Flask, world: w.World, way: str) -> None:
    """The record was named anew in place; the page of before comes late."""
    browser = app.test_client()
    walk.location(walk.hold(browser, "deep_tissue"))
    walk.location(walk.name(browser, **NORA))
    walk.answer(browser)
    page = browser.get(f"/book/health/{PAGE}")
    shown = {name: walk.hidden(page, name) for name in ("whose", "about", "seen")}
    walk.location(walk.name(browser, **{**NORA, "first_name": "Paul"}))
    for said in ({}, CLOTS):
        form = {**walk.page_form(PAGE, said), **shown}
        assert browser.post(f"/book/health/{PAGE}{way}", data=form).status_code == 409
        db.session.rollback()
        kept = [one.answered for one in intake.drafts(named())]
        assert [key for one in kept for key in one] == list(said)
    assert is_shown(browser)


def test_a_page_of_another_last_name_is_the_same_persons(app: Flask, world: w.World) -> None:
    browser = app.test_client()
    walk.location(walk.hold(browser, "deep_tissue"))
    walk.location(walk.name(browser, **NORA))
    page = browser.get(f"/book/health/{PAGE}")
    shown = {name: walk.hidden(page, name) for name in ("whose", "about", "seen")}
    walk.location(walk.name(browser, **MARRIED))
    form = {**walk.page_form(PAGE, {}), **shown}
    assert browser.post(f"/book/health/{PAGE}", data=form).status_code == 303
