"""What the owner changes between two steps: a room or a place that comes or goes, a price, a length off the list."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import asdict, replace

import pytest
import time_machine
from flask import Flask
from sqlalchemy import delete, select, update

from clinic.accounts.queries import hash_of
from clinic.booking.models import Visit
from clinic.booking.services import answering, checkout, series_ending, sick_day, time_off
from clinic.booking.services.series import book_series
from clinic.booking.services.series_starts import OneStart
from clinic.catalogue.models import Service, ServiceLength
from clinic.clients.steps import Details
from clinic.premises import queries as premises
from clinic.premises import services as premises_services
from clinic.premises.facts import LocationFacts, RoomFacts
from clinic.premises.models import Location
from clinic.rules.errors import SlotTaken
from clinic.shared.database import db, transaction
from clinic.shared.seen import mark_of
from clinic.therapists.models import Therapist, WorkingHours
from tests import factories
from tests.api.conftest import Program
from tests.booking import world as w
from tests.booking.test_pages_own import Account
from tests.booking.world import healthy
from tests.conftest import NOW

GUEST = Details(
    first_name="Olive", last_name="Online", born_on=dt.date(1990, 1, 1), email="olive@people.example",
    phone="(212) 555-2001",
)  # fmt: skip


def free(desk: Program, **asked: object) -> list[str]:
    query = {"service": "swedish", "minutes": 60, **asked}
    return [one["starts_at"] for one in desk.get("/availability", **query).get_json()["starts"]]


def book(desk: Program, client: int, **more: object) -> dict[str, object]:
    wish = {"client": client, "service": "swedish", "minutes": 60, "starts_at": w.at(3, 15).isoformat()}
    found: dict[str, object] = desk.post("/visits", {**wish, **more}).get_json()
    return found


def day(number: int) -> str:
    return (w.TODAY + dt.timedelta(days=number)).isoformat()


@pytest.fixture
def west(clinic: w.World) -> int:
    """A second place, three hours west, where everybody works too."""
    place = factories.make_location(zone="America/Los_Angeles", name="West", opens="08:00", closes="20:00")
    factories.make_room(place, name="West 1")
    for one in clinic.therapists:
        row = db.session.get_one(Therapist, one)
        factories.make_hours(row, place, starts="08:00", ends="20:00", weekdays=range(7))
    return place.id


def save_place(place: int | None, **change: object) -> int:
    facts = LocationFacts(name="Far", zone="Pacific/Auckland", address="", phone="", is_active=True)
    seen = ""
    if place is not None:
        facts = premises.facts_of(db.session.get_one(Location, place), LocationFacts)
        seen = mark_of(asdict(facts))
        db.session.rollback()
    return premises_services.save_location(place, replace(facts, **change), seen=seen, by=None, now=NOW)  # type: ignore[arg-type]


def test_a_room_that_is_added_is_shut_when_its_place_is(desk: Program, clinic: w.World) -> None:
    time_off.add_closure(
        clinic.place_id, None, w.at(3, 8), w.at(3, 20), "A holiday", by=clinic.desk_id, now=NOW
    )
    room = RoomFacts(location_id=clinic.place_id, name="New", room_kind="treatment", tables=1, is_active=True)
    premises_services.save_room(None, room, seen="", by=None, now=NOW)
    assert free(desk, **{"from": day(3)}) == []
    assert book(desk, healthy())["code"] == "slot_taken"
    assert free(desk, **{"from": day(4)}) != []


def test_whole_days_off_follow_the_clocks_of_the_places_in_use(desk: Program, clinic: w.World) -> None:
    """Midnight of a place far to the east comes first: a whole day off is another one there, and stays one here."""
    first, whole = clinic.therapists[0], w.TODAY + dt.timedelta(days=3)
    time_off.add_time_off(
        first, "off", w.at(3, 0), w.at(4, 0), "", by=clinic.desk_id, now=NOW, days=(whole, whole)
    )
    far = save_place(None)
    place = db.session.get_one(Location, far)
    factories.make_room(place, name="Far 1")
    factories.make_opening_hours(place, opens="00:00", closes="00:00")
    row = db.session.get_one(Therapist, first)
    factories.make_hours(row, place, starts="00:00", ends="00:00", weekdays=range(7))

    def days() -> dict[str, int]:
        found = free(desk, location=far, therapist=first, days=4, **{"from": day(2)})
        return {one: sum(start.startswith(one) for start in found) for one in map(day, range(2, 6))}

    there = days()
    assert (there[day(3)], there[day(4)]) == (0, 96), "the day off by their clock, and the whole day after it"
    assert free(desk, therapist=first, **{"from": day(3)}) == []
    save_place(far, is_active=False)
    assert free(desk, therapist=first, **{"from": day(3)}) == []


def test_nothing_new_is_given_at_a_place_that_is_used_no_more(
    app: Flask, desk: Program, clinic: w.World, west: int
) -> None:
    visit = book(desk, healthy(), location=west)["id"]
    key = checkout.hold_slot(
        None, w.choice("swedish", location_id=west), w.at(3, 17), first_visit=True, user_id=None, now=NOW
    )
    save_place(west, is_active=False)
    with transaction() as session:
        session.get_one(Visit, visit).manage_hash = hash_of("key")
    page = app.test_client().get(f"/visit/key/move?day={day(4)}").text
    assert 'name="slot"' not in page
    slot = w.at(4, 15).strftime("%Y-%m-%dT%H:%MZ")
    app.test_client().post("/visit/key/move", data={"slot": slot, "revision": "1", "sure": "1"})
    db.session.rollback()
    assert db.session.get_one(Visit, visit).day.isoformat() == day(3), "it stands until somebody finds a way"
    with pytest.raises(SlotTaken):
        checkout.name_person(key, GUEST, relation="self", now=NOW)
    db.session.rollback()
    assert [one.status for one in db.session.scalars(select(Visit).order_by(Visit.starts_at))] == [
        "confirmed",
        "released",
    ]


def test_who_asked_for_a_gender_gets_nobody_else_by_a_kept_time(desk: Program, clinic: w.World) -> None:
    with transaction() as session:
        for number, one in enumerate(clinic.therapists):
            session.get_one(Therapist, one).gender = "man" if number else "woman"
    kept = desk.post(
        "/holds", {"service": "swedish", "minutes": 60, "starts_at": w.at(3, 15).isoformat()}
    ).get_json()
    genders = {one: "man" if number else "woman" for number, one in enumerate(clinic.therapists)}
    other = "man" if genders[kept["therapist"]] == "woman" else "woman"
    found = book(desk, healthy(), hold=kept["id"], gender=other)
    assert genders[found["therapist"]] == other  # type: ignore[index]


def change_price(how: str) -> None:
    mine = ServiceLength.service_id == select(Service.id).where(Service.key == "swedish").scalar_subquery()
    with transaction() as session:
        if how == "dearer":
            session.execute(update(ServiceLength).where(mine).values(price=ServiceLength.price + 3000))
        else:
            session.execute(delete(ServiceLength).where(mine, ServiceLength.minutes == 60))


@pytest.mark.parametrize("how", ["dearer", "off the list"])
def test_what_was_said_to_cost_so_much_does(desk: Program, clinic: w.World, how: str) -> None:
    visit = book(desk, healthy(email="p@people.example"), therapist=clinic.therapists[0])
    key = checkout.hold_slot(None, w.choice("swedish"), w.at(5, 15), first_visit=True, user_id=None, now=NOW)
    change_price(how)
    offer = sick_day.offer_time(
        visit["id"], w.at(4, 15), clinic.therapists[1], revision=1, by=clinic.desk_id, now=NOW  # type: ignore[arg-type]
    )  # fmt: skip
    moved = answering.accept(offer, by=None, now=NOW).visit_id
    client = checkout.name_person(key, GUEST, relation="self", now=NOW)
    w.sign(client)
    booked = checkout.confirm(key, user_id=None, now=NOW).visit_id
    db.session.rollback()
    prices = [db.session.get_one(Visit, one).price for one in (moved, booked)]
    assert prices == [visit["price"], visit["price"]]
    assert visit["price"]


def test_another_time_of_a_series_stays_in_it(clinic: w.World) -> None:
    client, first = healthy(email="s@people.example"), clinic.therapists[0]
    made = book_series(
        w.choice("swedish", therapist_id=first), client, [OneStart(w.at(7 * one + 3, 15), first) for one in range(3)],
        every_weeks=1, request_key=None, source="desk", by=clinic.desk_id, now=NOW, reconfirmed=True,
    )  # fmt: skip
    second = db.session.scalars(
        select(Visit).where(Visit.client_id == client).order_by(Visit.starts_at)
    ).all()[1]
    visit, revision = second.id, second.revision
    db.session.rollback()
    offer = sick_day.offer_time(
        visit, w.at(11, 15), clinic.therapists[1], revision=revision, by=clinic.desk_id, now=NOW
    )
    moved = answering.accept(offer, by=None, now=NOW).visit_id
    db.session.rollback()
    assert made.series_id is not None
    assert db.session.get_one(Visit, moved).series_id == made.series_id
    db.session.rollback()
    series_ending.cancel_rest(made.series_id, by=clinic.desk_id, by_clinic=True, now=NOW)
    db.session.rollback()
    assert {one.status for one in db.session.scalars(select(Visit).where(Visit.client_id == client))} == {
        "cancelled"
    }


def test_the_page_gives_what_programs_are_given_after_a_first_visit(
    app: Flask, desk: Program, clinic: w.World
) -> None:
    """A first visit takes longer; who has one ahead has no second first visit after it."""
    account, first = Account(app), clinic.therapists[0]
    w.sign(account.client_id)
    assert "id" in book(desk, account.client_id, starts_at=w.at(2, 9).isoformat(), therapist=first)
    for start, end in ((w.at(3, 8), w.at(3, 10)), (w.at(3, 11, 15), w.at(3, 20))):
        time_off.add_time_off(first, "off", start, end, "", by=clinic.desk_id, now=NOW)
    told = free(desk, therapist=first, client=account.client_id, **{"from": day(3)})
    assert [one[11:16] for one in told] == ["10:00"]
    address = f"/book/swedish/times?minutes=60&area=full_body&therapist={first}&day={day(3)}"
    slots = re.findall(rf'name="slot" value="({day(3)}T[^"]+)"', account.browser.get(address).text)
    assert slots
    answer = account.browser.post(
        "/book/swedish/times",
        data={"minutes": "60", "area": "full_body", "therapist": first, "slot": slots[0]},
    )
    assert answer.status_code == 303
    db.session.rollback()
    kept = db.session.scalars(select(Visit).where(Visit.status == "held")).one()
    assert (kept.day.isoformat(), kept.first_visit) == (day(3), False)


def test_a_time_kept_at_a_place_is_booked_there(desk: Program, clinic: w.World, west: int) -> None:
    wish = {"service": "swedish", "minutes": 60, "starts_at": w.at(3, 17).isoformat()}
    held = desk.post("/holds", {**wish, "location": west}).get_json()["id"]
    for place in (clinic.place_id, 999_999):
        other = book(desk, healthy(), **wish, hold=held, location=place)
        assert (other["code"], other["status"]) == ("not_allowed", 409), other
    assert book(desk, healthy(), **wish, hold=held)["location"] == west
    wish["starts_at"] = w.at(4, 17).isoformat()
    held = desk.post("/holds", {**wish, "location": west}).get_json()["id"]
    save_place(west, is_active=False)
    assert book(desk, healthy(), **wish, hold=held)["code"] == "not_found", "at no other place either"


@pytest.mark.parametrize(
    ("said", "stays"),
    [({}, True), ({"gender": None}, False), ({"gender": "woman"}, False), ({"therapist": None}, False)],
)
def test_another_treatment_is_with_whom_it_was(
    desk: Program, clinic: w.World, said: dict[str, object], stays: bool
) -> None:
    """Whoever books nobody by name gets whoever has least to do on that day: not the last one here."""
    with transaction() as session:
        session.execute(update(Therapist).values(gender="woman"))
    named = clinic.therapists[-1]
    assert "id" in book(desk, healthy(), therapist=named, starts_at=w.at(3, 8).isoformat())
    visit = book(desk, healthy(), therapist=named)
    other = {"service": "swedish", "minutes": 60, "areas": ["upper_back"], **said}
    found = desk.post(f"/visits/{visit['id']}/change", other).get_json()
    assert found["status"] == "confirmed"
    assert (found["therapist"] == named) is stays
    db.session.rollback()
    assert db.session.get_one(Visit, visit["id"]).any_therapist is not stays


def test_pages_of_a_second_place_are_about_that_place(
    app: Flask, desk: Program, clinic: w.World, west: int
) -> None:
    """Its telephone, and who works there; the way that was chosen is named."""
    last = clinic.therapists[-1]
    with transaction() as session:
        session.get_one(Location, west).phone = "(213) 555-0199"
        session.execute(
            delete(WorkingHours).where(WorkingHours.location_id == west, WorkingHours.therapist_id == last)
        )
    visit = book(desk, healthy(), location=west)["id"]
    with transaction() as session:
        session.get_one(Visit, visit).manage_hash = hash_of("key")
        names = {one.id: one.name for one in session.scalars(select(Therapist))}
    browser = app.test_client()
    with time_machine.travel(w.at(3, 13), tick=False):  # near: from now on by telephone
        page = browser.get("/visit/key").text
    assert "(213) 555-0199" in page.split("<main")[1]
    address = f"/book/swedish/times?minutes=60&area=full_body&place={west}"
    shown = browser.get(address).text.split("<main")[1]
    assert {one for one in clinic.therapists if names[one] in shown} == {*clinic.therapists} - {last}
    chamber = browser.get("/book/decompression_vacuum/times?mode=interval&minutes=20&area=lower_back").text
    assert "nterval chamber" in chamber.split("<main")[1]
