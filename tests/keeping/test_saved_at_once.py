"""Two owners at one moment: the second sees what the first has written."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from clinic.keeping.queries import periods
from clinic.keeping.services import expiring
from clinic.rules.permissions import Role
from clinic.shared.seen import mark_of
from tests.at_once import Deeds, deeds
from tests.conftest import NOW
from tests.factories import make_clinic, make_user

__all__ = ["deeds"]
pytestmark = pytest.mark.usefixtures("now")


@pytest.mark.parametrize("begins", [False, True])
def test_the_periods_that_somebody_has_set_before(deeds: Deeds, begins: bool) -> None:
    """The second one sets another period, or lets things go by those that were shown."""
    make_clinic()
    owner = make_user(email="olive@clinic.example", roles=[Role.OWNER]).id
    expiring.save_periods(periods.periods(), by=owner, now=NOW)
    old = periods.periods()

    def save(**amounts: int) -> Callable[[], object]:
        return lambda: expiring.save_periods(old | amounts, by=owner, now=NOW, seen=mark_of(old))

    def begin() -> None:
        expiring.let_go_by_periods(by=owner, now=NOW, seen=mark_of(old))

    deeds.stop_in(expiring, "leave_trace")
    first, second = save(records=old["records"] + 1), begin if begins else save(mails=old["mails"] + 1)
    assert deeds.do(first, second) == ("done", "ChangedMeanwhile")
    assert periods.periods() == old | {"records": old["records"] + 1}
