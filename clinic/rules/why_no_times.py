"""Why can this start not be booked: every single thing that stands in the way, and how often each does.

A visit needs the clinic's bounds on time, the client, one therapist, one room and one device of each kind, and each
of these by itself is a question to rules/availability.py with all the others taken for granted. So this module has
no rule of its own about what is free: a start has no obstacle exactly when availability offers it. What it adds is
the names: `Behind` says what the spans of the book are made of.

An obstacle is one need that nobody and nothing meets. It lists, for everybody who could have met it, what keeps them
from it. A thing is the only one in the way of a start when there is one obstacle and it alone keeps somebody from
meeting it: without it the start would be free.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import NamedTuple, TypeAlias

from clinic.rules.availability import Book, Eligible, Wanted, bookable_starts
from clinic.rules.intervals import Interval, contains, overlaps

ANYBODY, ANYWHERE = 0, -1
"""A therapist and a room that are always there: no resource has these ids."""


class Why(StrEnum):
    """What can stand in the way, in the order in which equals are told."""

    LEAD_TIME = "lead_time"
    HORIZON = "horizon"
    KNOWN_ONLY = "known_only"
    CLIENT_BUSY = "client_busy"
    REFUSED = "refused"
    TOO_SOON = "too_soon"
    CLOSED = "closed"
    NOBODY = "nobody"
    NOBODY_WORKS = "nobody_works"
    LICENCE = "licence"
    SKILL = "skill"
    NOT_WORKING = "not_working"
    OUTSIDE_HOURS = "outside_hours"
    OFF = "off"
    LIMIT = "limit"
    AWAY = "away"
    PAUSE = "pause"
    NO_ROOM = "no_room"
    NO_DEVICE = "no_device"
    SHUT = "shut"
    TAKEN = "taken"
    KEPT = "kept"
    GAP = "gap"


ORDER = list(Why)


class Reason(NamedTuple):
    """One thing in the way. `resource` is whom or what it is about, 0 where it is about none.

    `detail`: of CLIENT_BUSY the epoch minute at which the other visit starts, of CLOSED and SHUT the number of the
    closure, of NO_DEVICE the place of the group in `Eligible`.
    """

    why: Why
    resource: int = 0
    detail: int = 0


class Block(NamedTuple):
    """A span of the book and what it is made of."""

    starts: int
    ends: int
    why: Why
    detail: int = 0


@dataclass(frozen=True, slots=True)
class Behind:
    """What stands behind the spans of a `Book`, in epoch minutes.

    `hours`: therapist → duty as if licence and skills were always good; `licence_ends`: therapist → the first minute
    without it; `skilled`: therapist → the minutes in which they have the skills, of those who do not always;
    `blocks`: resource → what its busy spans are made of; `days`: local days, in order; `refused`: those on which the
    gate would refuse the client; `known_only`: only known clients book this online, and this is none; `too_soon`:
    whether a start leaves the client too little rest.
    """

    hours: Mapping[int, Sequence[Interval]]
    licence_ends: Mapping[int, int] = field(default_factory=dict)
    skilled: Mapping[int, Interval] = field(default_factory=dict)
    blocks: Mapping[int, Sequence[Block]] = field(default_factory=dict)
    client_blocks: Sequence[Block] = ()
    days: Sequence[Interval] = ()
    refused: Sequence[Interval] = ()
    known_only: bool = False
    too_soon: Callable[[int], bool] = lambda _start: False


Kept: TypeAlias = tuple[Reason, ...]
"""What keeps one therapist, room or device from meeting a need."""
Obstacle: TypeAlias = tuple[Kept, ...]


class Counted(NamedTuple):
    """In the way of `starts` starts, of `alone` of them as the only thing."""

    reason: Reason
    starts: int
    alone: int


def count_reasons(found: Iterable[Sequence[Obstacle]]) -> list[Counted]:
    """Each reason with its counts: first what frees most when it goes away."""
    starts: Counter[Reason] = Counter()
    alone: Counter[Reason] = Counter()
    for obstacles in found:
        starts.update({reason for obstacle in obstacles for kept in obstacle for reason in kept})
        if len(obstacles) == 1:
            alone.update({kept[0] for kept in obstacles[0] if len(kept) == 1})
    return sorted(
        (Counted(reason, count, alone[reason]) for reason, count in starts.items()),
        key=lambda one: (-one.alone, -one.starts, ORDER.index(one.reason.why), one.reason),
    )


def in_hours(grid: Sequence[int], wanted: Wanted, book: Book) -> list[int]:
    """The starts of the sorted `grid` from which the treatment lies inside the opening hours."""
    return sorted(_Ask(grid, wanted, book).free(opening=book.opening)) if grid else []


def obstacles(
    grid: Sequence[int], wanted: Wanted, eligible: Eligible, book: Book, behind: Behind
) -> dict[int, list[Obstacle]]:
    """Every start of the sorted `grid` that lies in opening hours, with what stands in its way; nothing where it can
    be booked."""
    starts = in_hours(grid, wanted, book)
    found: dict[int, list[Obstacle]] = {start: [] for start in starts}
    if not starts:
        return found
    ask = _Ask(starts, wanted, book)
    for needs in (_bounds(ask, behind), _client(ask, behind), *_resources(ask, eligible, behind)):
        for start, obstacle in needs.items():
            found[start].append(obstacle)
    return found


@dataclass(frozen=True)
class _Ask:
    """Asks availability for these starts about one need, with all the others taken for granted."""

    starts: Sequence[int]
    wanted: Wanted
    book: Book

    def free(
        self,
        *,
        therapist: int = ANYBODY,
        duty: Sequence[Interval] | None = None,
        opening: Sequence[Interval] | None = None,
        busy: Sequence[Interval] = (),
        client_busy: Sequence[Interval] = (),
        full: Sequence[Interval] = (),
    ) -> set[int]:
        """The starts at which all is well with what is named."""
        first, last = self.starts[0], self.starts[-1]
        always = [(first, last + self.wanted.claim_minutes)]
        wanted = replace(self.wanted, not_before=first, not_after=last)
        book = replace(
            self.book,
            duty={therapist: always if duty is None else duty},
            opening=always if opening is None else opening,
            busy={therapist: busy},
            client_busy=client_busy,
            full={therapist: full},
        )
        found = bookable_starts(self.starts, wanted, Eligible([therapist], [ANYWHERE]), book)
        return {one.starts_at for one in found}

    def hit(self, resource: int, blocks: Sequence[Block]) -> dict[Reason, set[int]]:
        """Reason → the starts at which a claim would touch a block that makes it.

        A place that is closed is closed for everything in it, so its reason names no room.
        """
        spans: dict[Reason, list[Interval]] = {}
        for one in blocks:
            about = 0 if one.why is Why.CLOSED else resource
            spans.setdefault(Reason(one.why, about, one.detail), []).append((one.starts, one.ends))
        return {reason: set(self.starts) - self.free(busy=rows) for reason, rows in spans.items()}


def _bounds(ask: _Ask, behind: Behind) -> dict[int, Obstacle]:
    """Lead time, horizon, the gate, and the rest between the client's visits."""
    found: dict[int, Obstacle] = {}
    for start in ask.starts:
        kept = []
        if behind.known_only:
            kept.append(Reason(Why.KNOWN_ONLY))
        if start < ask.wanted.not_before:
            kept.append(Reason(Why.LEAD_TIME))
        if start > ask.wanted.not_after:
            kept.append(Reason(Why.HORIZON))
        if contains(behind.refused, (start, start + 1)):
            kept.append(Reason(Why.REFUSED))
        if behind.too_soon(start):
            kept.append(Reason(Why.TOO_SOON))
        if kept:
            found[start] = (tuple(kept),)
    return found


def _client(ask: _Ask, behind: Behind) -> dict[int, Obstacle]:
    """The client's own other visits, each by its start."""
    free = ask.free(client_busy=ask.book.client_busy)
    found: dict[int, Obstacle] = {}
    for start in ask.starts:
        if start not in free:
            span = (start, start + ask.wanted.minutes)
            touched = [one for one in behind.client_blocks if overlaps((one.starts, one.ends), span)]
            found[start] = (tuple(Reason(one.why, 0, one.starts) for one in touched) or (_OTHER_VISIT,),)
    return found


_OTHER_VISIT = Reason(Why.CLIENT_BUSY)


def _resources(ask: _Ask, eligible: Eligible, behind: Behind) -> list[dict[int, Obstacle]]:
    """Therapists, rooms, and the devices of each kind: the starts at which none of them can."""
    people = [_therapist(ask, one, behind) for one in eligible.therapists]
    needs = [{start: _nobody_works(one) for start, one in _none_of(ask, people, Why.NOBODY).items()}]
    for group, missing, detail in (
        (eligible.rooms, Why.NO_ROOM, 0),
        *((devices, Why.NO_DEVICE, at) for at, devices in enumerate(eligible.device_groups)),
    ):
        things = [_thing(ask, one, behind) for one in group]
        needs.append(_none_of(ask, things, missing, detail))
    return needs


def _none_of(
    ask: _Ask, group: Sequence[Mapping[int, Kept]], missing: Why, detail: int = 0
) -> dict[int, Obstacle]:
    """The starts at which each of the group is kept from it; all of them where the group is empty."""
    if not group:
        return {start: ((Reason(missing, 0, detail),),) for start in ask.starts}
    common = set(group[0]).intersection(*group[1:])
    return {start: tuple(one[start] for one in group) for start in common}


def _nobody_works(obstacle: Obstacle) -> Obstacle:
    """Of several therapists none works that day: said once instead of once for each."""
    off_that_day = len(obstacle) > 1 and all(
        [reason.why for reason in kept] == [Why.NOT_WORKING] for kept in obstacle
    )
    return ((Reason(Why.NOBODY_WORKS),),) if off_that_day else obstacle


def _therapist(ask: _Ask, therapist: int, behind: Behind) -> dict[int, Kept]:
    """The starts at which this therapist cannot, with what keeps them from it."""
    busy, full = ask.book.busy.get(therapist, ()), ask.book.full.get(therapist, ())
    free = ask.free(therapist=therapist, duty=ask.book.duty.get(therapist, ()), busy=busy, full=full)
    hours = behind.hours.get(therapist, ())
    by_hours = ask.free(therapist=therapist, duty=hours)
    working = _Days(behind.days, hours)
    lasts = ask.wanted.minutes if ask.wanted.turnover_may_overrun else ask.wanted.claim_minutes
    licence_ends, skilled = behind.licence_ends.get(therapist), behind.skilled.get(therapist)
    hit = ask.hit(therapist, behind.blocks.get(therapist, ()))
    found: dict[int, Kept] = {}
    for start in ask.starts:
        if start in free:
            continue
        kept = [reason for reason, starts in hit.items() if start in starts]
        if start not in by_hours:
            why = Why.OUTSIDE_HOURS if working.on_the_day_of(start) else Why.NOT_WORKING
            kept.append(Reason(why, therapist))
        if licence_ends is not None and start + lasts > licence_ends:
            kept.append(Reason(Why.LICENCE, therapist))
        if skilled is not None and not contains([skilled], (start, start + lasts)):
            kept.append(Reason(Why.SKILL, therapist))
        if contains(full, (start, start + 1)):
            kept.append(Reason(Why.LIMIT, therapist))
        found[start] = tuple(kept) or (Reason(Why.TAKEN, therapist),)
    return found


def _thing(ask: _Ask, resource: int, behind: Behind) -> dict[int, Kept]:
    """The starts at which this room or device cannot be had, and why."""
    free = ask.free(busy=ask.book.busy.get(resource, ()))
    hit = ask.hit(resource, behind.blocks.get(resource, ()))
    return {
        start: tuple(reason for reason, starts in hit.items() if start in starts)
        or (Reason(Why.TAKEN, resource),)
        for start in ask.starts
        if start not in free
    }


class _Days:
    """On which local days somebody has hours at all."""

    def __init__(self, days: Sequence[Interval], hours: Sequence[Interval]) -> None:
        self._starts = [day[0] for day in days]
        self._works = [any(overlaps(day, one) for one in hours) for day in days]

    def on_the_day_of(self, start: int) -> bool:
        at = bisect_right(self._starts, start) - 1
        return at >= 0 and self._works[at]
