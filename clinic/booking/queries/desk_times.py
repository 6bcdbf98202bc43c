"""Free times as the desk offers them: the day asked for, the very time asked for, and what comes next."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo

from clinic.booking.queries.availability import STAFF_STEP_MINUTES, Ask, look
from clinic.rules.availability import Start
from clinic.rules.wall_time import WallClock, moment

SHOWN_EVERY_MINUTES = 15
DAYS_TO_LOOK_AHEAD = 14
LATER_SHOWN = 3


@dataclass(frozen=True)
class FreeTime:
    """One start, and who could give the treatment then."""

    starts_at: dt.datetime
    therapists: tuple[int, ...]


@dataclass(frozen=True)
class FreeTimes:
    """`asked` is the very start that was asked for, when it is free: two where the clock shows it twice that day.
    `asked_exists`: whether the clock shows it at all. `later` is filled when the day is full. Of `on_day`, `rested` are
    those that leave the client enough rest; `too_soon`: from when until when the others come sooner than advised."""

    on_day: tuple[FreeTime, ...]
    rested: tuple[FreeTime, ...] = ()
    too_soon: tuple[tuple[dt.datetime, dt.datetime], ...] = ()
    asked: tuple[FreeTime, ...] = ()
    asked_exists: bool = True
    later: tuple[FreeTime, ...] = ()


def free_times(ask: Ask, at: dt.time | None = None, *, since: dt.datetime) -> FreeTimes:
    """What is free from `since` on, on the day of the wish. `at` is a wall time on that day."""
    found = look(replace(ask, days=1, by_staff=True))
    starts = [one for one in found.all_starts() if moment(one.starts_at) >= since]
    on_day = _thinned(starts)
    minutes = None if at is None else WallClock(ZoneInfo(found.zone)).minutes_at(ask.first_day, at)
    return FreeTimes(
        on_day=tuple(_plain(one) for one in on_day),
        rested=tuple(_plain(one) for one in on_day if not found.is_too_soon(one.starts_at)),
        too_soon=tuple(
            (moment(start), moment(end)) for start, end in found.left_out() if moment(end) > since
        ),
        asked=tuple(_plain(one) for one in starts if one.starts_at in (minutes or ())),
        asked_exists=minutes != (),
        later=() if starts else _later(ask, since),
    )


def _later(ask: Ask, since: dt.datetime) -> tuple[FreeTime, ...]:
    ahead = replace(
        ask, first_day=ask.first_day + dt.timedelta(days=1), days=DAYS_TO_LOOK_AHEAD, by_staff=True
    )
    starts = [one for one in look(ahead).starts() if moment(one.starts_at) >= since]
    return tuple(_plain(one) for one in _thinned(starts)[:LATER_SHOWN])


def _thinned(starts: Sequence[Start]) -> list[Start]:
    """Each quarter of an hour, and the first start of every free stretch, so that no gap has to be left."""
    free = {one.starts_at for one in starts}
    return [
        one
        for one in starts
        if one.starts_at % SHOWN_EVERY_MINUTES == 0 or one.starts_at - STAFF_STEP_MINUTES not in free
    ]


def _plain(start: Start) -> FreeTime:
    return FreeTime(moment(start.starts_at), start.therapists)
