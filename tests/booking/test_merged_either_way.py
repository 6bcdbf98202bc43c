"""Two records are merged, whichever of them stays: who proved nothing reads and signs nothing more, by a booking that
was begun or by the link of a visit, and whoever has an account goes on where they were."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from clinic.booking.forms.choice import moment_text
from clinic.booking.models import Visit
from clinic.booking.services import people
from clinic.booking.services._steps import new_manage_key
from clinic.clients.models import Client
from clinic.intake.models import Intake
from clinic.intake.services import intakes
from clinic.rules.question_pages import pages
from clinic.shared.database import db, transaction
from tests import factories
from tests.booking import walk
from tests.booking import world as w
from tests.booking.test_after_merge import named_like
from tests.booking.test_gate_edges import HAEMOPHILIA
from tests.booking.test_pages_own import LAST_MONTH, Account
from tests.conftest import NOW

pytestmark = pytest.mark.usefixtures("now")
on_one_database = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
MINUTE = dt.timedelta(minutes=1)
NUMBERS = range(1, len(pages("intake")) + 1)


@pytest.fixture
def world(app: Flask) -> w.World:
    return w.build_for_two()


@pytest.fixture
def guest(app: Flask, world: w.World) -> FlaskClient:
    """A browser that is not signed in."""
    return app.test_client()


def merge(keep: int, lose: int, world: w.World) -> None:
    db.session.rollback()
    people.merge_clients(keep, lose, by=world.desk_id, now=NOW + MINUTE)
    db.session.rollback()


def named_and_kept(guest: FlaskClient, known: int, world: w.World) -> int:
    """A guest types somebody's name, and the desk keeps what was typed as that person's record."""
    walk.location(walk.hold(guest, "swedish"))
    walk.location(walk.name(guest, **named_like(known)))
    db.session.rollback()
    typed = db.session.scalars(select(Client.id).where(Client.id != known)).one()
    merge(typed, known, world)
    return typed


def ticked(browser: FlaskClient, address: str) -> dict[int, list[str]]:
    """By the number of the page: what is filled in there."""
    found = {}
    for number in NUMBERS:
        page = browser.get(f"{address}/{number}")
        boxes = re.findall(r"<input[^>]*>", page.text) if page.status_code == 200 else []
        found[number] = [one for one in boxes if re.search(r'name="[cf]\.', one) and " checked" in one]
    return {number: boxes for number, boxes in found.items() if boxes}


@on_one_database
def test_a_guest_does_not_read_what_the_person_typed(guest: FlaskClient, world: w.World) -> None:
    known = w.person(email="secret@people.example", guardian_name="Gil Secret", emergency_contact="Mum 555")
    intakes.save_draft(known, "client", "full", w.answers(bleeding_disorder=HAEMOPHILIA), now=NOW)
    named_and_kept(guest, known, world)
    assert ticked(guest, "/book/health") == {}
    page = guest.get("/book/who")
    assert "Gil Secret" not in page.text
    assert "Mum 555" not in page.text


def test_a_guest_signs_and_changes_nothing_on_the_record_that_stayed(
    guest: FlaskClient, world: w.World
) -> None:
    known = w.person(email="secret@people.example")
    w.sign(known, bleeding_disorder=HAEMOPHILIA)
    stays = named_and_kept(guest, known, world)
    walk.answer(guest)
    walk.sign(guest)
    like = named_like(known)
    walk.location(walk.name(guest, **{**like, "email": "third@people.example"}))
    db.session.rollback()
    assert db.session.scalars(select(Intake.client_id)).all() == [known]
    assert db.session.get_one(Client, stays).email == like["email"]
    other = db.session.scalars(select(Client.id).where(Client.email == "third@people.example")).one()
    assert db.session.get_one(Client, other).is_unproven


@on_one_database
@pytest.mark.parametrize("is_link_of_the_lost", [False, True])
def test_a_link_does_not_show_what_was_typed_on_a_merged_record(
    app: Flask, world: w.World, is_link_of_the_lost: bool
) -> None:
    invited, other = w.person(email="a@people.example"), w.person(email="b@people.example")
    visit_id = w.at_desk(world, invited, "relaxation").visit_id
    with transaction() as session:
        session.execute(update(Client).where(Client.id.in_([invited, other])).values(is_unproven=True))
        token = new_manage_key(session.get_one(Visit, visit_id))
    assert app.test_client().get(f"/visit/{token}/health/1").status_code == 200
    intakes.save_draft(
        other, "client", "full", {"bleeding_disorder": {"present": True, **HAEMOPHILIA}}, now=NOW
    )
    merge(*((other, invited) if is_link_of_the_lost else (invited, other)), world)
    assert ticked(app.test_client(), f"/visit/{token}/health") == {}
    assert app.test_client().get(f"/visit/{token}").status_code == 200


@on_one_database
def test_a_consent_can_still_be_put_off(app: Flask, world: w.World) -> None:
    born = dt.date(2010, 3, 3)
    account = Account(app, born_on=born, guardian_name="Mia")
    keep = w.person(born_on=born)
    for one in (account.client_id, keep):
        w.sign(one)
    account.choose("relaxation")
    merge(keep, account.client_id, world)
    browser = account.browser
    assert browser.get("/book/next").location == "/book/consent"
    browser.post("/book/consent", data={"go": "later"})
    assert browser.get("/book/next").location == "/book/check"


@on_one_database
def test_who_signed_in_this_very_booking_is_not_asked_again(app: Flask, world: w.World) -> None:
    account = Account(app)
    keep = w.person()
    account.choose("relaxation")
    walk.answer(account.browser)
    walk.location(walk.sign(account.browser))
    merge(keep, account.client_id, world)
    assert account.browser.get("/book/next").location == "/book/check"


@on_one_database
def test_a_couple_is_offered_by_the_record_of_today(app: Flask, world: w.World) -> None:
    """Nobody comes with themselves, and no time is offered at which the person is at another visit."""
    account = Account(app)
    keep = w.person()
    partner = factories.make_client(
        first_name="Paula", last_name="P", born_on=dt.date(1985, 5, 5), acts={account.user_id: "partner"}
    ).id
    w.sign(account.client_id, now=LAST_MONTH)
    for one in (keep, partner):
        w.sign(one)
    w.at_desk(world, keep, "relaxation", when=w.at(4))
    account.choose("relaxation")
    account.browser.post("/book/health", data={"go": "same"})
    merge(keep, account.client_id, world)
    asked = account.browser.get("/book/couple")
    assert asked.status_code == 200
    assert f'value="{partner}"' in asked.text
    assert f'value="{keep}"' not in asked.text
    offered = account.browser.post("/book/couple", data={"who": str(partner)})
    times = re.findall(r'name="start" value="([^"]+)"', offered.text)
    assert times
    busy = moment_text(w.at(4, 9, 15)), moment_text(w.at(4, 11))
    assert [one for one in times if busy[0] < one < busy[1]] == []
