"""A booking that is given up leaves no record behind, unless something rests on it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from clinic.booking.models import Checkout, Visit
from clinic.booking.queries import unfinished
from clinic.booking.services import calls, deadlines, forgetting, people
from clinic.booking.services import checkout as services
from clinic.clients import services as clients
from clinic.clients.models import Client, NotSamePerson
from clinic.clients.steps import Details
from clinic.intake.models import HealthStop, IntakeDraft, TabletPass
from clinic.intake.services import intakes
from clinic.keeping.services import erasing
from clinic.premises.models import Resource
from clinic.records.queries.own_copy import copy_of
from clinic.rules.permissions import Role
from clinic.shared.database import db, transaction
from tests import factories
from tests.booking import walk
from tests.booking import world as w
from tests.conftest import NOW
from tests.owners import owner_browser

pytestmark = pytest.mark.usefixtures("now")

BORN = dt.date(1988, 7, 4)
DETAILS = Details("Nora", "Walker", BORN, email="nora@people.example", phone="(212) 555-3000")
NEXT_DAY = NOW + dt.timedelta(days=1, minutes=1)
WARNING = {"rf_chest_pain_breathless": {"present": True}}


@pytest.fixture
def begun(world: w.World) -> tuple[str, int]:
    """The key and the client of a booking that went as far as the name."""
    token = services.hold_slot(None, w.choice("relaxation"), w.at(3), first_visit=True, user_id=None, now=NOW)
    return token, services.name_person(token, DETAILS, relation="self", now=NOW)


def time_goes_by(now: dt.datetime = NEXT_DAY) -> None:
    """What the worker does in a round."""
    deadlines.keep_deadlines(now)
    forgetting.forget_unfinished(now)
    db.session.rollback()


def known() -> list[int]:
    db.session.rollback()
    return list(db.session.scalars(select(Client.id).order_by(Client.id)))


def test_a_booking_given_up_after_the_name_leaves_nobody_behind(begun: tuple[str, int]) -> None:
    _token, client_id = begun
    intakes.save_draft(client_id, "client", "intake", {"fever": {"present": False}}, now=NOW)
    time_goes_by(NOW + dt.timedelta(hours=23))
    assert known() == [client_id], "whoever comes back within the day finds what was typed"
    time_goes_by()
    assert known() == []
    assert db.session.scalars(select(Resource).where(Resource.kind == "client")).all() == []
    assert db.session.scalars(select(Checkout)).all() == []
    assert db.session.scalars(select(IntakeDraft)).all() == []
    visit = db.session.scalars(select(Visit)).one()
    assert (visit.status, visit.client_id) == ("released", None)


def test_whoever_comes_back_after_that_begins_anew(begun: tuple[str, int]) -> None:
    token, _client_id = begun
    time_goes_by()
    again = services.hold_slot(
        token, w.choice("relaxation"), w.at(4), first_visit=True, user_id=None, now=NEXT_DAY
    )
    services.name_person(again, DETAILS, relation="self", now=NEXT_DAY)
    assert len(known()) == 1


def sign(client_id: int) -> None:
    w.sign(client_id)


def warn(client_id: int) -> None:
    intakes.raise_stop(client_id, WARNING, source="online", by=None, now=NOW, today=w.TODAY)


def type_a_warning(client_id: int) -> None:
    intakes.save_draft(client_id, "client", "intake", WARNING, now=NOW)


def type_half_a_warning(client_id: int) -> None:
    """Ticked, and left before its follow-up was answered."""
    half = {"c.rf_chest_pain_breathless": ["yes"]}
    intakes.save_draft(client_id, "client", "intake", {}, now=NOW, half=half)


def type_at_the_desk(client_id: int) -> None:
    intakes.save_draft(client_id, "user:1", "intake", {"fever": {"present": False}}, now=NOW)


def ask_for_a_call(client_id: int) -> None:
    calls.ask_for_call(client_id=client_id, visit_id=None, phone="212 555 3000", about="booking", now=NOW)


def edit_by_staff(client_id: int) -> None:
    people.change_details(client_id, DETAILS, by=desk(), now=NOW)


def write_a_note(client_id: int) -> None:
    clients.write_note(client_id, "Rang up.", by=desk(), now=NOW)


def say_two_people(client_id: int) -> None:
    other = factories.make_client(first_name="Nora", last_name="Walker", born_on=BORN)
    with transaction() as session:
        session.add(NotSamePerson(client_id=client_id, other_id=other.id, decided_at=NOW))


def hand_over_the_tablet(client_id: int) -> None:
    row = TabletPass(client_id=client_id, token_hash="t", made_at=NOW, made_by_id=desk(), expires_at=NOW)
    factories.save(row)


def desk() -> int:
    return factories.make_user(email="another@clinic.example", roles=[Role.FRONT_DESK]).id


@pytest.mark.parametrize(
    "deed",
    [sign, warn, type_a_warning, type_half_a_warning, type_at_the_desk, ask_for_a_call,
     edit_by_staff, write_a_note, say_two_people, hand_over_the_tablet],
)  # fmt: skip
def test_a_record_on_which_something_rests_stays(begun: tuple[str, int], deed: Callable[[int], None]) -> None:
    _token, client_id = begun
    deed(client_id)
    time_goes_by()
    assert client_id in known()
    assert db.session.scalars(select(Checkout)).all() == [], "looked at once, not every round"


def test_a_warning_sign_stays_in_force_after_the_day(begun: tuple[str, int]) -> None:
    _token, client_id = begun
    warn(client_id)
    time_goes_by()
    stop = db.session.scalars(select(HealthStop)).one()
    assert (stop.client_id, stop.ended_at, stop.answers["rf_chest_pain_breathless"]) == (
        client_id,
        None,
        {"present": True},
    )


def test_a_refused_booking_keeps_its_judgement_and_its_record(world: w.World) -> None:
    result = w.online("deep_tissue", {"heart_failure": {"worsening": True}})
    before = known()
    time_goes_by()
    assert result.status == "released"
    assert known() == before


def test_a_finished_booking_is_left_alone(world: w.World) -> None:
    w.online("relaxation", {})
    before = known()
    time_goes_by()
    assert known() == before
    assert len(db.session.scalars(select(Checkout)).all()) == 1


def test_a_record_made_by_staff_stays(begun: tuple[str, int]) -> None:
    _token, client_id = begun
    by = desk()
    with transaction() as session:
        session.get_one(Client, client_id).created_by_id = by
    time_goes_by()
    assert known() == [client_id]


def test_who_signs_in_after_typing_a_name_leaves_no_second_record(begun: tuple[str, int]) -> None:
    token, typed = begun
    user = factories.make_user(email="nora@people.example", roles=[Role.CLIENT])
    own = factories.make_client(
        first_name="Nora", last_name="Walker", born_on=BORN, acts={user.id: "self"}
    ).id
    services.choose_person(token, own, user_id=user.id, now=NOW)
    assert known() == [own]
    assert typed not in known()


def test_a_begun_booking_is_no_look_alike(world: w.World, app: Flask, begun: tuple[str, int]) -> None:
    _token, client_id = begun
    twin = factories.make_client(
        first_name="Nora", last_name="Walker", born_on=BORN, email="nora@people.example"
    ).id
    owner = owner_browser(app)
    lists = ("/todo", "/clients/duplicates", f"/clients/{twin}")
    assert not any("/compare/" in owner.get(one).text for one in lists)
    assert unfinished.pairs() == []
    w.sign(client_id)
    assert len(unfinished.pairs()) == 1
    assert all("/compare/" in owner.get(one).text for one in lists)


def test_the_page_says_that_the_booking_is_gone(world: w.World, client: FlaskClient) -> None:
    walk.hold(client, "relaxation")
    walk.name(client)
    time_goes_by()
    page = client.get(walk.location(client.get("/book/who")))
    assert "could not find the booking you had begun" in page.text


@pytest.mark.parametrize("typed", [{"heart_failure": {"present": True, "worsening": False}}, WARNING])
@pytest.mark.parametrize("end", ["booked", "given up", "erased"])
def test_what_was_typed_before_signing_in_is_the_persons_and_of_nobody_else(
    app: Flask, begun: tuple[str, int], typed: dict[str, dict[str, bool]], end: str
) -> None:
    """It stands with the person, who may still choose another one; when the booking ends, the guest's record goes."""
    token, guest = begun
    user_id = factories.make_user(email="nora@people.example", roles=[Role.CLIENT]).id
    mine = clients.add_person(user_id, DETAILS, "self", region="US", now=NOW)
    intakes.save_draft(guest, "client", "intake", typed, now=NOW)
    services.choose_person(token, mine, user_id=user_id, now=NOW)
    assert known() == [guest, mine]
    shown = {one.table: list(one.rows) for one in copy_of(mine, user_id)}
    assert len(shown["client"]) == 2, "until then it is in the person's own copy"
    draft = db.session.scalars(select(IntakeDraft).where(IntakeDraft.client_id == mine)).one()
    assert next(iter(typed)) in draft.answered
    if end == "booked":
        for one in db.session.scalars(select(IntakeDraft)):
            if one.client_id == mine:
                db.session.delete(one)
        db.session.commit()
        w.sign_answers(mine, {})
        booked = services.confirm(token, user_id=user_id, now=NOW)
        assert booked.status == "pending", "they said something else before"
        assert known() == [guest, mine], "the visit waits for what was said there"
        with transaction() as session:
            visit = session.get_one(Visit, booked.visit_id)
            visit.status, ends_at = "cancelled", visit.ends_at
        time_goes_by(ends_at + dt.timedelta(hours=25))
        assert (guest in known()) == (typed is WARNING), "a warning sign is kept"
    elif end == "given up":
        time_goes_by()
        assert known() == [mine]
    else:
        services.leave(token, now=NOW)
        erasing.erase_person(mine, settings=app.config, by=None, now=NOW)
        db.session.rollback()
        left = db.session.scalars(select(Client)).all()
        assert {(one.first_name, one.email, one.phone) for one in left} == {("Erased", None, None)}
    kept = [one.client_id for one in db.session.scalars(select(IntakeDraft)) if one.client_id == guest]
    assert kept == ([guest] if end == "booked" and typed is WARNING else [])
