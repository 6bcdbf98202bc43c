"""The states of a visit: the table of transitions, claims, permits and labels."""

from __future__ import annotations

import datetime as dt
from itertools import product

import pytest

from clinic.rules import visit_status
from clinic.rules.errors import MoveNotAllowed
from clinic.rules.visit_status import (
    VisitStatus,
    check_transition,
    may_become,
    may_have_begun,
    standing_since,
)

ALLOWED = {
    ("held", "pending"),
    ("held", "confirmed"),
    ("held", "cancelled"),
    ("held", "released"),
    ("pending", "confirmed"),
    ("pending", "cancelled"),
    ("pending", "released"),
    ("confirmed", "arrived"),
    ("confirmed", "no_show"),
    ("confirmed", "cancelled"),
    ("confirmed", "late_cancelled"),
    ("confirmed", "suspended"),
    ("confirmed", "released"),
    ("arrived", "in_session"),
    ("arrived", "confirmed"),
    ("arrived", "cancelled"),
    ("arrived", "late_cancelled"),
    ("arrived", "suspended"),
    ("in_session", "done"),
    ("in_session", "arrived"),
    ("done", "in_session"),
    ("no_show", "arrived"),
    ("late_cancelled", "cancelled"),
    ("suspended", "confirmed"),
    ("suspended", "cancelled"),
    ("suspended", "released"),
}


@pytest.mark.parametrize(("old", "new"), list(product(VisitStatus, VisitStatus)))
def test_every_pair_of_states_is_as_the_table_says(old: VisitStatus, new: VisitStatus) -> None:
    allowed = (old.value, new.value) in ALLOWED
    assert may_become(old, new) is allowed
    if allowed:
        check_transition(old, new)
    else:
        with pytest.raises(MoveNotAllowed):
            check_transition(old, new)


def test_a_refused_change_is_said_in_plain_words() -> None:
    with pytest.raises(MoveNotAllowed) as refused:
        check_transition(VisitStatus.CANCELLED, VisitStatus.ARRIVED)
    assert refused.value.sentence == "A visit that is marked “Cancelled” cannot be marked “Arrived”."
    with pytest.raises(MoveNotAllowed) as again:
        check_transition(VisitStatus.DONE, VisitStatus.DONE)
    assert again.value.sentence == "This visit is already marked “Done”."


def states_where(holds: object) -> set[str]:
    assert callable(holds)
    return {status.value for status in VisitStatus if holds(status)}


def test_who_keeps_claims_needs_a_permit_and_ends_at_a_deadline() -> None:
    assert states_where(visit_status.holds_claims) == {
        "held", "pending", "confirmed", "arrived", "in_session", "done", "suspended",
    }  # fmt: skip
    assert states_where(visit_status.needs_permit) == {"confirmed", "arrived", "in_session", "done"}
    assert set(visit_status.ENDING_AT_A_DEADLINE) == {"held", "pending", "suspended"}
    assert set(visit_status.UPCOMING) == {"pending", "confirmed", "suspended"}


def test_what_needs_a_permit_keeps_its_claims() -> None:
    assert visit_status.NEEDING_PERMIT < visit_status.HOLDING_CLAIMS


def test_a_state_with_a_permit_is_reached_from_outside_by_confirming_or_coming_after_all() -> None:
    ways_in = {
        (old.value, new.value)
        for old, new in product(VisitStatus, VisitStatus)
        if may_become(old, new) and visit_status.needs_permit(new) and not visit_status.needs_permit(old)
    }
    assert ways_in == {
        ("held", "confirmed"),
        ("pending", "confirmed"),
        ("suspended", "confirmed"),
        ("no_show", "arrived"),
    }


def test_every_state_has_a_label_of_its_own_for_client_and_staff() -> None:
    for label in (visit_status.client_label, visit_status.staff_label):
        words = [label(status) for status in VisitStatus]
        assert len(set(words)) == len(VisitStatus)
        assert not any(word in text.lower() for text in words for word in ("denied", "rejected", "_"))


@pytest.mark.parametrize(
    ("minutes_later", "begun"),
    [(-1, {"in_session", "done"}), (0, set(VisitStatus) - {"cancelled", "late_cancelled", "released"})],
)
def test_nobody_was_treated_before_the_time_or_in_what_was_called_off(
    minutes_later: int, begun: set[str]
) -> None:
    start = dt.datetime(2026, 6, 9, 15, tzinfo=dt.UTC)
    now = start + dt.timedelta(minutes=minutes_later)
    assert {one for one in VisitStatus if may_have_begun(one, start, now)} == begun


@pytest.mark.parametrize(
    ("steps", "since"),
    [
        ("confirmed arrived", 2),
        ("confirmed arrived in_session done", 4),
        ("confirmed arrived in_session done in_session", 3),  # not finished after all
        ("confirmed arrived in_session done in_session done", 6),
        ("confirmed arrived confirmed arrived", 4),  # a slip taken back, and then they came
        ("confirmed no_show arrived", 3),
        ("pending", 1),
    ],
)
def test_a_visit_stands_as_it_does_since_it_came_to_that(steps: str, since: int) -> None:
    walked = [
        (VisitStatus(one), dt.datetime(2026, 6, 9, hour, tzinfo=dt.UTC))
        for hour, one in enumerate(steps.split(), start=1)
    ]
    assert standing_since(walked).hour == since
