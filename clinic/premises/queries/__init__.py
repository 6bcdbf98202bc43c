"""Reading the clinic, its places, rooms, devices, hours and closures."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, fields
from itertools import groupby
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from sqlalchemy import Row, select, union_all
from sqlalchemy.orm import joinedload

from clinic.premises.facts import ClinicSettings, DeviceFacts, LocationFacts, RoomFacts
from clinic.premises.models import (
    Clinic,
    Closure,
    DatedOpening,
    Device,
    Location,
    OpeningHours,
    Picture,
    Room,
    one_line,
)
from clinic.premises.queries.open_place import (
    OPEN_PLACE,
    OpenPlace,
    as_if_in_use,
    booking_settings_of,
    dated_hours_of,
    hours_of,
    hours_text,
    open_place,
    open_place_of,
    where_and_when,
)
from clinic.premises.queries.places import (
    PlaceFacts,
    clocks,
    kinds_at_places,
    place_in_use,
    places,
    places_that_open,
    weeks,
)
from clinic.rules import setting_effects
from clinic.rules.booking_policy import BookingSettings
from clinic.rules.colours import Theme
from clinic.rules.errors import NotOpenYet
from clinic.rules.kinds import DEVICE_KINDS, ROOM_KINDS
from clinic.rules.wall_time import WeeklyHours, local_day
from clinic.shared.database import db
from clinic.shared.read_once import read_once

__all__ = [  # besides what is here
    "OPEN_PLACE", "OpenPlace", "PlaceFacts", "as_if_in_use", "clocks", "dated_hours_of", "hours_of", "hours_text",
    "kinds_at_places", "open_place", "open_place_of", "place_in_use", "places", "places_that_open", "weeks",
    "where_and_when",
]  # fmt: skip

Facts = TypeVar("Facts")


@dataclass(frozen=True)
class PictureFacts:
    """Where a picture is found, and its shape."""

    id: int
    width: int
    height: int


@dataclass(frozen=True)
class ClinicFacts:
    """What pages and mails say about the clinic; `location_id` is its first place."""

    name: str
    mail_sender: str
    calendar_domain: str
    currency: str
    emergency_number: str
    health_line_name: str
    health_line_number: str
    phone_region: str
    uses_24_hours: bool
    month_first: bool
    language: str
    offers_languages: bool
    location_id: int
    address: str
    phone: str
    zone: str
    cancel_notice_hours: int
    adult_age: int
    theme: Theme
    logo: PictureFacts | None

    @property
    def address_line(self) -> str:
        return one_line(self.address)

    def language_for(self, chosen: str | None) -> str:
        """What we write in to somebody who chose this language; without a choice it is the clinic's own."""
        return chosen if chosen and self.offers_languages else self.language


def clinic() -> Clinic:
    """The clinic's settings. Raises NotOpenYet before `clinic init`."""
    pair = _clinic_and_place()
    found = pair[0] if pair else db.session.scalar(select(Clinic).order_by(Clinic.id).limit(1))
    if found is None:
        raise NotOpenYet()
    return found


def _clinic_and_place() -> tuple[Clinic, Location, int, int] | None:
    """The clinic and its first place, read once in each transaction; None before they are there."""
    return read_once("clinic", _read_clinic, Clinic, Location)


CLINIC_AND_PLACE = (
    select(Clinic, Location, Picture.width, Picture.height)
    .select_from(Clinic)
    .join(Location, Location.is_active.is_(True))
    .outerjoin(Picture, Picture.id == Clinic.logo_id)
    .order_by(Clinic.id, Location.id)
    .limit(1)
)


def _read_clinic() -> tuple[Clinic, Location, int, int] | None:
    row = db.session.execute(CLINIC_AND_PLACE).first()
    return None if row is None else _kept(*row)


def _kept(
    clinic: Clinic, place: Location, width: int | None, height: int | None
) -> tuple[Clinic, Location, int, int]:
    return clinic, place, width or 0, height or 0


def note_clinic(row: Row[Any]) -> None:
    """It was read just now, at the start of a row with something else: nobody in this transaction reads it again."""
    read_once("clinic", lambda: _kept(*row[:4]), Clinic, Location)


def clinic_facts() -> ClinicFacts | None:
    """The clinic and its first place as plain values; None before it is set up."""
    row = _clinic_and_place()
    if row is None:
        return None
    found, place, *shape = row
    return ClinicFacts(
        name=found.name,
        mail_sender=found.mail_sender,
        calendar_domain=found.calendar_domain,
        currency=found.currency,
        emergency_number=found.emergency_number,
        health_line_name=found.health_line_name,
        health_line_number=found.health_line_number,
        phone_region=found.phone_region,
        uses_24_hours=found.uses_24_hours,
        month_first=found.month_first,
        language=found.language,
        offers_languages=found.offers_languages,
        location_id=place.id,
        address=place.address,
        phone=place.phone,
        zone=place.zone,
        cancel_notice_hours=found.cancel_notice_hours,
        adult_age=found.adult_age,
        theme=Theme(found.brand_colour, found.accent_colour),
        logo=None if found.logo_id is None else PictureFacts(found.logo_id, *shape),
    )


def picture(picture_id: int) -> Picture | None:
    """A picture that everybody may see."""
    return db.session.get(Picture, picture_id)


def logo_content() -> bytes | None:
    """The clinic's logo itself, for paper."""
    facts = clinic_facts()
    row = picture(facts.logo.id) if facts is not None and facts.logo is not None else None
    return row.content if row is not None else None


def today(now: dt.datetime, zone: str = "") -> dt.date:
    """The day on the wall of a place in this zone, or else of the clinic's first place; in UTC before it is set up."""
    facts = clinic_facts() if not zone else None
    return local_day(now, ZoneInfo(zone or (facts.zone if facts else "UTC")))


def booking_settings() -> BookingSettings:
    """The owner's booking rules as the rulebook reads them."""
    return booking_settings_of(clinic())


def look_of(row: Clinic) -> dict[str, object]:
    """What an owner chooses of the look."""
    return {"brand": row.brand_colour, "accent": row.accent_colour, "logo": row.logo_id}


def effects_of_settings(now: dt.datetime) -> dict[str, str]:
    """Setting → what it means for a visit or a person that the owner can picture."""
    facts = clinic_facts()
    zone = ZoneInfo(facts.zone) if facts else ZoneInfo("UTC")
    return setting_effects.effects(booking_settings(), clinic(), now=now, zone=zone)


def rooms_for_two() -> frozenset[int]:
    """Ids of rooms in use with two tables or more, of every place."""
    return frozenset(db.session.scalars(select(Room.id).where(Room.is_active, Room.tables > 1)))


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


def closures_between(start: dt.datetime, end: dt.datetime) -> Sequence[Closure]:
    """Closures of whole places, wherever, that reach into the span, soonest first."""
    return db.session.scalars(
        select(Closure)
        .where(Closure.resource_id.is_(None), Closure.starts_at < end, Closure.ends_at > start)
        .order_by(Closure.starts_at, Closure.id)
    ).all()


def clinic_settings() -> ClinicSettings:
    """The settings as plain values. Raises NotOpenYet before the clinic is set up."""
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


def is_kept_in_its_zone(location_id: int) -> bool:
    """Whether something stands by the clock of this place: visits, which need a room, and rooms are never deleted; or
    closures, which were typed as its wall shows them."""
    its_own = [select(one.id).where(one.location_id == location_id) for one in (Room, Closure)]
    return db.session.execute(union_all(*its_own).limit(1)).first() is not None


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


def where(facts: ClinicFacts, location_id: int | None) -> tuple[int, str]:
    """Id and zone of the wished place; of the clinic's first one where none is wished. Raises NotFound."""
    if location_id in (None, facts.location_id):
        return facts.location_id, facts.zone
    place = place_in_use(location_id or 0)
    return place.id, place.zone
