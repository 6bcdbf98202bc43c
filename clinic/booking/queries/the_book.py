"""What stands in the book for a stretch of time, one statement each: who and what is taken, how much is given.

The statements are written once: the work of a request is to run them. Claims of a resource come as one row.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Integer,
    Row,
    Select,
    bindparam,
    case,
    func,
    literal_column,
    null,
    or_,
    select,
    union_all,
)

from clinic.booking.models import Claim, Visit
from clinic.catalogue.models import Service
from clinic.premises.models import Resource
from clinic.rules.availability import Leaning
from clinic.rules.intervals import Interval
from clinic.rules.limits import Given, kept_free
from clinic.rules.visit_status import HOLDING_CLAIMS, VisitStatus
from clinic.rules.wall_time import moment
from clinic.shared.database import minute_after, minute_of
from clinic.shared.read_once import read_once
from clinic.shared.statements import among, gathered, rows, spaced, taken_apart


@dataclass(frozen=True)
class Reach:
    """From the epoch minute `since` up to `until`, as it stands at `now`: what has run out counts no more, nor does the
    visit `besides`, which is being made or moved itself, nor the visit `along`, which is with it."""

    since: int
    until: int
    now: dt.datetime
    besides: int | None = None
    along: int | None = None

    def given(self, resources: Iterable[int]) -> dict[str, object]:
        """For the statements below."""
        return {
            "resources": list(resources), "since": moment(self.since), "until": moment(self.until), "now": self.now,
            "besides": self.besides or 0, "along": self.along or 0,
        }  # fmt: skip


_CLAIM, _VISIT, _SERVICE = Claim.__table__.c, Visit.__table__.c, Service.__table__.c
_RESOURCE = Resource.__table__.c
_IN_REACH = (
    _CLAIM.ends_at > bindparam("since"),
    _CLAIM.starts_at < bindparam("until"),
    or_(_CLAIM.expires_at.is_(None), _CLAIM.expires_at > bindparam("now")),
    or_(_CLAIM.visit_id.is_(None), _CLAIM.visit_id.not_in((bindparam("besides"), bindparam("along")))),
)
_STANDING = among(_CLAIM.resource_id, "resources"), *_IN_REACH
_DATES_APART = 26 * 60  # minutes from the first midnight of a date on earth to the last
_SPAN = 10**9  # start and end in one whole number: more than any minute
_STARTS, _ENDS = minute_of(_CLAIM.starts_at), minute_after(_CLAIM.ends_at)
# Claims of one resource never overlap, so the first that ends at `until` or later is the last one wanted: the index is
# read up to there, and not through all that is booked in the months to come.
_LATER_ONES = Claim.__table__.alias("later")
_LATER = _LATER_ONES.c


def _claims_of(owner: ColumnElement[int], *, stays: bool) -> ColumnElement[str]:
    """The claims in reach of one resource as a text; with the room of the visit that each is for, if `stays`."""
    last = select(func.min(_LATER.ends_at)).where(
        _LATER.resource_id == owner, _LATER.ends_at >= bindparam("until")
    )
    taken = select((_STAYING if stays else _TAKEN).label("one")).where(
        _CLAIM.resource_id == owner,
        _CLAIM.ends_at
        <= func.coalesce(last.correlate_except(_LATER_ONES).scalar_subquery(), bindparam("until")),
        *_IN_REACH,
    )
    return gathered(taken.correlate_except(Claim.__table__).scalar_subquery())


_TAKEN = _STARTS * literal_column(str(_SPAN), Integer) + _ENDS
# not a join, which may read all visits
_ROOM = select(_VISIT.room_id).where(_VISIT.id == _CLAIM.visit_id).scalar_subquery()
_STAYING = spaced(_TAKEN, func.coalesce(_ROOM, literal_column("0", Integer)))
_EACH = among(_RESOURCE.id, "resources")
_BUSY, _STAYS = (
    select(_RESOURCE.id, _claims_of(_RESOURCE.id, stays=stays)).where(_EACH) for stays in (False, True)
)
_BY_VISITS = (
    select(_CLAIM.resource_id, _STARTS, _ENDS, _CLAIM.expires_at)
    .where(*_STANDING, or_(_CLAIM.visit_id.is_not(None), _CLAIM.couple_id.is_not(None)))
    .order_by(_CLAIM.resource_id, _CLAIM.starts_at)
)
_APART = (
    select(_CLAIM.resource_id, _STARTS, _ENDS, _VISIT.location_id != bindparam("place"))
    .join(Visit.__table__, _VISIT.id == _CLAIM.visit_id)
    .where(*_STANDING, or_(_VISIT.location_id != bindparam("place"), among(_CLAIM.resource_id, "pausing")))
    .order_by(_CLAIM.resource_id, _CLAIM.starts_at)
)
_MINUTES = minute_after(_VISIT.ends_at) - minute_of(_VISIT.starts_at)
_GIVEN = (
    select(
        _VISIT.therapist_id, _VISIT.day,
        func.sum(_MINUTES), func.sum(case((_SERVICE.is_intense, _MINUTES), else_=0)), func.count(),
    )
    .join(Service.__table__, _SERVICE.id == _VISIT.service_id)
    .where(
        among(_VISIT.therapist_id, "resources"),
        _VISIT.starts_at >= bindparam("since"),
        _VISIT.starts_at < bindparam("until"),
        _VISIT.status.in_(tuple(HOLDING_CLAIMS)),
        or_(_VISIT.status != VisitStatus.HELD, _VISIT.deadline_at > bindparam("now")),
        _VISIT.id.not_in((bindparam("besides"), bindparam("along"))),
    )
    .group_by(_VISIT.therapist_id, _VISIT.day)
)  # fmt: skip


def may_be_over(now: dt.datetime) -> bool:
    """Whether a kept time may have run out by then; False where it was noted in this transaction that none has."""
    return read_once(("over", now), lambda: True, Claim)


def note_none_is_over(now: dt.datetime) -> None:
    """Whoever would clear what has run out by then, in this transaction, need not."""
    read_once(("over", now), lambda: False, Claim)


def busy(resources: Iterable[int], reach: Reach) -> dict[int, list[Interval]]:
    """Resource → the claims on it, in any order."""
    return spans(rows(_BUSY, reach.given(resources)))


def spans(texts: Iterable[Sequence[Any]]) -> dict[int, list[Interval]]:
    """Resource → its claims, out of the text of each."""
    read = _Spans().__getitem__
    return {resource: list(map(read, taken_apart(taken))) for resource, taken in texts if taken}


def with_people(
    people: Select[Any], given: Mapping[str, Any], things: Iterable[int], reach: Reach, *, stays: bool
) -> Sequence[Row[Any]]:
    """What a statement finds of people, their ids first, and after it the text of what is claimed of them, as `spans`
    or `stays_of` reads it; then the same of other resources, with nothing between id and text. All in one statement."""
    return rows(_with_people(people, stays), {**reach.given(things), **given})


@cache
def _with_people(people: Select[Any], stays: bool) -> CompoundSelect[Any]:
    person, *more = people.selected_columns
    things = select(_RESOURCE.id, *(null() for _ in more), _claims_of(_RESOURCE.id, stays=stays)).where(_EACH)
    return union_all(people.add_columns(_claims_of(person, stays=stays)), things)


class Stay(NamedTuple):
    """A claim from one epoch minute until another, and the room of the visit that it is for; 0 where it is for none."""

    starts: int
    ends: int
    room: int


class _Spans(dict[str, Interval]):
    """Spans by their texts: each is read once, however many therapists, rooms and devices are taken for it."""

    def __missing__(self, text: str) -> Interval:
        span = self[text] = divmod(int(text), _SPAN)
        return span


def taken_by_visits(resources: Iterable[int], reach: Reach) -> Sequence[Row[Any]]:
    """Resource, from, until, and until when it is kept for somebody who is booking: what visits claim, the
    room that two share with them, without time off and closures."""
    return rows(_BY_VISITS, reach.given(resources))


class Apart(NamedTuple):
    """A visit with the minutes around it that stay free: for the way to or from another place, or as a pause."""

    since: int
    until: int
    is_elsewhere: bool


def kept_apart(
    pauses: Mapping[int, int], reach: Reach, place_id: int, travel_minutes: int
) -> dict[int, list[Apart]]:
    """Therapist → their visits at other places with the way there and back, and with the pause that they need, from
    `pauses`, those here too. No statement where nobody needs a pause and the clinic has no other place."""
    pausing = [therapist for therapist, pause in pauses.items() if pause]
    if not (travel_minutes or pausing):
        return {}
    most = max([travel_minutes, *pauses.values()])
    wider = replace(reach, since=reach.since - most, until=reach.until + most)
    given = wider.given(pauses if travel_minutes else pausing) | {"place": place_id, "pausing": pausing}
    found: dict[int, list[Apart]] = defaultdict(list)
    for therapist, start, end, is_elsewhere in rows(_APART, given):
        free = max(pauses[therapist], travel_minutes if is_elsewhere else 0)
        one = Apart(*kept_free(start, end, free), bool(is_elsewhere))
        if one.since < reach.until and one.until > reach.since:
            found[therapist].append(one)
    return found


def stays(resources: Iterable[int], reach: Reach) -> dict[int, list[Stay]]:
    """As `busy`, with the room of the visit that each claim is for."""
    return stays_of(rows(_STAYS, reach.given(resources)))


def stays_of(texts: Iterable[Sequence[Any]]) -> dict[int, list[Stay]]:
    """Resource → its claims, out of the text of each."""
    return {
        resource: [_stay(*one.split(" ")) for one in taken_apart(taken)] for resource, taken in texts if taken
    }


def _stay(taken: str, room: str) -> Stay:
    return Stay(*divmod(int(taken), _SPAN), int(room))


def leaning(found: Mapping[int, Iterable[Stay]], day: Interval, start: int) -> Leaning:
    """What the visits of a day make of everybody and everything: for how long used, and where a therapist works before
    a start, or else first after it. (Of a room the last is the room itself, which nobody asks for.)"""
    usage: dict[int, int] = {}
    last_room: dict[int, int] = {}
    for resource, claims in found.items():
        visits = sorted(one for one in claims if one.room and one.ends > day[0] and one.starts < day[1])
        usage[resource] = sum(min(one.ends, day[1]) - max(one.starts, day[0]) for one in visits)
        before = [one.room for one in visits if one.starts < start]
        if visits:
            last_room[resource] = before[-1] if before else visits[0].room
    return Leaning(usage, last_room)


def given(therapists: Iterable[int], reach: Reach) -> dict[tuple[int, dt.date], Given]:
    """(therapist, day) → what visits on the days of the reach, that are not over, give there; each visit on the day of
    its own place, which may lie in another zone. The first and the last day that are named may be incomplete."""
    wider = replace(reach, since=reach.since - _DATES_APART, until=reach.until + _DATES_APART)
    return {
        (therapist, day): Given(*spent) for therapist, day, *spent in rows(_GIVEN, wider.given(therapists))
    }
