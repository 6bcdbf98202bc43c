"""When two people can be treated at the same time in one room: two therapists, and devices for both.

Built on availability.py, one person at a time: each person's starts are asked for room by room, so that both lie in
the same one. A room that they share is claimed once, until the later of the two is over.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from clinic.rules.availability import (
    Book,
    Combination,
    Eligible,
    Leaning,
    Start,
    Wanted,
    bookable_starts,
    combinations_for,
)


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two: what they want, who and what may be used, and what the book says for them."""

    wanted: Wanted
    eligible: Eligible
    book: Book
    leaning: Leaning | None = None

    def in_room(self, room: int) -> Side:
        """The same with this room alone."""
        return replace(self, eligible=replace(self.eligible, rooms=[room]))

    def without(self, taken: Combination) -> Side:
        """The same without the therapist and devices that the other one takes."""
        groups = [
            [device for device in group if device not in taken.devices]
            for group in self.eligible.device_groups
        ]
        others = [one for one in self.eligible.therapists if one != taken.therapist]
        return replace(self, eligible=replace(self.eligible, therapists=others, device_groups=groups))


class Pair(NamedTuple):
    """One way to carry both visits; the room is the same in both."""

    first: Combination
    second: Combination


def starts_for_two(grid: Sequence[int], first: Side, second: Side, rooms: Sequence[int]) -> list[Start]:
    """Every start of the sorted grid at which both can be treated in one of these rooms, earliest first, with the
    therapists who are free for either of them."""
    found: dict[int, set[int]] = {}
    for room in rooms:
        one, other = first.in_room(room), second.in_room(room)
        for start, therapists in _common(grid, one, other):
            if not _share_devices(one, other) or next(_pairs_in(start, one, other), None) is not None:
                found.setdefault(start, set()).update(therapists)
    return [Start(start, tuple(sorted(found[start]))) for start in sorted(found)]


def pairs_for(starts_at: int, first: Side, second: Side, rooms: Sequence[int]) -> Iterator[Pair]:
    """Every way to carry both at this start, the best for the first one before others; nothing when there is none."""
    for room in rooms:
        yield from _pairs_in(starts_at, first.in_room(room), second.in_room(room))


def _common(grid: Sequence[int], first: Side, second: Side) -> Iterator[tuple[int, set[int]]]:
    """Starts that are free for both, where two different therapists can be had."""
    theirs = {one.starts_at: one.therapists for one in _starts(grid, second)}
    for start, therapists in _starts(grid, first):
        both = {*therapists, *theirs.get(start, ())}
        if start in theirs and len(both) > 1:
            yield start, both


def _starts(grid: Sequence[int], side: Side) -> list[Start]:
    return bookable_starts(grid, side.wanted, side.eligible, side.book)


def _share_devices(first: Side, second: Side) -> bool:
    one, other = (
        {device for group in side.eligible.device_groups for device in group} for side in (first, second)
    )
    return not one.isdisjoint(other)


def _pairs_in(starts_at: int, first: Side, second: Side) -> Iterator[Pair]:
    for one in combinations_for(starts_at, first.wanted, first.eligible, first.book, first.leaning):
        rest = second.without(one)
        for other in combinations_for(starts_at, rest.wanted, rest.eligible, rest.book, rest.leaning):
            yield Pair(one, other)
