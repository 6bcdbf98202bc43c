"""What stands in the book for a stretch of time, one statement each: who and what is taken, how much is given.

The statements are written once: the work of a request is to run them. Claims of a resource come as one row.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from sqlalchemy import Row, String, bindparam, case, cast, func, or_, select

from clinic.booking.models import Claim, Visit
from clinic.catalogue.models import Service
from clinic.rules.availability import Eligible, Leaning
from clinic.rules.intervals import Interval
from clinic.rules.limits import Given, kept_free
from clinic.rules.visit_status import HOLDING_CLAIMS, VisitStatus
from clinic.rules.wall_time import moment
from clinic.shared.database import db, minute_after, minute_of
from clinic.shared.statements import among, joined, taken_apart


@dataclass(frozen=True)
class Reach:
    """From the epoch minute `since` up to `until`, as it stands at `now`: what has run out counts no more, nor does the
    visit `besides`, which is being made or moved itself."""

    since: int
    until: int
    now: dt.datetime
    besides: int | None = None

    def given(self, resources: Iterable[int]) -> dict[str, object]:
        """For the statements below."""
        return {
            "resources": list(resources), "since": moment(self.since), "until": moment(self.until), "now": self.now,
            "besides": self.besides or 0,
        }  # fmt: skip


_CLAIM, _VISIT, _SERVICE = Claim.__table__.c, Visit.__table__.c, Service.__table__.c
_STANDING = (
    among(_CLAIM.resource_id, "resources"),
    _CLAIM.ends_at > bindparam("since"),
    _CLAIM.starts_at < bindparam("until"),
    or_(_CLAIM.expires_at.is_(None), _CLAIM.expires_at > bindparam("now")),
    or_(_CLAIM.visit_id.is_(None), _CLAIM.visit_id != bindparam("besides")),
)
_STARTS, _ENDS = minute_of(_CLAIM.starts_at), minute_after(_CLAIM.ends_at)
_BUSY = (
    select(_CLAIM.resource_id, joined(cast(_STARTS, String)), joined(cast(_ENDS, String)))
    .where(*_STANDING)
    .group_by(_CLAIM.resource_id)
)
_BY_VISITS = (
    select(_CLAIM.resource_id, _STARTS, _ENDS, _CLAIM.expires_at)
    .where(*_STANDING, _CLAIM.visit_id.is_not(None))
    .order_by(_CLAIM.resource_id, _CLAIM.starts_at)
)
_USED = (
    select(_CLAIM.resource_id, _VISIT.room_id, _STARTS, _ENDS)
    .join(Visit.__table__, _VISIT.id == _CLAIM.visit_id)
    .where(*_STANDING)
    .order_by(_CLAIM.starts_at)
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
        _VISIT.id != bindparam("besides"),
    )
    .group_by(_VISIT.therapist_id, _VISIT.day)
)  # fmt: skip


def busy(resources: Iterable[int], reach: Reach) -> dict[int, list[Interval]]:
    """Resource → the claims on it, earliest first."""
    return {
        resource: sorted(zip(map(int, taken_apart(starts)), map(int, taken_apart(ends)), strict=True))
        for resource, starts, ends in db.session.execute(_BUSY, reach.given(resources))
    }


def taken_by_visits(resources: Iterable[int], reach: Reach) -> Sequence[Row[Any]]:
    """Resource, from, until, and until when it is kept for somebody who is booking: what visits claim, without
    time off and closures."""
    return db.session.execute(_BY_VISITS, reach.given(resources)).all()


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
    whose = wider.given(pauses if travel_minutes else pausing)
    found: dict[int, list[Apart]] = defaultdict(list)
    for therapist, start, end, is_elsewhere in db.session.execute(
        _APART, whose | {"place": place_id, "pausing": pausing}
    ):
        free = max(pauses[therapist], travel_minutes if is_elsewhere else 0)
        one = Apart(*kept_free(start, end, free), bool(is_elsewhere))
        if one.since < reach.until and one.until > reach.since:
            found[therapist].append(one)
    return found


def leaning(eligible: Eligible, reach: Reach, start: int) -> Leaning:
    """What the visits of a day make of everybody and everything: for how long used, and where a therapist works before
    a start, or else first after it."""
    usage: dict[int, int] = defaultdict(int)
    last_room: dict[int, int] = {}
    people = set(eligible.therapists)
    for resource, room, starts, ends in db.session.execute(_USED, reach.given(eligible.everything)):
        usage[resource] += min(ends, reach.until) - max(starts, reach.since)
        if resource in people and (starts < start or resource not in last_room):
            last_room[resource] = room  # by time: the last before this start stays, or the first after it
    return Leaning(usage, last_room)


def given(therapists: Iterable[int], reach: Reach) -> dict[tuple[int, dt.date], Given]:
    """(therapist, day) → what visits that start in the reach, and are not over, give there."""
    return {
        (therapist, day): Given(*spent)
        for therapist, day, *spent in db.session.execute(_GIVEN, reach.given(therapists))
    }
