"""Two owners who save one form at one moment: the second sees what the first has written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from clinic.messages import queries, services
from clinic.shared.seen import mark_of
from tests.at_once import Deeds, deeds
from tests.conftest import NOW
from tests.factories import make_clinic

__all__ = ["deeds"]
pytestmark = pytest.mark.usefixtures("now")
ONE_SAVED = ("done", "ChangedMeanwhile")
KIND = "running_late", "en"


def save_text(subject: str, seen: str) -> Callable[[], object]:
    return lambda: services.save_text(*KIND, subject, "We are late.", seen=seen, by=None, now=NOW)


def use_standard(seen: str) -> Callable[[], object]:
    return lambda: services.use_standard_text(*KIND, seen=seen, by=None, now=NOW)


def mark() -> str:
    return mark_of(queries.text_of(*KIND))


def test_a_text(deeds: Deeds) -> None:
    make_clinic()
    save_text("Before", mark())()
    deeds.stop_in(services, "leave_trace")
    assert deeds.do(save_text("First", mark()), save_text("Second", mark())) == ONE_SAVED
    assert queries.text_of(*KIND)[0].startswith("First\n")


def test_a_text_that_is_taken_away_meanwhile(deeds: Deeds) -> None:
    make_clinic()
    save_text("Before", mark())()
    deeds.stop_in(services, "leave_trace")
    assert deeds.do(use_standard(mark()), save_text("Second", mark())) == ONE_SAVED
    assert not queries.text_of(*KIND)[1]


def test_a_text_that_is_changed_meanwhile_is_not_taken_away(deeds: Deeds) -> None:
    make_clinic()
    save_text("Before", mark())()
    deeds.stop_in(services, "leave_trace")
    assert deeds.do(save_text("First", mark()), use_standard(mark())) == ONE_SAVED
    assert queries.text_of(*KIND)[0].startswith("First\n")


def test_the_times(deeds: Deeds) -> None:
    make_clinic()
    old = queries.settings()

    def save(hours: str) -> Callable[[], object]:
        new = replace(old, reminder_hours=hours)
        return lambda: services.save_settings(new, seen=mark_of(vars(old)), by=None, now=NOW)

    deeds.stop_in(services, "leave_trace")
    assert deeds.do(save("48"), save("24")) == ONE_SAVED
    assert queries.settings().reminder_hours == "48"
