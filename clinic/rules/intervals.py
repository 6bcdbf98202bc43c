"""Half-open spans of time on plain integers, kept in sorted lists.

An `Interval` is `(start, end)` in epoch minutes (whole minutes since 1970-01-01T00:00Z): the start belongs
to it, the end does not, so two that only touch do not overlap. "Tidy" below means sorted by start, without
empty, overlapping or touching intervals; `union` makes any intervals tidy, and what every function here
returns from tidy input is tidy again.
"""

from __future__ import annotations

import sys
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Final, TypeAlias

Interval: TypeAlias = tuple[int, int]

_NO_HOLE: Final = (sys.maxsize, sys.maxsize)


def overlaps(one: Interval, other: Interval) -> bool:
    """Whether the two share at least one minute; touching is not overlapping, an empty one never overlaps."""
    return max(one[0], other[0]) < min(one[1], other[1])


def union(*many: Iterable[Interval]) -> list[Interval]:
    """All minutes of any of the lists, as one tidy list; the input may be unsorted and overlap."""
    joined: list[Interval] = []
    open_start = open_end = 0
    for start, end in sorted(chain.from_iterable(many)):
        if start >= end:
            continue
        if joined and start <= open_end:
            if end > open_end:
                open_end = end
                joined[-1] = (open_start, end)
        else:
            open_start, open_end = start, end
            joined.append((start, end))
    return joined


def intersect(ones: Sequence[Interval], others: Sequence[Interval]) -> list[Interval]:
    """The minutes that lie in both tidy lists."""
    shared: list[Interval] = []
    i = j = 0
    while i < len(ones) and j < len(others):
        one_start, one_end = ones[i]
        other_start, other_end = others[j]
        start = one_start if one_start > other_start else other_start
        if one_end < other_end:
            end = one_end
            i += 1
        else:
            end = other_end
            j += 1
        if start < end:
            shared.append((start, end))
    return shared


def subtract(spans: Sequence[Interval], holes: Sequence[Interval]) -> list[Interval]:
    """The minutes of the tidy `spans` that lie in none of the `holes`.

    The holes need only be sorted by start: they may overlap each other.
    """
    left: list[Interval] = []
    coming = iter(holes)
    hole_start, hole_end = next(coming, _NO_HOLE)
    for span_start, end in spans:
        start = span_start
        while hole_start < end:
            if start < hole_start < hole_end:
                left.append((start, hole_start))
            if hole_end > end:  # it takes the rest of this span, and perhaps of the next
                start = end
                break
            if start < hole_end and hole_start < hole_end:
                start = hole_end
            hole_start, hole_end = next(coming, _NO_HOLE)
        if start < end:
            left.append((start, end))
    return left


def until(spans: list[Interval], end: int) -> list[Interval]:
    """The minutes of the tidy `spans` before `end`; the same list when all of them are."""
    if not spans or spans[-1][1] <= end:
        return spans
    return [(start, min(stop, end)) for start, stop in spans if start < end]


def since(spans: list[Interval], start: int | None) -> list[Interval]:
    """The minutes of the tidy `spans` from `start` on; the same list when all of them are."""
    if start is None or not spans or spans[0][0] >= start:
        return spans
    return [(max(begin, start), stop) for begin, stop in spans if stop > start]


def contains(spans: Sequence[Interval], wanted: Interval) -> bool:
    """Whether every minute of `wanted` lies in the tidy `spans`; an empty `wanted` is in none."""
    at = bisect_right(spans, wanted[0], key=lambda span: span[0]) - 1
    return wanted[0] < wanted[1] and at >= 0 and wanted[1] <= spans[at][1]
