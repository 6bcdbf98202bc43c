"""A "yes" that was typed and not signed is lost by no button, tab, record or paper: it is signed, or taken back."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from clinic.booking.models import Visit
from clinic.booking.services.couples import Half, book_couple
from clinic.intake import queries as intake
from clinic.intake.models import Intake
from clinic.intake.services import intakes
from clinic.rules.check_in import TOPICS
from clinic.shared.database import db
from tests import factories
from tests.booking import walk
from tests.booking import world as w
from tests.booking.desk import desk_browser
from tests.booking.test_couples import build as with_a_room_for_two
from tests.booking.test_pages_own import Account
from tests.conftest import NOW

pytestmark = pytest.mark.usefixtures("now")

MINUTE = dt.timedelta(minutes=1)
LAST_MONTH = NOW - dt.timedelta(days=30)
CLOTS: dict[str, dict[str, object]] = {"clotting_tendency": {"present": True, "under_treatment": False}}
PAGE = walk.number_of("blood")
PASSING = [f"c.{one}" for one in TOPICS[6].asks]


@pytest.fixture
def account(app: Flask, world: w.World) -> Account:
    return Account(app)


def visits() -> list[tuple[str, str | None]]:
    db.session.rollback()
    return [
        (row.status, row.waiting_for)
        for row in db.session.scalars(select(Visit).where(Visit.status != "released").order_by(Visit.id))
    ]


def types(person: int, said: Mapping[str, Mapping[str, object]], *, writer: str, now: dt.datetime) -> None:
    intakes.save_draft(person, writer, "intake", said, now=now)


def says_yes(browser: FlaskClient, base: str) -> None:
    answer = browser.post(f"{base}/{PAGE}", data=walk.page_form(PAGE, CLOTS))
    assert answer.status_code == 303


def test_updating_the_answers_once_more_does_not_wipe_it(account: Account) -> None:
    w.sign(account.client_id, now=LAST_MONTH)
    base = f"/my/health/{account.client_id}"
    for _ in range(2):
        account.browser.post(base)
    says_yes(account.browser, base)
    account.browser.post(base)
    assert intake.has_unsigned(account.client_id)
    account.choose()
    assert walk.location(account.browser.get("/book/health")) == "/book/health/sign"
    account.browser.post("/book/health", data={"go": "same"})
    assert visits() == [("held", None)]


@pytest.mark.parametrize("source", ["desk", "paper"])
def test_the_desk_that_begins_anew_does_not_wipe_it(app: Flask, world: w.World, source: str) -> None:
    person = w.person()
    w.sign(person, now=LAST_MONTH)
    desk = desk_browser(app, world)
    desk.post(f"/clients/{person}/intake", data={"source": "desk"})
    says_yes(desk, f"/clients/{person}/intake/desk")
    desk.post(f"/clients/{person}/intake", data={"source": source})
    w.at_desk(world, person, "swedish")
    assert visits() == [("pending", "intake")]


def test_half_of_an_answer_is_not_wiped_either(account: Account) -> None:
    w.sign(account.client_id, now=LAST_MONTH)
    base = f"/my/health/{account.client_id}"
    account.browser.post(base)
    form = walk.page_form(PAGE, CLOTS)
    half = {name: typed for name, typed in form.items() if not name.startswith("f.clotting_tendency")}
    assert account.browser.post(f"{base}/{PAGE}/keep", data=half).status_code < 300
    account.browser.post(base)
    assert intake.has_unsigned(account.client_id)


@pytest.mark.parametrize("signed", [True, False], ids=["signed", "one page only"])
def test_what_was_said_before_signing_in_goes_along(account: Account, app: Flask, signed: bool) -> None:
    """The same person in the same booking, first as somebody unknown."""
    w.sign(account.client_id, now=LAST_MONTH)
    guest = app.test_client()
    if signed:
        walk.up_to_check(guest, "deep_tissue", CLOTS)
    else:
        walk.location(walk.hold(guest, "deep_tissue"))
        walk.location(walk.name(guest))
        says_yes(guest, "/book/health")
    with account.browser.session_transaction() as signed_in, guest.session_transaction() as mine:
        mine.update({key: one for key, one in signed_in.items() if key not in mine})
    walk.location(guest.post("/book/person", data={"person": str(account.client_id)}))
    assert intake.has_unsigned(account.client_id)
    assert walk.location(guest.get("/book/health")) == "/book/health/sign"
    assert "Blood that clots too easily" in guest.get("/book/health/sign").text
    guest.post("/book/health", data={"go": "same"})
    guest.post("/book/check", data={})
    assert visits() == [("held", None)]


def test_of_two_nobody_is_confirmed_on_what_one_of_them_no_longer_says(app: Flask) -> None:
    with_a_room_for_two()
    ana, cora = w.person(), w.person()
    w.sign(ana)
    halves = Half(ana, w.choice("relaxation")), Half(cora, w.choice("swedish"))
    book_couple(halves, w.at(3), request_key=None, source="desk", by=None, now=NOW, reconfirmed=True)
    assert sorted(visits(), key=str) == [("pending", "intake"), ("pending", "partner")]
    types(ana, CLOTS, writer="client", now=NOW + MINUTE)
    w.sign(cora, now=NOW + 2 * MINUTE)
    assert sorted(visits(), key=str) == [("pending", "intake"), ("pending", "partner")]
    w.sign(ana, now=NOW + 3 * MINUTE)
    assert visits() == [("confirmed", None), ("confirmed", None)], "signed without it"


def test_what_a_page_shows_is_what_is_signed(app: Flask, world: w.World) -> None:
    """Two tabs: one says yes and shows it on the page of the signature, the other one saves an older no."""
    browser = app.test_client()
    walk.location(walk.hold(browser, "deep_tissue"))
    walk.location(walk.name(browser))
    walk.answer(browser)
    says_yes(browser, "/book/health")
    page = browser.get("/book/health/sign")
    assert "Blood that clots too easily" in page.text
    shown = walk.hidden(page, "shown")
    browser.post(f"/book/health/{PAGE}", data=walk.page_form(PAGE, {}))
    assert walk.location(walk.sign(browser, shown=shown)) == "/book/health/sign"
    assert db.session.scalars(select(Intake)).all() == []
    again = browser.get("/book/health/sign")
    assert "changed meanwhile, in another tab" in again.text
    last = walk.hidden(again, "shown")
    assert walk.location(walk.sign(browser, shown=last)) == "/book/next"
    assert walk.location(walk.sign(browser, shown=last)) == "/book/next", "pressed twice"
    assert len(db.session.scalars(select(Intake)).all()) == 1


def test_a_page_about_one_person_answers_for_nobody_else(app: Flask, world: w.World) -> None:
    browser = app.test_client()
    walk.location(walk.hold(browser, "swedish"))
    walk.location(walk.name(browser))
    whose = walk.hidden(browser.get(f"/book/health/{PAGE}"), "whose")
    other = str(int(whose) + 1)
    form = walk.page_form(PAGE, CLOTS)
    assert (
        walk.location(browser.post(f"/book/health/{PAGE}", data={**form, "whose": other})) == "/book/health/1"
    )
    assert browser.post(f"/book/health/{PAGE}/keep", data={**form, "whose": other}).status_code == 409
    assert intake.draft(int(whose), "client") is None
    assert "In another tab this was changed" in browser.get("/book/health/1").text


@pytest.mark.parametrize(
    ("days_before", "counts"),
    [(1, True), (0, True), (-1, False)],
    ids=["an older paper", "of the day", "newer"],
)
def test_a_paper_says_what_was_so_on_its_day(world: w.World, days_before: int, counts: bool) -> None:
    person = w.person()
    types(person, CLOTS, writer="user:1", now=NOW)
    signed = NOW + dt.timedelta(days=2)
    intakes.submit_intake(
        person, w.answers(), w.signature(person), writer="user:2", source="paper", consents={}, by=None, now=signed,
        today=w.TODAY - dt.timedelta(days=days_before),
    )  # fmt: skip
    assert intake.has_unsigned(person) is counts


def test_another_browser_does_not_forget_it(app: Flask, world: w.World) -> None:
    """The same person, not signed in, begins anew elsewhere and says no to everything."""
    who = walk.details()
    first, second = app.test_client(), app.test_client()
    walk.location(walk.hold(first, "deep_tissue"))
    walk.location(first.post("/book/who", data=who))
    says_yes(first, "/book/health")
    with time_machine.travel(NOW + MINUTE, tick=False):
        walk.up_to_check(second, "deep_tissue", {}, when=w.at(4), who=who)
        walk.confirm(second)
    assert [one for one in visits() if one[0] != "held"] == [("pending", "review")]


KIM = {"first_name": "Kim", "last_name": "Kid", "born_year": "1990", "email": "parent@people.example"}
OLGA = {"first_name": "Olga", "last_name": "Other", "born_year": "1955"}


@pytest.mark.parametrize(
    ("first", "then"),
    [({}, None), ({"first_name": "Kimm"}, {}), ({"born_day": "5"}, {}), ({}, OLGA)],
    ids=["at once", "a slip in the name", "a slip in the day", "somebody else between"],
)
def test_what_a_guest_said_goes_along_once_they_say_who_they_are(
    app: Flask, account: Account, first: dict[str, str], then: dict[str, str] | None
) -> None:
    """Also where who is coming was filled in twice before."""
    kim = factories.make_client(
        first_name="Kim", last_name="Kid", born_on=dt.date(1990, 7, 4), acts={account.user_id: "child"}
    ).id
    w.sign(kim, now=LAST_MONTH)
    db.session.rollback()
    guest, who = app.test_client(), walk.details(**KIM)
    walk.hold(guest, "deep_tissue")
    guest.post("/book/who", data={**who, **first})
    walk.answer(guest, {"heart_failure": {"worsening": False}})
    if then is not None:
        assert walk.location(guest.post("/book/who", data={**who, **then})) == "/book/next"
    with guest.session_transaction() as kept, account.browser.session_transaction() as signed_in:
        signed_in["checkout"] = kept["checkout"]
    account.browser.post("/book/person", data={"person": str(kim)})
    assert intake.has_unsigned(kim)
    assert walk.location(account.browser.get("/book/next")) != "/book/check"
    assert walk.location(account.browser.post("/book/health", data={"go": "same"})) == "/book/health"


def test_what_was_said_about_somebody_else_goes_along_to_nobody(app: Flask, account: Account) -> None:
    """A child's answers, typed and left: not to the parent who is named next, and signs in."""
    w.sign(account.client_id, now=LAST_MONTH)
    db.session.rollback()
    guest = app.test_client()
    walk.hold(guest, "deep_tissue")
    guest.post("/book/who", data=walk.details(**KIM))
    walk.answer(guest, {"heart_failure": {"worsening": False}})
    guest.post("/book/who", data=walk.details(**OLGA))
    with guest.session_transaction() as kept, account.browser.session_transaction() as signed_in:
        signed_in["checkout"] = kept["checkout"]
    account.browser.post("/book/person", data={"person": str(account.client_id)})
    assert not intake.has_unsigned(account.client_id)


def test_a_check_in_that_lacks_a_detail_is_not_followed_by_nothing_has_changed(
    app: Flask, world: w.World
) -> None:
    account = Account(app)
    w.sign(account.client_id, now=LAST_MONTH)
    visit_id = w.at_desk(world, account.client_id, "swedish", when=w.at(0, 15)).visit_id
    url = f"/my/visits/{visit_id}/check-in"
    half = {"step": "answered", "topic": "5", "c.blood_thinners": "yes"}
    assert account.browser.post(url, data=half).status_code == 422
    page = account.browser.post(url, data={"step": "nothing"})
    assert page.status_code == 422
    assert "You began to say that something has changed" in page.text
    assert intake.has_unsigned(account.client_id)
    # another topic does not take it back
    other = {"step": "answered", "topic": "7", "c.alcohol_drugs_today": "no", **dict.fromkeys(PASSING, "no")}
    assert account.browser.post(url, data=other).status_code == 200
    assert intake.has_unsigned(account.client_id)
    assert visits() == [("suspended", "intake")]


def test_a_check_in_that_lacks_a_detail_is_taken_back_by_a_no(app: Flask, world: w.World) -> None:
    account = Account(app)
    w.sign(account.client_id, now=LAST_MONTH)
    visit_id = w.at_desk(world, account.client_id, "swedish", when=w.at(0, 15)).visit_id
    url = f"/my/visits/{visit_id}/check-in"
    account.browser.post(url, data={"step": "answered", "topic": "5", "c.blood_thinners": "yes"})
    asked = dict.fromkeys((f"c.{one}" for one in TOPICS[4].asks), "no")
    assert account.browser.post(url, data={"step": "answered", "topic": "5", **asked}).status_code == 200
    assert not intake.has_unsigned(account.client_id)
    assert visits() == [("confirmed", None)]


def test_nothing_else_that_is_typed_keeps_anybody_waiting(account: Account) -> None:
    """Whoever goes through the answers and leaves them as they are is not asked to sign."""
    w.sign(account.client_id, now=LAST_MONTH, low_blood_pressure={"last_faint": "2026-02-03"})
    base = f"/my/health/{account.client_id}"
    account.browser.post(base)
    account.browser.post(f"{base}/1", data=walk.page_form(1, {}))
    assert not intake.has_unsigned(account.client_id)
    account.choose()
    assert walk.heading(account.browser.get("/book/health")) == "Is this still right?"


@pytest.mark.parametrize("by", ["pressed", "kept by itself"])
def test_a_page_that_never_showed_a_yes_does_not_take_it_back(app: Flask, world: w.World, by: str) -> None:
    """Two tabs of one page, after the signature: the older one is sent last."""
    browser = app.test_client()
    walk.up_to_check(browser, "deep_tissue", {})
    address = f"/book/health/{PAGE}"
    seen = walk.hidden(browser.get(address), "seen")
    old = {**walk.page_form(PAGE, {}), "seen": seen}
    assert browser.post(address, data={**walk.page_form(PAGE, CLOTS), "seen": seen}).status_code == 303
    late = browser.post(address if by == "pressed" else f"{address}/keep", data=old)
    assert late.status_code == 409
    assert walk.location(browser.get("/book/check")) == "/book/health"
    if by == "pressed":
        assert "answered in another tab meanwhile" in late.text
        again = walk.hidden(late, "seen")
        assert browser.post(address, data={**old, "seen": again}).status_code == 303, "seen, and taken back"
        assert browser.get("/book/check").status_code == 200


def test_a_page_that_keeps_itself_has_seen_what_it_kept(app: Flask, world: w.World) -> None:
    browser = app.test_client()
    walk.up_to_check(browser, "deep_tissue", {})
    address = f"/book/health/{PAGE}"
    first = walk.hidden(browser.get(address), "seen")
    kept = browser.post(f"{address}/keep", data={**walk.page_form(PAGE, CLOTS), "seen": first})
    assert kept.status_code == 204
    slip = {**walk.page_form(PAGE, {}), "seen": kept.headers["X-Seen"]}
    assert browser.post(address, data=slip).status_code == 303
    assert browser.get("/book/check").status_code == 200


@pytest.mark.parametrize("yes", [True, False], ids=["with half a yes", "with nothing filled in"])
def test_that_something_bigger_happened_is_not_lost_with_a_missing_detail(
    app: Flask, world: w.World, yes: bool
) -> None:
    account = Account(app)
    w.sign(account.client_id, now=LAST_MONTH)
    visit_id = w.at_desk(world, account.client_id, "swedish", when=w.at(0, 15)).visit_id
    url, bigger = f"/my/visits/{visit_id}/check-in", next(one.key for one in TOPICS if one.renewal)
    half = {"step": "answered", "topic": ["5", bigger], **({"c.blood_thinners": "yes"} if yes else {})}
    assert account.browser.post(url, data=half).status_code == 422
    assert account.browser.post(url, data={"step": "nothing"}).status_code == 422
    asked = dict.fromkeys((f"c.{one}" for one in TOPICS[4].asks), "no")
    account.browser.post(url, data={"step": "answered", "topic": "5", **asked})
    assert visits() == [("suspended", "intake")]


def test_a_half_yes_is_taken_back_by_the_same_check_in_as_before(app: Flask, world: w.World) -> None:
    account = Account(app)
    w.sign(account.client_id, now=LAST_MONTH)
    visit_id = w.at_desk(world, account.client_id, "swedish", when=w.at(0, 15)).visit_id
    url, asked = (
        f"/my/visits/{visit_id}/check-in",
        dict.fromkeys((f"c.{one}" for one in TOPICS[4].asks), "no"),
    )
    no = {"step": "answered", "topic": "5", **asked}
    account.browser.post(url, data=no)
    assert (
        account.browser.post(
            url, data={"step": "answered", "topic": "5", "c.blood_thinners": "yes"}
        ).status_code
        == 422
    )
    account.browser.post(url, data=no)
    assert not intake.has_unsigned(account.client_id)
    assert visits() == [("confirmed", None)]


def test_what_one_person_of_an_account_said_is_not_carried_to_another(account: Account, app: Flask) -> None:
    """Only what somebody unknown typed in this very booking goes along."""
    w.sign(account.client_id, now=LAST_MONTH)
    child = factories.make_client(
        first_name="Ben", last_name="Young", born_on=dt.date(1990, 1, 1), acts={account.user_id: "parent"},
        is_unproven=True,
    ).id  # fmt: skip
    walk.location(walk.hold(account.browser, "swedish"))
    walk.location(account.browser.post("/book/person", data={"person": str(child)}))
    types(child, CLOTS, writer="client", now=NOW + MINUTE)
    walk.location(account.browser.post("/book/person", data={"person": str(account.client_id)}))
    assert not intake.has_unsigned(account.client_id)
    assert intake.has_unsigned(child)


def test_beginning_anew_brings_back_nothing_that_was_overruled(world: w.World) -> None:
    person = w.person()
    types(person, CLOTS, writer="user:1", now=NOW)
    w.sign(person, now=NOW + MINUTE)
    intakes.save_draft(person, "user:1", "intake", {}, now=NOW + 2 * MINUTE, replace=True)
    assert not intake.has_unsigned(person)


def test_a_family_with_one_phone_is_not_held_up_by_it(app: Flask, world: w.World) -> None:
    phone = "(212) 555-7788"
    first, second = app.test_client(), app.test_client()
    walk.location(walk.hold(first, "swedish"))
    walk.location(walk.name(first, phone=phone, born_year="1950"))
    says_yes(first, "/book/health")
    walk.up_to_check(second, "swedish", {}, when=w.at(4), who={"phone": phone, "born_year": "1991"})
    walk.confirm(second)
    assert [one for one in visits() if one[0] != "held"] == [("confirmed", None)]
