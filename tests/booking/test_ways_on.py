"""What a page says before the button is pressed, and what else is possible: a letter, somebody else, another time."""

from __future__ import annotations

import datetime as dt

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from clinic.accounts.models import User
from clinic.booking.forms.choice import moment_text
from clinic.booking.models import Screening, Visit
from clinic.booking.services import people, safe_online, time_off
from clinic.clients.models import Client
from clinic.rules.permissions import Role
from clinic.rules.places_to_avoid import areas_in_words
from clinic.shared.database import db, transaction
from clinic.therapists.models import Therapist
from tests.booking import walk
from tests.booking import world as w
from tests.booking.test_gate_edges import HAEMOPHILIA
from tests.booking.test_pages_own import Account
from tests.conftest import NOW
from tests.diary.staff import ME, person_with, staffed
from tests.records.proof import VEINS

pytestmark = pytest.mark.usefixtures("now")
LETTER = "This needs a letter from your doctor"


@pytest.fixture
def guest(world: w.World, client: FlaskClient) -> FlaskClient:
    return client


def test_where_nothing_else_is_safe_the_page_names_what_a_letter_makes_possible(guest: FlaskClient) -> None:
    page = walk.book(guest, "deep_tissue", declared={"bleeding_disorder": HAEMOPHILIA})
    assert "Good for you now" not in page.text
    assert "Possible with a letter" in page.text
    assert "See times for relaxation massage" in page.text
    assert "See times for deep tissue" not in page.text, "that is what was refused"
    times = walk.first(r'href="(/book/relaxation[^"]*)">See times', page).replace("&amp;", "&")
    assert guest.get(times).status_code == 200


def test_who_may_have_something_else_now_is_offered_that_alone(guest: FlaskClient) -> None:
    thinner = {"med_class": "anticoagulant", "stable_3_months": True, "bruising": False}
    page = walk.book(guest, "deep_tissue", declared={"blood_thinners": thinner}, where="whole")
    assert "Good for you now" in page.text
    assert "Possible with a letter" not in page.text


@pytest.mark.parametrize("is_declared", [True, False])
def test_the_last_page_says_that_a_letter_is_needed(guest: FlaskClient, is_declared: bool) -> None:
    declared = {"bleeding_disorder": HAEMOPHILIA} if is_declared else {}
    page = walk.up_to_check(guest, "relaxation", declared)
    assert (LETTER in page.text) is is_declared
    walk.confirm(guest)
    db.session.rollback()
    assert db.session.scalars(select(Visit.waiting_for)).one() == ("clearance" if is_declared else None)


@pytest.mark.parametrize(
    ("service", "declared", "left_out"),
    [
        ("swedish", {}, None),
        ("swedish", {"varicose_veins": VEINS}, "Left lower leg"),
        (
            "swedish",
            {"varicose_veins": VEINS | {"site": ["left_lower_leg", "right_foot"]}},
            "Left lower leg and right foot",
        ),
        ("swedish", {"varicose_veins": {"not_sure": True}}, None),
        ("deep_tissue", {"bleeding_disorder": HAEMOPHILIA, "varicose_veins": VEINS}, None),
    ],
    ids=["healthy", "one place", "two places", "no place named", "refused as a whole"],
)
def test_the_last_page_says_which_place_is_left_out(
    guest: FlaskClient, service: str, declared: dict[str, dict[str, object]], left_out: str | None
) -> None:
    page = walk.up_to_check(guest, service, declared).text
    assert ("We leave out" in page) is (left_out is not None)
    if left_out is not None:
        assert left_out in page
        assert "varicose" not in page.lower(), "the place is enough"
        walk.confirm(guest)
        db.session.rollback()
        row = db.session.scalars(select(Screening)).all()[-1]
        kept = [area for one in row.findings["places"] if one["avoid"] for area in one["areas"]]
        assert areas_in_words(kept).lower() == left_out.lower(), "what the therapist reads"


@pytest.mark.parametrize("how", ["weakened", "merged"])
def test_no_letter_is_spoken_of_where_earlier_answers_forbid_it(app: Flask, world: w.World, how: str) -> None:
    """A blood clot that was told before and not looked at since: a letter about something else does not help."""
    account = Account(app)
    own, other = account.client_id, w.person()
    w.sign(other if how == "merged" else own, bleeding_disorder=HAEMOPHILIA, blood_clot={"not_sure": True})
    w.sign(own, now=NOW + dt.timedelta(minutes=1), bleeding_disorder=HAEMOPHILIA)
    if how == "merged":
        people.merge_clients(own, other, by=world.desk_id, now=NOW + dt.timedelta(minutes=2))
    db.session.rollback()
    account.choose("relaxation")
    account.browser.post("/book/health", data={"go": "same"})
    page = account.browser.get("/book/check")
    assert page.status_code == 200
    assert LETTER not in page.text
    client, visit = db.session.get_one(Client, own), db.session.scalars(select(Visit)).one()
    assert safe_online.with_letter(visit, client, w.choice("deep_tissue")) == []


def test_a_letter_that_only_a_look_alike_needs_is_not_spoken_of(app: Flask, guest: FlaskClient) -> None:
    known = w.person(email="known@people.example")
    w.sign(known, bleeding_disorder=HAEMOPHILIA)
    page = walk.up_to_check(guest, "relaxation", {}, who={"email": "known@people.example"})
    assert LETTER not in page.text


@pytest.mark.parametrize("is_free", [True, False])
def test_moving_says_who_gives_it_where_the_therapist_is_not_free(
    app: Flask, world: w.World, is_free: bool
) -> None:
    account = Account(app)
    w.sign(account.client_id)
    visit_id = w.at_desk(world, account.client_id, "swedish").visit_id
    db.session.execute(update(Visit).values(any_therapist=True))
    db.session.commit()
    visit = db.session.get_one(Visit, visit_id)
    theirs, revision, new = visit.therapist_id, visit.revision, w.at(4)
    with transaction() as session:
        for at, one in enumerate(session.scalars(select(Therapist).order_by(Therapist.id))):
            one.name = f"Terry {at}"
    name = db.session.get_one(Therapist, theirs).name
    others = [one.name for one in db.session.scalars(select(Therapist)) if one.id != theirs]
    if not is_free:
        start, end = new - dt.timedelta(hours=2), new + dt.timedelta(hours=4)
        time_off.add_time_off(theirs, "off", start, end, "", by=world.desk_id, now=NOW)
    asked = account.browser.post(
        f"/my/visits/{visit_id}/move", data={"slot": moment_text(new), "revision": str(revision)}
    )
    assert (f"{name} is not free then" in asked.text) is not is_free
    assert any(one in asked.text for one in others) is not is_free


def test_a_visit_whose_therapist_is_away_says_so_on_the_day_and_its_page(app: Flask) -> None:
    clinic = staffed(app)
    world = clinic.world
    person = w.person()
    w.sign(person)
    visit_id = w.at_desk(world, person, "swedish", when=w.at(2, 10)).visit_id
    therapist = db.session.get_one(Visit, visit_id).therapist_id
    desk = clinic.browser(person_with(Role.FRONT_DESK))
    day = f"{w.at(2):%Y-%m-%d}"
    pages = f"/desk?day={day}", f"/desk?day={day}&view=list", f"/desk/visits/{visit_id}"
    before = [desk.get(one).text for one in pages]
    assert not any("Act first" in one or "cannot take place as it is" in one for one in before)
    time_off.add_time_off(therapist, "off", w.at(2, 8), w.at(2, 20), "", by=world.desk_id, now=NOW)
    grid, sheet, card = (desk.get(one).text for one in pages)
    assert "Act first" in grid
    assert 'Act first </span><span class="ev-state">' in grid, "a space between two boxes is one more line"
    assert "see desk" in sheet
    assert "This visit cannot take place as it is" in card


def test_a_day_that_is_over_is_no_start_of_time_off(app: Flask) -> None:
    clinic = staffed(app)
    desk = clinic.browser(person_with(Role.FRONT_DESK))
    form = {
        "therapist": str(clinic.me), "kind": "off", "starts_on": "2026-06-20", "starts": "24:00", "ends": "23:00",
    }  # fmt: skip
    answer = desk.post("/desk/time-off", data=form)
    assert answer.status_code == 422
    assert "At 24:00 the day is over" in answer.text


def test_therapists_read_why_a_place_is_left_out_in_their_language(app: Flask) -> None:
    clinic = staffed(app)
    person = w.person()
    w.sign(person, varicose_veins={"site": ["left_lower_leg"], "status": "quiet"})
    visit = w.at_desk(clinic.world, person, "swedish", when=w.at(0, 15)).visit_id
    with transaction() as session:
        session.execute(update(User).where(User.email == ME).values(language="de"))
        session.execute(update(Visit).where(Visit.id == visit).values(therapist_id=clinic.me))
    page = clinic.browser(ME).get(f"/diary/visits/{visit}")
    assert "Nicht behandeln: Linker Unterschenkel" in page.text
    assert "may tear" not in page.text
    assert "pressure" not in page.text


def test_a_sentence_under_a_field_is_in_the_language_of_the_reader(app: Flask, guest: FlaskClient) -> None:
    page = walk.up_to_check(guest, "relaxation", {})
    answer = guest.post(
        "/book/check",
        data={"seen": walk.hidden(page, "seen"), "aim": "x" * 501},
        headers={"Accept-Language": "de"},
    )
    assert answer.status_code == 422
    assert "Write this in at most" not in answer.text
    assert "höchstens 500 Zeichen" in answer.text.replace("\xa0", " ")


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_who_is_coming_says_to_what_and_when(guest: FlaskClient) -> None:
    """Two tabs share one booking: the page says which one it asks about."""
    walk.location(walk.hold(guest, "relaxation"))
    assert "Relaxation massage, Friday" in guest.get("/book/who").text
    walk.location(walk.hold(guest, "swedish", w.at(4)))
    page = guest.get("/book/who").text
    assert "Swedish massage, Saturday" in page
    assert "Relaxation massage" not in page
