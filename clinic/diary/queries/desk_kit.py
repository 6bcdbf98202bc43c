"""The same day by rooms and devices: what each is taken for, and when it is shut."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence

from sqlalchemy import select

from clinic.booking.models import Claim, ClaimHistory, Visit
from clinic.diary.queries.desk_columns import Column, Labelled, Read, hatched, is_on_grid, shown_of, span_of
from clinic.premises import queries as premises
from clinic.premises.models import Closure
from clinic.rules.intervals import intersect
from clinic.rules.language import _
from clinic.shared.database import db


def kit_columns(location_id: int, closures: Sequence[Closure], read: Read) -> list[tuple[Column, bool]]:
    """A column for each room and device of the place in use; each is drawn, taken or not."""
    booked = [one for one in read.visits if is_on_grid(one)]
    rooms = {room.id for room in premises.rooms(location_id)}
    taken = _devices_of([one.id for one in booked])
    for one in booked:
        taken[one.room_id].append(one.id)
    return [
        (
            _column(key, name, key in rooms, [one for one in booked if one.id in taken[key]], closures, read),
            True,
        )
        for key, name in premises.kit_names(location_id).items()
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
    key: int, name: str, is_room: bool, booked: Sequence[Visit], closures: Sequence[Closure], read: Read
) -> Column:
    shut: list[Labelled] = [
        *((span, reason) for span, reason in read.shut),
        *((span_of(one), one.reason) for one in closures if one.resource_id == key),
    ]
    inside = [(piece, label) for span, label in shut for piece in intersect([span], [read.bounds])]
    return Column(
        key=key, name=name, tint=1 + key % 6, note=_("Room") if is_room else _("Device"), hours=(),
        off=tuple(hatched(intersect(read.opening, [read.bounds]), inside, booked, read)), free=(),
        visits=tuple(shown_of(one, read) for one in booked),
    )  # fmt: skip
