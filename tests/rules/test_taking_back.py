"""How long a step at the desk can be taken back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from clinic.rules.errors import TooLate
from clinic.rules.taking_back import SHOWN_SECONDS, TIME_TO_TAKE_BACK, check_in_time

UNTIL = datetime(2026, 6, 9, 13, 0, tzinfo=UTC)


def test_until_the_moment_and_no_longer() -> None:
    check_in_time(UNTIL, now=UNTIL - timedelta(microseconds=1))
    for late in (UNTIL, UNTIL + timedelta(seconds=1)):
        with pytest.raises(TooLate):
            check_in_time(UNTIL, now=late)


def test_a_press_in_the_last_second_shown_is_in_time() -> None:
    assert timedelta(seconds=SHOWN_SECONDS) < TIME_TO_TAKE_BACK < timedelta(seconds=SHOWN_SECONDS + 5)
