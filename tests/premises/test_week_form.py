"""The week as it is typed: rows, buttons that save nothing, mistakes at their row."""

from __future__ import annotations

import datetime as dt

import pytest

from clinic.premises.forms.week import MOST_SPANS_A_DAY, WeekForm
from clinic.rules.wall_time import WeeklyHours


def typed(**rows: tuple[str, str]) -> dict[str, str]:
    """`work_0_0=("9", "17")` as the fields of the form."""
    fields: dict[str, str] = {}
    for name, (starts, ends) in rows.items():
        dotted = name.replace("_", ".")
        fields |= {f"{dotted}.starts": starts, f"{dotted}.ends": ends}
    return fields


def read(kinds: tuple[str, ...] = ("work", "break"), **rows: tuple[str, str]) -> WeekForm:
    form = WeekForm(kinds=kinds)
    form.read(typed(**rows))
    return form


def test_blank_rows_are_dropped_and_the_rest_is_in_order() -> None:
    form = read(
        work_1_0=("", ""), work_0_0=("14:00", "17:00"), work_0_1=("9", "12"), break_0_0=("10", "10:15")
    )
    assert form.validate()
    assert form.week("work") == [
        WeeklyHours(0, dt.time(9), dt.time(12)),
        WeeklyHours(0, dt.time(14), dt.time(17)),
    ]
    assert form.week("break") == [WeeklyHours(0, dt.time(10), dt.time(10, 15))]


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        (("9", ""), "Enter both a start and an end, or leave both empty."),
        (("", "17"), "Enter both a start and an end, or leave both empty."),
        (("noon", "17"), "Write times as 09:30 or 9:30 am."),
    ],
)
def test_half_and_unreadable_rows_say_so(row: tuple[str, str], sentence: str) -> None:
    form = read(work_2_0=row)
    assert not form.validate()
    assert form.mistakes == [("work.2.0.starts", f"Wednesday: {sentence}")]
    assert form.of("work", 2)[0].starts == row[0]


def test_what_cannot_be_stands_at_its_row() -> None:
    form = read(work_0_0=("9", "17"), break_0_0=("8", "8:30"), work_3_0=("9", "12"), work_3_1=("11", "13"))
    assert not form.validate()
    assert [target for target, _ in form.mistakes] == ["work.3.1.starts", "break.0.0.starts"]


def test_mistakes_go_when_they_are_put_right() -> None:
    form = read(work_0_0=("9", ""))
    assert not form.validate()
    form.rows[0].ends = "17"
    assert form.validate()


def test_a_row_can_be_added_up_to_a_few_a_day() -> None:
    form = read(work_0_0=("9", "17"))
    for _ in range(MOST_SPANS_A_DAY + 2):
        assert form.act("add.work.0")
    assert len(form.of("work", 0)) == MOST_SPANS_A_DAY
    assert not form.may_add("work", 0)
    assert form.may_add("break", 0)


def test_a_day_is_copied_to_the_days_up_to_friday() -> None:
    form = read(work_1_0=("9", "17"), break_1_0=("12", "12:30"), work_3_0=("10", "11"), work_5_0=("10", "14"))
    assert form.act("copy.1")
    assert form.validate()
    days = [(row.weekday, f"{row.starts:%H:%M}") for row in form.week("work")]
    assert days == [(1, "09:00"), (2, "09:00"), (3, "09:00"), (4, "09:00"), (5, "10:00")]
    assert [row.weekday for row in form.week("break")] == [1, 2, 3, 4]


def test_saturday_is_copied_to_sunday() -> None:
    form = read(work_5_0=("10", "14"))
    assert form.act("copy.5")
    assert [row.weekday for row in form.week("work")] == [5, 6]


@pytest.mark.parametrize(
    "button", ["", "save", "add.work.7", "add.nap.0", "add.work", "copy.6", "copy.x", "copy.1.2"]
)
def test_other_buttons_do_nothing(button: str) -> None:
    form = read(work_0_0=("9", "17"))
    assert not form.act(button)
    assert len(form.rows) == 1


def test_saved_hours_are_shown_as_times() -> None:
    form = WeekForm()
    form.fill("work", [WeeklyHours(0, dt.time(9, 5), dt.time(0))])
    assert [(row.starts, row.ends, row.name) for row in form.of("work", 0)] == [
        ("09:05", "00:00", "work.0.0")
    ]
    assert form.of("work", 1)[0].is_blank
