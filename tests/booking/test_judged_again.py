"""Whose visits are judged again when what counts changes, and what is kept and said of what came out."""

from __future__ import annotations

import datetime as dt
import re

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select, update

from clinic.booking.models import Screening, StatusChange, Visit
from clinic.booking.services import judging
from clinic.catalogue.models import Addon
from clinic.clients import queries as clients
from clinic.clients.models import Client
from clinic.shared.audit import AuditRow
from clinic.shared.database import db, transaction
from clinic.shared.mail import OutgoingMail
from tests.booking import world as w
from tests.conftest import NOW

pytestmark = pytest.mark.usefixtures("now")

PHONE = "(212) 555-0144"


@pytest.fixture
def people(world: w.World) -> dict[str, int]:
    """Four of the same phone, each with a visit."""
    ids = {
        "proven": w.person(phone=PHONE),
        "family": w.person(phone=PHONE),
        "unproven": w.person(phone=PHONE, is_unproven=True),
        "stranger": w.person(phone=PHONE, is_unproven=True),
    }
    for day, client in enumerate(ids.values(), start=3):
        w.sign(client)
        w.at_desk(world, client, "swedish", when=w.at(day))
    db.session.rollback()
    return ids


def judged_by(door: str, people: dict[str, int]) -> set[str]:
    """Whose visits were judged through this door, by what is kept of it."""
    db.session.rollback()
    found = set(db.session.scalars(select(Screening.client_id).where(Screening.door == door)))
    return {name for name, client in people.items() if client in found}


@pytest.mark.parametrize(
    ("who", "whose"),
    [
        ("proven", {"proven", "unproven", "stranger"}),
        ("family", {"family", "unproven", "stranger"}),
        ("unproven", {"unproven"}),
        ("stranger", {"stranger"}),
    ],
)
def test_new_answers_touch_an_unproven_look_alike_and_nobody_else(
    people: dict[str, int], who: str, whose: set[str]
) -> None:
    with transaction() as session:
        for row in session.scalars(select(Client).where(Client.id == people[who])):
            found = clients.people_like(row)
            assert found[0] is row
            assert {one.id for one in found} == {people[name] for name in whose}
    before = kept()
    w.sign(people[who], now=NOW + dt.timedelta(minutes=1))
    judged = [db.session.get_one(Screening, key) for key in kept() - before]
    assert {name for name in people if people[name] in {one.client_id for one in judged}} == whose
    assert {one.door for one in judged} == {"answers"}


def kept() -> set[int]:
    """The ids of all screenings; they are in no order."""
    db.session.rollback()
    return set(db.session.scalars(select(Screening.id)))


def test_what_is_known_of_a_look_alike_touches_the_unproven_alone(people: dict[str, int]) -> None:
    with transaction() as session:
        every = session.scalars(select(Client).where(Client.id.in_(people.values()))).all()
        judging.judge_unproven(session, every, door="therapist", by=None, now=NOW)
    assert judged_by("therapist", people) == {"unproven", "stranger"}


def test_answers_of_a_record_that_is_not_there_judge_nothing(people: dict[str, int]) -> None:
    before = kept()
    with transaction() as session:
        judging.judge_after_new_answers(session, max(people.values()) + 1000, by=None, now=NOW)
    assert kept() == before


def test_a_record_that_was_joined_with_another_is_passed_over(people: dict[str, int]) -> None:
    with transaction() as session:
        session.get_one(Client, people["family"]).merged_into_id = people["proven"]
    with transaction() as session:
        rows = [session.get_one(Client, people[name]) for name in ("family", "proven")]
        judging.judge_visits_of_all(session, rows, door="merge", by=None, now=NOW)
    assert judged_by("merge", people) == {"proven"}


def mails(visit_id: int) -> list[str]:
    """The names of the mails about this visit, oldest first."""
    keys = db.session.scalars(select(OutgoingMail.key).order_by(OutgoingMail.id))
    return [key.split(":")[0] for key in keys if f":{visit_id}:" in key]


def test_what_comes_out_is_kept_and_said(world: w.World) -> None:
    """Without answers it waits; with them it is on; with a condition nobody may be treated with it is off."""
    client = w.person(email="pat@people.example")
    visit_id = w.at_desk(world, client, "swedish").visit_id
    assert visit_id is not None
    steps = [
        ({}, "confirmed", True, "visit_confirmed_now", "permitted"),
        ({"heart_failure": {"worsening": False}}, "suspended", None, "visit_on_hold", "waiting"),
        (
            {"cancer_metastatic": {"bone_metastases": True}}, "cancelled", None, "visit_cannot_go_ahead", "refused"
        ),
    ]  # fmt: skip
    for minute, (declared, status, permits, mail, trace) in enumerate(steps, start=1):
        w.sign_answers(client, declared, now=NOW + dt.timedelta(minutes=minute))
        db.session.rollback()
        visit = db.session.get_one(Visit, visit_id)
        assert (visit.status, visit.permits, mails(visit_id)[-1]) == (status, permits, mail)
        step = select(StatusChange.reason).where(
            StatusChange.visit_id == visit_id, StatusChange.status == status
        )
        assert db.session.scalars(step).all() == ["judged again"]
        judged = db.session.scalars(
            select(AuditRow).where(AuditRow.deed == "visit.judged").order_by(AuditRow.sequence)
        ).all()
        assert (judged[-1].thing, judged[-1].thing_id) == ("visit", visit_id)
        assert judged[-1].detail["outcome"] == trace
        assert len(judged) == minute


def test_a_visit_that_was_on_and_may_not_be_given_any_more_rests_on_nothing(world: w.World) -> None:
    client = w.person()
    w.sign(client)
    visit_id = w.at_desk(world, client, "deep_tissue").visit_id
    w.sign(client, osteoporosis={"severity": "advanced"}, now=NOW + dt.timedelta(minutes=1))
    db.session.rollback()
    visit = db.session.get_one(Visit, visit_id)
    assert (visit.status, visit.permits) == ("cancelled", None)


def test_an_add_on_that_comes_off_takes_its_price_along_and_is_a_change_of_the_visit(world: w.World) -> None:
    """Whoever has the visit open as it was cannot save over it, and is not charged for what is not given."""
    client = w.person(email="pat@people.example")
    w.sign(client)
    visit_id = w.at_desk(world, client, "relaxation", addons=("hot_stone", "aromatherapy")).visit_id
    assert visit_id is not None
    before = db.session.get_one(Visit, visit_id)
    price, revision = before.price, before.revision
    stones = db.session.scalars(select(Addon.price).where(Addon.key == "hot_stone")).one()
    w.sign(
        client,
        now=NOW + dt.timedelta(minutes=1),
        diabetes={"status": "controlled", "complications": False, "insulin": False},
        reduced_feeling={"cause_known": True, "site": ["left_foot"]},
    )
    db.session.rollback()
    visit = db.session.get_one(Visit, visit_id)
    assert (visit.addons, visit.price, visit.revision) == (["aromatherapy"], price - stones, revision + 1)
    assert mails(visit_id)[-1] == "visit_changed"
    assert db.session.get_one(Screening, visit.screening_id).addons == ["aromatherapy"]


def test_an_add_on_that_is_much_dearer_by_now_takes_no_more_along_than_there_is(world: w.World) -> None:
    client = w.person()
    w.sign(client)
    visit_id = w.at_desk(world, client, "relaxation", addons=("hot_stone",)).visit_id
    with transaction() as session:
        session.execute(update(Addon).where(Addon.key == "hot_stone").values(price=300_00))
    w.sign(
        client,
        now=NOW + dt.timedelta(minutes=1),
        diabetes={"status": "controlled", "complications": False, "insulin": False},
        reduced_feeling={"cause_known": True, "site": ["left_foot"]},
    )
    db.session.rollback()
    visit = db.session.get_one(Visit, visit_id)
    assert (visit.addons, visit.price) == ([], w.catalogue_price("relaxation"))


def test_what_the_gate_waits_for_is_said_before_what_else_is_missing(world: w.World) -> None:
    """Asked whether the old answers still hold, somebody without any would never be led to the questions."""
    client = w.person(email="pat@people.example")
    visit_id = w.at_desk(world, client, "swedish").visit_id
    assert visit_id is not None
    told = mails(visit_id)
    with transaction() as session:
        session.get_one(Visit, visit_id).to_reconfirm = True
    with transaction() as session:
        judging.judge_after_new_answers(session, client, by=None, now=NOW)
    db.session.rollback()
    visit = db.session.get_one(Visit, visit_id)
    assert (visit.status, visit.waiting_for, visit.to_reconfirm) == ("pending", "intake", True)
    assert mails(visit_id) == told, "who waits already is not told again that they do"


def test_an_add_on_comes_off_a_visit_that_waited_and_the_rest_is_on(world: w.World) -> None:
    client = w.person()
    visit_id = w.at_desk(world, client, "relaxation", addons=("hot_stone",)).visit_id
    assert w.statuses(client) == ["pending"]
    w.sign(
        client,
        diabetes={"status": "controlled", "complications": False, "insulin": False},
        reduced_feeling={"cause_known": True, "site": ["left_foot"]},
    )
    db.session.rollback()
    visit = db.session.get_one(Visit, visit_id)
    assert (visit.status, visit.addons, visit.permits) == ("confirmed", [], True)


def test_the_mail_of_a_visit_on_hold_or_called_off_leads_to_its_page(app: Flask, world: w.World) -> None:
    """The page says what can be done; the key of the booking goes on working, and neither says what was told."""
    client = w.person(email="pat@people.example")
    w.sign(client)
    visit_id = w.at_desk(world, client, "swedish").visit_id
    assert visit_id is not None
    told: list[dict[str, dict[str, object]]] = [
        {"heart_failure": {"worsening": False}}, {"cancer_metastatic": {"bone_metastases": True}}
    ]  # fmt: skip
    for minute, (declared, words) in enumerate(
        zip(told, ("Not confirmed yet", "Cancelled"), strict=True), start=1
    ):
        w.sign_answers(client, declared, now=NOW + dt.timedelta(minutes=minute))
        db.session.rollback()
        text = db.session.scalars(select(OutgoingMail.text).order_by(OutgoingMail.id.desc())).first()
        link = re.search(r"/visit/[^\s]+", text or "")
        assert link, text
        with time_machine.travel(NOW + dt.timedelta(minutes=minute + 1), tick=False):
            page = app.test_client().get(link[0])
        assert page.status_code == 200
        assert words in page.text
        for health_word in ("heart", "cancer", "metast"):
            assert health_word not in (text or "").lower()
            assert health_word not in page.text.lower()
