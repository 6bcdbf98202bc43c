"""How much a therapist gives a day."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from clinic.rules.availability import Book, Eligible, Wanted, bookable_starts
from clinic.rules.limits import Given, Limits, kept_free


def test_exactly_the_most_is_allowed_and_a_minute_more_is_not() -> None:
    limits = Limits(minutes=300, intense=120)
    assert limits.allow(Given(240, 60), 60, is_intense=True)
    assert not limits.allow(Given(241, 60), 60, is_intense=False)
    assert not limits.allow(Given(200, 61), 60, is_intense=True)
    assert limits.allow(Given(200, 120), 60, is_intense=False)
    assert not limits.allow(Given(), 301, is_intense=False)


def test_without_a_limit_everything_is_allowed() -> None:
    assert Limits().allow(Given(900, 900), 90, is_intense=True)
    assert not Limits(minutes=60).allow(Given(minutes=30), 31, is_intense=True)
    assert Limits(intense=60).allow(Given(minutes=900, intense=60), 60, is_intense=False)


def test_a_limit_concerns_what_it_counts() -> None:
    assert Limits(minutes=1).concern(is_intense=False)
    assert Limits(intense=1).concern(is_intense=True)
    assert not Limits(intense=1).concern(is_intense=False)
    assert not Limits().concern(is_intense=True)


def test_the_most_visits_a_day_may_be_reached_and_not_passed() -> None:
    limits = Limits(visits=3)
    assert limits.allow(Given(900, 900, visits=2), 500, is_intense=True)
    assert not limits.allow(Given(visits=3), 1, is_intense=False)
    assert not Limits(minutes=60, visits=3).allow(Given(minutes=30, visits=1), 31, is_intense=False)
    assert Limits(visits=1).concern(is_intense=False)
    assert not Limits(pause=30).concern(is_intense=True)  # that is kept in the book, not counted by the day


@settings(max_examples=150, deadline=None)
@given(
    pause=st.integers(0, 45),
    turnover=st.integers(0, 20),
    minutes=st.integers(1, 90),
    visits=st.lists(st.tuples(st.integers(0, 600), st.integers(1, 120)), max_size=4),
)
def test_a_pause_is_kept_before_and_after_every_visit(
    pause: int, turnover: int, minutes: int, visits: list[tuple[int, int]]
) -> None:
    """Against every pair of visits: one ends, with its turnover and the pause, before the other one starts."""
    taken = [(start, start + length) for start, length in visits]
    busy = [kept_free(start, end, pause) for start, end in taken]
    grid = range(0, 700, 5)
    wanted = Wanted(minutes, turnover, 0, 700)
    book = Book(duty={1: [(0, 1000)]}, opening=[(0, 1000)], busy={1: busy})
    found = [one.starts_at for one in bookable_starts(grid, wanted, Eligible([1], [2]), book)]
    claim = minutes + turnover
    assert found == [
        start
        for start in grid
        if all(end + pause <= start or start + claim + pause <= other for other, end in taken)
    ]
