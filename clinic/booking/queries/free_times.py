"""Free times as a client sees them: days with how many, one day's times, the soonest; and why there are none."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from zoneinfo import ZoneInfo

from clinic.booking.queries.availability import Ask, Open, look
from clinic.rules.availability import Start, nearest
from clinic.rules.errors import Nearest
from clinic.rules.wall_time import dates_from, epoch_minute, epoch_minute_after, moment
from clinic.rules.words import which_of_two

DAYS_SHOWN = 14
SOONEST = 3
LOOK_FURTHER_DAYS = 28
NEAREST_NAMED = 3


@dataclass(frozen=True)
class Time:
    """One free start. `twice` names it where the clock shows this time twice, be the other one free or not."""

    starts_at: dt.datetime
    local: dt.datetime
    therapists: tuple[int, ...]
    twice: str = ""


@dataclass(frozen=True)
class Window:
    """Some days and every free start in them, earliest first."""

    days: tuple[dt.date, ...]
    times: tuple[Time, ...]
    soonest: tuple[Time, ...] = ()
    """The few to name first."""
    left_out: tuple[tuple[dt.datetime, dt.datetime], ...] = ()
    """Where free times are left out so that this person's body can rest between visits."""

    @cached_property
    def _by_day(self) -> dict[dt.date, list[Time]]:
        # a page asks for each of its days: not each time through all starts
        found: dict[dt.date, list[Time]] = {}
        for one in self.times:
            found.setdefault(one.local.date(), []).append(one)
        return found

    def on(self, day: dt.date) -> list[Time]:
        return self._by_day.get(day, [])

    def without(self, starts_at: dt.datetime) -> Window:
        """The same without the time that a visit has already: it is nothing to move to."""

        def others(times: tuple[Time, ...]) -> tuple[Time, ...]:
            return tuple(one for one in times if one.starts_at != starts_at)

        return replace(self, times=others(self.times), soonest=others(self.soonest))

    def free_on(self, day: dt.date) -> int:
        """How many times are free on that day."""
        return len(self.on(day))

    @property
    def first_free_day(self) -> dt.date | None:
        return self.times[0].local.date() if self.times else None


def window(ask: Ask, *, without: Collection[dt.date] = ()) -> Window:
    """Everything free in the days asked for, `without` some of them: one read of the book."""
    found = look(ask)
    left_out = tuple((moment(start), moment(end)) for start, end in found.left_out())
    closed = [found.clock.day_bounds(day) for day in without]

    def is_open(start: Start) -> bool:
        return not any(since <= start.starts_at < until for since, until in closed)

    times = plain_times(list(filter(is_open, found.starts())), found.zone)
    first = sorted(one.starts_at for one in list(filter(is_open, found.to_offer_first()))[:SOONEST])
    soonest = tuple(one for one in times if epoch_minute(one.starts_at) in first)
    return Window(tuple(dates_from(ask.first_day, ask.days)), times, soonest, left_out)


def plain_times(starts: Sequence[Start], zone: str) -> tuple[Time, ...]:
    """Starts as moments on the clinic's wall."""
    local = [moment(one.starts_at).astimezone(ZoneInfo(zone)) for one in starts]
    return tuple(
        Time(moment(start.starts_at), at, start.therapists, which_of_two(at))
        for start, at in zip(starts, local, strict=True)
    )


def nearest_to(starts_at: dt.datetime, free: Sequence[Start], found: Open) -> Nearest:
    """The few free starts to name where this one cannot be had; none that has passed."""
    first = epoch_minute_after(found.ask.now)
    coming = [one for one in free if one.starts_at >= first]
    return Nearest(found.zone, tuple(nearest(coming, epoch_minute(starts_at), NEAREST_NAMED)))


def later(ask: Ask, horizon: dt.date) -> Window:
    """The days after those asked for, up to the last one that can be booked."""
    first = ask.first_day + dt.timedelta(days=ask.days)
    days = min(LOOK_FURTHER_DAYS, (horizon - first).days + 1)
    return window(replace(ask, first_day=first, days=days)) if days > 0 else Window((), ())
