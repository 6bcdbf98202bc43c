"""A time from … to … as somebody types it on the clinic's wall clock, also on the nights the clock is changed.

A time that the clock jumps over is refused at its field. One that comes twice is taken so that the span is the
longer one, and that is said: what is blocked by mistake can be opened, what is booked by mistake is a person.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import NamedTuple

from clinic.rules.errors import InvalidInput
from clinic.rules.language import _
from clinic.rules.wall_time import WallClock, moment
from clinic.rules.words import day_words, time_words


class Wall(NamedTuple):
    """A day and a time on the wall; no time means the whole day."""

    day: dt.date
    time: dt.time | None


@dataclass(frozen=True)
class TypedSpan:
    """The moments that were meant, in UTC, and what has to be said about them. `days`: the first and the last,
    where whole days were meant and no time was typed."""

    starts_at: dt.datetime
    ends_at: dt.datetime
    remarks: tuple[str, ...] = ()
    days: tuple[dt.date, dt.date] | None = None


def span_typed(clock: WallClock, first: Wall, last: Wall, *, uses_24_hours: bool) -> TypedSpan:
    """From `first` to `last`. Without a time it begins at midnight of the first day, and ends with the last day.

    Raises InvalidInput at `starts_on`, `starts`, `ends_on` or `ends`.
    """
    if last.day < first.day:
        raise InvalidInput("ends_on", _("The last day lies before the first day."))
    start, start_twice = _moment(clock, first, "starts", latest=False, uses_24_hours=uses_24_hours)
    end, end_twice = _end(clock, last, uses_24_hours=uses_24_hours)
    if end <= start:
        raise InvalidInput("ends", _("The end must come after the start."))
    remarks = []
    if start_twice and first.time is not None:
        remarks.append(_twice(first.time, _("It starts the first time."), uses_24_hours))
    if end_twice and last.time is not None:
        remarks.append(_twice(last.time, _("It ends the second time."), uses_24_hours))
    days = (first.day, last.day) if first.time is None and last.time is None else None
    return TypedSpan(moment(start), moment(end), tuple(remarks), days)


def rest_of_day(clock: WallClock, now: dt.datetime) -> TypedSpan:
    """From now until the clinic's midnight."""
    start = now.replace(second=0, microsecond=0)
    day = start.astimezone(clock.zone).date()
    return TypedSpan(start.astimezone(dt.UTC), moment(clock.day_bounds(day)[1]))


def _end(clock: WallClock, last: Wall, *, uses_24_hours: bool) -> tuple[int, bool]:
    """Midnight as an end is the one after the day, not the one before it."""
    if last.time is None or last.time == dt.time():
        return clock.day_bounds(last.day)[1], False
    return _moment(clock, last, "ends", latest=True, uses_24_hours=uses_24_hours)


def _moment(
    clock: WallClock, wall: Wall, field: str, *, latest: bool, uses_24_hours: bool
) -> tuple[int, bool]:
    if wall.time is None:
        return clock.day_bounds(wall.day)[0], False
    minutes = clock.minutes_at(wall.day, wall.time)
    if not minutes:
        said = time_words(wall.time, uses_24_hours=uses_24_hours)
        raise InvalidInput(
            field,
            _(
                "There is no %(said)s on %(day)s: the clocks go forward then. Choose a time before or after.",
                said=said,
                day=day_words(wall.day),
            ),
        )
    return minutes[-1 if latest else 0], len(minutes) > 1


def _twice(time: dt.time, what: str, uses_24_hours: bool) -> str:
    said = time_words(time, uses_24_hours=uses_24_hours)
    return _("The clocks go back that night, so %(said)s comes twice. %(what)s", said=said, what=what)
