"""A "yes" that was typed under another name is shed by nothing but a decision of somebody with clinical review: not by
booking once more, by what is signed, joined, told apart, erased or forgotten, in whatever order."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from clinic.accounts.models import User
from clinic.booking.models import OpenQuestion, Visit
from clinic.booking.queries import look_alikes, open_questions
from clinic.booking.services import (
    _forgetting,
    answering,
    checkout,
    couples,
    deadlines,
    forgetting,
    people,
    sick_day,
    undoing,
)
from clinic.booking.services import visits as bookings
from clinic.booking.services.couples import Half
from clinic.clients import queries as clients
from clinic.clients import services as records
from clinic.clients.models import Client
from clinic.clients.steps import Details, give_access
from clinic.intake import queries as intake
from clinic.intake.services.drafts import erase_old_drafts
from clinic.keeping.services import erasing
from clinic.keeping.services._erasing import VisitsAhead
from clinic.premises.models import Clinic
from clinic.rules.contact import name_key
from clinic.rules.errors import ReviewNeeded, RuleViolation
from clinic.rules.permissions import Role
from clinic.rules.question_pages import pages
from clinic.shared.database import db, transaction
from clinic.shared.mail import OutgoingMail
from tests import factories
from tests.at_once import Deeds, deeds
from tests.booking import walk
from tests.booking import world as w
from tests.booking.test_book_couple import at_time, link_in
from tests.booking.test_named_again import (
    BEN,
    LATER,
    MARRIED,
    NEXT_DAY,
    NORA,
    OTHERWISE,
    Waits,
    ends_with_no,
    known_nora,
    named,
    says_yes_as_nora,
    touched,
    waits,
)
from tests.booking.test_pages_own import Account
from tests.booking.test_said_stays_said import CLOTS, says_yes, visits
from tests.conftest import NOW
from tests.owners import browser_of

pytestmark = [pytest.mark.stories_in_turn, pytest.mark.usefixtures("now")]

__all__ = ["deeds"]

BORN = dt.date(1988, 7, 4)
MARRIED_DETAILS = Details(
    first_name="Nora", last_name="Walker-Smith", born_on=BORN, email=MARRIED["email"],
    phone=MARRIED["phone"],
)  # fmt: skip
SIGN = {"rf_chest_pain_breathless": {"present": True, "checked_by_doctor": False}}
MILD = {"asthma_breathing": {"status": "controlled"}}
SIGN_PAGE = next(
    number
    for number, page in enumerate(pages("intake"), 1)
    if any(one.key == "rf_chest_pain_breathless" for one in page.conditions)
)


@pytest.fixture
def world(app: Flask) -> w.World:
    return w.build(check_in=True)


def none_is_confirmed() -> bool:
    return "confirmed" not in {status for status, _why in visits()}


def says_yes_once_signed(browser: FlaskClient, *, signs: bool, when: dt.datetime | None = None) -> int:
    """As Nora, who may have signed a "no" before that; returns her record."""
    walk.location(walk.hold(browser, "deep_tissue", when))
    walk.location(walk.name(browser, **NORA))
    if signs:
        walk.answer(browser)
        walk.location(walk.sign(browser))
    says_yes(browser, "/book/health")
    return named()


def nora_again(**values: Any) -> int:
    """One more record of the same guest, proved by nobody, with everything answered by "no"."""
    same = {"first_name": "Nora", "last_name": "Walker-Smith", "email": MARRIED["email"], "phone": None}
    client = factories.make_client(**{**same, "born_on": BORN, **values}, is_unproven=True).id
    w.sign(client)
    return client


def known_married() -> int:
    """Somebody in the book of the same name and birth date, with everything answered by "no"."""
    client: int = factories.make_client(
        first_name="Nora", last_name="Walker-Smith", born_on=BORN, email="k@people.example", phone=None
    ).id
    w.sign(client, now=NOW - dt.timedelta(days=9))
    return client


def named_after_a_yes(browser: FlaskClient) -> int:
    """Who answers everything by "no" in a booking in which Nora said "yes", and was named anew twice."""
    says_yes_as_nora(browser)
    for one in (BEN, MARRIED):
        walk.location(walk.name(browser, **one))
    walk.answer(browser)
    walk.location(walk.sign(browser))
    return named()


def reviewer() -> int:
    return factories.make_user(email="review@clinic.example", roles=[Role.THERAPIST]).id


@pytest.mark.parametrize("again", [[BEN], [BEN, MARRIED], [BEN, LATER]], ids=["ben", "married", "later"])
def test_who_books_once_more_without_an_account_is_not_free_of_it(
    app: Flask, world: w.World, again: list[dict[str, str]]
) -> None:
    browser = app.test_client()
    says_yes_as_nora(browser)
    for one in again:
        walk.location(walk.name(browser, **one))
    ends_with_no(browser)
    walk.up_to_check(other := app.test_client(), "relaxation", {}, when=w.at(6), who={**NORA, **again[-1]})
    assert walk.heading(walk.confirm(other)) == "Please call us"  # one of their visits waits already
    assert none_is_confirmed()


def test_another_record_of_the_same_person_waits_with_the_first(app: Flask, world: w.World) -> None:
    found = waits(app)
    unproven = nora_again()
    of_the_desk = records.create_client(MARRIED_DETAILS, region="US", by=world.desk_id, now=NOW)
    w.sign(of_the_desk)
    for number, client in enumerate((unproven, of_the_desk)):
        assert w.at_desk(world, client, "relaxation", when=w.at(8 + number)).status == "pending"
        with pytest.raises(ReviewNeeded):
            people.say_two_people(client, found.client, by=world.desk_id, now=NOW)
        db.session.rollback()
    by = reviewer()
    for client in (found.client, unproven, of_the_desk):
        assert ("pending", "review") in visits()
        people.say_two_people(client, found.nora, by=by, now=NOW)
    assert visits() == [("confirmed", None)] * 3


def another(world: w.World, **values: Any) -> int:
    """One more record of the same guest, whose visit on another day waits as well."""
    client = nora_again(**values)
    assert w.at_desk(world, client, "relaxation", when=w.at(12)).status == "pending"
    return client


def visits_of(client_id: int) -> list[str]:
    db.session.rollback()
    return list(db.session.scalars(select(Visit.status).where(Visit.client_id == client_id)))


def cancels(found: Waits, world: w.World) -> None:
    bookings.cancel_visit(found.visit, by=world.desk_id, by_clinic=True, now=NOW, at_desk=True)


def steps_that_free_nobody() -> dict[str, Callable[[Flask, w.World, Waits, int], int]]:
    """What may become of the first record and of the second one; each returns whose the second visit is by now."""

    def is_over(_app: Flask, _world: w.World, _found: Waits, second: int) -> int:
        later = NOW + dt.timedelta(days=5)
        deadlines.keep_deadlines(later)
        forgetting.forget_unfinished(later)
        return second

    def is_edited(_app: Flask, world: w.World, _found: Waits, second: int) -> int:
        card = Details("Nora", "Smith", BORN, email="other@people.example")
        people.change_details(second, card, by=world.desk_id, now=NOW)
        return second

    def becomes_a_stranger(_app: Flask, world: w.World, _found: Waits, second: int) -> int:
        known = factories.make_client(
            first_name="Paul",
            last_name="Walker",
            born_on=dt.date(1970, 1, 1),
            email="paul@people.example",
            phone=None,
        ).id
        w.sign(known, now=NOW - dt.timedelta(days=10))
        people.merge_clients(known, second, by=world.desk_id, now=NOW)
        return known

    def first_is_nora(_app: Flask, world: w.World, found: Waits, second: int) -> int:
        people.merge_clients(found.nora, found.client, by=world.desk_id, now=NOW)
        return second

    def first_is_erased(app: Flask, world: w.World, found: Waits, second: int) -> int:
        cancels(found, world)
        erasing.erase_person(found.client, settings=app.config, by=world.desk_id, now=NOW)
        return second

    return {
        "the first is over": is_over, "its card is edited": is_edited,
        "it is joined with a stranger": becomes_a_stranger,
        "the first is the person who said yes": first_is_nora, "the first is erased": first_is_erased,
    }  # fmt: skip


@pytest.mark.parametrize("step", steps_that_free_nobody())
@pytest.mark.parametrize("last", [MARRIED, LATER], ids=["same day", "another day"])
def test_whatever_becomes_of_the_first_record_the_second_goes_on_waiting(
    app: Flask, world: w.World, step: str, last: dict[str, str]
) -> None:
    found = waits(app, [BEN, last])
    born_on = dt.date(int(last["born_year"]), 7, 4)
    second = another(world, last_name=last["last_name"], born_on=born_on, email=last["email"])
    theirs = steps_that_free_nobody()[step](app, world, found, second)
    db.session.rollback()
    touched(app, world, theirs)
    assert visits_of(theirs) == ["pending"]


@pytest.mark.parametrize("how", ["desk, booked", "desk, not booked", "online"])
def test_a_third_try_that_looks_like_the_second_alone_waits(app: Flask, world: w.World, how: str) -> None:
    waits(app)
    phone = "(212) 555-8001"
    if how == "online":
        second = {**MARRIED, "phone": phone}
        walk.up_to_check(browser := app.test_client(), "relaxation", {}, when=w.at(6), who=second)
        assert walk.heading(walk.confirm(browser)) == "Please call us"
        third = {**second, "last_name": "Smith", "email": "third@people.example"}
        walk.up_to_check(browser := app.test_client(), "relaxation", {}, when=w.at(7), who=third)
        walk.confirm(browser)
        assert none_is_confirmed()
        return
    if how == "desk, booked":
        another(world, phone="+12125558001")
    else:
        nora_again(phone="+12125558001")
    last = nora_again(last_name="Smith", email="third@people.example", phone="+12125558001")
    assert w.at_desk(world, last, "relaxation", when=w.at(9)).status == "pending"


@pytest.mark.parametrize(
    "name",
    [
        {"first_name": "Nóra"},
        {"first_name": "Walker-Smith", "last_name": "Nora"},
        {"last_name": "Walker Smith"},
        {"last_name": "WALKER-SMITH "},
    ],
)
def test_another_spelling_and_another_year_is_the_same_guest(
    app: Flask, world: w.World, name: dict[str, str]
) -> None:
    waits(app)
    another(world, born_on=dt.date(1989, 7, 4), **name)


def test_a_stranger_puts_no_visit_that_stands_on_hold(app: Flask, world: w.World) -> None:
    walk.up_to_check(guest := app.test_client(), "relaxation", {}, when=w.at(6), who=MARRIED)
    walk.location(walk.confirm(guest))
    db.session.rollback()
    theirs = db.session.query(Visit.client_id).scalar()
    stranger = app.test_client()
    walk.location(walk.hold(stranger, "deep_tissue", w.at(4)))
    walk.location(
        walk.name(stranger, **{**OTHERWISE, "first_name": "Zed", "last_name": "Zorn", "born_year": "1950"})
    )
    says_yes(stranger, "/book/health")
    walk.location(walk.name(stranger, **MARRIED))
    ends_with_no(stranger)
    assert sorted(visits(), key=str) == [("confirmed", None), ("pending", "review")]
    touched(app, world, theirs)
    assert visits_of(theirs) == ["confirmed"]


def test_a_family_with_one_telephone_does_not_wait_with_them(app: Flask, world: w.World) -> None:
    found = waits(app)
    phone = db.session.get_one(Client, found.client).phone
    child = factories.make_client(
        first_name="Tim", last_name="Walker", born_on=dt.date(1999, 1, 2), phone=phone, is_unproven=True
    ).id
    w.sign(child)
    assert w.at_desk(world, child, "relaxation", when=w.at(8)).status == "confirmed"
    people.say_two_people(child, found.client, by=world.desk_id, now=NOW)
    assert sorted(visits(), key=str) == [("confirmed", None), ("pending", "review")]


def test_another_person_in_the_account_of_the_booking_waits_too(app: Flask, world: w.World) -> None:
    found = waits(app)
    [(user_id, *_rest)] = clients.may_act_for(found.client)
    details = Details(first_name="Nora", last_name="Walkersmith", born_on=BORN, email=MARRIED["email"])
    person = records.add_person(user_id, details, "carer", region="US", now=NOW)
    account = browser_of(app, db.session.get_one(User, user_id))
    walk.location(walk.hold(account, "relaxation", w.at(9)))
    walk.location(account.post("/book/person", data={"person": str(person)}))
    walk.answer(account)
    walk.location(walk.sign(account))
    walk.confirm(account)
    assert none_is_confirmed()


@pytest.mark.parametrize("again", [[BEN], [BEN, MARRIED]], ids=["ben", "married"])
def test_a_yes_that_was_signed_is_not_shed_by_a_signed_no_and_another_name(
    app: Flask, world: w.World, again: list[dict[str, str]]
) -> None:
    walk.up_to_check(browser := app.test_client(), "deep_tissue", CLOTS, who=NORA)
    walk.answer(browser)
    walk.sign(browser)
    for one in again:
        walk.location(walk.name(browser, **one))
    ends_with_no(browser)
    assert visits() == [("pending", "review")]


@pytest.mark.parametrize("by", ["number of today", "number of before"])
@pytest.mark.parametrize("what", ["signed", "typed"])
def test_a_page_about_a_record_that_was_joined_parts_nobody_at_the_desk(
    app: Flask, world: w.World, what: str, by: str
) -> None:
    """The record by whose number the desk says it says little; whose it has become says "yes"."""
    if what == "typed":
        found = waits(app)
        known = factories.make_client(
            first_name="Nora", last_name="Walker-Smith", born_on=BORN, email=MARRIED["email"]
        ).id
        w.sign(known, now=NOW - dt.timedelta(days=30))
        people.merge_clients(known, found.client, by=world.desk_id, now=NOW)
        pair = found.client if by == "number of before" else known, found.nora
    else:
        known = factories.make_client(
            first_name="Nora", last_name="Walker", born_on=BORN, email="old@people.example"
        ).id
        w.sign(known, now=NOW - dt.timedelta(days=30), **CLOTS)
        joined = factories.make_client(
            first_name="Norah", last_name="Walkers", born_on=BORN, email=MARRIED["email"]
        ).id
        people.merge_clients(known, joined, by=world.desk_id, now=NOW - dt.timedelta(days=20))
        walk.up_to_check(browser := app.test_client(), "deep_tissue", {}, who=MARRIED)
        walk.location(walk.confirm(browser))
        db.session.rollback()
        guest = db.session.query(Visit.client_id).scalar()
        pair = guest, joined if by == "number of before" else known
    with pytest.raises(ReviewNeeded):
        people.say_two_people(*pair, by=world.desk_id, now=NOW)
    db.session.rollback()
    assert touched(app, world, clients_today(pair[0])) == [("pending", "review")]
    people.say_two_people(*pair, by=reviewer(), now=NOW)
    assert visits() == [("confirmed", None)]


def clients_today(number: int) -> int:
    found = clients.client(number)
    assert found is not None
    number = found.id
    db.session.rollback()
    return number


@pytest.mark.parametrize("order", ["apart first", "joined first"])
def test_joining_two_records_does_not_tell_a_third_one_apart_at_the_desk(
    app: Flask, world: w.World, order: str
) -> None:
    known = known_nora()
    with transaction() as session:  # like the guest by its telephone
        one = session.get_one(Client, known)
        one.phone, one.phone_key, one.born_on = "+12125557009", "+12125557009", dt.date(1960, 1, 1)
    browser = app.test_client()
    nora = says_yes_as_nora(browser)
    for other in (BEN, MARRIED):
        walk.location(walk.name(browser, **other))
    ends_with_no(browser)
    db.session.rollback()
    guest = db.session.query(Visit.client_id).scalar()
    steps: list[Callable[[], None]] = [
        lambda: people.say_two_people(guest, known, by=world.desk_id, now=NOW),
        lambda: people.merge_clients(known, nora, by=world.desk_id, now=NOW),
    ]
    for step in steps if order == "apart first" else reversed(steps):
        with suppress(ReviewNeeded):
            step()
        db.session.rollback()
    assert touched(app, world, guest) == [("pending", "review")]


@pytest.mark.parametrize("what", ["typed alone", "typed after it was signed", "joined with somebody known"])
@pytest.mark.parametrize("draft_days", [1, 30])
def test_it_holds_when_what_was_typed_is_erased_with_time(
    app: Flask, world: w.World, draft_days: int, what: str
) -> None:
    with transaction() as session:
        session.execute(update(Clinic).values(draft_days=draft_days))
    browser, signs = app.test_client(), what == "typed after it was signed"
    nora = says_yes_once_signed(browser, signs=signs, when=w.at(draft_days + 10))
    for one in (BEN, MARRIED):
        walk.location(walk.name(browser, **one))
    guest = named()
    ends_with_no(browser)
    if what == "joined with somebody known":
        people.merge_clients(known_nora(), nora, by=world.desk_id, now=NOW)
    later = NOW + dt.timedelta(days=draft_days, hours=1)
    with time_machine.travel(later, tick=False):
        deadlines.keep_deadlines(later)
        forgetting.forget_unfinished(later)
        erase_old_drafts(later)
        db.session.rollback()
        assert not intake.unsigned_drafts([nora])
        touched(app, world, guest)
        w.sign(guest, now=later)
        assert none_is_confirmed()
        booked = bookings.book_visit(
            w.choice("relaxation"), guest, w.at(draft_days + 4), request_key="once more", source="desk",
            by=world.desk_id, now=later, reconfirmed=True,
        )  # fmt: skip
        assert booked.status == "pending"


@pytest.mark.parametrize("first", ["signed first", "typed alone"])
def test_what_was_given_up_after_it_was_signed_is_not_parted_by_the_desk(
    app: Flask, world: w.World, first: str
) -> None:
    nora = says_yes_once_signed(app.test_client(), signs=first == "signed first")
    walk.up_to_check(other := app.test_client(), "deep_tissue", {}, when=w.at(6), who=OTHERWISE)
    guest = db.session.query(Visit.client_id).filter(Visit.starts_at == w.at(6)).scalar()
    walk.location(walk.confirm(other))
    with pytest.raises(ReviewNeeded):
        people.say_two_people(guest, nora, by=world.desk_id, now=NOW)
    db.session.rollback()
    pair = "/".join(("/reviews/people", *map(str, sorted((guest, nora)))))
    therapist = browser_of(app, db.session.get_one(User, reviewer()))
    assert f'action="{pair}"' in therapist.get("/reviews/people").text
    assert ("pending", "review") in visits()


def test_a_yes_for_whom_an_account_chose_holds_whoever_is_named_instead(app: Flask, world: w.World) -> None:
    known, user = known_nora(), factories.make_user(email="nora@people.example", roles=[Role.CLIENT])
    with transaction() as session:
        give_access(session, user.id, known, "self", now=NOW)
    browser = browser_of(app, user)
    walk.location(walk.hold(browser, "deep_tissue"))
    walk.location(browser.post("/book/person", data={"person": str(known)}))
    browser.post("/book/health", data={"go": "new"})
    says_yes(browser, "/book/health")
    for one in (MARRIED, LATER):
        walk.location(walk.name(browser, **one))
        assert named() != known
    ends_with_no(browser)
    assert visits() == [("pending", "review")]


def test_who_was_named_first_is_not_erased_while_the_booking_goes_on(app: Flask, world: w.World) -> None:
    browser = app.test_client()
    nora = says_yes_as_nora(browser)
    walk.location(walk.name(browser, **BEN))
    db.session.rollback()
    with pytest.raises(VisitsAhead, match="A booking is being made in which this person was named first"):
        erasing.erase_person(nora, settings=app.config, by=world.desk_id, now=NOW)
    ends_with_no(browser)
    assert visits() == [("pending", "review")]


def test_whom_a_guest_has_named_is_not_erased_while_they_may_name_another_one(
    app: Flask, world: w.World
) -> None:
    browser = app.test_client()
    nora = says_yes_as_nora(browser)
    with browser.session_transaction() as cookie:
        checkout.leave(cookie["checkout"], now=NOW)
    db.session.rollback()
    assert db.session.scalars(select(Visit.status)).all() == ["released"]
    with pytest.raises(VisitsAhead, match="A booking is being made"):
        erasing.erase_person(nora, settings=app.config, by=world.desk_id, now=NOW)
    db.session.rollback()
    erasing.erase_person(nora, settings=app.config, by=world.desk_id, now=NEXT_DAY)


def test_a_warning_sign_on_a_guests_page_stops_whom_they_are_after_signing_in(
    app: Flask, world: w.World
) -> None:
    known, user = known_nora(), factories.make_user(email="nora@people.example", roles=[Role.CLIENT])
    with transaction() as session:
        give_access(session, user.id, known, "self", now=NOW)
    account, guest = browser_of(app, user), app.test_client()
    walk.location(walk.hold(guest, "deep_tissue"))
    walk.location(walk.name(guest, **NORA))
    walk.answer(guest)
    page = guest.get(f"/book/health/{SIGN_PAGE}")
    shown = {name: walk.hidden(page, name) for name in ("whose", "about", "seen")}
    with account.session_transaction() as signed_in, guest.session_transaction() as own:
        own.update({key: one for key, one in signed_in.items() if key not in own})
    walk.location(guest.post("/book/person", data={"person": str(known)}))
    answer = guest.post(f"/book/health/{SIGN_PAGE}", data={**walk.page_form(SIGN_PAGE, SIGN), **shown})
    assert walk.heading(answer) == "Please get medical help now"
    db.session.rollback()
    assert len(intake.stops_in_force(known)) == 1
    assert none_is_confirmed()


@pytest.mark.parametrize("end", [NORA, BEN, MARRIED], ids=["nora", "ben", "married"])
def test_a_warning_sign_on_a_page_of_somebody_named_before_stops_that_person(
    app: Flask, world: w.World, end: dict[str, str]
) -> None:
    browser = app.test_client()
    walk.location(walk.hold(browser, "deep_tissue"))
    walk.location(walk.name(browser, **NORA))
    walk.answer(browser)
    nora, page = named(), browser.get(f"/book/health/{SIGN_PAGE}")
    shown = {name: walk.hidden(page, name) for name in ("whose", "about", "seen")}
    walk.location(walk.name(browser, **BEN))
    answer = browser.post(f"/book/health/{SIGN_PAGE}", data={**walk.page_form(SIGN_PAGE, SIGN), **shown})
    assert walk.heading(answer) == "Please get medical help now"
    db.session.rollback()
    assert len(intake.stops_in_force(nora)) == 1
    walk.location(walk.hold(browser, "relaxation", w.at(5)))
    walk.name(browser, **end)
    with suppress(AssertionError):  # whoever is stopped comes to no form
        ends_with_no(browser)
    assert none_is_confirmed()


@pytest.mark.parametrize("stop", ["_named_with", "who_speak", "judge"])
def test_joining_it_at_the_moment_of_the_booking_loses_nothing(
    app: Flask, world: w.World, deeds: Deeds, stop: str
) -> None:
    known, browser = known_nora(), app.test_client()
    nora = says_yes_as_nora(browser)
    for one in (BEN, MARRIED):
        walk.location(walk.name(browser, **one))
    walk.answer(browser)
    walk.location(walk.sign(browser))
    guest = named()
    with browser.session_transaction() as cookie:
        token = cookie["checkout"]
    deeds.stop_in(checkout if stop == "judge" else open_questions, stop)
    deeds.do(
        lambda: checkout.confirm(token, user_id=None, now=NOW),
        lambda: people.merge_clients(known, nora, by=world.desk_id, now=NOW),
    )
    assert visits() == touched(app, world, guest) == [("pending", "review")]


def leaves(browser: FlaskClient) -> None:
    """The time is given back."""
    with browser.session_transaction() as cookie:
        token = cookie["checkout"]
    checkout.leave(token, now=NOW)


@pytest.mark.parametrize("door", ["online", "desk", "couple"])
@pytest.mark.parametrize("end", ["card edited", "draft erased"])
def test_what_was_given_up_holds_a_look_alike_at_every_door(
    app: Flask, world: w.World, door: str, end: str
) -> None:
    first = app.test_client()
    walk.location(walk.hold(first, "deep_tissue"))
    walk.location(walk.name(first, **NORA))
    says_yes(first, "/book/health")
    leaves(first)
    if door == "online":
        walk.up_to_check(other := app.test_client(), "relaxation", {}, when=w.at(40), who=OTHERWISE)
        walk.confirm(other)
    else:
        client_id = nora_again(last_name="Walker", email=OTHERWISE["email"])
        if door == "desk":
            w.at_desk(world, client_id, "relaxation", when=w.at(40))
        else:
            w.add_room_for_two(world)
            w.sign(friend := w.person())
            halves = (Half(client_id, w.choice("relaxation")), Half(friend, w.choice("relaxation")))
            couples.book_couple(halves, w.at(40), request_key=None, source="desk", by=world.desk_id, now=NOW)
    waiting = db.session.scalars(select(Visit).where(Visit.waiting_for == "review")).one()
    assert (waiting.starts_at, waiting.status) == (w.at(40), "pending")
    later = NOW
    if end == "draft erased":
        later = NOW + dt.timedelta(days=31)
        forgetting.forget_unfinished(later)
        erase_old_drafts(later)
    last_name = "Walkers" if end == "card edited" else "Walker"
    people.change_details(
        waiting.client_id or 0,
        Details("Nora", last_name, BORN, email=OTHERWISE["email"]),
        by=world.desk_id,
        now=later,
    )
    assert none_is_confirmed()


@pytest.mark.parametrize("who", [MARRIED, LATER], ids=["same day", "another day"])
def test_who_is_brought_along_may_be_whom_the_booking_was_for(
    app: Flask, world: w.World, who: dict[str, str]
) -> None:
    w.add_room_for_two(world)
    account = Account(app)
    w.sign(account.client_id, now=NOW - dt.timedelta(days=9))
    browser = account.browser
    says_yes_as_nora(browser)
    walk.location(walk.name(browser, **BEN))
    walk.location(browser.post("/book/person", data={"person": str(account.client_id)}))
    walk.location(browser.post("/book/health", data={"go": "same"}))
    named = {**walk.details(**who), "who": "new", "relation": "partner"}
    page = browser.post("/book/couple", data=named)
    assert walk.for_two(browser, {**named, "start": at_time(page.text)}).location == "/book/done"
    db.session.rollback()
    invited = select(OutgoingMail.text).where(OutgoingMail.kind == "couple_invited")
    link = link_in(db.session.scalars(invited).one())
    companion = app.test_client()
    walk.answer(companion, base=f"{link}/health")
    walk.sign(companion, base=f"{link}/health")
    assert sorted(visits()) == [("pending", "partner"), ("pending", "review")]


def harmless_visit(app: Flask) -> Visit:
    """Of a guest who answered everything by "no": it stands."""
    guest = app.test_client()
    walk.up_to_check(guest, "relaxation", {}, when=w.at(6), who=MARRIED)
    walk.location(walk.confirm(guest))
    db.session.rollback()
    return db.session.scalars(select(Visit).where(Visit.starts_at == w.at(6))).one()


def stranger_types_it(app: Flask) -> None:
    """A yes as somebody else, and a booking in the name of whom `harmless_visit` is for."""
    stranger = app.test_client()
    walk.location(walk.hold(stranger, "deep_tissue", w.at(4)))
    walk.location(walk.name(stranger, first_name="Zed", last_name="Zorn", born_year="1950"))
    says_yes(stranger, "/book/health")
    walk.location(walk.name(stranger, **MARRIED))
    ends_with_no(stranger)


@pytest.mark.parametrize("again", ["booked at the desk", "tried with an account"])
def test_booking_again_puts_the_visit_that_stands_on_hold_for_no_stranger(
    app: Flask, world: w.World, again: str
) -> None:
    visit = harmless_visit(app)
    visit_id, person = visit.id, visit.client_id or 0
    stranger_types_it(app)
    if again == "booked at the desk":
        w.at_desk(world, person, "relaxation", when=w.at(9))
    else:
        user_id = clients.may_act_for(person)[0][0]
        browser = browser_of(app, db.session.get_one(User, user_id))
        walk.location(walk.hold(browser, "relaxation", w.at(9)))
        walk.location(browser.post("/book/person", data={"person": str(person)}))
        walk.location(browser.post("/book/health", data={"go": "same"}))
        walk.confirm(browser)
        deadlines.keep_deadlines(NOW + dt.timedelta(hours=2))
    touched(app, world, person)
    db.session.rollback()
    assert db.session.get_one(Visit, visit_id).status == "confirmed"
    assert {one.status for one in db.session.scalars(select(Visit).where(Visit.starts_at == w.at(9)))} <= {
        "pending", "released",
    }  # fmt: skip


@pytest.mark.parametrize("typed", ["before it is offered", "before the answer", "after the answer"])
def test_another_time_stands_in_for_a_visit_whatever_a_stranger_typed_since(
    app: Flask, world: w.World, typed: str
) -> None:
    visit = harmless_visit(app)
    visit_id, revision, person = visit.id, visit.revision, visit.client_id or 0
    if typed == "before it is offered":
        stranger_types_it(app)
    offer = sick_day.offer_time(
        visit_id, w.at(7), world.therapists[1], revision=revision, by=world.desk_id, now=NOW
    )
    if typed == "before the answer":
        stranger_types_it(app)
    answering.accept(offer, by=None, now=NOW)
    if typed == "after the answer":
        stranger_types_it(app)
    touched(app, world, person)
    db.session.rollback()
    stands = select(Visit.status).where(Visit.starts_at == w.at(7))
    assert db.session.scalars(stands).all() == ["confirmed"]
    assert db.session.get_one(Visit, visit_id).status == "cancelled"


def test_what_was_told_of_somebody_else_holds_nobody_by_another_name_that_is_typed_later(
    app: Flask, world: w.World
) -> None:
    stranger = app.test_client()
    walk.location(walk.hold(stranger, "deep_tissue", w.at(4)))
    zed = walk.details(first_name="Zed", last_name="Zorn")
    walk.location(walk.name(stranger, **zed))
    says_yes(stranger, "/book/health")
    soon, later = (NOW + dt.timedelta(minutes=minutes) for minutes in (2, 4))
    with time_machine.travel(soon, tick=False):
        visit = harmless_visit(app)
        visit_id, person = visit.id, visit.client_id or 0
    with time_machine.travel(later, tick=False):
        walk.location(walk.name(stranger, **MARRIED))
    assert there_is_one_record_beside(person)
    assert ("confirmed", None) in touched(app, world, person)
    next_day = NOW + dt.timedelta(hours=26)
    deadlines.keep_deadlines(next_day)
    forgetting.forget_unfinished(next_day)
    card = Details("Nora", "Walker-Smith", BORN, email=MARRIED["email"], phone=MARRIED["phone"])
    people.change_details(person, card, by=world.desk_id, now=next_day)
    assert visits() == [("confirmed", None)]
    assert db.session.get_one(Visit, visit_id).status == "confirmed"


def there_is_one_record_beside(client_id: int) -> bool:
    """Whether the stranger's record was corrected, and no other one made."""
    db.session.rollback()
    return len(db.session.scalars(select(Client.id).where(Client.id != client_id)).all()) == 1


def test_joining_a_record_for_which_nothing_waits_takes_no_proof_away(app: Flask, world: w.World) -> None:
    known = known_married()
    guest = harmless_visit(app).client_id or 0
    w.at_desk(world, known, "relaxation", when=w.at(12))
    stranger_types_it(app)
    people.merge_clients(known, guest, by=world.desk_id, now=NOW)
    assert not db.session.get_one(Client, known).is_unproven
    db.session.rollback()
    w.at_desk(world, known, "relaxation", when=w.at(15))
    touched(app, world, known)
    stands = select(Visit.status).where(Visit.starts_at.in_((w.at(6), w.at(12), w.at(15))))
    assert db.session.scalars(stands).all() == ["confirmed"] * 3


@pytest.mark.parametrize("who", ["the same", "a look-alike"])
@pytest.mark.parametrize("stop", ["_ask", "forget_if_bare", "over"])
def test_booking_while_the_question_is_forgotten(
    app: Flask, world: w.World, deeds: Deeds, who: str, stop: str
) -> None:
    found = waits(app)
    books = found.client if who == "the same" else nora_again()
    now = NOW + dt.timedelta(days=5)
    deadlines.keep_deadlines(now)

    def book() -> Any:
        return bookings.book_visit(
            w.choice("relaxation"), books, w.at(9), request_key="once", source="desk", by=world.desk_id, now=now,
            reconfirmed=True,
        )  # fmt: skip

    def forget() -> Any:
        return forgetting.forget_unfinished(now)

    where = {"_ask": _forgetting, "forget_if_bare": forgetting, "over": open_questions}[stop]
    deeds.stop_in(where, stop)
    deeds.do(*((book, forget) if stop == "_ask" else (forget, book)))
    db.session.rollback()
    booked = db.session.scalars(select(Visit).where(Visit.starts_at == w.at(9))).one()
    asked = db.session.scalars(select(OpenQuestion).where(OpenQuestion.visit_id == booked.id)).all()
    assert (booked.status, bool(asked)) in [("pending", True), ("confirmed", False)]


@pytest.mark.parametrize("step", ["touched", "changed to the same"])
def test_joining_a_record_that_waits_holds_what_stood_on_the_other_one(
    app: Flask, world: w.World, step: str
) -> None:
    known = known_married()
    w.at_desk(world, known, "relaxation", when=w.at(12))
    found = waits(app)
    people.merge_clients(known, found.client, by=world.desk_id, now=NOW)
    if step == "touched":
        touched(app, world, known)
    else:
        cancels(found, world)
        stood = db.session.scalars(select(Visit).where(Visit.starts_at == w.at(12))).one()
        visit_id, revision = stood.id, stood.revision
        db.session.rollback()
        with suppress(RuleViolation):
            bookings.change_visit(
                visit_id, revision=revision, starts_at=w.at(3), choice=w.choice("deep_tissue"), by=world.desk_id,
                now=NOW,
            )  # fmt: skip
    assert none_is_confirmed()


@pytest.mark.parametrize("by", ["client", "desk"])
def test_what_stands_is_not_made_into_what_waited(app: Flask, world: w.World, by: str) -> None:
    visit = harmless_visit(app)
    visit_id, person = visit.id, visit.client_id or 0
    stranger_types_it(app)
    second = w.at_desk(world, person, "deep_tissue", when=w.at(9))
    assert second.status == "pending"
    bookings.cancel_visit(second.visit_id or 0, by=world.desk_id, by_clinic=True, now=NOW)

    def change(**values: Any) -> str | None:
        db.session.rollback()
        revision = db.session.get_one(Visit, visit_id).revision
        db.session.rollback()
        outcome = bookings.change_visit(
            visit_id, revision=revision, by=None if by == "client" else world.desk_id, by_client=by == "client",
            now=NOW, **values,
        )  # fmt: skip
        return outcome.status

    assert change(starts_at=w.at(9), choice=w.choice("deep_tissue")) is None, (
        "another treatment is another order"
    )
    assert change(starts_at=w.at(10)) == "confirmed", "another time is not"
    touched(app, world, person)
    assert db.session.get_one(Visit, visit_id).status == "confirmed"


@pytest.mark.parametrize("again", ["the same record", "another record"])
@pytest.mark.parametrize("end", ["left", "run out"])
def test_a_booking_that_was_left_after_another_name_holds_what_is_booked_instead(
    app: Flask, world: w.World, end: str, again: str
) -> None:
    browser = app.test_client()
    client_id = named_after_a_yes(browser)
    if end == "left":
        leaves(browser)
    else:
        deadlines.keep_deadlines(NOW + dt.timedelta(hours=2))
    if again == "another record":
        client_id = nora_again()
    booked = w.at_desk(world, client_id, "deep_tissue", when=w.at(9))
    assert booked.status == "pending"
    forgetting.forget_unfinished(NEXT_DAY)
    touched(app, world, client_id)
    assert none_is_confirmed()


PARTNER = {
    "first_name": "Paul", "last_name": "Moss", "born_day": "2", "born_month": "2", "born_year": "1979",
}  # fmt: skip


def partner_of(account: Account) -> int:
    """The same, of the account and proved by nobody, with everything answered by "no"."""
    other: int = factories.make_client(
        first_name="Paul", last_name="Moss", born_on=dt.date(1979, 2, 2), acts={account.user_id: "partner"},
        is_unproven=True,
    ).id  # fmt: skip
    w.sign(other)
    return other


def types_themselves_first(account: Account) -> FlaskClient:
    """As a guest, with something mild, which they sign once more as themselves."""
    own = db.session.get_one(Client, account.client_id)
    typed = walk.details(
        first_name=own.first_name, last_name=own.last_name, email=own.email, born_day="3", born_month="3",
        born_year="1980",
    )  # fmt: skip
    db.session.rollback()
    browser = account.browser
    walk.location(walk.hold(browser, "relaxation"))
    walk.location(walk.name(browser, **typed))
    walk.answer(browser, MILD)
    walk.location(walk.sign(browser))
    walk.location(browser.post("/book/person", data={"person": str(account.client_id)}))
    walk.location(browser.post("/book/health", data={"go": "new"}))
    walk.answer(browser, MILD)
    walk.location(walk.sign(browser))
    return browser


@pytest.mark.parametrize("who", ["of the account", "named"])
def test_who_typed_themselves_before_signing_in_holds_nobody_whom_they_bring_along(
    app: Flask, world: w.World, who: str
) -> None:
    w.add_room_for_two(world)
    account = Account(app)
    w.sign(account.client_id, now=NOW - dt.timedelta(days=9))
    browser = types_themselves_first(account)
    if who == "of the account":
        chosen = {"who": str(partner_of(account))}
    else:
        chosen = {**walk.details(**PARTNER), "who": "new", "relation": "partner"}
    page = browser.post("/book/couple", data=chosen)
    assert walk.for_two(browser, {**chosen, "start": at_time(page.text)}).location == "/book/done"
    db.session.rollback()
    assert db.session.scalars(select(OpenQuestion)).all() == []


@pytest.mark.parametrize("door", ["desk", "program"])
def test_what_stands_is_not_made_into_what_the_same_guest_was_refused_later(
    app: Flask, world: w.World, door: str
) -> None:
    visit = harmless_visit(app)
    visit_id, revision = visit.id, visit.revision
    with time_machine.travel(NOW + dt.timedelta(hours=1), tick=False):
        second = app.test_client()
        walk.up_to_check(second, "deep_tissue", CLOTS, when=w.at(9), who=MARRIED)
    outcome = bookings.change_visit(
        visit_id, revision=revision, choice=w.choice("deep_tissue"), starts_at=None, by_program=door == "program",
        by=world.desk_id if door == "desk" else None, now=NOW + dt.timedelta(hours=2),
    )  # fmt: skip
    assert outcome.status is None
    db.session.rollback()
    assert db.session.get_one(Visit, visit_id).status == "confirmed"


def test_what_was_called_off_before_the_records_were_joined_is_not_taken_back_without_a_look(
    app: Flask, world: w.World
) -> None:
    known = known_married()
    stood = w.at_desk(world, known, "relaxation", when=w.at(12)).visit_id or 0
    found = waits(app)
    bookings.cancel_visit(stood, by=world.desk_id, by_clinic=True, now=NOW, at_desk=True)
    people.merge_clients(known, found.client, by=world.desk_id, now=NOW)
    with suppress(RuleViolation):
        undoing.take_back(stood, by=world.desk_id, now=NOW)
    assert none_is_confirmed()


CARL = {"first_name": "Carl", "last_name": "Reed", "born_year": "1961", "email": "carl@people.example"}


@pytest.mark.parametrize(
    "names", [[NORA, BEN, MARRIED, CARL], [MARRIED, NORA, CARL]], ids=["after", "before"]
)
@pytest.mark.parametrize("end", ["run out", "made for the last", "still open"])
def test_whoever_was_named_in_between_waits_as_well(
    app: Flask, world: w.World, names: list[dict[str, str]], end: str
) -> None:
    browser, asked = app.test_client(), 0
    walk.location(walk.hold(browser, "deep_tissue"))
    for one in names:
        walk.location(walk.name(browser, **one))
        if one is NORA:
            says_yes(browser, "/book/health")
        if one is MARRIED:
            walk.answer(browser)
            walk.location(walk.sign(browser))
            asked = named()
    if end == "run out":
        deadlines.keep_deadlines(NOW + dt.timedelta(hours=2))
    elif end == "made for the last":
        ends_with_no(browser)
    assert w.at_desk(world, asked, "deep_tissue", when=w.at(9)).status == "pending"
    assert none_is_confirmed()


def test_who_typed_themselves_before_signing_in_keeps_their_proof_when_a_harmless_record_is_joined(
    app: Flask, world: w.World
) -> None:
    account = Account(app)
    w.sign(account.client_id, now=NOW - dt.timedelta(days=9))
    w.at_desk(world, account.client_id, "relaxation", when=w.at(12))
    types_themselves_first(account)
    copy = factories.make_client(
        first_name="Ann", last_name="ann", born_on=dt.date(1980, 3, 3), phone=None
    ).id
    people.merge_clients(account.client_id, copy, by=world.desk_id, now=NOW)
    db.session.rollback()
    assert not db.session.get_one(Client, account.client_id).is_unproven
    stood = db.session.scalars(select(Visit).where(Visit.starts_at == w.at(12))).one()
    visit_id, revision = stood.id, stood.revision
    db.session.rollback()
    bookings.change_visit(
        visit_id, revision=revision, choice=w.choice("swedish"), starts_at=None, by=world.desk_id, now=NOW
    )
    db.session.rollback()
    assert db.session.get_one(Visit, visit_id).status == "confirmed"
    assert db.session.scalars(select(OpenQuestion)).all() == []


def test_a_name_that_is_typed_alone_holds_nobody(app: Flask, world: w.World) -> None:
    stranger = app.test_client()
    walk.location(walk.hold(stranger, "deep_tissue", w.at(4)))
    walk.location(walk.name(stranger, first_name="Zed", last_name="Zorn", born_year="1950"))
    says_yes(stranger, "/book/health")
    walk.location(walk.name(stranger, **MARRIED))
    assert harmless_visit(app).status == "confirmed"


@pytest.mark.parametrize("who", [MARRIED, LATER, CARL], ids=["same day", "same name", "neither"])
def test_who_is_brought_along_may_be_whom_the_first_of_the_two_has_the_name_of(
    app: Flask, world: w.World, who: dict[str, str]
) -> None:
    """The account is of somebody with the very name and birth date that the yes was typed for."""
    w.add_room_for_two(world)
    account = Account(app, born_on=BORN)
    with transaction():
        own = db.session.get_one(Client, account.client_id)
        own.first_name, own.last_name, own.name_key = "Nora", "Walker", name_key("Nora", "Walker")
    w.sign(account.client_id, now=NOW - dt.timedelta(days=9))
    browser = account.browser
    says_yes_as_nora(browser)
    walk.location(walk.name(browser, **BEN))
    walk.location(browser.post("/book/person", data={"person": str(account.client_id)}))
    walk.location(browser.post("/book/health", data={"go": "new"}))
    walk.answer(browser)
    walk.location(walk.sign(browser))
    named_too = {**walk.details(**who), "who": "new", "relation": "partner"}
    page = browser.post("/book/couple", data=named_too)
    start = at_time(page.text)
    assert walk.for_two(browser, {**named_too, "start": start}).location == "/book/done"
    db.session.rollback()
    asked = db.session.scalars(select(OpenQuestion)).all()
    assert bool(asked) == (who is not CARL)


BOB = {"first_name": "Bob", "last_name": "Young", "born_year": "1971", "email": "bob@people.example"}


def two_friends_at_one_browser(app: Flask) -> int:
    """The first says "no" and leaves the page to the second, who has something mild and books. Returns the first."""
    browser = app.test_client()
    walk.location(walk.hold(browser, "relaxation", w.at(4)))
    walk.location(walk.name(browser, **MARRIED))
    walk.answer(browser)
    walk.location(walk.sign(browser))
    first = named()
    walk.location(walk.name(browser, **{**BOB, "phone": "(212) 555-7066"}))
    walk.answer(browser, MILD)
    walk.location(walk.sign(browser))
    walk.location(walk.confirm(browser))
    return first


def test_what_a_friend_says_after_them_holds_nobody(app: Flask, world: w.World) -> None:
    first = two_friends_at_one_browser(app)
    assert w.at_desk(world, first, "relaxation", when=w.at(9)).status == "confirmed"
    known = known_married()
    w.at_desk(world, known, "relaxation", when=w.at(12))
    people.merge_clients(known, first, by=world.desk_id, now=NOW)
    db.session.rollback()
    assert not db.session.get_one(Client, known).is_unproven
    stands = select(Visit.status).where(Visit.starts_at.in_((w.at(9), w.at(12))))
    assert db.session.scalars(stands).all() == ["confirmed"] * 2


def test_what_was_decided_of_somebody_holds_for_their_next_booking(app: Flask, world: w.World) -> None:
    browser = app.test_client()
    walk.location(walk.hold(browser, "relaxation", w.at(4)))
    walk.location(walk.name(browser, **{**BOB, "phone": "(212) 555-7066"}))
    walk.answer(browser, MILD)
    walk.location(walk.sign(browser))
    bob = named()
    walk.location(walk.name(browser, **MARRIED))
    ends_with_no(browser)
    assert visits() == [("pending", "review")]
    nora = db.session.scalars(select(Visit.client_id).where(Visit.status == "pending")).one() or 0
    people.say_two_people(bob, nora, by=reviewer(), now=NOW)
    assert visits() == [("confirmed", None)]
    assert harmless_visit(app).status == "confirmed"


def test_less_of_a_treatment_is_no_other_one(app: Flask, world: w.World) -> None:
    visit = harmless_visit(app)
    visit_id, person = visit.id, visit.client_id or 0
    changed = [w.choice("relaxation", minutes=minutes) for minutes in (90, 60)]

    def change(choice: Any) -> Any:
        revision = db.session.get_one(Visit, visit_id).revision
        db.session.rollback()
        return bookings.change_visit(
            visit_id, revision=revision, choice=choice, starts_at=None, by=world.desk_id, now=NOW
        ).status

    assert change(changed[0]) == "confirmed"
    stranger_types_it(app)
    assert change(changed[1]) == "confirmed"
    assert change(changed[0]) is None
    touched(app, world, person)
    assert db.session.get_one(Visit, visit_id).status == "confirmed"


def test_a_child_who_was_typed_first_bars_no_partner(app: Flask, world: w.World) -> None:
    w.add_room_for_two(world)
    account = Account(app)
    w.sign(account.client_id, now=NOW - dt.timedelta(days=9))
    other = partner_of(account)
    browser = account.browser
    walk.location(walk.hold(browser, "relaxation"))
    walk.location(walk.name(browser, **{**BOB, "born_year": "2000"}))
    walk.answer(browser, MILD)
    walk.location(walk.sign(browser))
    walk.location(browser.post("/book/person", data={"person": str(account.client_id)}))
    walk.location(browser.post("/book/health", data={"go": "new"}))
    walk.answer(browser)
    walk.location(walk.sign(browser))
    chosen = {"who": str(other)}
    page = browser.post("/book/couple", data=chosen)
    assert walk.for_two(browser, {**chosen, "start": at_time(page.text)}).location == "/book/done"
    assert visits() == [("confirmed", None)] * 2


@pytest.mark.parametrize("end", ["chosen", "joined"])
def test_who_was_named_last_waits_also_when_an_account_took_over_or_the_desk_joined_them(
    app: Flask, world: w.World, end: str
) -> None:
    account = Account(app)
    w.sign(account.client_id, now=NOW - dt.timedelta(days=9))
    browser = account.browser
    asked = named_after_a_yes(browser)
    if end == "chosen":
        walk.location(browser.post("/book/person", data={"person": str(account.client_id)}))
    else:
        last = factories.make_client(
            first_name="Nora", last_name="Walker-Smith", born_on=BORN, email="l@people.example", phone=None,
            is_unproven=True,
        ).id  # fmt: skip
        people.merge_clients(last, asked, by=world.desk_id, now=NOW)
        asked = nora_again(email="m@people.example")
    assert w.at_desk(world, asked, "deep_tissue", when=w.at(9)).status == "pending"


def test_whom_an_account_had_chosen_counts_for_who_was_named_in_between(app: Flask, world: w.World) -> None:
    account = Account(app, born_on=dt.date(1972, 2, 2))
    w.sign(account.client_id, now=NOW, **CLOTS)
    browser = account.browser
    walk.location(walk.hold(browser, "relaxation"))
    walk.location(browser.post("/book/person", data={"person": str(account.client_id)}))
    walk.location(walk.name(browser, **MARRIED))
    walk.answer(browser)
    walk.location(walk.sign(browser))
    asked = named()
    walk.location(walk.name(browser, **CARL))
    assert w.at_desk(world, asked, "relaxation", when=w.at(9)).status == "pending"


BENS = {**BEN, "email": "ben@people.example", "phone": "(212) 555-7044"}
BEN_DETAILS = Details("Ben", "Stone", dt.date(1990, 7, 4), email="ben@people.example", phone="(212) 555-7044")


def answers_no(browser: FlaskClient, who: dict[str, str], **declared: Any) -> int:
    """Somebody is named and answers everything but this by "no"; returns their record."""
    walk.location(walk.name(browser, **who))
    walk.answer(browser, declared)
    walk.location(walk.sign(browser))
    return named()


def ben_after_nora(browser: FlaskClient, **declared: Any) -> int:
    """Ben answers in a booking in which Nora said "yes"."""
    says_yes_as_nora(browser)
    return answers_no(browser, BENS, **declared)


def signs_in(guest: FlaskClient, account: Account) -> None:
    """The account at the guest's browser."""
    with account.browser.session_transaction() as signed_in, guest.session_transaction() as own:
        own.update({key: value for key, value in signed_in.items() if key not in own})


def chooses(browser: FlaskClient, client_id: int) -> None:
    walk.location(browser.post("/book/person", data={"person": str(client_id)}))


@pytest.mark.parametrize("end", ["left", "still open", "made for another"])
def test_naming_somebody_once_more_frees_nobody_who_was_named_in_between(
    app: Flask, world: w.World, end: str
) -> None:
    browser = app.test_client()
    ben = ben_after_nora(browser)
    walk.location(walk.name(browser, **NORA))
    if end == "left":
        leaves(browser)
    elif end == "made for another":
        walk.location(walk.name(browser, **CARL))
        ends_with_no(browser)
    assert w.at_desk(world, ben, "deep_tissue", when=w.at(9)).status == "pending"
    assert none_is_confirmed()


@pytest.mark.parametrize("said", [{}, MILD], ids=["nothing", "something mild"])
@pytest.mark.parametrize("before", ["a guest", "of the account"])
def test_signing_in_after_others_frees_nobody_who_was_named_in_between(
    app: Flask, world: w.World, before: str, said: dict[str, Any]
) -> None:
    account = Account(app, born_on=dt.date(1972, 2, 2))
    if before == "a guest":
        browser = app.test_client()
        ben = ben_after_nora(browser, **said)
        signs_in(browser, account)
    else:
        browser = account.browser
        walk.location(walk.hold(browser, "relaxation"))
        chooses(browser, account.client_id)
        says_yes(browser, "/book/health")
        ben = answers_no(browser, BENS, **said)
    chooses(browser, account.client_id)
    leaves(browser)
    assert w.at_desk(world, ben, "relaxation", when=w.at(9)).status == "pending"


def test_a_friend_who_was_named_before_the_account_signed_in_waits_for_none_of_its_people(
    app: Flask, world: w.World
) -> None:
    account = Account(app, born_on=dt.date(1972, 2, 2))
    w.sign(account.client_id, now=NOW - dt.timedelta(days=5), **CLOTS)
    browser = app.test_client()
    walk.location(walk.hold(browser, "relaxation"))
    friend = answers_no(browser, MARRIED)
    signs_in(browser, account)
    chooses(browser, account.client_id)
    walk.location(walk.name(browser, **CARL))
    assert w.at_desk(world, friend, "relaxation", when=w.at(9)).status == "confirmed"


def known_ben(**values: Any) -> int:
    """Somebody in the book of Ben's name and birth date, with everything answered by "no"."""
    same = {"first_name": "Ben", "last_name": "Stone", "email": "k@people.example", "phone": None}
    client: int = factories.make_client(**{**same, "born_on": dt.date(1990, 7, 4), **values}).id
    w.sign(client, now=NOW - dt.timedelta(days=9))
    return client


def left_and_once_more(app: Flask, **values: str) -> int:
    """Ben once more at another browser, on a new record, and this booking is left as well."""
    browser = app.test_client()
    walk.location(walk.hold(browser, "relaxation", w.at(6)))
    again = answers_no(browser, {**BENS, **values})
    leaves(browser)
    return again


@pytest.mark.parametrize("keeps", ["known", "copy"])
@pytest.mark.parametrize("copy", ["the same record", "a card of the desk", "another record"])
def test_a_record_that_would_wait_is_booked_before_the_desk_joins_it(
    app: Flask, world: w.World, copy: str, keeps: str
) -> None:
    """Joined first it would be free. Nothing becomes of the record in the book and what stands on it."""
    one = ben_after_nora(browser := app.test_client())
    leaves(browser)
    known = known_ben(phone="(212) 555-9090")
    spouse = factories.make_client(
        first_name="Sue", last_name="Stone", born_on=dt.date(1991, 1, 1), phone="(212) 555-9090"
    ).id
    w.sign(spouse, now=NOW - dt.timedelta(days=9), **CLOTS)
    stood = w.at_desk(world, known, "relaxation", when=w.at(20)).visit_id
    if copy == "a card of the desk":
        one = records.create_client(
            BEN_DETAILS, region="US", by=world.desk_id, now=NOW, is_somebody_else=True
        )
        w.sign(one)
    elif copy == "another record":
        one = left_and_once_more(app)
    pair = (known, one) if keeps == "known" else (one, known)
    for by in (world.desk_id, reviewer()):  # whose page says nothing of the other name either
        with pytest.raises(ReviewNeeded, match="Book the visit first"):
            people.merge_clients(*pair, by=by, now=NOW)
        db.session.rollback()
    assert not db.session.get_one(Client, known).is_unproven
    assert db.session.get_one(Visit, stood).status == "confirmed"
    db.session.rollback()
    assert w.at_desk(world, one, "deep_tissue", when=w.at(12)).status == "pending"
    people.merge_clients(*pair, by=world.desk_id, now=NOW)
    assert w.at_desk(world, pair[0], "deep_tissue", when=w.at(9)).status == "pending"


def test_a_name_that_was_typed_alone_after_a_yes_is_not_proved_by_joining_it(
    app: Flask, world: w.World
) -> None:
    browser = app.test_client()
    says_yes_as_nora(browser)
    walk.location(walk.name(browser, **BENS))
    ben, known = named(), known_ben()
    leaves(browser)
    with pytest.raises(ReviewNeeded):
        people.merge_clients(known, ben, by=world.desk_id, now=NOW)


def test_two_records_of_one_guest_are_joined_and_wait(app: Flask, world: w.World) -> None:
    """Nobody has proved either: joined they are one record that nobody has proved."""
    ben = ben_after_nora(browser := app.test_client())
    leaves(browser)
    again = left_and_once_more(app)
    people.merge_clients(ben, again, by=world.desk_id, now=NOW)
    assert w.at_desk(world, ben, "deep_tissue", when=w.at(9)).status == "pending"


def test_whoever_was_decided_of_is_joined_without_one_more_visit(app: Flask, world: w.World) -> None:
    ben_after_nora(browser := app.test_client())
    leaves(browser)
    copy, known = left_and_once_more(app), known_ben()
    assert w.at_desk(world, copy, "deep_tissue", when=w.at(12)).status == "pending"
    db.session.rollback()
    nora = db.session.scalars(select(Client.id).where(Client.first_name == "Nora")).one()
    people.say_two_people(nora, copy, by=reviewer(), now=NOW)
    assert "confirmed" in visits_of(copy)
    people.merge_clients(known, copy, by=world.desk_id, now=NOW)
    db.session.rollback()
    assert not db.session.get_one(Client, known).is_unproven


def test_two_names_of_one_booking_are_joined(app: Flask, world: w.World) -> None:
    """A married name that was typed after a signed "yes" is the same person: what they said judges."""
    browser = app.test_client()
    walk.location(walk.hold(browser, "deep_tissue"))
    walk.location(walk.name(browser, **NORA))
    walk.answer(browser, CLOTS)
    walk.sign(browser)
    nora = named()
    married = answers_no(browser, MARRIED)
    leaves(browser)
    with transaction() as session:
        session.get_one(Client, nora).is_unproven = False
    people.merge_clients(nora, married, by=world.desk_id, now=NOW)
    assert w.at_desk(world, nora, "deep_tissue", when=w.at(9)).status != "confirmed"


def test_the_desk_does_not_cut_a_chain_of_records_in_its_middle(app: Flask, world: w.World) -> None:
    ben_after_nora(browser := app.test_client())
    leaves(browser)
    middle = left_and_once_more(app, email="ben2@people.example")
    details = Details(
        "Benjamin", "Stone", dt.date(1990, 7, 4), email="ben2@people.example", phone="(212) 555-7099"
    )
    card = records.create_client(details, region="US", by=world.desk_id, now=NOW)
    w.sign(card)
    with pytest.raises(ReviewNeeded):
        people.say_two_people(middle, card, by=world.desk_id, now=NOW)
    db.session.rollback()
    listed = [[pair.first.id, pair.second.id] for pair in look_alikes.pairs_to_review(w.TODAY)]
    assert [middle, card] in listed
    assert w.at_desk(world, card, "deep_tissue", when=w.at(9)).status == "pending"


def test_a_card_that_the_desk_makes_of_them_is_not_proved_by_that(app: Flask, world: w.World) -> None:
    ben = ben_after_nora(browser := app.test_client())
    leaves(browser)
    card = records.create_client(BEN_DETAILS, region="US", by=world.desk_id, now=NOW, is_somebody_else=True)
    w.sign(card)
    with pytest.raises(ReviewNeeded):
        people.say_two_people(ben, card, by=world.desk_id, now=NOW)
    db.session.rollback()
    assert [ben, card] in [[pair.first.id, pair.second.id] for pair in look_alikes.pairs_to_review(w.TODAY)]
    assert w.at_desk(world, card, "deep_tissue", when=w.at(9)).status == "pending"


PAUL = Details("Paul", "Moss", dt.date(1979, 2, 2), email="ann@people.example")


@pytest.mark.parametrize(
    "who", [("Anna", "Other", "1972"), ("Ann", "ann", "1973")], ids=["same day", "same name"]
)
def test_whoever_is_brought_along_may_be_whom_the_account_chose_first(
    app: Flask, world: w.World, who: tuple[str, str, str]
) -> None:
    w.add_room_for_two(world)
    account = Account(app, born_on=dt.date(1972, 2, 2))
    partner = records.add_person(account.user_id, PAUL, "partner", region="US", now=NOW)
    browser = account.browser
    walk.location(walk.hold(browser, "relaxation"))
    chooses(browser, account.client_id)
    says_yes(browser, "/book/health")
    chooses(browser, partner)
    walk.answer(browser)
    walk.location(walk.sign(browser))
    first, last, year = who
    typed = walk.details(
        first_name=first,
        last_name=last,
        born_day="2",
        born_month="2",
        born_year=year,
        email="o@people.example",
    )
    brought = {**typed, "who": "new", "relation": "partner"}
    page = browser.post("/book/couple", data=brought)
    assert walk.for_two(browser, {**brought, "start": at_time(page.text)}).location == "/book/done"
    db.session.rollback()
    link = link_in(
        db.session.scalars(select(OutgoingMail.text).where(OutgoingMail.kind == "couple_invited")).one()
    )
    companion = app.test_client()
    walk.answer(companion, base=f"{link}/health")
    walk.sign(companion, base=f"{link}/health")
    assert none_is_confirmed()


@pytest.mark.parametrize("last", ["typed", "of the account", "of the account, the first one merged"])
def test_whom_an_account_chose_before_another_of_its_people_holds_a_typed_name_alone(
    app: Flask, world: w.World, last: str
) -> None:
    """Two people of one account are two people, also where the second one is proved by nobody yet."""
    account = Account(app, born_on=dt.date(1972, 2, 2))
    partner = unproven_of(
        account.user_id, Details("Paul", "Moss", dt.date(1979, 2, 2), email="y@people.example")
    )
    browser = account.browser
    walk.location(walk.hold(browser, "deep_tissue"))
    chooses(browser, account.client_id)
    says_yes(browser, "/book/health")
    if last.endswith("merged"):
        known = factories.make_client(first_name="Ann", last_name="Ann", born_on=dt.date(1972, 2, 2)).id
        people.merge_clients(known, account.client_id, by=world.desk_id, now=NOW)
        walk.location(walk.hold(browser, "deep_tissue", w.at(5)))
    chooses(browser, partner)
    walk.answer(browser)
    walk.location(walk.sign(browser))
    if last == "typed":
        answers_no(browser, CARL)
    walk.location(walk.confirm(browser))
    assert none_is_confirmed() == (last == "typed")


@pytest.mark.parametrize("first", ["the other twin first", "straight"])
def test_two_of_one_account_with_one_birthday_come_together(app: Flask, world: w.World, first: str) -> None:
    w.add_room_for_two(world)
    account = Account(app, born_on=dt.date(1972, 2, 2))
    w.sign(account.client_id, now=NOW - dt.timedelta(days=5))
    twins = [
        records.add_person(
            account.user_id, Details(name, "Moss", dt.date(1979, 2, 2), email="ann@people.example"), "partner",
            region="US", now=NOW,
        )
        for name in ("Paul", "Peter")
    ]  # fmt: skip
    w.sign(twins[0], now=NOW - dt.timedelta(days=5), **MILD)
    w.sign(twins[1])
    browser = account.browser
    walk.location(walk.hold(browser, "relaxation"))
    if first != "straight":
        chooses(browser, twins[0])
    chooses(browser, account.client_id)
    walk.location(browser.post("/book/health", data={"go": "new"}))
    walk.answer(browser)
    walk.location(walk.sign(browser))
    chosen = {"who": str(twins[1]), "minutes": "60"}
    page = browser.post("/book/couple", data=chosen)
    assert walk.for_two(browser, {**chosen, "start": at_time(page.text)}).location == "/book/done"


def unproven_of(user_id: int, details: Details) -> int:
    """Somebody of an account whom nobody has proved: their address is that of a stranger in the book."""
    stranger = factories.make_client(
        first_name="Sam", last_name="Strange", born_on=dt.date(1950, 1, 1), email=details.email
    ).id
    w.sign(stranger, now=NOW - dt.timedelta(days=9))
    return records.add_person(user_id, details, "partner", region="US", now=NOW)


def test_what_the_person_of_one_account_said_holds_whom_another_account_chooses(
    app: Flask, world: w.World
) -> None:
    account = Account(app, born_on=dt.date(1972, 2, 2))
    browser = account.browser
    walk.location(walk.hold(browser, "deep_tissue"))
    chooses(browser, account.client_id)
    says_yes(browser, "/book/health")
    walk.location(walk.name(browser, **CARL))
    user = factories.make_user(email="b@people.example", roles=[Role.CLIENT]).id
    person = unproven_of(user, Details("Anna", "Other", dt.date(1972, 2, 2), email="y@people.example"))
    other = browser_of(app, db.session.get_one(User, user))
    with browser.session_transaction() as mine, other.session_transaction() as theirs:
        theirs.update({key: value for key, value in mine.items() if key not in theirs})
    chooses(other, person)
    walk.answer(other)
    walk.location(walk.sign(other))
    walk.location(walk.confirm(other))
    assert none_is_confirmed()
