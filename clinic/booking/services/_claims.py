"""Steps inside a transaction: claim therapist, room, devices and client, and give them up again.

The database refuses an overlap by itself; here its refusal becomes "take the next one".
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from sqlalchemy import (
    CompoundSelect,
    Integer,
    Row,
    TextClause,
    and_,
    bindparam,
    delete,
    insert,
    inspect,
    null,
    or_,
    select,
    text,
    union_all,
    update,
)
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from clinic.booking.models import Claim, Visit
from clinic.booking.queries.availability import Ask, Open, look
from clinic.booking.queries.free_times import nearest_to
from clinic.booking.queries.the_book import may_be_over
from clinic.booking.services._couples import part
from clinic.premises import queries as premises
from clinic.premises.models import Closure, Resource, Room
from clinic.rules.availability import Combination
from clinic.rules.errors import HoldExpired, SlotTaken
from clinic.rules.intervals import Interval, overlaps, subtract, union
from clinic.rules.wall_time import epoch_minute, epoch_minute_after, moment
from clinic.rules.whole_days import on_every_wall
from clinic.shared.crypto import BigId
from clinic.shared.database import Base, TryAgain, UtcDateTime, broken_guard, connection_of
from clinic.shared.locks import lock_in_order
from clinic.shared.statements import many
from clinic.shared.writing import write_at_once
from clinic.therapists.models import TimeOff

OVERLAP = "ex_claim_overlap"
_CLAIM = Base.metadata.tables["claim"]


def claim_best(
    session: Session,
    visit: Visit,
    ask: Ask,
    *,
    expires_at: dt.datetime | None,
    room_first: int | None = None,
    others: Ask | None = None,
) -> None:
    """Give the visit the best free therapist, room and devices for `visit.starts_at`, and claim them.

    `visit` has its times set; its therapist and room are set here. When somebody else was faster the next
    combination is tried. `room_first`: this room is taken where it is free. `others`: the wish by which other starts
    are offered, where that is another one. Raises SlotTaken with the nearest free
    starts when none is left, RestNeeded when it is a client's own wish and comes too soon for them.
    """
    found = look(replace(ask, picks=True))
    if found.rest is not None:
        found.rest.check(visit.starts_at, nearest_to(visit.starts_at, found.starts(), found))
    ways = sorted(found.ways(visit.starts_at), key=lambda way: way.room != room_first)
    needed = set.intersection(*(_taken_by(way) for way in ways)) if ways else set()
    lost, busy = set[int](), set[int]()
    for way in ways:
        if (lost | busy).isdisjoint(_taken_by(way)):
            more_lost, more_busy = _place(session, visit, way, needed, found, expires_at)
            if not (more_lost or more_busy):
                return
            lost, busy = lost | more_lost, busy | more_busy
    start = visit.starts_at

    def refusal() -> SlotTaken:
        # Other starts are planned for what they would be: the first visit of this person, or not. None of them is kept.
        by_history = ask.client_id is not None and bool(ask.plan.first_visit_minutes)
        named = replace(others or ask, by_history=by_history, kept_since=None)
        seen = look(named) if ways or named != ask else found  # somebody was faster: the book has changed
        return SlotTaken(nearest=nearest_to(start, seen.starts(), seen))

    raise TryAgain(refusal) if busy else refusal()


def client_first(session: Session, client_id: int) -> None:
    """Whoever will claim for this client waits for them before anything else is claimed or given up."""
    lock_in_order(session, Resource.__table__, [client_id])


def set_place(session: Session, visit: Visit, way: Combination) -> None:
    """Who gives the visit, and where. Whoever is told of it reads of these, not of those that were looked up before."""
    visit.therapist_id, visit.room_id = way.therapist, way.room
    if inspect(visit).persistent:
        session.expire(visit, ["therapist", "room"])


def _taken_by(way: Combination) -> set[int]:
    return {way.therapist, way.room, *way.devices}


def _place(
    session: Session,
    visit: Visit,
    way: Combination,
    needed: set[int],
    found: Open,
    expires_at: dt.datetime | None,
) -> tuple[set[int], set[int]]:
    """Claim this combination. Returns which of it are lost to somebody else, and which somebody is claiming at the
    moment; when there are any, nothing is claimed.

    What every combination needs, and the client, are waited for, the first time, in an order that is the same for all.
    Whatever there is a choice of is passed by while another is at it: nobody waits for a room when another one is free,
    nor while holding something that others wait for, so that nobody ever waits in a ring. Rooms and devices are passed
    by only where another wants them for the same time; of a therapist the whole day counts.
    """
    client = {visit.client_id} if visit.client_id is not None else set[int]()
    mine, waited_for = _taken_by(way) | client, needed | client
    quarters = epoch_minute(visit.starts_at) // 15, (epoch_minute_after(visit.free_at) - 1) // 15
    locked = lock_in_order(
        session,
        Resource.__table__,
        waited_for,
        first=visit.client_id,
        unless_taken={way.therapist} - waited_for,
        for_a_time={way.room, *way.devices} - waited_for,
        times=range(quarters[0], quarters[1] + 1),
    )
    if len(locked) < len(mine):
        return set(), mine - locked
    if found.is_too_much(way.therapist, visit.starts_at):  # a visit at another time of the day was faster
        return {way.therapist}, set()
    set_place(session, visit, way)
    if inspect(visit).transient:
        write_at_once(session, visit)
    else:
        session.flush()
    clear_expired(session, mine, visit.starts_at, visit.free_at, found.ask.now)
    made = _insert(session, visit, mine, expires_at)
    if len(made) < len(mine):
        _drop(session, visit, visit.starts_at)
        return mine - made, set()
    return set(), set()


def _claiming(numbers: str, one: str, rest: str) -> TextClause:
    """Claims of one visit in one statement; turnover is no matter of its client's."""
    return text(
        "INSERT INTO claim (resource_id, visit_id, starts_at, ends_at, expires_at)"  # noqa: S608 - no value is in it
        f" SELECT {one}, :visit, :starts_at, CASE WHEN {one} = :client THEN :ends_at ELSE :free_at END, :expires_at"
        f" FROM {numbers} ORDER BY {one} {rest} RETURNING resource_id"
    ).bindparams(
        many("resources"), bindparam("visit", type_=BigId), bindparam("client", type_=Integer),
        *(bindparam(name, type_=UtcDateTime) for name in ("starts_at", "ends_at", "free_at", "expires_at")),
    )  # fmt: skip


_CLAIMS = {
    "postgresql": _claiming("unnest(:resources) AS one", "one", "ON CONFLICT DO NOTHING"),
    "sqlite": _claiming("json_each(:resources)", "value", ""),
}
"""On PostgreSQL a claim that overlaps another is left out; SQLite's guard speaks against them all."""


def _insert(
    session: Session, visit: Visit, resources: Collection[int], expires_at: dt.datetime | None
) -> set[int]:
    """Claim these for the visit. Returns those of them that could be claimed."""
    connection = connection_of(session)
    given = {
        "resources": resources, "visit": visit.id, "client": visit.client_id, "starts_at": visit.starts_at,
        "ends_at": visit.ends_at, "free_at": visit.free_at, "expires_at": expires_at,
    }  # fmt: skip
    try:
        return set(connection.execute(_CLAIMS[connection.dialect.name], given).scalars())
    except IntegrityError as error:
        if broken_guard(error, OVERLAP) is None:
            raise
        return set()


def _drop(session: Session, visit: Visit, now: dt.datetime) -> None:
    keep_until(
        session, visit.id, now
    )  # the database deletes no claim without an end while the visit needs it
    session.execute(delete(Claim).where(Claim.visit_id == visit.id))


def keep_until(session: Session, visit_id: int, expires_at: dt.datetime | None) -> None:
    """Set when the visit's claims give way; None keeps them."""
    session.execute(update(Claim).where(Claim.visit_id == visit_id).values(expires_at=expires_at))


def is_claimed(session: Session, visit: Visit, devices: int) -> bool:
    """Whether all that a kept time takes, with so many devices, is still taken for it, and stays so until the end of
    this transaction. By another's clock it may have run out a moment ago: then what they wanted of it is gone, and
    what they did not want is still there."""
    claimed = select(Claim.resource_id).where(Claim.visit_id == visit.id).with_for_update()
    found = set(session.scalars(claimed))
    known = {one for one in (visit.therapist_id, visit.room_id, visit.client_id) if one is not None}
    return known <= found and len(found) >= len(known) + devices


def keep_longer_until(session: Session, visit: Visit, expires_at: dt.datetime) -> None:
    """Keep a time longer: what stays taken when that is over (`_outlast`) goes on doing so. Raises HoldExpired where it
    is not taken for it any more. A device that is missing by now is taken when it is confirmed."""
    if not is_claimed(session, visit, devices=0):
        raise HoldExpired()
    visit.deadline_at = expires_at
    theirs = Claim.visit_id == visit.id, Claim.expires_at.is_not(None)
    session.execute(update(Claim).where(*theirs).values(expires_at=expires_at))


def give_up(session: Session, visit: Visit, now: dt.datetime) -> set[int]:
    """Free what the visit claimed, and return it; where time off or a closure lies underneath, that claims it at once.
    The room of a couple stays with the other visit."""
    part(session, visit, now)
    taken = set(session.scalars(select(Claim.resource_id).where(Claim.visit_id == visit.id)))
    # Of a room that was shared the end may have become free; no block lies under a client, who is waited for first.
    touched = {*taken, visit.room_id} - {visit.client_id}
    lock_resources(session, touched)  # before anything is free: whoever claims it waits for these as well
    _drop(session, visit, now)
    claim_blocks(session, touched, now, are_locked=True)
    return taken


_KEPT = _CLAIM.alias()
_OVER = delete(_CLAIM).where(
    _CLAIM.c.id.in_(
        select(_KEPT.c.id)
        .where(
            _KEPT.c.resource_id.in_(bindparam("resources", expanding=True)),
            _KEPT.c.expires_at <= bindparam("now"),
            _KEPT.c.starts_at < bindparam("ends_at"),
            _KEPT.c.ends_at > bindparam("starts_at"),
        )
        .with_for_update(skip_locked=True)
    )
)


def clear_expired(
    session: Session,
    resources: Collection[int],
    starts_at: dt.datetime,
    ends_at: dt.datetime,
    now: dt.datetime,
) -> None:
    """What is kept of these in these minutes, and has run out, gives way; they are waited for by now. What somebody is
    confirming at this moment is theirs. The other claims of a hold that ran out count for nobody, and go when it is
    given up: whoever waited for all of that would wait in a ring. Time off and closures do not lie under what runs out
    (`_outlast`)."""
    if may_be_over(now):
        given = {"resources": list(resources), "starts_at": starts_at, "ends_at": ends_at, "now": now}
        connection_of(session).execute(_OVER, given)


def lock_resources(session: Session, wanted: Collection[int]) -> None:
    """In the order of their numbers. Whoever claims one of these keeps its row from being locked until the commit, and
    the other way round: so a booking, a cancellation and time off at the same moment see each other."""
    session.scalars(
        select(Resource.id).where(Resource.id.in_(wanted)).order_by(Resource.id).with_for_update()
    ).all()


def let_back(session: Session, resources: Collection[int], visit: Visit) -> bool:
    """Time off and closures give way where this visit stood until a moment ago, as they did when they were entered;
    whether there were any. Once it stands there again, `claim_blocks` puts them around it."""
    theirs = Claim.resource_id.in_(resources), Claim.visit_id.is_(None), Claim.couple_id.is_(None)
    there = Claim.starts_at < visit.free_at, Claim.ends_at > visit.starts_at
    return bool(session.execute(delete(Claim).where(*theirs, *there).returning(Claim.id)).all())


def claim_back(
    session: Session,
    visit: Visit,
    ask: Ask,
    resources: Collection[int],
    *,
    expires_at: dt.datetime | None,
    room_first: int | None,
) -> bool:
    """Claim `visit` where it, or the time that was kept for it, stood until a moment ago with these resources and no
    shorter: time off and closures that were entered meanwhile had left it alone, and do so again. Whether it could be;
    nothing is claimed where not."""
    with suppress(SlotTaken), session.begin_nested():
        let_back(session, resources, visit)
        claim_best(session, visit, replace(ask, was_kept=True), expires_at=expires_at, room_first=room_first)
        claim_blocks(session, resources, ask.now)
        return True
    return False


def claim_blocks(
    session: Session, resources: Iterable[int], now: dt.datetime, *, are_locked: bool = False
) -> None:
    """Make the claims of time off and closures anew for these resources, from today on: their union, less what
    visits already claim, so that nothing new can be booked there and booked visits stay visible as work to do.
    Five statements, however many resources; one more where somebody is away for whole days."""
    since = now - dt.timedelta(days=2)
    wanted = sorted(set(resources))
    if not wanted:
        return
    if not are_locked:
        lock_resources(session, wanted)  # neither clash nor hole is left
    theirs = Claim.resource_id.in_(wanted), Claim.ends_at > since
    session.execute(delete(Claim).where(*theirs, Claim.visit_id.is_(None), Claim.couple_id.is_(None)))
    claims = select(Claim.resource_id, Claim.starts_at, Claim.ends_at, Claim.id, Claim.expires_at).where(
        *theirs
    )
    found = session.execute(claims).all()
    taken = _spans((row[:3] for row in found), since)
    blocked = _blocked(session, wanted, since)
    _outlast(session, [row for row in found if row.expires_at is not None], blocked)
    made = [
        {"resource_id": resource, "starts_at": moment(start), "ends_at": moment(end)}
        for resource, spans in sorted(blocked.items())
        for start, end in subtract(union(spans), union(taken[resource]))
    ]
    if made:
        session.execute(insert(Claim), made)


def _outlast(session: Session, kept: Sequence[Row[Any]], blocked: Mapping[int, Iterable[Interval]]) -> None:
    """What is kept for a while where somebody is off, or a place is shut, does not become free when that while is over:
    it stays taken until the kept time is given up, and the block claims it."""
    ids = [
        row.id
        for row in kept
        if any(
            overlaps(span, (epoch_minute(row.starts_at), epoch_minute_after(row.ends_at)))
            for span in blocked.get(row.resource_id, ())
        )
    ]
    if ids:
        session.execute(update(Claim).where(Claim.id.in_(ids)).values(expires_at=None))


def _spans(rows: Iterable[Sequence[Any]], since: dt.datetime) -> defaultdict[int, list[Interval]]:
    """Resource → its spans, without what lies before `since`."""
    found: defaultdict[int, list[Interval]] = defaultdict(list)
    for resource, start, end in rows:
        found[resource].append((epoch_minute(max(start, since)), epoch_minute_after(end)))
    return found


def _blocked(
    session: Session, resources: Collection[int], since: dt.datetime
) -> defaultdict[int, list[Interval]]:
    """Resource → its time off and closures. A therapist's claim holds at every place: of whole days what lies in them
    by every clock. What lies in them by one clock alone is known where free times of that place are looked for."""
    rows = session.execute(_blocks(resources, since)).all()
    found = _spans((row[:3] for row in rows if row.first_day is None), since)
    whole_days = [row for row in rows if row.first_day is not None]
    clocks = premises.clocks() if whole_days else []
    for resource, _start, _end, first, last in whole_days:
        start, end = on_every_wall(clocks, first, last)
        start = max(start, epoch_minute(since))
        if end > start:
            found[resource].append((start, end))
    return found


def _blocks(resources: Collection[int], since: dt.datetime) -> CompoundSelect[Any]:
    """Resource, from, until, whole days: time off, closures of a room or device, and those of a place for each of its
    rooms."""
    room, key = Room.__table__.c, Resource.__table__.c.id
    of_place = and_(Closure.resource_id.is_(None), Closure.location_id == room.location_id)
    return union_all(
        select(
            TimeOff.therapist_id, TimeOff.starts_at, TimeOff.ends_at, TimeOff.first_day, TimeOff.last_day
        ).where(TimeOff.therapist_id.in_(resources), TimeOff.ends_at > since),
        select(key, Closure.starts_at, Closure.ends_at, null(), null())
        .select_from(Resource.__table__.outerjoin(Room.__table__, room.id == key))
        .join(Closure, or_(Closure.resource_id == key, of_place))
        .where(key.in_(resources), Closure.ends_at > since),
    )
