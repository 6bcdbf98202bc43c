"""The desk's pages ask by themselves whether anything has changed; rooms and devices, the search box, the day sheet."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from clinic.accounts.models import UserSession
from clinic.booking.models import Visit
from clinic.booking.services import calls, checkout, time_off, visits
from clinic.clients.models import Client
from clinic.diary.queries import find
from clinic.diary.queries.desk import desk_day
from clinic.premises.models import Room
from clinic.rules.permissions import Permission, Role
from clinic.rules.visit_status import VisitStatus
from clinic.shared.database import db, transaction
from tests.accounts.people import browser_of
from tests.booking import world as w
from tests.booking.desk import book
from tests.conftest import NOW
from tests.diary.staff import person_with
from tests.statements import counted

pytestmark = pytest.mark.usefixtures("now")
DAY = "/desk?day=2026-06-11"
TODAY = "/desk?day=2026-06-09"


def booked(
    desk: FlaskClient, world: w.World, service: str = "relaxation", days: int = 2, hour: int = 10
) -> int:
    client = w.person(
        email=f"live{w.new_number()}@people.example", phone=f"(212) 555-{3000 + w.new_number() % 6000}"
    )
    w.sign(client)
    answer = book(desk, client, service, when=w.at(days, hour), therapist=world.therapists[0])
    return int(answer.headers["Location"].rpartition("/")[2])


def asks(desk: FlaskClient, address: str, mark: str) -> int:
    return desk.get(address, headers={"If-None-Match": f'"{mark}"', "X-Poll": "1"}).status_code


def mark_of(desk: FlaskClient, address: str) -> str:
    page = desk.get(address)
    mark = page.get_etag()[0]
    assert mark is not None
    assert f'data-live="{mark}"' in page.text
    return mark


def test_a_page_that_is_still_as_it_stands_is_answered_in_a_word(world: w.World, desk: FlaskClient) -> None:
    visit = booked(desk, world)
    for address in (DAY, f"{DAY}&view=rooms", f"{DAY}&view=list", "/todo"):
        mark = mark_of(desk, address)
        with counted() as sent:
            assert asks(desk, address, mark) == 304
        assert len(sent) <= 7, sent
        assert asks(desk, address, "another") == 200
    marks = [mark_of(desk, DAY)]
    deeds: tuple[Callable[[], object], ...] = (
        lambda: visits.cancel_visit(visit, by=None, by_clinic=True, now=NOW),
        lambda: booked(desk, world, hour=15),
        lambda: time_off.add_time_off(
            world.therapists[1], "meeting", w.at(2, 9), w.at(2, 10), "", by=world.desk_id, now=NOW
        ),
        lambda: checkout.hold_slot(
            None, w.choice("relaxation"), w.at(2, 17), first_visit=True, user_id=None, now=NOW
        ),
    )
    for number, deed in enumerate(deeds):
        deed()
        assert asks(desk, DAY, marks[-1]) == 200, number
        marks.append(mark_of(desk, DAY))
    assert len(set(marks)) == len(marks)
    for address in (DAY, f"{DAY}&view=list"):
        called_off = desk.get(address).text.split("Not coming</h2>")[1].replace("\N{NO-BREAK SPACE}", " ")
        assert "10:00 am" in called_off.split("</section>")[0], "by the clock of the clinic"
    assert '<h2 id="sheet-1"><bdi>' in desk.get(f"{DAY}&view=list").text, (
        "hours keep their order beside any name"
    )
    work = mark_of(desk, "/todo")
    calls.ask_for_call(client_id=w.person(), visit_id=None, phone="(212) 555-9999", about="letter", now=NOW)
    assert asks(desk, "/todo", work) == 200


def test_the_page_of_a_visit_asks_by_itself_too(world: w.World, desk: FlaskClient) -> None:
    visit, other = booked(desk, world), booked(desk, world, hour=14)
    card = f"/desk/visits/{visit}"
    mark = mark_of(desk, card)
    assert asks(desk, card, mark) == 304
    visits.cancel_visit(other, by=None, by_clinic=True, now=NOW)
    assert asks(desk, card, mark) == 304, "another visit's deed shows nothing here"
    visits.cancel_visit(visit, by=None, by_clinic=True, now=NOW)
    changed = desk.get(card, headers={"If-None-Match": f'"{mark}"', "X-Poll": "1"})
    assert changed.status_code == 200
    assert 'data-visit="head" data-words="' in changed.text
    assert "Cancelled" in changed.text.split('data-words="')[1].split('"')[0]


def test_a_page_that_asks_by_itself_is_no_sign_of_a_person(world: w.World, desk: FlaskClient) -> None:
    def seen() -> object:
        db.session.rollback()
        return db.session.scalars(select(UserSession.last_seen_at)).one()

    before = seen()
    with time_machine.travel(NOW + dt.timedelta(minutes=10), tick=False):  # before the screen locks itself
        asks(desk, DAY, "x")
        assert seen() == before
        desk.get(DAY)
        assert seen() != before


def test_the_next_step_stands_on_the_visit_and_leads_back_to_the_day(
    world: w.World, desk: FlaskClient
) -> None:
    visit = booked(desk, world, days=0, hour=10)
    said = ("Mark as arrived", "Start the session", "Finish the session")
    for words, shown in zip(said, ("Arrived 9:00", "In session 9:00", "Done 9:00"), strict=True):
        page = desk.get(TODAY).text
        button = re.search(
            rf'<button class="ev-tap"[^>]*formaction="(/desk/visits/{visit}/mark)"[^>]*value="([^"]+)"', page
        )
        assert button is not None
        assert words in page
        answer = desk.post(button[1], data={"step": button[2], "back": "day"})
        assert answer.headers["Location"].startswith("/desk?day=2026-06-09")
        after = desk.get(answer.headers["Location"]).text
        assert shown in after.replace("\xa0", " ").replace('<span class="ev-since">', "")
        assert f'action="/desk/visits/{visit}/undo"' in after
        assert "Nobody has been told yet" not in after, "a mark tells nobody"
    for bad in ("", "done", "x.1", "arrived.", "arrived.x", "cancelled.9"):
        assert desk.post(f"/desk/visits/{visit}/mark", data={"step": bad, "back": "day"}).status_code == 303
    db.session.rollback()
    assert db.session.get_one(Visit, visit).status == VisitStatus.DONE


def test_rooms_and_devices_show_what_each_is_taken_for(world: w.World, desk: FlaskClient) -> None:
    visit = booked(desk, world, "decompression_vacuum")
    db.session.rollback()
    row = db.session.get_one(Visit, visit)
    day, room = row.day, row.room_id
    shown = desk_day(world.place_id, day, NOW, by_kit=True)
    busy = [one.note for one in shown.columns if [taking.id for taking in one.visits] == [visit]]
    assert len(shown.columns) == 10, "every room and device of the place, taken or not"
    assert sorted(busy) == ["Device", "Room"]
    assert [one.key for one in shown.columns if one.visits and one.note == "Room"] == [room]
    page = desk.get(f"{DAY}&view=rooms").text
    assert "Terry 0" in page
    assert page.count(" data-moves") == 2, "in the column of the room and in that of the device"
    assert "data-moves" in desk.get(DAY).text
    with transaction() as session:  # switched off: shown as long as a visit takes it, and said
        session.get_one(Room, room).is_active = False
        idle = next(one.key for one in shown.columns if not one.visits and one.note == "Room")
        session.get_one(Room, idle).is_active = False
    columns = {one.key: one for one in desk_day(world.place_id, day, NOW, by_kit=True).columns}
    assert columns[room].note == "Switched off: move these visits"
    assert [one.id for one in columns[room].visits] == [visit]
    assert idle not in columns
    assert len(columns) == 9


def test_clients_and_visits_are_found_and_what_to_do_is_said(world: w.World, desk: FlaskClient) -> None:
    client = w.person(email="findme@people.example", phone="(212) 555-7788")
    w.sign_answers(client, {"heart_failure": {"worsening": False}})
    book(desk, client, "swedish", when=w.at(9, 10), therapist=world.therapists[0])
    booked(desk, world)
    for text, found in (
        ("pat", 2),
        ("7788", 1),
        ("findme@", 1),
        ("pat nobody", 0),
        ("x" * 300, 0),
        ("%", 0),
        ("\u202e", 0),
    ):
        page = desk.get("/desk/search", query_string={"q": text})
        assert (page.status_code, page.text.count('class="btn btn-quiet btn-sm" href="/desk/visits/new')) == (
            200,
            found,
        ), text
    shown = desk.get("/desk/search?q=7788").text
    assert "Doctor’s letter" in shown
    assert "heart failure" not in shown.lower()
    on_day = desk.get("/desk/search?q=11 june").text
    assert "Thursday 11 June" in on_day.replace("\xa0", " ")
    assert on_day.count("data-hit") == 2  # the day and its one visit
    with counted() as few:
        desk.get("/desk/search?q=pat")
    for hour in (12, 14, 16):
        booked(desk, world, hour=hour)
    with counted() as many:
        desk.get("/desk/search?q=pat")
    assert len(many) == len(few)


def test_every_page_of_the_desk_has_the_search_and_nobody_elses(
    app: Flask, world: w.World, desk: FlaskClient
) -> None:
    for address in (DAY, "/todo", "/clients", "/desk/visits/new"):
        assert 'action="/desk/search"' in desk.get(address).text, address
    for role in (Role.CLIENT, Role.THERAPIST):
        browser = browser_of(app, person_with(role))
        assert browser.get("/desk/search?q=pat").status_code == 403
        assert "/desk/search" not in browser.get("/account").text
    assert "staff.js" not in app.test_client().get("/").text


def test_the_day_sheet_on_paper_has_no_word_about_health(world: w.World, desk: FlaskClient) -> None:
    """What is to do stands on the screen only; on paper it says where to ask."""
    client = w.person()
    w.sign_answers(client, {"heart_failure": {"worsening": False}})
    book(desk, client, "swedish", when=w.at(2, 10), therapist=world.therapists[0])
    page = desk.get(f"{DAY}&view=list").text
    assert "Doctor’s letter" in page
    paper = re.sub(r'<(td|div)[^>]*class="[^"]*no-print[^"]*".*?</\1>', "", page, flags=re.S)
    assert "Doctor’s letter" not in paper
    assert "see desk" in paper


def test_who_may_review_reads_names_others_a_number(app: Flask, world: w.World, desk: FlaskClient) -> None:
    client = w.person()
    w.sign_answers(client, {"heart_failure": {"worsening": False}})
    w.sign(client)  # takes back what was said: somebody has to look
    name = "Number"
    plain = desk.get("/todo").text
    assert "One thing waits for somebody with clinical review" in plain
    assert "Answers to review" not in plain
    reviewer = browser_of(app, person_with(Role.FRONT_DESK, Permission.CLINICAL_REVIEW)).get("/todo").text
    assert "Answers to review" in reviewer
    assert name in reviewer
    assert "heart failure" not in reviewer.lower()


def test_where_more_is_found_than_shown_it_is_said(desk: FlaskClient) -> None:
    for number in range(13):
        if number == 12:
            assert "More people are called that" not in desk.get("/desk/search?q=many").text
        w.person(phone=f"(212) 555-{4000 + number}")
        db.session.scalars(
            select(Client).order_by(Client.id.desc()).limit(1)
        ).one().name_key = "many manifold"
        db.session.commit()
    found = desk.get("/desk/search?q=many").text
    assert "More people are called that" in found
    assert found.count("data-hit") == 12
    couple = f"/clients/{w.person()}/couple/new"

    def shown() -> tuple[str, ...]:
        return (
            desk.post("/desk/visits/new", data={"q": "many"}).text, desk.post(couple, data={"q": "many"}).text,
            desk.get("/desk/waitlist/new?q=many").text,
        )  # fmt: skip

    for page in shown():
        assert "More people are called that" not in page
    for number in range(8):
        w.person(phone=f"(212) 555-{4100 + number}")
        db.session.scalars(
            select(Client).order_by(Client.id.desc()).limit(1)
        ).one().name_key = "many manifold"
        db.session.commit()
    for page in shown():
        assert "More people are called that" in page


def test_of_a_long_day_the_rest_of_the_visits_is_one_link_away(
    world: w.World, desk: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(find, "MOST_VISITS", 2)
    for hour in (9, 12):
        booked(desk, world, hour=hour)
    assert "See all visits of this day" not in desk.get("/desk/search?q=2026-06-11").text
    booked(desk, world, hour=15)
    page = desk.get("/desk/search?q=2026-06-11").text
    assert "See all visits of this day" in page
    assert '<span class="count">2</span>' in page


def test_in_both_views_a_visit_can_be_moved_and_two_together_lead_to_both(
    world: w.World, desk: FlaskClient
) -> None:
    booked(desk, world)
    page = desk.get(f"{DAY}&view=rooms").text
    assert page.count("data-moves") == 1
    assert page.count('data-lane="room"') == 4
    assert page.count('data-lane="device"') == 6
    assert 'data-lane="therapist"' in desk.get(DAY).text
