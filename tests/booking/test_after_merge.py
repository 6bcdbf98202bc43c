"""Two records are merged: what was begun on the one that went goes on with the person, and whoever knew a name and a
birth date alone reads nothing of them and signs nothing for them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from clinic.booking.models import Visit
from clinic.booking.services import checkout, deadlines, people, series
from clinic.booking.services import visits as bookings
from clinic.booking.services.series_starts import ONLINE, OneStart
from clinic.clients import queries as clients
from clinic.clients.models import Client
from clinic.intake import queries as intake
from clinic.intake.models import Consent, HealthStop, Intake
from clinic.intake.services import checkins, consents, intakes
from clinic.rules.errors import MoveNotAllowed
from clinic.rules.permissions import Role
from clinic.rules.question_pages import pages
from clinic.rules.visit_status import VisitStatus
from clinic.shared.database import db
from tests import factories
from tests.accounts.people import browser_of, hashed, mails, make_person
from tests.booking import walk
from tests.booking import world as w
from tests.booking.test_gate_edges import HAEMOPHILIA
from tests.conftest import NOW
from tests.diary.staff import person_with, staffed
from tests.typed_forms import form_on
from tests.web import Visitor

pytestmark = pytest.mark.usefixtures("now")
on_one_database = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
MINUTE = dt.timedelta(minutes=1)


@pytest.fixture
def guest(app: Flask, world: w.World) -> FlaskClient:
    """A browser that is not signed in."""
    return app.test_client()


def merge(keep: int, lose: int, world: w.World, now: dt.datetime = NOW + MINUTE) -> None:
    people.merge_clients(keep, lose, by=world.desk_id, now=now)
    db.session.rollback()


def two() -> tuple[int, int]:
    """The record that stays and the one that goes."""
    return w.person(email="keep@people.example"), w.person(email="lose@people.example")


def two_signed() -> tuple[int, int]:
    both = two()
    for one in both:
        w.sign(one)
    return both


def known() -> int:
    """Somebody in the book with something to tell."""
    keep = w.person(email="secret@people.example", phone="(212) 555-0177")
    w.sign(keep, bleeding_disorder=HAEMOPHILIA)
    return keep


def named_like(keep: int) -> dict[str, str]:
    row = db.session.get_one(Client, keep)
    return {
        "first_name": row.first_name, "last_name": row.last_name, "born_day": str(row.born_on.day),
        "born_month": str(row.born_on.month), "born_year": str(row.born_on.year), "email": "other@people.example",
    }  # fmt: skip


def types_the_name_of(keep: int, guest: FlaskClient, service: str = "swedish", **more: str) -> None:
    like = named_like(keep)
    walk.location(walk.hold(guest, service))
    walk.location(walk.name(guest, **like, **more))


def merge_guest(keep: int, world: w.World) -> None:
    """The desk takes what was typed for the person in the book."""
    db.session.rollback()
    merge(keep, db.session.scalars(select(Client.id).where(Client.id != keep)).one(), world)


@on_one_database
def test_the_pages_of_questions_are_not_filled_in_for_a_guest(guest: FlaskClient, world: w.World) -> None:
    keep = known()
    types_the_name_of(keep, guest)
    merge_guest(keep, world)
    for number in range(1, len(pages("intake")) + 1):
        assert walk.location(guest.get(f"/book/health/{number}")) == "/book/who"


@on_one_database
def test_a_guest_does_not_read_where_the_person_can_be_reached(guest: FlaskClient, world: w.World) -> None:
    keep = known()
    types_the_name_of(keep, guest)
    merge_guest(keep, world)
    page = guest.get("/book/who")
    assert page.status_code == 200
    assert "secret@people.example" not in page.text
    assert "555-0177" not in page.text


@on_one_database
def test_a_guest_signs_nothing_for_the_person(guest: FlaskClient, world: w.World) -> None:
    keep = known()
    types_the_name_of(keep, guest)
    merge_guest(keep, world)
    walk.answer(guest)
    walk.sign(guest)
    db.session.rollback()
    assert len(db.session.scalars(select(Intake.id).where(Intake.client_id == keep)).all()) == 1


@on_one_database
def test_what_a_guest_booked_says_nothing_of_the_person(guest: FlaskClient, world: w.World) -> None:
    keep = known()
    booked = walk.book(guest, "swedish", who=named_like(keep))
    merge_guest(keep, world)
    for page in (booked, guest.get("/book/done"), guest.get("/book/letter")):
        assert "leeding" not in page.text
    assert guest.get("/book/letter").status_code == 303, "which letter is needed says what for"


@on_one_database
def test_a_guest_gives_no_guardians_consent_for_the_person(guest: FlaskClient, world: w.World) -> None:
    keep = w.person(born_on=dt.date(2010, 3, 3), email="mother@people.example", guardian_name="Mia Mother")
    w.sign(keep)
    w.at_desk(world, keep, "relaxation", when=w.at(5))
    assert w.statuses(keep) == ["pending"]
    types_the_name_of(keep, guest, "relaxation", guardian_name="Eve Other", relation="parent")
    merge_guest(keep, world)
    said = {"guardian_name": "Eve Other", "relation": "mother", "agree": "y", "in_room": "y"}
    guest.post("/book/consent", data=said)
    assert "confirmed" not in w.statuses(keep)


@pytest.mark.parametrize("other", ["partner", "carer", "parent"])
def test_who_is_themselves_on_one_of_both_records_stays_so(world: w.World, other: str) -> None:
    own = factories.make_user(email="me@people.example", roles=[Role.CLIENT]).id
    keep, lose = w.person(acts={own: other}), w.person(acts={own: "self"})
    merge(keep, lose, world)
    assert clients.own_account_ids(keep) == [own]
    assert clients.may_know_all(own, keep, adult_age=18, today=w.TODAY) == "self"


@on_one_database
def test_a_form_that_stood_open_changes_only_what_was_typed_in_it(app: Flask) -> None:
    """Its other fields show the card of the record that went."""
    clinic = staffed(app)
    desk = clinic.browser(person_with(Role.OWNER))
    keep = w.person(
        email="keep@people.example", phone="(212) 555-0177", emergency_contact="Mum 555", guardian_name="Gil",
        guardian_relation="mother", guardian_phone="(212) 555-0178",
    )  # fmt: skip
    lose = w.person(email="lose@people.example", phone="(212) 555-0101")
    path = f"/clients/{lose}/edit"
    form = form_on(desk.get(path).text, path)
    merge(keep, lose, clinic.world)
    assert desk.post(path, data={**form, "phone": ["(212) 555-0102"]}).status_code == 303
    db.session.rollback()
    row = db.session.get_one(Client, keep)
    found = (row.email, row.phone, row.emergency_contact, row.guardian_name)
    assert found == ("keep@people.example", "(212) 555-0102", "Mum 555", "Gil")


@on_one_database
def test_a_warning_sign_on_a_tablet_counts_for_the_person(app: Flask) -> None:
    app.test_client_class = Visitor
    world = w.build()
    make_person("owner@pins.example", Role.OWNER)
    make_person("dana@pins.example", Role.FRONT_DESK, pin_hash=hashed("271828"))
    keep, lose = w.person(), w.person()
    w.sign(keep)
    w.at_desk(world, keep, "relaxation")
    desk = browser_of(app, "dana@pins.example")
    assert desk.post(f"/clients/{lose}/tablet").location == "/tablet"
    number = next(
        number
        for number, page in enumerate(pages("intake"), start=1)
        if any(one.key == "rf_chest_pain_breathless" for one in page.conditions)
    )
    whose = walk.hidden(desk.get(f"/tablet/{number}"), "whose")
    assert whose == str(lose)
    merge(keep, lose, world)
    form = walk.page_form(number, {"rf_chest_pain_breathless": {}})
    desk.post(f"/tablet/{number}", data={**form, "whose": whose})
    db.session.rollback()
    assert db.session.scalars(select(HealthStop.client_id)).all() == [keep]
    assert w.statuses(keep) != ["confirmed"]


@on_one_database
@pytest.mark.parametrize("way", ["the same time", "it ran out", "another time"])
def test_who_is_booking_gets_the_visit(app: Flask, way: str) -> None:
    app.test_client_class = Visitor
    world = w.build()
    user = make_person("own@people.example", Role.CLIENT)
    keep, lose = w.person(email="keep@people.example"), w.person(acts={user.id: "self"})
    for one in (keep, lose):
        w.sign(one)
    own = browser_of(app, "own@people.example")
    walk.location(walk.hold(own, "relaxation"))
    own.post("/book/who", data={})
    own.post("/book/person", data={"person": str(lose)})
    own.post("/book/health", data={"go": "same"})
    merge(keep, lose, world)
    at = NOW + MINUTE
    if way == "another time":
        walk.location(walk.hold(own, "relaxation", w.at(4)))
    if way == "it ran out":
        at = NOW + dt.timedelta(minutes=40)
        deadlines.keep_deadlines(at)
    with time_machine.travel(at, tick=False):
        own.get("/book/next")
        assert walk.location(walk.confirm(own)) == "/book/done"
    assert w.statuses(keep) == ["confirmed"]


def test_a_series_that_was_begun_is_booked(world: w.World) -> None:
    own = factories.make_user(email="me@people.example", roles=[Role.CLIENT]).id
    keep, lose = w.person(email="keep@people.example"), w.person(acts={own: "self"})
    for one in (keep, lose):
        w.sign(one)
    wish = w.choice("relaxation")
    token = checkout.hold_slot(None, wish, w.at(3), first_visit=True, user_id=own, now=NOW)
    checkout.choose_person(token, lose, user_id=own, now=NOW)
    merge(keep, lose, world)
    series.book_series(
        wish, lose, [OneStart(w.at(day), world.therapists[0]) for day in (3, 10)], every_weeks=1,
        request_key="series", source=ONLINE, by=own, now=NOW + MINUTE, checkout=token,
    )  # fmt: skip
    assert w.statuses(keep) == ["confirmed", "confirmed"]


def test_a_consent_can_be_taken_back(world: w.World) -> None:
    """The visit that stands rests on what was signed on the record that went."""
    keep, lose = two()
    intakes.submit_intake(
        lose, w.answers(), w.signature(lose), writer="client", source="online",
        consents={"treatment": {}, "privacy": {}}, by=None, now=NOW, today=w.TODAY,
    )  # fmt: skip
    w.at_desk(world, lose, "relaxation")
    merge(keep, lose, world)
    assert w.statuses(keep) == ["confirmed"]
    number = db.session.scalars(select(Consent.id).where(Consent.kind == "treatment")).one()
    assert number in [one.id for one in intake.consents_shown(keep)]
    consents.withdraw_consent(number, keep, by=world.desk_id, now=NOW + 2 * MINUTE)
    assert w.statuses(keep) == ["suspended"]
    assert number not in [one.id for one in intake.consents_shown(keep)]


def test_who_is_answering_loses_no_time(world: w.World) -> None:
    """A visit that waits for answers is not given away while somebody types them."""
    keep, lose = two()
    visit = w.at_desk(world, lose, "relaxation").visit_id
    late = db.session.get_one(Visit, visit).deadline_at
    db.session.rollback()
    assert late is not None
    said = {"blood_thinners": {"present": False}}
    intakes.save_draft(lose, "tablet", "intake", said, now=late - MINUTE)
    merge(keep, lose, world, late - MINUTE)
    deadlines.keep_deadlines(late + MINUTE)
    assert w.statuses(keep) == ["pending"]


def mark(visit_id: int, *several: VisitStatus, world: w.World, now: dt.datetime) -> VisitStatus:
    """What the desk marks, one after the other; returns what stands."""
    for one in several:
        db.session.rollback()
        revision = db.session.get_one(Visit, visit_id).revision
        stands = bookings.mark_visit(visit_id, one, revision=revision, by=world.desk_id, now=now)
    return stands


NO_SHOW, ARRIVED, IN_SESSION, DONE = (
    VisitStatus.NO_SHOW,
    VisitStatus.ARRIVED,
    VisitStatus.IN_SESSION,
    VisitStatus.DONE,
)


@pytest.mark.parametrize(
    ("before", "then"),
    [
        ([NO_SHOW], ARRIVED),
        ([ARRIVED, IN_SESSION], ARRIVED),
        ([ARRIVED], IN_SESSION),
        ([ARRIVED, IN_SESSION], DONE),
    ],
    ids=lambda one: one if isinstance(one, str) else "-".join(one),
)
def test_a_visit_of_the_day_is_marked_on(
    world: w.World, before: Sequence[VisitStatus], then: VisitStatus
) -> None:
    """It stays on the record that went where it is no coming visit any more."""
    keep, lose = two_signed()
    visit = w.at_desk(world, lose, "relaxation", when=w.at(0, 11)).visit_id or 0
    at = w.at(0, 11, 10)
    mark(visit, *before, world=world, now=at)
    merge(keep, lose, world, at)
    assert mark(visit, then, world=world, now=at + MINUTE) is then


def test_who_came_after_all_is_judged_by_all_that_is_known_of_them(world: w.World) -> None:
    keep, lose = two()
    w.sign(lose)
    w.sign(keep, bleeding_disorder=HAEMOPHILIA)
    visit = w.at_desk(world, lose, "deep_tissue", when=w.at(0, 11)).visit_id or 0
    at = w.at(0, 11, 10)
    mark(visit, NO_SHOW, world=world, now=at)
    merge(keep, lose, world, at)
    with pytest.raises(MoveNotAllowed, match="known by now"):
        mark(visit, ARRIVED, world=world, now=at + MINUTE)
    db.session.rollback()
    assert db.session.get_one(Visit, visit).status == NO_SHOW


def test_a_check_in_that_was_begun_is_finished_on_the_record_that_stays(world: w.World) -> None:
    keep, lose = two_signed()
    intakes.save_draft(
        lose, "checkin", "checkin", {}, now=NOW + MINUTE, asked=["blood_thinners"],
        half={"c.blood_thinners": ["yes"]},
    )  # fmt: skip
    merge(keep, lose, world, NOW + 2 * MINUTE)
    assert intake.has_unsigned(keep)
    said = {"blood_thinners": {"present": False}}
    checkins.take_check_in(
        keep, said, w.signature(keep), source="online", by=None, now=NOW + 3 * MINUTE, today=w.TODAY
    )
    db.session.rollback()
    assert not intake.has_unsigned(keep)


@pytest.mark.parametrize("is_merged", [True, False])
def test_whoever_loses_an_addon_is_told_also_by_a_merge(world: w.World, is_merged: bool) -> None:
    keep, lose = w.person(email="a@people.example"), w.person(email="b@people.example")
    w.sign(lose)
    booked = w.at_desk(world, lose, "swedish", addons=("hot_stone",), areas=("full_body",))
    before = len(mails())
    if is_merged:
        w.sign(keep, varicose_veins={"not_sure": True})
        merge(keep, lose, world)
    else:
        w.sign(lose, now=NOW + MINUTE, varicose_veins={"not_sure": True})
    db.session.rollback()
    visit = db.session.get_one(Visit, booked.visit_id)
    assert (visit.status, visit.addons, visit.permits) == ("confirmed", [], True)
    told = mails()[before:]
    assert [one.kind for one in told] == ["visit_changed"]
    assert told[0].to == ("a@people.example" if is_merged else "b@people.example")
