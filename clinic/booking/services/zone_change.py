"""A place gets another time zone, or its zone's rules were changed: what is in the book stays on the wall.

Moves with its visit: end, turnover, claims, deadline, links to the check-in, an offer of its time, the pass of a rest.
Moves by itself: time off that was typed by the clock of this place, and its closures. Whole days off are dates: they go
on holding on every wall. What has begun is history and stays as it was.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from sqlalchemy import and_, bindparam, delete, not_, or_, select, text, update
from sqlalchemy.orm import Session

from clinic.booking.models import CheckinLink, Claim, Offer, RestPass, Visit
from clinic.booking.services._claims import claim_blocks
from clinic.booking.timed_steps import follow
from clinic.premises import queries as premises
from clinic.premises.models import Closure, Device, Location, Resource, Room
from clinic.rules.booking_policy import BookingSettings
from clinic.rules.errors import InvalidInput, NotFound, RuleViolation
from clinic.rules.visit_status import VisitStatus
from clinic.rules.wall_time import WallClock, moment
from clinic.rules.whole_days import on_any_wall
from clinic.rules.zone_change import (
    MovedSpan,
    MovedVisit,
    Taken,
    ZoneChange,
    bound_at,
    clashes,
    deadline_after,
    start_at,
    wall_text,
)
from clinic.shared.audit import leave_trace
from clinic.shared.database import db, transaction, tried_again
from clinic.therapists.models import TimeOff

LONGEST_MOVE = dt.timedelta(days=2)
ASIDE = dt.timedelta(days=400 * 366)
"""Claims wait this far in the future while they move, so that none meets another that has not moved yet."""
WAITING = (VisitStatus.PENDING, VisitStatus.SUSPENDED)


class ZoneClash(RuleViolation):
    """The change would leave visits that cannot take place: the sentence lists them."""

    def __init__(self, change: ZoneChange) -> None:
        what_to_do = "This cannot be done yet: move or cancel the visits listed, then try again."
        super().__init__("\n".join([*change.lines(), what_to_do]))
        self.change = change


def preview_zone(place: str, new_zone: str, *, now: dt.datetime) -> ZoneChange:
    """What the change would do; nothing is written. `place`: number or name. Raises as `change_zone`."""
    change = _plan(db.session(), _place(db.session(), place, new_zone), new_zone, now)
    if not change.is_possible:
        raise ZoneClash(change)
    return change


@tried_again
def change_zone(place: str, new_zone: str, *, now: dt.datetime, by: int | None = None) -> ZoneChange:
    """Do it, all or nothing. Raises NotFound, InvalidInput, ZoneClash."""
    with transaction() as session:
        _keep_others_out(session)
        row = _place(session, place, new_zone)
        session.execute(delete(Claim).where(Claim.expires_at <= now))
        change = _plan(session, row, new_zone, now)
        if not change.is_possible:
            raise ZoneClash(change)
        row.zone = new_zone
        session.flush()
        blocked = _can_be_blocked(session, row.id, now)
        of_nobody = Claim.visit_id.is_(None), Claim.couple_id.is_(None)
        session.execute(delete(Claim).where(*of_nobody, Claim.resource_id.in_(blocked)))
        _move_claims(session, change, row.id)
        _move_visits(session, change, row.id)
        _move_spans(session, TimeOff, change.time_off)
        _move_spans(session, Closure, change.closures)
        claim_blocks(session, blocked, now)
        leave_trace(
            session, "location.zone_changed", "location", row.id, by=by, now=now, was=change.old_zone,
            zone=new_zone, visits=len(change.visits), time_off=len(change.time_off),
            closures=len(change.closures),
        )  # fmt: skip
        return change


def _keep_others_out(session: Session) -> None:
    """Nobody books, moves or closes anything while the book is turned. (SQLite has one writer anyway.)"""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(
            text("LOCK TABLE location, visit, claim, time_off, closure IN SHARE ROW EXCLUSIVE MODE")
        )


def _place(session: Session, name: str, new_zone: str) -> Location:
    if new_zone not in available_timezones():
        raise InvalidInput("zone", f"There is no time zone {new_zone}.")
    number = int(name) if name.isascii() and name.isdecimal() and len(name) < 10 else 0
    found = session.scalars(
        select(Location).where(or_(Location.id == number, Location.name == name)).order_by(Location.id)
    ).all()
    if len(found) != 1:
        raise NotFound("Name one place, by its number or its name.")
    return found[0]


# ── what would change ──


def _plan(session: Session, place: Location, new_zone: str, now: dt.datetime) -> ZoneChange:
    clock = WallClock(ZoneInfo(new_zone))
    visits = _visits(session, place.id, clock, now)
    by_id = {one.id: one for one in visits}
    taken = [*_moved_claims(session, place.id, by_id, now), *_standing_claims(session, place.id, now)]
    return ZoneChange(
        place=place.name,
        old_zone=place.zone,
        new_zone=new_zone,
        now=now,
        visits=visits,
        time_off=(
            *_spans(_coming(session, TimeOff, now, *_typed_at(place)), place.zone, clock, now),
            *_whole_days(session, place, clock, now),
        ),
        closures=_spans(
            _coming(session, Closure, now, Closure.location_id == place.id), place.zone, clock, now
        ),
        claims=sum(one.moves for one in taken),
        clashing=tuple(clashes(taken)),
    )


def _typed_at(place: Location) -> tuple[Any, ...]:
    """Time off with hours by the clock of this place; those without a place were typed by the first one's."""
    first = premises.clinic_facts()
    is_first = first is not None and first.location_id == place.id
    here = TimeOff.location_id == place.id
    return TimeOff.first_day.is_(None), or_(here, TimeOff.location_id.is_(None)) if is_first else here


def _whole_days(session: Session, place: Location, clock: WallClock, now: dt.datetime) -> Iterator[MovedSpan]:
    """The widest span of whole days, with the new clock among those of all places."""
    zones = session.scalars(
        select(Location.zone).where(Location.is_active, Location.id != place.id).distinct()
    )
    clocks = [clock, *(WallClock(ZoneInfo(zone)) for zone in zones)]
    whole = select(TimeOff).where(TimeOff.ends_at > now, TimeOff.first_day.is_not(None)).order_by(TimeOff.id)
    for row in session.scalars(whole):
        start, end = map(moment, on_any_wall(clocks, *(row.days or ())))
        old = row.starts_at, row.ends_at
        yield MovedSpan(row.id, old, (start if row.starts_at > now else row.starts_at, end))


def _is_moved(place_id: int, now: dt.datetime) -> Any:
    return and_(Visit.location_id == place_id, Visit.starts_at > now)


def _visits(session: Session, place_id: int, clock: WallClock, now: dt.datetime) -> tuple[MovedVisit, ...]:
    """Every visit that has not begun, whatever its status: pages show the ended ones at their wall time too."""
    rows = session.execute(
        select(Visit.id, Visit.day, Visit.local_time, Visit.fold, Visit.starts_at)
        .where(_is_moved(place_id, now))
        .order_by(Visit.starts_at, Visit.id)
    ).all()
    found = []
    for row in rows:
        start = start_at(clock, row.day, row.local_time, row.fold)
        found.append(MovedVisit(row.id, row.day, row.local_time, row.starts_at, start.at, start.twice))
    return tuple(found)


def _moved_claims(
    session: Session, place_id: int, moved: dict[int, MovedVisit], now: dt.datetime
) -> Iterator[Taken]:
    for row in _claims(session, _is_moved(place_id, now)):
        visit = moved[row.visit_id]
        yield Taken(row.resource_id, row.starts_at + visit.by, row.ends_at + visit.by, visit.id, True)


def _standing_claims(session: Session, place_id: int, now: dt.datetime) -> Iterator[Taken]:
    """What visits that stay where they are take: those at other places, and those that have begun."""
    stands = and_(
        not_(_is_moved(place_id, now)),
        Claim.ends_at > now - LONGEST_MOVE,
        or_(Claim.expires_at.is_(None), Claim.expires_at > now),
    )
    for row in _claims(session, stands):
        yield Taken(row.resource_id, row.starts_at, row.ends_at, row.visit_id, False)


def _claims(session: Session, wanted: Any) -> list[Any]:
    """Claims of these visits; one that a couple shares is there once, under one of the two."""
    rows = session.execute(
        select(Claim.id, Claim.resource_id, Visit.id.label("visit_id"), Claim.starts_at, Claim.ends_at)
        .join(Visit, or_(Visit.id == Claim.visit_id, Visit.couple_id == Claim.couple_id))
        .where(wanted)
        .order_by(Claim.id, Visit.id)
    )
    return list({row.id: row for row in rows}.values())


def _coming(session: Session, kind: Any, now: dt.datetime, *wanted: Any) -> Sequence[TimeOff | Closure]:
    rows: Sequence[TimeOff | Closure] = session.scalars(
        select(kind).where(kind.ends_at > now, *wanted).order_by(kind.id)
    ).all()
    return rows


def _spans(
    rows: Sequence[TimeOff | Closure], old_zone: str, clock: WallClock, now: dt.datetime
) -> tuple[MovedSpan, ...]:
    """Of a span that has begun only the end moves; one that would end before it began stays as it is."""
    found = []
    for row in rows:
        start, end = (
            _bound(at, kept or wall_text(at, old_zone), clock)
            for at, kept in ((row.starts_at, row.starts_wall), (row.ends_at, row.ends_wall))
        )
        start = start if row.starts_at > now else row.starts_at
        old = row.starts_at, row.ends_at
        found.append(MovedSpan(row.id, old, (start, end) if end > start else old))
    return tuple(found)


def _bound(at: dt.datetime, wall: str, clock: WallClock) -> dt.datetime:
    """A moment that the clock shows as it was meant stays: of two equal ones it may be the second."""
    if wall_text(at, clock.zone.key) == wall:
        return at
    return bound_at(clock, dt.datetime.fromisoformat(wall))


# ── doing it ──


def _move_claims(session: Session, change: ZoneChange, place_id: int) -> None:
    """Claims move by way of a far-off time, so that the guard against overlaps sees each only where it belongs."""
    by = {one.id: one.by for one in change.visits}
    rows = [row for row in _claims(session, _is_moved(place_id, change.now)) if by[row.visit_id]]
    table = Claim.__table__
    move = (
        update(Claim.__table__)  # type: ignore[arg-type]
        .where(table.c.id == bindparam("row"))
        .values(starts_at=bindparam("start"), ends_at=bindparam("end"))
    )
    for aside in (ASIDE, dt.timedelta()):
        values = [
            {"row": row.id, "start": row.starts_at + shift, "end": row.ends_at + shift}
            for row in rows
            for shift in (by[row.visit_id] + aside,)
        ]
        if values:
            session.connection().execute(move, values)
    session.expire_all()


def _move_visits(session: Session, change: ZoneChange, place_id: int) -> None:
    """The zone of all; the moments of those that move, and what hangs on them."""
    settings = premises.booking_settings()
    moved = {one.id: one for one in change.visits}
    which = _is_moved(place_id, change.now)
    links = session.execute(select(CheckinLink, Visit.id).join(Visit).where(which)).all()
    passes = session.execute(select(RestPass, Visit.id).join(Visit).where(which)).all()
    offers = session.scalars(select(Offer).join(Visit, Visit.id == Offer.visit_id).where(which)).all()
    visits = session.scalars(select(Visit).where(which).order_by(Visit.id)).all()
    for visit in visits:
        _move_visit(visit, moved[visit.id], change.new_zone, settings)
    for link, visit_id in links:
        _move_link(link, moved[visit_id])
    for offer in offers:
        _move_offer(offer, moved[offer.visit_id])
    for row, visit_id in passes:
        _pass_again(session, row, moved[visit_id])
    follow(session, *visits, now=change.now)


def _move_visit(visit: Visit, one: MovedVisit, zone: str, settings: BookingSettings) -> None:
    visit.zone = zone
    if one.new is None or not one.by:
        return
    visit.ends_at, visit.free_at = visit.ends_at + one.by, visit.free_at + one.by
    visit.starts_at, visit.fold = one.new, visit.fold if one.twice else 0
    visit.revision += 1  # calendars take the newest
    if visit.deadline_at is not None and visit.status in WAITING:
        visit.deadline_at = deadline_after(visit.deadline_at, one.old, one.new, settings)


def _move_link(link: CheckinLink, one: MovedVisit) -> None:
    """The link to the check-in ends when the visit starts."""
    if one.new is not None and link.expires_at == one.old:
        link.expires_at = one.new


def _move_offer(offer: Offer, one: MovedVisit) -> None:
    """An offered time stays on the wall; what is open until the visit starts stays open until then."""
    if one.new is not None and offer.starts_at == one.old:
        offer.starts_at, offer.ends_at = offer.starts_at + one.by, offer.ends_at + one.by
        offer.expires_at = one.new if offer.expires_at == one.old else offer.expires_at


def _pass_again(session: Session, row: RestPass, one: MovedVisit) -> None:
    """A pass of the rest is about a visit at its start and is never edited: it is said again for the new moment."""
    if one.new is not None and one.by and row.starts_at == one.old:
        session.add(
            RestPass(
                visit_id=row.visit_id, starts_at=one.new, passed=list(row.passed), passed_at=row.passed_at,
                passed_by_id=row.passed_by_id, reason=row.reason,
            )
        )  # fmt: skip


def _move_spans(session: Session, kind: Any, moved: Sequence[MovedSpan]) -> None:
    new = {one.id: one.new for one in moved}
    for row in session.scalars(select(kind).where(kind.id.in_(list(new))).order_by(kind.id)):
        row.starts_at, row.ends_at = new[row.id]
    session.flush()


def _can_be_blocked(session: Session, place_id: int, now: dt.datetime) -> set[int]:
    """What time off and closures claim: therapists, and the rooms and devices of the place; and whatever of this kind
    the visits take, since time off may lie under where they were."""
    things = ("therapist", "room", "device")
    claimed = (
        select(Claim.resource_id)
        .join(Visit, Visit.id == Claim.visit_id)
        .join(Resource, Resource.id == Claim.resource_id)
        .where(_is_moved(place_id, now), Resource.kind.in_(things))
        .distinct()
    )
    here = [
        select(TimeOff.therapist_id).where(TimeOff.ends_at > now),
        select(Room.id).where(Room.location_id == place_id),
        select(Device.id).where(Device.location_id == place_id),
    ]
    return {one for wanted in (claimed, *here) for one in session.scalars(wanted)}
