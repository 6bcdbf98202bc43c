"""The days that a report is about."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass

from clinic.rules.errors import InvalidInput
from clinic.rules.language import _

LONGEST_DAYS = 366
FOUR_WEEKS = 28
_MONTH = re.compile(r"(20\d\d)-(0[1-9]|1[0-2])\Z")


@dataclass(frozen=True)
class Period:
    """From `first` to `last`, both in it."""

    first: dt.date
    last: dt.date

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1


def last_four_weeks(today: dt.date) -> Period:
    """28 days up to yesterday: whole days only."""
    return Period(today - dt.timedelta(days=FOUR_WEEKS), today - dt.timedelta(days=1))


def month(text: str) -> Period:
    """The month that is written as 2026-05. Raises InvalidInput."""
    read = _MONTH.match(text)
    if read is None:
        raise InvalidInput("month", _("Enter a month that exists, written like 2026-03."))
    first = dt.date(int(read[1]), int(read[2]), 1)
    after = (first + dt.timedelta(days=31)).replace(day=1)
    return Period(first, after - dt.timedelta(days=1))


def between(first: dt.date, last: dt.date) -> Period:
    """These days. Raises InvalidInput (first, last)."""
    if last < first:
        raise InvalidInput("last", _("The last day cannot be before the first."))
    if (last - first).days >= LONGEST_DAYS:
        raise InvalidInput("last", _("Choose at most one year."))
    if not 2000 <= first.year <= last.year < 2100:
        raise InvalidInput("first", _("Check the year, and enter the day like 2026-03-16."))
    return Period(first, last)


WEEKS_AT_A_GLANCE = 20


def steps_of(period: Period) -> list[Period]:
    """The weeks of a period, of a long one the months: a year of weeks is no picture that anybody takes in."""
    weeks = weeks_of(period)
    return weeks if len(weeks) <= WEEKS_AT_A_GLANCE else months_of(period)


def months_of(period: Period) -> list[Period]:
    """The months, the first and the last cut at the period."""
    found, first = [], period.first
    while first <= period.last:
        whole = month(f"{first:%Y-%m}")
        found.append(Period(first, min(whole.last, period.last)))
        first = whole.last + dt.timedelta(days=1)
    return found


def weeks_of(period: Period) -> list[Period]:
    """The weeks from Monday on, the first and the last cut at the period."""
    found, first = [], period.first
    while first <= period.last:
        sunday = first + dt.timedelta(days=6 - first.weekday())
        found.append(Period(first, min(sunday, period.last)))
        first = sunday + dt.timedelta(days=1)
    return found
