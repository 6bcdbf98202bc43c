"""Coming visits, and time off and closures that touch them: shown before they are saved, and work to do."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, and_, exists, extract, or_, select
from sqlalchemy.orm import joinedload

from clinic.booking.models import Claim, Visit
from clinic.premises import queries as premises
from clinic.premises.models import Closure
from clinic.rules.intervals import Interval
from clinic.rules.typed_span import TypedSpan
from clinic.rules.visit_status import VisitStatus
from clinic.rules.wall_time import WallClock, epoch_minute, epoch_minute_after, moment
from clinic.shared.database import db, minute_after, minute_of
from clinic.therapists import queries as therapists
from clinic.therapists.models import Therapist, TimeOff

TOUCHED = (VisitStatus.PENDING, VisitStatus.CONFIRMED, VisitStatus.SUSPENDED)


PIECE = 1000
LONGEST = dt.timedelta(days=2)
"""More than any visit lasts, its turnover included: by its start the index leaves out what was given in years."""
DAY_MINUTES = 24 * 60
_LOCAL_MINUTE = extract("hour", Visit.local_time) * 60 + extract("minute", Visit.local_time)
_LENGTH = minute_after(Visit.ends_at) - minute_of(Visit.starts_at)
_RUNS_PAST_MIDNIGHT = _LOCAL_MINUTE + _LENGTH > DAY_MINUTES
# Whole days are those of the clock at the visit's own place; of the eve, what runs on into them.
OFF = and_(
    TimeOff.therapist_id == Visit.therapist_id,
    TimeOff.starts_at < Visit.ends_at,
    TimeOff.ends_at > Visit.starts_at,
    or_(
        TimeOff.first_day.is_(None),
        Visit.day.between(TimeOff.first_day, TimeOff.last_day),
        and_(Visit.day < TimeOff.first_day, _RUNS_PAST_MIDNIGHT),
    ),
)
ITS_CLAIM = or_(Claim.visit_id == Visit.id, Claim.couple_id == Visit.couple_id)
# Its whole place, or its room or a device of it.
SHUT = and_(
    Closure.starts_at < Visit.ends_at,
    Closure.ends_at > Visit.starts_at,
    Closure.location_id == Visit.location_id,
    or_(
        Closure.resource_id.is_(None),
        exists().where(ITS_CLAIM, Claim.resource_id == Closure.resource_id).correlate(Visit, Closure),
    ),
)
CANNOT_BE_GIVEN = or_(exists(TimeOff.id).where(OFF), exists(Closure.id).where(SHUT))
"""Of a visit: its therapist is off then, or it is shut."""


def starts_near(start: dt.datetime, end: dt.datetime) -> ColumnElement[bool]:
    """Visits that begin soon enough before the span's end to reach into it, be it by their turnover."""
    return and_(Visit.starts_at > start - LONGEST, Visit.starts_at < end)


def is_coming(now: dt.datetime) -> tuple[ColumnElement[bool], ...]:
    """Booked, not over and not begun."""
    return Visit.status.in_(TOUCHED), Visit.ends_at > now, Visit.starts_at > now - LONGEST


def blocked(
    people: Sequence[int], rooms: Sequence[int], place_id: int, clock: WallClock, since: int, until: int
) -> dict[int, list[Interval]]:
    """Resource → its time off and closures at a place between two epoch minutes, also where a visit keeps them from
    being claimed: it cannot be moved to another time within them."""
    found: dict[int, list[Interval]] = defaultdict(list)
    for off in therapists.time_off_between(people, moment(since), moment(until)):
        found[off.therapist_id].append(therapists.span_at(off, clock))
    for shut in premises.closures_from(place_id, moment(since)):
        for one in rooms if shut.resource_id is None else [shut.resource_id]:
            found[one].append((epoch_minute(shut.starts_at), epoch_minute_after(shut.ends_at)))
    return found


def visits_shut_by(
    location_id: int, resource_id: int | None, starts_at: dt.datetime, ends_at: dt.datetime, now: dt.datetime
) -> Sequence[Visit]:
    """Coming visits that a closure of the place, or of one room or device of it, touches: shown before it is saved."""
    touched = [Visit.location_id == location_id, Visit.starts_at < ends_at, Visit.ends_at > starts_at]
    if resource_id is not None:
        touched.append(exists().where(ITS_CLAIM, Claim.resource_id == resource_id))
    return coming(now, *touched)


def therapists_off(now: dt.datetime) -> Sequence[Therapist]:
    """Therapists with coming visits that lie in their own time off, by name."""
    touched = exists().where(Visit.therapist_id == Therapist.id, *is_coming(now), OFF)
    return db.session.scalars(select(Therapist).where(touched).order_by(Therapist.name, Therapist.id)).all()


class Away(NamedTuple):
    """The time off in which a therapist is, and until when by the clock of where they work."""

    entered: TimeOff
    until: dt.datetime


def off_now(therapist_id: int, now: dt.datetime) -> Away | None:
    """The time off in which this therapist is at the moment; of several the one that lasts longest. A whole day that
    has begun further east only has not begun for them."""
    rows = db.session.scalars(
        select(TimeOff)
        .where(
            TimeOff.therapist_id == therapist_id,
            TimeOff.kind == "off",
            TimeOff.starts_at <= now,
            TimeOff.ends_at > now,
        )
        .order_by(TimeOff.id)
    ).all()
    if not rows:
        return None
    zone = ZoneInfo(therapists.workplace(therapist_id, premises.today(now)).zone)
    spans = [(row, therapists.span_at(row, WallClock(zone))) for row in rows]
    here = [Away(row, moment(end)) for row, (start, end) in spans if start <= epoch_minute(now) < end]
    return max(here, key=lambda one: one.until, default=None)


def visits_in(therapist_id: int, span: TypedSpan, now: dt.datetime) -> Sequence[Visit]:
    """A therapist's coming visits that a time touches: shown before time off is saved."""
    theirs = Visit.therapist_id == therapist_id
    if span.days is None:
        return coming(now, theirs, Visit.starts_at < span.ends_at, Visit.ends_at > span.starts_at)
    first, last = span.days
    near = coming(now, theirs, Visit.day.between(first - dt.timedelta(days=1), last))
    return [one for one in near if one.day >= first or _runs_into(one, first)]


def _runs_into(visit: Visit, day: dt.date) -> bool:
    """Whether a visit of the eve goes on after midnight, as the clock at its place has it: that hour may come twice."""
    return epoch_minute_after(visit.ends_at) > WallClock(ZoneInfo(visit.zone)).day_bounds(day)[0]


def visits_under_time_off(therapist_id: int, now: dt.datetime) -> Sequence[Visit]:
    """A therapist's coming visits that lie in their own time off, soonest first: each needs a new time or person."""
    off = exists().where(OFF)
    return coming(now, off & (Visit.therapist_id == therapist_id))


def time_off_ahead(therapist_id: int, now: dt.datetime) -> Sequence[TimeOff]:
    """Time off and other blocks that have not ended, soonest first."""
    return db.session.scalars(
        select(TimeOff)
        .where(TimeOff.therapist_id == therapist_id, TimeOff.ends_at > now)
        .order_by(TimeOff.starts_at, TimeOff.id)
        .options(joinedload(TimeOff.location))
    ).all()


def coming_in_pieces(now: dt.datetime) -> Iterator[Sequence[Visit]]:
    """All of them in the same order, a thousand at a time: what is booked for months would fill the memory of a
    process, and most of it has nothing to be said about."""
    ids = db.session.scalars(
        select(Visit.id).where(*is_coming(now)).order_by(Visit.starts_at, Visit.id)
    ).all()
    for start in range(0, len(ids), PIECE):
        yield coming(now, Visit.id.in_(ids[start : start + PIECE]))


def coming(now: dt.datetime, *wanted: ColumnElement[bool]) -> Sequence[Visit]:
    """Booked visits that are not over and not begun, soonest first."""
    return db.session.scalars(
        select(Visit)
        .where(*is_coming(now), *wanted)
        .order_by(Visit.starts_at, Visit.id)
        .options(
            joinedload(Visit.client),
            joinedload(Visit.therapist),
            joinedload(Visit.service),
            joinedload(Visit.room),
        )
    ).all()
