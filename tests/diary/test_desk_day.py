"""The desk's day, its list of work and the client's card: what they show, and how many statements they take."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, select

from clinic.booking.models import StatusChange, Visit
from clinic.booking.queries import visits
from clinic.booking.services import calls, time_off
from clinic.booking.services import visits as marking
from clinic.diary.queries.desk import desk_day
from clinic.premises.models import Location
from clinic.rules.errors import MoveNotAllowed
from clinic.rules.visit_status import VisitStatus
from clinic.shared.database import db, transaction
from clinic.therapists.models import Therapist
from tests import factories
from tests.booking import world as w
from tests.booking.desk import book, desk_browser
from tests.conftest import NOW
from tests.typed_forms import form_on

pytestmark = pytest.mark.usefixtures("now")


@contextmanager
def statements() -> Iterator[list[str]]:
    """Every statement sent to the database meanwhile."""
    sent: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if statement.lstrip().upper().startswith(("SELECT", "WITH", "UPDATE", "INSERT")):
            sent.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(db.engine, "before_cursor_execute", note)


def fill(desk: FlaskClient, world: w.World, count: int) -> None:
    """So many visits on the same day, waiting and confirmed."""
    for number in range(count):
        client = w.person(phone=f"(212) 555-{1000 + number}")
        if number % 2:
            w.sign(client)
        book(desk, client, "relaxation", when=w.at(2, 9 + 2 * number), therapist=world.therapists[0])


@pytest.mark.parametrize("address", ["/desk?day=2026-06-11", "/desk?day=2026-06-11&view=list", "/todo"])
def test_the_number_of_statements_does_not_grow(world: w.World, desk: FlaskClient, address: str) -> None:
    fill(desk, world, 1)
    with statements() as few:
        assert desk.get(address).status_code == 200
    fill(desk, world, 4)
    with statements() as many:
        assert desk.get(address).status_code == 200
    assert len(many) == len(few)


def test_hours_breaks_blocks_visits_and_gaps_stand_side_by_side(world: w.World, desk: FlaskClient) -> None:
    place = factories.make_location(zone=w.ZONE, opens=None, name="Elsewhere")
    one = factories.make_therapist(name="Nightly Nora", skills=[])
    factories.make_hours(one, place, starts="09:00", ends="17:00")
    first, second, third = world.therapists
    home, person = db.session.get_one(Location, world.place_id), db.session.get_one(Therapist, first)
    factories.make_hours(person, home, starts="12:00", ends="12:30", kind="break", weekdays=range(7))
    time_off.add_time_off(second, "meeting", w.at(2, 10), w.at(2, 11), "", by=world.desk_id, now=NOW)
    client = w.person()
    w.sign(client)
    book(desk, client, "relaxation", when=w.at(2, 14), therapist=first)
    shown = desk_day(world.place_id, w.TODAY + dt.timedelta(days=2), NOW)
    columns = {one.key: one for one in shown.columns}
    assert set(columns) == {first, second, third}
    assert shown.not_working == ("Nightly Nora",)
    assert (shown.from_hour, shown.to_hour, shown.now) == (8, 20, "")
    assert [(one.start, one.minutes, one.label) for one in columns[first].off if one.label] == [
        ("12:00", 30, "Break")
    ]
    assert [(one.start, one.minutes, one.label) for one in columns[second].off] == [("10:00", 60, "Meeting")]
    [visit] = columns[first].visits
    # 60 minutes, 15 more on the first visit; then the turnover, which is no gap
    assert (visit.start, visit.until, visit.status) == ("14:00", "15:15", VisitStatus.CONFIRMED)
    assert ("15:15", 15) in [(one.start, one.minutes) for one in columns[first].off]
    gaps = [(one.start, one.minutes) for one in columns[first].free]
    assert gaps[:5] == [("08:00", 60), ("09:00", 60), ("10:00", 60), ("11:00", 60), ("12:30", 30)]
    assert all(minutes >= 30 for _start, minutes in gaps)
    assert not any("14:00" <= start < "15:30" for start, _minutes in gaps)
    page = desk.get(f"/desk?day={w.TODAY + dt.timedelta(days=2)}").text.replace("\xa0", " ")
    assert re.search(r'aria-label="Book [^"]+ at 12:30 pm, 30 minutes free"', page)


def test_nothing_free_is_shown_that_a_pause_or_a_days_limit_refuses(
    world: w.World, desk: FlaskClient
) -> None:
    resting, full, third = world.therapists
    client, other = w.person(), w.person()
    for who, person in ((client, resting), (other, full)):
        w.sign(who)
        book(desk, who, "relaxation", when=w.at(2, 12), therapist=person)
    day = w.TODAY + dt.timedelta(days=2)

    def gaps(person: int) -> list[tuple[str, int]]:
        columns = desk_day(world.place_id, day, NOW).columns
        return [(gap.start, gap.minutes) for one in columns if one.key == person for gap in one.free]

    assert ("11:00", 60) in gaps(resting)
    with transaction() as session:
        session.get_one(Therapist, resting).pause_minutes = 45
        session.get_one(Therapist, full).most_visits_a_day = 1
    # 75 minutes and the turnover: taken until 13:30, so with the pause nothing from 11:15 to 14:15.
    assert ("11:00", 60) not in gaps(resting)
    assert not any("11:15" <= start < "14:15" for start, _minutes in gaps(resting))
    assert ("14:15", 45) in gaps(resting)
    assert gaps(full) == []
    assert len(gaps(third)) == 12


def test_no_gap_lies_in_the_past(world: w.World) -> None:
    shown = desk_day(world.place_id, w.TODAY, NOW)  # it is 09:00
    assert {one.free[0].start for one in shown.columns} == {"09:00"}
    assert shown.now == "09:00"
    yesterday = desk_day(world.place_id, w.TODAY - dt.timedelta(days=1), NOW)
    assert [one.free for one in yesterday.columns] == [(), (), ()]


def test_a_closed_day_says_so_and_has_no_gaps(world: w.World, desk: FlaskClient) -> None:
    time_off.add_closure(
        world.place_id, None, w.at(2, 0), w.at(3, 0), "Public holiday", by=world.desk_id, now=NOW
    )
    shown = desk_day(world.place_id, w.TODAY + dt.timedelta(days=2), NOW)
    assert shown.closures == ("Public holiday",)
    assert [one.free for one in shown.columns] == [(), (), ()]
    assert "Closed: Public holiday" in desk.get("/desk?day=2026-06-11").text


def test_the_health_state_says_what_to_do(world: w.World, desk: FlaskClient) -> None:
    nobody_asked, letter = w.person(), w.person()
    w.sign(letter, heart_failure={"worsening": False})
    book(desk, nobody_asked, "swedish", when=w.at(2, 9))
    book(desk, letter, "swedish", when=w.at(2, 9))
    page = desk.get("/desk?day=2026-06-11").text
    assert "Answers missing" in page
    assert "Doctor’s letter" in page
    in_german = desk.get("/desk?day=2026-06-11", headers={"Accept-Language": "de"}).text
    assert "Answers missing" not in in_german
    listed = desk.get("/desk?day=2026-06-11&view=list").text
    assert "until Wednesday 10 June 2026 at 9:00 am" in listed


def test_the_steps_of_the_list_are_said_in_german(world: w.World, desk: FlaskClient) -> None:
    client = w.person()
    w.sign(client)
    book(desk, client, "swedish", when=w.at(0, 18))
    for view in ("therapists", "list"):
        shown = desk.get(f"/desk?view={view}", headers={"Accept-Language": "de"}).text
        assert ("Als angekommen vermerken" in shown, "Mark as arrived" in shown) == (True, False), view


@pytest.mark.parametrize("day", ["x", "2026-02-30", "9999-12-31", "0001-01-01", ""])
def test_an_impossible_day_is_today(desk: FlaskClient, day: str) -> None:
    page = desk.get("/desk", query_string={"day": day})
    assert (page.status_code, "Tuesday 9 June" in page.text) == (200, True)


@pytest.mark.parametrize("days", [-94, 145])
def test_the_days_on_which_the_clock_changes_are_drawn(world: w.World, days: int) -> None:
    """8 March and 1 November 2026 in New York."""
    day = w.TODAY + dt.timedelta(days=days)
    shown = desk_day(world.place_id, day, NOW)
    assert (shown.from_hour, shown.to_hour) == (8, 20)


def test_the_list_of_work_has_each_kind_with_its_way_on(world: w.World, desk: FlaskClient) -> None:
    assert "Nothing waits" in desk.get("/todo").text
    soon = w.person(email="soon@people.example", phone="(212) 555-1234")
    factories.make_client(
        first_name="Other", last_name="Person", born_on=dt.date(1970, 1, 1), phone="(212) 555-1234"
    )
    book(desk, soon, "relaxation", when=w.at(1, 12), therapist=world.therapists[0])
    off = w.person()
    w.sign(off)
    book(desk, off, "relaxation", when=w.at(2, 12), therapist=world.therapists[1])
    time_off.add_time_off(world.therapists[1], "off", w.at(2, 8), w.at(2, 20), "", by=world.desk_id, now=NOW)
    calls.ask_for_call(client_id=off, visit_id=None, phone="(212) 555-9999", about="letter", now=NOW)
    page = desk.get("/todo").text
    for words in (
        "Visits while away, closed or out of use", "Move or reassign", "Please call", "(212) 555-9999",
        "Health questions missing in the next days", "Send the link", "Records that look alike", "Compare",
    ):  # fmt: skip
        assert words in page, words
    address = page[page.index("/desk/calls/") :].split('"')[0]
    assert desk.post(address).status_code == 303
    assert "Please call" not in desk.get("/todo").text


PREGNANT = {"status": "confirmed", "weeks": 20, "high_risk": False, "complication": "none"}


def change(therapist_id: int, **values: object) -> None:
    """What the owner changes on the therapist's page; `lacks` takes a skill away."""
    with transaction() as session:
        row = session.get_one(Therapist, therapist_id)
        lacks = values.pop("lacks", None)
        row.skill_rows = [one for one in row.skill_rows if one.skill != lacks]
        for name, value in values.items():
            setattr(row, name, value)


@pytest.mark.parametrize(
    ("service", "changes", "listed"),
    [
        ("sports", {}, False),
        ("sports", {"is_active": False}, True),
        ("sports", {"licence_expires_on": w.TODAY + dt.timedelta(days=1)}, True),
        ("sports", {"licence_expires_on": w.TODAY + dt.timedelta(days=2)}, False),
        ("sports", {"licence_kind": "PT"}, True),
        ("sports", {"lacks": "sports"}, True),
        ("sports", {"lacks": "prenatal"}, False),
        ("relaxation", {"lacks": "sports"}, False),
        ("relaxation", {"lacks": "prenatal"}, True),
        ("relaxation", {"lacks": "oncology"}, False),
    ],
)
def test_visits_whose_therapist_may_not_give_them_any_more_are_work_to_do(
    world: w.World, desk: FlaskClient, service: str, changes: dict[str, object], listed: bool
) -> None:
    """Who has the relaxing massage is expecting, which asks for a skill of its own."""
    client = w.person()
    w.sign_answers(client, {"pregnancy": PREGNANT} if service == "relaxation" else {})
    book(desk, client, service, when=w.at(2, 12), therapist=world.therapists[0])
    booked = w.statuses(client)
    assert booked == ["pending" if service == "relaxation" else "confirmed"]
    change(world.therapists[0], **changes)
    page = desk.get("/todo").text
    assert ("Visits that need another therapist" in page) is listed
    assert w.statuses(client) == booked, "a booked visit stays"
    for word in ("pregnan", "prenatal", "skill", "licence"):
        assert word not in page.lower()


def test_a_visit_that_needs_another_therapist_leads_on(world: w.World, desk: FlaskClient) -> None:
    first, second, _third = world.therapists
    client = w.person()
    w.sign(client)
    book(desk, client, "relaxation", when=w.at(2, 12), therapist=first)
    change(first, is_active=False)
    page = desk.get("/todo").text
    part = page[page.index("Visits that need another therapist") :]
    move = re.search(r'href="(/desk/visits/\d+/change)"', part)
    assert move is not None
    assert re.search(r'href="/desk/visits/\d+/cancel"', part)
    form = {
        **form_on(desk.get(move[1]).text, move[1]),
        "therapist": [str(second)],
        "start": [w.at(2, 12).isoformat()],
    }
    assert desk.post(move[1], data=form).status_code == 303
    assert "Visits that need another therapist" not in desk.get("/todo").text
    with transaction() as session:
        visit = session.scalars(select(Visit)).one()
        assert (visit.therapist_id, visit.status, visit.starts_at) == (second, "confirmed", w.at(2, 12))


# ── over, and nobody said how it went ─────────────────────────────────────────────────────────────────────


def over(world: w.World) -> tuple[int, dt.datetime]:
    """A confirmed visit of today, and when it ends."""
    client = w.person()
    w.sign(client)
    visit_id = w.at_desk(world, client, "relaxation", when=w.at(0, 12)).visit_id
    assert visit_id is not None
    return visit_id, db.session.get_one(Visit, visit_id).ends_at


def test_a_visit_that_nobody_closed_is_work_to_do(world: w.World) -> None:
    visit_id, ends_at = over(world)
    hour, day, second = dt.timedelta(hours=1), dt.timedelta(days=1), dt.timedelta(seconds=1)
    cases = [(ends_at + hour - second, []), (ends_at + hour, [visit_id]), (ends_at + 14 * day, [visit_id])]
    cases += [(ends_at + 16 * day, [])]
    for now, listed in cases:
        assert [one.id for one in visits.not_closed(now)] == listed, now


def test_it_took_place_is_entered_in_one_and_taken_back(app: Flask, world: w.World) -> None:
    visit_id, ends_at = over(world)
    with time_machine.travel(ends_at + dt.timedelta(days=1), tick=False):
        desk = desk_browser(app, world)
        assert "Did they take place?" in desk.get("/todo").text
        visit = db.session.get_one(Visit, visit_id)
        data = {"status": "done", "revision": visit.revision, "back": "todo"}
        assert desk.post(f"/desk/visits/{visit_id}/mark", data=data).location == "/todo"
        db.session.rollback()
        assert visit.status == "done"
        steps = select(StatusChange.status, StatusChange.reason).where(StatusChange.visit_id == visit_id)
        entered = [tuple(one) for one in db.session.execute(steps.order_by(StatusChange.id))][1:]
        assert entered == [(one, "afterwards") for one in ("arrived", "in_session", "done")]
        page = desk.get("/todo").text
        assert "Did they take place?" not in page
        assert f"/desk/visits/{visit_id}/undo" in page
        assert "entered afterwards" in desk.get(f"/desk/visits/{visit_id}").text
        desk.post(f"/desk/visits/{visit_id}/undo", data={"revision": visit.revision, "back": "todo"})
        db.session.rollback()
        assert visit.status == "confirmed"
        data = {"status": "no_show", "revision": visit.revision, "back": "todo"}
        desk.post(f"/desk/visits/{visit_id}/mark", data=data)
        db.session.rollback()
        assert visit.status == "no_show"


@pytest.mark.parametrize("status", [VisitStatus.CONFIRMED, VisitStatus.ARRIVED])
def test_a_visit_that_is_not_over_is_closed_step_by_step(world: w.World, status: VisitStatus) -> None:
    visit_id, ends_at = over(world)
    visit = db.session.get_one(Visit, visit_id)
    by = world.desk_id
    if status is not VisitStatus.CONFIRMED:
        marking.mark_visit(visit_id, status, revision=visit.revision, by=by, now=NOW)
        db.session.rollback()
    early = ends_at - dt.timedelta(seconds=1)
    with pytest.raises(MoveNotAllowed, match="not over yet"):
        marking.mark_visit(visit_id, VisitStatus.DONE, revision=visit.revision, by=by, now=early)
    db.session.rollback()
    assert visit.status == status
    marking.mark_visit(visit_id, VisitStatus.DONE, revision=visit.revision, by=by, now=ends_at)
    db.session.rollback()
    assert visit.status == "done"


def test_what_was_called_off_or_waits_did_not_take_place(world: w.World) -> None:
    visit_id, ends_at = over(world)
    marking.cancel_visit(visit_id, by=world.desk_id, by_clinic=True, now=NOW)
    db.session.rollback()
    visit = db.session.get_one(Visit, visit_id)
    with pytest.raises(MoveNotAllowed, match="cannot be marked"):
        marking.mark_visit(visit_id, VisitStatus.DONE, revision=visit.revision, by=world.desk_id, now=ends_at)
    assert visits.not_closed(ends_at + dt.timedelta(hours=2)) == []


def test_the_clock_of_a_place_is_named_where_places_have_different_ones(desk: FlaskClient) -> None:
    def named(zone: str, address: str = "/desk") -> bool:
        return f"Times in {zone}." in desk.get(address).text

    factories.make_location(zone=w.ZONE, name="Harbour")
    assert not named("New York")
    west = factories.make_location(zone="America/Los_Angeles", name="Sunset").id
    assert (named("New York"), named("Los Angeles")) == (True, False)
    for view in ("", "&view=rooms", "&view=list"):
        assert named("Los Angeles", f"/desk?place={west}{view}"), view
