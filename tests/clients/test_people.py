"""Clients at the desk: found, added, changed, noted, closed for online booking, compared and merged."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import Any

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from clinic.booking.models import Visit
from clinic.clients import queries, services
from clinic.clients.models import Client, NotSamePerson
from clinic.clients.steps import Details
from clinic.rules.permissions import Role
from clinic.rules.visit_status import NEEDING_PERMIT
from clinic.shared.database import db, transaction
from tests import factories
from tests.at_once import Deeds, deeds
from tests.booking import world as w
from tests.booking.desk import book
from tests.conftest import NOW
from tests.owners import browser_of
from tests.owners import deeds as audited
from tests.statements import counted

__all__ = ["deeds"]
pytestmark = pytest.mark.usefixtures("now")
BORN = dt.date(1980, 4, 1)
TYPED = {"first_name": "Nora", "last_name": "Newman", "born_on": "1990-02-03"}


def twins(**values: Any) -> tuple[int, int]:
    """Two records of one name and birth date."""
    return (
        factories.make_client(first_name="Ann", last_name="Same", born_on=BORN).id,
        factories.make_client(first_name="Ann", last_name="Same", born_on=BORN, **values).id,
    )


def good_visits() -> list[int | None]:
    db.session.rollback()
    db.session.expire_all()
    rows = select(Visit.client_id).where(Visit.status.in_(tuple(NEEDING_PERMIT))).order_by(Visit.id)
    return list(db.session.scalars(rows))


def test_a_client_is_added_found_and_changed(world: w.World, desk: FlaskClient) -> None:
    answer = desk.post("/clients/new", data={**TYPED, "phone": "212 555 4242"})
    assert answer.status_code == 303
    row = db.session.scalars(select(Client).where(Client.name_key == "nora newman")).one()
    assert (row.phone_key, row.born_on, row.created_by_id) == (
        "+12125554242",
        dt.date(1990, 2, 3),
        world.desk_id,
    )
    for text in ("new", "NORA", "4242"):
        assert "Nora Newman" in desk.get("/clients", query_string={"q": text}).text
    assert "Nobody found" in desk.get("/clients?q=zzz").text
    edited = desk.post(
        f"/clients/{row.id}/edit", data={**TYPED, "last_name": "Older", "phone": "212 555 4242"}
    )
    assert edited.status_code == 303
    assert "Nora Older" in desk.get(f"/clients/{row.id}").text


def test_somebody_with_one_name_is_kept_and_changed_without_a_second(
    world: w.World, desk: FlaskClient
) -> None:
    assert desk.post("/clients/new", data={**TYPED, "last_name": "-"}).status_code == 303
    row = db.session.scalars(select(Client).where(Client.name_key == "nora")).one()
    assert (row.name, row.last_name) == ("Nora", "")
    assert 'value="-"' in desk.get(f"/clients/{row.id}/edit").text
    assert desk.post(f"/clients/{row.id}/edit", data={**TYPED, "last_name": "-"}).status_code == 303
    db.session.rollback()
    assert queries.client(row.id).name == "Nora"  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"first_name": ""}, "Enter the first name."),
        ({"last_name": " "}, "Enter the last name."),
        ({"born_on": ""}, "Enter the birth date"),
        ({"born_on": "1990-02-31"}, "Enter the birth date"),
        ({"born_on": "2190-01-01"}, "future"),
        ({"born_on": "1700-01-01"}, "Check the year"),
        ({"email": "nora"}, "does not look like an e-mail"),
        ({"phone": "call me"}, "does not look like a phone number"),
        ({"first_name": "x" * 500}, "at most 80"),
    ],
    ids=str,
)
def test_what_cannot_be_is_said_at_its_field_and_kept(
    world: w.World, desk: FlaskClient, changes: dict[str, str], words: str
) -> None:
    page = desk.post("/clients/new", data={**TYPED, **changes})
    assert page.status_code == 422
    assert words in page.text
    kept = "Nora" if "first_name" not in changes else "Newman"
    assert f'value="{kept}"' in page.text
    assert queries.search("newman") == []
    one = w.person()
    assert desk.post(f"/clients/{one}/edit", data={**TYPED, **changes}).status_code == 422


def test_a_phone_is_found_in_the_digits_in_which_it_was_typed(app: Flask) -> None:
    factories.make_client(first_name="Mona", last_name="Weber", born_on=BORN, phone="(212) 555-0187")
    factories.make_client(first_name="Kurt", last_name="Weber", born_on=BORN, phone="(212) 555-0143")
    for text in ("0187", "٠١٨٧", "٥٥٥-٠١٨٧", "0212 555 018"):
        assert [one.phone for one in queries.search(text)] == ["(212) 555-0187"], text


def test_too_little_to_search_by_asks_for_more_not_for_less(world: w.World, desk: FlaskClient) -> None:
    for short in ("n", "12", "-"):
        assert "Type two letters of a name" in desk.get("/desk/search", query_string={"q": short}).text, short
    assert "Try fewer letters" in desk.get("/desk/search", query_string={"q": "nn"}).text


@pytest.mark.parametrize(
    ("first", "last", "typed"),
    [
        ("Zoë", "O’Brien-Ålström", ["obr", "o'brien", "O’BRI", "o'b", "brien", "alstrom", "zoe obrien"]),
        ("Đặng", "Thị Mỹ Hạnh", ["dan", "đặng", "hanh dang"]),
        ("Łukasz", "Sørensen", ["luk", "soren", "łukasz sørensen"]),
        ("Işıl", "Yıldız", ["yil"]),
        ("Anna", "D'Angelo", ["dang", "angelo", "d'a"]),
        ("نور", "عبد الرحمن", ["عبد"]),
    ],
)
def test_a_name_is_found_however_it_is_typed(app: Flask, first: str, last: str, typed: list[str]) -> None:
    factories.make_client(first_name=first, last_name=last, born_on=BORN)
    factories.make_client(first_name="Kurt", last_name="Weber", born_on=BORN)
    for text in typed:
        assert [one.name for one in queries.search(text)] == [f"{first} {last}"], text


@pytest.mark.parametrize(
    "text", ["x" * 60_000, "@" * 60_000, "1" * 60_000, "nn " * 20_000], ids=lambda one: one[:3]
)
def test_a_text_longer_than_any_name_finds_nobody_wherever_it_is_searched_for(
    world: w.World, desk: FlaskClient, text: str
) -> None:
    """SQLite takes no such pattern, and neither database so many words: the desk was told that it does not answer."""
    one = w.person()
    assert (queries.search(text), queries.page(1, 10, text)) == ([], ([], 0))
    for path in ("/clients", "/desk/search", "/desk/visits/new", "/desk/waitlist/new"):
        assert desk.get(path, query_string={"q": text}).status_code == 200, path
    for path in ("/desk/visits/new", f"/clients/{one}/couple/new"):
        assert desk.post(path, data={"q": text}).status_code == 422, path


def test_the_longest_name_and_mail_are_found_whole(app: Flask) -> None:
    email = f"{'n' * 64}@{'p' * 181}.example"
    one = factories.make_client(first_name="N" * 80, last_name="W" * 80, born_on=BORN, email=email)
    for text in (one.name, email):
        assert [found.id for found in queries.search(text)] == [one.id]


def test_somebody_who_looks_the_same_is_shown_first(world: w.World, desk: FlaskClient) -> None:
    factories.make_client(first_name="Nóra", last_name="NEWMAN", born_on=dt.date(1990, 2, 3))
    page = desk.post("/clients/new", data=TYPED)
    assert (page.status_code, len(queries.search("newman"))) == (422, 1)
    assert "Is it one of these people?" in page.text
    assert desk.post("/clients/new", data={**TYPED, "nobody_known": "1"}).status_code == 303
    assert len(queries.search("newman")) == 2


MADE = Details(
    first_name="Nora",
    last_name="Newman",
    born_on=dt.date(1990, 2, 3),
    phone="212 555 4242",
    emergency_contact="Mum",
)


def test_a_new_client_whose_button_is_pressed_twice_at_one_moment_is_one_record(
    world: w.World, deeds: Deeds
) -> None:
    numbers: list[int] = []

    def press() -> None:
        numbers.append(services.create_client(MADE, region="US", by=world.desk_id, now=NOW))

    deeds.stop_in(services, "add_client")
    assert deeds.do(press, press) == ("done", "done")
    assert len(numbers) == 2
    assert list(db.session.scalars(select(Client.id).where(Client.name_key == "nora newman"))) == [numbers[0]]
    assert numbers[0] == numbers[1]
    assert len([deed for deed, _fields in audited() if deed == "client.created"]) == 1


@pytest.mark.parametrize(
    "other",
    [
        {"phone": "212 555 4243"},
        {"emergency_contact": "Dad"},
        {"born_on": dt.date(1990, 2, 4)},
        {"last_name": "Newton"},
    ],
)
def test_who_differs_in_anything_is_somebody_else(world: w.World, other: dict[str, Any]) -> None:
    first = services.create_client(MADE, region="US", by=world.desk_id, now=NOW)
    second = services.create_client(
        dataclasses.replace(MADE, **other), region="US", by=world.desk_id, now=NOW
    )
    assert first != second


@pytest.mark.parametrize(("minutes", "is_one"), [(5, True), (6, False)])
def test_the_same_typed_later_is_another_record(world: w.World, minutes: int, is_one: bool) -> None:
    first = services.create_client(MADE, region="US", by=world.desk_id, now=NOW)
    later = NOW + dt.timedelta(minutes=minutes)
    assert (services.create_client(MADE, region="US", by=world.desk_id, now=later) == first) == is_one
    other = factories.make_user(email="other@clinic.example", roles=[Role.FRONT_DESK]).id
    for by, is_somebody_else in ((other, False), (world.desk_id, True)):
        made = services.create_client(MADE, region="US", by=by, now=NOW, is_somebody_else=is_somebody_else)
        assert made != first


def test_a_changed_birth_date_is_judged_at_once(world: w.World, desk: FlaskClient) -> None:
    client = factories.make_client(first_name="Nora", last_name="Newman", born_on=dt.date(1990, 2, 3)).id
    w.sign(client)
    book(desk, client, "relaxation")
    assert w.statuses(client) == ["confirmed"]
    desk.post(f"/clients/{client}/edit", data={**TYPED, "born_on": "2012-02-03"})
    assert w.statuses(client) == ["suspended"]
    desk.post(f"/clients/{client}/edit", data=TYPED)
    assert w.statuses(client) == ["confirmed"]


def test_a_note_whose_button_is_pressed_twice_is_kept_once(world: w.World, desk: FlaskClient) -> None:
    client = w.person()
    for minutes, text in ((0, "Rang, nobody there"), (1, " Rang, nobody there "), (1, "Rang"), (8, "Rang")):
        with time_machine.travel(NOW + dt.timedelta(minutes=minutes), tick=False):
            desk.post(f"/clients/{client}/notes", data={"text": text})
    db.session.rollback()
    assert [one.text for one in queries.notes(client)] == ["Rang", "Rang", "Rang, nobody there"]


def test_notes_are_for_staff_and_the_reason_of_a_bar_for_the_owner(
    app: Flask, world: w.World, desk: FlaskClient
) -> None:
    client = w.person()
    owner = browser_of(app, factories.make_user(email="olive@clinic.example", roles=[Role.OWNER]))
    assert desk.post(f"/clients/{client}/notes", data={"text": "  "}).status_code == 422
    assert desk.post(f"/clients/{client}/notes", data={"text": "Likes the window room"}).status_code == 303
    assert desk.get(f"/clients/{client}/online").status_code == 403
    assert desk.post(f"/clients/{client}/online", data={"reason": "x", "barred": "yes"}).status_code == 403
    assert owner.post(f"/clients/{client}/online", data={"reason": "", "barred": "yes"}).status_code == 422
    reason = {"reason": "Shouted at Robin", "barred": "yes"}
    assert owner.post(f"/clients/{client}/online", data=reason).status_code == 303
    db.session.rollback()
    assert db.session.get_one(Client, client).is_barred_online
    card = desk.get(f"/clients/{client}").text
    assert "Likes the window room" in card
    assert "booked by the desk only" in card
    assert "Shouted" not in card
    assert "Shouted at Robin" in owner.get(f"/clients/{client}/online").text
    owner.post(f"/clients/{client}/online", data={"reason": "Said sorry", "barred": "no"})
    db.session.rollback()
    assert not db.session.get_one(Client, client).is_barred_online


def test_a_healthy_record_merged_with_a_blocked_one_is_judged_by_both(
    world: w.World, desk: FlaskClient
) -> None:
    healthy, blocked = twins()
    w.sign(healthy)
    w.sign(blocked, blood_clot={"status": "current", "date": "2026-05-01", "still_on_treatment": True})
    book(desk, healthy, "relaxation")
    assert good_visits() == [healthy]
    page = desk.get(f"/clients/{healthy}/compare/{blocked}").text
    assert "same name and birth date" in page.lower()
    assert "clot" not in page
    address, form = f"/clients/{healthy}/compare/{blocked}", {"decision": str(healthy)}
    assert "1, the next on Friday 12 June" in desk.get(address).text
    sure = desk.post(address, data=form).text
    assert "cannot be undone" in sure
    older = min(healthy, blocked)
    stays, goes = ("older", "newer") if healthy == older else ("newer", "older")
    assert f"The {stays} record stays" in sure
    assert f"The {goes} record becomes part of it" in sure
    assert good_visits() == [healthy]
    assert desk.post(address, data={**form, "sure": "1"}).status_code == 303
    assert good_visits() == []
    assert w.statuses(healthy) == ["suspended"]  # somebody with clinical review looks at the two sheets first
    book(desk, healthy, "relaxation", when=w.at(4))
    assert w.statuses(healthy) == ["suspended", "pending"]
    desk.get("/todo")  # takes the message away
    assert desk.get(f"/clients/{blocked}").text == desk.get(f"/clients/{healthy}").text


@pytest.mark.parametrize("stays", ["healthy", "other"])
def test_a_booked_visit_follows_the_record_that_stays(world: w.World, desk: FlaskClient, stays: str) -> None:
    one, other = twins()
    w.sign(one)
    w.sign(other)
    book(desk, one, "relaxation")
    keep = one if stays == "healthy" else other
    desk.post(f"/clients/{one}/compare/{other}", data={"decision": str(keep), "sure": "1"})
    assert good_visits() == [keep]


def test_who_looks_alike_is_asked_once_and_anew_after_each_change(app: Flask) -> None:
    first, second = twins()
    third = factories.make_client(first_name="Ann", last_name="Other", born_on=BORN).id

    def alike() -> list[int]:
        return [one.id for one in queries.look_alikes(db.session.get_one(Client, first))]

    with transaction() as session:
        kept = session.get_one(Client, first)  # or it would be read again for the question
        assert alike() == [second]
        with counted() as sent:
            assert (alike(), sent) == ([second], [])
        session.get_one(Client, third).alike_name = kept.alike_name
        assert alike() == [second, third]
        session.get_one(Client, second).merged_into_id = third
        assert alike() == [third]
        session.add(NotSamePerson(client_id=first, other_id=third, decided_at=NOW))
        assert alike() == []
        session.rollback()
    assert alike() == [second]


def test_two_people_are_kept_apart_and_not_offered_again(
    app: Flask, world: w.World, desk: FlaskClient
) -> None:
    known = factories.make_client(first_name="Ann", last_name="Same", born_on=BORN).id
    stranger = factories.make_client(first_name="Ann", last_name="Same", born_on=BORN, is_unproven=True).id
    w.sign(known, heart_failure={"worsening": False})
    w.sign(stranger)
    book(desk, stranger, "swedish")
    assert w.statuses(stranger) == ["pending"]
    assert "Compare with Ann Same" in desk.get(f"/clients/{known}").text
    address = f"/clients/{known}/compare/{stranger}"
    # one of them is not safe for everything: the desk may not take that away
    assert desk.post(address, data={"decision": "two"}).status_code == 303
    assert "A therapist has to decide this one" in desk.get(address).text
    assert (w.statuses(stranger), len(queries.pairs())) == (["pending"], 1)
    therapist = browser_of(app, factories.make_user(email="th@clinic.example", roles=[Role.THERAPIST]))
    assert "Ann Same" in therapist.get("/reviews/people").text
    assert desk.get("/reviews/people").status_code == 403
    assert desk.post(f"/reviews/people/{known}/{stranger}").status_code == 403
    assert therapist.post(f"/reviews/people/{known}/77").status_code == 303
    assert w.statuses(stranger) == ["pending"]
    assert therapist.post(f"/reviews/people/{known}/{stranger}").status_code == 303
    assert w.statuses(stranger) == ["confirmed"]
    assert queries.pairs() == []
    assert "Nothing waits for you" in therapist.get("/reviews/people").text
    assert "Nothing to decide" in desk.get("/clients/duplicates").text


def test_the_desk_parts_two_healthy_people_by_itself(world: w.World, desk: FlaskClient) -> None:
    one, other = twins()
    w.sign(one)
    answer = desk.post(f"/clients/{one}/compare/{other}", data={"decision": "two"})
    assert (answer.status_code, queries.pairs()) == (303, [])


@pytest.mark.parametrize("decision", ["", "three", "99999", "-1"])
def test_a_decision_that_is_none_changes_nothing(world: w.World, desk: FlaskClient, decision: str) -> None:
    one, other = twins()
    desk.post(f"/clients/{one}/compare/{other}", data={"decision": decision})
    assert len(queries.pairs()) == 1


def test_families_that_share_a_phone_are_listed_with_what_they_share(
    world: w.World, desk: FlaskClient
) -> None:
    for name in ("Mia", "Noah"):
        factories.make_client(first_name=name, last_name="Ray", born_on=BORN, phone="(212) 555-3131")
    [pair] = queries.pairs()
    assert (pair.first.name, pair.second.name, pair.shared) == ("Mia Ray", "Noah Ray", ("same phone",))
    assert "Same phone" in desk.get("/clients/duplicates").text


def test_records_that_share_several_things_are_listed_once(app: Flask) -> None:
    def made(first: str, email: str | None, phone: str | None = None, *, into: int | None = None) -> int:
        return factories.make_client(
            first_name=first, last_name="Same", born_on=BORN, email=email, phone=phone, merged_into_id=into
        ).id

    first = made("Ann", "ann@people.example", "(212) 555-3131")
    second = made("ann", "ANN@people.example", "+1 212 555 3131")
    made("Ann", "ann@people.example", into=first)
    by_mail = made("Bo", "ann@people.example")
    made("Cy", None)
    made("Di", None)
    assert {(pair.first.id, pair.second.id): pair.shared for pair in queries.pairs()} == {
        (first, second): ("same name and birth date", "same phone", "same e-mail"),
        (first, by_mail): ("same e-mail",),
        (second, by_mail): ("same e-mail",),
    }


@pytest.mark.parametrize(
    "address",
    ["/clients/77", "/clients/77/edit", "/clients/77/intake", "/clients/77/consent", "/clients/77/compare/78",
     "/desk/visits/77", "/desk/visits/77/change", "/desk/visits/77/cancel", "/clients/77/intake/desk/1",
     "/clients/77/intake/other/1"],
)  # fmt: skip
def test_nobody_there_is_a_plain_page(world: w.World, desk: FlaskClient, address: str) -> None:
    assert desk.get(address).status_code == 404
