"""What stands in the way of coming visits: time off, closures, and places, rooms and devices that serve no more."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import exists, select

from clinic.booking.models import Claim, Couple, Visit
from clinic.booking.queries.blocks import ITS_CLAIM, OFF, SHUT, coming, coming_in_pieces, is_coming
from clinic.catalogue import queries as catalogue
from clinic.premises import queries as premises
from clinic.premises.facts import DeviceFacts, RoomFacts
from clinic.premises.models import Closure, Device, Location, Room
from clinic.rules.language import _
from clinic.shared.database import db
from clinic.therapists.models import TimeOff


def visits_under(now: dt.datetime) -> list[Visit]:
    """Coming visits whose therapist is off, whose place, room or device is closed or out of use, or whose room or
    device is of another kind than they need by now, soonest first."""
    under = []
    for ahead in coming_in_pieces(now):
        found = in_the_way(ahead, now)
        under += [one for one in ahead if one.id in found]
    return under


def in_the_way(ahead: Sequence[Visit], now: dt.datetime) -> dict[int, list[str]]:
    """Visit → in words what stands in its way, of those coming visits that have something. A fixed number of
    statements."""
    found: defaultdict[int, list[str]] = defaultdict(list)
    asked = [*is_coming(now), Visit.id.in_([one.id for one in ahead])]
    for visit, kind in db.session.execute(_OF_THERAPISTS.where(*asked)):
        found[visit].append(_("Therapist away") if kind == "off" else _("Therapist has something else then"))
    shut: defaultdict[int, set[int | None]] = defaultdict(set)
    for visit, resource in db.session.execute(_CLOSED.where(*asked)):
        shut[visit].add(resource)
    needs, gone = _needs(ahead, now), {one.id: one.name for one in premises.locations() if not one.is_active}
    for one in ahead:
        if one.location_id in gone:
            found[one.id].append(_("Place switched off: %(name)s", name=gone[one.location_id]))
        if None in shut[one.id]:
            found[one.id].append(_("Place closed"))
        found[one.id] += _of_kit(one, needs, shut[one.id])
    return {one.id: list(dict.fromkeys(found[one.id])) for one in ahead if found[one.id]}


def count_without_their_kit(now: dt.datetime) -> int:
    """How many coming visits have a room or device that is out of use, or of another kind than they need by now."""
    found = 0
    for ahead in coming_in_pieces(now):
        needs = _needs(ahead, now)
        found += sum(bool(_of_kit(one, needs)) for one in ahead)
    return found


def left_at(location_id: int, now: dt.datetime) -> Sequence[Visit]:
    """The coming visits at a place that is in use, soonest first: what switching it off would leave behind."""
    row = db.session.get(Location, location_id)
    return coming(now, Visit.location_id == location_id) if row is not None and row.is_active else ()


def left_without(resource_id: int, new: RoomFacts | DeviceFacts, now: dt.datetime) -> list[Visit]:
    """The coming visits that a room or device serves today, and would not as it is to be, soonest first."""
    ahead = coming(now, exists().where(ITS_CLAIM, Claim.resource_id == resource_id))
    needs, row = _needs(ahead, now), db.session.get(Room, resource_id) or db.session.get(Device, resource_id)
    return [one for one in ahead if row and _trouble(one, new, needs) and not _trouble(one, row, needs)]


_OF_THERAPISTS = select(Visit.id, TimeOff.kind).join(TimeOff, OFF).order_by(Visit.id, TimeOff.id)
_CLOSED = select(Visit.id, Closure.resource_id).join(Closure, SHUT).order_by(Visit.id, Closure.id)


@dataclass(frozen=True)
class _Needs:
    """What was read once for many visits: their devices, the couples that come together, what add-ons need."""

    devices: dict[int, list[Device]]
    couples: Collection[int]
    addons: dict[str, frozenset[str]]


def _needs(ahead: Sequence[Visit], now: dt.datetime) -> _Needs:
    devices: defaultdict[int, list[Device]] = defaultdict(list)
    claimed = (
        select(Visit.id, Device)
        .join(Claim, Claim.visit_id == Visit.id)
        .join(Device, Device.id == Claim.resource_id)
        .where(*is_coming(now), Visit.id.in_([one.id for one in ahead]))
        .order_by(Visit.id, Device.id)
    )
    for visit, device in db.session.execute(claimed):
        devices[visit].append(device)
    pairs = {one.couple_id for one in ahead if one.couple_id is not None}
    together = select(Couple.id).where(Couple.id.in_(pairs), Couple.ended_at.is_(None))
    addons = {one.key: frozenset(one.device_kinds) for one in catalogue.all_addons()}
    return _Needs(devices, frozenset(db.session.scalars(together)), addons)


def _of_kit(visit: Visit, needs: _Needs, shut: Collection[int | None] = ()) -> list[str]:
    """In words: what is wrong with its room and its devices; those in `shut` are closed then."""
    kit: list[Room | Device] = [visit.room, *needs.devices.get(visit.id, ())]
    closed = [_closed(one) for one in kit if one.id in shut]
    return closed + [words for one in kit if (words := _trouble(visit, one, needs))]


def _closed(one: Room | Device) -> str:
    if isinstance(one, Room):
        return _("Room closed: %(name)s", name=one.name)
    return _("Device closed: %(name)s", name=one.name)


def _trouble(visit: Visit, kit: Room | Device | RoomFacts | DeviceFacts, needs: _Needs) -> str:
    """In words why this room or device does not serve the visit; empty where it does."""
    if isinstance(kit, Room | RoomFacts):
        if not kit.is_active:
            return _("Room switched off: %(name)s", name=kit.name)
        if kit.room_kind != visit.way.room_kind:
            return _("Room of another kind now: %(name)s", name=kit.name)
        if kit.tables < 2 and visit.couple_id in needs.couples:
            return _("Room without a second table now: %(name)s", name=kit.name)
        return ""
    if not kit.is_active:
        return _("Device switched off: %(name)s", name=kit.name)
    asked = {*visit.way.device_kinds}.union(*(needs.addons.get(key, ()) for key in visit.addons))
    return "" if kit.device_kind in asked else _("Device of another kind now: %(name)s", name=kit.name)
