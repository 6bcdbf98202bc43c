"""When can this be booked, and with whom: the one answer for pages, desk, API and the booking itself.

A start is one integer (epoch minutes). Everything that must be right turns into the starts it permits,
as sorted intervals of starts:

* `_fits`: the treatment must lie inside duty and opening hours, so a span permits starts up to its end
  less the treatment's minutes;
* `_clear_of`: the claim (treatment and turnover) must not touch what is busy, so a busy span forbids the
  starts from its own start less the claim's minutes, up to its end.

A start is bookable when all that is needed permits it: one therapist, one room and one device of each
needed kind, the same ones for the whole claim, and the client. `bookable_starts` lists such starts on a grid;
`combinations_for` says, for one start, which therapist, room and devices, best first. Both use the same
functions on the same input, so what is offered can be booked and what can be booked is offered.

Therapists, rooms and devices are named by their resource ids, which come from one number space.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import product
from typing import NamedTuple

from clinic.rules.intervals import Interval, intersect, subtract, union


@dataclass(frozen=True, slots=True)
class Wanted:
    """The visit asked for. Minutes are whole and positive; the bounds are epoch minutes, both included.

    `minutes` is the treatment with everything the client is there for (add-ons, first-visit minutes).
    `not_before` comes from the lead time, `not_after` (the last permitted start) from the horizon.
    """

    minutes: int
    turnover_minutes: int
    not_before: int
    not_after: int
    turnover_may_overrun: bool = True

    def __post_init__(self) -> None:
        if self.minutes <= 0 or self.turnover_minutes < 0:
            raise ValueError("a visit needs a positive length and a turnover of zero or more minutes")

    @property
    def claim_minutes(self) -> int:
        """How long therapist, room and devices are taken; the client is taken for `minutes` only."""
        return self.minutes + self.turnover_minutes


@dataclass(frozen=True, slots=True)
class Eligible:
    """Who and what may be used: resource ids. One list of devices for each needed kind, without overlap."""

    therapists: Sequence[int]
    rooms: Sequence[int]
    device_groups: Sequence[Sequence[int]] = ()

    def __post_init__(self) -> None:
        devices = [device for group in self.device_groups for device in group]
        if len(devices) != len(set(devices)):
            raise ValueError("a device may stand in one group only")

    @property
    def everything(self) -> list[int]:
        """All of them."""
        return [*self.therapists, *self.rooms, *(one for group in self.device_groups for one in group)]


@dataclass(frozen=True, slots=True)
class Book:
    """What the clinic's book says around the wanted window, in epoch minutes.

    `duty`: therapist → tidy working hours less breaks, on days on which the licence holds.
    `opening`: tidy opening hours. `busy`: resource → claims with their turnover, holds, time off, closures, in
    any order. `client_busy`: the client's own other visits, without turnover. `full`: therapist → local days, in
    order, on which one more such visit would be more than they give a day (rules/limits.py).
    """

    duty: Mapping[int, Sequence[Interval]]
    opening: Sequence[Interval]
    busy: Mapping[int, Sequence[Interval]]
    client_busy: Sequence[Interval] = ()
    full: Mapping[int, Sequence[Interval]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Leaning:
    """What makes one free combination better than another on the visit's day.

    `usage`: resource → minutes (or visits) already claimed that day; absent is 0. `last_room`: therapist → the
    room of the visit nearest before this one that day, or else of the first after it, where there is one. Whoever
    stays where they work takes no room in which somebody else's day is planned.
    """

    usage: Mapping[int, int] = field(default_factory=dict)
    last_room: Mapping[int, int] = field(default_factory=dict)


class Start(NamedTuple):
    """A bookable start in epoch minutes, and the therapists who are free then, in the order asked for."""

    starts_at: int
    therapists: tuple[int, ...]


class Combination(NamedTuple):
    """One way to carry a visit: resource ids, with one device for each group of `Eligible`, in its order."""

    therapist: int
    room: int
    devices: tuple[int, ...]


def bookable_starts(grid: Sequence[int], wanted: Wanted, eligible: Eligible, book: Book) -> list[Start]:
    """Every start of the sorted `grid` (epoch minutes) that can be booked, earliest first."""
    starts_of = _therapist_starts(_common_starts(wanted, eligible, book), wanted, book)
    free: dict[int, list[int]] = {}
    for therapist in eligible.therapists:
        at = 0
        for first, end in starts_of(therapist):
            at = bisect_left(grid, first, at)
            stop = bisect_left(grid, end, at)
            for start in grid[at:stop]:
                free.setdefault(start, []).append(therapist)
            at = stop
    return [Start(start, tuple(free[start])) for start in sorted(free)]


def combinations_for(
    starts_at: int, wanted: Wanted, eligible: Eligible, book: Book, leaning: Leaning | None = None
) -> Iterator[Combination]:
    """Every free combination for one start (epoch minutes), best first; nothing when it cannot be booked.

    Best is: the therapist least used that day, who need not change rooms, with the lowest id; then for that
    therapist the room that is no change, least used, lowest id; then the least used devices. Lazy: taking the
    first costs no more than sorting the resources.
    """
    leaning = leaning or Leaning()
    wanted = _only(starts_at, wanted)
    starts_of = _therapist_starts(_common_starts(wanted, eligible, book), wanted, book)
    free = [one for one in eligible.therapists if starts_of(one)]
    if not free:
        return
    rooms = _free_ones(eligible.rooms, wanted, book, leaning)
    devices = [_free_ones(group, wanted, book, leaning) for group in eligible.device_groups]

    def stays(therapist: int, room: int) -> bool:
        return leaning.last_room.get(therapist, room) == room

    def therapist_rank(therapist: int) -> tuple[int, bool, int]:
        can_stay = any(stays(therapist, room) for room in rooms)
        return leaning.usage.get(therapist, 0), not can_stay, therapist

    for therapist in sorted(free, key=therapist_rank):
        stay_first = [room for room in rooms if stays(therapist, room)]
        change = [room for room in rooms if not stays(therapist, room)]
        for room, *chosen in product(stay_first + change, *devices):
            yield Combination(therapist, room, tuple(chosen))


def nearest(starts: Iterable[Start], wanted_at: int, count: int) -> list[Start]:
    """The `count` starts nearest to `wanted_at` (epoch minutes), nearest first; the earlier one of equals."""
    return sorted(starts, key=lambda start: (abs(start.starts_at - wanted_at), start.starts_at))[:count]


def _common_starts(wanted: Wanted, eligible: Eligible, book: Book) -> list[Interval]:
    """Starts that opening hours, the client, some room and some device of each kind permit together."""
    window = [(wanted.not_before, wanted.not_after + 1)]
    permitted = intersect(window, _fits(book.opening, wanted.minutes))
    permitted = _clear_of(book.client_busy, permitted, wanted.minutes)
    for group in (eligible.rooms, *eligible.device_groups):
        permitted = _any_of(group, permitted, wanted, book)
    return permitted


def _therapist_starts(
    common: Sequence[Interval], wanted: Wanted, book: Book
) -> Callable[[int], list[Interval]]:
    """Therapist → starts out of `common` at which they are on duty for the treatment and free for the claim, on days on
    which they may give one more such visit."""
    inside_duty = wanted.minutes if wanted.turnover_may_overrun else wanted.claim_minutes

    @cache  # many keep the same hours
    def on_duty(*hours: Interval) -> list[Interval]:
        return intersect(common, _fits(hours, inside_duty))

    def starts_of(therapist: int) -> list[Interval]:
        on_shift = on_duty(*book.duty.get(therapist, ()))
        free = _clear_of(book.busy.get(therapist, ()), on_shift, wanted.claim_minutes)
        return subtract(free, book.full.get(therapist, ()))

    return starts_of


def _any_of(group: Sequence[int], among: list[Interval], wanted: Wanted, book: Book) -> list[Interval]:
    """Starts out of `among` at which at least one of the group is free for the whole claim."""
    none = among  # starts at which all that were looked at are taken: soon there are none
    for one in sorted(group, key=lambda one: len(book.busy.get(one, ()))):
        none = intersect(none, union(_forbidden(book.busy.get(one, ()), wanted.claim_minutes)))
        if not none:
            return among
    return subtract(among, none)


def _fits(spans: Sequence[Interval], minutes: int) -> list[Interval]:
    """Starts from which `minutes` lie wholly inside one of the tidy spans."""
    return [(start, end - minutes + 1) for start, end in spans if end - start >= minutes]


def _clear_of(busy: Sequence[Interval], among: Sequence[Interval], minutes: int) -> list[Interval]:
    """Starts out of `among` from which `minutes` touch nothing busy; meeting at an edge is not touching."""
    return subtract(among, sorted(_forbidden(busy, minutes)))


def _forbidden(busy: Sequence[Interval], minutes: int) -> list[Interval]:
    """Starts from which `minutes` touch one of the busy spans; an empty span takes nothing."""
    reach = minutes - 1
    return [(start - reach, end) for start, end in busy if start < end]


def _only(starts_at: int, wanted: Wanted) -> Wanted:
    """The same wish, narrowed to one start; stays impossible when the start is outside its bounds."""
    return replace(
        wanted, not_before=max(wanted.not_before, starts_at), not_after=min(wanted.not_after, starts_at)
    )


def _free_ones(group: Sequence[int], wanted: Wanted, book: Book, leaning: Leaning) -> list[int]:
    """Those of the group that are free at the one wanted start, least used first, then by id."""
    window = [(wanted.not_before, wanted.not_after + 1)]
    free = [one for one in group if _clear_of(book.busy.get(one, ()), window, wanted.claim_minutes)]
    return sorted(free, key=lambda one: (leaning.usage.get(one, 0), one))
