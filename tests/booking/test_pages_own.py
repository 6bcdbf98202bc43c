"""Signed in, behind the mailed link, for a child, for somebody the desk already knows: who sees and does what."""

from __future__ import annotations

import datetime as dt
import re

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from clinic.accounts.models import MailedLink, User
from clinic.booking.forms.choice import moment_text
from clinic.booking.models import CallRequest, Visit
from clinic.booking.services import people
from clinic.booking.services import visits as bookings
from clinic.clients.models import Client, ClientAccess
from clinic.intake.models import Consent, HealthStop, Intake
from clinic.premises.models import Location
from clinic.rules.permissions import Role
from clinic.shared.database import db
from clinic.shared.mail import OutgoingMail
from clinic.therapists.models import Therapist
from tests import factories
from tests.booking import walk
from tests.booking import world as w
from tests.conftest import NOW
from tests.owners import browser_of

LAST_MONTH = NOW - dt.timedelta(days=30)

pytestmark = pytest.mark.usefixtures("now")


@pytest.fixture
def client(world: w.World, client: FlaskClient) -> FlaskClient:
    return client


class Account:
    """An account with one person of its own, at a browser."""

    def __init__(self, app: Flask, email: str = "ann@people.example", **values: object) -> None:
        user = factories.make_user(email=email, roles=[Role.CLIENT])
        self.user_id = user.id
        born_on = values.pop("born_on", dt.date(1980, 3, 3))
        assert isinstance(born_on, dt.date)
        self.client_id = factories.make_client(
            first_name="Ann", last_name=email.partition("@")[0], born_on=born_on, email=email,
            phone="(212) 555-0199", acts={user.id: "self"}, **values,
        ).id  # fmt: skip
        self.browser = browser_of(app, db.session.get_one(User, self.user_id))

    def choose(self, service: str = "swedish", when: dt.datetime | None = None) -> str:
        walk.location(walk.hold(self.browser, service, when))
        return walk.location(self.browser.post("/book/person", data={"person": str(self.client_id)}))


@pytest.fixture
def account(app: Flask, world: w.World) -> Account:
    return Account(app)


def visits() -> list[Visit]:
    db.session.rollback()
    return list(db.session.scalars(select(Visit).where(Visit.status != "released").order_by(Visit.starts_at)))


def without_names(page: str) -> str:
    """The page without what differs for everybody: tokens, names, addresses of files and moments."""
    page = re.sub(r"Walker\d+|Known\d+", "NAME", page)
    return re.sub(r'/visit/[\w-]+|content="[\w.-]+"|value="[\w.-]{20,}"', "", page)


def test_who_answered_before_books_in_four_presses(account: Account) -> None:
    w.sign(account.client_id, now=LAST_MONTH, easy_bruising={"since": "May"})
    assert account.choose() == "/book/next"
    assert walk.location(account.browser.get("/book/next")) == "/book/health"
    page = account.browser.get("/book/health")
    assert walk.heading(page) == "Is this still right?"
    assert "May" in page.text
    with time_machine.travel(NOW + dt.timedelta(minutes=1), tick=False):
        assert walk.location(account.browser.post("/book/health", data={"go": "same"})) == "/book/next"
        assert walk.location(account.browser.get("/book/next")) == "/book/check"
        assert walk.location(walk.confirm(account.browser)) == "/book/done"
    page = account.browser.get("/book/done")
    assert walk.heading(page) == "Your visit is booked"
    assert [(one.status, one.first_visit) for one in visits()] == [("confirmed", True)]
    kinds = db.session.scalars(select(Intake.kind).order_by(Intake.version)).all()
    assert kinds == ["full", "confirm"]


def test_a_booking_that_was_begun_is_found_again_while_its_time_is_kept(
    account: Account, client: FlaskClient
) -> None:
    begun = "You have begun a booking"
    assert begun not in account.browser.get("/my").text
    walk.location(walk.hold(client, "swedish", w.at(3)))
    for browser, pages in ((client, ("/book",)), (account.browser, ("/my", "/book"))):
        if browser is account.browser:
            assert begun not in browser.get("/book").text, "that of another browser"
            account.choose()
        for address in pages:
            page = browser.get(address).text
            assert (begun in page, 'href="/book/next"' in page) == (True, True)
    page = account.browser.get("/my").text.replace("\xa0", " ")
    assert "We keep this time for you until 9:10 am." in page
    with time_machine.travel(NOW + dt.timedelta(minutes=11), tick=False):
        assert begun not in account.browser.get("/my").text
    w.sign(account.client_id, now=LAST_MONTH)
    account.browser.post("/book/health", data={"go": "same"})
    walk.confirm(account.browser)
    assert begun not in account.browser.get("/my").text


def test_something_changed_opens_the_pages_filled_in(account: Account) -> None:
    w.sign(account.client_id, now=LAST_MONTH, easy_bruising={"since": "May"})
    account.choose()
    assert walk.location(account.browser.post("/book/health", data={"go": "changed"})) == "/book/health/1"
    blood = walk.number_of("blood")
    page = account.browser.get(f"/book/health/{blood}")
    assert walk.first(r'name="c.easy_bruising"[^>]*value="(yes)" checked', page)
    declared = {"blood_clot": {"status": "current", "date": "2026-05-01"}}
    assert walk.location(walk.answer(account.browser, declared, whole=True)) == "/book/health/sign"
    assert "we keep the last day it can have been" in account.browser.get("/book/health/sign").text
    walk.location(walk.sign(account.browser))
    walk.location(walk.confirm(account.browser))
    assert walk.heading(account.browser.get("/book/done")).startswith("We can’t book")
    assert visits() == []


@pytest.mark.parametrize("days", [366, 800])
def test_an_intake_that_is_too_old_is_asked_anew(account: Account, days: int) -> None:
    w.sign(account.client_id, now=NOW - dt.timedelta(days=days))
    account.choose()
    assert walk.location(account.browser.get("/book/health")) == "/book/health/1"
    assert walk.location(account.browser.post("/book/health", data={"go": "same"})) == "/book/health"


def test_pages_of_other_people_are_not_there(app: Flask, account: Account) -> None:
    other = Account(app, "eve@people.example")
    w.sign(account.client_id, now=LAST_MONTH)
    account.choose()
    account.browser.post("/book/health", data={"go": "same"})
    visit_id = visits()[0].id
    paths = [f"/my/visits/{visit_id}", f"/my/visits/{visit_id}/move", f"/my/visits/{visit_id}/visit.ics"]
    paths += [
        f"/my/health/{account.client_id}",
        f"/my/health/{account.client_id}/1",
        f"/my/health/{account.client_id}/sign",
    ]
    assert [other.browser.get(path).status_code for path in paths] == [404] * len(paths)
    posts = [
        f"/my/visits/{visit_id}/move",
        f"/my/visits/{visit_id}/cancel",
        f"/my/health/{account.client_id}",
    ]
    posts += [f"/my/health/{account.client_id}/1", f"/my/health/{account.client_id}/1/keep"]
    assert [other.browser.post(path).status_code for path in posts] == [404] * len(posts)
    walk.hold(other.browser, "swedish", w.at(4))
    assert other.browser.post("/book/person", data={"person": str(account.client_id)}).status_code == 404


def test_another_account_in_the_same_browser_does_not_get_the_booking(app: Flask, account: Account) -> None:
    w.sign(account.client_id, now=LAST_MONTH, easy_bruising={"since": "May"})
    account.choose()
    eve = Account(app, "eve@people.example")
    with account.browser.session_transaction() as session:
        kept = session["checkout"]
    with eve.browser.session_transaction() as session:
        session["checkout"] = kept
    assert walk.location(eve.browser.get("/book/health")) == "/book"
    assert walk.location(eve.browser.post("/book/check")) == "/book"


def test_own_pages_move_and_cancel(account: Account) -> None:
    w.sign(account.client_id, now=LAST_MONTH)
    account.choose()
    with time_machine.travel(NOW + dt.timedelta(minutes=1), tick=False):
        account.browser.post("/book/health", data={"go": "same"})
        walk.confirm(account.browser)
        visit = visits()[0]
        home = f"/my/visits/{visit.id}"
        assert "Swedish massage" in account.browser.get("/my").text
        page = account.browser.get(f"{home}/move?day=2026-06-14")
        which = f"<bdi>{visit.therapist.name}</bdi>, <bdi>{visit.location.name}</bdi>"
        assert which in page.text
        slot = walk.first(r'class="slot" type="submit" name="slot" value="([^"]+)"', page)
        form = {"slot": slot, "revision": str(visit.revision), "sure": "1"}
        asked = account.browser.post(f"{home}/move", data={"slot": slot, "revision": str(visit.revision)})
        assert "Is this right?" in asked.text
        assert visits()[0].starts_at == visit.starts_at, "a slip of the finger moves nothing"
        assert "cannot move or cancel it online any more" not in asked.text
        near = {"slot": moment_text(NOW + dt.timedelta(hours=4)), "revision": str(visit.revision)}
        assert (
            "cannot move or cancel it online any more" in account.browser.post(f"{home}/move", data=near).text
        )
        assert walk.location(account.browser.post(f"{home}/move", data=form)) == home
        moved = visits()[0]
        assert moment_text(moved.starts_at) == slot
        assert moved.status == "confirmed"
        # pressed again in another tab: the page there is old
        stale = account.browser.post(f"{home}/move", data={**form, "slot": moment_text(w.at(5))})
        assert stale.status_code == 409
        assert moment_text(visits()[0].starts_at) == slot
        assert "up to 24 hours before it begins" in page.text.replace("\xa0", " ")
        assert "paid at the clinic" in account.browser.get(home).text
        # The button of a page that still names the day before: nobody meant the new one.
        old = account.browser.post(f"{home}/cancel", data={"revision": form["revision"], "sure": "1"})
        assert (old.status_code, "changed meanwhile" in old.text) == (409, True)
        assert visits()[0].status == "confirmed"
        now_shown = {"revision": walk.first(r'name="revision" value="(\d+)"', old), "sure": "1"}
        for _ in range(2):
            assert walk.location(account.browser.post(f"{home}/cancel", data=now_shown)) == home
        assert visits()[0].status == "cancelled"
        cancelled = account.browser.get(home).text
        assert "Your visit is cancelled. It costs you nothing." in cancelled
        assert "paid at the clinic" not in cancelled
        listed = account.browser.get("/my").text
        assert ("Book this again" in listed, "Past and cancelled" in listed) == (True, True)
        assert f"for={account.client_id}" in account.browser.get(home).text


def test_without_javascript_a_page_asks_before_a_visit_is_cancelled(account: Account) -> None:
    w.sign(account.client_id, now=LAST_MONTH)
    account.choose()
    with time_machine.travel(NOW + dt.timedelta(minutes=1), tick=False):
        account.browser.post("/book/health", data={"go": "same"})
        walk.confirm(account.browser)
        home = f"/my/visits/{visits()[0].id}"
        page = account.browser.get(home)
        assert '<input type="hidden" name="sure" value="1" disabled>' in page.text, (
            "sent where a dialog asked"
        )
        asked = account.browser.post(f"{home}/cancel", data={"revision": walk.hidden(page, "revision")})
        assert walk.heading(asked) == "Cancel this visit?"
        assert ("It costs you nothing." in asked.text, visits()[0].status) == (True, "confirmed")
        assert walk.location(account.browser.post(f"{home}/cancel", data=walk.sure(asked))) == home
        assert visits()[0].status == "cancelled"
        again = account.browser.post(f"{home}/cancel")
        assert (again.status_code, "can no longer be cancelled" in again.text) == (409, True)


def test_the_same_again_is_three_presses(app: Flask, account: Account) -> None:
    w.sign(account.client_id, now=LAST_MONTH)
    account.choose()
    with time_machine.travel(NOW + dt.timedelta(minutes=1), tick=False):
        account.browser.post("/book/health", data={"go": "same"})
        walk.confirm(account.browser)
    first = visits()[0]
    with time_machine.travel(first.ends_at + dt.timedelta(days=20), tick=False):
        # away for long: signed in anew
        account.browser = browser_of(app, db.session.get_one(User, account.user_id))
        page = account.browser.get("/my")
        assert "Book the same again" in page.text
        slot = walk.first(r'class="soon-slot" type="submit" name="slot" value="([^"]+)"', page)
        form = walk.choice("swedish", slot=slot, **{"for": walk.hidden(page, "for")})
        assert walk.location(account.browser.post("/book/swedish/times", data=form)) == "/book/next"
        assert walk.location(account.browser.get("/book/next")) == "/book/health"
        account.browser.post("/book/health", data={"go": "same"})
        assert walk.location(walk.confirm(account.browser)) == "/book/done"
    booked = visits()[1]
    assert (moment_text(booked.starts_at), booked.client_id) == (slot, account.client_id)
    assert (booked.first_visit, booked.service_id) == (False, first.service_id)


def test_who_it_is_for_is_taken_from_the_own_people_only(app: Flask, account: Account) -> None:
    other = Account(app, "eve@people.example")
    child = factories.make_client(
        first_name="Kim", last_name="Small", born_on=dt.date(2015, 5, 5), acts={account.user_id: "parent"}
    ).id  # fmt: skip

    def held_for(for_whom: int | None) -> tuple[str, int | None]:
        with account.browser.session_transaction() as session:
            session.pop("checkout", None)
        told = {"for": str(for_whom)} if for_whom else {}
        walk.location(walk.hold(account.browser, "swedish", w.at(len(visits()) + 2), **told))
        return walk.location(account.browser.get("/book/next")), visits()[-1].client_id

    assert held_for(child) == ("/book/health", child)
    assert held_for(other.client_id) == ("/book/who", None)
    assert held_for(None) == ("/book/who", None)


def test_inside_the_notice_nothing_is_moved_or_cancelled_online(account: Account) -> None:
    w.sign(account.client_id, now=LAST_MONTH)
    account.choose(when=w.at(0, 18))
    with time_machine.travel(NOW + dt.timedelta(minutes=1), tick=False):
        account.browser.post("/book/health", data={"go": "same"})
        assert "please call us" in account.browser.get("/book/check").text
        walk.confirm(account.browser)
        home = f"/my/visits/{visits()[0].id}"
        page = account.browser.get(home)
        assert "cannot be moved or cancelled online" in page.text
        for sure in ({}, {"sure": "1"}):
            assert account.browser.post(f"{home}/cancel", data=sure).status_code == 409
        assert account.browser.get(f"{home}/move").status_code == 409
        assert visits()[0].status == "confirmed"


def test_the_mailed_link_shows_moves_and_cancels_and_knows_nothing_about_health(client: FlaskClient) -> None:
    walk.book(client, "swedish", declared={"easy_bruising": {"since": "May"}})
    mail = db.session.scalars(select(OutgoingMail).where(OutgoingMail.key.startswith("visit_booked"))).one()
    home = re.search(r"/visit/[\w-]{43}", mail.text)
    assert home
    page = client.get(home[0])
    assert "Friday 12 June" in page.text
    assert "ruis" not in page.text
    assert not re.search("swedish|massage|health|bruis", mail.subject, re.IGNORECASE)
    assert "massage" not in mail.text
    file = client.get(f"{home[0]}/visit.ics")
    assert file.mimetype == "text/calendar"
    assert "DTSTART:20260612T140000Z" in file.text
    assert "SUMMARY:Visit at Still Waters" in file.text
    assert "massage" not in file.text.casefold()
    slot = walk.first(
        r'class="slot" type="submit" name="slot" value="([^"]+)"',
        client.get(f"{home[0]}/move?day=2026-06-14"),
    )
    form = {"slot": slot, "revision": str(visits()[0].revision), "sure": "1"}
    assert walk.location(client.post(f"{home[0]}/move", data=form)) == home[0]
    asked = client.post(f"{home[0]}/cancel")
    assert ("ruis" in asked.text, visits()[0].status) == (False, "confirmed"), (
        "a slip of the finger cancels nothing"
    )
    assert walk.location(client.post(f"{home[0]}/cancel", data=walk.sure(asked))) == home[0]
    assert visits()[0].status == "cancelled"
    assert "Book a visit" in client.get(home[0]).text


def test_moving_marks_the_time_of_now_and_names_who_gives_it_where_they_are_free(
    client: FlaskClient, world: w.World
) -> None:
    walk.book(client, "swedish")
    mail = db.session.scalars(select(OutgoingMail).where(OutgoingMail.key.startswith("visit_booked"))).one()
    home = re.search(r"/visit/[\w-]{43}", mail.text)[0]  # type: ignore[index]
    visit = visits()[0]
    assert visit.any_therapist
    other = w.person()
    w.sign(other)
    w.at_desk(world, other, "swedish", when=w.at(3, 13), therapist_id=visit.therapist_id)
    page = (
        client.get(f"{home}/move?day={visit.day.isoformat()}")
        .text.replace("\u202f", " ")
        .replace("\xa0", " ")
    )
    labels = dict(re.findall(r'class="slot".*?visually-hidden">([\d:]+ [ap]m) (.*?), ', page))
    assert labels["9:00 am"] == f"with {visit.therapist.name}"
    assert labels["1:00 pm"] == "with any therapist", "theirs is taken then"
    now = re.findall(r'<span class="slot slot-now">.*?</li>', page)
    assert ["your time now" in one and "10:00 am" in one for one in now] == [True]
    assert f'value="{moment_text(visit.starts_at)}"' not in page
    assert f", {len(labels)} times free" in page


def test_an_account_is_made_by_the_mailed_link_only(client: FlaskClient) -> None:
    walk.book(client, "swedish")
    user = db.session.scalars(select(User).where(User.email.startswith("nora"))).one()
    assert user.password_hash is None
    assert db.session.scalars(select(MailedLink.purpose).where(MailedLink.user_id == user.id)).all() == [
        "welcome"
    ]
    access = db.session.scalars(select(ClientAccess)).one()
    assert (access.user_id, access.client_id, access.relation) == (user.id, visits()[0].client_id, "self")
    welcome = db.session.scalars(select(OutgoingMail.text).where(OutgoingMail.kind == "welcome")).one()
    place = db.session.scalars(select(Location)).first()
    assert place is not None
    assert f"Questions? Call us: {place.phone}" in welcome


def test_whoever_looks_like_a_known_person_reads_the_same_page(client: FlaskClient, app: Flask) -> None:
    known = factories.make_client(
        first_name="Kim", last_name="Known1", born_on=dt.date(1970, 1, 1), phone="(212) 555-0777"
    ).id
    w.sign(known, blood_clot={"status": "current", "date": "2026-05-01"})
    plain = walk.book(client, "swedish")
    plain_visit = visits()[0]
    other = app.test_client()
    alike = walk.book(other, "swedish", when=w.at(3, 13), who={"phone": "(212) 555-0777"})

    waits = next(one for one in visits() if one.id != plain_visit.id)
    assert (waits.status, waits.waiting_for) == ("pending", "review")
    assert (visits()[0].status, visits()[0].waiting_for) == ("confirmed", None)
    one = without_names(plain.text).replace("10:00 am to 11:15 am", "TIME")
    two = without_names(alike.text).replace("1:00 pm to 2:15 pm", "TIME")
    assert re.sub(r"Terry \d|Nora", "", one) == re.sub(r"Terry \d|Nora", "", two)

    mails = db.session.scalars(
        select(OutgoingMail.key).where(OutgoingMail.key.startswith("visit_")).order_by(OutgoingMail.id)
    ).all()
    assert [key.partition(":")[0] for key in mails] == ["visit_booked", "visit_booked"]
    link = walk.first(r'href="(/visit/[\w-]{43})/move"', alike)
    assert "Confirmed" in other.get(link).text
    assert "Move my visit" in other.get(link).text
    slot = walk.first(
        r'class="slot" type="submit" name="slot" value="([^"]+)"', other.get(f"{link}/move?day=2026-06-14")
    )
    moved = other.post(f"{link}/move", data={"slot": slot, "revision": str(waits.revision), "sure": "1"})
    assert walk.location(moved) == link
    db.session.rollback()
    again = db.session.get_one(Visit, waits.id)
    assert (again.status, moment_text(again.starts_at)) == ("pending", slot)


def test_a_look_alikes_answers_do_not_take_the_safe_treatments_away(client: FlaskClient) -> None:
    known = factories.make_client(
        first_name="Kim", last_name="Known3", born_on=dt.date(1970, 1, 1), phone="(212) 555-0779"
    ).id
    w.sign(known, heart_failure={"worsening": False})
    thinner = {"med_class": "anticoagulant", "stable_3_months": True, "bruising": False}
    page = walk.book(
        client,
        "deep_tissue",
        declared={"blood_thinners": thinner},
        who={"phone": "(212) 555-0779"},
        where="whole",
    )
    assert "Good for you now" in page.text
    assert "eart failure" not in page.text
    slot = walk.first(
        r'name="slot" value="([^"]+)">(?:<(?!button).*?>[^<]*)*?<span class="visually-hidden">[^<]*Relaxation',
        page,
    )
    walk.location(client.post("/book/relaxation/times", data={"minutes": "60", "slot": slot}))
    walk.location(walk.confirm(client))
    assert [(one.status, one.waiting_for) for one in visits()] == [("pending", "review")]


def test_only_the_look_alikes_answers_never_name_an_addon(client: FlaskClient) -> None:
    known = factories.make_client(
        first_name="Kim", last_name="Known2", born_on=dt.date(1970, 1, 1), phone="(212) 555-0778"
    ).id
    w.sign(known, medicated_patch={"site": ["left_upper_arm"]})
    page = walk.book(client, "swedish", who={"phone": "(212) 555-0778"}, addons="hot_stone")
    assert walk.heading(page) == "Your time is booked"
    assert [(one.status, one.waiting_for) for one in visits()] == [("pending", "review")]


def test_a_barred_person_is_asked_to_call_without_a_reason(app: Flask, world: w.World) -> None:
    account = Account(app, is_barred_online=True)
    db.session.get_one(Location, world.place_id).phone = "(212) 555-0633"
    db.session.commit()
    for page in (
        walk.hold(account.browser, "swedish"),
        account.browser.post("/book/person", data={"person": str(account.client_id)}),
    ):
        assert page.status_code == 409
        assert walk.heading(page) == "Please call us"
        assert 'href="tel:(212)555-0633"' in page.text, "the place of the visit has a telephone of its own"
    assert "barred" not in page.text.casefold()
    assert visits()[0].client_id is None


def test_two_who_are_never_together_see_only_other_times(
    app: Flask, account: Account, world: w.World
) -> None:
    apart = db.session.get_one(Therapist, world.therapists[0])
    factories.make_never_together(db.session.get_one(Client, account.client_id), apart)
    page = walk.hold(account.browser, "swedish", therapist=str(world.therapists[0]))
    assert page.status_code == 409
    assert "Choose a time" in page.text
    assert "never" not in page.text.casefold()
    assert visits() == []
    # the person is kept: any therapist will do
    assert walk.location(walk.hold(account.browser, "swedish")) == "/book/next"
    assert walk.location(account.browser.get("/book/next")) == "/book/health"
    assert visits()[0].therapist_id != world.therapists[0]


def test_a_second_visit_that_would_wait_is_not_taken_online(account: Account) -> None:
    w.sign(account.client_id, now=LAST_MONTH, doctor_said_no={"reason": "back", "date": "2025-01-01"})
    with time_machine.travel(NOW, tick=False) as clock:
        for number in (3, 4):
            account.choose("relaxation", when=w.at(number))
            clock.shift(dt.timedelta(minutes=1))
            account.browser.post("/book/health", data={"go": "same"})
            page = walk.confirm(account.browser)
    assert page.status_code == 409
    assert "already have a visit that waits" in page.text
    assert [one.status for one in visits()] == ["pending", "held"]


def child(**values: str) -> dict[str, str]:
    return {
        "relation": "parent", "first_name": "Mia", "born_year": "2009", "guardian_name": "Nora Walker", **values
    }  # fmt: skip


def test_a_child_needs_the_name_of_a_guardian(client: FlaskClient) -> None:
    walk.hold(client, "swedish")
    page = walk.name(client, **child(guardian_name=""))
    assert page.status_code == 422
    assert "we need it under 18" in page.text


def test_a_guardian_signs_for_the_child(client: FlaskClient) -> None:
    page = walk.up_to_check(client, "relaxation", {}, who=child())
    assert walk.heading(page) == "A parent or guardian agrees"
    assert 'value="mother" checked' in page.text, (
        "who signed the answers is not asked a second time how they are related"
    )
    assert client.post("/book/consent", data={"go": "sign"}).status_code == 422
    form = {"go": "sign", "guardian_name": "Nora Walker", "relation": "mother", "agree": "y"}
    assert walk.location(client.post("/book/consent", data=form)) == "/book/next"
    assert walk.location(client.get("/book/next")) == "/book/check"
    walk.location(walk.confirm(client))
    consent = db.session.scalars(select(Consent).where(Consent.kind == "guardian")).one()
    assert consent.detail["name"] == "Nora Walker"
    assert consent.detail["services"] == ["relaxation"]
    assert [(one.status, one.permits) for one in visits()] == [("confirmed", True)]


def test_without_a_guardians_consent_the_visit_waits(client: FlaskClient) -> None:
    walk.up_to_check(client, "relaxation", {}, who=child())
    assert walk.location(client.post("/book/consent", data={"go": "later"})) == "/book/next"
    walk.location(walk.confirm(client))
    assert walk.heading(client.get("/book/done")) == "We keep this time, a consent is missing"
    assert [(one.status, one.waiting_for) for one in visits()] == [("pending", "consent")]


def test_please_call_me_reaches_the_desk_once(client: FlaskClient) -> None:
    walk.book(client, "relaxation", declared={"doctor_said_no": {"reason": "back", "date": "2025-01-01"}})
    for _ in range(2):
        assert walk.location(client.post("/book/call")) == "/book/done?called=1"
    call = db.session.scalars(select(CallRequest)).one()
    assert (call.visit_id, call.about) == (visits()[0].id, "letter")
    for page in ("/book/done?called=1", "/book/done"):
        assert "We will call you" in client.get(page).text
    desk = factories.make_user(email="desk@calls.example", roles=[Role.FRONT_DESK]).id
    people.close_call(call.id, by=desk, now=NOW)
    assert "Please call me" in client.get("/book/done").text
    letter = client.get("/book/letter")
    assert walk.heading(letter) == "Questions for your doctor"
    assert "Relaxation massage" in letter.text


def test_adding_a_person_and_going_on(account: Account) -> None:
    walk.hold(account.browser, "swedish")
    form = walk.details(relation="partner", first_name="Bo")
    page = account.browser.post("/my/people", data={**form, "born_day": "99", "next": "/book/who"})
    assert page.status_code == 422
    assert 'value="Bo"' in page.text
    assert (
        walk.location(account.browser.post("/my/people", data={**form, "next": "/book/who"})) == "/book/who"
    )
    assert "Bo Walker" in account.browser.get("/book/who").text
    again = account.browser.post("/my/people", data=form)
    assert (again.status_code, "is on your list already" in again.text) == (422, True)
    other = walk.details(relation="partner")
    evil = account.browser.post("/my/people", data={**other, "next": "https://evil.example/"})
    assert walk.location(evil) == "/my/people"


def test_me_is_offered_only_while_it_is_nobody(app: Flask, account: Account) -> None:
    page = account.browser.get("/my/people").text
    assert ('value="self"' in page, 'value="partner"' in page) == (False, True)
    assert not re.search(r'name="relation"[^>]*checked', page)
    assert account.browser.post("/my/people", data=walk.details()).status_code == 422
    empty = factories.make_user(email="new@people.example", roles=[Role.CLIENT])
    page = browser_of(app, empty).get("/my/people").text
    assert re.search(r'name="relation"[^>]*value="self"[^>]*checked', page)


def test_new_answers_on_the_own_page_pause_a_booked_visit(account: Account) -> None:
    w.sign(account.client_id, now=LAST_MONTH)
    account.choose("deep_tissue", when=w.at(6))
    with time_machine.travel(NOW + dt.timedelta(minutes=1), tick=False):
        account.browser.post("/book/health", data={"go": "same"})
        walk.confirm(account.browser)
        base = f"/my/health/{account.client_id}"
        assert walk.location(account.browser.post(base)) == f"{base}/1"
        walk.location(
            walk.answer(account.browser, {"doctor_said_no": {"reason": "x", "date": "2026-05-01"}}, base)
        )
        assert walk.location(walk.sign(account.browser, base)) == base
        assert "After these answers a coming visit is on hold. Open it" in account.browser.get(base).text
        assert [one.status for one in visits()] == ["suspended"]
        assert "Why we ask" in account.browser.get(f"/my/visits/{visits()[0].id}").text


@pytest.mark.parametrize(
    "declared",
    [{"fever": {}}, {"bleeding_disorder": {"type": "haemophilia", "bleed_last_4_weeks": False}}],
)
def test_new_answers_that_call_a_visit_off_say_so_on_the_page(
    account: Account, declared: dict[str, dict[str, object]]
) -> None:
    w.sign(account.client_id, now=LAST_MONTH)
    account.choose("deep_tissue", when=w.at(6))
    with time_machine.travel(NOW + dt.timedelta(minutes=1), tick=False):
        account.browser.post("/book/health", data={"go": "same"})
        walk.confirm(account.browser)
        base = f"/my/health/{account.client_id}"
        account.browser.post(base)
        page = walk.answer(account.browser, declared, base)
        if page.status_code == 303:
            page = account.browser.get(walk.location(walk.sign(account.browser, base)))
        assert page.text.count("With these answers a coming visit cannot go ahead.") == 1
        assert "We have not booked a visit" not in page.text
        gone = account.browser.get(f"/my/visits/{visits()[0].id}").text
        assert ("Book the same again" in gone, "Book something else" in gone) == (
            False,
            "fever" not in declared,
        )
        assert [one.status for one in visits()] == ["cancelled"]


def test_a_warning_sign_on_the_own_page_stops_too(account: Account) -> None:
    base = f"/my/health/{account.client_id}"
    page = walk.answer(account.browser, {"fever": {}}, base)
    assert walk.heading(page) == "Please see a doctor today"
    assert db.session.scalars(select(HealthStop.needs)).one() == "new_answer"
    account.choose()
    assert walk.location(account.browser.get("/book/next")) == "/book/stopped"
    # a day later, well again: the questions are asked anew, and then it goes on
    with time_machine.travel(NOW + dt.timedelta(days=1), tick=False):
        walk.hold(account.browser, "swedish", w.at(5))
        account.browser.post("/book/person", data={"person": str(account.client_id)})
        assert walk.location(account.browser.get("/book/next")) == "/book/health"
        walk.location(walk.answer(account.browser))
        walk.location(walk.sign(account.browser))
        walk.location(walk.confirm(account.browser))
    assert [one.status for one in visits()] == ["confirmed"]


def test_who_cancels_what_the_desk_has_cancelled_late_is_not_told_that_it_costs_nothing(
    account: Account, world: w.World
) -> None:
    """The page was open while the desk did it for them."""
    w.sign(account.client_id, now=LAST_MONTH)
    visit_id = w.at_desk(world, account.client_id, "relaxation", when=w.at(3)).visit_id
    home = f"/my/visits/{visit_id}"
    revision = walk.hidden(account.browser.get(home), "revision")
    near = w.at(3) - dt.timedelta(hours=2)
    bookings.cancel_visit(visit_id or 0, by=world.desk_id, by_clinic=False, now=near)
    with time_machine.travel(near, tick=False):
        account.browser.post(f"{home}/cancel", data={"revision": revision, "sure": "1"})
        page = account.browser.get(home).text
    assert "Your visit is cancelled." in page
    assert "costs you nothing" not in page
