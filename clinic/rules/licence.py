"""When a licence runs out, and how long before the owner is told."""

from __future__ import annotations

import datetime as dt
from enum import StrEnum

from clinic.rules.language import _
from clinic.rules.words import day_words

SOON_DAYS = 60
NEAR_DAYS = 30
LAST_DAYS = 7
"""Days ahead at which the warning grows: renewing a licence takes weeks in most places."""


class LicenceState(StrEnum):
    """How urgent a renewal is, weakest first."""

    GOOD = "good"
    SOON = "soon"
    NEAR = "near"
    LAST = "last"
    EXPIRED = "expired"


def licence_state(expires_on: dt.date, today: dt.date) -> LicenceState:
    """`expires_on` is the last good day: on it the licence still holds."""
    left = (expires_on - today).days
    if left < 0:
        return LicenceState.EXPIRED
    if left <= LAST_DAYS:
        return LicenceState.LAST
    if left <= NEAR_DAYS:
        return LicenceState.NEAR
    return LicenceState.SOON if left <= SOON_DAYS else LicenceState.GOOD


def licence_words(expires_on: dt.date, today: dt.date) -> str:
    """What to say about it: `Good until Tuesday 3 June`, `Expires in 5 days, …`, `Expired on …`."""
    day, left = day_words(expires_on, today=today), (expires_on - today).days
    state = licence_state(expires_on, today)
    if state is LicenceState.GOOD:
        return _("Good until %(day)s", day=day)
    if state is LicenceState.EXPIRED:
        return _("Expired on %(day)s: no visits can be booked", day=day)
    if left <= 1:
        return (
            _("Tomorrow is the last day, %(day)s", day=day)
            if left
            else _("Today is the last day, %(day)s", day=day)
        )
    return _("Expires in %(left)s days, last day %(day)s", left=left, day=day)
