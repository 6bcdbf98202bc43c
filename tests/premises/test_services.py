"""Changing the clinic, its places, rooms and devices: what is refused, what is kept, what is written down."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict, replace

import pytest

from clinic.premises import queries, services
from clinic.premises.facts import DeviceFacts, LocationFacts, RoomFacts
from clinic.premises.models import Closure
from clinic.rules.errors import ChangedMeanwhile, InvalidInput, NotFound
from clinic.rules.wall_time import WeeklyHours
from clinic.shared.database import transaction
from clinic.shared.seen import mark_of
from tests.factories import make_clinic, make_device, make_location, make_room
from tests.owners import deeds

pytestmark = pytest.mark.usefixtures("app")
NOW = dt.datetime(2026, 6, 9, 13, tzinfo=dt.UTC)
PLACE = LocationFacts(
    name="Harbour", address="1 Quay\nBoston", phone="+16175550100", zone="America/New_York", is_active=True
)


def change_settings(**values: object) -> None:
    old = queries.clinic_settings()
    services.save_settings(replace(old, **values), seen=mark_of(asdict(old)), by=None, now=NOW)  # type: ignore[arg-type]


def change_place(location_id: int, **values: object) -> None:
    old = queries.location_facts(location_id)
    assert old is not None
    facts = replace(old, **values)  # type: ignore[arg-type]
    services.save_location(location_id, facts, seen=mark_of(asdict(old)), by=None, now=NOW)


def test_settings_are_kept_and_the_audit_names_fields_only() -> None:
    make_clinic()
    change_settings(name="Quiet Room", horizon_days=90)
    assert (queries.clinic().name, queries.clinic().horizon_days) == ("Quiet Room", 90)
    assert deeds() == [("clinic.settings_changed", "name, horizon_days")]
    assert queries.booking_settings().horizon_days == 90


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"slot_step_minutes": 7}, "slot_step_minutes"),
        ({"hold_minutes": 20, "hold_max_minutes": 19}, "hold_max_minutes"),
        ({"pending_hours_before": 5, "pending_short_hours_before": 6}, "pending_short_hours_before"),
        ({"adult_age": 16, "guardian_in_room_age": 17}, "guardian_in_room_age"),
        ({"health_line_name": "Nurse line"}, "health_line_number"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(values: dict[str, object], field: str) -> None:
    make_clinic()
    before = queries.clinic_settings()
    with pytest.raises(InvalidInput) as refused:
        change_settings(**values)
    assert refused.value.field == field
    assert queries.clinic_settings() == before


def test_settings_changed_by_another_tab_are_not_overwritten() -> None:
    make_clinic()
    old = queries.clinic_settings()
    change_settings(name="First tab")
    with pytest.raises(ChangedMeanwhile):
        services.save_settings(replace(old, name="Second"), seen=mark_of(asdict(old)), by=None, now=NOW)
    assert queries.clinic().name == "First tab"


def test_place_is_added_and_changed() -> None:
    location_id = services.save_location(None, PLACE, seen="", by=None, now=NOW)
    change_place(location_id, address="2 Quay")
    assert queries.location_facts(location_id) == replace(PLACE, address="2 Quay")
    assert [deed for deed, _ in deeds()] == ["location.added", "location.changed"]


@pytest.mark.parametrize("there", ["room", "closure"])
def test_zone_can_be_put_right_until_something_stands_by_it(there: str) -> None:
    place_id = make_location(zone="America/New_York").id
    change_place(place_id, zone="Europe/Paris")
    if there == "room":
        make_room(queries.locations()[0])
    else:
        start = dt.datetime(2026, 6, 12, 7, tzinfo=dt.UTC)
        with transaction() as session:
            session.add(
                Closure(
                    location_id=place_id, starts_at=start, ends_at=start + dt.timedelta(hours=3), reason=""
                )
            )
    with pytest.raises(InvalidInput) as refused:
        change_place(place_id, zone="Europe/Rome")
    assert refused.value.field == "zone"
    change_place(place_id, name="Rue")
    facts = queries.location_facts(place_id)
    assert facts is not None
    assert (facts.zone, facts.name) == ("Europe/Paris", "Rue")


@pytest.mark.parametrize("zone", ["", "Mars/Olympus", "../etc/passwd"])
def test_zone_must_be_one(zone: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        services.save_location(None, replace(PLACE, zone=zone), seen="", by=None, now=NOW)
    assert refused.value.field == "zone"


def test_last_place_in_use_stays_in_use() -> None:
    first, second = make_location(zone="UTC").id, make_location(zone="UTC", name="Second").id
    change_place(first, is_active=False)
    with pytest.raises(InvalidInput) as refused:
        change_place(second, is_active=False)
    assert refused.value.field == "is_active"


def test_room_and_device_are_added_changed_and_switched_off() -> None:
    place = make_location(zone="UTC")
    room = RoomFacts(place.id, "Blue room", "treatment", 2, True)
    room_id = services.save_room(None, room, seen="", by=None, now=NOW)
    services.save_room(room_id, replace(room, is_active=False), seen=mark_of(asdict(room)), by=None, now=NOW)
    device = DeviceFacts(place.id, "Pump", "vacuum_unit", True)
    device_id = services.save_device(None, device, seen="", by=None, now=NOW)
    services.save_device(
        device_id, replace(device, name="Pump A"), seen=mark_of(asdict(device)), by=None, now=NOW
    )
    assert queries.room_facts(room_id) == replace(room, is_active=False)
    assert queries.device_facts(device_id) == replace(device, name="Pump A")
    assert list(queries.rooms(place.id)) == []
    assert deeds() == [
        ("room.added", "location_id, name, room_kind, tables, is_active"),
        ("room.changed", "is_active"),
        ("device.added", "location_id, name, device_kind, is_active"),
        ("device.changed", "name"),
    ]


def test_room_and_device_stay_at_their_place() -> None:
    here, there = make_location(zone="UTC"), make_location(zone="UTC", name="There")
    room, device = make_room(here), make_device(here, device_kind="vacuum_unit")
    there_id, room_id, device_id = there.id, room.id, device.id
    room_was, device_was = queries.room_facts(room_id), queries.device_facts(device_id)
    assert room_was is not None
    assert device_was is not None
    moved, other = replace(room_was, location_id=there_id), replace(device_was, location_id=there_id)
    with pytest.raises(InvalidInput) as refused:
        services.save_room(room_id, moved, seen=mark_of(asdict(room_was)), by=None, now=NOW)
    assert refused.value.field == "location_id"
    with pytest.raises(InvalidInput):
        services.save_device(device_id, other, seen=mark_of(asdict(device_was)), by=None, now=NOW)
    with pytest.raises(InvalidInput):
        services.save_room(None, replace(room_was, location_id=999), seen="", by=None, now=NOW)


def test_what_is_not_there_cannot_be_changed() -> None:
    place = make_location(zone="UTC")
    with pytest.raises(NotFound):
        services.save_location(999, PLACE, seen="", by=None, now=NOW)
    with pytest.raises(NotFound):
        services.save_room(999, RoomFacts(place.id, "A", "treatment", 1, True), seen="", by=None, now=NOW)
    with pytest.raises(NotFound):
        services.save_device(999, DeviceFacts(place.id, "A", "x", True), seen="", by=None, now=NOW)
    with pytest.raises(NotFound):
        services.save_opening_hours(999, [], seen=mark_of([]), by=None, now=NOW)


def test_opening_hours_are_replaced_as_a_whole() -> None:
    place_id = make_location(zone="UTC", opens="08:00", closes="20:00").id
    week = [WeeklyHours(0, dt.time(9), dt.time(13)), WeeklyHours(0, dt.time(14), dt.time(0))]
    services.save_opening_hours(place_id, week, seen=mark_of(queries.week_of(place_id)), by=None, now=NOW)
    assert queries.week_of(place_id) == week
    assert deeds() == [("location.hours_changed", "")]


def test_opening_hours_that_cannot_be_are_refused_whole() -> None:
    place_id = make_location(zone="UTC").id
    before = queries.week_of(place_id)
    week = [WeeklyHours(0, dt.time(9), dt.time(13)), WeeklyHours(0, dt.time(12), dt.time(18))]
    with pytest.raises(InvalidInput) as refused:
        services.save_opening_hours(place_id, week, seen=mark_of(before), by=None, now=NOW)
    assert refused.value.field == "work.1"
    with pytest.raises(ChangedMeanwhile):
        services.save_opening_hours(place_id, week[:1], seen="stale", by=None, now=NOW)
    assert queries.week_of(place_id) == before
