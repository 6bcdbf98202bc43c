"""The client's side of a clinician's letter: asked for, sent in through every door, and nobody else's to open."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from clinic.accounts.models import User
from clinic.booking.models import Visit
from clinic.booking.services import lapses
from clinic.clients.models import ClientAccess
from clinic.intake.models import Clearance, ClearanceDocument, ClearanceLetter
from clinic.intake.services import clearances
from clinic.rules.booking_policy import LINKS_LAST
from clinic.rules.permissions import Role
from clinic.shared.database import db, transaction
from clinic.shared.mail import OutgoingMail
from tests import factories
from tests.booking import walk
from tests.booking import world as w
from tests.booking.desk import desk_browser
from tests.conftest import NOW
from tests.intake import letters
from tests.owners import browser_of

pytestmark = pytest.mark.usefixtures("now")

WAITS: Mapping[str, Mapping[str, object]] = {"heart_failure": letters.HEART}


def owner_of(client_id: int, email: str) -> User:
    """An account that may act for this client."""
    user: User = factories.make_user(email=email, roles=[Role.CLIENT])
    user_id = user.id
    with transaction() as session:
        session.add(ClientAccess(user_id=user_id, client_id=client_id, relation="self", since=NOW))
    return db.session.get_one(User, user_id)


def waiting_client(world: w.World) -> int:
    client = w.person(email="pat@people.example")
    w.sign(client, heart_failure=letters.HEART)
    w.at_desk(world, client, "relaxation")
    return client


def kept() -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(ClearanceDocument)) or 0


def test_right_after_booking_the_questions_are_shown_and_the_answer_taken(
    world: w.World, client: FlaskClient
) -> None:
    page = walk.book(client, "relaxation", declared=WAITS)
    assert "a doctor’s word is missing" in walk.heading(page)
    asked = client.get("/book/letter").text
    for words in (
        "Is it stable at present?",
        "How strong are the bones?",
        "blood clot",
        "medicines",
        "leave out",
        "light, long strokes",
    ):
        assert words in asked
    wrong = letters.upload(client, "/book/letter", (b"<svg/>", "letter.svg"))
    assert wrong.status_code == 422
    assert "Send a PDF or a photo" in wrong.text
    sent = letters.upload(client, "/book/letter", (letters.png(), "photo.png"))
    assert walk.location(sent) == "/book/done"
    done = client.get("/book/done").text
    assert "Until then nothing changes" in done
    assert "We have what you sent" in done
    assert db.session.scalars(select(Visit.status)).one() == "pending"
    assert kept() == 1


def test_a_letter_that_was_put_aside_is_not_called_received(world: w.World, client: FlaskClient) -> None:
    walk.book(client, "relaxation", declared=WAITS)
    letters.upload(client, "/book/letter", (letters.PDF, "a.pdf"))
    db.session.rollback()
    sent = db.session.scalars(select(ClearanceLetter.id)).one()
    clearances.refuse_letter(sent, "Nobody knows it at the office", by=letters.reviewer(), now=NOW)
    done = client.get("/book/done").text
    assert "does not help yet. Please call us." in done
    assert "We have what you sent" not in done
    assert "Nobody knows it" not in done


def test_suction_is_described_by_its_pressure(world: w.World, client: FlaskClient) -> None:
    walk.book(client, "decompression_vacuum", declared={"easy_bruising": {}}, areas=["lower_back"], mode="")
    asked = client.get("/book/letter").text
    assert "never more than 30 kPa (225 mmHg)" in asked


def test_the_mailed_link_takes_a_letter_and_shows_nothing(
    app: Flask, world: w.World, client: FlaskClient
) -> None:
    walk.book(client, "relaxation", declared=WAITS)
    mail = db.session.scalars(select(OutgoingMail.text)).all()
    token = re.search(r"/visit/([\w-]+)", "".join(mail))
    assert token
    stranger = app.test_client()
    page = stranger.get(f"/visit/{token[1]}")
    assert "Send us the paper" in page.text
    form = stranger.get(f"/visit/{token[1]}/letter").text
    assert "heart" not in form.lower()
    sent = letters.upload(stranger, f"/visit/{token[1]}/letter", (letters.PDF, "a.pdf"))
    assert walk.location(sent) == f"/visit/{token[1]}"
    assert letters.upload(stranger, f"/visit/{token[1]}/letter", (b"x", "a.pdf")).status_code == 422
    assert letters.upload(stranger, "/visit/none/letter", (letters.PDF, "a.pdf")).status_code == 404
    assert kept() == 1
    over = db.session.scalars(select(Visit.ends_at)).one()
    for later, status in ((LINKS_LAST - dt.timedelta(seconds=1), 200), (LINKS_LAST, 404)):
        with time_machine.travel(over + later, tick=False):
            assert stranger.get(f"/visit/{token[1]}").status_code == status


def test_own_account_asks_sends_and_saves(app: Flask, world: w.World) -> None:
    patient = waiting_client(world)
    browser = browser_of(app, owner_of(patient, "pat@people.example"))
    address = f"/my/health/{patient}/letters"
    assert "Heart failure" in browser.get(address).text
    assert "Is it stable at present?" in browser.get(f"/my/health/{patient}/questions").text
    assert letters.upload(browser, address).status_code == 422
    assert letters.upload(browser, address, (letters.jpeg(), "a.jpg")).status_code == 303
    assert "we are looking at it" in browser.get(address).text
    page = db.session.scalars(select(ClearanceDocument.id)).one()
    got = browser.get(f"/my/letters/{page}")
    assert got.data == letters.jpeg()
    assert got.headers["Content-Disposition"] == 'attachment; filename="letter-1.jpg"'
    assert w.statuses(patient) == ["pending"]


def test_somebody_elses_letter_looks_like_a_missing_one(app: Flask, world: w.World) -> None:
    patient, other = waiting_client(world), w.person()
    letters.send(patient)
    page = db.session.scalars(select(ClearanceDocument.id)).one()
    browser = browser_of(app, owner_of(other, "other@people.example"))
    for address in (
        f"/my/letters/{page}",
        f"/my/health/{patient}/letters",
        f"/my/health/{patient}/questions",
        "/my/letters/1",
    ):
        assert browser.get(address).status_code == 404
    assert letters.upload(browser, f"/my/health/{patient}/letters", (letters.PDF, "a.pdf")).status_code == 404
    assert browser.get(f"/reviews/pages/{page}").status_code == 403
    assert app.test_client().get(f"/my/letters/{page}").status_code == 303
    assert kept() == 1


def test_without_anything_that_waits_no_letter_is_asked_for(app: Flask, world: w.World) -> None:
    healthy = w.person()
    w.sign(healthy)
    browser = browser_of(app, owner_of(healthy, "healthy@people.example"))
    assert "no letter is needed" in browser.get(f"/my/health/{healthy}/letters").text
    assert "no letter is needed" in browser.get(f"/my/health/{healthy}/questions").text


def test_the_desk_asks_by_mail_in_neutral_words(app: Flask, world: w.World) -> None:
    patient = waiting_client(world)
    desk = desk_browser(app, world)
    assert desk.post(f"/clients/{patient}/letter/ask").status_code == 303
    assert desk.post(f"/clients/{patient}/letter/ask").status_code == 303
    mail = db.session.scalars(select(OutgoingMail).where(OutgoingMail.key.startswith("papers_needed"))).one()
    for word in ("doctor", "letter", "heart", "health", "clearance"):
        assert word not in (mail.subject + mail.text).lower()
    assert "/my" in mail.text


def test_letters_mails_hold_no_health_word(world: w.World) -> None:
    patient = waiting_client(world)
    reviewer = letters.reviewer()
    clearances.refuse_letter(letters.send(patient), "Not signed by anybody", by=reviewer, now=NOW)
    letters.verify(patient, reviewer, ends_on=w.at(9).date())
    lapses.warn_of_lapses(NOW)
    mails = db.session.scalars(select(OutgoingMail).where(OutgoingMail.key.startswith("papers"))).all()
    assert len(mails) == 2
    for mail in mails:
        for word in ("doctor", "letter", "heart", "clearance", "relaxation"):
            assert word not in (mail.subject + mail.text).lower()
    assert db.session.scalars(select(ClearanceLetter.decision)).all() != []


def test_a_letter_for_two_things_is_one_mail_when_it_runs_out(world: w.World) -> None:
    patient = w.person(email="pat@people.example")
    w.sign(patient, heart_failure=letters.HEART, sickle_cell={})
    w.at_desk(world, patient, "relaxation")
    letters.verify(patient, letters.reviewer(), "heart_failure", "sickle_cell", ends_on=w.at(9).date())
    assert lapses.warn_of_lapses(NOW) == 2
    assert lapses.warn_of_lapses(NOW) == 2
    assert len(run_out_mails()) == 1


def run_out_mails() -> list[str]:
    db.session.rollback()
    kept = select(OutgoingMail.text).where(OutgoingMail.key.startswith("papers_run_out"))
    return list(db.session.scalars(kept))


def test_the_mail_about_a_paper_leads_to_the_page_that_says_until_when(app: Flask, world: w.World) -> None:
    patient, reviewer = waiting_client(world), letters.reviewer()
    browser = browser_of(app, owner_of(patient, "pat@people.example"))
    address = f"/my/health/{patient}/letters"
    assert walk.location(browser.get("/my/papers")) == address
    letters.verify(patient, reviewer, ends_on=w.at(9).date())
    lapses.warn_of_lapses(NOW)
    assert "/my/papers" in run_out_mails()[0]
    page = browser.get(address).text.replace("\xa0", " ")
    assert "checked, good until Thursday 18 June<" in page
    assert "What you sent us is good until Thursday 18 June." in page
    row = db.session.scalars(select(Clearance.id)).one()
    clearances.withdraw_clearance(row, "Taken back by the doctor", by=reviewer, now=NOW)
    page = browser.get(address).text
    assert "does not count any more" in page
    assert "is good until" not in page


def test_of_several_people_the_mail_leads_to_the_one_it_is_about(app: Flask, world: w.World) -> None:
    patient, child = waiting_client(world), w.person()
    owner = owner_of(child, "pat@people.example")
    with transaction() as session:
        session.add(ClientAccess(user_id=owner.id, client_id=patient, relation="partner", since=NOW))
    browser = browser_of(app, owner)
    assert walk.location(browser.get("/my/papers")) == f"/my/health/{patient}/letters"
    letters.verify(patient, letters.reviewer())
    assert walk.location(browser.get("/my/papers")) == "/my"


def test_the_visit_says_what_became_of_the_paper(app: Flask, world: w.World) -> None:
    patient, reviewer = waiting_client(world), letters.reviewer()
    visit_id = db.session.scalars(select(Visit.id)).one()
    browser = browser_of(app, owner_of(patient, "pat@people.example"))
    for _ in ("nothing was sent", "what was sent does not last until then"):
        page = browser.get(f"/my/visits/{visit_id}").text
        assert ("We need a paper from you first." in page, "Send us the paper" in page) == (True, True)
        letters.verify(patient, reviewer, ends_on=w.at(1).date())
    sent = letters.send(patient, now=NOW + dt.timedelta(minutes=1))
    page = browser.get(f"/my/visits/{visit_id}").text
    assert "We have the paper that you sent on" in page
    assert ("Send us the paper" in page, "Send another paper" in page) == (False, True)
    clearances.refuse_letter(sent, "Nobody knows it at the office", by=reviewer, now=NOW)
    assert "does not help yet. Please call us." in browser.get(f"/my/visits/{visit_id}").text
    letters.send(patient, now=NOW + dt.timedelta(minutes=2))
    listed = browser.get(f"/my/health/{patient}/letters").text
    assert ("we are looking at it" in listed, "it did not help" in listed) == (True, True)
    assert "it does not help yet" not in listed


def test_what_was_put_aside_is_not_told_any_more_once_another_was_sent(
    world: w.World, client: FlaskClient
) -> None:
    walk.book(client, "relaxation", declared=WAITS)
    letters.upload(client, "/book/letter", (letters.PDF, "a.pdf"))
    db.session.rollback()
    sent = db.session.scalars(select(ClearanceLetter.id)).one()
    clearances.refuse_letter(sent, "Nobody knows it at the office", by=letters.reviewer(), now=NOW)
    letters.upload(client, "/book/letter", (letters.PDF, "a.pdf"))
    done = client.get("/book/done").text
    assert ("We have what you sent" in done, "does not help yet" in done) == (True, False)
