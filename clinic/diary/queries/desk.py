"""The desk's day: every therapist side by side. A fixed number of statements whatever the number of visits."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from clinic.booking.models import Visit
from clinic.booking.queries import next_steps, visits
from clinic.booking.queries.next_steps import NextStep
from clinic.premises import queries as premises
from clinic.premises.models import Closure
from clinic.rules.intervals import Interval, intersect, subtract, union
from clinic.rules.visit_status import VisitStatus, holds_claims
from clinic.rules.wall_time import (
    WallClock,
    WeeklyHours,
    epoch_minute,
    epoch_minute_after,
    hours_on,
    moment,
    spill_days,
)
from clinic.therapists import queries as therapists
from clinic.therapists.models import Therapist, TimeOff, WorkingHours

BLOCK_WORDS = {"off": "Off", "meeting": "Meeting", "laundry": "Laundry", "other": "Blocked"}
SHORTEST_GAP_MINUTES = 30
USUAL_HOURS = (8, 18)
LONGEST_BLOCK_MINUTES = 720


@dataclass(frozen=True)
class Span:
    """A time on the grid: local "HH:MM" and minutes. `label` is empty for hours outside work."""

    start: str
    minutes: int
    label: str = ""


@dataclass(frozen=True)
class Gap:
    """A free time that can be booked."""

    starts_at: dt.datetime
    start: str
    minutes: int


@dataclass(frozen=True)
class ShownVisit:
    """A visit as the desk sees it: no answers, no reasons."""

    id: int
    client_id: int | None
    client: str
    service: str
    therapist: str
    room: str
    status: VisitStatus
    start: str
    until: str
    minutes: int
    step: NextStep


@dataclass(frozen=True)
class Column:
    """One therapist's day."""

    therapist_id: int
    name: str
    tint: int
    note: str
    off: tuple[Span, ...]
    free: tuple[Gap, ...]
    visits: tuple[ShownVisit, ...]


@dataclass(frozen=True)
class DeskDay:
    """The whole day. `given_up` are visits that hold no time any more; `closures` are words for what is shut."""

    day: dt.date
    columns: tuple[Column, ...]
    given_up: tuple[ShownVisit, ...]
    not_working: tuple[str, ...]
    closures: tuple[str, ...]
    from_hour: int
    to_hour: int
    now: str

    @property
    def visits(self) -> list[ShownVisit]:
        """Every visit that holds its time, by time."""
        return sorted((one for column in self.columns for one in column.visits), key=lambda one: one.start)


@dataclass(frozen=True)
class _Read:
    """What was read for the day."""

    clock: WallClock
    day: dt.date
    now: dt.datetime
    bounds: Interval
    opening: list[Interval]
    shut: list[tuple[Interval, str]]
    hours: Sequence[WorkingHours]
    off: Sequence[TimeOff]
    visits: Sequence[Visit]
    steps: dict[int, NextStep]


def desk_day(location_id: int, day: dt.date, now: dt.datetime) -> DeskDay:
    """Working hours, breaks, blocks, closures, visits and free gaps of one local day."""
    place = premises.location(location_id)
    if place is None:
        raise LookupError(f"no location {location_id}")
    clock = WallClock(ZoneInfo(place.zone))
    bounds = clock.day_bounds(day)
    found = visits.visits_between(location_id, moment(bounds[0]), moment(bounds[1]))
    people = _people({one.therapist_id for one in found})
    ids = [one.id for one in people]
    closures = [
        one
        for one in premises.closures_from(location_id, moment(bounds[0]))
        if one.starts_at < moment(bounds[1])
    ]
    opening = _opening(location_id, clock, day, bounds)
    hours = _drawn_hours(clock, [*opening, *(_held(one, bounds) for one in found if _on_grid(one))], bounds)
    read = _Read(
        clock=clock, day=day, now=now, opening=opening,
        bounds=_minutes_of(clock, day, hours, bounds),
        shut=[(_span(one), one.reason) for one in closures if one.resource_id is None],
        hours=therapists.weekly_hours(ids, location_id),
        off=therapists.time_off_between(ids, moment(bounds[0]), moment(bounds[1])),
        visits=found, steps=_steps(found),
    )  # fmt: skip
    columns = [_column(one, read) for one in people]
    working = [column for column, busy in columns if busy]
    return DeskDay(
        day=day,
        columns=tuple(working),
        given_up=tuple(_shown(one, read) for one in found if not _on_grid(one)),
        not_working=tuple(column.name for column, busy in columns if not busy),
        closures=tuple(_closure_words(closures, location_id)),
        from_hour=hours[0],
        to_hour=hours[1],
        now=_now_mark(read, hours),
    )


def _people(with_visits: Collection[int]) -> list[Therapist]:
    """Those who can be booked, and those who were booked for that day and have left since."""
    return [one for one in therapists.all_therapists() if one.is_active or one.id in with_visits]


def _opening(location_id: int, clock: WallClock, day: dt.date, bounds: Interval) -> list[Interval]:
    rows = [WeeklyHours(row.weekday, row.opens, row.closes) for row in premises.opening_hours(location_id)]
    return intersect(hours_on(clock, spill_days(day, 1), rows), [bounds])


def _span(row: TimeOff | Closure) -> Interval:
    return epoch_minute(row.starts_at), epoch_minute_after(row.ends_at)


def _steps(found: Sequence[Visit]) -> dict[int, NextStep]:
    rows = next_steps.screenings([one.screening_id for one in found if one.screening_id])
    return {one.id: next_steps.next_step(one, rows.get(one.screening_id or 0)) for one in found}


def _on_grid(visit: Visit) -> bool:
    return holds_claims(VisitStatus(visit.status))


def _column(person: Therapist, read: _Read) -> tuple[Column, bool]:
    """The therapist's column, and whether there is anything in it."""
    mine = [row for row in read.hours if row.therapist_id == person.id]
    days = spill_days(read.day, 1)
    work_rows = [WeeklyHours(row.weekday, row.starts, row.ends) for row in mine if row.kind == "work"]
    break_rows = [WeeklyHours(row.weekday, row.starts, row.ends) for row in mine if row.kind == "break"]
    hours = intersect(hours_on(read.clock, days, work_rows), [read.bounds])
    duty = intersect(hours_on(read.clock, days, work_rows, break_rows), [read.bounds])
    blocks = [
        (_clip(_span(row), read.bounds), BLOCK_WORDS.get(row.kind, "Blocked"))
        for row in read.off
        if row.therapist_id == person.id
    ]
    blocks += [(_clip(span, read.bounds), reason) for span, reason in read.shut]
    booked = [one for one in read.visits if one.therapist_id == person.id and _on_grid(one)]
    labelled = [*((span, "Break") for span in subtract(hours, duty)), *blocks]
    licensed = person.licence_expires_on >= read.day
    taken = union(
        [(epoch_minute(one.starts_at), epoch_minute_after(one.free_at)) for one in booked],
        [span for span, _label in blocks],
    )
    open_duty = intersect(duty, read.opening)
    free = subtract(open_duty, taken) if licensed and person.is_active else []
    turnover = [
        _clip((epoch_minute(one.ends_at), epoch_minute(one.free_at)), read.bounds)
        for one in booked
        if one.free_at > one.ends_at
    ]
    off = [(span, "") for span in subtract([read.bounds], union(hours, [span for span, _ in labelled]))]
    spans = [*off, *((span, "") for span in turnover), *labelled]
    column = Column(
        therapist_id=person.id, name=person.name, tint=person.tint,
        note=_hours_note(hours, read) if licensed else "Licence has ended",
        off=tuple(one for span, label in spans for one in _pieces(span, label, read)),
        free=tuple(one for span in free for one in _gaps(span, read)),
        visits=tuple(_shown(one, read) for one in booked),
    )  # fmt: skip
    return column, bool(hours or booked)


def _clip(span: Interval, bounds: Interval) -> Interval:
    """The part of the span inside the bounds; an empty span where there is none."""
    start = min(max(span[0], bounds[0]), bounds[1])
    return start, max(start, min(span[1], bounds[1]))


def _hours_note(hours: Sequence[Interval], read: _Read) -> str:
    return ", ".join(f"{_wall(start, read)}–{_wall(end, read)}" for start, end in hours)


def _wall(minute: int, read: _Read) -> str:
    return f"{read.clock.show(minute):%H:%M}"


def _pieces(span: Interval, label: str, read: _Read) -> list[Span]:
    """The span as it can be drawn: a block is at most twelve hours long."""
    pieces, (start, end) = [], span
    while start < end:
        stop = min(end, start + LONGEST_BLOCK_MINUTES)
        pieces.append(Span(_wall(start, read), stop - start, label))
        start, label = stop, ""
    return pieces


def _gaps(span: Interval, read: _Read) -> list[Gap]:
    """A free time from now on, one link for its start and one for each full hour in it."""
    start, end = max(span[0], -(-epoch_minute(read.now) // 5) * 5), span[1]
    gaps = []
    while end - start >= SHORTEST_GAP_MINUTES:
        local = read.clock.show(start)
        stop = min(end, start + 60 - local.minute)
        if stop - start < SHORTEST_GAP_MINUTES:
            stop = min(end, stop + 60)
        if end - stop < SHORTEST_GAP_MINUTES:
            stop = end
        gaps.append(Gap(moment(start), f"{local:%H:%M}", stop - start))
        start = stop
    return gaps


def _shown(visit: Visit, read: _Read) -> ShownVisit:
    start, end = _held(visit, read.bounds)
    return ShownVisit(
        id=visit.id,
        client_id=visit.client_id,
        client=visit.client.name if visit.client else "Somebody online",
        service=visit.service.name,
        therapist=visit.therapist.name,
        room=visit.room.name,
        status=VisitStatus(visit.status),
        start=_wall(start, read),
        until=_wall(end, read),
        minutes=max(end - start, 5),
        step=read.steps[visit.id],
    )


def _drawn_hours(clock: WallClock, spans: Sequence[Interval], bounds: Interval) -> tuple[int, int]:
    """The hours to draw: the opening hours, widened for visits outside them."""
    if not spans:
        return USUAL_HOURS
    first, last = min(start for start, _end in spans), max(end for _start, end in spans)
    from_hour, until = clock.show(first).hour, clock.show(last)
    to_hour = 24 if last >= bounds[1] else until.hour + (until.minute > 0)
    return from_hour, max(to_hour, from_hour + 1)


def _minutes_of(clock: WallClock, day: dt.date, hours: tuple[int, int], bounds: Interval) -> Interval:
    end = bounds[1] if hours[1] == 24 else clock.minute_at(day, dt.time(hours[1]))
    return clock.minute_at(day, dt.time(hours[0])), end


def _held(visit: Visit, bounds: Interval) -> Interval:
    return _clip((epoch_minute(visit.starts_at), epoch_minute_after(visit.ends_at)), bounds)


def _closure_words(closures: Sequence[Closure], location_id: int) -> list[str]:
    if not closures:
        return []
    names = premises.kit_names(location_id)
    return [
        f"{names.get(one.resource_id, 'A room or device')}: {one.reason}" if one.resource_id else one.reason
        for one in closures
    ]


def _now_mark(read: _Read, hours: tuple[int, int]) -> str:
    local = read.now.astimezone(read.clock.zone)
    if local.date() != read.day or not hours[0] <= local.hour < hours[1]:
        return ""
    return f"{local:%H:%M}"


def first_location() -> int | None:
    """The clinic's first place; None before it is set up."""
    facts = premises.clinic_facts()
    return facts.location_id if facts else None


__all__ = ["Column", "DeskDay", "Gap", "ShownVisit", "Span", "desk_day", "first_location"]
