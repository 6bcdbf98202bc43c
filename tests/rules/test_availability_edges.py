"""A minute too early, a minute too late: who is not offered at a start that another could carry."""

from __future__ import annotations

from dataclasses import replace

import pytest

from clinic.rules.availability import Book, Combination, Eligible, Wanted, bookable_starts, combinations_for

ANA, ROOM, OTHER_ROOM, CUPS, OTHER_CUPS = 1, 11, 12, 21, 22
DAY = [(540, 1020)]
HOUR = Wanted(minutes=60, turnover_minutes=15, not_before=0, not_after=1440)
EVERYTHING = Eligible([ANA], [ROOM, OTHER_ROOM], [[CUPS, OTHER_CUPS]])


def carried(at: int, busy: dict[int, list[tuple[int, int]]]) -> list[Combination]:
    return list(combinations_for(at, HOUR, EVERYTHING, Book({ANA: DAY}, DAY, busy)))


def test_what_is_free_a_minute_after_the_start_is_not_free_at_it() -> None:
    assert carried(600, {ROOM: [(500, 601)], CUPS: [(500, 601)]}) == [
        Combination(ANA, OTHER_ROOM, (OTHER_CUPS,))
    ]
    assert carried(600, {OTHER_ROOM: [(500, 600)], OTHER_CUPS: [(500, 601)]}) == [
        Combination(ANA, ROOM, (CUPS,)),
        Combination(ANA, OTHER_ROOM, (CUPS,)),
    ]


def test_what_is_taken_a_minute_before_the_claim_ends_is_not_free_for_it() -> None:
    assert carried(600, {ROOM: [(674, 700)], OTHER_CUPS: [(674, 700)]}) == [
        Combination(ANA, OTHER_ROOM, (CUPS,))
    ]
    assert len(carried(600, {ROOM: [(675, 700)], OTHER_CUPS: [(675, 700)]})) == 4


def test_duty_that_is_too_short_permits_nothing() -> None:
    pieces = Book({ANA: [(540, 560), (570, 629), (640, 700)]}, DAY, {})
    starts = bookable_starts(range(1440), replace(HOUR, turnover_minutes=0), EVERYTHING, pieces)
    assert [start.starts_at for start in starts] == [640]


def test_what_makes_no_sense_is_refused_with_its_reason() -> None:
    with pytest.raises(ValueError, match=r"^a visit needs a positive length and a turnover of zero or more"):
        replace(HOUR, minutes=0)
    with pytest.raises(ValueError, match=r"zero or more minutes$"):
        replace(HOUR, turnover_minutes=-1)
    with pytest.raises(ValueError, match=r"^a device may stand in one group only$"):
        Eligible([ANA], [ROOM], [[CUPS], [CUPS]])
