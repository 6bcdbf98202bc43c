"""How long somebody stays signed in, and when the screen of somebody of the team locks itself."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass

from clinic.rules.permissions import STAFF, Role

STAFF_LONGEST = dt.timedelta(hours=12)


@dataclass(frozen=True)
class SessionRules:
    """Limits of a session. What the team sees is locked when nobody is there, and opened again where it was."""

    staff_idle: dt.timedelta = dt.timedelta(minutes=15)
    client_idle: dt.timedelta = dt.timedelta(days=7)
    client_longest: dt.timedelta = dt.timedelta(days=30)

    def ends_at(self, roles: Collection[Role], *, began_at: dt.datetime, seen_at: dt.datetime) -> dt.datetime:
        """The moment after which the session opens nothing any more, unless it is used before."""
        if STAFF.intersection(roles):
            return began_at + STAFF_LONGEST
        return min(began_at + self.client_longest, seen_at + self.client_idle)

    def is_left_alone(self, roles: Collection[Role], *, seen_at: dt.datetime, now: dt.datetime) -> bool:
        """Whether the screen is locked, because nobody of the team has used it for a while."""
        return bool(STAFF.intersection(roles)) and now - seen_at >= self.staff_idle
