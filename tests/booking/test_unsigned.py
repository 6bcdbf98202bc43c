"""Answers that were changed and not signed: nothing is confirmed on the old ones, at any door."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from clinic.booking.models import Visit
from clinic.booking.services import people
from clinic.booking.services.judging import judge_after_new_answers
from clinic.booking.services.visits import mark_visit
from clinic.clients.models import ClientAccess
from clinic.intake import queries as intake
from clinic.intake.models import IntakeDraft
from clinic.intake.services import checkins, intakes
from clinic.rules.errors import InvalidInput
from clinic.rules.permissions import Role
from clinic.rules.visit_status import VisitStatus
from clinic.shared.database import db, transaction
from tests.accounts.people import make_person
from tests.booking import walk
from tests.booking import world as w
from tests.conftest import NOW
from tests.diary.staff import staffed

pytestmark = pytest.mark.usefixtures("now")

MINUTE = dt.timedelta(minutes=1)
BLOOD: dict[str, object] = {
    "present": True, "med_class": "anticoagulant", "stable_3_months": False, "bruising": True,
}  # fmt: skip
SIGNED = intakes.Signature("Pat Number")


@pytest.fixture
def client(app: Flask, world: w.World) -> FlaskClient:
    return app.test_client()


def visits() -> list[tuple[str, str | None]]:
    db.session.rollback()
    return [
        (row.status, row.waiting_for)
        for row in db.session.scalars(select(Visit).where(Visit.status != "released").order_by(Visit.id))
    ]


def types(
    person: int, said: Mapping[str, Mapping[str, object]], *, writer: str = "client", now: dt.datetime = NOW
) -> None:
    intakes.save_draft(person, writer, "full", said, now=now)


@pytest.mark.parametrize("whole", [True, False], ids=["a whole answer", "half of one, kept by itself"])
def test_after_a_change_that_is_not_signed_the_last_page_does_not_open(
    client: FlaskClient, whole: bool
) -> None:
    """One press of Back led from the question to the button: it said that everything was signed."""
    walk.up_to_check(client, "swedish", {})
    seen = walk.hidden(client.get("/book/check"), "seen")
    number = walk.number_of("medicines")
    form = walk.page_form(number, {"blood_thinners": BLOOD})
    if whole:
        assert client.post(f"/book/health/{number}", data=form).status_code == 303
    else:
        half = {name: typed for name, typed in form.items() if not name.startswith("f.blood_thinners")}
        assert client.post(f"/book/health/{number}/keep", data=half).status_code < 300
    assert walk.location(client.get("/book/check")) == "/book/health"
    client.post("/book/check", data={"seen": seen})
    assert visits() == [("held", None)]
    page = client.get("/book/health")
    assert walk.location(page) == ("/book/health/sign" if whole else f"/book/health/{number}")
    assert "not signed yet" in client.get(walk.location(page)).text
    client.post(f"/book/health/{number}", data=form)
    walk.sign(client)
    assert walk.location(walk.confirm(client)) == "/book/done"
    assert visits() == [("pending", "clearance")]


def test_taken_back_and_signed_it_is_booked(client: FlaskClient) -> None:
    walk.up_to_check(client, "swedish", {})
    number = walk.number_of("medicines")
    client.post(f"/book/health/{number}", data=walk.page_form(number, {"blood_thinners": BLOOD}))
    assert walk.location(client.get("/book/check")) == "/book/health"
    client.post(f"/book/health/{number}", data=walk.page_form(number, {}))
    assert client.get("/book/check").status_code == 200, "as it was signed"
    assert walk.location(walk.confirm(client)) == "/book/done"
    assert visits() == [("confirmed", None)]


def test_nothing_has_changed_is_not_taken_from_whoever_changed_something(app: Flask) -> None:
    clinic = staffed(app)
    person = w.person()
    w.sign(person, now=NOW - dt.timedelta(days=30))
    user = make_person("own@people.example", Role.CLIENT)
    db.session.add(ClientAccess(user_id=user.id, client_id=person, relation="self", since=NOW))
    db.session.commit()
    own = clinic.browser("own@people.example")
    walk.hold(own, "swedish")
    own.post("/book/who", data={"person": str(person)})
    assert "Nothing has changed" in own.get("/book/health").text
    own.post("/book/health", data={"go": "changed"})
    number = walk.number_of("medicines")
    own.post(f"/book/health/{number}", data=walk.page_form(number, {"blood_thinners": BLOOD}))
    assert walk.location(own.get("/book/health")) == "/book/health/sign"
    own.post("/book/health", data={"go": "same"})
    assert walk.location(own.get("/book/check")) == "/book/health"
    with pytest.raises(InvalidInput):
        intakes.confirm_still_right(person, SIGNED, source="online", by=None, now=NOW, today=w.TODAY)
    assert visits() == [("held", None)]


@pytest.mark.parametrize("writer", ["client", "tablet", "user:1"])
def test_the_desk_books_nothing_as_confirmed_on_it(world: w.World, writer: str) -> None:
    person = w.person()
    w.sign(person)
    types(person, {"blood_thinners": BLOOD}, writer=writer, now=NOW + MINUTE)
    w.at_desk(world, person, "swedish")
    assert visits() == [("pending", "intake")]
    w.sign(person, now=NOW + 2 * MINUTE)
    assert visits() == [("confirmed", None)], "signed anew, without it"
    assert not intake.has_unsigned(person)


def test_what_is_refused_by_the_signed_answers_is_refused(world: w.World) -> None:
    person = w.person()
    w.sign(person, blood_thinners=BLOOD)
    types(person, {"pregnancy": {"present": True}}, now=NOW + MINUTE)
    assert w.at_desk(world, person, "deep_tissue").visit_id is None
    assert visits() == []


@pytest.mark.parametrize(
    ("said", "after", "counts"),
    [
        ({"blood_thinners": BLOOD}, MINUTE, True),
        ({"blood_thinners": BLOOD}, -MINUTE, False),
        ({"blood_thinners": {"present": False}}, MINUTE, False),
        ({"low_blood_pressure": {"present": True, "last_faint": "2026-02-03"}}, MINUTE, False),
        ({"low_blood_pressure": {"present": True, "last_faint": "2026-06-01"}}, MINUTE, True),
        ({"low_blood_pressure": {"present": False}}, MINUTE, False),
        ({}, MINUTE, False),
    ],
    ids=[
        "a yes",
        "before the signature",
        "a no",
        "the same",
        "another detail",
        "a yes taken back",
        "nothing",
    ],
)
def test_what_counts_as_more_than_was_signed(
    world: w.World, said: Mapping[str, Mapping[str, object]], after: dt.timedelta, counts: bool
) -> None:
    person = w.person()
    w.sign(person, low_blood_pressure={"last_faint": "2026-02-03"})
    types(person, said, now=NOW + after)
    assert intake.has_unsigned(person) is counts


def test_a_check_in_signs_only_what_it_asks(world: w.World) -> None:
    person = w.person()
    w.sign(person)
    w.at_desk(world, person, "swedish")
    types(person, {"blood_thinners": BLOOD}, now=NOW + MINUTE)
    checkins.take_check_in(
        person, None, SIGNED, source="online", by=None, now=NOW + 2 * MINUTE, today=w.TODAY
    )
    assert intake.has_unsigned(person)
    assert visits() == [("suspended", "intake")]


def test_what_was_typed_for_a_record_that_was_merged_counts_for_whoever_it_is(world: w.World) -> None:
    kept, merged = w.person(), w.person()
    w.sign(kept)
    types(merged, {"blood_thinners": BLOOD}, now=NOW + MINUTE)
    people.merge_clients(kept, merged, by=world.desk_id, now=NOW + 2 * MINUTE)
    assert intake.has_unsigned(kept)
    w.at_desk(world, kept, "swedish")
    assert visits() == [("pending", "intake")]


@pytest.mark.parametrize("has_own", [False, True], ids=["nothing typed there", "something typed there"])
def test_what_was_typed_for_a_record_that_was_merged_is_shown_to_whoever_goes_on(
    world: w.World, has_own: bool
) -> None:
    kept, merged = w.person(), w.person()
    w.sign(kept)
    if has_own:
        types(kept, {"low_blood_pressure": {"present": True, "last_faint": "2026-06-01"}}, now=NOW + MINUTE)
    intakes.save_draft(
        merged,
        "client",
        "full",
        {"blood_thinners": BLOOD},
        now=NOW + MINUTE,
        half={"f.fracture.when": ["la"]},
    )
    people.merge_clients(kept, merged, by=world.desk_id, now=NOW + 2 * MINUTE)
    draft = intake.draft(kept, "client")
    assert draft is not None
    assert draft.answered["blood_thinners"] == BLOOD
    assert draft.answered["low_blood_pressure"]["present"] is has_own
    assert draft.half_typed == {"f.fracture.when": ["la"]}
    assert intake.draft(merged, "client") is None, "what is taken back must not go on counting beside it"


def test_what_was_typed_before_a_merge_and_signed_since_does_not_come_back(world: w.World) -> None:
    kept, merged = w.person(), w.person()
    types(merged, {"blood_thinners": BLOOD}, now=NOW - MINUTE)
    w.sign(kept)
    people.merge_clients(kept, merged, by=world.desk_id, now=NOW + 2 * MINUTE)
    assert intake.draft(kept, "client") is None
    assert not intake.has_unsigned(kept)


def test_what_is_judged_again_meanwhile_waits_for_the_signature(world: w.World) -> None:
    person = w.person()
    w.sign(person)
    w.at_desk(world, person, "swedish")
    types(person, {"blood_thinners": BLOOD}, now=NOW + MINUTE)
    assert visits() == [("confirmed", None)], "typing judges nothing"
    with transaction() as session:
        judge_after_new_answers(session, person, by=None, now=NOW + MINUTE)
    assert visits() == [("suspended", "intake")]
    with transaction() as session:
        for row in session.scalars(select(IntakeDraft)):
            session.delete(row)
        session.flush()
        judge_after_new_answers(session, person, by=None, now=NOW + MINUTE)
    assert visits() == [("confirmed", None)]


def test_whoever_comes_in_with_answers_that_are_not_signed_signs_them_first(app: Flask) -> None:
    world = w.build(check_in=False)
    person = w.person()
    w.sign(person)
    visit_id = w.at_desk(world, person, "swedish", when=w.at(0, 15)).visit_id
    assert visit_id is not None
    types(person, {"blood_thinners": BLOOD}, now=NOW + MINUTE)
    revision = db.session.get_one(Visit, visit_id).revision
    stands = mark_visit(visit_id, VisitStatus.ARRIVED, revision=revision, by=world.desk_id, now=w.at(0, 15))
    assert stands is VisitStatus.SUSPENDED
    assert visits() == [("suspended", "intake")]
