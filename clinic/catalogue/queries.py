"""Reading what is on offer."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import select

from clinic.catalogue.models import Addon, Service, ServiceLength, ServiceMode
from clinic.shared.database import db


@dataclass(frozen=True)
class VisitPlan:
    """What one visit takes, worked out from the catalogue. Minutes are whole, `price` is in the smallest unit
    of the currency. `minutes` is the chosen length, `total_minutes` what the client spends (with add-on and
    first-visit minutes), `turnover_minutes` what comes after it. `addons` are keys."""

    service_id: int
    key: str
    name: str
    mode: str | None
    mode_name: str
    addons: tuple[str, ...]
    addon_names: tuple[str, ...]
    addon_columns: tuple[str, ...]  # the columns that judge them, in the same order
    minutes: int
    total_minutes: int
    turnover_minutes: int
    price: int
    judged_as: tuple[str, ...]
    skills: frozenset[str]
    licence_kind: str
    room_kind: str
    device_kinds: tuple[str, ...]
    asks_area: bool


def services_on_offer() -> Sequence[Service]:
    """Every service that can be booked, in the owner's order, with modes, lengths and add-ons."""
    return db.session.scalars(
        select(Service).where(Service.is_active).order_by(Service.position, Service.id)
    ).all()


def all_services() -> Sequence[Service]:
    """For the owner: those switched off too."""
    return db.session.scalars(select(Service).order_by(Service.position, Service.id)).all()


def service_by_key(key: str) -> Service | None:
    """The service on offer under this key."""
    return db.session.scalars(select(Service).where(Service.key == key, Service.is_active)).one_or_none()


def service(service_id: int) -> Service | None:
    return db.session.get(Service, service_id)


def all_addons() -> Sequence[Addon]:
    """For the owner: those switched off too."""
    return db.session.scalars(select(Addon).order_by(Addon.position, Addon.id)).all()


def addon(addon_id: int) -> Addon | None:
    return db.session.get(Addon, addon_id)


def plan_for(
    service_key: str, mode: str | None, addon_keys: Collection[str], minutes: int, *, first_visit: bool
) -> VisitPlan | None:
    """The plan for this choice; None when it is not on offer (unknown or switched off, in any part)."""
    row = service_by_key(service_key)
    if row is None:
        return None
    way = next((one for one in row.modes if one.key == mode), None)
    length = next((one for one in row.lengths if (one.mode, one.minutes) == (mode, minutes)), None)
    addons = [one for one in row.addons if one.is_active and one.key in addon_keys]
    if length is None or (mode is not None and way is None) or len(addons) != len(set(addon_keys)):
        return None
    return _plan(row, way, addons, length, first_visit)


def _plan(
    row: Service, way: ServiceMode | None, addons: list[Addon], length: ServiceLength, first_visit: bool
) -> VisitPlan:
    given = way or row  # a mode brings its own skills, room, devices and turnover
    extra_minutes = sum(one.minutes for one in addons) + (row.first_visit_minutes if first_visit else 0)
    device_kinds = (*given.device_kinds, *(kind for one in addons for kind in one.device_kinds))
    return VisitPlan(
        service_id=row.id,
        key=row.key,
        name=row.name,
        mode=length.mode,
        mode_name=way.name if way else row.usual_way,
        addons=tuple(one.key for one in addons),
        addon_names=tuple(one.name for one in addons),
        addon_columns=tuple(one.judged_as for one in addons),
        minutes=length.minutes,
        total_minutes=length.minutes + extra_minutes,
        turnover_minutes=given.turnover_minutes + sum(one.turnover_minutes for one in addons),
        price=length.price + sum(one.price for one in addons),
        judged_as=tuple(row.judged_as),
        skills=frozenset(given.skills).union(*(one.skills for one in addons)),
        licence_kind=row.licence_kind,
        room_kind=given.room_kind,
        device_kinds=tuple(dict.fromkeys(device_kinds)),
        asks_area=row.asks_area,
    )
