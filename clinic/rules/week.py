"""A week of hours as an owner types it: reading times, finding what cannot be right, saying it in words."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from itertools import groupby
from typing import NamedTuple

from clinic.rules.errors import InvalidInput
from clinic.rules.language import _
from clinic.rules.wall_time import WeeklyHours, break_fits
from clinic.rules.words import join_words, length_words, time_words, weekday_words

DAY_MINUTES = 24 * 60
WEEK_MINUTES = 7 * DAY_MINUTES
LONGEST_PAST_MIDNIGHT = 14 * 60
"""Hours that end at or before they start run into the next day. Beyond this length that is far more likely a
slip of the pen (17:00 to 09:00) than a night of work, so it is asked again."""

FURTHEST_DAYS = 731

_TIME = re.compile(r"(\d{1,2})(?:[:.h]?(\d{2}))?\s*([ap])?\.?(?:m\.?)?", re.IGNORECASE)


class WeekProblem(NamedTuple):
    """What cannot be right in a week: `kind` is work or break, `row` counts the rows that were passed in."""

    kind: str
    row: int
    sentence: str


def parse_time(text: str) -> dt.time | None:
    """`09:30`, `9.30`, `930`, `9 am` or `9:30 pm` as a time; None for anything else. `24:00` is midnight."""
    found = _TIME.fullmatch(text.strip())
    if found is None:
        return None
    hour, minute, half = int(found[1]), int(found[2] or 0), (found[3] or "").lower()
    if half and not 1 <= hour <= 12:
        return None
    if half:
        hour = hour % 12 + (12 if half == "p" else 0)
    if (hour, minute) == (24, 0):
        hour = 0
    return dt.time(hour, minute) if hour < 24 and minute < 60 else None


def week_problems(
    hours: Sequence[WeeklyHours],
    breaks: Sequence[WeeklyHours] = (),
    *,
    may_be_whole_day: bool = False,
    uses_24_hours: bool = True,
) -> list[WeekProblem]:
    """Everything that cannot be right: overlaps (also past midnight), breaks outside hours, slips of the pen.

    `may_be_whole_day`: the same start and end mean open around the clock; otherwise that is refused. `uses_24_hours`:
    how the sentences say times.
    """
    found = _lengths_wrong("work", hours, may_be_whole_day) + _lengths_wrong("break", breaks, False)
    if found:
        return found
    found = _overlaps("work", hours, uses_24_hours) + _overlaps("break", breaks, uses_24_hours)
    for index, pause in enumerate(breaks):
        if not any(break_fits(one, pause) for one in hours):
            sentence = _(
                "This break does not lie inside the hours of %(weekdays)s.",
                weekdays=weekday_words(pause.weekday),
            )
            found.append(WeekProblem("break", index, sentence))
    return found


def check_day(
    day: dt.date, hours: Sequence[WeeklyHours], *, today: dt.date, uses_24_hours: bool = True
) -> None:
    """Raise InvalidInput for hours of one date that cannot be right, or that nobody can book any more."""
    if day < today:
        raise InvalidInput("day", _("This day has passed."))
    if day > today + dt.timedelta(days=FURTHEST_DAYS):
        raise InvalidInput("day", _("Enter a day within the next two years."))
    for problem in week_problems(hours, uses_24_hours=uses_24_hours):
        raise InvalidInput(("starts", "starts_again")[problem.row], problem.sentence)


def _lengths_wrong(kind: str, rows: Sequence[WeeklyHours], may_be_whole_day: bool) -> list[WeekProblem]:
    found = []
    for index, row in enumerate(rows):
        minutes = _minutes(row)
        if minutes == DAY_MINUTES:
            sentence = "" if may_be_whole_day else _("The start and the end are the same. Check the times.")
        elif row.crosses_midnight and row.ends != dt.time() and minutes > LONGEST_PAST_MIDNIGHT:
            sentence = _(
                "This would last %(length)s, into the next day. Check the times, or enter the part after midnight on"
                " the next day.",
                length=length_words(minutes),
            )
        else:
            continue
        if sentence:
            found.append(WeekProblem(kind, index, sentence))
    return found


def _overlaps(kind: str, rows: Sequence[WeeklyHours], uses_24_hours: bool) -> list[WeekProblem]:
    """The later row of each pair that shares time; Sunday's night may run into Monday."""
    found = []
    order = sorted(range(len(rows)), key=lambda at: (_week_span(rows[at]), at))
    for place, index in enumerate(order):
        start, end = _week_span(rows[index])
        for other in order[:place]:
            other_start, other_end = _week_span(rows[other])
            if start < other_end or other_start + WEEK_MINUTES < end:
                sentence = _(
                    "This overlaps %(rows)s. Leave one of them out or change the times.",
                    rows=row_words(rows[other], uses_24_hours),
                )
                found.append(WeekProblem(kind, index, sentence))
                break
    return found


def row_words(row: WeeklyHours, uses_24_hours: bool) -> str:
    """`9:00 am to 5:00 pm on Monday`."""
    return _(
        "%(starts)s to %(ends)s on %(weekdays)s",
        starts=time_words(row.starts, uses_24_hours=uses_24_hours),
        ends=time_words(row.ends, uses_24_hours=uses_24_hours),
        weekdays=weekday_words(row.weekday),
    )


def _minutes(row: WeeklyHours) -> int:
    start, end = (wall.hour * 60 + wall.minute for wall in (row.starts, row.ends))
    return end - start if end > start else end - start + DAY_MINUTES


def _week_span(row: WeeklyHours) -> tuple[int, int]:
    """Minutes from Monday 00:00; the end of a Sunday's night lies beyond the week."""
    start = row.weekday * DAY_MINUTES + row.starts.hour * 60 + row.starts.minute
    return start, start + _minutes(row)


def week_minutes(hours: Sequence[WeeklyHours], breaks: Sequence[WeeklyHours] = ()) -> int:
    """Minutes of work in the week, without breaks (both checked by week_problems)."""
    return sum(map(_minutes, hours)) - sum(map(_minutes, breaks))


def week_in_words(hours: Sequence[WeeklyHours], *, uses_24_hours: bool) -> list[tuple[str, str]]:
    """(`Monday to Friday`, `9:00 am to 6:00 pm`) in the order of the week; days without hours are `closed`."""
    said = [(weekday, _day_words(hours, weekday, uses_24_hours)) for weekday in range(7)]
    lines = []
    for words, group in groupby(said, key=lambda one: one[1]):
        days = [weekday for weekday, _words in group]
        lines.append((_days_words(days), words))
    return lines


def _day_words(hours: Sequence[WeeklyHours], weekday: int, uses_24_hours: bool) -> str:
    rows = sorted(row for row in hours if row.weekday == weekday)
    return ", ".join(span_words(row, uses_24_hours=uses_24_hours) for row in rows) or _("closed")


def span_words(row: WeeklyHours, *, uses_24_hours: bool) -> str:
    """`9:00 am to 6:00 pm`; says so when it ends on the next day, and `all day` for 24 hours."""
    start, end = (time_words(wall, uses_24_hours=uses_24_hours) for wall in (row.starts, row.ends))
    if row.starts == row.ends:
        return _("all day") if row.starts == dt.time() else _("24 hours from %(starts)s", starts=start)
    next_day = row.crosses_midnight and row.ends != dt.time()
    if next_day:
        return _("%(start)s to %(end)s (next day)", start=start, end=end)
    return _("%(start)s to %(end)s", start=start, end=_("midnight") if row.ends == dt.time() else end)


def _days_words(days: Sequence[int]) -> str:
    first, last = weekday_words(days[0]), weekday_words(days[-1])
    if len(days) == 7:
        return _("Every day")
    if len(days) == 1:
        return first
    return join_words([first, last]) if len(days) == 2 else _("%(first)s to %(last)s", first=first, last=last)
