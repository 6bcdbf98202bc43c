"""The owner's pages about the clinic."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient

from clinic.premises import queries
from clinic.rules.permissions import Role
from tests.factories import make_clinic, make_device, make_location, make_room, make_user
from tests.owners import browser_of, deeds, owner_browser, save_page
from tests.statements import counted
from tests.typed_forms import form_on

PAGES = (
    "/owner",
    "/owner/settings",
    "/owner/locations",
    "/owner/locations/new",
    "/owner/rooms",
    "/owner/devices",
    "/owner/rules",
)


@pytest.fixture
def owner(app: Flask) -> FlaskClient:
    """An owner's browser, in a clinic with one place, a room and a device."""
    make_clinic()
    place = make_location(zone="America/New_York")
    make_room(place, name="Blue room")
    make_device(place, device_kind="vacuum_unit", name="Pump A")
    return owner_browser(app)


def room_id() -> int:
    return queries.all_rooms()[0].id


def place_id() -> int:
    return queries.locations()[0].id


@pytest.mark.parametrize("address", PAGES)
def test_only_an_owner_comes_in(app: Flask, client: FlaskClient, owner: FlaskClient, address: str) -> None:
    assert owner.get(address).status_code == 200
    assert client.get(address).status_code == 303
    desk = make_user(email="desk@clinic.example", roles=[Role.FRONT_DESK, Role.THERAPIST])
    assert browser_of(app, desk).get(address).status_code == 403


def test_hub_leads_to_every_page_of_the_owner(owner: FlaskClient) -> None:
    page = owner.get("/owner").text
    for address in (
        "/owner/settings", "/owner/locations", "/owner/closures", "/owner/rooms", "/owner/devices", "/owner/services",
        "/owner/addons", "/owner/rules", "/owner/therapists", "/owner/team", "/desk/time-off",
    ):  # fmt: skip
        assert f'href="{address}"' in page, address


@pytest.mark.parametrize(
    "address",
    ["/owner/settings", "/owner/locations/{place}", "/owner/locations/{place}/hours", "/owner/rooms/{room}"],
)
def test_saving_untouched_changes_nothing(owner: FlaskClient, address: str) -> None:
    before = (
        queries.clinic_settings(),
        queries.location_facts(place_id()),
        queries.week_of(place_id()),
        queries.room_facts(room_id()),
    )
    assert save_page(owner, address.format(place=place_id(), room=room_id())).status_code == 303
    after = (
        queries.clinic_settings(),
        queries.location_facts(place_id()),
        queries.week_of(place_id()),
        queries.room_facts(room_id()),
    )
    assert after == before
    assert len(deeds()) == 1


def test_settings_are_changed(owner: FlaskClient) -> None:
    answer = save_page(
        owner,
        "/owner/settings",
        name="Quiet Room",
        phone_region="gb",
        uses_24_hours="y",
        month_first="y",
        turnover_may_overrun=None,
    )
    assert answer.status_code == 303
    saved = queries.clinic_settings()
    assert (saved.name, saved.phone_region, saved.uses_24_hours, saved.turnover_may_overrun) == (
        "Quiet Room",
        "GB",
        True,
        False,
    )
    page = owner.get("/owner/settings").text
    assert re.search(r"booked online is [A-Z][a-z]+, [A-Z][a-z]+ [0-9]+", page)
    assert "The settings are saved." in page


@pytest.mark.parametrize(
    ("field", "typed", "sentence"),
    [
        ("name", " ", "Enter the clinic&#39;s name."),
        ("name", "x" * 81, "Write this in at most 80 characters."),
        ("mail_sender", "nobody", "This does not look like an e-mail address."),
        ("currency", "XXX", "Choose one from the list."),
        ("phone_region", "ZZ", "Enter the two letters of a country"),
        ("emergency_number", "call me", "Enter 2 to 6 digits"),
        ("health_line_number", "ask <b>Ann</b>", "Enter a phone number, such as 555-0111."),
        ("health_line_number", "-1", "Enter a phone number, such as 555-0111."),
        ("slot_step_minutes", "7", "Choose one from the list."),
        ("horizon_days", "many", "Enter a whole number from 1 to 730."),
        ("horizon_days", "9" * 400, "Enter a whole number from 1 to 730."),  # an int, too large for a float
        ("horizon_days", "9" * 5000, "Enter a whole number from 1 to 730."),
        ("hold_max_minutes", "5", "This cannot be shorter than the first keeping time."),
        ("adult_age", "", "Enter a whole number from 14 to 25."),
    ],
)
def test_wrong_settings_get_a_sentence_and_stay_typed(
    owner: FlaskClient, field: str, typed: str, sentence: str
) -> None:
    before = queries.clinic_settings()
    typed_too = {"health_line_name": "Kept words", "health_line_number": "811"}
    answer = save_page(owner, "/owner/settings", **{**typed_too, field: typed})
    assert answer.status_code == 422
    assert sentence in answer.text
    assert "Kept words" in answer.text
    assert queries.clinic_settings() == before


def test_place_is_added_with_a_zone_from_the_list(owner: FlaskClient) -> None:
    typed = {"name": "Harbour", "address": "1 Quay\r\nBoston", "phone": "617 555 0100"}
    assert save_page(owner, "/owner/locations/new", zone="Mars/Olympus", **typed).status_code == 422
    assert save_page(owner, "/owner/locations/new", zone="Europe/Paris", **typed).status_code == 303
    added = queries.locations()[1]
    assert (added.name, added.address, added.zone) == ("Harbour", "1 Quay\nBoston", "Europe/Paris")
    page = owner.get("/owner/locations").text
    assert ("Times in Paris" in page, "Now enter its opening hours and rooms" in page) == (True, True)


def test_phone_of_a_place_can_be_called(owner: FlaskClient) -> None:
    answer = save_page(owner, f"/owner/locations/{place_id()}", phone="ring me")
    assert answer.status_code == 422
    assert "This does not look like a phone number" in answer.text


def test_zone_of_a_place_with_rooms_stays_whatever_is_sent(owner: FlaskClient) -> None:
    page = owner.get(f"/owner/locations/{place_id()}").text
    assert "it cannot be changed here" in page
    assert "<select" not in page
    assert (
        save_page(owner, f"/owner/locations/{place_id()}", zone="Europe/Paris", name="Renamed").status_code
        == 303
    )
    place = queries.locations()[0]
    assert (place.zone, place.name) == ("America/New_York", "Renamed")


def test_opening_hours_are_typed_day_by_day(owner: FlaskClient) -> None:
    address = f"/owner/locations/{place_id()}/hours"
    fields = {"work.6.0.starts": "", "work.6.0.ends": "", "work.0.0.starts": "10:00"}
    assert save_page(owner, address, fields=fields).status_code == 303
    page = owner.get("/owner/locations").text
    assert "10:00 am to 8:00 pm" in page
    assert "closed" in page
    added = save_page(owner, address, act="add.work.0")
    assert added.status_code == 200
    assert 'name="work.0.1.starts"' in added.text
    assert len(deeds()) == 1


def test_wrong_opening_hours_say_why_at_the_row(owner: FlaskClient) -> None:
    address = f"/owner/locations/{place_id()}/hours"
    answer = save_page(owner, address, fields={"work.0.0.starts": "17:00", "work.0.0.ends": "09:00"})
    assert answer.status_code == 422
    assert "Monday: This would last 16 hours, into the next day. Check the times, or enter" in answer.text
    assert 'href="#work.0.0.starts"' in answer.text


def test_hours_changed_in_another_tab_are_noticed(owner: FlaskClient) -> None:
    address = f"/owner/locations/{place_id()}/hours"
    stale = form_on(owner.get(address).text, address)
    assert save_page(owner, address, fields={"work.0.0.starts": "10:00"}).status_code == 303
    clash = owner.post(address, data=stale)
    assert clash.status_code == 422
    assert "Somebody changed this while you had it open" in clash.text
    assert owner.post(address, data=form_on(clash.text, address)).status_code == 303


def test_room_is_added_with_a_kind_of_its_own(owner: FlaskClient) -> None:
    assert (
        save_page(owner, "/owner/rooms/new", name="Sauna", other_kind="Hot room", tables="2").status_code
        == 303
    )
    room = next(row for row in queries.all_rooms() if row.name == "Sauna")
    assert (room.room_kind, room.tables, room.location_id) == ("hot_room", 2, place_id())
    assert "Hot room, 2 tables" in owner.get("/owner/rooms").text


def test_two_of_one_name_are_refused_where_they_would_be_mistaken(owner: FlaskClient) -> None:
    taken = next(row.name for row in queries.all_rooms() if row.id == room_id())
    place = queries.locations()[0].name
    typed = {"address": "1 Quay", "phone": "617 555 0100", "zone": "Europe/Paris"}
    twice = "There is one of this name already."
    assert twice in save_page(owner, "/owner/rooms/new", name=taken.upper()).text
    assert twice in save_page(owner, "/owner/locations/new", name=place, **typed).text
    assert save_page(owner, "/owner/devices/new", name="Heater 9").status_code == 303
    assert twice in save_page(owner, "/owner/devices/new", name="heater 9").text
    assert save_page(owner, f"/owner/rooms/{room_id()}", is_active=None).status_code == 303
    assert save_page(owner, "/owner/rooms/new", name=taken).status_code == 303, "it is not in use any more"


def test_room_is_switched_off_not_deleted(owner: FlaskClient) -> None:
    assert save_page(owner, f"/owner/rooms/{room_id()}", is_active=None).status_code == 303
    assert "another room or device" not in owner.get("/owner/rooms").text, "nobody is booked in it"
    assert [row.is_active for row in queries.all_rooms()] == [False]
    assert "Switched off" in owner.get("/owner/rooms").text


def test_device_is_added_and_changed(owner: FlaskClient) -> None:
    assert save_page(owner, "/owner/devices/new", name="Heater", kind="stone_heater").status_code == 303
    device = next(row for row in queries.all_devices() if row.name == "Heater")
    assert save_page(owner, f"/owner/devices/{device.id}", name="", kind="nonsense").status_code == 422
    assert save_page(owner, f"/owner/devices/{device.id}", name="Heater 2").status_code == 303
    assert "Heater 2" in owner.get("/owner/devices").text


def test_number_of_tables_is_checked(owner: FlaskClient) -> None:
    answer = save_page(owner, "/owner/rooms/new", name="Big", tables="11")
    assert answer.status_code == 422
    assert "Enter a whole number from 1 to 10." in answer.text


@pytest.mark.parametrize(
    "address",
    ["/owner/rooms/999", "/owner/devices/999", "/owner/locations/999", "/owner/locations/999/hours"],
)
def test_what_is_not_there_is_not_found(owner: FlaskClient, address: str) -> None:
    assert owner.get(address).status_code == 404
    assert owner.post(address, data={}).status_code == 404


def test_lists_take_the_same_statements_for_one_and_for_three(owner: FlaskClient) -> None:
    sent = []
    for _ in range(2):
        with counted() as found:
            assert owner.get("/owner/rooms").status_code == 200
        sent.append(len(found))
        place = queries.locations()[0]
        make_room(place, name="Two")
        make_room(place, name="Three")
    assert sent[0] == sent[1] > 0
