"""Steps inside a transaction: claim therapist, room, devices and client, and give them up again.

The database refuses an overlap by itself; here its refusal becomes "take the next one".
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from sqlalchemy import delete, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from clinic.booking.models import Claim, Visit
from clinic.booking.queries.availability import Ask, look
from clinic.booking.services._couples import part
from clinic.premises.models import Closure, Resource, Room
from clinic.rules.availability import Combination, nearest
from clinic.rules.errors import SlotTaken
from clinic.rules.intervals import subtract, union
from clinic.rules.wall_time import epoch_minute, epoch_minute_after, moment
from clinic.shared.database import broken_guard
from clinic.therapists.models import TimeOff

OVERLAP = "ex_claim_overlap"


def claim_best(session: Session, visit: Visit, ask: Ask, *, expires_at: dt.datetime | None) -> None:
    """Give the visit the best free therapist, room and devices for `visit.starts_at`, and claim them.

    `visit` has its times set; its therapist and room are set here. When somebody else was faster the next
    combination is tried. Raises SlotTaken with the nearest free starts when none is left, RestNeeded when it is a
    client's own wish and comes too soon for them.
    """
    clear_expired(session, ask.now)
    found = look(ask)
    if found.rest is not None:
        found.rest.check(visit.starts_at, nearest(found.starts(), epoch_minute(visit.starts_at), 3))
    ways = found.ways(visit.starts_at)
    for way in ways:
        try:
            with session.begin_nested():
                _place(session, visit, way, expires_at)
            return
        except IntegrityError as error:
            if broken_guard(error, OVERLAP) is None:
                raise
    seen = look(ask) if ways else found  # somebody was faster: the book has changed
    raise SlotTaken(nearest=nearest(seen.starts(), epoch_minute(visit.starts_at), 3))


def _place(session: Session, visit: Visit, way: Combination, expires_at: dt.datetime | None) -> None:
    visit.therapist_id, visit.room_id = way.therapist, way.room
    session.add(visit)
    session.flush()
    taken = [way.therapist, way.room, *way.devices]
    rows = [_claim(visit, one, visit.free_at, expires_at) for one in taken]
    if visit.client_id is not None:
        rows.append(_claim(visit, visit.client_id, visit.ends_at, expires_at))
    rows.sort(key=_resource_id)  # one order for all: fewer deadlocks
    session.add_all(rows)
    session.flush()


def _resource_id(claim: Claim) -> int:
    return claim.resource_id


def _claim(visit: Visit, resource_id: int, until: dt.datetime, expires_at: dt.datetime | None) -> Claim:
    return Claim(
        resource_id=resource_id,
        visit_id=visit.id,
        starts_at=visit.starts_at,
        ends_at=until,
        expires_at=expires_at,
    )


def keep_until(session: Session, visit_id: int, expires_at: dt.datetime | None) -> None:
    """Set when the visit's claims give way; None keeps them."""
    session.execute(update(Claim).where(Claim.visit_id == visit_id).values(expires_at=expires_at))


def give_up(session: Session, visit: Visit, now: dt.datetime) -> None:
    """Free what the visit claimed; where time off or a closure lies underneath, that claims it at once. The room of a
    couple stays with the other visit."""
    part(session, visit, now)
    taken = list(session.scalars(select(Claim.resource_id).where(Claim.visit_id == visit.id)))
    keep_until(
        session, visit.id, now
    )  # the database deletes no claim that has no end while the visit needs it
    session.execute(delete(Claim).where(Claim.visit_id == visit.id))
    session.flush()
    claim_blocks(session, taken, now)


def clear_expired(session: Session, now: dt.datetime) -> None:
    """Claims of holds that ran out give way, to time off and closures entered meanwhile first of all."""
    freed = session.scalars(delete(Claim).where(Claim.expires_at <= now).returning(Claim.resource_id)).all()
    claim_blocks(session, freed, now)


def claim_blocks(session: Session, resources: Iterable[int], now: dt.datetime) -> None:
    """Make the claims of time off and closures anew for these resources, from today on: their union, less what
    visits already claim, so that nothing new can be booked there and booked visits stay visible as work to do."""
    since = now - dt.timedelta(days=2)
    wanted = sorted(set(resources))
    if wanted:
        # Whoever claims one of these keeps its row from being locked until the commit, and the other way round: so
        # a booking, a cancellation and time off at the same moment see each other, and leave neither clash nor hole.
        session.scalars(
            select(Resource.id).where(Resource.id.in_(wanted)).order_by(Resource.id).with_for_update()
        ).all()
    for resource in wanted:
        session.execute(
            delete(Claim).where(
                Claim.resource_id == resource,
                Claim.visit_id.is_(None),
                Claim.couple_id.is_(None),
                Claim.ends_at > since,
            )
        )
        taken = session.execute(
            select(Claim.starts_at, Claim.ends_at).where(Claim.resource_id == resource, Claim.ends_at > since)
        )
        busy = union([(epoch_minute(start), epoch_minute_after(end)) for start, end in taken])
        for start, end in subtract(union(_blocked(session, resource, since)), busy):
            session.add(Claim(resource_id=resource, starts_at=moment(start), ends_at=moment(end)))
        session.flush()


def _blocked(session: Session, resource: int, since: dt.datetime) -> list[tuple[int, int]]:
    off = session.execute(
        select(TimeOff.starts_at, TimeOff.ends_at).where(
            TimeOff.therapist_id == resource, TimeOff.ends_at > since
        )
    ).all()
    place = session.scalar(select(Room.location_id).where(Room.id == resource))
    shut = session.execute(
        select(Closure.starts_at, Closure.ends_at).where(
            or_(
                Closure.resource_id == resource,
                (Closure.resource_id.is_(None)) & (Closure.location_id == (place or 0)),
            ),
            Closure.ends_at > since,
        )
    ).all()
    rows = [(row[0], row[1]) for row in (*off, *shut)]
    return [(max(epoch_minute(start), epoch_minute(since)), epoch_minute_after(end)) for start, end in rows]
