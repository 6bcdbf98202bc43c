"""Starts that leave no hole which nobody can book, compared with a model that walks every minute."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from clinic.rules.availability import Book, Eligible, Start, Wanted, bookable_starts
from clinic.rules.gaps import tidy
from clinic.rules.intervals import union

ANA, BEN, ROOM = 1, 2, 11
DAY = [(540, 1020)]
HOUR = Wanted(minutes=60, turnover_minutes=15, not_before=0, not_after=1440)
GRID = range(0, 1440, 15)


def tidied(book: Book, shortest: int = 60, therapists: tuple[int, ...] = (ANA,)) -> list[Start]:
    free = bookable_starts(GRID, HOUR, Eligible(therapists, [ROOM]), book)
    return tidy(free, free, HOUR, book, shortest)


def at(book: Book, shortest: int = 60) -> list[int]:
    return [one.starts_at for one in tidied(book, shortest)]


def test_a_start_next_to_an_edge_or_a_visits_length_away_is_tidy() -> None:
    assert at(Book({ANA: DAY}, DAY, {})) == [540, *range(600, 886, 15), 945, 960]
    # 945 ends its turnover at 1020; 960 runs over the end of duty and leaves nothing either


def test_next_to_a_visit_only_what_touches_it_or_leaves_enough_is_tidy() -> None:
    book = Book({ANA: [(540, 795)]}, DAY, {ANA: [(540, 600), (735, 800)]})
    assert at(book) == [600, 660]  # a stretch of 135 minutes: either edge leaves an hour


def test_in_a_stretch_that_is_a_little_too_long_what_wastes_least_is_tidy() -> None:
    book = Book({ANA: [(540, 645)]}, DAY, {ANA: [(640, 645)]})
    assert at(book) == [540, 555]  # 25 minutes are lost wherever it lies
    assert at(Book({ANA: [(540, 620)]}, DAY, {ANA: [(620, 625)]})) == [540]


def test_a_start_keeps_the_therapists_for_whom_it_is_tidy() -> None:
    book = Book({ANA: DAY, BEN: [(555, 1020)]}, DAY, {})
    found = dict(tidied(book, therapists=(ANA, BEN)))
    assert (found[540], found[555], found[600], found[615]) == ((ANA,), (BEN,), (ANA,), (ANA, BEN))


MINUTES = st.integers(0, 240)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.tuples(MINUTES, st.integers(10, 120)), max_size=3),
    st.lists(st.tuples(MINUTES, st.integers(0, 60)), max_size=3),
    st.integers(5, 60),
)
def test_tidy_starts_are_those_of_the_model(
    duty: list[tuple[int, int]], busy: list[tuple[int, int]], shortest: int
) -> None:
    wanted = Wanted(minutes=20, turnover_minutes=5, not_before=0, not_after=400)
    on = union([(start, start + length) for start, length in duty])
    taken = [(start, start + length) for start, length in busy]
    book = Book({ANA: on}, [(0, 400)], {ANA: taken})
    free = bookable_starts(range(0, 400, 5), wanted, Eligible([ANA], [ROOM]), book)
    usable = {
        minute
        for minute in range(-1, 401)
        if any(start <= minute < end for start, end in on)
        and not any(start <= minute < end for start, end in taken)
    }

    def walk(minute: int, step: int) -> int:
        length = 0
        while minute in usable:
            minute, length = minute + step, length + 1
        return length

    def first_of_stretch(start: int) -> int:
        return start - walk(start - 1, -1)

    def waste(start: int) -> int:
        length = walk(first_of_stretch(start), 1)
        before = start - first_of_stretch(start)
        after = max(0, length - before - wanted.claim_minutes)
        return sum(hole for hole in (before, after) if hole < shortest)

    by_stretch: dict[int, list[int]] = {}
    for one in free:
        by_stretch.setdefault(first_of_stretch(one.starts_at), []).append(one.starts_at)
    best = {at for starts in by_stretch.values() for at in starts if waste(at) == min(map(waste, starts))}
    assert [one.starts_at for one in tidy(free, free, wanted, book, shortest)] == sorted(best)
