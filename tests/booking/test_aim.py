"""What a visit is for: written by whoever comes or by the desk, sealed, read by whoever treats, judged by nobody."""

from __future__ import annotations

import datetime as dt

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, text

from clinic.booking.forms.aim import LONGEST
from clinic.booking.models import Visit
from clinic.booking.services import checkout, deadlines, people
from clinic.booking.services import visits as service
from clinic.booking.services.aims import say_aim
from clinic.clients.models import Client, ClientAccess
from clinic.keeping.services import erasing
from clinic.rules.errors import MoveNotAllowed, NotFound
from clinic.rules.permissions import Role
from clinic.shared import crypto, person_keys
from clinic.shared.audit import AuditRow
from clinic.shared.database import db, transaction
from clinic.shared.person_keys import PersonKey, key_name
from tests import factories
from tests.accounts.people import browser_of, make_person
from tests.booking import walk
from tests.booking import world as w
from tests.booking.desk import desk_browser
from tests.conftest import NOW
from tests.diary.staff import ME, Staffed, staffed

pytestmark = pytest.mark.usefixtures("now")

WISH = "A loose neck, nothing at the left knee"


@pytest.fixture
def clinic(app: Flask) -> Staffed:
    return staffed(app)


@pytest.fixture
def client(app: Flask, clinic: Staffed) -> FlaskClient:
    return app.test_client()


def kept() -> list[str | None]:
    """What is written, by visits that were not given back."""
    db.session.rollback()
    rows = db.session.scalars(select(Visit).where(Visit.status != "released").order_by(Visit.id))
    return [row.note for row in rows]


def booked(clinic: Staffed) -> tuple[int, int]:
    """A visit of today with the first therapist, and its client, whose account is own@people.example."""
    client = w.person()
    w.sign(client)
    visit_id = w.at_desk(clinic.world, client, "swedish", when=w.at(0, 15), therapist_id=clinic.me).visit_id
    user = make_person("own@people.example", Role.CLIENT)
    db.session.add(ClientAccess(user_id=user.id, client_id=client, relation="self", since=NOW))
    db.session.commit()
    assert visit_id is not None
    return visit_id, client


def test_it_is_written_on_the_last_page_and_kept_sealed(client: FlaskClient) -> None:
    walk.up_to_check(client, "swedish", {})
    assert walk.location(walk.confirm(client, aim=f"  {WISH}\n")) == "/book/done"
    assert kept() == [WISH]
    raw = db.session.execute(text("SELECT note_sealed FROM visit WHERE note_sealed IS NOT NULL")).scalar_one()
    assert b"knee" not in bytes(raw)
    assert "knee" not in str([row.detail for row in db.session.scalars(select(AuditRow))])


def test_too_much_is_said_at_the_field_and_nothing_is_booked_or_lost(client: FlaskClient) -> None:
    walk.up_to_check(client, "swedish", {})
    long = "x" * (LONGEST + 1)
    page = walk.confirm(client, aim=long)
    assert page.status_code == 422
    assert "at most 500 characters" in page.text
    assert long in page.text
    assert [one.status for one in db.session.scalars(select(Visit))] == ["held"]
    assert walk.location(walk.confirm(client, aim=long[1:])) == "/book/done"


def test_it_stays_when_something_else_is_looked_at_first(client: FlaskClient) -> None:
    walk.up_to_check(client, "swedish", {})
    assert client.post("/book/check/keep", data={"aim": WISH}).status_code == 204
    assert client.post("/book/check/keep", data={"aim": "x" * (LONGEST + 1)}).status_code == 204
    assert client.get("/book/health/sign").status_code == 200
    assert WISH in client.get("/book/check").text
    assert kept() == [WISH]


def test_it_goes_with_whoever_has_to_take_another_time(client: FlaskClient, clinic: Staffed) -> None:
    with time_machine.travel(NOW, tick=False) as clock:
        walk.up_to_check(client, "swedish", {})
        clock.shift(dt.timedelta(minutes=45))
        page = client.get("/book/check")
        for number in range(len(clinic.world.therapists)):
            other = w.person()
            w.sign(other)
            service.book_visit(
                w.choice("swedish"), other, w.at(3), request_key=f"k{number}", source="desk",
                by=clinic.world.desk_id, now=NOW + dt.timedelta(minutes=45),
            )  # fmt: skip
        gone = client.post("/book/check", data={"seen": walk.hidden(page, "seen"), "aim": WISH})
        assert gone.status_code == 409
        slot = walk.first(r'class="soon-slot" type="submit" name="slot" value="([^"]+)"', gone)
        walk.location(client.post("/book/swedish/times", data={"minutes": "60", "slot": slot}))
        assert WISH in client.get("/book/check").text
        assert walk.location(walk.confirm(client, aim=WISH)) == "/book/done"
    assert [one for one in kept() if one] == [WISH]


def sealed_for() -> list[tuple[int | None, int | None]]:
    """Of each visit with something written: whose it is, and whose key seals what is written."""
    db.session.rollback()
    found = []
    for row in db.session.scalars(select(Visit).where(Visit.note_sealed.is_not(None)).order_by(Visit.id)):
        key = person_keys.named(row.note_sealed or b"")
        ids = {key_name(one.id): one.client_id for one in db.session.scalars(select(PersonKey))}
        found.append((row.client_id, ids[key.name] if key is not None else None))
    return found


def one_account_for_two(clinic: Staffed) -> tuple[FlaskClient, int, int]:
    """Somebody who books for themselves and for a child, signed in; both have answered the health questions."""
    first, second = w.person(), w.person()
    user = make_person("own@people.example", Role.CLIENT)
    for one in (first, second):
        w.sign(one)
    for one, relation in ((first, "self"), (second, "parent")):
        db.session.add(ClientAccess(user_id=user.id, client_id=one, relation=relation, since=NOW))
    db.session.commit()
    return clinic.browser("own@people.example"), first, second


def test_at_another_time_it_lies_under_the_key_of_its_person(client: FlaskClient) -> None:
    """Else an old copy of the row could be read when they have been erased."""
    walk.up_to_check(client, "swedish", {})
    client.post("/book/check/keep", data={"aim": WISH})
    walk.location(walk.hold(client, "swedish", w.at(4)))
    ((whose, key),) = sealed_for()
    assert whose is not None
    assert whose == key
    assert WISH in client.get("/book/check").text
    assert walk.location(walk.confirm(client, aim=WISH)) == "/book/done"
    assert sealed_for() == [(whose, whose)]


def test_it_is_not_handed_to_somebody_else_who_comes_instead(app: Flask, clinic: Staffed) -> None:
    """Not when the time is for another of one's people, nor when a guest says another name; and erasing the one leaves
    the other's visit readable."""
    own, first, second = one_account_for_two(clinic)
    walk.location(walk.hold(own, "swedish", therapist=str(clinic.me)))
    assert own.post("/book/person", data={"person": str(first)}).status_code == 303
    walk.go_on(own)
    assert own.post("/book/check/keep", data={"aim": WISH}).status_code == 204
    assert own.post("/book/person", data={"person": str(second)}).status_code == 303
    page = walk.go_on(own)
    assert WISH not in page.text
    assert sealed_for() == []
    assert walk.location(walk.confirm(own, aim="A stiff back")) == "/book/done"
    assert sealed_for() == [(second, second)]
    erasing.erase_person(first, settings=app.config, by=None, now=NOW)
    (visit,) = db.session.scalars(select(Visit.id).where(Visit.client_id == second))
    assert "A stiff back" in clinic.browser(ME).get(f"/diary/visits/{visit}").text


def test_it_stays_with_a_guest_who_signs_in_during_the_booking(app: Flask, clinic: Staffed) -> None:
    """They are another record then, of the same name and birth date: it is sealed anew for that one."""
    own = app.test_client()
    walk.up_to_check(own, "swedish", {}, who={"email": "own@people.example"})
    assert own.post("/book/check/keep", data={"aim": WISH}).status_code == 204
    db.session.rollback()
    (guest,) = db.session.scalars(select(Visit.client_id).where(Visit.status == "held"))
    said = db.session.get_one(Client, guest)
    known = factories.make_client(
        first_name=said.first_name,
        last_name=said.last_name,
        born_on=said.born_on,
        email="known@people.example",
    ).id
    w.sign(known)
    user = make_person("own@people.example", Role.CLIENT)
    db.session.add(ClientAccess(user_id=user.id, client_id=known, relation="self", since=NOW))
    db.session.commit()
    token = visits_token(own)
    checkout.choose_person(token, known, user_id=user.id, now=NOW)
    assert sealed_for() == [(known, known)]
    assert kept() == [WISH]


def test_after_the_kept_time_ran_out_it_is_still_of_whoever_comes(app: Flask, clinic: Staffed) -> None:
    """The first one's words are not shown to the second, nor the second's to the first."""
    own, first, second = one_account_for_two(clinic)
    with time_machine.travel(NOW, tick=False) as clock:
        walk.location(walk.hold(own, "swedish", therapist=str(clinic.me)))
        own.post("/book/person", data={"person": str(first)})
        own.post("/book/check/keep", data={"aim": "words of the first"})
        clock.shift(dt.timedelta(minutes=50))
        deadlines.keep_deadlines(NOW + dt.timedelta(minutes=50))
        own.post("/book/person", data={"person": str(second)})
        assert "words of the first" not in own.get("/book/check").text
        own.post("/book/check/keep", data={"aim": "words of the second"})
        assert sealed_for() == [(second, second)]
        own.post("/book/person", data={"person": str(first)})
        assert "words of the second" not in own.get("/book/check").text
        own.post("/book/person", data={"person": str(second)})
        assert walk.location(walk.confirm(own, aim="words again")) == "/book/done"
    assert sealed_for() == [(second, second)]
    assert kept() == ["words again"]


def test_what_was_sealed_for_somebody_erased_is_not_there_and_stops_no_page(
    app: Flask, clinic: Staffed
) -> None:
    other, client = w.person(), w.person()
    w.sign(client)
    visit_id = w.at_desk(clinic.world, client, "swedish", when=w.at(0, 15), therapist_id=clinic.me).visit_id
    with transaction() as session:
        visit = session.get_one(Visit, visit_id)
        visit.note_sealed = crypto.seal(
            b'"wrong"', client_id=other, table="visit", column="note_sealed", row_id=visit.id
        )
    erasing.erase_person(other, settings=app.config, by=None, now=NOW)
    for address in ("/diary", f"/diary/visits/{visit_id}"):
        assert clinic.browser(ME).get(address).status_code == 200
    assert kept() == [None]


def visits_token(browser: FlaskClient) -> str:
    """The key of the booking that this browser is making."""
    with browser.session_transaction() as session:
        return str(session["checkout"])


def test_a_merge_seals_it_for_the_record_that_stays(app: Flask, clinic: Staffed) -> None:
    keep, lose = w.person(), w.person()
    for one in (keep, lose):
        w.sign(one)
    visit_id = w.at_desk(clinic.world, lose, "swedish", when=w.at(3), therapist_id=clinic.me).visit_id
    assert visit_id is not None
    say_aim(visit_id, WISH, by=None, now=NOW)
    assert sealed_for() == [(lose, lose)]
    people.merge_clients(keep, lose, by=clinic.world.desk_id, now=NOW)
    assert sealed_for() == [(keep, keep)]
    assert kept() == [WISH]


def test_what_they_looked_for_is_filled_in_and_can_be_taken_out(client: FlaskClient) -> None:
    client.get("/which-massage?goal=2")
    walk.up_to_check(client, "swedish", {})
    assert ">\nBetter sleep</textarea>" in client.get("/book/check").text.replace("\r\n", "\n")
    assert walk.location(walk.confirm(client, aim="")) == "/book/done"
    assert kept() == [None]
    walk.up_to_check(client, "relaxation", {}, when=w.at(5))
    assert "Better sleep" not in client.get("/book/check").text, "once"


def test_the_therapist_reads_it_and_the_desk_does_not(app: Flask, clinic: Staffed) -> None:
    visit_id, _client = booked(clinic)
    say_aim(visit_id, WISH, by=None, now=NOW)
    me, desk = clinic.browser(ME), desk_browser(app, clinic.world)
    for address in ("/diary", f"/diary/visits/{visit_id}"):
        assert WISH in me.get(address).text, address
    for address in ("/desk", f"/desk/visits/{visit_id}", "/todo"):
        assert "knee" not in desk.get(address).text, address


def test_the_client_writes_and_changes_it_until_the_visit_is_over(app: Flask, clinic: Staffed) -> None:
    visit_id, client = booked(clinic)
    own = clinic.browser("own@people.example")
    action = f"/my/visits/{visit_id}/aim"
    assert f'action="{action}"' in own.get(f"/my/visits/{visit_id}").text
    assert own.post(action, data={"aim": WISH}).status_code == 303
    assert kept() == [WISH]
    assert WISH in own.get(f"/my/visits/{visit_id}").text
    assert own.post(action, data={"aim": "y" * (LONGEST + 1)}).status_code == 422
    assert own.post(action, data={"aim": " "}).status_code == 303
    assert kept() == [None]
    make_person("else@people.example", Role.CLIENT)
    assert clinic.browser("else@people.example").post(action, data={"aim": "Mine now"}).status_code == 404
    own = browser_of(app, "own@people.example")
    service.cancel_visit(visit_id, by=None, by_clinic=True, now=NOW)
    assert own.post(action, data={"aim": WISH}).status_code == 409
    assert kept() == [None]
    assert f'action="{action}"' not in own.get(f"/my/visits/{visit_id}").text
    assert client


def test_the_desk_writes_it_down_with_the_visit(app: Flask, clinic: Staffed) -> None:
    client = w.person()
    w.sign(client)
    desk = desk_browser(app, clinic.world)
    form = {
        "client": str(client), "what": "swedish||60", "start": w.at(3).isoformat(), "request_key": "k", "aim": WISH,
        "day": w.at(3).date().isoformat(),
    }  # fmt: skip
    assert desk.post("/desk/visits/new", data=form | {"aim": "z" * (LONGEST + 1)}).status_code == 422
    assert kept() == []
    answer = desk.post("/desk/visits/new", data=form)
    assert answer.status_code == 303
    assert kept() == [WISH]
    assert "knee" not in desk.get(answer.location).text


def test_it_is_refused_where_there_is_no_visit_to_come(clinic: Staffed) -> None:
    visit_id, _client = booked(clinic)
    with pytest.raises(NotFound):
        say_aim(visit_id + 1, WISH, by=None, now=NOW)
    service.cancel_visit(visit_id, by=None, by_clinic=True, now=NOW)
    with pytest.raises(MoveNotAllowed):
        say_aim(visit_id, WISH, by=None, now=NOW)
