"""How much of the time that could be booked was booked: by therapist, by room, and by hour of the week.

Everything is counted in whole minutes that really pass: an hour that the clock skips is nobody's, and one that it shows
twice counts twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from clinic.rules.intervals import Interval, intersect, subtract, union
from clinic.rules.wall_time import WallClock

HourOfWeek = tuple[int, int]
"""(weekday, hour) on the wall; Monday is 0."""


@dataclass(frozen=True)
class Use:
    """Minutes. `outside` were booked beyond the capacity, such as a visit that the desk put into the evening: they are
    told apart, so that nobody seems busier than the day is long."""

    capacity: int = 0
    booked: int = 0
    outside: int = 0

    @property
    def share(self) -> float | None:
        """From 0 to 1; None where nothing could have been booked."""
        return self.booked / self.capacity if self.capacity else None

    def __add__(self, other: Use) -> Use:
        return Use(self.capacity + other.capacity, self.booked + other.booked, self.outside + other.outside)


def bookable(
    hours: Sequence[Interval], opening: Sequence[Interval], away: Iterable[Interval]
) -> list[Interval]:
    """The capacity: working hours (breaks taken out, tidy) while the place is open (tidy), less time off and closures,
    which may overlap each other."""
    return subtract(intersect(hours, opening), union(away))


def minutes_of(spans: Iterable[Interval]) -> int:
    """How long tidy spans are together."""
    return sum(end - start for start, end in spans)


def use_of(capacity: Sequence[Interval], booked: Iterable[Interval]) -> Use:
    """How much of the tidy capacity is booked. Spans that overlap, as those of a couple in one room, count once."""
    taken = union(booked)
    inside = minutes_of(intersect(capacity, taken))
    return Use(minutes_of(capacity), inside, minutes_of(taken) - inside)


def by_hour_of_week(clock: WallClock, spans: Iterable[Interval]) -> dict[HourOfWeek, int]:
    """The minutes of these spans in each hour of the week, by the clock on the wall."""
    found: dict[HourOfWeek, int] = {}
    for start, end in spans:
        at = start
        while at < end:
            local = clock.show(at)
            stop = min(end, at + 60 - local.minute)
            hour = local.weekday(), local.hour
            found[hour] = found.get(hour, 0) + stop - at
            at = stop
    return found
