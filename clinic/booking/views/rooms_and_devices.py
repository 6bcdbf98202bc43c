"""Rooms and devices: what is booked together with a therapist. Which booked visits a change would leave without what
they need is shown before it is saved; afterwards they are work to do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import TypeVar

from flask import flash, render_template, request

from clinic.accounts.access import who
from clinic.booking.queries import in_the_way
from clinic.booking.views.blueprint import pages
from clinic.premises import queries, services
from clinic.premises.facts import DeviceFacts, RoomFacts
from clinic.premises.forms.places import DeviceForm, KindForm, RoomForm
from clinic.rules.kinds import DEVICE_KINDS, ROOM_KINDS, words_of
from clinic.rules.language import _
from clinic.rules.permissions import Permission
from clinic.shared import clock
from clinic.shared.fields import choose, saves
from clinic.shared.seen import mark_of
from clinic.shared.web import Answer, found, go

SomeForm = TypeVar("SomeForm", bound=KindForm)


@pages.get("/owner/rooms", needs=Permission.CLINIC_ANY_WRITE)
def rooms() -> Answer:
    """All rooms."""
    rows = [(row, words_of(row.room_kind, ROOM_KINDS)) for row in queries.all_rooms()]
    return render_template("premises/rooms.html", rows=rows, places=queries.locations(), to_move=_to_move())


@pages.get("/owner/rooms/new", needs=Permission.CLINIC_ANY_WRITE)
def new_room() -> Answer:
    """An empty form."""
    return _room_page(_with_choices(RoomForm(data={"tables": 1, "is_active": True})), None)


@pages.post("/owner/rooms/new", needs=Permission.CLINIC_ANY_WRITE)
def add_room() -> Answer:
    """Add a room."""
    return _save_room(None)


@pages.get("/owner/rooms/<int:room_id>", needs=Permission.CLINIC_ANY_WRITE)
def room(room_id: int) -> Answer:
    """One room as it is."""
    facts = found(queries.room_facts(room_id))
    data = asdict(facts) | {"kind": facts.room_kind, "seen": mark_of(asdict(facts))}
    return _room_page(_with_choices(RoomForm(data=data)), room_id)


@pages.post("/owner/rooms/<int:room_id>", needs=Permission.CLINIC_ANY_WRITE)
def save_room(room_id: int) -> Answer:
    """Change a room."""
    found(queries.room_facts(room_id))
    return _save_room(room_id)


def _save_room(room_id: int | None) -> Answer:
    form = _with_choices(RoomForm(request.form))
    if room_id:
        form.location_id.data = found(queries.room_facts(room_id)).location_id

    def facts() -> RoomFacts:
        return RoomFacts(
            location_id=form.location_id.data,
            name=form.name.data or "",
            room_kind=form.kind_key,
            tables=form.tables.data or 1,
            is_active=form.is_active.data,
        )

    def save() -> None:
        services.save_room(room_id, facts(), seen=form.seen.data or "", by=who(), now=clock.now())

    def seen_now() -> str:
        facts = queries.room_facts(room_id) if room_id else None
        return mark_of(asdict(facts)) if facts else ""

    if touched := _left_without(room_id, form, facts):
        return _room_page(form, room_id, touched=touched)
    if not saves(form, save, seen_now=seen_now):
        return _room_page(form, room_id, status=422)
    flash(_("%(data)s is saved.", data=form.name.data), "success")
    return go("booking.rooms")


def _room_page(
    form: RoomForm, room_id: int | None, status: int = 200, touched: Sequence[object] = ()
) -> Answer:
    return render_template("premises/room.html", form=form, room_id=room_id, touched=touched), status


@pages.get("/owner/devices", needs=Permission.CLINIC_ANY_WRITE)
def devices() -> Answer:
    """All devices."""
    rows = [(row, words_of(row.device_kind, DEVICE_KINDS)) for row in queries.all_devices()]
    return render_template("premises/devices.html", rows=rows, places=queries.locations(), to_move=_to_move())


@pages.get("/owner/devices/new", needs=Permission.CLINIC_ANY_WRITE)
def new_device() -> Answer:
    """An empty form."""
    return _device_page(_with_choices(DeviceForm(data={"is_active": True})), None)


@pages.post("/owner/devices/new", needs=Permission.CLINIC_ANY_WRITE)
def add_device() -> Answer:
    """Add a device."""
    return _save_device(None)


@pages.get("/owner/devices/<int:device_id>", needs=Permission.CLINIC_ANY_WRITE)
def device(device_id: int) -> Answer:
    """One device as it is."""
    facts = found(queries.device_facts(device_id))
    data = asdict(facts) | {"kind": facts.device_kind, "seen": mark_of(asdict(facts))}
    return _device_page(_with_choices(DeviceForm(data=data)), device_id)


@pages.post("/owner/devices/<int:device_id>", needs=Permission.CLINIC_ANY_WRITE)
def save_device(device_id: int) -> Answer:
    """Change a device."""
    found(queries.device_facts(device_id))
    return _save_device(device_id)


def _save_device(device_id: int | None) -> Answer:
    form = _with_choices(DeviceForm(request.form))
    if device_id:
        form.location_id.data = found(queries.device_facts(device_id)).location_id

    def facts() -> DeviceFacts:
        return DeviceFacts(
            location_id=form.location_id.data,
            name=form.name.data or "",
            device_kind=form.kind_key,
            is_active=form.is_active.data,
        )

    def save() -> None:
        services.save_device(device_id, facts(), seen=form.seen.data or "", by=who(), now=clock.now())

    def seen_now() -> str:
        facts = queries.device_facts(device_id) if device_id else None
        return mark_of(asdict(facts)) if facts else ""

    if touched := _left_without(device_id, form, facts):
        return _device_page(form, device_id, touched=touched)
    if not saves(form, save, seen_now=seen_now):
        return _device_page(form, device_id, status=422)
    flash(_("%(data)s is saved.", data=form.name.data), "success")
    return go("booking.devices")


def _device_page(
    form: DeviceForm, device_id: int | None, status: int = 200, touched: Sequence[object] = ()
) -> Answer:
    return render_template("premises/device.html", form=form, device_id=device_id, touched=touched), status


def _left_without(
    kit_id: int | None, form: KindForm, facts: Callable[[], RoomFacts | DeviceFacts]
) -> Sequence[object]:
    """The booked visits that saving this would leave without what they need, until they have been shown once."""
    if not kit_id or request.form.get("act") == "save" or not form.validate():
        return ()
    return in_the_way.left_without(kit_id, facts(), clock.now())


def _with_choices(form: SomeForm) -> SomeForm:
    """The clinic's places and the kinds, in words."""
    known = ROOM_KINDS if isinstance(form, RoomForm) else DEVICE_KINDS
    kinds = queries.room_kinds() if isinstance(form, RoomForm) else queries.device_kinds()
    choose(form.location_id, [(place.id, place.name) for place in queries.locations()])
    choose(form.kind, [(kind, words_of(kind, known)) for kind in kinds])
    return form


def _to_move() -> int:
    """How many visits ahead are booked with what does not serve them any more."""
    return in_the_way.count_without_their_kit(clock.now())
