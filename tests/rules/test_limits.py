"""How much a therapist gives a day."""

from __future__ import annotations

from clinic.rules.limits import Given, Limits


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
