"""The strip of days above the times, each day read aloud in full."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

from clinic.booking.queries.free_times import Window
from clinic.rules.language import _, ngettext
from clinic.rules.words import day_words, short_month, short_weekday


def strip_of(free: Window, current: dt.date | None, href: Callable[[dt.date], str]) -> list[dict[str, Any]]:
    """One entry for each day of the window, with how many times are free."""
    days = []
    for day in free.days:
        count = free.free_on(day)
        many = ngettext("%(num)d time free", "%(num)d times free", count) if count else _("no free times")
        days.append(
            {
                "href": href(day),
                "label": f"{day_words(day)}, {many}",
                "weekday": short_weekday(day),
                "day": day.day,
                "month": short_month(day),
                "free": count,
                "current": day == current,
            }
        )
    return days
