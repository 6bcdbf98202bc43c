"""Days and moments as programs write them, as patterns, so that a description of the API says exactly what it takes."""

from __future__ import annotations

import calendar
import datetime as dt

from clinic.rules.answers import EARLIEST_YEAR, LATEST_YEAR

FIRST_YEAR, LAST_YEAR = 1971, 2199
"""Between these all that is reckoned with stays in the calendar: offsets, windows of two months, turnover."""

_CLOCK = "([01][0-9]|2[0-3]):[0-5][0-9]"
_IN_ANY_YEAR = (
    "((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|1[0-9]|2[0-8]))"
)


def _days(first: int, last: int) -> str:
    """Every day of these years: by decades, and 29 February in leap years only."""
    whole = [str(one)[:3] for one in range(first, last + 1) if one % 10 == 0 and one + 9 <= last]
    single = [str(one) for one in range(first, last + 1) if str(one)[:3] not in whole]
    years = "|".join([f"{decade}[0-9]" for decade in whole] + single)
    leaps = "|".join(str(one) for one in range(first, last + 1) if calendar.isleap(one))
    return f"(({years})-{_IN_ANY_YEAR}|({leaps})-02-29)"


_BOOKABLE = _days(FIRST_YEAR, LAST_YEAR)
DAY = f"^{_BOOKABLE}$"
DAY_OF_A_LIFE = f"^{_days(EARLIEST_YEAR, LATEST_YEAR)}$"
MOMENT = f"^{_BOOKABLE}T{_CLOCK}(:[0-5][0-9](\\.[0-9]{{1,6}})?)?(Z|[+-]{_CLOCK})$"
"""With an offset: without one nobody knows which moment is meant."""


def birth_days(today: dt.date, longest_life: int) -> str:
    """The pattern of every day on which somebody alive may have been born."""
    new_year = dt.date(today.year, 1, 1)
    since = [new_year + dt.timedelta(days=count) for count in range((today - new_year).days + 1)]
    these = "|".join(f"{day:%m-%d}" for day in since)
    return f"^({_days(today.year - longest_life, today.year - 1)}|{today.year}-({these}))$"
