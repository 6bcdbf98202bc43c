"""Asked again at every booking: earlier answers alone confirm no visit, at the desk or online."""

from __future__ import annotations

import datetime as dt

import pytest
from flask import Flask
from sqlalchemy import select

from clinic.booking.models import Visit
from clinic.booking.services import checkout, visits
from clinic.booking.services.judging import judge_after_new_answers
from clinic.clients.models import ClientAccess
from clinic.intake.services import intakes
from clinic.rules.errors import InvalidInput
from clinic.rules.permissions import Role
from clinic.shared.database import db, transaction
from clinic.shared.mail import OutgoingMail
from tests import factories
from tests.booking import world as w
from tests.booking.desk import book, desk_browser
from tests.conftest import NOW

DAY = dt.timedelta(days=1)
LATER = NOW + dt.timedelta(minutes=5)
SIGNED = intakes.Signature("Pat Number")


def known(signed_at: dt.datetime = NOW - 300 * DAY) -> int:
    client = w.person(email="pat@people.example")
    w.sign(client, now=signed_at)
    return client


def visit_of(client: int) -> Visit:
    db.session.rollback()
    return db.session.scalars(select(Visit).where(Visit.client_id == client)).one()


def test_a_desk_booking_on_old_answers_waits_until_they_are_asked(world: w.World) -> None:
    client = known()
    assert w.at_desk(world, client, "swedish", reconfirmed=False).status == "pending"
    visit = visit_of(client)
    assert (visit.waiting_for, visit.permits, visit.to_reconfirm) == ("reconfirm", None, True)
    assert visit.deadline_at is not None
    mail = db.session.scalars(select(OutgoingMail)).one()
    assert "/visit/" in mail.text
    with transaction() as session:  # anything else that judges again confirms nothing
        judge_after_new_answers(session, client, by=None, now=LATER)
    assert visit_of(client).waiting_for == "reconfirm"
    intakes.confirm_still_right(client, SIGNED, source="desk", by=world.desk_id, now=LATER, today=w.TODAY)
    assert (visit_of(client).status, visit_of(client).to_reconfirm) == ("confirmed", False)


@pytest.mark.parametrize(("signed_at", "status"), [(NOW - DAY, "pending"), (NOW, "confirmed")])
def test_only_answers_of_the_day_stand_by_themselves(
    world: w.World, signed_at: dt.datetime, status: str
) -> None:
    assert w.at_desk(world, known(signed_at), "swedish", reconfirmed=False).status == status


def test_whoever_has_asked_says_so(world: w.World) -> None:
    assert w.at_desk(world, known(), "swedish", reconfirmed=True).status == "confirmed"


def test_moved_it_goes_on_waiting_and_keeps_its_new_time_longer(world: w.World) -> None:
    client = known()
    visit_id = w.at_desk(world, client, "swedish", reconfirmed=False).visit_id
    assert visit_id is not None
    before = visit_of(client)
    deadline, revision = before.deadline_at, before.revision
    visits.change_visit(visit_id, revision=revision, starts_at=w.at(6, 15), by=world.desk_id, now=NOW)
    visit = visit_of(client)
    assert (visit.status, visit.waiting_for) == ("pending", "reconfirm")
    assert visit.deadline_at is not None
    assert deadline is not None
    assert visit.deadline_at > deadline


def test_online_a_service_call_without_the_question_confirms_nothing(world: w.World) -> None:
    client = known()
    user_id = factories.make_user(email="own@people.example", roles=[Role.CLIENT]).id
    factories.save(ClientAccess(user_id=user_id, client_id=client, relation="self", since=NOW))
    token = checkout.hold_slot(None, w.choice("swedish"), w.at(3), first_visit=True, user_id=user_id, now=NOW)
    checkout.choose_person(token, client, user_id=user_id, now=NOW)
    with pytest.raises(InvalidInput):
        checkout.confirm(token, user_id=user_id, now=LATER)
    assert visit_of(client).status == "held"
    intakes.confirm_still_right(client, SIGNED, source="online", by=user_id, now=LATER, today=w.TODAY)
    assert checkout.confirm(token, user_id=user_id, now=LATER).status == "confirmed"


def test_the_desk_reads_the_questions_without_the_earlier_answers(
    app: Flask, world: w.World, now: dt.datetime
) -> None:
    client = w.person(email="pat@people.example")
    w.sign_answers(
        client,
        {"diabetes": {"status": "controlled", "complications": False, "insulin": False}},
        now=NOW - DAY,
    )
    desk = desk_browser(app, world)
    book(desk, client, "relaxation")
    visit = visit_of(client)
    page = desk.get(f"/desk/visits/{visit.id}").text
    assert "Read the questions now" in page
    assert "Send the link" in page
    questions = desk.get(f"/desk/visits/{visit.id}/check-in")
    assert questions.status_code == 200
    assert "Has anything changed?" in questions.text
    assert "diabetes" not in questions.text.lower()
    desk.post(f"/desk/visits/{visit.id}/check-in", data={"step": "nothing"})
    assert visit_of(client).status == "confirmed"


def test_the_mailed_link_asks_and_confirms(app: Flask, world: w.World, now: dt.datetime) -> None:
    client = known(NOW - DAY)
    w.at_desk(world, client, "swedish", reconfirmed=False)
    text = db.session.scalars(select(OutgoingMail.text)).one()
    link = "/visit/" + text.split("/visit/")[1].split()[0]
    browser = app.test_client()
    shown = browser.get(link).text
    assert "Say whether anything has changed" in shown
    assert "call us" not in shown, (
        "the one thing that is missing stands beside its button, and needs no telephone"
    )
    assert browser.get(f"{link}/check-in").status_code == 200
    answer = browser.post(f"{link}/check-in", data={"step": "nothing"})
    assert "Thank you" in answer.text
    assert visit_of(client).status == "confirmed"
