"""A day as somebody types it into a search box: "12 june", "jun 12", "12.6.", "6/12", "2026-06-12", "tomorrow".

Words are known in English and in the language of the moment: "12. märz", "morgen".
"""

from __future__ import annotations

import datetime as dt
import re
from typing import Final

from clinic.rules.language import N_, gettext
from clinic.rules.words import MONTHS, months

NEAR_DAYS: Final = {N_("yesterday"): -1, N_("today"): 0, N_("tomorrow"): 1}
_ISO = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})")
_NUMBERS = re.compile(r"(\d{1,2})([./])(\d{1,2})(?:[./](\d{4}))?\.?")
_DAY_FIRST = re.compile(r"(\d{1,2})\.? ?([^\W\d_]{3,12})\.?,? ?(\d{4})?")
_MONTH_FIRST = re.compile(r"([^\W\d_]{3,12})\.? ?(\d{1,2}),? ?(\d{4})?")


def day_typed(text: str, today: dt.date, *, month_first: bool) -> dt.date | None:
    """The day that was meant, None when it is none. Without a year it is the nearest to today. `month_first`: how
    people there write 6/12."""
    said = " ".join(text.casefold().split())
    for word, days_away in NEAR_DAYS.items():
        if said in (word, gettext(word).casefold()):
            return today + dt.timedelta(days=days_away)
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
    both = zip(MONTHS, months(), strict=True)
    return next(
        (
            number
            for number, names in enumerate(both, 1)
            if any(one.casefold().startswith(name) for one in names)
        ),
        0,
    )


def _date(year: int, month: int, day: int) -> dt.date | None:
    try:
        return dt.date(year, month, day)
    except ValueError:
        return None
