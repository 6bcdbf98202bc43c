"""How long a session lasts, and when a screen locks."""

from __future__ import annotations

import datetime as dt

import pytest

from clinic.rules.permissions import Role
from clinic.rules.session_rules import SessionRules

BEGAN = dt.datetime(2026, 6, 9, 8, tzinfo=dt.UTC)
RULES = SessionRules(client_idle=dt.timedelta(days=2), client_longest=dt.timedelta(days=5))


@pytest.mark.parametrize(
    ("roles", "seen_after_hours", "ends_after_hours"),
    [
        ([Role.FRONT_DESK], 11, 12),
        ([Role.CLIENT, Role.THERAPIST], 0, 12),
        ([Role.CLIENT], 0, 48),
        ([Role.CLIENT], 24, 72),
        ([Role.CLIENT], 100, 120),
    ],
)
def test_it_ends_at_its_longest_and_a_clients_also_when_not_used(
    roles: list[Role], seen_after_hours: int, ends_after_hours: int
) -> None:
    seen_at = BEGAN + dt.timedelta(hours=seen_after_hours)
    assert RULES.ends_at(roles, began_at=BEGAN, seen_at=seen_at) == BEGAN + dt.timedelta(
        hours=ends_after_hours
    )


def test_only_the_teams_screens_lock_and_at_the_very_minute() -> None:
    for seconds, roles, locked in (
        (899, [Role.OWNER], False),
        (900, [Role.OWNER], True),
        (900, [Role.CLIENT, Role.FRONT_DESK], True),
        (90_000, [Role.CLIENT], False),
    ):
        now = BEGAN + dt.timedelta(seconds=seconds)
        assert RULES.is_left_alone(roles, seen_at=BEGAN, now=now) is locked
