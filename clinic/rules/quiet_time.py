"""The quiet time of a clinic: hours of the night in which nobody is sent an offer by itself.

It is said as two times on the wall, and may run past midnight. Where the clock is changed in it, it begins the first
time its start is shown, ends the last time its end is shown, and at the jump where that time is skipped.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, time, timedelta

from clinic.rules.wall_time import WallClock


@dataclass(frozen=True)
class QuietTime:
    """From `starts` to `ends` on the wall, every day; the same time twice: never."""

    starts: time
    ends: time

    def holds_at(self, minute: int, clock: WallClock) -> bool:
        """Whether this epoch minute lies in it. At its end it is over."""
        if self.starts == self.ends:
            return False
        today = clock.show(minute).date()
        for day in (today - timedelta(days=1), today):
            last = day if self.ends > self.starts else day + timedelta(days=1)
            if clock.minute_at(day, self.starts) <= minute < _last_minute_at(clock, last, self.ends):
                return True
        return False

    def over_at(self, minute: int, clock: WallClock) -> int:
        """This epoch minute, or the first quarter of an hour after it that is not in the quiet time."""
        while self.holds_at(minute, clock):
            minute += 15 - minute % 15
        return minute


def _last_minute_at(clock: WallClock, day: date, wall: time) -> int:
    return max((*clock.minutes_at(day, wall), clock.minute_at(day, wall)))
