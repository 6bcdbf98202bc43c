"""On which days a licence or a skill is good, and how long before the owner is told that it runs out."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple

from clinic.rules.language import _
from clinic.rules.words import day_words

SOON_DAYS = 60
NEAR_DAYS = 30
LAST_DAYS = 7
"""Days ahead at which the warning grows: renewing a licence takes weeks in most places."""


class Days(NamedTuple):
    """From the first to the last day on which something is good; None leaves that side open."""

    starts_on: dt.date | None = None
    ends_on: dt.date | None = None

    def hold(self, day: dt.date) -> bool:
        """Whether it is good on that day."""
        has_begun = self.starts_on is None or self.starts_on <= day
        return has_begun and (self.ends_on is None or day <= self.ends_on)


def common(several: Iterable[Days]) -> Days:
    """The days on which all of them are good; none at all where the last lies before the first."""
    found = list(several)
    starts = [one.starts_on for one in found if one.starts_on is not None]
    ends = [one.ends_on for one in found if one.ends_on is not None]
    return Days(max(starts, default=None), min(ends, default=None))


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


def skill_words(days: Days, today: dt.date) -> str:
    """What to say of a skill's dates; "" where it has none."""
    if days.starts_on is not None and today < days.starts_on:
        first = day_words(days.starts_on, today=today)
        if days.ends_on is None:
            return _("From %(day)s on", day=first)
        return _("From %(first)s to %(last)s", first=first, last=day_words(days.ends_on, today=today))
    if days.ends_on is None:
        return ""
    if licence_state(days.ends_on, today) is LicenceState.EXPIRED:
        return _("Ended on %(day)s", day=day_words(days.ends_on, today=today))
    return licence_words(days.ends_on, today)
