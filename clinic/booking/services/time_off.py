"""Time off, other blocks and closures: rows that may overlap anything, and claims so that nothing new is booked."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from clinic.booking.services._claims import claim_blocks
from clinic.premises import queries as premises
from clinic.premises.models import Closure, Resource, Room
from clinic.premises.steps import lock_place
from clinic.rules.errors import InvalidInput, NotFound
from clinic.rules.language import _
from clinic.rules.wall_time import moment
from clinic.rules.whole_days import on_any_wall
from clinic.rules.zone_change import wall_text
from clinic.shared.audit import leave_trace
from clinic.shared.database import transaction, tried_again
from clinic.therapists.models import Therapist, TimeOff

KINDS = ("off", "meeting", "laundry", "other")
LONGEST = dt.timedelta(days=366)


def _check_span(starts_at: dt.datetime, ends_at: dt.datetime, now: dt.datetime) -> None:
    if ends_at <= starts_at:
        raise InvalidInput("ends", _("The end must come after the start."))
    if ends_at <= now:
        raise InvalidInput("ends", _("This lies in the past."))
    if ends_at - starts_at > LONGEST:
        raise InvalidInput("ends", _("Enter at most one year at a time."))


def _walls(starts_at: dt.datetime, ends_at: dt.datetime, zone: str) -> dict[str, str]:
    """What was meant on the wall: it stays when the zone is changed (services/zone_change.py)."""
    return {"starts_wall": wall_text(starts_at, zone), "ends_wall": wall_text(ends_at, zone)}


def _held(
    starts_at: dt.datetime,
    ends_at: dt.datetime,
    days: tuple[dt.date, dt.date] | None,
    location_id: int | None,
) -> dict[str, Any]:
    """The columns that say when. Whole days hold on the wall of every place: the moments are the widest span of them.
    Raises NotFound for a place that is not in use."""
    if days is None:
        facts = premises.clinic_facts()
        zone = premises.where(facts, location_id)[1] if facts else "UTC"
        return {
            "starts_at": starts_at, "ends_at": ends_at, "location_id": location_id, **_walls(starts_at, ends_at, zone),
        }  # fmt: skip
    start, end = on_any_wall(premises.clocks(), *days)
    return {"starts_at": moment(start), "ends_at": moment(end), "first_day": days[0], "last_day": days[1]}


@tried_again
def add_time_off(
    therapist_id: int,
    kind: str,
    starts_at: dt.datetime,
    ends_at: dt.datetime,
    note: str,
    *,
    by: int | None,
    now: dt.datetime,
    days: tuple[dt.date, dt.date] | None = None,
    location_id: int | None = None,
) -> int:
    """Time off or another block: these moments, typed by the clock of a place (None: the first one), or whole `days`.
    Nothing new can be booked there at once; booked visits stay and become work to do
    (`queries.in_the_way.visits_under`). Returns its id. Raises InvalidInput naming the field, NotFound."""
    _check_span(starts_at, ends_at, now)
    if kind not in KINDS:
        raise InvalidInput("kind", _("Choose what this is."))
    if len(note) > 200:
        raise InvalidInput("note", _("Use at most 200 characters."))
    with transaction() as session:
        if session.get(Therapist, therapist_id) is None:
            raise NotFound()
        held = _held(starts_at, ends_at, days, location_id)
        same = select(TimeOff.id).where(
            TimeOff.therapist_id == therapist_id,
            TimeOff.kind == kind,
            TimeOff.starts_at == held["starts_at"],
            TimeOff.ends_at == held["ends_at"],
            TimeOff.first_day.is_(None) if days is None else TimeOff.first_day == days[0],
        )
        already = session.scalars(same.order_by(TimeOff.id)).first()
        if already is not None:  # a double click, or the back button
            return already
        row = TimeOff(
            therapist_id=therapist_id, kind=kind, note=note.strip(), created_at=now, created_by_id=by, **held,
        )  # fmt: skip
        session.add(row)
        session.flush()
        claim_blocks(session, [therapist_id], now)
        leave_trace(session, "time_off.added", "therapist", therapist_id, by=by, now=now, kind=kind)
        return row.id


@tried_again
def remove_time_off(time_off_id: int, therapist_id: int, *, by: int, now: dt.datetime) -> None:
    """Take it back: the time can be booked again. Raises NotFound for somebody else's."""
    with transaction() as session:
        row = session.get(TimeOff, time_off_id)
        if row is None or row.therapist_id != therapist_id:
            raise NotFound()
        session.delete(row)
        session.flush()
        claim_blocks(session, [therapist_id], now)
        leave_trace(session, "time_off.removed", "therapist", therapist_id, by=by, now=now)


@tried_again
def add_closure(
    location_id: int,
    resource_id: int | None,
    starts_at: dt.datetime,
    ends_at: dt.datetime,
    reason: str,
    *,
    by: int,
    now: dt.datetime,
) -> int:
    """Close the place, or one room or device of it. Returns its id. Raises InvalidInput, NotFound."""
    _check_span(starts_at, ends_at, now)
    if not 0 < len(reason.strip()) <= 200:
        raise InvalidInput("reason", _("Say why in a few words, for example “Public holiday”."))
    with transaction() as session:
        place = lock_place(session, location_id)
        if place is None:
            raise NotFound()
        row = Closure(
            location_id=location_id, resource_id=resource_id, starts_at=starts_at, ends_at=ends_at,
            reason=reason.strip(), **_walls(starts_at, ends_at, place.zone),
        )  # fmt: skip
        session.add(row)
        session.flush()
        claim_blocks(session, _shut_by(session, row), now)
        leave_trace(session, "closure.added", "location", location_id, by=by, now=now)
        return row.id


@tried_again
def remove_closure(closure_id: int, *, by: int, now: dt.datetime) -> None:
    """Open again."""
    with transaction() as session:
        row = session.get(Closure, closure_id)
        if row is None:
            raise NotFound()
        lock_place(session, row.location_id)
        shut = _shut_by(session, row)
        session.delete(row)
        session.flush()
        claim_blocks(session, shut, now)
        leave_trace(session, "closure.removed", "location", row.location_id, by=by, now=now)


def block_again(session: Session, room_id: int | None, now: dt.datetime) -> None:
    """Claim what is shut in a room that is new or, without one, when those are away who are so for whole days: the
    places in use, and with them the clocks by which a day begins and ends, may have changed."""
    if room_id is not None:
        claim_blocks(session, [room_id], now)
        return
    since = (now - dt.timedelta(days=2)).date()
    away = session.scalars(select(TimeOff).where(TimeOff.last_day >= since).order_by(TimeOff.id)).all()
    clocks = premises.clocks()
    for row in away:
        if row.days is not None:
            row.starts_at, row.ends_at = map(moment, on_any_wall(clocks, *row.days))
    session.flush()
    claim_blocks(session, [row.therapist_id for row in away], now)


def _shut_by(session: Session, closure: Closure) -> Sequence[int]:
    """What a closure claims: its one room or device, or every room of the place, since every visit needs one."""
    if closure.resource_id is not None:
        one = session.get(Resource, closure.resource_id)
        if one is None or one.kind not in ("room", "device"):
            raise NotFound()
        return [one.id]
    return session.scalars(
        select(Room.id).where(Room.location_id == closure.location_id).order_by(Room.id)
    ).all()
