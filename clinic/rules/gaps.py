"""Starts that leave no hole which nobody can book: a hole shorter than the shortest visit on offer.

A therapist's free time falls in stretches, from the start of duty or the end of what is booked to the next such edge.
A visit in a stretch leaves a hole before it and one after its turnover. Tidy are the starts that waste the fewest
minutes in such holes; where every start wastes some, as in a stretch that is only a little too long, those that waste
least are, so that a stretch with room for a visit always has a tidy start.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from enum import StrEnum

from clinic.rules.availability import Book, Start, Wanted
from clinic.rules.intervals import Interval, subtract


class Gaps(StrEnum):
    """What the clinic makes of it, where clients book by themselves."""

    ANY = "any"  # no difference is made
    FIRST = "first"  # tidy starts come first where the next free times are named
    ONLY = "only"  # no other starts are offered


def tidy(
    starts: Sequence[Start], anybodys: Sequence[Start], wanted: Wanted, book: Book, shortest: int
) -> list[Start]:
    """Those of a person's free starts that are tidy for at least one of their therapists, with these alone.

    `anybodys`: all that would be free to somebody who has no other visit. What wastes least is told by these.
    """
    by_therapist: dict[int, list[int]] = {}
    for start in anybodys:
        for therapist in start.therapists:
            by_therapist.setdefault(therapist, []).append(start.starts_at)
    good = {
        therapist: _least_waste(theirs, _stretches(therapist, book), wanted.claim_minutes, shortest)
        for therapist, theirs in by_therapist.items()
    }
    kept = [
        Start(start.starts_at, tuple(one for one in start.therapists if start.starts_at in good[one]))
        for start in starts
    ]
    return [start for start in kept if start.therapists]


def _stretches(therapist: int, book: Book) -> list[Interval]:
    return subtract(book.duty.get(therapist, ()), sorted(book.busy.get(therapist, ())))


def _least_waste(
    starts: Sequence[int], stretches: Sequence[Interval], claim_minutes: int, shortest: int
) -> set[int]:
    """Of one therapist's free starts, those that waste least in their stretch."""
    wasted: dict[Interval, dict[int, int]] = {}
    for at in starts:
        stretch = stretches[bisect_right(stretches, at, key=lambda one: one[0]) - 1]
        holes = at - stretch[0], stretch[1] - (at + claim_minutes)
        wasted.setdefault(stretch, {})[at] = sum(hole for hole in holes if 0 < hole < shortest)
    return {at for found in wasted.values() for at, waste in found.items() if waste == min(found.values())}
