"""What can be booked, compared with a model that looks at every single minute."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clinic.rules.availability import (
    Book,
    Combination,
    Eligible,
    Leaning,
    Start,
    Wanted,
    bookable_starts,
    combinations_for,
    nearest,
)
from clinic.rules.intervals import Interval, union

ANA, BEN = 1, 2
ROOM, OTHER_ROOM = 11, 12
CUPS, OTHER_CUPS, CHAMBER = 21, 22, 31
DAY = [(540, 1020)]
GRID = range(0, 1440, 15)
HOUR = Wanted(minutes=60, turnover_minutes=15, not_before=0, not_after=1440)
SOLO = Eligible(therapists=[ANA], rooms=[ROOM])


def book(
    busy: Mapping[int, Sequence[Interval]] | None = None,
    duty: Sequence[Interval] = DAY,
    opening: Sequence[Interval] = DAY,
    client_busy: Sequence[Interval] = (),
) -> Book:
    return Book({ANA: duty, BEN: duty}, opening, busy or {}, client_busy)


def offered(wanted: Wanted, eligible: Eligible, in_book: Book) -> list[int]:
    return [start.starts_at for start in bookable_starts(GRID, wanted, eligible, in_book)]


# ── the model: every minute of every resource, no cleverness ──────────────────────────────────────────────


def covered(spans: Sequence[Interval], minute: int) -> bool:
    return any(start <= minute < end for start, end in spans)


def model_combinations(at: int, wanted: Wanted, eligible: Eligible, in_book: Book) -> set[Combination]:
    treatment = range(at, at + wanted.minutes)
    claim = range(at, at + wanted.minutes + wanted.turnover_minutes)
    on_duty = treatment if wanted.turnover_may_overrun else claim
    if not wanted.not_before <= at <= wanted.not_after:
        return set()
    if not all(covered(in_book.opening, minute) for minute in treatment):
        return set()
    if any(covered(in_book.client_busy, minute) for minute in treatment):
        return set()

    def free(resource: int) -> bool:
        return not any(covered(in_book.busy.get(resource, ()), minute) for minute in claim)

    return {
        Combination(therapist, room, tuple(devices))
        for therapist, room, *devices in product(eligible.therapists, eligible.rooms, *eligible.device_groups)
        if all(covered(in_book.duty.get(therapist, ()), minute) for minute in on_duty)
        and not covered(in_book.full.get(therapist, ()), at)
        and all(free(resource) for resource in (therapist, room, *devices))
    }


RAW = st.lists(st.tuples(st.integers(0, 180), st.integers(0, 60)), max_size=4).map(
    lambda rows: [(start, start + length) for start, length in rows]
)
TIDY = st.lists(st.tuples(st.integers(0, 120), st.integers(20, 180)), max_size=3).map(
    lambda rows: union([(start, start + length) for start, length in rows])
)
RESOURCES = [ANA, BEN, ROOM, OTHER_ROOM, CUPS, OTHER_CUPS, CHAMBER]


ALL_DAY = [(0, 300)]


@st.composite
def cases(draw: st.DrawFn) -> tuple[list[int], Wanted, Eligible, Book]:
    """A wish, a book, and the starts worth a look: one minute around every edge of the book."""
    wanted = Wanted(
        minutes=draw(st.integers(1, 30)),
        turnover_minutes=draw(st.sampled_from([0, 1, 10, 15])),
        not_before=draw(st.integers(-5, 40)),
        not_after=draw(st.integers(60, 260)),
        turnover_may_overrun=draw(st.booleans()),
    )
    eligible = Eligible(
        therapists=draw(st.sampled_from([[ANA], [ANA, BEN], [BEN, ANA], []])),
        rooms=draw(st.sampled_from([[ROOM], [ROOM, OTHER_ROOM], [OTHER_ROOM, ROOM], []])),
        device_groups=draw(st.sampled_from([[], [], [[CUPS]], [[CUPS, OTHER_CUPS], [CHAMBER]], [[]]])),
    )
    in_book = Book(
        duty={ANA: draw(st.one_of(st.just(ALL_DAY), TIDY)), BEN: draw(TIDY)},
        opening=draw(st.one_of(st.just(ALL_DAY), TIDY)),
        busy={resource: draw(RAW) for resource in draw(st.sets(st.sampled_from(RESOURCES)))},
        client_busy=draw(st.one_of(st.just([]), RAW)),
        full=draw(st.one_of(st.just({}), st.fixed_dictionaries({ANA: TIDY}))),
    )
    return starts_worth_a_look(wanted, in_book), wanted, eligible, in_book


def starts_worth_a_look(wanted: Wanted, in_book: Book) -> list[int]:
    spans = [*in_book.opening, *in_book.client_busy]
    for rows in (*in_book.duty.values(), *in_book.busy.values(), *in_book.full.values()):
        spans += rows
    edges = {edge for span in spans for edge in span} | {wanted.not_before, wanted.not_after}
    lengths = (0, wanted.minutes, wanted.claim_minutes)
    return sorted({edge - length + by for edge in edges for length in lengths for by in (-1, 0, 1)})


@settings(max_examples=250, deadline=None)
@given(cases())
def test_what_is_offered_and_what_can_be_booked_are_those_of_the_model(
    case: tuple[list[int], Wanted, Eligible, Book],
) -> None:
    starts, wanted, eligible, in_book = case
    expected = []
    for at in starts:
        free = model_combinations(at, wanted, eligible, in_book)
        found = list(combinations_for(at, wanted, eligible, in_book))
        assert set(found) == free
        assert len(found) == len(free)
        who = {combination.therapist for combination in free}
        if who:
            expected.append(Start(at, tuple(one for one in eligible.therapists if one in who)))
    assert bookable_starts(starts, wanted, eligible, in_book) == expected


# ── edges, one by one ─────────────────────────────────────────────────────────────────────────────────────


def test_an_empty_day_is_offered_from_the_first_to_the_last_start_that_fits() -> None:
    assert offered(HOUR, SOLO, book()) == list(range(540, 961, 15))


@pytest.mark.parametrize("resource", [ANA, ROOM])
def test_a_visit_keeps_its_turnover_free_on_both_sides(resource: int) -> None:
    around = offered(HOUR, SOLO, book({resource: [(720, 795)]}))
    assert around == [*range(540, 646, 15), *range(795, 961, 15)]


def test_the_client_is_taken_for_the_treatment_only() -> None:
    around = offered(HOUR, SOLO, book(client_busy=[(720, 780)]))
    assert around == [*range(540, 661, 15), *range(780, 961, 15)]


def test_the_treatment_may_not_lie_across_a_break_but_the_turnover_may() -> None:
    halves = [(540, 750), (795, 1020)]
    assert offered(HOUR, SOLO, book(duty=halves)) == [*range(540, 691, 15), *range(795, 961, 15)]


def test_the_turnover_stays_inside_duty_where_the_clinic_wants_it() -> None:
    halves = [(540, 750), (795, 1020)]
    strict = replace(HOUR, turnover_may_overrun=False)
    assert offered(strict, SOLO, book(duty=halves)) == [*range(540, 676, 15), *range(795, 946, 15)]


def test_the_turnover_may_not_run_into_time_off() -> None:
    assert offered(HOUR, SOLO, book({ANA: [(1020, 1440)]}))[-1] == 945


def test_every_bound_holds_to_the_minute() -> None:
    in_book = book(
        {ANA: [(700, 700), (800, 830)], ROOM: [(905, 910)]}, duty=[(541, 601), (610, 669), (670, 1020)]
    )
    minutes = [start.starts_at for start in bookable_starts(range(1440), HOUR, SOLO, in_book)]
    assert minutes == [541, *range(670, 726), 830, *range(910, 961)]


def test_a_free_window_of_just_the_claim_is_one_start() -> None:
    gap = book({ANA: [(0, 600), (675, 1440)]})
    assert [start.starts_at for start in bookable_starts(range(1440), HOUR, SOLO, gap)] == [600]
    narrower = book({ANA: [(0, 600), (674, 1440)]})
    assert bookable_starts(range(1440), HOUR, SOLO, narrower) == []


def test_two_overlapping_times_off_count_as_one() -> None:
    assert offered(HOUR, SOLO, book({ANA: [(600, 900), (540, 700), (560, 570)]})) == [900, 915, 930, 945, 960]


def test_opening_hours_bound_the_treatment() -> None:
    assert offered(HOUR, SOLO, book(opening=[(600, 720)])) == [600, 615, 630, 645, 660]


def test_one_room_must_be_free_for_the_whole_claim() -> None:
    in_turns = book({ROOM: [(540, 600)], OTHER_ROOM: [(600, 1020)]})
    both = replace(SOLO, rooms=[ROOM, OTHER_ROOM])
    assert offered(HOUR, both, in_turns) == list(range(600, 961, 15))


def test_a_closed_room_hour_blocks_only_starts_that_need_it() -> None:
    assert offered(HOUR, SOLO, book({ROOM: [(600, 660)]})) == list(range(660, 961, 15))


def test_each_needed_kind_of_device_must_be_free() -> None:
    needy = replace(SOLO, device_groups=[[CUPS, OTHER_CUPS], [CHAMBER]])
    assert offered(HOUR, needy, book({CUPS: [(540, 1440)], CHAMBER: [(540, 900)]})) == [
        900,
        915,
        930,
        945,
        960,
    ]


@pytest.mark.parametrize(
    "eligible",
    [
        Eligible(therapists=[], rooms=[ROOM]),
        Eligible(therapists=[ANA], rooms=[]),
        Eligible(therapists=[ANA], rooms=[ROOM], device_groups=[[]]),
        Eligible(therapists=[99], rooms=[ROOM]),
    ],
)
def test_nothing_is_offered_where_nobody_or_nothing_is_suitable(eligible: Eligible) -> None:
    assert offered(HOUR, eligible, book()) == []
    assert list(combinations_for(600, HOUR, eligible, book())) == []


def test_lead_time_and_horizon_are_both_included() -> None:
    bounded = replace(HOUR, not_before=600, not_after=630)
    assert offered(bounded, SOLO, book()) == [600, 615, 630]
    assert list(combinations_for(599, bounded, SOLO, book())) == []
    assert list(combinations_for(631, bounded, SOLO, book())) == []
    assert offered(replace(HOUR, not_before=631, not_after=630), SOLO, book()) == []


def test_a_visit_across_midnight_needs_only_unbroken_duty() -> None:
    night = Eligible(therapists=[ANA], rooms=[ROOM])
    until_two = book(duty=[(1320, 1560)], opening=[(0, 2880)])
    starts = bookable_starts(range(0, 2880, 30), replace(HOUR, not_after=2880), night, until_two)
    assert [start.starts_at for start in starts] == [1320, 1350, 1380, 1410, 1440, 1470, 1500]


def test_therapists_stand_in_the_order_asked_for() -> None:
    both = Eligible(therapists=[BEN, ANA], rooms=[ROOM])
    assert bookable_starts([600], HOUR, both, book()) == [Start(600, (BEN, ANA))]


def test_a_length_of_nothing_and_a_device_in_two_groups_are_mistakes() -> None:
    with pytest.raises(ValueError, match="positive length"):
        replace(HOUR, minutes=0)
    with pytest.raises(ValueError, match="turnover of zero or more"):
        replace(HOUR, turnover_minutes=-1)
    with pytest.raises(ValueError, match="one group only"):
        Eligible([ANA], [ROOM], [[CUPS], [CUPS]])


# ── which combination first ───────────────────────────────────────────────────────────────────────────────

BOTH = Eligible(therapists=[BEN, ANA], rooms=[OTHER_ROOM, ROOM])


@pytest.mark.parametrize(
    ("leaning", "expected"),
    [
        (Leaning(), [(ANA, ROOM), (ANA, OTHER_ROOM), (BEN, ROOM), (BEN, OTHER_ROOM)]),
        (
            Leaning(usage={ANA: 75, ROOM: 75}),
            [(BEN, OTHER_ROOM), (BEN, ROOM), (ANA, OTHER_ROOM), (ANA, ROOM)],
        ),
        (
            Leaning(usage={ROOM: 5, OTHER_ROOM: 75}, last_room={ANA: OTHER_ROOM}),
            [(ANA, OTHER_ROOM), (ANA, ROOM), (BEN, ROOM), (BEN, OTHER_ROOM)],
        ),
        (
            Leaning(last_room={ANA: 99}),
            [(BEN, ROOM), (BEN, OTHER_ROOM), (ANA, ROOM), (ANA, OTHER_ROOM)],
        ),
    ],
    ids=["by id", "least used", "stays in the room", "would have to change"],
)
def test_combinations_come_best_first(leaning: Leaning, expected: list[tuple[int, int]]) -> None:
    found = [(one.therapist, one.room) for one in combinations_for(600, HOUR, BOTH, book(), leaning)]
    assert found == expected


def test_only_what_is_free_is_combined() -> None:
    taken = book({BEN: [(500, 601)], OTHER_ROOM: [(674, 700)], CUPS: [(540, 720)]})
    needy = replace(BOTH, device_groups=[[CUPS, OTHER_CUPS]])
    assert list(combinations_for(600, HOUR, needy, taken)) == [Combination(ANA, ROOM, (OTHER_CUPS,))]


def test_absent_from_usage_is_less_than_used_once() -> None:
    used = Leaning(usage={ANA: 1, ROOM: 1})
    assert next(combinations_for(600, HOUR, BOTH, book(), used)) == Combination(BEN, OTHER_ROOM, ())


def test_the_least_used_device_of_each_kind_comes_first() -> None:
    needy = replace(SOLO, device_groups=[[CUPS, OTHER_CUPS], [CHAMBER]])
    found = combinations_for(600, HOUR, needy, book(), Leaning(usage={CUPS: 10}))
    assert [one.devices for one in found] == [(OTHER_CUPS, CHAMBER), (CUPS, CHAMBER)]


# ── the nearest ones ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("wanted_at", "count", "expected"),
    [
        (600, 3, [600, 585, 615]),
        (608, 2, [615, 600]),
        (0, 2, [570, 585]),
        (9999, 1, [630]),
        (600, 0, []),
        (600, 99, [600, 585, 615, 570, 630]),
    ],
)
def test_nearest_is_by_distance_and_the_earlier_of_equals(
    wanted_at: int, count: int, expected: list[int]
) -> None:
    starts = [Start(at, (ANA,)) for at in (570, 585, 600, 615, 630)]
    assert [start.starts_at for start in nearest(starts, wanted_at, count)] == expected
