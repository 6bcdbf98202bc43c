"""Two people at the same time: two therapists, one room, devices for both; compared with trying everything."""

from __future__ import annotations

from itertools import product

from hypothesis import given, settings
from hypothesis import strategies as st

from clinic.rules.availability import Book, Eligible, Wanted
from clinic.rules.couples import Side, pairs_for, starts_for_two
from clinic.rules.intervals import Interval, overlaps

ANA, BEN, ROOM, OTHER_ROOM, STONES, MORE_STONES = 1, 2, 11, 12, 21, 22
DAY = [(0, 600)]
GRID = range(0, 600, 15)


def side(
    minutes: int = 60,
    *,
    turnover: int = 15,
    therapists: tuple[int, ...] = (ANA, BEN),
    devices: tuple[tuple[int, ...], ...] = (),
    busy: dict[int, list[Interval]] | None = None,
    client_busy: tuple[Interval, ...] = (),
) -> Side:
    return Side(
        Wanted(minutes, turnover, 0, 599),
        Eligible(therapists, (ROOM, OTHER_ROOM), devices),
        Book(dict.fromkeys(therapists, DAY), DAY, busy or {}, client_busy),
    )


def starts(first: Side, second: Side, rooms: tuple[int, ...] = (ROOM,)) -> list[int]:
    return [one.starts_at for one in starts_for_two(list(GRID), first, second, rooms)]


def test_both_need_a_therapist_of_their_own() -> None:
    assert starts(side(), side()) == list(range(0, 541, 15))
    assert starts(side(therapists=(ANA,)), side(therapists=(ANA,))) == []
    assert starts(side(therapists=(ANA,)), side())[0] == 0
    busy = {BEN: [(0, 100)]}
    assert starts(side(busy=busy), side(busy=busy))[0] == 105


def test_the_room_is_free_until_the_longer_one_is_over() -> None:
    busy = {ROOM: [(200, 300)]}
    long, short = side(90, busy=busy), side(30, busy=busy)
    assert [one for one in starts(long, short) if one < 300] == [one for one in GRID if one + 105 <= 200]
    assert starts(long, short) == starts(short, long)
    assert starts(long, short, (ROOM, OTHER_ROOM)) == list(range(0, 511, 15))


def test_what_one_of_them_has_already_stands_in_the_way_of_both() -> None:
    assert starts(side(), side(client_busy=((0, 450),))) == [450, 465, 480, 495, 510, 525, 540]


def test_one_device_does_not_serve_two() -> None:
    one, two = ((STONES,),), ((STONES, MORE_STONES),)
    assert starts(side(devices=one), side(devices=one)) == []
    assert starts(side(devices=two), side(devices=two)) == list(range(0, 541, 15))
    busy = {MORE_STONES: [(0, 300)]}
    assert starts(side(devices=two, busy=busy), side(devices=two, busy=busy))[0] == 300
    found = list(pairs_for(0, side(devices=one), side(devices=two), (ROOM,)))
    assert {(pair.first.devices, pair.second.devices) for pair in found} == {((STONES,), (MORE_STONES,))}


def test_pairs_are_all_there_are_in_one_room() -> None:
    found = list(pairs_for(0, side(), side(therapists=(BEN,)), (ROOM, OTHER_ROOM)))
    assert [(one.first.therapist, one.second.therapist, one.first.room, one.second.room) for one in found] == [
        (ANA, BEN, ROOM, ROOM), (ANA, BEN, OTHER_ROOM, OTHER_ROOM)
    ]  # fmt: skip
    assert list(pairs_for(7000, side(), side(), (ROOM,))) == []


SPANS = st.lists(
    st.tuples(st.integers(0, 20), st.integers(1, 8)).map(lambda one: (one[0] * 30, (one[0] + one[1]) * 30)),
    max_size=2,
)
BUSY = st.fixed_dictionaries(dict.fromkeys((ANA, BEN, 3, ROOM, OTHER_ROOM, STONES, MORE_STONES), SPANS))
MINUTES = st.sampled_from((30, 60, 90))
DEVICES = st.sampled_from(((), ((STONES,),), ((STONES, MORE_STONES),)))
THERAPISTS = st.sampled_from(((ANA,), (ANA, BEN), (BEN, 3), (ANA, BEN, 3)))


def by_trying(first: Side, second: Side, start: int) -> set[tuple[object, ...]]:
    """Every pair that breaks nothing, found without the rules of the program."""
    found = set()
    for room in (ROOM, OTHER_ROOM):
        ways = [
            [(one, devices) for one in who.eligible.therapists for devices in product(*who.eligible.device_groups)]
            for who in (first, second)
        ]  # fmt: skip
        for (one, mine), (other, yours) in product(*ways):
            if one == other or set(mine) & set(yours):
                continue
            fits = all(
                start + who.wanted.minutes <= 600
                and not any(
                    overlaps(span, (start, start + who.wanted.claim_minutes))
                    for taken in (room, therapist, *devices)
                    for span in who.book.busy[taken]
                )
                for who, therapist, devices in ((first, one, mine), (second, other, yours))
            )
            if fits:
                found.add((one, mine, room, other, yours))
    return found  # type: ignore[return-value]


@settings(max_examples=120, deadline=None)
@given(BUSY, MINUTES, MINUTES, DEVICES, DEVICES, THERAPISTS, THERAPISTS)
def test_it_finds_what_trying_everything_finds(busy, m1, m2, d1, d2, t1, t2) -> None:  # type: ignore[no-untyped-def]
    first = side(m1, devices=d1, therapists=t1, busy=busy)
    second = side(m2, devices=d2, therapists=t2, busy=busy)
    rooms, grid = (ROOM, OTHER_ROOM), list(range(0, 600, 60))
    offered = {one.starts_at for one in starts_for_two(grid, first, second, rooms)}
    for start in grid:
        pairs = {
            (one.first.therapist, one.first.devices, one.first.room, one.second.therapist, one.second.devices)
            for one in pairs_for(start, first, second, rooms)
        }
        assert pairs == by_trying(first, second, start)
        assert (start in offered) == bool(pairs)
