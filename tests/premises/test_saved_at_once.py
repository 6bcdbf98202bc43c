"""Two owners who save one form at one moment, and one who presses twice: the second sees what the first has written."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import asdict, replace

import pytest
from sqlalchemy import select

from clinic.premises import queries, services
from clinic.premises.facts import LocationFacts
from clinic.premises.models import DatedOpening, OpeningHours
from clinic.rules.colours import Theme
from clinic.rules.wall_time import WeeklyHours
from clinic.shared.database import db
from clinic.shared.seen import mark_of
from tests.at_once import Deeds, deeds
from tests.conftest import NOW
from tests.factories import make_clinic, make_location, make_room

__all__ = ["deeds"]
pytestmark = pytest.mark.usefixtures("now")
ZONE = "America/New_York"
ONE_SAVED = ("done", "ChangedMeanwhile")
WEEK = [WeeklyHours(day, dt.time(9), dt.time(17)) for day in range(5)]


def test_the_settings(deeds: Deeds) -> None:
    make_clinic()
    old = queries.clinic_settings()

    def save(**values: object) -> Callable[[], object]:
        new = replace(old, **values)  # type: ignore[arg-type]
        return lambda: services.save_settings(new, seen=mark_of(asdict(old)), by=None, now=NOW)

    deeds.stop_in(services, "leave_trace")
    assert deeds.do(save(name="First Waters"), save(horizon_days=33)) == ONE_SAVED
    found = queries.clinic_settings()
    assert (found.name, found.horizon_days) == ("First Waters", old.horizon_days)


def test_the_look(deeds: Deeds) -> None:
    make_clinic()
    seen = mark_of(queries.look_of(queries.clinic()))

    def save(brand: str) -> Callable[[], object]:
        return lambda: services.save_look(Theme(brand, ""), None, seen=seen, by=None, now=NOW)

    deeds.stop_in(services, "leave_trace")
    assert deeds.do(save("#004400"), save("#440000")) == ONE_SAVED
    assert queries.clinic().brand_colour == "#004400"


def test_a_place(deeds: Deeds) -> None:
    place = make_location(name="Harbour", zone=ZONE).id
    old = queries.location_facts(place)
    assert old is not None

    def save(facts: LocationFacts) -> Callable[[], object]:
        return lambda: services.save_location(place, facts, seen=mark_of(asdict(old)), by=None, now=NOW)

    deeds.stop_in(services, "leave_trace")
    assert deeds.do(save(replace(old, name="Quay")), save(replace(old, phone="+16175550111"))) == ONE_SAVED
    assert queries.location_facts(place) == replace(old, name="Quay")


def test_a_room(deeds: Deeds) -> None:
    room = make_room(make_location(zone=ZONE), name="Oak").id
    old = queries.room_facts(room)
    assert old is not None

    def save(**values: object) -> Callable[[], object]:
        new = replace(old, **values)  # type: ignore[arg-type]
        return lambda: services.save_room(room, new, seen=mark_of(asdict(old)), by=None, now=NOW)

    deeds.stop_in(services, "_write")
    assert deeds.do(save(name="Elm"), save(tables=2)) == ONE_SAVED
    assert queries.room_facts(room) == replace(old, name="Elm")


def test_the_first_week_of_a_place_is_written_once(deeds: Deeds) -> None:
    place = make_location(zone=ZONE, opens=None).id
    seen = mark_of(queries.week_of(place))

    def save() -> None:
        services.save_opening_hours(place, WEEK, seen=seen, by=None, now=NOW)

    deeds.stop_in(services, "leave_trace")
    assert deeds.do(save, save) == ONE_SAVED
    assert sorted(db.session.scalars(select(OpeningHours.weekday))) == [0, 1, 2, 3, 4]


def test_the_hours_of_one_date_are_written_once(deeds: Deeds) -> None:
    make_clinic()
    place, day = make_location(zone=ZONE).id, NOW.date() + dt.timedelta(days=3)

    def save() -> None:
        services.set_opening_of_day(
            place, day, [WeeklyHours(day.weekday(), dt.time(9), dt.time(17))], by=None, now=NOW
        )

    deeds.stop_in(services, "leave_trace")
    assert deeds.do(save, save) == ("done", "done")
    assert list(db.session.scalars(select(DatedOpening.day))) == [day]


def test_one_place_stays_in_use(deeds: Deeds) -> None:
    """Two owners switch off "the other one" of two."""
    places = [make_location(zone=ZONE, name=name).id for name in ("Harbour", "Quay")]

    def switch_off(place: int) -> Callable[[], object]:
        old = queries.location_facts(place)
        assert old is not None
        new, seen = replace(old, is_active=False), mark_of(asdict(old))
        return lambda: services.save_location(place, new, seen=seen, by=None, now=NOW)

    deeds.stop_in(services, "leave_trace")
    assert deeds.do(*map(switch_off, places)) == ("done", "InvalidInput")
    assert [place.is_active for place in queries.locations()] == [False, True]
