"""When therapists are off, as it is read at a place."""

from __future__ import annotations

import datetime as dt

from clinic.rules.intervals import Interval
from clinic.rules.wall_time import WallClock, epoch_minute, epoch_minute_after
from clinic.rules.whole_days import days_at
from clinic.shared.statements import taken_apart
from clinic.therapists.models import TimeOff


def span_at(row: TimeOff, clock: WallClock) -> Interval:
    """From when to when it holds at a place with this clock, in epoch minutes."""
    if row.days is not None:
        return days_at(clock, *row.days)
    return epoch_minute(row.starts_at), epoch_minute_after(row.ends_at)


def days_off(text: str | None, clock: WallClock) -> list[Interval]:
    """The whole days in a text of `first last`, as they lie at a place with this clock."""
    spans = (row.split(" ") for row in taken_apart(text))
    return [
        days_at(clock, dt.date.fromisoformat(first), dt.date.fromisoformat(last)) for first, last in spans
    ]
