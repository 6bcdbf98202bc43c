"""What a change of a place's time zone, or of the zone's own rules, does to what is in the book.

A visit, time off and a closure mean a time on the clinic's wall: it stays, and the moment moves. Everything here is
worked out from what is passed in; clinic/booking/services/zone_change.py reads and writes the rows.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple
from zoneinfo import ZoneInfo

from clinic.rules.booking_policy import BookingSettings
from clinic.rules.wall_time import WallClock, moment
from clinic.rules.words import day_words, length_words, time_words


class Found(NamedTuple):
    """A wall time as a moment: None where the clock jumps over it; `twice` where it shows it two times."""

    at: dt.datetime | None
    twice: bool


def start_at(clock: WallClock, day: dt.date, wall: dt.time, fold: int) -> Found:
    """The moment at which a visit starts. Of two, the one that was meant (`fold`)."""
    minutes = clock.minutes_at(day, wall)
    if not minutes:
        return Found(None, False)
    return Found(moment(minutes[fold if len(minutes) > 1 else 0]), len(minutes) > 1)


def wall_text(at: dt.datetime, zone: str) -> str:
    """What the clock on the wall shows at a moment, as it is kept beside the moment: 2026-12-24T09:00:00."""
    return at.astimezone(ZoneInfo(zone)).replace(tzinfo=None, fold=0).isoformat()


def bound_at(clock: WallClock, wall: dt.datetime) -> dt.datetime:
    """The moment of a wall time that bounds time off or a closure: the jump, where the clock jumps over it."""
    rest = dt.timedelta(seconds=wall.second, microseconds=wall.microsecond)
    return moment(clock.minute_at(wall.date(), wall.time())) + rest


def deadline_after(
    deadline: dt.datetime, old_start: dt.datetime, new_start: dt.datetime, settings: BookingSettings
) -> dt.datetime:
    """A waiting visit's deadline, after its start has moved: it keeps its distance to the start where it hangs on it.

    One that was counted from when the visit began to wait stays, but for the bound that the start sets.
    """
    before = old_start - deadline
    far = dt.timedelta(hours=settings.pending_ends_hours_before)
    hours = (settings.pending_near_ends_hours_before, max(24, settings.pending_ends_hours_before), 0)
    if before == far or before in [dt.timedelta(hours=one) for one in hours]:
        return new_start - before
    return min(deadline, new_start - far) if before > far else deadline


class Taken(NamedTuple):
    """A resource is taken by a visit. `moves`: by one whose moment the change moves."""

    resource: int
    starts: dt.datetime
    ends: dt.datetime
    visit: int
    moves: bool


def clashes(taken: Iterable[Taken]) -> list[tuple[int, int]]:
    """Pairs of visits that would take the same person, room or device at the same time, each pair once."""
    rows: dict[int, list[Taken]] = defaultdict(list)
    for one in taken:
        rows[one.resource].append(one)
    found = {pair for each in rows.values() for pair in _overlapping(sorted(each, key=_by_time))}
    return sorted(found)


def _by_time(one: Taken) -> tuple[dt.datetime, dt.datetime, int]:
    return one.starts, one.ends, one.visit


def _overlapping(rows: Sequence[Taken]) -> Iterator[tuple[int, int]]:
    """Pairs out of one resource's rows, which are sorted by start, that overlap and of which one moves."""
    for at, one in enumerate(rows):
        for other in rows[at + 1 :]:
            if other.starts >= one.ends:
                break
            if (one.moves or other.moves) and one.visit != other.visit:
                yield min(one.visit, other.visit), max(one.visit, other.visit)


@dataclass(frozen=True)
class MovedVisit:
    """A coming visit: its moment before and after, its wall time, which stays."""

    id: int
    day: dt.date
    wall: dt.time
    old: dt.datetime
    new: dt.datetime | None
    twice: bool

    @property
    def by(self) -> dt.timedelta:
        return self.new - self.old if self.new is not None else dt.timedelta()

    @property
    def words(self) -> str:
        return f"visit {self.id}, {day_words(self.day)} at {time_words(self.wall, uses_24_hours=True)}"


class MovedSpan(NamedTuple):
    """Time off or a closure: its moments before and after."""

    id: int
    old: tuple[dt.datetime, dt.datetime]
    new: tuple[dt.datetime, dt.datetime]

    @property
    def by(self) -> dt.timedelta:
        return self.new[1] - self.old[1]


@dataclass(frozen=True)
class ZoneChange:
    """All that a change would do, and what stands against it."""

    place: str
    old_zone: str
    new_zone: str
    now: dt.datetime
    visits: tuple[MovedVisit, ...]
    time_off: tuple[MovedSpan, ...]
    closures: tuple[MovedSpan, ...]
    claims: int
    clashing: tuple[tuple[int, int], ...]

    @property
    def missing(self) -> list[MovedVisit]:
        """Visits whose wall time does not exist on their day."""
        return [one for one in self.visits if one.new is None]

    @property
    def twice(self) -> list[MovedVisit]:
        """Visits whose wall time exists two times on their day."""
        return [one for one in self.visits if one.twice]

    @property
    def begun(self) -> list[MovedVisit]:
        """Visits that would already have begun."""
        return [one for one in self.visits if one.new is not None and one.new <= self.now]

    @property
    def is_possible(self) -> bool:
        return not (self.missing or self.begun or self.clashing)

    @property
    def moves_anything(self) -> bool:
        spans = (*self.time_off, *self.closures)
        return any(one.by for one in self.visits) or any(one.by for one in spans)

    def lines(self) -> list[str]:
        """The preview, for the screen."""
        return [
            f"{self.place}: {self.old_zone} becomes {self.new_zone}. Days and times on the wall stay.",
            *_count("visit", "visits", [one.by for one in self.visits if one.new is not None]),
            *_count("time off", "times off", [one.by for one in self.time_off]),
            *_count("closure", "closures", [one.by for one in self.closures]),
            f"Claims of these visits that move with them: {self.claims}.",
            *(f"Exists twice, {_which(one)} is taken: {one.words}" for one in self.twice),
            *(f"DOES NOT EXIST on that day: {one.words}" for one in self.missing),
            *(f"WOULD ALREADY HAVE BEGUN: {one.words}" for one in self.begun),
            *(f"CLASH: visit {one} and visit {other} would overlap" for one, other in self.clashing),
        ]


def _which(one: MovedVisit) -> str:
    return f"the one at {one.new:%H:%M} UTC" if one.new is not None else ""


def _count(one: str, many: str, moves: Sequence[dt.timedelta]) -> list[str]:
    """`3 visits move 1 hour later`, one line for each distance."""
    return [
        f"{count} {one if count == 1 else many}: {_by_words(by)}"
        for by, count in sorted(Counter(moves).items())
    ]


def _by_words(by: dt.timedelta) -> str:
    if not by:
        return "the moment stays"
    minutes = round(abs(by).total_seconds() / 60)
    return f"the moment moves {length_words(minutes)} {'later' if by > dt.timedelta() else 'earlier'}"
