"""A "yes" of somebody who was named first for a booking holds the visit, whoever is named at its end."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from clinic.accounts.models import User
from clinic.booking.models import Visit
from clinic.booking.services import answering, deadlines, forgetting, people, sick_day, undoing
from clinic.booking.services import visits as bookings
from clinic.booking.services.asking import ask_for_check_ins
from clinic.clients import queries as clients
from clinic.clients.models import Client
from clinic.intake import queries as intake
from clinic.keeping.services import erasing
from clinic.keeping.services._erasing import VisitsAhead
from clinic.rules.errors import RuleViolation
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
from tests.owners import browser_of, save_page

pytestmark = [pytest.mark.stories_in_turn, pytest.mark.usefixtures("now")]

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
    nora = waits(app, again).nora
    assert visits() == [("pending", "review")]
    assert nora in there()
    deadlines.keep_deadlines(NEXT_DAY)
    forgetting.forget_unfinished(NEXT_DAY)
    assert nora in there()
    desk = desk_browser(app, world)
    assert judged_anew(app, desk) == [[("pending", "review")]] * 2
    visit = db.session.scalars(select(Visit)).one()
    assert f"/compare/{max(nora, visit.client_id or 0)}" in desk.get("/clients/duplicates").text


@dataclass(frozen=True)
class Waits:
    """A visit that waits for the "yes" of Nora, whose record is `nora`."""

    nora: int
    visit: int
    client: int


def waits(app: Flask, again: Iterable[dict[str, Any]] = (BEN, MARRIED)) -> Waits:
    browser = app.test_client()
    nora = says_yes_as_nora(browser)
    for one in again:
        walk.location(walk.name(browser, **one))
    ends_with_no(browser)
    db.session.rollback()
    visit = db.session.scalars(select(Visit).where(Visit.status == "pending")).one()
    found = Waits(nora, visit.id, visit.client_id or 0)
    db.session.rollback()
    return found


def known_nora() -> int:
    person = factories.make_client(
        first_name="Nora", last_name="Walker", born_on=dt.date(1988, 7, 4), email=NORA["email"], phone=None
    ).id
    w.sign(person, now=NOW - dt.timedelta(days=30))
    return person


def touched(app: Flask, world: w.World, client_id: int) -> list[tuple[str, str | None]]:
    """The visits after a harmless change of the card."""
    answer = save_page(desk_browser(app, world), f"/clients/{client_id}/edit", emergency_contact="Mum")
    assert answer.status_code == 303
    return visits()


def test_another_time_that_is_offered_waits_too(app: Flask, world: w.World) -> None:
    found = waits(app)
    revision = db.session.get_one(Visit, found.visit).revision
    db.session.rollback()
    with suppress(RuleViolation):
        offer = sick_day.offer_time(
            found.visit, w.at(5), world.therapists[1], revision=revision, by=world.desk_id, now=NOW
        )
        answering.accept(offer, by=None, now=NOW)
    assert "confirmed" not in {status for status, _why in visits()}
    forgetting.forget_unfinished(NEXT_DAY)
    assert "confirmed" not in {status for status, _why in touched(app, world, found.client)}


def test_who_books_again_with_the_account_of_the_booking_is_not_free_of_it(
    app: Flask, world: w.World
) -> None:
    found = waits(app)
    [(user_id, *_rest)] = clients.may_act_for(found.client)
    account = browser_of(app, db.session.get_one(User, user_id))
    walk.location(walk.hold(account, "relaxation", w.at(9)))
    walk.location(account.post("/book/person", data={"person": str(found.client)}))
    db.session.rollback()
    assert db.session.get_one(Client, found.client).is_unproven
    account.post("/book/health", data={"go": "new"})
    walk.answer(account)
    walk.location(walk.sign(account))
    assert ("pending", "review") in visits()
    assert ("pending", "review") in touched(app, world, found.client)


@pytest.mark.parametrize("keeps", ["known", "guest"])
def test_joining_it_with_a_known_record_decides_nothing_about_the_other(
    app: Flask, world: w.World, keeps: str
) -> None:
    known = factories.make_client(
        first_name="Nora", last_name="Walker-Smith", born_on=dt.date(1988, 7, 4), email=MARRIED["email"]
    ).id
    w.sign(known, now=NOW - dt.timedelta(days=30))
    found = waits(app)
    keep, lose = (known, found.client) if keeps == "known" else (found.client, known)
    people.merge_clients(keep, lose, by=world.desk_id, now=NOW)
    assert visits() == touched(app, world, keep) == [("pending", "review")]
    assert db.session.get_one(Client, keep).is_unproven
    pair = "/".join(("/reviews/people", *map(str, sorted((keep, found.nora)))))
    reviewer = browser_of(app, factories.make_user(email="review@clinic.example", roles=[Role.THERAPIST]))
    assert f'action="{pair}"' in reviewer.get("/reviews/people").text
    assert reviewer.post(pair).status_code == 303
    assert visits() == [("confirmed", None)]


def test_a_visit_that_is_called_off_and_taken_back_waits_still(app: Flask, world: w.World) -> None:
    found, soon = waits(app), NOW + dt.timedelta(seconds=5)
    bookings.cancel_visit(found.visit, by=world.desk_id, by_clinic=True, now=NOW, at_desk=True)
    forgetting.forget_unfinished(soon)
    undoing.take_back(found.visit, by=world.desk_id, now=soon)
    assert touched(app, world, found.client) == [("pending", "review")]


@pytest.mark.parametrize("keeps", ["known", "guest"])
@pytest.mark.parametrize(
    ("joined", "then"),
    [
        ("before", [BEN]),
        ("before", [MARRIED]),
        ("before", [BEN, MARRIED]),
        ("after", [BEN]),
        ("after", [BEN, MARRIED]),
    ],
)
def test_a_record_that_is_joined_while_the_booking_goes_on_counts_with_the_other(
    app: Flask, world: w.World, keeps: str, then: list[dict[str, Any]], joined: str
) -> None:
    known, browser = known_nora(), app.test_client()
    nora = says_yes_as_nora(browser)
    keep, lose = (known, nora) if keeps == "known" else (nora, known)
    if joined == "before":
        people.merge_clients(keep, lose, by=world.desk_id, now=NOW)
    for one in then:
        walk.location(walk.name(browser, **one))
    if joined == "after":
        people.merge_clients(keep, lose, by=world.desk_id, now=NOW)
    ends_with_no(browser)
    assert visits() == [("pending", "review")]


def test_the_record_is_not_erased_and_the_desk_alone_parts_nobody(app: Flask, world: w.World) -> None:
    found, desk = waits(app), desk_browser(app, world)
    with pytest.raises(VisitsAhead, match="Compare the two records first"):
        erasing.erase_person(found.nora, settings=app.config, by=world.desk_id, now=NOW)
    db.session.rollback()
    compare = f"/clients/{found.client}/compare/{found.nora}"
    assert desk.post(compare, data={"decision": "two"}).status_code == 303
    assert "A therapist has to decide this one" in desk.get(compare).text
    assert visits() == [("pending", "review")]
    reviewer = factories.make_user(email="review@clinic.example", roles=[Role.THERAPIST]).id
    people.say_two_people(found.client, found.nora, by=reviewer, now=NOW)
    assert visits() == [("confirmed", None)]
    db.session.rollback()
    erasing.erase_person(found.nora, settings=app.config, by=world.desk_id, now=NOW)


def test_it_is_kept_until_the_visit_is_over_for_a_day(app: Flask, world: w.World) -> None:
    found = waits(app)
    with transaction() as session:
        visit = session.get_one(Visit, found.visit)
        visit.status, ends_at = VisitStatus.CANCELLED, visit.ends_at
    for past, is_kept in ((dt.timedelta(hours=23), True), (dt.timedelta(hours=25), False)):
        forgetting.forget_unfinished(ends_at + past)
        assert (found.nora in there()) == is_kept


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
