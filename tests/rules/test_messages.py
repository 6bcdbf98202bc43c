"""What is sent about a visit and when, with the clock changes of spring and autumn; and what an owner may write."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from clinic.rules.messages import (
    AFTERCARE,
    ANSWERS_MISSING,
    FOR_CLIENTS,
    FOR_STAFF,
    KINDS,
    REMINDER,
    SMS,
    TIMED,
    Off,
    Timing,
    day_after,
    hours_from,
    timed_messages,
)
from clinic.rules.own_text import PLACES, fill, mistake_in
from clinic.rules.quiet_time import QuietTime
from clinic.rules.visit_status import UPCOMING, VisitStatus
from clinic.rules.wall_time import WallClock, epoch_minute, moment

ALL = Timing((48, 3), asks_for_answers=True, sends_aftercare=True)
LONG_BEFORE = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
BERLIN, ADELAIDE = "Europe/Berlin", "Australia/Adelaide"


def at(zone: str, *parts: int) -> dt.datetime:
    return dt.datetime(*parts, tzinfo=ZoneInfo(zone))  # type: ignore[arg-type, misc]


def planned(status: VisitStatus, start: dt.datetime, **values: object) -> list[tuple[str, dt.datetime]]:
    given = {"answers_by": None, "timing": ALL, "now": LONG_BEFORE, **values}
    return timed_messages(status, start, start + HOUR, BERLIN, **given)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("start", "wall"),
    [
        (at(BERLIN, 2026, 3, 30, 9), "2026-03-28T08:00"),  # the clock went forward on the 29th
        (at(BERLIN, 2026, 10, 26, 9), "2026-10-24T10:00"),  # and back on the 25th
        (at(ADELAIDE, 2026, 10, 5, 9, 30), "2026-10-03T08:30"),
        (at(ADELAIDE, 2026, 4, 6, 9, 30), "2026-04-04T10:30"),
    ],
)
def test_a_reminder_is_so_many_real_hours_before_whatever_the_clock_does(
    start: dt.datetime, wall: str
) -> None:
    [first, second] = [one for _kind, one in planned(VisitStatus.CONFIRMED, start.astimezone(dt.UTC))]
    assert (start - second, start.astimezone(dt.UTC) - first) == (3 * HOUR, 48 * HOUR)
    assert f"{first.astimezone(start.tzinfo):%Y-%m-%dT%H:%M}" == wall


def test_aftercare_is_at_ten_on_the_wall_on_the_day_after_also_when_the_clock_changes() -> None:
    for end in (at(BERLIN, 2026, 3, 28, 23, 30), at(BERLIN, 2026, 10, 24, 18), at(BERLIN, 2026, 6, 1, 0, 5)):
        due = day_after(end.astimezone(dt.UTC), BERLIN).astimezone(ZoneInfo(BERLIN))
        assert (due.date(), due.time()) == (end.date() + dt.timedelta(days=1), dt.time(10))


def test_each_status_has_its_messages_and_none_of_the_past() -> None:
    start = at(BERLIN, 2026, 6, 10, 14).astimezone(dt.UTC)
    for status in VisitStatus:
        kinds = [kind for kind, _at in planned(status, start, answers_by=start - 24 * HOUR)]
        if status in UPCOMING:
            assert kinds == [REMINDER, REMINDER, ANSWERS_MISSING], status
        else:
            assert kinds == ([AFTERCARE] if status is VisitStatus.DONE else []), status
    assert planned(VisitStatus.CONFIRMED, start, now=start - 48 * HOUR) == [(REMINDER, start - 3 * HOUR)]
    assert planned(VisitStatus.CONFIRMED, start, now=start - 2 * HOUR) == []
    none = Timing((), asks_for_answers=False, sends_aftercare=False)
    assert planned(VisitStatus.CONFIRMED, start, timing=none, answers_by=start) == []
    assert planned(VisitStatus.DONE, start, timing=none) == []


def test_hours_are_a_few_whole_numbers() -> None:
    assert hours_from("48, 3") == hours_from("3 48 48") == (48, 3)
    assert hours_from("") == ()
    for wrong in ("0", "-3", "1,2,3,4,5", "two", "337", "1.5"):
        with pytest.raises(ValueError, match=r".*"):
            hours_from(wrong)


def test_only_what_a_table_names_can_be_switched_off_and_only_some_of_it_in_a_mail() -> None:
    assert {kind for kind, one in KINDS.items() if one.off is not Off.NEVER} == {
        *FOR_CLIENTS,
        *FOR_STAFF,
        SMS,
    }
    assert {kind for kind, one in KINDS.items() if one.off is Off.BY_LINK} == {AFTERCARE, *FOR_STAFF}
    assert set(TIMED) <= set(KINDS)


def test_an_own_text_is_filled_once_and_can_do_nothing_else() -> None:
    assert fill("{a} {b} {c}", {"a": "{b}", "b": 1}) == "{b} 1 {c}"
    assert fill("{{ 7 * 7 }}{a.x}{}", {"a": "x"}) == "{{ 7 * 7 }}{a.x}{}"
    assert mistake_in("Hello {name}", ["name"]) is None
    for wrong in ("{other}", "{name", "name}", "{{name}}", "{}", "{name.x}", "{ name }"):
        assert mistake_in(wrong, ["name"]), wrong


def test_there_is_no_place_for_a_treatment_or_a_health_word() -> None:
    forbidden = {
        "service",
        "treatment",
        "areas",
        "addons",
        "mode",
        "condition",
        "answer",
        "answers",
        "finding",
        "reason",
    }
    assert forbidden.isdisjoint(PLACES)


def test_quiet_time_is_over_at_a_quarter_hour_and_a_loud_minute_stays() -> None:
    quiet, clock = QuietTime(dt.time(21), dt.time(8)), WallClock(ZoneInfo(BERLIN))
    for start, end in (((6, 0), (8, 0)), ((7, 53), (8, 0)), ((9, 7), (9, 7))):
        minute = epoch_minute(at(BERLIN, 2026, 6, 10, *start))
        assert moment(quiet.over_at(minute, clock)) == at(BERLIN, 2026, 6, 10, *end)
