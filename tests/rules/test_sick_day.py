"""What becomes of the visits of a therapist who cannot work."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clinic.rules.limits import Given, Limits
from clinic.rules.sick_day import Deed, Extra, Proposal, Touched, Way, best_for_all

ANA, BEN, ROOM, OTHER_ROOM = 1, 2, 11, 12


def way(start: int, therapist: int, room: int = ROOM, *, client: int = 0) -> Way:
    return Way(start, start + 75, therapist, frozenset({therapist, room, *([client] if client else [])}))


def deeds(found: list[Proposal]) -> list[tuple[int, str, int | None]]:
    return [(one.visit_id, one.deed.value, one.way.therapist if one.way else None) for one in found]


def test_the_same_time_first_then_another_time_then_a_call() -> None:
    found = best_for_all(
        [
            Touched(3, 200, by_name=False),
            Touched(2, 100, by_name=False, other_times=[way(300, ANA)]),
            Touched(1, 0, by_name=False, same_time=[way(0, BEN), way(0, ANA)], other_times=[way(300, BEN)]),
        ]
    )
    assert deeds(found) == [(1, "give", BEN), (2, "offer", ANA), (3, "call", None)]
    assert [one.is_ticked for one in found] == [True, True, False]


def test_two_visits_at_one_time_do_not_get_the_same_therapist_room_or_client() -> None:
    both = [
        Touched(1, 0, by_name=False, same_time=[way(0, ANA), way(0, BEN, OTHER_ROOM)]),
        Touched(2, 0, by_name=False, same_time=[way(0, ANA)]),
    ]
    assert deeds(best_for_all(both)) == [(1, "give", BEN), (2, "give", ANA)]
    one_room = [
        Touched(1, 0, by_name=False, same_time=[way(0, ANA)]),
        Touched(2, 30, by_name=False, same_time=[way(30, BEN)], other_times=[way(75, BEN)]),
    ]
    assert deeds(best_for_all(one_room)) == [(1, "give", ANA), (2, "offer", BEN)]
    one_client = [
        Touched(1, 0, by_name=False, same_time=[way(0, ANA, client=5)]),
        Touched(
            2, 400, by_name=False, other_times=[way(30, BEN, OTHER_ROOM, client=5), way(90, BEN, client=5)]
        ),
    ]
    assert [one.way and one.way.starts_at for one in best_for_all(one_client)] == [0, 90]


def test_who_chose_by_name_is_only_proposed_and_takes_nothing_from_the_others() -> None:
    found = best_for_all(
        [
            Touched(1, 0, by_name=True, same_time=[way(0, ANA)], other_times=[way(300, ANA)]),
            Touched(2, 0, by_name=False, same_time=[way(0, ANA)]),
        ]
    )
    assert deeds(found) == [(1, "offer", ANA), (2, "give", ANA)]
    alone = best_for_all([Touched(1, 0, by_name=True, same_time=[way(0, ANA)])])
    assert alone == [Proposal(1, Deed.GIVE, way(0, ANA), is_ticked=False)]


DAY = dt.date(2026, 6, 12)


@pytest.mark.parametrize(
    ("limits", "given_already", "second_at", "is_both"),
    [
        (Limits(), Given(), 75, True),
        (Limits(pause=15), Given(), 75, False),
        (Limits(pause=15), Given(), 90, True),  # touching what is kept free is no clash
        (Limits(pause=15), Given(), 89, False),
        (Limits(visits=2), Given(visits=0), 300, True),
        (Limits(visits=2), Given(visits=1), 300, False),
        (Limits(minutes=120), Given(), 300, True),  # exactly the most is allowed
        (Limits(minutes=119), Given(), 300, False),
        (Limits(minutes=180), Given(minutes=61), 300, False),
        (Limits(intense=120), Given(), 300, True),
        (Limits(intense=119), Given(), 300, False),
    ],
)
def test_what_is_too_much_together_is_not_proposed_together(
    limits: Limits, given_already: Given, second_at: int, is_both: bool
) -> None:
    """Each of the two could be given alone. The hour is 60 minutes of treatment and 15 of turnover."""
    extra = Extra(DAY, 60, True, given_already, limits, place=1, travel=30)
    visits = [
        Touched(number, at, by_name=False, same_time=[Way(at, at + 75, ANA, frozenset({ANA, room}), extra)])
        for number, (at, room) in enumerate(((0, ROOM), (second_at, OTHER_ROOM)))
    ]
    assert [one.deed for one in best_for_all(visits)] == [Deed.GIVE, Deed.GIVE if is_both else Deed.CALL]
    assert [one.deed for one in best_for_all(visits[1:])] == [Deed.GIVE]


@pytest.mark.parametrize(("place", "second_at", "is_both"), [(1, 75, True), (2, 104, False), (2, 105, True)])
def test_there_is_time_for_the_way_between_two_places(place: int, second_at: int, is_both: bool) -> None:
    first, second = (
        Way(at, at + 75, ANA, frozenset({ANA, room}), Extra(DAY, 60, False, Given(), Limits(), where, 30))
        for at, room, where in ((0, ROOM, 1), (second_at, OTHER_ROOM, place))
    )
    assert (first.clashes(second), second.clashes(first)) == (not is_both, not is_both)


def test_another_day_and_another_therapist_have_a_measure_of_their_own() -> None:
    one = Extra(DAY, 60, False, Given(), Limits(visits=1), 1, 0)
    other = Extra(DAY + dt.timedelta(days=1), 60, False, Given(), Limits(visits=1), 1, 0)
    ways = [
        Way(0, 75, ANA, frozenset({ANA}), one), Way(1440, 1515, ANA, frozenset({ANA}), other),
        Way(300, 375, BEN, frozenset({BEN}), one),
    ]  # fmt: skip
    visits = [
        Touched(number, way.starts_at, by_name=False, same_time=[way]) for number, way in enumerate(ways)
    ]
    assert [one.deed for one in best_for_all(visits)] == [Deed.GIVE] * 3


WAYS = st.lists(
    st.builds(
        lambda start, therapist, room: way(15 * start, therapist, room),
        st.integers(0, 12), st.integers(1, 3), st.integers(11, 12),
    ),
    max_size=4,
)  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 300), st.booleans(), WAYS, WAYS), max_size=6))
def test_no_two_proposals_take_the_same_thing(days: list[tuple[int, bool, list[Way], list[Way]]]) -> None:
    touched = [Touched(number, *one) for number, one in enumerate(days)]
    found = best_for_all(touched)
    assert sorted(one.visit_id for one in found) == list(range(len(days)))
    ways = [one.way for one in found if one.way is not None]
    for number, one in enumerate(ways):
        assert not any(one.clashes(other) for other in ways[number + 1 :])
    for proposal in found:
        visit = touched[proposal.visit_id]
        mine = {Deed.GIVE: visit.same_time, Deed.OFFER: visit.other_times, Deed.CALL: [None]}
        assert proposal.way in mine[proposal.deed]
        assert not (proposal.is_ticked and proposal.deed is Deed.GIVE and visit.by_name)
