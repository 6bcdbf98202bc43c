"""The pages of this feature, and the day that they are about."""

from __future__ import annotations

import datetime as dt

from flask import request

from clinic.shared.web import Pages

pages = Pages("diary", __name__)


def asked_day(today: dt.date) -> dt.date:
    """The day in the address, or today. An impossible one is today too: a typed address is no form."""
    try:
        day = dt.date.fromisoformat(request.args.get("day", ""))
    except ValueError:
        return today
    return day if 2000 < day.year < 2100 else today
