"""A day as somebody types it into a search box: "12 june", "jun 12", "12.6.", "6/12", "2026-06-12", "tomorrow"."""

from __future__ import annotations

import datetime as dt
import re
from typing import Final

MONTHS: Final = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
    "december",
)  # fmt: skip
NEAR_DAYS: Final = {"yesterday": -1, "today": 0, "tomorrow": 1}
_ISO = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})")
_NUMBERS = re.compile(r"(\d{1,2})([./])(\d{1,2})(?:[./](\d{4}))?\.?")
_DAY_FIRST = re.compile(r"(\d{1,2})\.? ?([a-z]{3,9})\.?,? ?(\d{4})?")
_MONTH_FIRST = re.compile(r"([a-z]{3,9})\.? ?(\d{1,2}),? ?(\d{4})?")


def day_typed(text: str, today: dt.date, *, month_first: bool) -> dt.date | None:
    """The day that was meant, None when it is none. Without a year it is the nearest to today. `month_first`: how
    people there write 6/12."""
    said = " ".join(text.casefold().split())
    if said in NEAR_DAYS:
        return today + dt.timedelta(days=NEAR_DAYS[said])
    year, month, day = _parts(said, month_first=month_first)
    years = [year] if year else [today.year - 1, today.year, today.year + 1]
    days = [found for one in years if (found := _date(one, month, day)) is not None]
    return min(days, key=lambda one: abs(one - today), default=None)


def _parts(said: str, *, month_first: bool) -> tuple[int, int, int]:
    """Year, month and day; 0 for what was not said."""
    if found := _ISO.fullmatch(said):
        return int(found[1]), int(found[2]), int(found[3])
    if found := _NUMBERS.fullmatch(said):
        first, second = int(found[1]), int(found[3])
        month, day = (first, second) if found[2] == "/" and month_first else (second, first)
        return int(found[4] or 0), month, day
    if found := _DAY_FIRST.fullmatch(said):
        return int(found[3] or 0), _month(found[2]), int(found[1])
    if found := _MONTH_FIRST.fullmatch(said):
        return int(found[3] or 0), _month(found[1]), int(found[2])
    return 0, 0, 0


def _month(name: str) -> int:
    return next((number for number, month in enumerate(MONTHS, 1) if month.startswith(name)), 0)


def _date(year: int, month: int, day: int) -> dt.date | None:
    try:
        return dt.date(year, month, day)
    except ValueError:
        return None
