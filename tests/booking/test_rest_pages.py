"""The rest between visits on the pages: warned at the desk, left out online, noted for whoever treats."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from clinic.booking.forms.choice import moment_text
from clinic.booking.models import RestPass, Visit
from clinic.booking.services._steps import new_manage_key
from clinic.premises.models import Clinic
from clinic.rules.permissions import Role
from clinic.shared.database import db, transaction
from clinic.therapists.models import Therapist
from tests import factories
from tests.booking import walk
from tests.booking import world as w
from tests.booking.desk import book, desk_browser, order
from tests.booking.test_desk_pages import THINNERS
from tests.booking.test_pages_own import Account
from tests.owners import browser_of, owner_browser, save_page

BACK = ("lower_back",)
WHY = "Asked for it before a marathon"

pytestmark = pytest.mark.usefixtures("now")


@pytest.fixture
def world(app: Flask) -> w.World:
    return w.build(minds_rest=True)


@pytest.fixture
def account(app: Flask, world: w.World) -> Account:
    """Somebody with an account and deep tissue on the back in ten days, from ten to a quarter past eleven."""
    made = Account(app)
    w.sign(made.client_id)
    assert w.at_desk(world, made.client_id, "deep_tissue", when=w.at(10), areas=BACK).visit_id
    return made


def kept() -> list[tuple[int, str | None]]:
    db.session.rollback()
    return [(row.visit_id, row.reason) for row in db.session.scalars(select(RestPass))]


def pass_it(
    browser: FlaskClient, page: TestResponse, form: walk.FORM, address: str, why: str
) -> TestResponse:
    """Write why under the warning and press its button."""
    return browser.post(
        address, data={**form, "rest_seen": walk.hidden(page, "rest_seen"), "rest_reason": why}
    )


# ── the desk ─────────────────────────────────────────────────────────────────────────────────────────────


def test_the_desk_is_warned_and_books_with_a_reason(account: Account, desk: FlaskClient) -> None:
    form = order(account.client_id, "deep_tissue", when=w.at(12), areas=BACK)
    page = desk.post("/desk/visits/new", data=form)
    assert page.status_code == 409
    for words in (
        "Sooner than advised",
        "The body needs 3 days of rest between visits that work on the same area.",
        "Other visit: Deep tissue massage, Friday 19 June 2026 at 10:00 am",
        "Monday 22 June 2026 at 11:15 am",
        "Book it all the same",
    ):
        assert words in page.text, words
    assert walk.first(r'name="start" value="([^"]*)">Book it all', page) == w.at(12).isoformat()
    short = pass_it(desk, page, form, "/desk/visits/new", "no")
    assert (short.status_code, "Write in a few words why." in short.text) == (409, True)
    assert (w.statuses(account.client_id), kept()) == (["confirmed"], [])
    booked = pass_it(desk, page, form, "/desk/visits/new", WHY)
    card = desk.get(walk.location(booked))
    assert "Booked sooner than advised: passed by Desk" in card.text
    assert WHY not in card.text, "the desk does not read it again: it may say something of health"
    assert w.statuses(account.client_id) == ["confirmed", "confirmed"]
    assert [why for _visit, why in kept()] == [WHY]


def test_the_desk_sees_which_times_come_too_soon_before_it_presses_one(
    account: Account, desk: FlaskClient
) -> None:
    """The other visit is at 10:00 on day 10 and the body needs three days: day 12 has none that fit, day 13 some."""
    asked = {**order(account.client_id, "deep_tissue", areas=BACK), "start": ""}

    def look(days: int) -> str:
        return desk.post("/desk/visits/new", data={**asked, "day": w.at(days).date().isoformat()}).text

    none, some, other = look(12), look(13), look(20)
    assert ("First free times" in none, "First times that fit" in none) == (True, False)
    said = "it comes sooner than advised, next to another visit of theirs: you are asked for the reason."
    assert (said in none, said in some, said in other) == (True, True, False)
    first = re.search(r'name="start" value="([^"]+)"', some.partition("First times that fit")[2])
    assert first is not None
    answer = book(
        desk, account.client_id, "deep_tissue", when=dt.datetime.fromisoformat(first[1]), areas=BACK
    )
    assert answer.status_code == 303, "a time that fits is booked without a question"


def test_a_reason_for_one_time_does_not_pass_another(account: Account, desk: FlaskClient) -> None:
    form = order(account.client_id, "deep_tissue", when=w.at(12), areas=BACK)
    page = desk.post("/desk/visits/new", data=form)
    other = pass_it(desk, page, {**form, "start": w.at(11).isoformat()}, "/desk/visits/new", WHY)
    assert (other.status_code, "Sooner than advised" in other.text) == (409, True)
    assert "Write in a few words why." not in other.text
    fine = pass_it(desk, page, {**form, "start": w.at(14).isoformat()}, "/desk/visits/new", WHY)
    walk.location(fine)
    assert kept() == []


def test_the_desk_is_warned_before_it_moves_a_visit(account: Account, desk: FlaskClient) -> None:
    answer = book(desk, account.client_id, "deep_tissue", when=w.at(20), areas=BACK)
    visit_id = int(walk.location(answer).rpartition("/")[2])
    address = f"/desk/visits/{visit_id}/change"
    visit = db.session.get_one(Visit, visit_id)
    form = {
        "what": "deep_tissue||60", "areas": list(BACK), "therapist": "", "day": visit.day.isoformat(),
        "revision": str(visit.revision), "start": w.at(12).isoformat(),
    }  # fmt: skip
    page = desk.post(address, data=form)
    assert (page.status_code, "Move it all the same" in page.text) == (409, True)
    db.session.rollback()
    assert db.session.get_one(Visit, visit_id).starts_at == w.at(20)
    walk.location(pass_it(desk, page, form, address, WHY))
    db.session.rollback()
    assert db.session.get_one(Visit, visit_id).starts_at == w.at(12)
    assert kept() == [(visit_id, WHY)]


def test_another_treatment_at_the_same_time_is_asked_about_too(account: Account, desk: FlaskClient) -> None:
    answer = book(desk, account.client_id, "deep_tissue", when=w.at(6, 10), areas=BACK)
    visit_id = int(walk.location(answer).rpartition("/")[2])
    visit = db.session.get_one(Visit, visit_id)
    form = {
        "what": "decompression_vacuum||45", "areas": list(BACK), "therapist": "", "day": visit.day.isoformat(),
        "revision": str(visit.revision), "keep": "1",
    }  # fmt: skip
    page = desk.post(f"/desk/visits/{visit_id}/change", data=form)
    assert "Save it all the same" in page.text
    assert 'name="keep" value="1">Save it all' in page.text


def test_a_refusal_of_the_gate_never_offers_to_pass_the_rest(account: Account, desk: FlaskClient) -> None:
    w.sign(account.client_id, osteoporosis={"severity": "advanced"})
    form = order(account.client_id, "deep_tissue", when=w.at(12), areas=BACK)
    page = desk.post("/desk/visits/new", data={**form, "rest_reason": WHY, "rest_seen": "anything"})
    assert page.status_code == 409
    assert "all the same" not in page.text
    assert "Sooner than advised" not in page.text


def test_a_caution_is_no_stop_and_three_say_call_first(world: w.World, desk: FlaskClient) -> None:
    client_id = w.person(phone="(212) 555-1234")
    w.sign(
        client_id,
        blood_thinners=THINNERS,
        diabetes={"status": "controlled", "complications": False, "insulin": False},
        high_blood_pressure={"status": "controlled", "systolic": 132, "diastolic": 84},
    )
    card = desk.get(walk.location(book(desk, client_id, "relaxation")))
    assert w.statuses(client_id) == ["confirmed"]
    assert "all the same" not in card.text
    assert "The therapist should call before the visit" in card.text


def test_whoever_treats_reads_who_passed_it_and_why(app: Flask, world: w.World, account: Account) -> None:
    desk = desk_browser(app, world)
    form = order(account.client_id, "deep_tissue", when=w.at(12), areas=BACK, therapist=world.therapists[0])
    page = desk.post("/desk/visits/new", data=form)
    walk.location(pass_it(desk, page, form, "/desk/visits/new", WHY))
    user = factories.make_user(email="terry@clinic.example", roles=[Role.THERAPIST])
    with transaction() as session:
        session.get_one(Therapist, world.therapists[0]).user_id = user.id
    browser = browser_of(app, user)
    [(visit_id, _why)] = kept()
    card = browser.get(f"/diary/visits/{visit_id}").text
    assert "Booked sooner than advised: passed by Desk" in card
    assert WHY in card


# ── online ───────────────────────────────────────────────────────────────────────────────────────────────


def times(browser: FlaskClient, when: str = "") -> TestResponse:
    return browser.get(f"/book/deep_tissue/times?minutes=60&areas=lower_back&day={when}")


def test_times_too_soon_are_left_out_and_the_page_says_why(account: Account, client: FlaskClient) -> None:
    page = times(account.browser, "2026-06-22")
    assert "Rest between visits" in page.text
    assert "until Monday 22 June 2026 at 11:15 am" in page.text
    assert "If you need one of them, call us" in page.text
    shown = re.findall(r'value="([^"]*)"', page.text)
    assert moment_text(w.at(13, 11, 15)) in shown
    assert moment_text(w.at(13, 11)) not in shown
    nobody = times(client, "2026-06-22")
    assert "Rest between visits" not in nobody.text
    assert moment_text(w.at(13, 11)) in nobody.text


def test_who_acts_for_several_is_asked_first_and_told_then(account: Account) -> None:
    factories.make_client(
        first_name="Kim",
        last_name="Small",
        born_on=w.TODAY.replace(year=1995),
        acts={account.user_id: "partner"},
    )
    page = times(account.browser, "2026-06-19")
    assert "Rest between visits" not in page.text
    walk.location(walk.hold(account.browser, "deep_tissue", w.at(12), areas="lower_back"))
    refused = account.browser.post("/book/person", data={"person": str(account.client_id)})
    assert refused.status_code == 409
    assert "This time comes too soon." in refused.text
    assert "From Monday 22 June 2026 at 11:15 am on it is fine again." in refused.text
    assert "Rest between visits" in refused.text
    assert w.statuses(account.client_id) == ["confirmed"]


def second_visit(world: w.World, account: Account) -> Visit:
    made = w.at_desk(world, account.client_id, "deep_tissue", when=w.at(20), areas=BACK).visit_id
    return db.session.get_one(Visit, made)


@pytest.mark.parametrize("door", ["account", "link"])
def test_a_visit_is_not_moved_too_near(
    app: Flask, world: w.World, account: Account, client: FlaskClient, door: str
) -> None:
    visit = second_visit(world, account)
    browser, address = account.browser, f"/my/visits/{visit.id}/move"
    if door == "link":
        with transaction() as session:
            token = new_manage_key(session.get_one(Visit, visit.id))
        browser, address = client, f"/visit/{token}/move"
    page = browser.get(f"{address}?day=2026-06-22")
    assert "until Monday 22 June 2026 at 11:15 am" in page.text
    shown = re.findall(r'value="([^"]*)"', page.text)
    assert (moment_text(w.at(13, 11)) in shown, moment_text(w.at(13, 11, 15)) in shown) == (False, True)
    form = {"revision": walk.hidden(page, "revision"), "sure": "1"}
    refused = browser.post(address, data={**form, "slot": moment_text(w.at(12))})
    assert (refused.status_code, "This time comes too soon." in refused.text) == (409, True)
    db.session.rollback()
    assert db.session.get_one(Visit, visit.id).starts_at == w.at(20)
    walk.location(browser.post(address, data={**form, "slot": moment_text(w.at(13, 11, 15))}))
    db.session.rollback()
    assert db.session.get_one(Visit, visit.id).starts_at == w.at(13, 11, 15)


def test_the_owner_switches_it_off(app: Flask, world: w.World, account: Account) -> None:
    owner = owner_browser(app)
    assert re.search(r'<input[^>]*checked[^>]*name="minds_rest"|name="minds_rest"[^>]*checked',
                     owner.get("/owner/settings").text)  # fmt: skip
    walk.location(save_page(owner, "/owner/settings", minds_rest=None))
    db.session.rollback()
    assert db.session.scalars(select(Clinic)).one().minds_rest is False
    assert "Rest between visits" not in times(account.browser, "2026-06-22").text


def test_a_new_clinic_minds_the_rest(app: Flask) -> None:
    assert factories.make_clinic().minds_rest is True
