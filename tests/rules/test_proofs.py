"""When the last proof still serves, and whose account a password alone must never open."""

from __future__ import annotations

import datetime as dt

import pytest

from clinic.rules.permissions import Permission, Role
from clinic.rules.proofs import Proof, is_proven, needs_second_step

NOW = dt.datetime(2026, 6, 9, 13, tzinfo=dt.UTC)


@pytest.mark.parametrize(("seconds", "serves"), [(0, True), (600, True), (601, False)])
def test_a_proof_serves_for_ten_minutes_and_never_for_a_deed_that_wants_its_own(
    seconds: int, serves: bool
) -> None:
    proved_at = NOW - dt.timedelta(seconds=seconds)
    assert is_proven(Proof.RECENT, proved_at, NOW) is serves
    assert not is_proven(Proof.SECOND_STEP, proved_at, NOW)


def test_whoever_works_here_needs_a_second_step() -> None:
    for role in Role:
        works_here = role in {Role.THERAPIST, Role.FRONT_DESK, Role.OWNER}
        assert needs_second_step([Role.CLIENT, role], []) is works_here
    assert needs_second_step([Role.CLIENT], [Permission.CLINICAL_REVIEW])
