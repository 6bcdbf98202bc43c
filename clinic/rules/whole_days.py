"""Whole days that somebody is away: dates, which hold on the wall of every place of the clinic."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from clinic.rules.intervals import Interval
from clinic.rules.wall_time import WallClock


def days_at(clock: WallClock, first: dt.date, last: dt.date) -> Interval:
    """From midnight to midnight on one wall, in epoch minutes."""
    return clock.day_bounds(first)[0], clock.day_bounds(last)[1]


def on_any_wall(clocks: Iterable[WallClock], first: dt.date, last: dt.date) -> Interval:
    """From the first midnight of any place to the last: nothing outside touches these days anywhere."""
    spans = [days_at(one, first, last) for one in clocks]
    return min(start for start, _end in spans), max(end for _start, end in spans)


def on_every_wall(clocks: Iterable[WallClock], first: dt.date, last: dt.date) -> Interval:
    """What lies in these days wherever one is; empty (the end not after the start) where places are too far apart."""
    spans = [days_at(one, first, last) for one in clocks]
    return max(start for start, _end in spans), min(end for _start, end in spans)
