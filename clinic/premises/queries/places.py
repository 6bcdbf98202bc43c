"""The clinic's places that are in use: what they are called, which clocks they have, what is in them."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from sqlalchemy import select, union

from clinic.premises.models import DatedOpening, Device, Location, OpeningHours, Room, one_line
from clinic.rules.errors import NotFound
from clinic.rules.language import _
from clinic.rules.wall_time import WallClock, WeeklyHours
from clinic.shared.database import db
from clinic.shared.read_once import read_once


@dataclass(frozen=True)
class PlaceFacts:
    """A place that is in use, as people and programs see it."""

    id: int
    name: str
    address: str
    phone: str
    zone: str

    @property
    def address_line(self) -> str:
        """Where it is in one line; its name while nobody has entered an address."""
        return one_line(self.address) or self.name


def places() -> list[PlaceFacts]:
    """Every place in use, the first one first."""
    return list(read_once("places", _places, Location))


def _places() -> list[PlaceFacts]:
    rows = db.session.scalars(select(Location).where(Location.is_active).order_by(Location.id))
    return [PlaceFacts(row.id, row.name, row.address, row.phone, row.zone) for row in rows]


def places_that_open(today: dt.date) -> frozenset[int]:
    """Ids of the places in use with opening hours, weekly or on a date from today on."""
    hours = union(
        select(OpeningHours.location_id), select(DatedOpening.location_id).where(DatedOpening.day >= today)
    ).subquery()
    wanted = select(Location.id).join(hours, hours.c.location_id == Location.id).where(Location.is_active)
    return frozenset(db.session.scalars(wanted))


def weeks() -> dict[int, list[WeeklyHours]]:
    """Place → its weekly opening hours as the rules read them, of those that have any. One statement."""
    found: dict[int, list[WeeklyHours]] = {}
    rows = select(OpeningHours).order_by(OpeningHours.weekday, OpeningHours.opens, OpeningHours.id)
    for row in db.session.scalars(rows):
        found.setdefault(row.location_id, []).append(WeeklyHours(row.weekday, row.opens, row.closes))
    return found


def kinds_at_places() -> dict[int, tuple[set[str], set[str]]]:
    """Place → the kinds of its rooms, and of its devices, that are in use. Two statements."""
    found: dict[int, tuple[set[str], set[str]]] = {}
    for at, (place, kind, is_active) in enumerate(
        (
            (Room.location_id, Room.room_kind, Room.is_active),
            (Device.location_id, Device.device_kind, Device.is_active),
        )
    ):
        for location_id, name in db.session.execute(select(place, kind).where(is_active).distinct()):
            found.setdefault(location_id, (set(), set()))[at].add(name)
    return found


def clocks() -> list[WallClock]:
    """The wall clocks of all places in use, one for each zone."""
    zones = db.session.scalars(
        select(Location.zone).where(Location.is_active).distinct().order_by(Location.zone)
    )
    return [WallClock(ZoneInfo(zone)) for zone in zones]


def place_in_use(location_id: int) -> PlaceFacts:
    """Raises NotFound for one that never was, or is no longer used."""
    row = db.session.get(Location, location_id)
    if row is None or not row.is_active:
        raise NotFound(_("There is no such place."))
    return PlaceFacts(row.id, row.name, row.address, row.phone, row.zone)
