"""A page that was open while something else happened: what is said on it counts, or it says what became of it."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import delete, select

from clinic.accounts.models import User, UserSession
from clinic.booking.models import Visit
from clinic.booking.services import people, visits
from clinic.clients.models import Client
from clinic.intake import queries
from clinic.intake.models import HealthStop
from clinic.intake.services import intakes
from clinic.rules import check_in
from clinic.rules.permissions import Permission, Role
from clinic.rules.visit_status import VisitStatus
from clinic.shared.database import db, transaction
from tests import factories
from tests.accounts.people import make_person, sign_in
from tests.booking import walk
from tests.booking import world as w
from tests.booking.desk import desk_browser
from tests.booking.test_book_couple import link_in, mails, named
from tests.booking.test_book_series import to_check
from tests.booking.test_pages_own import LAST_MONTH, Account
from tests.conftest import NOW
from tests.intake.test_tablet import page_asking
from tests.owners import browser_of
from tests.typed_forms import form_on
from tests.web import Visitor

pytestmark = pytest.mark.usefixtures("now")

MINUTE = dt.timedelta(minutes=1)
CHEST: dict[str, Any] = {"rf_chest_pain_breathless": {}}
HEART = {"heart_failure": {"worsening": False}}
ASPIRIN = {
    "med_class": "single_antiplatelet", "medication": "aspirin", "stable_3_months": True, "bruising": False,
}  # fmt: skip
WARFARIN_BEGUN: dict[str, list[str]] = {
    "c.blood_thinners": ["yes"],
    "f.blood_thinners.med_class": ["anticoagulant"],
    "f.blood_thinners.medication": ["warfarin"],
    "f.blood_thinners.stable_3_months": [],
    "f.blood_thinners.bruising": [],
}
KEPT = "What you said is kept, and we ask you about it before your next visit."


@pytest.fixture
def world(app: Flask) -> w.World:
    app.test_client_class = Visitor
    return w.build()


class Open:
    """A page of questions that stands open in a browser."""

    def __init__(self, browser: FlaskClient, base: str, said: dict[str, Any]) -> None:
        self.browser, self.said, number = browser, said, page_asking(next(iter(said)))
        self.path, self.form = f"{base}/{number}", walk.page_form(number, said)
        page = browser.get(self.path)
        assert page.status_code == 200
        self.form |= {name: walk.hidden(page, name) for name in ("whose", "seen")}

    def send(self, end: str = "", after: dt.timedelta = 2 * MINUTE) -> Any:
        with time_machine.travel(NOW + after, tick=False):
            sent = self.browser.post(self.path + end, data=self.form)
            shown = self.browser.get(sent.location) if sent.status_code == 303 else sent
        db.session.rollback()
        return shown


def about_me(account: Account, said: dict[str, Any]) -> Open:
    """A page of a booking that was begun, whose answers of before are looked at again."""
    account.choose()
    account.browser.post("/book/health", data={"go": "changed"})
    return Open(account.browser, "/book/health", said)


def somebody_else_is_chosen(account: Account) -> int:
    """In another tab."""
    other = factories.make_client(
        first_name="Kim", last_name="Kid", born_on=dt.date(1990, 1, 1), acts={account.user_id: "child"}
    ).id
    account.browser.post("/book/person", data={"person": str(other)})
    return other


def book(account: Account) -> None:
    walk.answer(account.browser, {})
    walk.sign(account.browser)
    walk.confirm(account.browser)


def stops() -> list[int]:
    db.session.rollback()
    return list(db.session.scalars(select(HealthStop.client_id)))


# ── a check-in of somebody who has signed nothing yet ────────────────────────────────────────────────────


def unanswered(app: Flask, world: w.World) -> tuple[int, FlaskClient, str]:
    client = w.person(email="new@people.example")
    visit = w.at_desk(world, client, "swedish", when=w.at(0, 16), reconfirmed=False).visit_id
    return client, desk_browser(app, world), f"/desk/visits/{visit}/check-in"


def test_a_warning_sign_before_any_answers_stops_everything(app: Flask, world: w.World) -> None:
    client, desk, path = unanswered(app, world)
    sent = desk.post(path, data={"step": "answered", "topic": "1", "c.rf_chest_pain_breathless": "yes"})
    assert sent.status_code == 200
    assert stops() == [client]


def test_a_yes_before_any_answers_is_kept_until_all_are_signed(app: Flask, world: w.World) -> None:
    client, desk, path = unanswered(app, world)
    desk.post(
        path,
        data={"step": "answered", "topic": "6", "c.pregnancy": "not_sure", "c.rf_pregnancy_warning": "no"},
    )
    db.session.rollback()
    draft = queries.draft(client, check_in.BEGUN)
    assert draft is not None
    assert draft.answered["pregnancy"]["present"]
    assert (stops(), queries.has_unsigned(client), w.statuses(client)) == ([], True, ["pending"])


# ── questions that are open no more ──────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("said", [CHEST, HEART], ids=["warning", "yes"])
def test_the_second_of_two_is_heard_on_the_record_that_theirs_became(
    app: Flask, world: w.World, said: dict[str, Any]
) -> None:
    link, client = second_of_two(world, app)
    page = Open(app.test_client(), f"{link}/health", said)
    known = w.person(email="known@people.example")
    w.sign(known, now=LAST_MONTH)
    theirs = db.session.scalars(select(Visit.id).where(Visit.client_id == client)).one()
    db.session.rollback()
    visits.cancel_visit(theirs, by=world.desk_id, by_clinic=True, now=NOW + MINUTE)
    people.merge_clients(known, client, by=world.desk_id, now=NOW + MINUTE)
    shown = page.send()
    draft = queries.draft(known, "client")
    assert draft is not None
    if said is CHEST:
        assert stops() == [known]
        assert "coming visit" not in shown.text
        assert next(iter(CHEST)) not in draft.answered, "it is asked anew when they come back"
    else:
        assert (KEPT in shown.text, queries.has_unsigned(known)) == (True, True)
        assert draft.answered.keys() > HEART.keys(), "beside what was signed"


def second_of_two(world: w.World, app: Flask) -> tuple[str, int]:
    w.add_room_for_two(world)
    account = Account(app)
    w.sign(account.client_id, now=LAST_MONTH)
    to_check(account)
    account.browser.get("/book/couple")
    page = account.browser.post("/book/couple", data=named())
    start = walk.hidden(page, "start") if 'name="start"' in page.text else ""
    walk.for_two(account.browser, {**named(), "start": start})
    link = link_in(mails("frida@people.example")[-1].text)
    client = db.session.scalars(select(Client.id).where(Client.first_name == "Frida")).one()
    db.session.rollback()
    return link, client


@pytest.mark.parametrize("end", ["", "/keep"])
def test_the_second_of_two_is_heard_also_after_the_desk_signed_for_them(
    app: Flask, world: w.World, end: str
) -> None:
    link, client = second_of_two(world, app)
    page = Open(app.test_client(), f"{link}/health", HEART)
    w.sign(client, now=NOW + MINUTE)
    shown = page.send(end)
    assert (shown.status_code, KEPT in shown.text) == ((204, False) if end else (200, True))
    assert queries.has_unsigned(client)


@pytest.mark.parametrize("end", ["", "/keep"])
def test_whoever_holds_the_link_takes_nothing_back_that_was_said_elsewhere(
    app: Flask, world: w.World, end: str
) -> None:
    """Also by a page that claims to have seen nothing."""
    link, client = second_of_two(world, app)
    page = Open(app.test_client(), f"{link}/health", HEART)
    w.sign(client, now=NOW + MINUTE)
    worse = {"heart_failure": {"present": True, "worsening": True}}
    intakes.save_draft(client, "client", "intake", worse, now=NOW + MINUTE)
    page.form = {**walk.page_form(page_asking("heart_failure"), {}), "whose": str(client)}
    page.send(end)
    draft = queries.draft(client, "client")
    assert draft is not None
    assert draft.answered["heart_failure"] == worse["heart_failure"]


@pytest.mark.parametrize("said", [CHEST, HEART], ids=["warning", "yes"])
@pytest.mark.parametrize("end", ["", "/keep"])
def test_a_page_of_a_booking_that_was_confirmed_in_another_tab_is_heard(
    app: Flask, world: w.World, said: dict[str, Any], end: str
) -> None:
    account = Account(app)
    w.sign(account.client_id, now=LAST_MONTH)
    page = about_me(account, said)
    book(account)
    assert w.statuses(account.client_id) == ["confirmed"]
    shown = page.send(end)
    if said is CHEST and not end:
        assert (stops(), w.statuses(account.client_id)) == ([account.client_id], ["cancelled"])
    else:
        assert queries.has_unsigned(account.client_id)
        assert (KEPT in shown.text) is not bool(end)


@pytest.mark.parametrize("end", ["", "/keep"])
def test_half_a_yes_of_such_a_page_waits_beside_the_whole_one_that_was_signed(
    app: Flask, world: w.World, end: str
) -> None:
    """What is new in it may be graver than what was signed."""
    account = Account(app)
    me = account.client_id
    w.sign(me, now=LAST_MONTH, blood_thinners=ASPIRIN)
    page = about_me(account, {"blood_thinners": ASPIRIN})
    walk.answer(account.browser, {"blood_thinners": ASPIRIN})
    walk.sign(account.browser)
    walk.confirm(account.browser)
    assert w.statuses(me) == ["confirmed"]
    page.form |= WARFARIN_BEGUN
    shown = page.send(end)
    draft = queries.draft(me, "client")
    assert draft is not None
    assert draft.half_typed == {name: typed for name, typed in WARFARIN_BEGUN.items() if typed}
    assert (queries.has_unsigned(me), KEPT in shown.text) == (True, not end)
    visit = db.session.scalars(select(Visit).where(Visit.client_id == me)).one()
    arrives: dict[str, Any] = {"revision": visit.revision, "by": world.desk_id, "now": visit.starts_at}
    db.session.rollback()
    visits.mark_visit(visit.id, VisitStatus.ARRIVED, **arrives)
    assert w.statuses(me) == ["suspended"]


def test_what_two_late_pages_say_of_one_question_is_asked_once_more(app: Flask, world: w.World) -> None:
    account = Account(app)
    me = account.client_id
    w.sign(me, now=LAST_MONTH)
    page = about_me(account, {"blood_thinners": ASPIRIN})
    book(account)
    page.form |= WARFARIN_BEGUN
    page.send("/keep")
    page.form |= walk.page_form(page_asking("blood_thinners"), {"blood_thinners": ASPIRIN})
    page.send()
    draft = queries.draft(me, "client")
    assert draft is not None
    assert "blood_thinners" not in draft.answered
    assert draft.half_typed == {name: typed for name, typed in WARFARIN_BEGUN.items() if typed}


def test_a_warning_sign_that_was_only_saved_by_itself_stops_with_the_next_late_page(
    app: Flask, world: w.World
) -> None:
    account = Account(app)
    w.sign(account.client_id, now=LAST_MONTH)
    page = about_me(account, CHEST)
    another = Open(account.browser, "/book/health", HEART)
    another.form |= walk.page_form(page_asking("heart_failure"), {})
    book(account)
    page.send("/keep")
    assert stops() == []
    another.send()
    assert (stops(), w.statuses(account.client_id)) == ([account.client_id], ["cancelled"])


@pytest.mark.parametrize("said", [CHEST, HEART], ids=["warning", "yes"])
def test_a_page_of_a_booking_that_ran_out_over_night_is_heard(
    app: Flask, world: w.World, said: dict[str, Any]
) -> None:
    account = Account(app)
    me = account.client_id
    w.sign(me, now=LAST_MONTH)
    w.at_desk(world, me, "deep_tissue", when=w.at(6))
    page = about_me(account, said)
    shown = page.send(after=dt.timedelta(hours=25))
    if said is CHEST:
        assert (stops(), "confirmed" in w.statuses(me)) == ([me], False)
    else:
        assert (queries.has_unsigned(me), KEPT in shown.text) == (True, True)
        assert "Nothing is booked" in shown.text


def sign_out(account: Account, how: str) -> None:
    """How the account is no longer signed in, in the browser where its page stands open."""
    if how == "by themselves":
        account.browser.post("/sign-out")
        return
    with transaction() as session:
        session.execute(delete(UserSession))
    if how == "another":
        make_person("bob@people.example", Role.CLIENT)
        sign_in(account.browser, "bob@people.example")


@pytest.mark.parametrize("said", [CHEST, HEART], ids=["warning", "yes"])
@pytest.mark.parametrize("end", ["", "/keep"])
def test_a_page_is_heard_after_its_account_was_signed_out(
    app: Flask, world: w.World, said: dict[str, Any], end: str
) -> None:
    account = Account(app)
    me = account.client_id
    w.sign(me, now=LAST_MONTH)
    w.at_desk(world, me, "deep_tissue", when=w.at(6))
    page = about_me(account, said)
    sign_out(account, "it ran out")
    shown = page.send(end)
    if said is CHEST and not end:
        assert "medical help now" in shown.text
        assert ("Ann" in shown.text, "coming visit" in shown.text) == (False, False)
        assert (stops(), "confirmed" in w.statuses(me)) == ([me], False)
    else:
        assert (stops(), queries.has_unsigned(me)) == ([], True)
        assert ("signed out by then" in shown.text) is not bool(end)


@pytest.mark.parametrize("said", [CHEST, HEART], ids=["warning", "yes"])
@pytest.mark.parametrize("how", ["by themselves", "another"])
def test_a_page_that_nobody_can_be_asked_about_any_more_says_so(
    app: Flask, world: w.World, how: str, said: dict[str, Any]
) -> None:
    account = Account(app)
    w.sign(account.client_id, now=LAST_MONTH)
    page = about_me(account, said)
    sign_out(account, how)
    shown = page.send()
    assert "What you said on that page was not kept" in shown.text
    assert ("medical help now" in shown.text) is (said is CHEST)
    assert (stops(), queries.has_unsigned(account.client_id)) == ([], False)


@pytest.mark.parametrize("stands", [CHEST, HEART, {}], ids=["warning", "yes", "nothing"])
def test_whoever_is_at_a_browser_that_is_signed_out_reads_nothing_and_takes_nothing_back(
    app: Flask, world: w.World, stands: dict[str, Any]
) -> None:
    account = Account(app)
    me = account.client_id
    w.sign(me, now=LAST_MONTH)
    page = about_me(account, stands or HEART)
    another = Open(account.browser, "/book/health", HEART)
    another.form |= walk.page_form(page_asking("heart_failure"), {})
    if stands:
        page.send("/keep")
    sign_out(account, "it ran out")
    shown = another.send()
    assert ("signed out by then" in shown.text, "medical help now" in shown.text) == (True, False)
    assert "What you said is kept" not in shown.text
    assert stops() == ([me] if stands is CHEST else [])
    assert queries.has_unsigned(me) is (stands is HEART)


@pytest.mark.parametrize("meanwhile", ["nothing", "booked", "begun_anew", "another"])
def test_a_warning_sign_of_a_guest_is_answered_after_a_night_too(
    app: Flask, world: w.World, meanwhile: str
) -> None:
    guest = app.test_client()
    walk.location(walk.hold(guest, "swedish", when=w.at(5)))
    walk.location(walk.name(guest))
    page = Open(guest, "/book/health", CHEST)
    if meanwhile == "booked":
        walk.answer(guest, {})
        walk.sign(guest)
        walk.confirm(guest)
    with time_machine.travel(NOW + dt.timedelta(hours=25), tick=False):
        if meanwhile in ("begun_anew", "another"):
            walk.location(walk.hold(guest, "swedish", when=w.at(6)))
        if meanwhile == "another":
            walk.location(walk.name(guest, first_name="Olga", email="olga@people.example"))
    shown = page.send(after=dt.timedelta(hours=25)).text
    assert "medical help now" in shown
    client = db.session.scalars(select(Client.id).where(Client.first_name == "Nora")).one_or_none()
    if meanwhile == "booked" and client is not None:
        assert "We have not booked a visit" not in shown
        assert (stops(), w.statuses(client)) == ([client], ["cancelled"])


@pytest.mark.parametrize("said", [CHEST, HEART], ids=["warning", "yes"])
@pytest.mark.parametrize("is_lost", [False, True])
def test_a_page_of_a_guest_is_heard_after_a_merge(
    app: Flask, world: w.World, said: dict[str, Any], is_lost: bool
) -> None:
    guest = app.test_client()
    walk.location(walk.hold(guest, "swedish"))
    walk.location(walk.name(guest))
    page = Open(guest, "/book/health", said)
    walk.answer(guest, {})
    walk.sign(guest)
    walk.confirm(guest)
    new = db.session.scalars(select(Visit.client_id)).one()
    known = w.person(email="known@people.example")
    w.sign(known, now=LAST_MONTH)
    kept, lost = (known, new) if is_lost else (new, known)
    people.merge_clients(kept or 0, lost or 0, by=world.desk_id, now=NOW + MINUTE)
    shown = page.send()
    if said is CHEST:
        assert stops() == [kept]
        assert "coming visit" not in shown.text, "of the record that theirs has become"
    else:
        assert (queries.has_unsigned(kept or 0), KEPT in shown.text) == (True, True)


def test_a_yes_about_one_is_kept_where_another_was_booked_in_another_tab(app: Flask, world: w.World) -> None:
    account = Account(app)
    me = account.client_id
    w.sign(me, now=LAST_MONTH)
    page = about_me(account, HEART)
    other = somebody_else_is_chosen(account)
    book(account)
    assert KEPT in page.send().text
    assert (queries.has_unsigned(me), queries.has_unsigned(other)) == (True, False)
    assert w.statuses(other) == ["confirmed"]


@pytest.mark.parametrize("is_booked", [False, True])
def test_a_warning_sign_about_one_counts_while_another_is_chosen_in_another_tab(
    app: Flask, world: w.World, is_booked: bool
) -> None:
    account = Account(app)
    me = account.client_id
    w.sign(me, now=LAST_MONTH)
    w.at_desk(world, me, "deep_tissue", when=w.at(6))
    page = about_me(account, CHEST)
    other = somebody_else_is_chosen(account)
    if is_booked:
        book(account)
        assert w.statuses(other) == ["confirmed"]
    sent = page.send()
    assert (sent.status_code, "a coming visit cannot go ahead" in sent.text) == (200, True)
    assert not is_booked or w.statuses(other) == ["confirmed"]
    assert stops() == [me]
    assert "confirmed" not in w.statuses(me)


@pytest.mark.parametrize("said", [CHEST, HEART], ids=["warning", "yes"])
@pytest.mark.parametrize("how", ["elsewhere", "back", "signed"])
def test_a_tablet_is_heard_also_after_its_questions_were_taken_away(
    app: Flask, world: w.World, said: dict[str, Any], how: str
) -> None:
    desk, client = desk_browser(app, world), w.person(email="t@people.example")
    w.sign(client, now=LAST_MONTH)
    w.at_desk(world, client, "deep_tissue", when=w.at(6))
    assert desk.post(f"/clients/{client}/tablet").location == "/tablet"
    page = Open(desk, "/tablet", said)
    if how == "back":
        desk.post("/tablet/back")
    elif how == "elsewhere":
        another = factories.make_user(email="second@clinic.example", roles=[Role.FRONT_DESK])
        browser_of(app, another).post(f"/clients/{client}/tablet")
    else:
        walk.answer(desk, {}, "/tablet")
        walk.sign(desk, "/tablet")
    page.send()
    if said is CHEST:
        assert (stops(), w.statuses(client)) == ([client], ["cancelled"])
    else:
        assert (stops(), queries.has_unsigned(client)) == ([], True)


# ── two people at one card ───────────────────────────────────────────────────────────────────────────────


def test_an_older_page_of_a_card_takes_no_birth_date_back(app: Flask, world: w.World) -> None:
    client = w.person(email="kid@people.example", phone="(212) 555-0101")
    w.sign(client)
    visit = w.at_desk(world, client, "swedish").visit_id
    another = factories.make_user(email="second@clinic.example", roles=[Role.FRONT_DESK])
    one, two = desk_browser(app, world), browser_of(app, another)
    path = f"/clients/{client}/edit"
    older, newer = (form_on(browser.get(path).text, path) for browser in (one, two))
    newer |= {"born_on": ["2014-01-01"], "guardian_name": ["Gil Guardian"]}
    assert two.post(path, data=newer).status_code == 303
    older["phone"] = ["(212) 555-0999"]
    refused = one.post(path, data=older)
    assert refused.status_code == 409
    assert "Somebody changed this while you had it open" in refused.text
    assert "(212) 555-0999" in refused.text
    db.session.rollback()
    row = db.session.get_one(Client, client)
    assert (row.born_on, row.guardian_name) == (dt.date(2014, 1, 1), "Gil Guardian")
    assert db.session.get_one(Visit, visit).status == "suspended"
    db.session.rollback()
    again = form_on(refused.text, path)
    assert one.post(path, data=again).status_code == 303  # knowingly: it replaces what the other one wrote
    db.session.rollback()
    assert db.session.get_one(Client, client).born_on == dt.date(1985, 5, 5)


def test_an_older_page_of_a_card_takes_no_birth_date_back_after_a_merge(app: Flask, world: w.World) -> None:
    lost, kept = (w.person(email="kid@people.example", guardian_name="Gil Guardian") for _ in "12")
    w.sign(kept)
    with transaction() as session:
        session.get_one(Client, kept).born_on = dt.date(2014, 1, 1)
    another = factories.make_user(email="second@clinic.example", roles=[Role.FRONT_DESK])
    one, two = desk_browser(app, world), browser_of(app, another)
    path = f"/clients/{lost}/edit"
    older = form_on(one.get(path).text, path)
    assert two.post(path, data={**older, "born_on": ["2014-01-01"]}).status_code == 303
    db.session.rollback()
    people.merge_clients(kept, lost, by=world.desk_id, now=NOW)
    visit = w.at_desk(world, kept, "swedish").visit_id
    refused = one.post(path, data={**older, "phone": ["(212) 555-0999"]})
    assert (refused.status_code, "while you had it open" in refused.text) == (409, True)
    db.session.rollback()
    assert db.session.get_one(Client, kept).born_on == dt.date(2014, 1, 1)
    assert db.session.get_one(Visit, visit).status != "confirmed"


def test_an_older_page_of_the_team_gives_no_right_back(app: Flask, world: w.World) -> None:
    owners = [
        browser_of(app, factories.make_user(email=f"o{number}@clinic.example", roles=[Role.OWNER]))
        for number in range(2)
    ]
    given = [Permission.CLINICAL_REVIEW, Permission.CLIENT_ANY_ERASE]
    member = factories.make_user(email="m@clinic.example", roles=[Role.FRONT_DESK], given=given).id
    path = f"/owner/team/{member}"
    older, newer = (form_on(browser.get(path).text, path) for browser in owners)
    for right in ("clinical_review", "may_erase"):
        newer.pop(right)
    assert owners[1].post(path, data=newer).status_code == 303
    older["roles"] = ["front_desk", "therapist"]
    refused = owners[0].post(path, data=older)
    assert (refused.status_code, "Somebody changed this" in refused.text) == (422, True)
    db.session.rollback()
    row = db.session.get_one(User, member)
    assert (row.given, row.roles) == (frozenset(), frozenset({Role.FRONT_DESK}))


def test_a_page_about_whoever_was_named_first_is_not_lost_without_a_word(app: Flask, world: w.World) -> None:
    """It lies open while the booking is made for another name in a second tab."""
    browser = app.test_client()
    walk.location(walk.hold(browser, "swedish", w.at(5)))
    walk.location(walk.name(browser, first_name="Nora"))
    browser.post("/book/health/2", data=walk.page_form(2, {}))
    page = Open(browser, "/book/health", HEART)
    walk.location(walk.name(browser, first_name="Ben", born_year="1990"))
    walk.answer(browser)
    walk.location(walk.sign(browser))
    walk.location(walk.confirm(browser))
    shown = page.send()
    assert walk.heading(shown) == "Your time is booked"
    assert "What you said on that page was not kept." in shown.text
