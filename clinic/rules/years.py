"""Years of a life, and of how long something is kept: 29 February counts as 1 March where there is none."""

from __future__ import annotations

import datetime as dt


def age_on(born_on: dt.date, day: dt.date) -> int:
    """Whole years from birth to ``day``; someone born on 29 February turns on 1 March in common years."""
    return day.year - born_on.year - ((day.month, day.day) < (born_on.month, born_on.day))


def years_after(day: dt.date, years: int) -> dt.date:
    """The same day so many years later (earlier, if negative); 1 March where there is no 29 February."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return dt.date(day.year + years, 3, 1)
