"""Reading what is on offer."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, fields, replace
from functools import cache
from itertools import groupby
from types import SimpleNamespace
from typing import Any

from sqlalchemy import Select, and_, bindparam, false, func, select, true
from sqlalchemy.orm import InstrumentedAttribute

from clinic.catalogue import held_licences
from clinic.catalogue.facts import AddonFacts, Length, ServiceFacts
from clinic.catalogue.models import Addon, Service, ServiceAddon, ServiceLength, ServiceMode
from clinic.catalogue.search import score
from clinic.premises import queries as premises
from clinic.premises.queries import OpenPlace
from clinic.rules.kinds import FAMILIES, LICENCES, SKILLS
from clinic.shared.database import db
from clinic.shared.read_once import read_once
from clinic.shared.statements import rows


@dataclass(frozen=True)
class VisitPlan:
    """What one visit takes, worked out from the catalogue. Minutes are whole, `price` is in the smallest unit
    of the currency. `minutes` is the chosen length, `total_minutes` what the client spends (with add-on and
    first-visit minutes), `turnover_minutes` what comes after it. `addons` are keys. `first_visit_minutes` is what a
    first visit takes longer, and is in `total_minutes` where `first_visit` says so."""

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
    first_visit_minutes: int
    first_visit: bool
    is_intense: bool
    known_clients_only: bool

    def as_first(self, first_visit: bool) -> VisitPlan:
        """The same as somebody's first visit, or not."""
        if first_visit == self.first_visit:
            return self
        longer = self.first_visit_minutes if first_visit else -self.first_visit_minutes
        return replace(self, first_visit=first_visit, total_minutes=self.total_minutes + longer)


def services_on_offer() -> Sequence[Service]:
    """Every service that can be booked, in the owner's order, with modes, lengths and add-ons."""
    return db.session.scalars(
        select(Service).where(Service.is_active).order_by(Service.position, Service.id)
    ).all()


def are_of(column: str, services: Iterable[Service]) -> bool:
    """Whether one of them is judged by a column of the health rules whose name begins so."""
    return any(name.startswith(column) for one in services for name in (one.key, *one.judged_as))


def all_services() -> Sequence[Service]:
    """For the owner: those switched off too."""
    return db.session.scalars(select(Service).order_by(Service.position, Service.id)).all()


def what_to_expect(plan: VisitPlan) -> str:
    """What comes after such a visit: a mode has its own, and nothing of what only the ordinary way does."""
    row = db.session.get(Service, plan.service_id)
    if row is None:
        return ""
    way = next((mode for mode in row.modes if mode.key == plan.mode), row)
    return way.what_to_expect


def service_by_key(key: str) -> Service | None:
    """The service on offer under this key."""
    return db.session.scalars(select(Service).where(Service.key == key, Service.is_active)).one_or_none()


def name_if_not_offered(key: str) -> str | None:
    """The name of a service that was taken off the list; None for one that is on it, or never was."""
    gone = select(Service.name).where(Service.key == key, ~Service.is_active)
    return db.session.scalars(gone).one_or_none()


def service(service_id: int) -> Service | None:
    return db.session.get(Service, service_id)


def all_addons() -> Sequence[Addon]:
    """For the owner: those switched off too."""
    return db.session.scalars(select(Addon).order_by(Addon.position, Addon.id)).all()


def addon(addon_id: int) -> Addon | None:
    return db.session.get(Addon, addon_id)


def columns_of_services() -> dict[int, tuple[str, ...]]:
    """The columns that judge each service, by its id, those switched off too."""
    rows = db.session.execute(select(Service.id, Service.judged_as).order_by(Service.id))
    return {key: tuple(columns) for key, columns in rows}


def columns_of_addons() -> dict[str, str]:
    """The column that judges each add-on, by its key, those switched off too."""
    rows = db.session.execute(select(Addon.key, Addon.judged_as).order_by(Addon.id))
    return {row.key: row.judged_as for row in rows}


_OF_PLAN = {
    Service: (
        "id", "key", "name", "usual_way", "judged_as", "skills", "licence_kind", "room_kind", "device_kinds",
        "turnover_minutes", "first_visit_minutes", "asks_area", "is_intense", "known_clients_only",
    ),
    ServiceLength: ("mode", "minutes", "price"),
    ServiceMode: ("key", "name", "skills", "room_kind", "device_kinds", "turnover_minutes"),
    Addon: ("key", "name", "judged_as", "minutes", "turnover_minutes", "price", "skills", "device_kinds"),
}  # fmt: skip
"""What a plan is made of, in the order in which `_choice` reads it. Each question about free times asks for one, so
no object of the mapper is made."""
_PLAN_COLUMNS = sum(map(len, _OF_PLAN.values()))


@cache
def _choice(*, with_addons: bool) -> Select[Any]:
    service, length, mode, addon, link = (
        one.__table__ for one in (Service, ServiceLength, ServiceMode, Addon, ServiceAddon)
    )
    on_offer = addon.c.is_active, addon.c.key.in_(bindparam("addons", expanding=True))
    return (
        select(*(kind.__table__.c[name] for kind, names in _OF_PLAN.items() for name in names))
        .select_from(service)
        .join(length, length.c.service_id == service.c.id)
        .outerjoin(mode, and_(mode.c.service_id == service.c.id, mode.c.key == length.c.mode))
        .outerjoin(link, and_(link.c.service_id == service.c.id, true() if with_addons else false()))
        .outerjoin(addon, and_(addon.c.id == link.c.addon_id, *(on_offer if with_addons else ())))
        .where(service.c.key == bindparam("service"), service.c.is_active)
        .where(
            length.c.minutes == bindparam("minutes"), func.coalesce(length.c.mode, "") == bindparam("mode")
        )
        .order_by(addon.c.position, addon.c.id)
    )


@cache
def _choice_at_place(*, with_addons: bool) -> Select[Any]:
    place = premises.OPEN_PLACE.subquery()
    return _choice(with_addons=with_addons).join(place, true()).add_columns(*place.c)


def plan_for(
    service_key: str, mode: str | None, addon_keys: Collection[str], minutes: int, *, first_visit: bool
) -> VisitPlan | None:
    """The plan for this choice; None when it is not on offer (unknown or switched off, in any part). One statement."""
    keys, given = _asked(service_key, mode, addon_keys, minutes)
    found = rows(_choice(with_addons=bool(keys)), given)
    return _chosen(found, mode, keys, first_visit)


def plan_at(
    service_key: str,
    mode: str | None,
    addon_keys: Collection[str],
    minutes: int,
    *,
    first_visit: bool,
    location_id: int | None,
    days: Sequence[dt.date],
) -> tuple[VisitPlan, OpenPlace] | None:
    """The same, with the place as `premises.open_place` reads it, in one statement. None too where there is no such
    place."""
    keys, given = _asked(service_key, mode, addon_keys, minutes)
    found = rows(_choice_at_place(with_addons=bool(keys)), given | premises.where_and_when(location_id, days))
    plan = _chosen(found, mode, keys, first_visit)
    return None if plan is None else (plan, premises.open_place_of(found[0][_PLAN_COLUMNS:]))


def _asked(
    service_key: str, mode: str | None, addon_keys: Collection[str], minutes: int
) -> tuple[set[str], dict[str, Any]]:
    """The keys of the add-ons, and what `_choice` is given."""
    keys = set(addon_keys)
    given = {"service": service_key, "minutes": minutes, "mode": mode or ""}
    return keys, given | {"addons": sorted(keys)} if keys else given


def _chosen(
    found: Iterable[Iterable[Any]], mode: str | None, keys: Collection[str], first_visit: bool
) -> VisitPlan | None:
    parts = [_parts(row) for row in found]
    addons = [addon for _service, _length, _way, addon in parts if addon.key is not None]
    if not parts or len(addons) != len(keys):
        return None
    service, length, way, _addon = parts[0]
    if mode is not None and way.key is None:
        return None
    return _plan(service, way if mode is not None else None, addons, length, first_visit)


def _parts(row: Iterable[Any]) -> list[Any]:
    """A row of `_choice`, taken apart: service, length, mode and add-on; the last two hold None where there is none."""
    values = iter(row)
    return [SimpleNamespace(**dict(zip(names, values, strict=False))) for names in _OF_PLAN.values()]


_SHORTEST = (
    select(func.min(ServiceLength.minutes))
    .join(Service, Service.id == ServiceLength.service_id)
    .where(Service.is_active)
)


def shortest_minutes() -> int:
    """The shortest visit on offer; 0 where nothing is."""
    return db.session.scalar(_SHORTEST) or 0


def plan_for_booked(
    service_id: int, mode: str | None, addon_keys: Collection[str], minutes: int, *, first_visit: bool = False
) -> VisitPlan:
    """The plan of a visit that is booked already, whatever the owner has switched off or taken away since.

    Raises NoResultFound for a service that never was. A length that is gone costs 0 here: a booked visit keeps
    its own price.
    """
    of = ("booked", service_id, mode, tuple(addon_keys), minutes, first_visit)
    return read_once(of, lambda: _booked(*of[1:]), Service, ServiceMode, ServiceLength, Addon)


def _booked(
    service_id: int, mode: str | None, addon_keys: tuple[str, ...], minutes: int, first_visit: bool
) -> VisitPlan:
    row = db.session.get_one(Service, service_id)
    way = next((one for one in row.modes if one.key == mode), None)
    length = next((one for one in row.lengths if (one.mode, one.minutes) == (mode, minutes)), None)
    chosen = select(Addon).where(Addon.key.in_(addon_keys)).order_by(Addon.position, Addon.id)
    addons = list(db.session.scalars(chosen)) if addon_keys else []
    length = length or ServiceLength(mode=mode, minutes=minutes, price=0)
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
        first_visit_minutes=row.first_visit_minutes,
        first_visit=first_visit,
        is_intense=row.is_intense,
        known_clients_only=row.known_clients_only,
    )


@dataclass(frozen=True)
class ServiceCard:
    """One card of the list: a service, or a family of them with a name and sentence of its own."""

    title: str
    summary: str
    services: tuple[Service, ...]

    @property
    def is_family(self) -> bool:
        return len(self.services) > 1

    @property
    def from_price(self) -> int:
        """The lowest price on the card, in the smallest unit."""
        return min((length.price for one in self.services for length in one.lengths), default=0)

    @property
    def minutes(self) -> list[int]:
        """Every length on the card, shortest first."""
        return sorted({length.minutes for one in self.services for length in one.lengths})


def cards_of(services: Sequence[Service]) -> list[ServiceCard]:
    """The services as cards: members of a family that follow each other share one."""
    cards = []
    for family, group in groupby(services, key=lambda one: one.family):
        members = tuple(group)
        title, summary = members[0].name, members[0].summary
        if len(members) > 1 and family in FAMILIES:
            title, summary = FAMILIES[family]
        cards.append(ServiceCard(title, summary, members))
    return cards


def find_services(text: str) -> list[Service]:
    """Services on offer that the text may mean, best first: by name, other names, add-ons, techniques, good-for."""
    found = [(score(text, _described(one)), one) for one in services_on_offer()]
    return [one for points, one in sorted(found, key=lambda pair: -pair[0]) if points]


def _described(one: Service) -> list[tuple[int, list[str]]]:
    extras = [mode.name for mode in one.modes] + [addon.name for addon in one.addons if addon.is_active]
    return [(8, [one.name]), (5, one.other_names), (3, extras), (1, [one.techniques, one.good_for])]


def service_facts(row: Service) -> ServiceFacts:
    """The service as its form shows it."""
    special: dict[str, Any] = {
        "other_names": tuple(row.other_names),
        "skills": tuple(row.skills),
        "device_kinds": tuple(row.device_kinds),
        "addons": tuple(one.key for one in row.addons),
        "lengths": tuple(
            sorted((Length(one.mode, one.minutes, one.price) for one in row.lengths), key=_length_order)
        ),
    }
    plain = {one.name: getattr(row, one.name) for one in fields(ServiceFacts) if one.name not in special}
    return ServiceFacts(**plain, **special)


def _length_order(length: Length) -> tuple[str, int, int]:
    return length.mode or "", length.minutes, length.price


def addon_facts(row: Addon) -> AddonFacts:
    """The add-on as its form shows it."""
    special: dict[str, Any] = {"skills": tuple(row.skills), "device_kinds": tuple(row.device_kinds)}
    plain = {one.name: getattr(row, one.name) for one in fields(AddonFacts) if one.name not in special}
    return AddonFacts(**plain, **special)


def skills() -> list[str]:
    """The known skills and those that services, modes and add-ons ask for."""
    asked = [*_lists(Service.skills), *_lists(ServiceMode.skills), *_lists(Addon.skills)]
    return list(dict.fromkeys([*SKILLS, *sorted(asked)]))


def device_kinds() -> list[str]:
    """The known kinds of devices, those there are, and those that services, modes and add-ons ask for."""
    asked = [*_lists(Service.device_kinds), *_lists(ServiceMode.device_kinds), *_lists(Addon.device_kinds)]
    return list(dict.fromkeys([*premises.device_kinds(), *sorted(asked)]))


def room_kinds() -> list[str]:
    """The known kinds of rooms, those there are, and those that services and modes ask for."""
    asked = [
        *db.session.scalars(select(Service.room_kind)),
        *db.session.scalars(select(ServiceMode.room_kind)),
    ]
    return list(dict.fromkeys([*premises.room_kinds(), *sorted(asked)]))


def licence_kinds() -> list[str]:
    """The known kinds of licences, and those that services ask for or therapists have."""
    asked = db.session.scalars(select(Service.licence_kind).distinct().order_by(Service.licence_kind))
    return list(dict.fromkeys([*LICENCES, *asked, *held_licences.held()]))


def _lists(column: InstrumentedAttribute[list[str]]) -> list[str]:
    """Every entry of a column that holds lists."""
    return [entry for row in db.session.scalars(select(column)) for entry in row]


def sisters_of(row: Service) -> list[Service]:
    """The other services on offer of the same family."""
    return [one for one in services_on_offer() if one.family == row.family and one.id != row.id]


def what_is_missing(row: Service, room_kinds: Collection[str], device_kinds: Collection[str]) -> list[str]:
    """Kinds that a service needs and no room or device in use has: until then it cannot be booked."""
    wanted: list[Service | ServiceMode] = [row, *row.modes]
    with_addons: list[Service | ServiceMode | Addon] = [*wanted, *row.addons]
    rooms = [one.room_kind for one in wanted if one.room_kind not in room_kinds]
    devices = [kind for one in with_addons for kind in one.device_kinds if kind not in device_kinds]
    return list(dict.fromkeys([*rooms, *devices]))


def kinds_in_use() -> tuple[frozenset[str], frozenset[str]]:
    """Kinds of the rooms and of the devices that can be booked at any place."""
    rooms = frozenset(one.room_kind for one in premises.all_rooms() if one.is_active)
    devices = frozenset(one.device_kind for one in premises.all_devices() if one.is_active)
    return rooms, devices
