"""Why a start is not free: it agrees with availability on every start, and what is the only thing in the way is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings

from clinic.rules.availability import Book, Eligible, Wanted, bookable_starts
from clinic.rules.intervals import Interval
from clinic.rules.why_no_times import Behind, Block, Counted, Reason, Why, count_reasons, in_hours, obstacles
from tests.rules.test_availability import (
    ANA,
    BEN,
    CUPS,
    DAY,
    GRID,
    HOUR,
    OTHER_ROOM,
    ROOM,
    SOLO,
    book,
    cases,
)  # fmt: skip

DUO = Eligible(therapists=[ANA, BEN], rooms=[ROOM, OTHER_ROOM])
DAYS = [(0, 1440)]


def behind(
    blocks: Mapping[int, Sequence[Block]] | None = None,
    hours: Mapping[int, Sequence[Interval]] | None = None,
    **more: object,
) -> Behind:
    return replace(Behind(hours or {ANA: DAY, BEN: DAY}, blocks=blocks or {}, days=DAYS), **more)  # type: ignore[arg-type]


def busy_of(blocks: Mapping[int, Sequence[Block]]) -> dict[int, list[Interval]]:
    return {resource: [(one.starts, one.ends) for one in rows] for resource, rows in blocks.items()}


def counted(
    wanted: Wanted, eligible: Eligible, in_book: Book, named: Behind
) -> dict[Reason, tuple[int, int]]:
    found = count_reasons(obstacles(GRID, wanted, eligible, in_book, named).values())
    return {one.reason: (one.starts, one.alone) for one in found}


@settings(max_examples=120, deadline=None)
@given(cases())
def test_a_start_is_free_exactly_when_nothing_is_in_its_way(
    case: tuple[list[int], Wanted, Eligible, Book],
) -> None:
    """Also where nobody knows what the book is made of; and without the only thing in the way it is free."""
    starts, wanted, eligible, in_book = case
    found = obstacles(starts, wanted, eligible, in_book, Behind(in_book.duty))
    free = {one.starts_at for one in bookable_starts(starts, wanted, eligible, in_book)}
    assert {start for start, ways in found.items() if not ways} == free
    assert list(found) == in_hours(starts, wanted, in_book)
    assert all(kept for ways in found.values() for obstacle in ways for kept in obstacle)
    for one in count_reasons(found.values()):
        if one.reason.why is Why.TAKEN:
            gone = {key: rows for key, rows in in_book.busy.items() if key != one.reason.resource}
            more = bookable_starts(starts, wanted, eligible, replace(in_book, busy=gone))
            assert len({each.starts_at for each in more} - free) == one.alone


def test_nothing_is_in_the_way_of_a_free_day() -> None:
    found = obstacles(GRID, HOUR, SOLO, book(), behind())
    assert (min(found), max(found)) == (540, 960)
    assert not any(found.values())
    assert count_reasons(found.values()) == []


def test_no_start_at_all_has_no_reasons() -> None:
    assert obstacles([], HOUR, SOLO, book(), behind()) == {}
    assert obstacles(GRID, HOUR, SOLO, book(opening=[]), behind()) == {}


def test_the_bounds_on_time_are_told_apart() -> None:
    wanted = replace(HOUR, not_before=600, not_after=900)
    found = counted(wanted, SOLO, book(), behind())
    assert found == {Reason(Why.LEAD_TIME): (4, 4), Reason(Why.HORIZON): (4, 4)}


def test_too_little_rest_and_the_lead_time_together_are_no_single_thing() -> None:
    named = behind(too_soon=lambda start: start < 570)
    found = counted(replace(HOUR, not_before=600), SOLO, book(), named)
    assert found == {Reason(Why.LEAD_TIME): (4, 2), Reason(Why.TOO_SOON): (2, 0)}


def test_a_day_on_which_the_gate_refuses_has_no_start() -> None:
    named = behind(refused=[(0, 570)])
    assert counted(HOUR, SOLO, book(), named) == {Reason(Why.REFUSED): (2, 2)}


def test_a_therapist_who_gives_no_more_that_day_and_a_visit_for_known_clients_only() -> None:
    full = replace(book(), full={ANA: [(0, 1440)]})
    assert counted(HOUR, SOLO, full, behind()) == {Reason(Why.LIMIT, ANA): (29, 29)}
    assert counted(HOUR, SOLO, book(), behind(known_only=True)) == {Reason(Why.KNOWN_ONLY): (29, 29)}
    soon = replace(HOUR, not_before=600)  # what stands in the way as well is told too
    assert counted(soon, SOLO, book(), behind(known_only=True)) == {
        Reason(Why.KNOWN_ONLY): (29, 25), Reason(Why.LEAD_TIME): (4, 0)
    }  # fmt: skip


def test_the_clients_other_visit_is_named_by_its_start() -> None:
    named = behind(client_blocks=[Block(600, 660, Why.CLIENT_BUSY), Block(690, 750, Why.CLIENT_BUSY)])
    found = counted(HOUR, SOLO, book(client_busy=[(600, 660), (690, 750)]), named)
    assert found == {  # a visit at 10:45 would touch both
        Reason(Why.CLIENT_BUSY, 0, 600): (7, 6),
        Reason(Why.CLIENT_BUSY, 0, 690): (7, 6),
    }


def test_one_of_two_rooms_taken_is_in_nobodys_way() -> None:
    blocks = {ROOM: [Block(540, 1020, Why.TAKEN)]}
    assert counted(HOUR, DUO, book(busy_of(blocks)), behind(blocks)) == {}


def test_each_of_two_rooms_that_are_taken_would_do() -> None:
    blocks = {ROOM: [Block(600, 675, Why.TAKEN)], OTHER_ROOM: [Block(600, 675, Why.KEPT)]}
    found = counted(HOUR, DUO, book(busy_of(blocks)), behind(blocks))
    assert found == {Reason(Why.TAKEN, ROOM): (9, 9), Reason(Why.KEPT, OTHER_ROOM): (9, 9)}


def test_somebody_who_is_off_and_has_a_visit_is_not_freed_by_one_of_them() -> None:
    blocks = {ANA: [Block(540, 1020, Why.OFF), Block(600, 675, Why.TAKEN)]}
    found = counted(HOUR, SOLO, book(busy_of(blocks)), behind(blocks))
    assert found == {Reason(Why.OFF, ANA): (29, 20), Reason(Why.TAKEN, ANA): (9, 0)}


def test_therapist_and_room_at_once_are_no_single_thing() -> None:
    blocks = {ANA: [Block(540, 660, Why.OFF)], ROOM: [Block(600, 660, Why.TAKEN)]}
    found = counted(HOUR, SOLO, book(busy_of(blocks)), behind(blocks))
    assert found == {Reason(Why.OFF, ANA): (8, 0), Reason(Why.TAKEN, ROOM): (8, 0)}


def test_a_closed_place_is_said_once_for_all_its_rooms_and_one_room_by_itself() -> None:
    closed = [Block(540, 1020, Why.CLOSED, 7)]
    blocks = {ROOM: closed, OTHER_ROOM: [*closed, Block(540, 600, Why.SHUT, 8)]}
    found = counted(HOUR, DUO, book(busy_of(blocks)), behind(blocks))
    assert found == {Reason(Why.CLOSED, 0, 7): (29, 29), Reason(Why.SHUT, OTHER_ROOM, 8): (4, 0)}


def test_a_licence_that_ends_is_told_from_hours_that_are_over() -> None:
    named = behind(licence_ends={ANA: 720})
    found = counted(HOUR, SOLO, Book({ANA: [(540, 720)]}, [(540, 1080)], {}), named)
    assert found == {
        Reason(Why.LICENCE, ANA): (24, 20),
        Reason(Why.OUTSIDE_HOURS, ANA): (4, 0),
    }


def test_skills_that_are_not_good_yet_or_any_more_are_told_from_hours() -> None:
    named = behind(skilled={ANA: (720, 960)})
    found = counted(HOUR, SOLO, Book({ANA: [(720, 960)]}, [(540, 1080)], {}), named)
    assert found == {Reason(Why.SKILL, ANA): (20, 16), Reason(Why.OUTSIDE_HOURS, ANA): (4, 0)}


@pytest.mark.parametrize(
    ("eligible", "expected"),
    [
        (SOLO, {Reason(Why.NOT_WORKING, ANA): (29, 29)}),
        (DUO, {Reason(Why.NOBODY_WORKS): (29, 29)}),
        (Eligible([], [ROOM]), {Reason(Why.NOBODY): (29, 29)}),
        (Eligible([ANA], []), {Reason(Why.NO_ROOM): (29, 0), Reason(Why.NOT_WORKING, ANA): (29, 0)}),
    ],
)
def test_nobody_there(eligible: Eligible, expected: dict[Reason, tuple[int, int]]) -> None:
    named = behind(hours={ANA: [(1440 + 540, 1440 + 1020)], BEN: []})
    empty = Book({ANA: [], BEN: []}, DAY, {})
    assert counted(HOUR, eligible, empty, named) == expected


def test_a_device_that_is_missing_says_which_kind() -> None:
    eligible = Eligible([ANA], [ROOM], [[CUPS], []])
    assert counted(HOUR, eligible, book(), behind()) == {Reason(Why.NO_DEVICE, 0, 1): (29, 29)}


def test_the_turnover_counts_where_it_must_lie_inside_the_hours() -> None:
    wanted = replace(HOUR, turnover_may_overrun=False)
    found = counted(wanted, SOLO, book(), behind(licence_ends={ANA: 1020}))
    assert found == {Reason(Why.OUTSIDE_HOURS, ANA): (1, 0), Reason(Why.LICENCE, ANA): (1, 0)}


def test_what_frees_most_stands_first_then_what_is_in_the_way_most() -> None:
    off, taken, shut = Reason(Why.OFF, ANA), Reason(Why.TAKEN, ROOM), Reason(Why.SHUT, ROOM, 1)
    found = count_reasons([[((off,),)], [((off,),), ((taken,),)], [((taken, shut),)]])
    assert found == [Counted(off, 2, 1), Counted(taken, 2, 0), Counted(shut, 1, 0)]
