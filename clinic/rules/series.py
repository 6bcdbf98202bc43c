"""A series of visits, such as every second Tuesday at ten, six times: its days, its starts, and what is near a start.

The time on the wall never moves: where the clock is changed between two visits, the moment moves instead. On a day
on which the clock jumps over the time there is no start.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, time, timedelta
from typing import Final

from clinic.rules.availability import Start
from clinic.rules.errors import InvalidInput
from clinic.rules.language import _
from clinic.rules.wall_time import WallClock

MOST_VISITS: Final = 26
MOST_WEEKS_APART: Final = 13
DAYS_AROUND: Final = 3
"""How far from the wanted day an alternative may lie: less than half a week, so that it belongs to one visit."""
AROUND: Final = 2


@dataclass(frozen=True, slots=True)
class Pattern:
    """Every so many weeks from the first day on, at one time on the wall: so often, or until a day (included).

    `fold` tells the two moments apart where the time exists twice, as in `datetime`. Raises InvalidInput.
    """

    first_day: date
    at: time
    every_weeks: int
    count: int | None = None
    until: date | None = None
    fold: int = 0

    def __post_init__(self) -> None:
        if self.at.second or self.at.microsecond:
            raise InvalidInput("starts_at", _("Visits start on a whole minute."))
        if not 1 <= self.every_weeks <= MOST_WEEKS_APART:
            raise InvalidInput(
                "every_weeks",
                _(
                    "Choose from every week to every %(most_weeks_apart)s weeks.",
                    most_weeks_apart=MOST_WEEKS_APART,
                ),
            )
        if (self.count is None) == (self.until is None):
            raise InvalidInput("count", _("Say how many visits, or until which day: one of the two."))
        if self.count is not None and not 2 <= self.count <= MOST_VISITS:
            raise InvalidInput(
                "count", _("A series has 2 to %(most_visits)s visits.", most_visits=MOST_VISITS)
            )
        if self.until is not None and not 2 <= self._until(self.until) <= MOST_VISITS:
            raise InvalidInput(
                "until",
                _("Choose a last day that makes 2 to %(most_visits)s visits.", most_visits=MOST_VISITS),
            )

    def days(self) -> list[date]:
        """The days of the series, the first one included."""
        number = self.count if self.count is not None else self._until(self.until or self.first_day)
        return [self.first_day + timedelta(weeks=self.every_weeks) * n for n in range(number)]

    def start_on(self, day: date, clock: WallClock) -> int | None:
        """The epoch minute of the start on one of the days; None where that day's clock jumps over it."""
        minutes = clock.minutes_at(day, self.at)
        return minutes[min(self.fold, len(minutes) - 1)] if minutes else None

    def _until(self, last: date) -> int:
        return (last - self.first_day).days // (7 * self.every_weeks) + 1


def nearest_around(
    starts: Sequence[Start], day: date, at: time, clock: WallClock, prefer: int | None
) -> list[Start]:
    """The alternatives to a start that does not fit: two on its day, one before and one after where there are such,
    then the nearest of two days around it. With the therapist `prefer` first, then the least away on the wall's clock.
    """

    def rank(one: Start) -> tuple[bool, int, int]:
        local = clock.show(one.starts_at)
        away = abs((local.hour - at.hour) * 60 + local.minute - at.minute)
        return prefer is not None and prefer not in one.therapists, away, one.starts_at

    by_day: dict[date, list[Start]] = {}
    for one in starts:
        by_day.setdefault(clock.show(one.starts_at).date(), []).append(one)
    same = _two_sided(sorted(by_day.pop(day, []), key=rank), clock.minute_at(day, at))
    best = [(other, min(found, key=rank)) for other, found in by_day.items()]
    best.sort(key=lambda pair: (rank(pair[1])[0], abs((pair[0] - day).days), *rank(pair[1])[1:]))
    return same + [one for _other, one in best[:AROUND]]


def _two_sided(ranked: Sequence[Start], wanted_at: int) -> list[Start]:
    """The best start, and the best on the other side of the wanted one; else the second best."""
    if not ranked:
        return []
    is_before = ranked[0].starts_at < wanted_at
    across = [one for one in ranked[1:] if (one.starts_at < wanted_at) is not is_before]
    return [ranked[0], *(across or ranked[1:])[:1]]
