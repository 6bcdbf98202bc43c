"""Rooms and devices that no longer serve visits ahead: work to do, with its reason, and told to who changes them."""

from __future__ import annotations

from dataclasses import replace

import pytest
from flask import Flask

from clinic.booking.models import Couple, Visit
from clinic.booking.queries import blocks, in_the_way
from clinic.booking.services import covering, sick_day, visits
from clinic.booking.services.couples import Half, book_couple
from clinic.booking.services.swapping import swap_visits
from clinic.premises import queries as premises
from clinic.premises.models import Closure, Device, Location, Room
from clinic.rules.errors import NotFound, SlotTaken
from clinic.rules.typed_span import TypedSpan
from clinic.shared.database import db, transaction
from clinic.therapists.models import TimeOff
from tests.booking import world as w
from tests.conftest import NOW
from tests.diary.staff import Staffed, staffed
from tests.factories import make_location, make_room, save
from tests.owners import owner_browser, save_page
from tests.statements import counted

pytestmark = pytest.mark.usefixtures("now")


@pytest.fixture(autouse=True)
def one_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Coming visits are read in pieces: here each of one visit, so that none is looked at as part of a whole."""
    monkeypatch.setattr(blocks, "PIECE", 1)


def booked(world: w.World, service: str, day: int = 3, **values: object) -> Visit:
    client = w.person()
    w.sign(client)
    if values.get("mode"):
        values["minutes"] = 20
    return db.session.get_one(Visit, w.at_desk(world, client, service, when=w.at(day), **values).visit_id)


def reasons() -> dict[int, list[str]]:
    """Visit → why it is on the list of work; the two readings agree."""
    db.session.rollback()
    found = in_the_way.in_the_way(blocks.coming(NOW), NOW)
    assert [one.id for one in in_the_way.visits_under(NOW)] == list(found)
    return found


def change(row: Room | Device, **values: object) -> None:
    with transaction() as session:
        for name, value in values.items():
            setattr(session.get_one(type(row), row.id), name, value)


def test_a_visit_whose_room_or_device_no_longer_serves_it_is_work_with_its_reason(app: Flask) -> None:
    world = w.build()
    chamber, massage = booked(world, "decompression_vacuum", mode="interval"), booked(world, "relaxation", 4)
    key, other, room, other_room = chamber.id, massage.id, chamber.room, massage.room
    device = next(one for one in premises.all_devices() if one.device_kind == "interval_chamber")
    assert reasons() == {}
    change(room, room_kind="treatment")
    assert reasons() == {key: ["Room of another kind now: Chamber"]}
    change(room, room_kind="chamber")
    change(device, device_kind="vacuum_unit")
    assert reasons() == {key: [f"Device of another kind now: {device.name}"]}
    change(device, is_active=False)
    change(other_room, is_active=False, name="Birch")
    assert reasons() == {
        key: [f"Device switched off: {device.name}"],
        other: ["Room switched off: Birch"],
    }
    change(device, is_active=True, device_kind="interval_chamber")
    change(other_room, is_active=True)
    shut = {"starts_at": w.at(3, 8), "ends_at": w.at(3, 20), "reason": "Painting"}
    for resource in (device.id, room.id, None):
        save(Closure(location_id=world.place_id, resource_id=resource, **shut))
    off = {"starts_at": w.at(4, 8), "ends_at": w.at(4, 20), "created_at": NOW}
    save(TimeOff(therapist_id=massage.therapist_id, kind="off", **off))
    assert reasons() == {
        key: ["Place closed", "Room closed: Chamber", f"Device closed: {device.name}"],
        other: ["Therapist away"],
    }


def test_two_people_need_a_room_with_two_tables(app: Flask) -> None:
    world = w.build()
    room = make_room(db.session.get_one(Location, world.place_id), name="Fern", tables=2)
    clients = [w.person(), w.person()]
    for client in clients:
        w.sign(client)
    halves = [Half(client, w.choice("relaxation")) for client in clients]
    couple = book_couple(
        (halves[0], halves[1]), w.at(3), request_key=None, source="desk", by=None, now=NOW, reconfirmed=True
    ).couple_id
    assert reasons() == {}
    facts = premises.room_facts(room.id)
    assert facts is not None
    new = replace(facts, tables=1)
    assert len(in_the_way.left_without(room.id, new, NOW)) == 2
    change(room, tables=1)
    assert list(reasons().values()) == [["Room without a second table now: Fern"]] * 2
    with transaction() as session:
        session.get_one(Couple, couple).ended_at = NOW
    assert reasons() == {}, "each goes on alone"


def test_the_owner_sees_the_visits_before_and_their_number_after(app: Flask) -> None:
    clinic = staffed(app)
    visit = booked(clinic.world, "decompression_vacuum", mode="interval")
    name, room, owner = visit.client.name if visit.client else "", visit.room, owner_browser(app)
    device = next(one for one in premises.all_devices() if one.device_kind == "interval_chamber")
    todo = f'data-visit="{visit.id}"'
    rooms, devices = f"/owner/rooms/{room.id}", f"/owner/devices/{device.id}"
    changes = (
        (rooms, {"kind": "treatment"}, "room", "Room of another kind now: Chamber"),
        (rooms, {"is_active": None}, "room", "Room switched off: Chamber"),
        (devices, {"kind": "vacuum_unit"}, "device", f"Device of another kind now: {device.name}"),
        (devices, {"is_active": None}, "device", f"Device switched off: {device.name}"),
    )  # fmt: skip
    kept = {"room": (room.name, "chamber"), "device": (device.name, "interval_chamber")}
    for address, fields, thing, why in changes:
        before = premises.room_facts(room.id), premises.device_facts(device.id)
        look = save_page(owner, address, **fields)
        assert (look.status_code, name in look.text) == (200, True)
        assert "1 booked visit would need another room or device" in look.text
        assert f"Save this {thing} all the same" in look.text
        assert (premises.room_facts(room.id), premises.device_facts(device.id)) == before, "not saved"
        saved = save_page(owner, address, **fields, act="save")
        assert saved.status_code == 303
        shown = owner.get(saved.location).text
        assert "1 visit needs another room or device" in shown
        assert 'href="/todo#under"' in shown
        work = owner.get("/todo").text
        assert (todo in work, why in work) == (True, True)
        again = save_page(owner, address, name="Another name")
        assert again.status_code == 303, "what it lacks already is not asked again"
        back = {"name": kept[thing][0], "is_active": "y", "kind": kept[thing][1]}
        assert save_page(owner, address, **back).status_code == 303
        assert "another room or device" not in owner.get(saved.location).text
        assert reasons() == {}


@pytest.fixture
def closing(app: Flask) -> Staffed:
    """A clinic with a second place; the first one is to be switched off."""
    clinic = staffed(app)
    make_location(zone=w.ZONE, name="West")
    return clinic


def switch_off(place: int) -> None:
    db.session.rollback()
    with transaction() as session:
        session.get_one(Location, place).is_active = False


def test_the_owner_sees_the_visits_at_a_place_before_it_is_switched_off(app: Flask, closing: Staffed) -> None:
    visit, owner = booked(closing.world, "relaxation"), owner_browser(app)
    key, name, place = visit.id, visit.client.name if visit.client else "", closing.world.place_id
    address = f"/owner/locations/{place}"
    db.session.rollback()
    look = save_page(owner, address, is_active=None)
    assert (look.status_code, name in look.text) == (200, True)
    assert "1 booked visit is at this place" in look.text
    assert "Save this place all the same" in look.text
    assert db.session.get_one(Location, place).is_active
    assert reasons() == {}
    assert save_page(owner, address, is_active=None, act="save").status_code == 303
    assert reasons() == {key: ["Place switched off: Main Street"]}
    work = owner.get("/todo").text
    assert (f'data-visit="{key}"' in work, "Place switched off: Main Street" in work) == (True, True)
    assert save_page(owner, address, name="Old Main Street").status_code == 303, "not asked again"
    assert save_page(owner, address, is_active="y").status_code == 303
    assert reasons() == {}


def test_what_is_booked_at_a_place_that_is_used_no_more_is_given_moved_and_changed_by_staff(
    closing: Staffed,
) -> None:
    """And nothing new is given there: no visit, no hold, no other time that the client would be asked about."""
    world = closing.world
    visit, other = booked(world, "relaxation"), booked(world, "relaxation", 4)
    key, other_key, was = visit.id, other.id, visit.therapist_id
    another = next(one for one in world.therapists if one not in (was, other.therapist_id))
    switch_off(world.place_id)
    (case,) = covering.cases_in(was, TypedSpan(w.at(3, 0), w.at(4, 0)), NOW)
    assert another in {one.therapist for one in case.touched.same_time}
    assert case.touched.other_times == []
    db.session.rollback()

    def now_at() -> Visit:
        db.session.rollback()
        return db.session.get_one(Visit, key)

    sick_day.give_to(key, another, revision=now_at().revision, by=world.desk_id, now=NOW)
    assert now_at().therapist_id == another
    less = w.choice("relaxation", areas=("upper_back",), therapist_id=another)
    visits.change_visit(key, revision=now_at().revision, choice=less, by=world.desk_id, now=NOW)
    assert now_at().areas == ["upper_back"]
    visits.change_visit(key, revision=now_at().revision, starts_at=w.at(3, 15), by=world.desk_id, now=NOW)
    assert now_at().starts_at == w.at(3, 15)
    swap_visits(key, other_key, by=world.desk_id, now=NOW)
    assert now_at().starts_at == w.at(4)
    revision = now_at().revision
    db.session.rollback()
    with pytest.raises(SlotTaken):
        visits.change_visit(key, revision=revision, starts_at=w.at(5, 15), by=None, by_client=True, now=NOW)
    client = w.person()
    w.sign(client)
    with pytest.raises(NotFound):
        w.at_desk(world, client, "relaxation", when=w.at(3), location_id=world.place_id)
    with pytest.raises(SlotTaken):
        sick_day.offer_time(key, w.at(5), another, revision=revision, by=world.desk_id, now=NOW)


def test_the_list_takes_as_many_statements_for_one_as_for_many(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blocks, "PIECE", 3)
    world = w.build()
    device = next(one for one in premises.all_devices() if one.device_kind == "interval_chamber")
    sent = []
    for days in ((3,), (4, 5)):
        for day in days:
            booked(world, "decompression_vacuum", day, mode="interval")
        change(device, is_active=False)
        db.session.rollback()
        with counted() as statements:
            assert len(in_the_way.visits_under(NOW)) == days[-1] - 2
        sent.append(len(statements))
        change(device, is_active=True)
    assert sent[0] == sent[1]
