"""One therapist's day as it is drawn: what is booked, what is blocked, what is free."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from clinic.booking.models import Visit
from clinic.booking.queries.next_steps import IN_THE_WAY, NextStep, may_be_in_the_way
from clinic.premises.models import Closure
from clinic.rules.intervals import Interval, intersect, overlaps, subtract, union
from clinic.rules.language import N_, _
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
from clinic.rules.words import length_words, wall_text
from clinic.therapists import queries as therapists
from clinic.therapists.models import Therapist, TimeOff, WorkingHours

BLOCK_WORDS = {"off": N_("Off"), "meeting": N_("Meeting"), "laundry": N_("Laundry"), "other": N_("Blocked")}
SHORTEST_GAP_MINUTES = 30
LONGEST_BLOCK_MINUTES = 720
USUAL_HOURS = (8, 18)


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
    revision: int
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
    since: str = ""
    """Since when it stands as it does, "HH:MM", where that is today's work: arrived, in session, done."""
    couple_id: int | None = None
    """Booked for two: it is not moved by itself."""
    began_at: dt.datetime | None = None
    """On the wall, where it began the day before: `start` is then only where the day's grid draws it from."""


@dataclass(frozen=True)
class Column:
    """The day of one therapist, or of a room or device."""

    key: int
    name: str
    tint: int
    note: str
    hours: tuple[tuple[str, str], ...]
    off: tuple[Span, ...]
    free: tuple[Gap, ...]
    visits: tuple[ShownVisit, ...]
    lane: str = "therapist"
    """What a visit that is dropped here is given: a therapist, a room; a device comes along by itself."""


@dataclass(frozen=True)
class Read:
    """What was read for the day."""

    clock: WallClock
    day: dt.date
    now: dt.datetime
    bounds: Interval
    opening: list[Interval]
    shut: list[tuple[Interval, str]]
    hours: Sequence[WorkingHours]
    dated: dict[int, dict[dt.date, list[WeeklyHours]]]
    off: Sequence[TimeOff]
    visits: Sequence[Visit]
    steps: dict[int, NextStep]
    since: dict[int, dt.datetime]
    late: dict[int, int]  # therapist → minutes they run late today
    kept: dict[int, list[Interval]]  # therapist → when even the shortest visit is refused


def span_of(row: Closure) -> Interval:
    return epoch_minute(row.starts_at), epoch_minute_after(row.ends_at)


def is_on_grid(visit: Visit) -> bool:
    return holds_claims(VisitStatus(visit.status))


def column_of(person: Therapist, read: Read) -> tuple[Column, bool]:
    """The therapist's column, and whether there is anything in it."""
    hours, duty = _hours_and_duty(person.id, read)
    blocks = _blocks(person.id, read)
    booked = [one for one in read.visits if one.therapist_id == person.id and is_on_grid(one)]
    is_licensed = person.licence_expires_on >= read.day
    taken = union(
        [(epoch_minute(one.starts_at), epoch_minute_after(one.free_at)) for one in booked],
        [span for span, _label in blocks],
        read.kept.get(person.id, []),
    )
    free = subtract(intersect(duty, read.opening), taken) if is_licensed and person.is_active else []
    labelled = [*((span, _("Break")) for span in subtract(hours, duty)), *blocks]
    column = Column(
        key=person.id,
        name=person.name,
        tint=person.tint,
        note=_note(read.late.get(person.id, 0)) if is_licensed else _("Licence has ended"),
        hours=tuple((_wall(start, read), _wall(end, read)) for start, end in hours) if is_licensed else (),
        off=tuple(hatched(hours, labelled, booked, read)),
        free=tuple(one for span in free for one in _gaps(span, read)),
        visits=tuple(shown_of(one, read) for one in booked),
    )
    return column, bool(hours or booked)


def _note(minutes_late: int) -> str:
    return _("About %(length)s late", length=length_words(minutes_late)) if minutes_late else ""


Labelled = tuple[Interval, str]


def _hours_and_duty(therapist_id: int, read: Read) -> tuple[list[Interval], list[Interval]]:
    """Working hours with and without the breaks, inside what is drawn."""
    mine = [row for row in read.hours if row.therapist_id == therapist_id]
    work = [WeeklyHours(row.weekday, row.starts, row.ends) for row in mine if row.kind == "work"]
    breaks = [WeeklyHours(row.weekday, row.starts, row.ends) for row in mine if row.kind == "break"]
    days = spill_days(read.day, 1)
    dated = read.dated.get(therapist_id)
    hours = hours_on(read.clock, days, work, dated=dated)
    duty = hours_on(read.clock, days, work, breaks, dated)
    return intersect(hours, [read.bounds]), intersect(duty, [read.bounds])


def _blocks(therapist_id: int, read: Read) -> list[Labelled]:
    """Time off and other blocks, and closures of the whole place."""
    own = [
        (_clip(therapists.span_at(row, read.clock), read.bounds), block_words(row))
        for row in read.off
        if row.therapist_id == therapist_id
    ]
    return [*own, *((_clip(span, read.bounds), reason) for span, reason in read.shut)]


def block_words(row: TimeOff) -> str:
    """What stands on a block, in the language of who reads it."""
    return _(BLOCK_WORDS.get(row.kind, BLOCK_WORDS["other"]))


def hatched(
    hours: Sequence[Interval], labelled: Sequence[Labelled], booked: Sequence[Visit], read: Read
) -> list[Span]:
    """Everything that is hatched: outside the hours, turnover after visits, breaks and blocks."""
    outside = subtract([read.bounds], union(hours, [span for span, _label in labelled]))
    turnover = [
        _clip((epoch_minute(one.ends_at), epoch_minute(one.free_at)), read.bounds)
        for one in booked
        if one.free_at > one.ends_at
    ]
    spans = [*((span, "") for span in (*outside, *turnover)), *labelled]
    return [one for span, label in spans for one in _pieces(span, label, read)]


def _clip(span: Interval, bounds: Interval) -> Interval:
    """The part of the span inside the bounds; an empty span where there is none."""
    start = min(max(span[0], bounds[0]), bounds[1])
    return start, max(start, min(span[1], bounds[1]))


def _wall(minute: int, read: Read) -> str:
    return wall_text(read.clock.show(minute))


def _pieces(span: Interval, label: str, read: Read) -> list[Span]:
    """The span as it can be drawn: a block is at most twelve hours long."""
    pieces, (start, end) = [], span
    while start < end:
        stop = min(end, start + LONGEST_BLOCK_MINUTES)
        pieces.append(Span(_wall(start, read), stop - start, label))
        start, label = stop, ""
    return pieces


def _gaps(span: Interval, read: Read) -> list[Gap]:
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


def _step(visit: Visit, read: Read) -> NextStep:
    """What to do about it; somebody was called in sick, or a place was shut, after it was booked."""
    step = read.steps[visit.id]
    if not may_be_in_the_way(visit, step, read.now):
        return step
    off = [therapists.span_at(row, read.clock) for row in read.off if row.therapist_id == visit.therapist_id]
    span = epoch_minute(visit.starts_at), epoch_minute_after(visit.ends_at)
    return (
        IN_THE_WAY if any(overlaps(span, one) for one in (*off, *(one for one, _why in read.shut))) else step
    )


def shown_of(visit: Visit, read: Read) -> ShownVisit:
    start, end = held_span(visit, read.bounds)
    since = read.since.get(visit.id)
    return ShownVisit(
        id=visit.id,
        revision=visit.revision,
        client_id=visit.client_id,
        client=visit.client.name if visit.client else _("Somebody online"),
        service=visit.service.name,
        therapist=visit.therapist.name,
        room=visit.room.name,
        status=VisitStatus(visit.status),
        start=_wall(start, read),
        until=_wall(epoch_minute_after(visit.ends_at), read),
        minutes=max(end - start, 5),
        step=_step(visit, read),
        since=wall_text(since.astimezone(read.clock.zone)) if since else "",
        couple_id=visit.couple_id,
        began_at=began_before(visit, start, read.clock),
    )


def began_before(visit: Visit, start: int, clock: WallClock) -> dt.datetime | None:
    """When it began, on the wall, where that was before the minute from which this day shows it."""
    return clock.show(epoch_minute(visit.starts_at)) if epoch_minute(visit.starts_at) < start else None


def held_span(visit: Visit, bounds: Interval) -> Interval:
    return _clip((epoch_minute(visit.starts_at), epoch_minute_after(visit.ends_at)), bounds)
