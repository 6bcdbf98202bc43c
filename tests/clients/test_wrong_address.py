"""A mistyped e-mail: whoever reads mail there sees nothing of the person once the desk has corrected it."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from clinic.accounts.models import User
from clinic.accounts.queries import hash_of
from clinic.booking.models import CallRequest, CheckinLink, Offer, Visit
from clinic.booking.services import links, sending, series, waitlist
from clinic.booking.services import visits as bookings
from clinic.booking.services._steps import tell_client
from clinic.booking.services.asking import ask_for_check_ins
from clinic.booking.services.people import merge_clients
from clinic.booking.services.series_starts import OneStart
from clinic.booking.timed_steps import follow
from clinic.catalogue.aftercare import GENERAL
from clinic.clients import choices
from clinic.clients import queries as clients
from clinic.clients.choices import Whose
from clinic.clients.models import Client
from clinic.rules.language import gettext
from clinic.rules.messages import AFTERCARE
from clinic.rules.permissions import Role
from clinic.rules.visit_status import VisitStatus
from clinic.rules.waitlist import When
from clinic.shared.audit import AuditRow
from clinic.shared.database import db, transaction
from clinic.shared.languages import speaking
from clinic.shared.mail import OutgoingMail
from tests import factories
from tests.booking import walk
from tests.booking import world as w
from tests.conftest import NOW
from tests.mailing import sent_at, words_of
from tests.owners import save_page
from tests.web import Visitor

pytestmark = pytest.mark.usefixtures("now")

WRONG, RIGHT = "wrong@people.example", "right@people.example"
SECRET = "Zanzibaramycin"
PASSWORD = "a long river otter lamp"


@pytest.fixture
def world(app: Flask) -> w.World:
    app.test_client_class = Visitor
    return w.build(check_in=True)


def books(app: Flask, email: str, **who: str) -> int:
    """Somebody books without signing in, and tells something; the number of their record."""
    told: dict[str, dict[str, object]] = {"doctor_said_no": {"reason": SECRET, "date": "2025-01-01"}}
    walk.book(app.test_client(), "relaxation", declared=told, who=walk.details(email=email, **who))
    db.session.rollback()
    return db.session.scalars(select(Client.id).where(Client.email == email)).one()


def enters(app: Flask, way: str, email: str) -> FlaskClient:
    """Whoever reads mail there takes the way to an account, and signs in."""
    somebody = app.test_client()
    somebody.post(way, data={"password": PASSWORD})
    somebody.post("/sign-in", data={"email": email, "password": PASSWORD})
    return somebody


def reads(browser: FlaskClient, client_id: int) -> bool:
    ways = (f"/my/health/{client_id}", f"/my/people/{client_id}/data.json")
    return any(SECRET in browser.get(way, buffered=True).text for way in ways)


def welcome_way(email: str) -> str:
    """The way in the last of the mails."""
    db.session.rollback()
    text = db.session.scalars(
        select(OutgoingMail.text)
        .where(OutgoingMail.kind == "welcome", OutgoingMail.to == email)
        .order_by(OutgoingMail.id.desc())
    ).first()
    assert text
    found = re.search(r"https?://[^/\s]+(/[\w/.-]+)", text)
    assert found
    return found[1]


def test_an_account_that_nobody_entered_goes_with_the_wrong_address(app: Flask, desk: FlaskClient) -> None:
    client_id = books(app, WRONG)
    way = welcome_way(WRONG)
    old = db.session.scalars(select(Visit.manage_hash).where(Visit.client_id == client_id)).one()
    assert save_page(desk, f"/clients/{client_id}/edit", email=RIGHT).status_code == 303
    assert not reads(enters(app, way, WRONG), client_id)
    assert [email for _id, _name, email, _relation in clients.may_act_for(client_id)] == [RIGHT]
    db.session.rollback()
    assert db.session.scalars(select(Visit.manage_hash).where(Visit.client_id == client_id)).one() != old
    to_right = {row.kind for row in db.session.scalars(select(OutgoingMail).where(OutgoingMail.to == RIGHT))}
    assert "welcome" in to_right
    assert to_right & {"visit_booked", "visit_waiting"}
    assert reads(enters(app, welcome_way(RIGHT), RIGHT), client_id)


def corrects(desk: FlaskClient, client_id: int, email: str) -> None:
    assert save_page(desk, f"/clients/{client_id}/edit", email=email).status_code == 303


def told(email: str) -> list[str]:
    """The kinds of what was mailed there, in order."""
    db.session.rollback()
    rows = select(OutgoingMail.kind).where(OutgoingMail.to == email).order_by(OutgoingMail.id)
    return list(db.session.scalars(rows))


def opens(app: Flask, text: str) -> bool:
    """Whether the first link of this mail leads to a page."""
    found = re.search(r"https?://[^/\s]+(/[\w/.-]+)", text)
    return found is not None and app.test_client().get(found[1]).status_code == 200


def has_account_and_link(app: Flask, client_id: int, email: str) -> bool:
    """Whether this person, and nobody else, has the account at this address, and their visit's page opens."""
    last = select(OutgoingMail.text).where(OutgoingMail.to == email, OutgoingMail.kind.startswith("visit_"))
    assert opens(app, db.session.scalars(last.order_by(OutgoingMail.id.desc())).first() or "")
    somebody = enters(app, welcome_way(email), email)
    acts = [one for _id, _name, one, _relation in clients.may_act_for(client_id)]
    return acts == [email] and reads(somebody, client_id)


@pytest.mark.parametrize("meanwhile", [WRONG, ""], ids=["another one", "none"])
def test_an_address_that_is_put_back_has_the_account_again(
    app: Flask, desk: FlaskClient, meanwhile: str
) -> None:
    client_id = books(app, RIGHT)
    corrects(desk, client_id, meanwhile)
    assert RIGHT not in [email for _id, _name, email, _relation in clients.may_act_for(client_id)]
    corrects(desk, client_id, RIGHT)
    assert has_account_and_link(app, client_id, RIGHT)


def test_a_wrong_address_is_taken_off_and_the_right_one_entered_later(app: Flask, desk: FlaskClient) -> None:
    client_id = books(app, WRONG, relation="parent")
    corrects(desk, client_id, "")
    corrects(desk, client_id, RIGHT)
    assert [one[3] for one in clients.may_act_for(client_id)] == ["parent"]
    assert "(parent)" in desk.get(f"/clients/{client_id}").text
    assert has_account_and_link(app, client_id, RIGHT)


def test_two_people_whose_addresses_were_mixed_up_have_an_account_each(app: Flask, desk: FlaskClient) -> None:
    ada = books(app, "bob@people.example", first_name="Ada", last_name="Stone", phone="(212) 555-0161")
    db.session.rollback()
    bob = walked(app, email="ada@people.example", first_name="Bob", last_name="Reed", phone="(212) 555-0162")
    corrects(desk, ada, "ada@people.example")
    corrects(desk, bob, "bob@people.example")
    assert has_account_and_link(app, ada, "ada@people.example")
    assert not reads(enters(app, welcome_way("bob@people.example"), "bob@people.example"), ada)
    assert [one[1:3] for one in clients.may_act_for(bob)] == [("Bob Reed", "bob@people.example")]


def walked(app: Flask, **who: str) -> int:
    """Somebody else books another day."""
    walk.book(app.test_client(), "relaxation", when=w.at(4), who=walk.details(**who))
    db.session.rollback()
    return db.session.scalars(select(Client.id).where(Client.email == who["email"])).one()


def test_a_first_address_opens_no_account_and_tells_of_what_is_to_come(
    app: Flask, desk: FlaskClient, world: w.World
) -> None:
    client_id = w.person(email=None)
    w.sign(client_id)
    w.at_desk(world, client_id, "relaxation", when=w.at(3, 15))
    corrects(desk, client_id, RIGHT)
    assert told(RIGHT) == ["visit_booked"]


def test_whoever_is_here_is_told_nothing_about_the_visit(
    app: Flask, desk: FlaskClient, world: w.World
) -> None:
    client_id = w.person(email=WRONG)
    w.sign(client_id)
    visit_id = w.at_desk(world, client_id, "relaxation", when=w.at(0, 15)).visit_id
    with transaction() as session:
        session.get_one(Visit, visit_id).status = VisitStatus.ARRIVED
    corrects(desk, client_id, RIGHT)
    assert told(RIGHT) == []


def test_the_link_that_stops_messages_is_for_the_address_of_today(app: Flask, desk: FlaskClient) -> None:
    client_id = w.person(email=WRONG)
    key = choices.stop_key(Whose(client_id=client_id), AFTERCARE)
    corrects(desk, client_id, RIGHT)
    anybody = app.test_client()
    way = f"/messages/stop/{key}"
    assert (anybody.get(way).status_code, anybody.post(way).status_code) == (404, 404)
    db.session.rollback()
    assert choices.wants(Whose(client_id=client_id), AFTERCARE)
    db.session.rollback()
    key = choices.stop_key(Whose(client_id=client_id), AFTERCARE)
    assert anybody.post(f"/messages/stop/{key}").status_code == 200
    assert not choices.wants(Whose(client_id=client_id), AFTERCARE)


def test_nothing_with_a_dead_link_leaves_after_the_address_was_corrected(
    app: Flask, desk: FlaskClient
) -> None:
    client_id = books(app, WRONG)
    corrects(desk, client_id, RIGHT)
    letters = sent_at(NOW + dt.timedelta(minutes=1))
    assert {one["To"] for one in letters} == {RIGHT}
    assert sorted(told(RIGHT)) == ["visit_waiting", "visit_waiting", "welcome"]
    assert [opens(app, words_of(one)) for one in letters] == [True, True], "one of each"


def test_what_a_worker_holds_while_the_address_is_corrected_is_not_tried_again(
    app: Flask, desk: FlaskClient
) -> None:
    client_id = books(app, WRONG)
    with transaction() as session:
        session.execute(update(OutgoingMail).values(lease_until=NOW + dt.timedelta(minutes=5), attempts=1))
    corrects(desk, client_id, RIGHT)
    letters = sent_at(NOW + dt.timedelta(minutes=1)) + sent_at(NOW + dt.timedelta(minutes=9))
    assert [(one["To"], opens(app, words_of(one))) for one in letters] == [(RIGHT, True)] * 2


@pytest.mark.parametrize("kind", ["visit_reminder", AFTERCARE])
def test_what_is_said_once_leaves_with_a_link_that_works(
    app: Flask, desk: FlaskClient, world: w.World, kind: str
) -> None:
    client_id = w.person(email=WRONG)
    w.sign(client_id)
    visit_id = w.at_desk(world, client_id, "relaxation", when=w.at(0, 15)).visit_id
    with transaction() as session:
        visit = session.get_one(Visit, visit_id)
        tell_client(
            session, visit, kind, now=NOW, about="x", advice="",
            stop_key=choices.stop_key(Whose(client_id=client_id), kind),
        )  # fmt: skip
        if kind == AFTERCARE:
            visit.status = VisitStatus.DONE
    corrects(desk, client_id, RIGHT)
    letters = sent_at(NOW + dt.timedelta(minutes=1))
    subjects = select(OutgoingMail.subject).where(OutgoingMail.kind == kind)
    db.session.rollback()
    subject = db.session.scalars(subjects).one()
    (letter,) = [one for one in letters if one["Subject"] == subject]
    links = re.findall(r"https?://[^/\s]+(/(?:visit|messages/stop)/[\w.-]+)", words_of(letter))
    assert (letter["To"], len(links)) == (RIGHT, 1)
    assert app.test_client().get(links[0]).status_code == 200
    assert letter["List-Unsubscribe"] is None or links[0] in letter["List-Unsubscribe"]


def test_the_questions_of_the_day_before_are_mailed_anew(
    app: Flask, desk: FlaskClient, world: w.World
) -> None:
    client_id = w.person(email=WRONG)
    w.sign(client_id, now=NOW - dt.timedelta(days=30))
    w.at_desk(world, client_id, "relaxation", when=w.at(0, 15))
    assert ask_for_check_ins(NOW) == 1
    corrects(desk, client_id, RIGHT)
    sent = sent_at(NOW + dt.timedelta(minutes=1))
    assert ask_for_check_ins(NOW + dt.timedelta(minutes=1)) == 1
    sent += sent_at(NOW + dt.timedelta(minutes=2))
    asked = [words_of(one) for one in sent if "/check-in/" in words_of(one)]
    assert [opens(app, one) for one in asked] == [True]


def test_the_mail_of_a_wish_leads_to_it_from_the_new_address(app: Flask, desk: FlaskClient) -> None:
    client_id = w.person(email=WRONG)
    joins(client_id)
    corrects(desk, client_id, RIGHT)
    (letter,) = sent_at(NOW + dt.timedelta(minutes=1))
    assert letter["To"] == RIGHT
    assert opens(app, words_of(letter))


def joins(client_id: int) -> None:
    """Onto the waitlist, for any of the next days."""
    days = When(w.TODAY, w.at(9).date())
    waitlist.join(w.choice("relaxation"), days, client_id, source="desk", by=None, now=NOW)


def test_nothing_else_that_was_mailed_to_the_wrong_address_opens_anything(
    app: Flask, desk: FlaskClient, world: w.World
) -> None:
    """A check-in would be signed in their name; an offer leads to the visit's own page."""
    client_id = w.person(email=WRONG)
    w.sign(client_id, now=NOW - dt.timedelta(days=30))
    visit_id = w.at_desk(world, client_id, "relaxation", when=w.at(0, 15)).visit_id
    visit = db.session.get_one(Visit, visit_id)
    later = visit.starts_at
    with transaction() as session:
        session.add(
            CheckinLink(visit_id=visit.id, token_hash=hash_of("check-in"), made_at=NOW, expires_at=later)
        )
        session.add(
            Offer(
                kind="given", visit_id=visit.id, starts_at=later, ends_at=visit.ends_at, expires_at=later,
                token_hash=hash_of("offer"), made_at=NOW,
            )
        )  # fmt: skip
    anybody = app.test_client()
    ways = ("/check-in/check-in", "/offer/offer")
    assert [anybody.get(way).status_code for way in ways] == [200, 200]
    assert save_page(desk, f"/clients/{client_id}/edit", email=RIGHT).status_code == 303
    assert [anybody.get(way).status_code for way in ways] == [404, 404]
    db.session.rollback()
    assert db.session.scalars(select(CheckinLink.id)).all() == [], "they are asked anew"
    assert "visit_given" in {
        row.kind for row in db.session.scalars(select(OutgoingMail).where(OutgoingMail.to == RIGHT))
    }


def test_a_series_is_told_again_in_one_mail(app: Flask, world: w.World, desk: FlaskClient) -> None:
    client_id = w.person(email=WRONG)
    w.sign(client_id)
    starts = [OneStart(w.at(day), world.therapists[0]) for day in (3, 10, 17)]
    series.book_series(
        w.choice("relaxation"), client_id, starts, every_weeks=1, request_key="series", source="desk", by=None,
        now=NOW,
    )  # fmt: skip
    db.session.rollback()
    assert save_page(desk, f"/clients/{client_id}/edit", email=RIGHT).status_code == 303
    db.session.rollback()
    told = db.session.scalars(select(OutgoingMail.kind).where(OutgoingMail.to == RIGHT)).all()
    assert [kind for kind in told if kind != "welcome"] == ["series_booked"]


def test_another_detail_leaves_account_and_links_alone(app: Flask, desk: FlaskClient) -> None:
    client_id = books(app, RIGHT)
    before = len(db.session.scalars(select(OutgoingMail.id)).all())
    assert save_page(desk, f"/clients/{client_id}/edit", phone="(212) 555-0155").status_code == 303
    assert len(db.session.scalars(select(OutgoingMail.id)).all()) == before
    assert reads(enters(app, welcome_way(RIGHT), RIGHT), client_id)


def test_staff_end_what_an_account_that_was_entered_may_do(app: Flask, desk: FlaskClient) -> None:
    client_id = books(app, WRONG)
    stranger = enters(app, welcome_way(WRONG), WRONG)
    assert reads(stranger, client_id)
    assert save_page(desk, f"/clients/{client_id}/edit", email=RIGHT).status_code == 303
    assert WRONG in desk.get(f"/clients/{client_id}").text, "it is theirs, or is it? Staff know"
    user_id = db.session.scalars(select(User.id).where(User.email == WRONG)).one()
    for _press in range(2):
        assert (
            desk.post(f"/clients/{client_id}/accounts/{user_id}/end", data={"sure": "1"}).location
            == f"/clients/{client_id}"
        )
    assert not reads(stranger, client_id)
    assert stranger.get("/my").status_code == 200
    assert "No account." in desk.get(f"/clients/{client_id}").text
    deeds = db.session.scalars(select(AuditRow).where(AuditRow.deed == "client.access_ended")).all()
    assert [(one.thing_id, one.detail) for one in deeds] == [(client_id, {"user": user_id})]
    assert desk.post(f"/clients/987654/accounts/{user_id}/end").status_code == 404


@pytest.mark.parametrize(
    ("entered", "email", "follows"),
    [(False, WRONG, False), (False, RIGHT, True), (True, WRONG, True)],
    ids=["nobody entered it", "at the kept record's address", "entered"],
)
def test_an_account_that_nobody_entered_follows_no_merge(
    app: Flask, desk: FlaskClient, entered: bool, email: str, follows: bool
) -> None:
    """Anybody may type a name and a birth date, and an address of their own."""
    person = books(app, email) if email == WRONG else books(app, "typed@people.example")
    if email == RIGHT:
        row = db.session.get_one(User, clients.own_account_ids(person)[0])
        row.email = RIGHT
        db.session.commit()
    kept = w.person(email=RIGHT)
    w.sign(kept, doctor_said_no={"reason": SECRET, "date": "2025-01-01"})
    user_id = clients.own_account_ids(person)[0]
    if entered:
        enters(app, welcome_way(WRONG), WRONG)
    db.session.rollback()
    merge_clients(
        kept,
        person,
        by=factories.make_user(email="f@c.example", name="F", roles=[Role.FRONT_DESK]).id,
        now=NOW,
    )
    assert (user_id in clients.own_account_ids(kept)) is follows
    db.session.rollback()


def joined(world: w.World, client_id: int, email: str | None, now: dt.datetime = NOW) -> int:
    """The record of somebody with this address, which that of the client was joined into."""
    kept = factories.make_client(
        first_name="Ann", last_name="Known", born_on=dt.date(1985, 5, 5), email=email, phone="(212) 555-0177"
    ).id
    db.session.rollback()
    merge_clients(kept, client_id, by=world.desk_id, now=now)
    db.session.rollback()
    return kept


def called_off(app: Flask, world: w.World) -> int:
    """The visit of whoever typed a wrong address is called off, which nobody has been told yet; their record."""
    client_id = books(app, WRONG)
    sent_at(NOW)
    visit_id = db.session.scalars(select(Visit.id).where(Visit.client_id == client_id)).one()
    bookings.cancel_visit(visit_id, by=world.desk_id, by_clinic=True, now=NOW, at_desk=True)
    db.session.rollback()
    return client_id


def over(world: w.World, status: VisitStatus, email: str | None) -> tuple[int, int]:
    """Somebody whose visit of today is left like this; their record, and the visit."""
    client_id = w.person(email=email)
    w.sign(client_id)
    visit_id = w.at_desk(world, client_id, "relaxation", when=w.at(0, 15)).visit_id
    assert visit_id is not None
    with transaction() as session:
        session.execute(update(OutgoingMail).values(sent_at=NOW))
        session.get_one(Visit, visit_id).status = status
    return client_id, visit_id


@pytest.mark.parametrize("known", [None, RIGHT], ids=["corrected", "known before"])
@pytest.mark.parametrize("waits", [False, True])
def test_a_called_off_visit_of_a_joined_record_is_told_at_the_address_of_today(
    app: Flask, desk: FlaskClient, world: w.World, known: str | None, waits: bool
) -> None:
    kept = joined(world, called_off(app, world), known)
    if known is None:
        corrects(desk, kept, RIGHT)
    later = NOW + dt.timedelta(minutes=5)
    if waits:
        sending.follow_addresses(later)
        assert "visit_called_off" in told(RIGHT)
    letters = sent_at(later)
    assert {one["To"] for one in letters} == {RIGHT}
    assert "visit_called_off" in told(RIGHT)


def test_who_is_called_about_a_visit_of_a_joined_record_is_the_person_of_today(
    app: Flask, desk: FlaskClient, world: w.World
) -> None:
    kept = joined(world, called_off(app, world), None)
    corrects(desk, kept, "")
    assert sent_at(NOW + dt.timedelta(minutes=5)) == []
    db.session.rollback()
    call = db.session.scalars(select(CallRequest)).one()
    assert (call.client_id, call.phone) == (kept, db.session.get_one(Client, kept).phone)


@pytest.mark.parametrize("email", [WRONG, None])
def test_what_is_written_about_a_visit_of_a_joined_record_is_for_the_person_of_today(
    app: Flask, world: w.World, email: str | None
) -> None:
    client_id, visit_id = over(world, VisitStatus.DONE, email)
    kept = joined(world, client_id, RIGHT, w.at(1, 9))
    with transaction() as session:
        session.get_one(Client, kept).language = "de"
        follow(session, session.get_one(Visit, visit_id), now=NOW)
    (letter,) = sent_at(w.at(1, 10))
    with speaking("de"):
        assert gettext(GENERAL[0]) in words_of(letter)
    assert (letter["To"], "Ann" in words_of(letter)) == (RIGHT, True)
    stop = re.search(r"/messages/stop/[\w.-]+", letter["List-Unsubscribe"])
    assert stop is not None
    assert app.test_client().post(stop[0]).status_code == 200
    assert not choices.wants(Whose(client_id=kept), AFTERCARE)


def test_the_link_of_a_visit_that_nobody_closed_goes_to_the_person_of_today(world: w.World) -> None:
    client_id, visit_id = over(world, VisitStatus.CONFIRMED, None)
    joined(world, client_id, RIGHT, w.at(1, 9))
    links.send_link_again(visit_id, by=world.desk_id, now=w.at(1, 9))
    assert told(RIGHT) == ["visit_booked"]


@pytest.mark.parametrize("status", [VisitStatus.DONE, VisitStatus.CANCELLED])
def test_no_link_of_a_visit_that_stayed_with_a_joined_record_opens_anything(
    app: Flask, desk: FlaskClient, world: w.World, status: VisitStatus
) -> None:
    """What waits for their answer is mailed again, to the address of now."""
    client_id, visit_id = over(world, status, WRONG)
    later = w.at(5)
    hashes = {"token_hash": hash_of("mailed"), "made_at": NOW, "expires_at": later}
    with transaction() as session:
        session.add(CheckinLink(visit_id=visit_id, **hashes))
        session.add(Offer(kind="given", visit_id=visit_id, starts_at=later, ends_at=later, **hashes))
    (text,) = db.session.scalars(select(OutgoingMail.text).where(OutgoingMail.to == WRONG))
    assert opens(app, text)
    kept = joined(world, joined(world, client_id, None), None)
    corrects(desk, kept, RIGHT)
    assert not opens(app, text)
    assert app.test_client().get("/offer/mailed").status_code == 404
    assert told(RIGHT) == ["visit_given"]
    assert db.session.scalars(select(CheckinLink.id)).all() == []
