"""Reading couples: two visits at the same time in one room, and when two people can have that."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import product

from sqlalchemy import Row, func, select

from clinic.booking.models import Claim, Couple, StatusChange, Visit
from clinic.booking.queries.availability import Ask, Open, Part, look
from clinic.booking.queries.next_steps import PARTNER
from clinic.booking.queries.visits import WITH_NAMES, VisitFacts, facts
from clinic.intake import queries as intake
from clinic.premises import queries as premises
from clinic.rules.availability import Book, Leaning, Start
from clinic.rules.couples import Pair, Side, pairs_for, starts_for_two
from clinic.rules.visit_status import HOLDING_CLAIMS, NEEDING_PERMIT
from clinic.rules.wall_time import epoch_minute, epoch_minute_after, moment
from clinic.shared.database import db

_AS_NAMED = select(func.min(StatusChange.id)).where(StatusChange.visit_id == Visit.id).scalar_subquery()
"""The two in the order in which they were named: the first step of each was written in this order."""
_SHARED = select(Claim.resource_id, Claim.starts_at, Claim.ends_at)


@dataclass(frozen=True)
class OpenForTwo:
    """What was read for both; `rooms` have two tables and suit both."""

    first: Open
    second: Open
    rooms: list[int]

    def starts(self) -> list[Start]:
        """Free starts for both, earliest first, without those that leave either too little rest."""
        found = [
            start
            for one, other in product(self.first.parts, self.second.parts)
            for start in starts_for_two(_shared(one, other), *self._sides(one, other), self.rooms)
        ]
        if self._tidy is not None:  # of what is free for both only what leaves no hole beside either
            found = [one for one in found if next(self.pairs(moment(one.starts_at)), None) is not None]
        return sorted(one for one in found if not self.is_too_soon(one.starts_at))

    @cached_property
    def _tidy(self) -> tuple[dict[int, tuple[int, ...]], ...] | None:
        """Start → the therapists with whom it leaves no hole, for each of the two; None where holes do not matter."""
        both = self.first, self.second
        if not any(one.offers_only_tidy for one in both):
            return None
        return tuple({start.starts_at: start.therapists for start in one.all_starts()} for one in both)

    def _is_tidy(self, minute: int, pair: Pair) -> bool:
        return self._tidy is None or all(
            way.therapist in tidy.get(minute, ()) for way, tidy in zip(pair, self._tidy, strict=True)
        )

    def is_too_soon(self, minute: int) -> bool:
        """Whether a start leaves one of them too little rest."""
        return self.first.is_too_soon(minute) or self.second.is_too_soon(minute)

    def pairs(self, starts_at: dt.datetime) -> Iterator[Pair]:
        """Therapists, the room and devices for this start, best first; nothing when it is not free."""
        minute = epoch_minute(starts_at)
        for one, other in product(self.first.parts, self.second.parts):
            if moment(minute) == starts_at and minute in one.grid and minute in other.grid:
                for pair in pairs_for(minute, *self._sides(one, other), self.rooms):
                    if self._is_tidy(minute, pair):
                        yield pair

    def _sides(self, one: Part, other: Part) -> tuple[Side, Side]:
        return _side(self.first, one), _side(self.second, other)


def _shared(one: Part, other: Part) -> list[int]:
    """Candidate starts of both: for each of the two a first visit may be planned otherwise than a later one."""
    theirs = set(other.grid)
    return [minute for minute in one.grid if minute in theirs]


def _side(found: Open, part: Part) -> Side:
    usage = {one: sum(end - start for start, end in spans) for one, spans in part.book.busy.items()}
    return Side(part.wanted, found.eligible, part.book, Leaning(usage=usage))


def look_for_two(first: Ask, second: Ask, *, instead_of: int | None = None) -> OpenForTwo:
    """Read the book for both wishes; what one of the two has until now is not in the way of the other either.
    `instead_of`: a couple that is being moved, whose room is free for it."""
    one = look(replace(first, along=second.instead_of))
    other = look(replace(second, along=first.instead_of))
    if instead_of is not None:
        shared = db.session.execute(_SHARED.where(Claim.couple_id == instead_of)).all()
        one, other = _without(one, shared), _without(other, shared)
    for_two = premises.rooms_for_two()
    rooms = [room for room in one.eligible.rooms if room in for_two and room in other.eligible.rooms]
    return OpenForTwo(one, other, rooms)


def _without(found: Open, shared: Sequence[Row[tuple[int, dt.datetime, dt.datetime]]]) -> Open:
    """Without what both claim together."""
    gone = [(room, (epoch_minute(starts), epoch_minute_after(ends))) for room, starts, ends in shared]

    def lighter(book: Book) -> Book:
        rooms = {
            room: [one for one in book.busy.get(room, []) if (room, one) not in gone] for room, _span in gone
        }
        return replace(book, busy={**book.busy, **rooms})

    return replace(found, parts=tuple(replace(one, book=lighter(one.book)) for one in found.parts))


@dataclass(frozen=True)
class CoupleFacts:
    """A couple as programs see it. `ended_at`: since when the two visits no longer belong together."""

    id: int
    ended_at: dt.datetime | None
    visits: tuple[VisitFacts, ...]


def by_request(request_key: str) -> int | None:
    """The couple that this very request already made."""
    return db.session.scalar(select(Couple.id).where(Couple.request_key == request_key))


def couple(couple_id: int) -> CoupleFacts | None:
    """One couple with the visits that belong, or belonged, to it; None when there is none."""
    row = db.session.get(Couple, couple_id)
    if row is None:
        return None
    ids = db.session.scalars(select(Visit.id).where(Visit.couple_id == couple_id).order_by(_AS_NAMED)).all()
    found = [facts(one) for one in ids]
    return CoupleFacts(row.id, row.ended_at, tuple(one for one in found if one is not None))


def visits_of_couple(couple_id: int) -> Sequence[Visit]:
    """Its two visits with their names."""
    return db.session.scalars(
        select(Visit).where(Visit.couple_id == couple_id).order_by(_AS_NAMED).options(*WITH_NAMES)
    ).all()


def visits_to_change(couple_id: int) -> Sequence[Visit]:
    """Its visits, locked until the commit."""
    return db.session.scalars(
        select(Visit)
        .where(Visit.couple_id == couple_id)
        .order_by(_AS_NAMED)
        .with_for_update(of=Visit)
        .execution_options(populate_existing=True)
    ).all()


def partner_of(visit: Visit, *, to_change: bool = False) -> Visit | None:
    """The other visit of two, as long as they belong together and it still needs its place."""
    if visit.couple_id is None:
        return None
    wanted = select(Visit).where(
        Visit.couple_id == visit.couple_id, Visit.id != visit.id, Visit.status.in_(tuple(HOLDING_CLAIMS))
    )
    if to_change:  # read afresh: somebody else may have held it until now
        wanted = wanted.with_for_update(of=Visit).execution_options(populate_existing=True)
    return db.session.scalars(wanted).one_or_none()


def misses_partner(visit: Visit) -> bool:
    """Whether a visit that is permitted itself has to wait: both of a couple are confirmed or neither. Where the other
    one fell away, it waits until somebody says that it goes on alone."""
    if visit.couple_id is None:
        return visit.waiting_for == PARTNER
    partner = partner_of(visit)
    if partner is None:
        return False
    return not (is_ready(partner) or partner.status in NEEDING_PERMIT)


def is_ready(visit: Visit) -> bool:
    """Whether it waits for the other visit of two and nothing else: not for a signature of what was typed since."""
    if not visit.is_waiting or visit.waiting_for != PARTNER:
        return False
    return visit.client_id is None or not intake.has_unsigned(visit.client_id)
