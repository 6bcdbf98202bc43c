"""Steps inside a transaction: what the judgements of two visits make of both, and the places for the two of them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from clinic.booking.models import Claim, Visit
from clinic.booking.queries.availability import Ask
from clinic.booking.queries.couples import OpenForTwo, look_for_two
from clinic.booking.queries.free_times import nearest_to
from clinic.booking.queries.next_steps import PARTNER, RECONFIRM
from clinic.booking.queries.visits import plan_of
from clinic.booking.services._claims import OVERLAP, clear_expired, set_place
from clinic.booking.services._deciding import has_to_reconfirm
from clinic.booking.services._judging import Judged, client_of
from clinic.booking.services._locking import wait_for_places
from clinic.booking.services._steps import order_of, rest_on, wait_for
from clinic.booking.services.resting import NOT_SAID, RestSaid, Warned, check_passed, keep_pass, warn
from clinic.rules.couples import Pair
from clinic.rules.errors import Nearest, SlotTaken
from clinic.rules.visit_status import VisitStatus
from clinic.rules.wall_time import epoch_minute
from clinic.shared.database import broken_guard

TRIES = 12
"""How many pairs are tried when others take places at the same moment."""


@dataclass(frozen=True)
class CoupleOutcome:
    """What came of a deed on a couple. `couple_id` None: nothing was booked or changed, since not both are allowed;
    the judgements are in the order in which the two were named."""

    couple_id: int | None
    judged: tuple[Judged, ...] = ()


def settle(
    session: Session, pair: Sequence[Visit], judged: Sequence[Judged], *, is_new: bool, now: dt.datetime
) -> None:
    """Both rest on their judgements, or both wait: each for what is missing, or for the other one."""
    to_ask = [has_to_reconfirm(visit) for visit in pair]
    missing = [
        (RECONFIRM if is_asked else None) if one.permits else one.waiting_for
        for is_asked, one in zip(to_ask, judged, strict=True)
    ]
    is_good = not any(missing) and all(one.row is not None for one in judged)
    for visit, one, what in zip(pair, judged, missing, strict=True):
        if is_good and one.row is not None:
            rest_on(visit, one.row)
        else:
            wait_for(session, visit, one, now=now, what=what or PARTNER)
        if is_new:
            visit.status = VisitStatus.CONFIRMED if is_good else VisitStatus.PENDING


def claim_pair(
    session: Session,
    couple_id: int,
    pair: Sequence[Visit],
    asks: Sequence[Ask],
    rest: RestSaid = NOT_SAID,
    *,
    room_first: int | None = None,
) -> list[Warned | None]:
    """Claim two therapists, devices for both, both clients, and one room for the two of them, `room_first` where it is
    free. Returns what was passed of the rest of each. Raises SlotTaken, RestShort."""
    wait_for_places(session, asks)
    start = pair[0].starts_at
    found = look_for_two(asks[0], asks[1])
    warned: list[Warned | None] = []
    if found.is_too_soon(epoch_minute(start)):
        warned = [
            warn(visit, client_of(visit.client_id or 0), order_of(visit, plan_of(visit)), start)
            for visit in pair
        ]
        check_passed(warned, rest, nearest=_nearest(found, start))
    ways = found.pairs(start)
    if room_first is not None:
        ways = iter(sorted(ways, key=lambda way: way.first.room != room_first))
    for way in islice(ways, TRIES):
        try:
            with session.begin_nested():
                _place(session, couple_id, pair, way, asks[0].now)
            return warned
        except IntegrityError as error:
            if broken_guard(error, OVERLAP) is None:
                raise
    raise SlotTaken(nearest=_nearest(look_for_two(asks[0], asks[1]), start))


def keep_passes(
    session: Session,
    pair: Sequence[Visit],
    passed: Sequence[Warned | None],
    rest: RestSaid,
    *,
    by: int | None,
    now: dt.datetime,
) -> None:
    """Keep who passed the rest of which of the two, and why."""
    for visit, one in zip(pair, passed, strict=False):  # nothing was passed where there is rest enough
        keep_pass(session, visit, one, rest, by=by, now=now)


def _nearest(found: OpenForTwo, start: dt.datetime) -> Nearest:
    return nearest_to(start, found.starts(), found.first)


def _place(session: Session, couple_id: int, pair: Sequence[Visit], way: Pair, now: dt.datetime) -> None:
    for visit, taken in zip(pair, way, strict=True):
        set_place(session, visit, taken)
        session.add(visit)
    session.flush()
    rows = [claim for visit, taken in zip(pair, way, strict=True) for claim in _own(visit, taken.devices)]
    rows.append(
        Claim(
            resource_id=way.first.room, couple_id=couple_id, starts_at=pair[0].starts_at,
            ends_at=max(visit.free_at for visit in pair),
        )
    )  # fmt: skip
    rows.sort(key=lambda claim: claim.resource_id)  # one order for all: fewer deadlocks
    ends_at = max(claim.ends_at for claim in rows)
    clear_expired(session, [claim.resource_id for claim in rows], pair[0].starts_at, ends_at, now)
    session.add_all(rows)
    session.flush()


def _own(visit: Visit, devices: Sequence[int]) -> Iterator[Claim]:
    """What a visit of a couple claims for itself: all but the room."""
    until = [(one, visit.free_at) for one in (visit.therapist_id, *devices)]
    for resource, ends_at in [*until, (visit.client_id or 0, visit.ends_at)]:
        yield Claim(resource_id=resource, visit_id=visit.id, starts_at=visit.starts_at, ends_at=ends_at)
