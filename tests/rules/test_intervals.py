"""Half-open intervals: edges by table, everything else against sets of minutes."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic.rules.intervals import (
    Interval,
    contains,
    intersect,
    overlaps,
    subtract,
    union,
)

ANY = st.lists(st.tuples(st.integers(-30, 60), st.integers(-30, 60)), max_size=8)
TIDY = ANY.map(union)


def minutes_of(spans: list[Interval]) -> set[int]:
    return {minute for start, end in spans for minute in range(start, end)}


def is_tidy(spans: list[Interval]) -> bool:
    return all(start < end for start, end in spans) and all(
        one[1] < other[0] for one, other in pairwise(spans)
    )


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ((0, 10), (10, 20), False),
        ((10, 20), (0, 10), False),
        ((0, 11), (10, 20), True),
        ((0, 10), (0, 10), True),
        ((0, 30), (10, 20), True),
        ((12, 13), (10, 20), True),
        ((0, 5), (6, 9), False),
        ((5, 5), (0, 10), False),
        ((0, 10), (5, 5), False),
    ],
)
def test_overlaps_needs_a_shared_minute(one: Interval, other: Interval, expected: bool) -> None:
    assert overlaps(one, other) is expected


@pytest.mark.parametrize(
    ("spans", "expected"),
    [
        ([], []),
        ([(0, 10), (10, 20)], [(0, 20)]),
        ([(10, 20), (0, 9)], [(0, 9), (10, 20)]),
        ([(0, 30), (5, 10), (30, 31)], [(0, 31)]),
        ([(5, 5), (9, 7)], []),
        ([(-10, -5), (-5, 0)], [(-10, 0)]),
    ],
)
def test_union_joins_what_touches_and_drops_what_is_empty(
    spans: list[Interval], expected: list[Interval]
) -> None:
    assert union(spans) == expected


@pytest.mark.parametrize(
    ("holes", "expected"),
    [
        ([], [(10, 20), (30, 40)]),
        ([(0, 10), (20, 30), (40, 50)], [(10, 20), (30, 40)]),
        ([(12, 15)], [(10, 12), (15, 20), (30, 40)]),
        ([(15, 35)], [(10, 15), (35, 40)]),
        ([(0, 50)], []),
        ([(0, 50), (12, 13)], []),
        ([(11, 18), (12, 13), (33, 33)], [(10, 11), (18, 20), (30, 40)]),
    ],
)
def test_subtract_cuts_holes_out(holes: list[Interval], expected: list[Interval]) -> None:
    assert subtract([(10, 20), (30, 40)], holes) == expected


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ((10, 20), True),
        ((9, 20), False),
        ((10, 21), False),
        ((12, 13), True),
        ((15, 35), False),
        ((0, 5), False),
        ((20, 21), False),
        ((39, 40), True),
        ((40, 41), False),
        ((12, 12), False),
    ],
)
def test_contains_wants_every_minute(wanted: Interval, expected: bool) -> None:
    assert contains([(10, 20), (30, 40)], wanted) is expected


@given(ANY, ANY)
def test_union_holds_the_minutes_of_both_and_is_tidy(ones: list[Interval], others: list[Interval]) -> None:
    joined = union(ones, others)
    assert minutes_of(joined) == minutes_of(ones) | minutes_of(others)
    assert is_tidy(joined)


@given(TIDY, TIDY)
def test_intersect_holds_the_minutes_in_both_and_is_tidy(
    ones: list[Interval], others: list[Interval]
) -> None:
    shared = intersect(ones, others)
    assert minutes_of(shared) == minutes_of(ones) & minutes_of(others)
    assert is_tidy(shared)
    assert shared == intersect(others, ones)


@given(TIDY, ANY.map(sorted))
def test_subtract_holds_the_minutes_outside_the_holes_and_is_tidy(
    spans: list[Interval], holes: list[Interval]
) -> None:
    left = subtract(spans, holes)
    assert minutes_of(left) == minutes_of(spans) - minutes_of(holes)
    assert is_tidy(left)


@given(TIDY, st.tuples(st.integers(-30, 60), st.integers(1, 20)))
def test_contains_agrees_with_the_minutes(spans: list[Interval], at: tuple[int, int]) -> None:
    wanted = (at[0], at[0] + at[1])
    assert contains(spans, wanted) is (minutes_of([wanted]) <= minutes_of(spans))


def test_what_only_touches_shares_nothing() -> None:
    assert intersect([(0, 10)], [(10, 20)]) == []
    assert intersect([(10, 20)], [(0, 10)]) == []
    assert intersect([(0, 10), (20, 30)], [(10, 20)]) == []
    assert intersect([(0, 11), (20, 30)], [(10, 21)]) == [(10, 11), (20, 21)]
