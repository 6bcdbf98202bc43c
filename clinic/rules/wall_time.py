"""Between the clock on the clinic's wall and epoch minutes (whole minutes since 1970-01-01T00:00Z).

The rules for the two days of the year on which the clock is changed:

* A wall time that does not exist (the clock jumps over it) means the moment of the jump where it bounds
  hours, and is no candidate start.
* A wall time that exists twice means its first occurrence where it bounds hours (as in RFC 5545); as a
  candidate start it is there twice, told apart by `fold` as in `datetime`.

So hours from 01:00 to 05:00 hold three hours of work on the night that is an hour short, and five on the
night that is an hour long.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from clinic.rules.intervals import Interval, intersect, subtract, union

STEPS_MINUTES: Final = (5, 10, 15, 20, 30, 60)
_DAY_MINUTES: Final = 24 * 60
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_DAY: Final = date(1970, 1, 1).toordinal()
_MINUTE: Final = timedelta(minutes=1)
_DAY: Final = timedelta(days=1)
_CLOCK_TEXTS: Final = [f"T{past // 60:02}:{past % 60:02}:00" for past in range(_DAY_MINUTES)]


class WeeklyHours(NamedTuple):
    """Hours on one weekday (0 is Monday) in wall time; `ends` at or before `starts` means on the next day."""

    weekday: int
    starts: time
    ends: time

    @property
    def crosses_midnight(self) -> bool:
        return self.ends <= self.starts


class WallClock:
    """The wall clock of one zone. Remembers each date's midnight, so keep one for a request and reuse it."""

    def __init__(self, zone: ZoneInfo) -> None:
        self.zone = zone
        self._midnights: dict[date, int | None] = {}

    def minute_at(self, day: date, wall: time) -> int:
        """The epoch minute of a wall time that bounds hours: see the rules at the top of this file."""
        midnight = self.even_midnight(day)
        if midnight is not None:
            return midnight + wall.hour * 60 + wall.minute
        local = datetime.combine(day, wall)
        first, second = self._read(local, fold=0), self._read(local, fold=1)
        if second < first:
            return self._jump_between(second, first)
        return first

    def minutes_at(self, day: date, wall: time) -> tuple[int, ...]:
        """Every epoch minute at which the clock shows this: none, one, or two (fold 0, then fold 1)."""
        midnight = self.even_midnight(day)
        if midnight is not None:
            return (midnight + wall.hour * 60 + wall.minute,)
        local = datetime.combine(day, wall)
        first, second = self._read(local, fold=0), self._read(local, fold=1)
        if second < first:
            return ()
        return (first,) if first == second else (first, second)

    def day_bounds(self, day: date) -> Interval:
        """The epoch minutes of a local date, midnight to midnight; 23 or 25 hours where the clock changes."""
        return self.minute_at(day, time()), self.minute_at(day + _DAY, time())

    def show(self, minute: int) -> datetime:
        """The aware local datetime of an epoch minute, with `fold` set where the time exists twice."""
        return moment(minute).astimezone(self.zone)

    def even_midnight(self, day: date) -> int | None:
        """The epoch minute of midnight where the day's clock runs evenly; None on a day it is changed."""
        if day not in self._midnights:
            self._midnights[day] = self._look_up_midnight(day)
        return self._midnights[day]

    def _look_up_midnight(self, day: date) -> int | None:
        offset = datetime.combine(day, time(), self.zone).utcoffset()
        # fold=1 shows a change that starts at the next midnight or hides it: such a day is read minute by minute
        next_offset = datetime.combine(day + _DAY, time(fold=1), self.zone).utcoffset()
        if offset is None or offset != next_offset:
            return None
        return (day.toordinal() - _EPOCH_DAY) * _DAY_MINUTES - offset // _MINUTE

    def _read(self, local: datetime, fold: int) -> int:
        return epoch_minute(local.replace(tzinfo=self.zone, fold=fold))

    def _jump_between(self, before: int, after: int) -> int:
        """The epoch minute of the clock's jump, which lies after `before` and not after `after`."""
        old = self.show(before).utcoffset()
        while after - before > 1:
            middle = (before + after) // 2
            if self.show(middle).utcoffset() == old:
                before = middle
            else:
                after = middle
        return after


def epoch_minute(instant: datetime) -> int:
    """The epoch minute in which an aware datetime lies (seconds are cut off). ValueError for a naive one."""
    if instant.tzinfo is None:
        raise ValueError("a moment needs its time zone")
    return (instant - _EPOCH) // _MINUTE


def epoch_minute_after(instant: datetime) -> int:
    """The first whole epoch minute at or after an aware datetime: for ends, and for "not before"."""
    return epoch_minute(instant + _MINUTE - timedelta.resolution)


def moment(minute: int) -> datetime:
    """The aware UTC datetime of an epoch minute."""
    return _EPOCH + timedelta(minutes=minute)


def local_day(instant: datetime, zone: ZoneInfo) -> date:
    """The date on the wall of `zone` at an aware moment."""
    if instant.tzinfo is None:
        raise ValueError("a moment needs its time zone")
    return instant.astimezone(zone).date()


def dates_from(first: date, days: int) -> list[date]:
    """`days` dates in a row."""
    return [first + timedelta(days=n) for n in range(days)]


def hours_on(
    clock: WallClock,
    days: Iterable[date],
    hours: Iterable[WeeklyHours],
    breaks: Iterable[WeeklyHours] = (),
    dated: Mapping[date, Sequence[WeeklyHours]] | None = None,
) -> list[Interval]:
    """Weekly hours less their breaks on these local dates: a tidy list of epoch-minute intervals.

    Hours belong to the date they start on, so pass the day before too where its hours may run past midnight
    into the window (`spill_days` does). A break belongs to the hours of its weekday: in hours that run past
    midnight a break earlier on the clock than their start is taken on the next day. `dated` replaces the weekly
    hours of single dates (an empty list: none that day); their `weekday` is not looked at.
    """
    weekly: list[list[WeeklyHours]] = [[] for _ in range(7)]
    pauses: list[list[WeeklyHours]] = [[] for _ in range(7)]
    for row in hours:
        weekly[row.weekday].append(row)
    for row in breaks:
        pauses[row.weekday].append(row)
    worked: list[Interval] = []
    paused: list[Interval] = []
    for day in days:
        weekday = day.weekday()
        rows = dated[day] if dated is not None and day in dated else weekly[weekday]
        for row in rows:
            span = _span(clock, day, row)
            worked.append(span)
            for pause in pauses[weekday]:
                paused += intersect([span], [_span(clock, _pause_day(day, row, pause), pause)])
    return subtract(union(worked), union(paused))


def break_fits(hours: WeeklyHours, pause: WeeklyHours) -> bool:
    """Whether a break lies wholly inside the hours of the same weekday, as `hours_on` reads the two."""
    start = _wall_minute(hours.starts)
    end = _wall_minute(hours.ends) + (_DAY_MINUTES if hours.crosses_midnight else 0)
    pause_start = _wall_minute(pause.starts) + (_DAY_MINUTES if _after_midnight(hours, pause) else 0)
    length = (_wall_minute(pause.ends) - _wall_minute(pause.starts)) % _DAY_MINUTES
    return (
        hours.weekday == pause.weekday and length > 0 and start <= pause_start and pause_start + length <= end
    )


def spill_days(first: date, days: int) -> list[date]:
    """The dates whose hours can reach into `days` dates from `first`: these and the one before."""
    return dates_from(first - _DAY, days + 1)


def days_around(first: date, days: int) -> list[date]:
    """The dates whose hours matter to visits that start on `days` dates from `first`: the one before, whose hours can
    reach into them, and the one after, into which a late visit runs on."""
    return dates_from(first - _DAY, days + 2)


def grid_of(clock: WallClock, day: date, step_minutes: int) -> list[int]:
    """The candidate starts of a local date, every `step_minutes` on the wall clock from midnight, in order.

    Epoch minutes; times that do not exist are left out, times that exist twice are in it twice.
    ValueError for a step that is not one of STEPS_MINUTES.
    """
    if step_minutes not in STEPS_MINUTES:
        raise ValueError(f"the step must be one of {STEPS_MINUTES} minutes")
    midnight = clock.even_midnight(day)
    if midnight is not None:
        return list(range(midnight, midnight + _DAY_MINUTES, step_minutes))
    walls = range(0, _DAY_MINUTES, step_minutes)
    return sorted(at for wall in walls for at in clock.minutes_at(day, time(wall // 60, wall % 60)))


def grid_over(clock: WallClock, days: Iterable[date], step_minutes: int) -> list[int]:
    """The candidate starts of several dates in a row, in order: see `grid_of`."""
    return [at for day in days for at in grid_of(clock, day, step_minutes)]


def _pause_day(day: date, hours: WeeklyHours, pause: WeeklyHours) -> date:
    """The date on which a break of the hours that start on `day` is taken."""
    return day + _DAY if _after_midnight(hours, pause) else day


def _after_midnight(hours: WeeklyHours, pause: WeeklyHours) -> bool:
    return hours.crosses_midnight and pause.starts < hours.starts


def _span(clock: WallClock, day: date, row: WeeklyHours) -> Interval:
    end_day = day + _DAY if row.crosses_midnight else day
    return clock.minute_at(day, row.starts), clock.minute_at(end_day, row.ends)


def _wall_minute(wall: time) -> int:
    return wall.hour * 60 + wall.minute


def local_texts(minutes: Sequence[int], zone: ZoneInfo) -> list[str]:
    """Sorted epoch minutes as ISO 8601 texts with the zone's offset, such as 2026-12-01T09:00:00+01:00."""
    clock = WallClock(zone)
    texts: list[str] = []
    day_text, starts, ends = "", 0, 0
    offset = ""
    for minute in minutes:
        if not starts <= minute < ends:
            local = clock.show(minute)
            midnight = clock.even_midnight(local.date())
            if midnight is None:  # a day on which the clock is changed: each time by itself
                texts.append(local.isoformat())
                continue
            starts, ends = midnight, midnight + _DAY_MINUTES
            day_text, offset = local.date().isoformat(), local.isoformat()[19:]
        texts.append(day_text + _CLOCK_TEXTS[minute - starts] + offset)
    return texts
