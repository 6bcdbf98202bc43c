"""What free times ask of a place: its rules, hours, rooms and devices, in one statement."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any

from sqlalchemy import Integer, bindparam, func, select

from clinic.premises.models import Clinic, DatedOpening, Device, Location, OpeningHours, Room
from clinic.rules.booking_policy import BookingSettings
from clinic.rules.wall_time import WeeklyHours
from clinic.shared.database import db
from clinic.shared.statements import joined, rows, spaced, taken_apart

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


def booking_settings_of(row: Any) -> BookingSettings:
    """The booking rules in a row that has the clinic's columns."""
    return BookingSettings(**{name: getattr(row, column) for name, column in _SETTINGS.items()})


def hours_text(*columns: Any) -> Any:
    """Rows of hours as the database joins them into one text: `…, starts, ends` with spaces between."""
    return joined(spaced(*columns))


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
class OpenPlace:
    """One place of the clinic: its zone, the rules of booking there, its weekly opening hours and those of single
    dates. `rooms` and `devices`: ids of those in use, by kind.
    `travel_minutes`: to another place; 0 where there is no other. `has_other_zones`: some place has another clock."""

    id: int
    zone: str
    settings: BookingSettings
    weekly: list[WeeklyHours]
    dated: dict[dt.date, list[WeeklyHours]]
    rooms: dict[str, list[int]]
    devices: dict[str, list[int]]
    travel_minutes: int
    has_other_zones: bool


_CLINIC, _LOCATION = Clinic.__table__.c, Location.__table__.c
_HOURS, _DATED = OpeningHours.__table__.c, DatedOpening.__table__.c
_ROOM, _DEVICE = Room.__table__.c, Device.__table__.c
_FIRST_PLACE = select(func.min(_LOCATION.id)).where(_LOCATION.is_active).scalar_subquery()
_OTHER = Location.__table__.alias("other").c
OPEN_PLACE = (
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
        select(joined(spaced(_ROOM.id, _ROOM.room_kind)))
        .where(_ROOM.location_id == _LOCATION.id, _ROOM.is_active, _LOCATION.is_active)
        .scalar_subquery()
        .label("rooms"),
        select(joined(spaced(_DEVICE.id, _DEVICE.device_kind)))
        .where(_DEVICE.location_id == _LOCATION.id, _DEVICE.is_active)
        .scalar_subquery()
        .label("devices"),
        _CLINIC.travel_minutes,
        select(func.count(_OTHER.id)).where(_OTHER.id != _LOCATION.id).scalar_subquery().label("others"),
        select(func.count(_OTHER.id)).where(_OTHER.zone != _LOCATION.zone).scalar_subquery().label("zones"),
    )
    .join(Location.__table__, _LOCATION.id == func.coalesce(bindparam("place", type_=Integer), _FIRST_PLACE))
    .order_by(_CLINIC.id)
    .limit(1)
)
"""All about a place that free times ask for, in one row: alone, or beside what is wanted (catalogue/queries.py)."""
_COLUMNS = OPEN_PLACE.selected_columns.keys()


def where_and_when(location_id: int | None, days: Sequence[dt.date]) -> dict[str, Any]:
    """What `OPEN_PLACE` is given: the place, the first one for None, and days in order."""
    return {"place": location_id, "first": days[0], "last": days[-1]}


def open_place(location_id: int | None, days: Sequence[dt.date]) -> OpenPlace:
    """The place, the first one for None, with its hours on these days in order and what a visit may use there, in one
    statement. Raises LookupError when there is none."""
    row = next(iter(rows(OPEN_PLACE, where_and_when(location_id, days))), None)
    if row is None:
        raise LookupError(f"no location {location_id}")
    return open_place_of(row)


def as_if_in_use(place: OpenPlace) -> OpenPlace:
    """The place with its rooms, also where it is used no more and has none for anything new. One statement."""
    where = Room.location_id == place.id, Room.is_active
    rooms = db.session.scalars(select(Room).where(*where).order_by(Room.id))
    by_kind: dict[str, list[int]] = {}
    for room in rooms:
        by_kind.setdefault(room.room_kind, []).append(room.id)
    return replace(place, rooms=by_kind)


def open_place_of(values: Iterable[Any]) -> OpenPlace:
    """The place in what `OPEN_PLACE` finds, column by column."""
    row = SimpleNamespace(**dict(zip(_COLUMNS, values, strict=True)))
    return OpenPlace(
        id=row.id,
        zone=row.zone,
        settings=booking_settings_of(row),
        weekly=hours_of(row.weekly),
        dated=dated_hours_of(row.dated, row.id),
        rooms=_by_kind(row.rooms),
        devices=_by_kind(row.devices),
        travel_minutes=row.travel_minutes if row.others else 0,
        has_other_zones=bool(row.zones),
    )


def _by_kind(text: str | None) -> dict[str, list[int]]:
    """Ids by kind, from a text of `id kind`."""
    found: dict[str, list[int]] = {}
    for number, kind in sorted(
        (int(one), kind) for one, _, kind in (row.partition(" ") for row in taken_apart(text))
    ):
        found.setdefault(kind, []).append(number)
    return found
