"""The rest between visits: every figure, both directions, the longer gap, the week, nights when the clock changes."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic.rules.body_areas import AREAS
from clinic.rules.frequency import FIGURES, BodyWork, RestRule, ShortRest, fine_from, short_rests, work_of
from clinic.rules.rule_table import TABLE
from clinic.rules.verdicts import ADDONS, SERVICES
from clinic.rules.wall_time import WallClock, epoch_minute

ZONE = ZoneInfo("America/New_York")
CLOCK = WallClock(ZONE)
DAY = 24 * 60
CALM = dt.date(2026, 6, 10)  # no change of the clock for months

# service, mode, add-ons: least days on the same area, elsewhere, most in seven days (care guide, frequency)
ROWS = [
    ("decompression_traction", None, (), 2, 1, 3),
    ("decompression_vacuum", None, (), 7, 2, 2),
    ("decompression_vacuum", "interval", (), 2, None, 3),
    ("decompression_vacuum_magnetic", None, (), 7, 2, 2),
    ("swedish", None, (), 1, 1, 3),
    ("deep_tissue", None, (), 3, 1, 2),
    ("sports", None, (), 2, 1, 3),
    ("relaxation", None, (), 1, 1, 4),
]


def at(day: dt.date, hour: int = 10, minute: int = 0, fold: int = 0) -> int:
    return epoch_minute(dt.datetime.combine(day, dt.time(hour, minute, fold=fold), ZONE))


def work(
    service: str,
    start: int,
    *,
    mode: str | None = None,
    addons: tuple[str, ...] = (),
    areas: tuple[str, ...] = ("lower_back",),
    minutes: int = 60,
    visit_id: int | None = 7,
) -> BodyWork:
    return work_of(
        start, start + minutes, columns=(service,), mode=mode, addons=addons, areas=areas, visit_id=visit_id
    )


def rules(wanted: BodyWork, *others: BodyWork) -> list[RestRule]:
    return [one.rule for one in short_rests(wanted, others, CLOCK)]


@pytest.mark.parametrize(("service", "mode", "addons", "same", "elsewhere", "most"), ROWS)
def test_the_gap_counts_from_the_end_of_one_to_the_start_of_the_next(
    service: str, mode: str | None, addons: tuple[str, ...], same: int, elsewhere: int | None, most: int
) -> None:
    first = work(service, at(CALM), mode=mode)
    free = first.end + same * DAY
    for start, expected in ((free - 1, [RestRule.SAME_AREA]), (free, [])):
        second = work(service, start, mode=mode)
        assert rules(second, first) == expected
        assert rules(first, second) == expected, "a later visit counts as an earlier one does"
    if elsewhere is not None:
        free = first.end + elsewhere * DAY
        for start, expected in ((free - 1, [RestRule.OTHER_AREA]), (free, [])):
            assert rules(work(service, start, areas=("left_hand",)), first) == expected
            assert rules(first, work(service, start, areas=("left_hand",))) == expected


@pytest.mark.parametrize(("service", "mode", "addons", "same", "elsewhere", "most"), ROWS)
def test_the_most_in_seven_days(
    service: str, mode: str | None, addons: tuple[str, ...], same: int, elsewhere: int | None, most: int
) -> None:
    # on other places each time, so that only the week speaks: starts are 6 days and 23 hours apart at most
    places = ("left_hand", "right_hand", "left_foot", "right_foot", "chest")
    step = (7 * DAY - 60) // most
    starts = [at(CALM) + number * step for number in range(most + 1)]
    made = [
        work(service, start, mode=mode, areas=(place,)) for start, place in zip(starts, places, strict=False)
    ]
    for wanted in made:
        rest = [one for one in made if one is not wanted]
        assert RestRule.WEEK in rules(wanted, *rest)
        assert RestRule.WEEK not in rules(wanted, *rest[1:])
    late = made[-1].moved_to(at(CALM) + 7 * DAY)
    assert RestRule.WEEK not in rules(late, *made[:-1])
    assert RestRule.WEEK in rules(late.moved_to(late.start - 1), *made[:-1])


def test_a_week_is_any_seven_days_and_not_one_of_the_calendar() -> None:
    friday = dt.date(2026, 6, 12)
    made = [work("deep_tissue", at(friday)), work("deep_tissue", at(friday + dt.timedelta(days=4)))]
    wanted = work("deep_tissue", at(friday + dt.timedelta(days=6), 20), areas=("left_hand",))
    assert RestRule.WEEK in rules(wanted, *made)


@pytest.mark.parametrize(("taken", "wanted", "free"), [
    ((0, 10, 11, 12, 14), 8, 17),  # not the earlier moment at which nothing would have been full
    ((1, 3, 4, 5, 6), 7, 10),  # not the first visit that is a week old, while the others still fill the week
])  # fmt: skip
def test_a_full_week_names_the_first_later_moment_at_which_it_is_not(
    taken: tuple[int, ...], wanted: int, free: int
) -> None:
    others = [work("relaxation", at(CALM + dt.timedelta(day)), areas=("left_hand",)) for day in taken]
    found = short_rests(work("relaxation", at(CALM + dt.timedelta(wanted))), others, CLOCK)
    weeks = [one.fine_from for one in found if one.rule is RestRule.WEEK]
    assert weeks == [at(CALM + dt.timedelta(free))]


def test_a_week_that_was_full_before_says_nothing_about_a_visit_outside_it() -> None:
    made = [
        work("deep_tissue", at(CALM + dt.timedelta(days=days)), areas=(place,))
        for days, place in ((0, "left_hand"), (2, "right_hand"), (4, "chest"))
    ]
    assert rules(work("deep_tissue", at(CALM + dt.timedelta(days=30))), *made) == []


@pytest.mark.parametrize(
    ("first", "second", "days"),
    [
        ("decompression_vacuum", "deep_tissue", 7),
        ("deep_tissue", "decompression_vacuum", 7),
        ("swedish", "deep_tissue", 3),
        ("relaxation", "sports", 2),
        ("decompression_vacuum_magnetic", "decompression_traction", 7),
    ],
)
def test_between_services_on_the_same_tissue_the_longer_gap_holds(first: str, second: str, days: int) -> None:
    before = work(first, at(CALM))
    assert rules(work(second, before.end + days * DAY - 1), before) == [RestRule.SAME_AREA]
    assert rules(work(second, before.end + days * DAY), before) == []


@pytest.mark.parametrize(
    ("one", "other", "overlap"),
    [
        (("back",), ("lower_back",), True),
        (("full_body",), ("left_hand",), True),
        (("left_arm",), ("right_arm",), False),
        ((), ("left_hand",), True),  # unknown is never "nowhere"
        (("shoulders",), ("left_shoulder",), True),
    ],
)
def test_areas_overlap_when_they_share_a_place(
    one: tuple[str, ...], other: tuple[str, ...], overlap: bool
) -> None:
    first = work("deep_tissue", at(CALM), areas=one)
    found = rules(work("deep_tissue", first.end + 2 * DAY, areas=other), first)
    assert found == ([RestRule.SAME_AREA] if overlap else [])


def test_the_chamber_encloses_everything_below_the_ribs() -> None:
    chamber = work("decompression_vacuum", at(CALM), mode="interval", areas=("abdomen",))
    legs = work("swedish", chamber.end + DAY, areas=("left_leg",))
    hands = work("swedish", chamber.end + DAY, areas=("left_hand",))
    assert (rules(legs, chamber), rules(hands, chamber)) == ([RestRule.SAME_AREA], [])


def test_the_chamber_and_the_cups_are_counted_apart() -> None:
    cups = [work("decompression_vacuum", at(CALM + dt.timedelta(days=days))) for days in (0, 3)]
    chamber = work(
        "decompression_vacuum", at(CALM + dt.timedelta(days=5)), mode="interval", areas=("left_leg",)
    )
    assert RestRule.WEEK not in rules(chamber, *cups)


def test_hot_stones_have_a_week_of_their_own_and_oils_none() -> None:
    places = ("left_hand", "right_hand", "left_foot", "right_foot")
    with_stones = [
        work("swedish" if number % 2 else "relaxation", at(CALM) + number * 2 * DAY, addons=("hot_stone",),
             areas=(place,))
        for number, place in enumerate(places)
    ]  # fmt: skip
    found = short_rests(with_stones[-1], with_stones[:-1], CLOCK)
    assert [(one.rule, one.row) for one in found] == [(RestRule.WEEK, "hot_stone")]
    with_oil = [
        work("relaxation", one.start, addons=("aromatherapy",), areas=("chest",)) for one in with_stones
    ]
    assert rules(with_oil[-1], *with_oil[:-1]) == []


def test_a_service_judged_as_several_keeps_the_strictest_of_them() -> None:
    both = work_of(
        at(CALM), at(CALM) + 60, columns=("relaxation", "deep_tissue"), mode=None, addons=(), areas=("chest",)
    )
    assert rules(work("relaxation", both.end + 2 * DAY, areas=("chest",)), both) == [RestRule.SAME_AREA]
    assert rules(work("relaxation", both.end + 3 * DAY, areas=("chest",)), both) == []


# ── days on the wall ─────────────────────────────────────────────────────────────────────────────────────


def test_a_day_is_a_day_on_the_wall_where_the_clock_goes_forward() -> None:
    before = work("swedish", at(dt.date(2026, 3, 7), 10))  # the clock goes forward in the night to 8 March
    free = at(dt.date(2026, 3, 8), 11)
    assert free - before.end == 23 * 60
    assert rules(work("swedish", free), before) == []
    assert rules(work("swedish", free - 1), before) == [RestRule.SAME_AREA]


def test_a_day_is_a_day_on_the_wall_where_the_clock_goes_back() -> None:
    before = work("swedish", at(dt.date(2026, 10, 31), 10))  # it goes back in the night to 1 November
    free = at(dt.date(2026, 11, 1), 11)
    assert free - before.end == 25 * 60
    assert rules(work("swedish", free), before) == []
    assert rules(work("swedish", free - 1), before) == [RestRule.SAME_AREA]


def test_a_time_that_the_clock_leaves_out_means_the_moment_of_the_jump() -> None:
    before = work("swedish", at(dt.date(2026, 3, 7), 1, 30))  # ends at 02:30: the next day has none
    [found] = short_rests(work("swedish", at(dt.date(2026, 3, 8), 0)), [before], CLOCK)
    assert found.fine_from == at(dt.date(2026, 3, 8), 3)


def test_a_time_that_is_there_twice_means_its_first_moment() -> None:
    before = work("swedish", at(dt.date(2026, 10, 31), 0, 30))
    [found] = short_rests(work("swedish", at(dt.date(2026, 11, 1), 0)), [before], CLOCK)
    assert found.fine_from == at(dt.date(2026, 11, 1), 1, 30)


# ── what is said ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("found", "sentence"),
    [
        (ShortRest(RestRule.SAME_AREA, 3, "deep_tissue", 0),
         "The body needs 3 days of rest between visits that work on the same area."),
        (ShortRest(RestRule.SAME_AREA, 1, "swedish", 0),
         "The body needs 1 day of rest between visits that work on the same area."),
        (ShortRest(RestRule.OTHER_AREA, 2, "decompression_vacuum", 0), "The body needs 2 days of rest between visits."),
        (ShortRest(RestRule.WEEK, 2, "deep_tissue", 0),
         "More than 2 visits with deep tissue massage in seven days are too much for the body."),
    ],
)  # fmt: skip
def test_the_sentence_is_plain_and_names_nobody(found: ShortRest, sentence: str) -> None:
    assert found.sentence == sentence


def test_every_finding_names_the_visit_it_is_about_and_when_it_ends() -> None:
    before, after = (
        work("deep_tissue", at(CALM), visit_id=1),
        work("deep_tissue", at(CALM) + 4 * DAY, visit_id=2),
    )
    found = short_rests(work("deep_tissue", at(CALM) + 2 * DAY, visit_id=None), [before, after], CLOCK)
    assert found == [
        ShortRest(RestRule.SAME_AREA, 3, "deep_tissue", before.end + 3 * DAY, visit_id=1),
        ShortRest(RestRule.SAME_AREA, 3, "deep_tissue", after.end + 3 * DAY, visit_id=2),
        ShortRest(RestRule.WEEK, 2, "deep_tissue", before.start + 7 * DAY),
    ]


def test_the_first_moment_that_is_fine_lies_behind_everything_in_the_way() -> None:
    before, after = work("deep_tissue", at(CALM)), work("deep_tissue", at(CALM) + 5 * DAY)
    wanted = work("deep_tissue", at(CALM) + DAY)
    assert fine_from(wanted, [before, after], CLOCK) == after.end + 3 * DAY
    assert fine_from(wanted, [before], CLOCK) == before.end + 3 * DAY
    assert fine_from(wanted, [], CLOCK) == wanted.start


# ── properties ───────────────────────────────────────────────────────────────────────────────────────────

AREA = st.lists(st.sampled_from(sorted(AREAS)), max_size=2).map(tuple)
SPRING = at(dt.date(2026, 3, 1), 0)  # the clock goes forward within these weeks
WORK = st.builds(
    lambda row, start, areas, addons, minutes: work(
        row[0], start, mode=row[1], areas=areas, addons=addons, minutes=minutes
    ),
    st.sampled_from(ROWS),
    st.integers(0, 20 * DAY).map(lambda minute: SPRING + minute),
    AREA,
    st.sampled_from(((), ("hot_stone",), ("aromatherapy",))),
    st.sampled_from((30, 60, 90)),
)


@given(WORK, WORK)
def test_two_visits_are_too_near_whichever_was_booked_first(one: BodyWork, other: BodyWork) -> None:
    gap = (RestRule.SAME_AREA, RestRule.OTHER_AREA)
    assert [rule for rule in rules(one, other) if rule in gap] == [
        rule for rule in rules(other, one) if rule in gap
    ]


@given(WORK, st.lists(WORK, max_size=6))
def test_from_the_moment_that_is_named_it_is_fine(wanted: BodyWork, others: list[BodyWork]) -> None:
    start = fine_from(wanted, others, CLOCK)
    assert start >= wanted.start
    assert rules(wanted.moved_to(start), *others) == []
    assert (start == wanted.start) == (rules(wanted, *others) == [])


@given(WORK, st.lists(WORK, max_size=5), WORK)
def test_one_more_visit_never_makes_a_time_better(
    wanted: BodyWork, others: list[BodyWork], more: BodyWork
) -> None:
    assert len(rules(wanted, *others)) <= len(rules(wanted, *others, more))


@given(WORK, st.lists(WORK, max_size=5))
def test_whoever_keeps_a_week_away_is_always_fine(wanted: BodyWork, others: list[BodyWork]) -> None:
    far = [one for one in others if one.end <= wanted.start - 8 * DAY or one.start >= wanted.end + 8 * DAY]
    assert rules(wanted, *far) == []


# ── the table ────────────────────────────────────────────────────────────────────────────────────────────


def test_a_finding_names_the_row_with_the_longer_gap() -> None:
    found = short_rests(work("swedish", at(CALM) + DAY), [work("deep_tissue", at(CALM))], CLOCK)
    assert [(one.row, one.figure) for one in found] == [("deep_tissue", 3)]


def test_only_the_cups_become_the_chamber_and_a_moved_visit_keeps_its_length() -> None:
    found = work_of(10, 70, columns=("decompression_vacuum", "swedish"), mode="interval", addons=(), areas=())
    assert found.rows == ("interval", "swedish")
    moved = found.moved_to(100)
    assert (moved.start, moved.end, moved.rows) == (100, 160, found.rows)


def test_what_has_no_figures_asks_for_no_rest() -> None:
    oils = work("aromatherapy", at(CALM))
    assert (oils.rows, rules(oils.moved_to(oils.end), oils)) == ((), [])


def test_every_service_has_figures_and_every_figure_a_source() -> None:
    assert set(FIGURES) == {*SERVICES, "interval", "hot_stone"}
    assert set(FIGURES) - {*SERVICES, *ADDONS, "interval"} == set()
    assert {key for one in FIGURES.values() for key in one.sources} <= set(TABLE.sources)
    assert [one.key for one in FIGURES.values() if not one.sources or one.same_area_days < 1] == []
    assert [one.key for one in FIGURES.values() if one.other_area_days > one.same_area_days] == []
