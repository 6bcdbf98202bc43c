"""The same day by rooms and devices: what each is taken for, and when it is shut."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence

from sqlalchemy import select

from clinic.booking.models import Claim, ClaimHistory, Visit
from clinic.diary.queries.desk_columns import Column, Labelled, Read, hatched, is_on_grid, shown_of, span_of
from clinic.premises import queries as premises
from clinic.premises.models import Closure, Device, Room
from clinic.rules.intervals import intersect
from clinic.rules.language import _
from clinic.shared.database import db


def kit_columns(location_id: int, closures: Sequence[Closure], read: Read) -> list[tuple[Column, bool]]:
    """A column for each room and device of the place: those in use, taken or not, and those switched off that a visit
    still takes, which are marked."""
    booked = [one for one in read.visits if is_on_grid(one)]
    taken = _devices_of([one.id for one in booked])
    for one in booked:
        taken[one.room_id].append(one.id)
    kit: list[tuple[Room | Device, str]] = [
        *((one, _("Room")) for one in premises.rooms(location_id, only_active=False)),
        *((one, _("Device")) for one in premises.devices(location_id, only_active=False)),
    ]
    return [
        (_column(one, note, [visit for visit in booked if visit.id in taken[one.id]], closures, read), True)
        for one, note in kit
        if one.is_active or taken[one.id]
    ]


def _devices_of(visit_ids: Collection[int]) -> defaultdict[int, list[int]]:
    """Device → visits that take it, also where the claim lies in the history. A visit of two has its own devices."""
    found: defaultdict[int, list[int]] = defaultdict(list)
    for table in (Claim, ClaimHistory):
        rows = select(table.resource_id, table.visit_id).where(table.visit_id.in_(visit_ids))
        for resource, visit in db.session.execute(rows.order_by(table.id)):
            found[resource].append(visit)
    return found


def _column(
    thing: Room | Device, note: str, booked: Sequence[Visit], closures: Sequence[Closure], read: Read
) -> Column:
    key = thing.id
    shut: list[Labelled] = [
        *((span, reason) for span, reason in read.shut),
        *((span_of(one), one.reason) for one in closures if one.resource_id == key),
    ]
    inside = [(piece, label) for span, label in shut for piece in intersect([span], [read.bounds])]
    return Column(
        key=key, name=thing.name, tint=1 + key % 6, hours=(), free=(),
        note=note if thing.is_active else _("Switched off: move these visits"),
        off=tuple(hatched(intersect(read.opening, [read.bounds]), inside, booked, read)),
        visits=tuple(shown_of(one, read) for one in booked), lane="room" if isinstance(thing, Room) else "device",
    )  # fmt: skip
