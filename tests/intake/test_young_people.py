"""Whoever is under age does not sign alone: a parent or guardian signs, and the young person agrees too."""

from __future__ import annotations

import datetime as dt

import pytest
from flask import Flask
from sqlalchemy import select

from clinic.booking.models import Visit
from clinic.booking.services import visits
from clinic.clients.models import ClientAccess
from clinic.intake import queries
from clinic.intake.models import HealthStop, Intake
from clinic.intake.services import checkins, consents, intakes
from clinic.rules.errors import InvalidInput
from clinic.rules.permissions import Role
from clinic.rules.visit_status import VisitStatus
from clinic.shared.database import db
from tests import factories
from tests.accounts.people import browser_of, make_person
from tests.booking import world as w
from tests.booking.desk import desk_browser
from tests.conftest import NOW
from tests.web import Visitor

SIXTEEN = dt.date(2010, 1, 1)
ALONE = intakes.Signature("Young Pat")
SIGNED = intakes.Signature("Ma Pat", "mother", young_person_agrees=True)
BY_PARENT = {"guardian_name": "Ma Pat", "guardian_relation": "mother", "young_person": "y"}


def submit(client: int, signature: intakes.Signature, **declared: dict[str, object]) -> int:
    return intakes.submit_intake(
        client, w.answers(**declared), signature, writer="client", source="online", consents={}, by=None,
        now=NOW, today=w.TODAY,
    )  # fmt: skip


def kinds(client: int) -> list[str]:
    db.session.rollback()
    return list(
        db.session.scalars(select(Intake.kind).where(Intake.client_id == client).order_by(Intake.version))
    )


@pytest.mark.parametrize(
    ("signature", "field"),
    [
        (ALONE, "guardian_relation"),
        (intakes.Signature("Some Friend", "carer", young_person_agrees=True), "guardian_relation"),
        (intakes.Signature("  ", "mother", young_person_agrees=True), "guardian_name"),
        (intakes.Signature("Ma Pat", "mother"), "young_person"),
    ],
    ids=["alone", "a friend", "no name", "the young person does not agree"],
)
def test_answers_of_a_young_person_need_a_guardian_and_their_own_yes(
    world: w.World, signature: intakes.Signature, field: str
) -> None:
    client = w.person(SIXTEEN)
    with pytest.raises(InvalidInput) as refused:
        intakes.submit_intake(
            client, w.answers(), signature, writer="client", source="online", consents={}, by=None, now=NOW,
            today=w.TODAY,
        )  # fmt: skip
    assert refused.value.field in (field, "signature")
    assert kinds(client) == []
    submit(client, SIGNED)
    for deed in (
        lambda: intakes.confirm_still_right(
            client, signature, source="online", by=None, now=NOW, today=w.TODAY
        ),
        lambda: checkins.take_check_in(
            client, None, signature, source="online", by=None, now=NOW, today=w.TODAY
        ),
    ):
        with pytest.raises(InvalidInput) as refused:
            deed()
        assert refused.value.field == field
    assert kinds(client) == ["full"]
    row = db.session.scalars(select(Intake)).one()
    assert row.signature == {
        "name": "Ma Pat", "relation": "mother", "points": None, "young_person_agrees": True,
    }  # fmt: skip


def test_a_warning_sign_stops_a_young_person_whoever_signs(world: w.World) -> None:
    client = w.person(SIXTEEN)
    submit(client, ALONE, rf_chest_pain_breathless={})
    assert len(db.session.scalars(select(HealthStop)).all()) == 1


def test_from_the_age_of_the_clinic_on_a_person_signs_alone(world: w.World) -> None:
    client = w.person(dt.date(2008, 6, 9))
    submit(client, ALONE)
    assert kinds(client) == ["full"]


def sixteen_with_consent() -> int:
    """Somebody of sixteen whose guardian signed the answers, and agreed to relaxation massage."""
    client = w.person(SIXTEEN)
    submit(client, SIGNED)
    consents.give_guardian_consent(
        client, name="Ma Pat", relation="mother", services=["relaxation"], will_be_in_room=True,
        signed_on=w.TODAY, by=None, now=NOW,
    )  # fmt: skip
    return client


def test_the_check_in_asks_for_the_guardian(app: Flask, world: w.World, now: dt.datetime) -> None:
    client = sixteen_with_consent()
    visit_id = w.at_desk(world, client, "relaxation", when=w.at(0, 15)).visit_id
    desk = desk_browser(app, world)
    address = f"/desk/visits/{visit_id}/check-in"
    assert "Full name of the parent or guardian" in desk.get(address).text
    for data in (
        {"step": "nothing"},
        {"step": "answered", "topic": "7", "c.alcohol_drugs_today": "no"},
    ):
        refused = desk.post(address, data=data)
        assert (refused.status_code, "it counts as the signature" in refused.text) == (422, True)
    assert kinds(client) == ["full"]
    desk.post(address, data={"step": "nothing", **BY_PARENT})
    assert kinds(client) == ["full", "checkin"]
    row = db.session.scalars(select(Intake).where(Intake.kind == "checkin")).one()
    assert (row.signature["name"], row.signature["relation"]) == ("Ma Pat", "mother")


BROKEN = {
    "step": "answered", "topic": "2", "c.rf_unchecked_trauma": "no", "c.acute_injury": "no",
    "c.fracture": "not_sure",
}  # fmt: skip
BIGGER = {"step": "chosen", "topic": "8"}


@pytest.mark.parametrize("told", [BROKEN, BIGGER], ids=["a yes", "something bigger"])
@pytest.mark.parametrize("is_late", [False, True])
def test_what_a_young_person_tells_alone_waits_for_the_guardian(
    app: Flask, world: w.World, now: dt.datetime, told: dict[str, str], is_late: bool
) -> None:
    client = sixteen_with_consent()
    user = make_person("own@people.example", Role.CLIENT)
    factories.save(ClientAccess(user_id=user.id, client_id=client, relation="self", since=NOW))
    asked, coming = (w.at_desk(world, client, "relaxation", when=w.at(0, at)).visit_id for at in (12, 15))
    assert asked is not None
    assert coming is not None
    browser, address = browser_of(app, "own@people.example"), f"/my/visits/{asked}/check-in"
    assert browser.get(address).status_code == 200
    if is_late:
        visits.cancel_visit(asked, by=world.desk_id, by_clinic=True, now=NOW)
    refused = browser.post(address, data=told)
    assert (refused.status_code, "it counts as the signature" in refused.text) == (422, True)
    no = {**BROKEN, "c.fracture": "no"}
    assert browser.post(address, data=no).status_code == (200 if is_late else 422), "alone, too"
    db.session.rollback()
    assert (kinds(client), queries.has_unsigned(client)) == (["full"], True)
    revision = db.session.get_one(Visit, coming).revision
    visits.mark_visit(coming, VisitStatus.ARRIVED, revision=revision, by=world.desk_id, now=w.at(0, 15))
    assert db.session.get_one(Visit, coming).status == "suspended"
    if told is BROKEN:
        browser.post(address, data={**BROKEN, **BY_PARENT})
        assert kinds(client) == ["full", "checkin"]
        assert not queries.has_unsigned(client)


def test_the_desks_pages_ask_who_signs(app: Flask, world: w.World, now: dt.datetime) -> None:
    client = w.person(SIXTEEN)
    desk = desk_browser(app, world)
    writer = f"user:{world.desk_id}"
    for source, more in (("desk", {}), ("paper", {"signed_on": w.TODAY.isoformat()})):
        intakes.save_draft(client, writer, "intake", w.answers(), now=NOW, replace=True)
        before = len(kinds(client))
        address = f"/clients/{client}/intake/{source}/sign"
        data = {"treatment": "y", "privacy": "y", "name": "Ma Pat", **more}
        refused = desk.post(address, data=data)
        assert (refused.status_code, "A parent or guardian has to sign" in refused.text) == (422, True)
        desk.post(address, data=data | BY_PARENT)
        assert len(kinds(client)) == before + 1
    assert {row.signature["relation"] for row in db.session.scalars(select(Intake))} == {"mother"}


def test_the_own_page_asks_who_signs(app: Flask, world: w.World, now: dt.datetime) -> None:
    client = w.person(SIXTEEN)
    user = make_person("own@people.example", Role.CLIENT)
    factories.save(ClientAccess(user_id=user.id, client_id=client, relation="self", since=NOW))
    intakes.save_draft(client, "client", "intake", w.answers(), now=NOW, replace=True)
    app.test_client_class = Visitor
    browser = browser_of(app, "own@people.example")
    data = {"treatment": "y", "privacy": "y", "name": "Young Pat"}
    refused = browser.post(f"/my/health/{client}/sign", data=data)
    assert (refused.status_code, "A parent or guardian has to sign" in refused.text) == (422, True)
    assert kinds(client) == []
    assert "Please check 5 answers" in browser.post(f"/my/health/{client}/sign").text  # all of them at once
    browser.post(f"/my/health/{client}/sign", data=data | BY_PARENT | {"name": "Ma Pat"})
    assert kinds(client) == ["full"]
