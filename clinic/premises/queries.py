"""Reading the clinic, its places, rooms, devices, hours and closures."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields
from itertools import groupby
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from sqlalchemy import Integer, String, bindparam, cast, func, null, select, union_all
from sqlalchemy.orm import joinedload

from clinic.premises.facts import ClinicSettings, DeviceFacts, LocationFacts, RoomFacts
from clinic.premises.models import (
    Clinic,
    Closure,
    DatedOpening,
    Device,
    Location,
    OpeningHours,
    Room,
    one_line,
)
from clinic.rules.booking_policy import BookingSettings
from clinic.rules.errors import NotFound
from clinic.rules.kinds import DEVICE_KINDS, ROOM_KINDS
from clinic.rules.wall_time import WeeklyHours, local_day
from clinic.shared.database import db
from clinic.shared.read_once import read_once
from clinic.shared.statements import joined, taken_apart

Facts = TypeVar("Facts")

_SETTINGS = {
    "lead_minutes": "lead_time_minutes",
    "horizon_days": "horizon_days",
    "slot_step_minutes": "slot_step_minutes",
    "turnover_may_overrun": "turnover_may_overrun",
    "hold_minutes": "hold_minutes",
    "hold_longest_minutes": "hold_max_minutes",
    "pending_days": "pending_days",
    "pending_ends_hours_before": "pending_hours_before",
    "pending_near_ends_hours_before": "pending_short_hours_before",
    "cancel_notice_hours": "cancel_notice_hours",
    "new_lead_minutes": "new_lead_time_minutes",
    "new_horizon_days": "new_horizon_days",
    "gaps": "gaps",
}
"""The booking rules, and the clinic's columns that hold them."""


@dataclass(frozen=True)
class ClinicFacts:
    """What pages and mails say about the clinic; `location_id` is its first place."""

    name: str
    mail_sender: str
    currency: str
    emergency_number: str
    health_line_name: str
    health_line_number: str
    phone_region: str
    uses_24_hours: bool
    location_id: int
    address: str
    phone: str
    zone: str
    cancel_notice_hours: int
    adult_age: int

    @property
    def address_line(self) -> str:
        return one_line(self.address)


def clinic() -> Clinic:
    """The clinic's settings. Raises NoResultFound before `clinic init`."""
    found = _clinic_and_place()
    return found[0] if found else db.session.scalars(select(Clinic).order_by(Clinic.id).limit(1)).one()


def _clinic_and_place() -> tuple[Clinic, Location] | None:
    """The clinic and its first place, read once in each transaction; None before they are there."""
    return read_once("clinic", _read_clinic, Clinic, Location)


def _read_clinic() -> tuple[Clinic, Location] | None:
    row = db.session.execute(
        select(Clinic, Location)
        .join(Location, Location.is_active.is_(True))
        .order_by(Clinic.id, Location.id)
        .limit(1)
    ).first()
    return None if row is None else (row[0], row[1])


def clinic_facts() -> ClinicFacts | None:
    """The clinic and its first place as plain values; None before it is set up."""
    row = _clinic_and_place()
    if row is None:
        return None
    found, place = row
    return ClinicFacts(
        name=found.name,
        mail_sender=found.mail_sender,
        currency=found.currency,
        emergency_number=found.emergency_number,
        health_line_name=found.health_line_name,
        health_line_number=found.health_line_number,
        phone_region=found.phone_region,
        uses_24_hours=found.uses_24_hours,
        location_id=place.id,
        address=place.address,
        phone=place.phone,
        zone=place.zone,
        cancel_notice_hours=found.cancel_notice_hours,
        adult_age=found.adult_age,
    )


def today(now: dt.datetime) -> dt.date:
    """The day on the clinic's wall; in UTC before it is set up."""
    facts = clinic_facts()
    return local_day(now, ZoneInfo(facts.zone) if facts else ZoneInfo("UTC"))


def booking_settings() -> BookingSettings:
    """The owner's booking rules as the rulebook reads them."""
    return _booking_settings(clinic())


@dataclass(frozen=True)
class Place:
    """One place of the clinic: its zone, and the rules of booking there."""

    id: int
    zone: str
    settings: BookingSettings


def rules_of_place(location_id: int | None) -> Place:
    """The place, the first one for None, in one statement. Raises LookupError when there is none."""
    row = _clinic_and_place()
    if row is not None and location_id not in (None, row[1].id):
        place = db.session.get(Location, location_id)
        row = None if place is None else (row[0], place)
    if row is None:
        raise LookupError(f"no location {location_id}")
    return Place(row[1].id, row[1].zone, _booking_settings(row[0]))


def hours_text(*columns: Any) -> Any:
    """Rows of hours as the database joins them into one text: `…, starts, ends` with spaces between."""
    text: Any = None
    for one in columns:
        text = cast(one, String) if text is None else text + " " + cast(one, String)
    return joined(text)


def hours_of(text: str | None) -> list[WeeklyHours]:
    """The hours in a text of `weekday starts ends`."""
    return [
        WeeklyHours(int(weekday), dt.time.fromisoformat(starts), dt.time.fromisoformat(ends))
        for weekday, starts, ends in (row.split(" ") for row in taken_apart(text))
    ]


def dated_hours_of(text: str | None, location_id: int) -> dict[dt.date, list[WeeklyHours]]:
    """The hours of single dates in a text of `day place starts ends`: those at this place. A date with hours at
    another place alone has none here."""
    found: dict[dt.date, list[WeeklyHours]] = {}
    for day, place, starts, ends in (row.split(" ") for row in taken_apart(text)):
        date = dt.date.fromisoformat(day)
        here = found.setdefault(date, [])
        if int(place) == location_id:
            here.append(
                WeeklyHours(date.weekday(), dt.time.fromisoformat(starts), dt.time.fromisoformat(ends))
            )
    return found


@dataclass(frozen=True)
class OpenPlace(Place):
    """A place with its weekly opening hours, and those of single dates. `travel_minutes`: to another place; 0 where
    there is no other."""

    weekly: list[WeeklyHours]
    dated: dict[dt.date, list[WeeklyHours]]
    travel_minutes: int


_CLINIC, _LOCATION = Clinic.__table__.c, Location.__table__.c
_HOURS, _DATED = OpeningHours.__table__.c, DatedOpening.__table__.c
_FIRST_PLACE = select(func.min(_LOCATION.id)).where(_LOCATION.is_active).scalar_subquery()
_OTHER = Location.__table__.alias("other").c
_OPEN_PLACE = (
    select(
        *(_CLINIC[name] for name in _SETTINGS.values()),
        _LOCATION.id,
        _LOCATION.zone,
        select(hours_text(_HOURS.weekday, _HOURS.opens, _HOURS.closes))
        .where(_HOURS.location_id == _LOCATION.id)
        .scalar_subquery()
        .label("weekly"),
        select(hours_text(_DATED.day, _DATED.location_id, _DATED.opens, _DATED.closes))
        .where(_DATED.location_id == _LOCATION.id, _DATED.day.between(bindparam("first"), bindparam("last")))
        .scalar_subquery()
        .label("dated"),
        _CLINIC.travel_minutes,
        select(func.count(_OTHER.id)).where(_OTHER.id != _LOCATION.id).scalar_subquery().label("others"),
    )
    .join(Location.__table__, _LOCATION.id == func.coalesce(bindparam("place", type_=Integer), _FIRST_PLACE))
    .order_by(_CLINIC.id)
    .limit(1)
)


def open_place(location_id: int | None, days: Sequence[dt.date]) -> OpenPlace:
    """The place, the first one for None, with its hours on these days in order, in one statement. Raises LookupError
    when there is none."""
    given = {"place": location_id, "first": days[0], "last": days[-1]}
    row = db.session.execute(_OPEN_PLACE, given).one_or_none()
    if row is None:
        raise LookupError(f"no location {location_id}")
    dated = dated_hours_of(row.dated, row.id)
    travel = row.travel_minutes if row.others else 0
    return OpenPlace(row.id, row.zone, _booking_settings(row), hours_of(row.weekly), dated, travel)


@dataclass(frozen=True)
class Kit:
    """What a visit may use at a place: ids of rooms, and of devices by kind."""

    rooms: list[int]
    devices: dict[str, list[int]]


_ROOM, _DEVICE = Room.__table__.c, Device.__table__.c
_KIT = union_all(
    select(_ROOM.id, null().label("kind")).where(
        _ROOM.location_id == bindparam("place"), _ROOM.is_active, _ROOM.room_kind == bindparam("room_kind")
    ),
    select(_DEVICE.id, _DEVICE.device_kind).where(
        _DEVICE.location_id == bindparam("place"),
        _DEVICE.is_active,
        _DEVICE.device_kind.in_(bindparam("device_kinds", expanding=True)),
    ),
)


def kit_of(location_id: int, room_kind: str, device_kinds: Collection[str]) -> Kit:
    """Rooms and devices in use of these kinds, by id. One statement."""
    wanted = {"place": location_id, "room_kind": room_kind, "device_kinds": list(device_kinds)}
    kit = Kit([], {kind: [] for kind in device_kinds})
    for found, kind in sorted(db.session.execute(_KIT, wanted), key=lambda row: int(row[0])):
        (kit.rooms if kind is None else kit.devices[kind]).append(found)
    return kit


def rooms_for_two() -> frozenset[int]:
    """Ids of rooms in use with two tables or more, of every place."""
    return frozenset(db.session.scalars(select(Room.id).where(Room.is_active, Room.tables > 1)))


def _booking_settings(row: Any) -> BookingSettings:
    return BookingSettings(**{name: getattr(row, column) for name, column in _SETTINGS.items()})


def location(location_id: int) -> Location | None:
    return db.session.get(Location, location_id)


def locations() -> Sequence[Location]:
    return db.session.scalars(select(Location).order_by(Location.id)).all()


def opening_hours(location_id: int) -> Sequence[OpeningHours]:
    return db.session.scalars(
        select(OpeningHours)
        .where(OpeningHours.location_id == location_id)
        .order_by(OpeningHours.weekday, OpeningHours.opens, OpeningHours.id)
    ).all()


def rooms(location_id: int, *, only_active: bool = True) -> Sequence[Room]:
    wanted = select(Room).where(Room.location_id == location_id).order_by(Room.name, Room.id)
    return db.session.scalars(wanted.where(Room.is_active) if only_active else wanted).all()


def devices(location_id: int, *, only_active: bool = True) -> Sequence[Device]:
    wanted = select(Device).where(Device.location_id == location_id).order_by(Device.name, Device.id)
    return db.session.scalars(wanted.where(Device.is_active) if only_active else wanted).all()


def kit_names(location_id: int) -> dict[int, str]:
    """The names of the place's rooms and devices in use, by id: rooms first, each by name."""
    found = {room.id: room.name for room in rooms(location_id)}
    return found | {device.id: device.name for device in devices(location_id)}


def closures_from(location_id: int, moment: dt.datetime) -> Sequence[Closure]:
    """Closures that end after `moment`, soonest first."""
    return db.session.scalars(
        select(Closure)
        .where(Closure.location_id == location_id, Closure.ends_at > moment)
        .order_by(Closure.starts_at, Closure.id)
    ).all()


def clinic_settings() -> ClinicSettings:
    """The settings as plain values. Raises NoResultFound before the clinic is set up."""
    return facts_of(clinic(), ClinicSettings)


def location_facts(location_id: int) -> LocationFacts | None:
    row = location(location_id)
    return facts_of(row, LocationFacts) if row is not None else None


def room_facts(room_id: int) -> RoomFacts | None:
    row = db.session.get(Room, room_id)
    return facts_of(row, RoomFacts) if row is not None else None


def device_facts(device_id: int) -> DeviceFacts | None:
    row = db.session.get(Device, device_id)
    return facts_of(row, DeviceFacts) if row is not None else None


def facts_of(row: Any, kind: type[Facts]) -> Facts:
    """The columns of a row that this dataclass names."""
    return kind(**{field.name: getattr(row, field.name) for field in fields(kind)})  # type: ignore[arg-type]


def all_rooms() -> Sequence[Room]:
    """Rooms of every place, those switched off last; for the owner."""
    return db.session.scalars(
        select(Room)
        .options(joinedload(Room.location))
        .order_by(Room.location_id, Room.is_active.desc(), Room.name, Room.id)
    ).all()


def all_devices() -> Sequence[Device]:
    """Devices of every place, those switched off last; for the owner."""
    return db.session.scalars(
        select(Device)
        .options(joinedload(Device.location))
        .order_by(Device.location_id, Device.is_active.desc(), Device.name, Device.id)
    ).all()


def room_kinds() -> list[str]:
    """The known kinds of rooms and those that are in use."""
    used = db.session.scalars(select(Room.room_kind).distinct().order_by(Room.room_kind))
    return list(dict.fromkeys([*ROOM_KINDS, *used]))


def device_kinds() -> list[str]:
    """The known kinds of devices and those that are in use."""
    used = db.session.scalars(select(Device.device_kind).distinct().order_by(Device.device_kind))
    return list(dict.fromkeys([*DEVICE_KINDS, *used]))


def has_rooms(location_id: int) -> bool:
    """Whether visits can have been booked there: a visit needs a room, and rooms are never deleted."""
    return (
        db.session.scalars(select(Room.id).where(Room.location_id == location_id).limit(1)).first()
        is not None
    )


def dated_opening(location_id: int, days: Sequence[dt.date]) -> dict[dt.date, list[WeeklyHours]]:
    """Those of these days, in order, that have opening hours of their own."""
    rows = db.session.scalars(
        select(DatedOpening)
        .where(DatedOpening.location_id == location_id, DatedOpening.day.between(days[0], days[-1]))
        .order_by(DatedOpening.day, DatedOpening.opens, DatedOpening.id)
    )
    found: dict[dt.date, list[WeeklyHours]] = {}
    for row in rows:
        found.setdefault(row.day, []).append(WeeklyHours(row.day.weekday(), row.opens, row.closes))
    return found


def days_ahead(location_id: int, today: dt.date) -> list[tuple[dt.date, list[WeeklyHours]]]:
    """Dates from today on with opening hours of their own, in order."""
    rows = db.session.scalars(
        select(DatedOpening)
        .where(DatedOpening.location_id == location_id, DatedOpening.day >= today)
        .order_by(DatedOpening.day, DatedOpening.opens, DatedOpening.id)
    )
    return [
        (day, [WeeklyHours(day.weekday(), row.opens, row.closes) for row in group])
        for day, group in groupby(rows, key=lambda row: row.day)
    ]


def week_of(location_id: int) -> list[WeeklyHours]:
    """The opening hours as the rules read them."""
    return [WeeklyHours(row.weekday, row.opens, row.closes) for row in opening_hours(location_id)]


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
        return one_line(self.address)


def places() -> list[PlaceFacts]:
    """Every place in use, the first one first."""
    rows = db.session.scalars(select(Location).where(Location.is_active).order_by(Location.id))
    return [PlaceFacts(row.id, row.name, row.address, row.phone, row.zone) for row in rows]


def place_in_use(location_id: int) -> PlaceFacts:
    """Raises NotFound for one that never was, or is no longer used."""
    row = db.session.get(Location, location_id)
    if row is None or not row.is_active:
        raise NotFound("There is no such place.")
    return PlaceFacts(row.id, row.name, row.address, row.phone, row.zone)


def where(facts: ClinicFacts, location_id: int | None) -> tuple[int, str]:
    """Id and zone of the wished place; of the clinic's first one where none is wished. Raises NotFound."""
    if location_id in (None, facts.location_id):
        return facts.location_id, facts.zone
    place = place_in_use(location_id or 0)
    return place.id, place.zone
