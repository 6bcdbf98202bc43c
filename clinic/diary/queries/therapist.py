"""A therapist's own days: hours, breaks, time off, visits and what is cautioned.

A fixed number of statements whatever the number of days and visits.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from clinic.booking.models import Visit
from clinic.booking.queries import next_steps, rest, treated
from clinic.booking.queries.rest import Passed
from clinic.diary.queries.desk_columns import BLOCK_WORDS, LONGEST_BLOCK_MINUTES, USUAL_HOURS, Span
from clinic.diary.queries.findings import Care, care_of
from clinic.premises import queries as premises
from clinic.premises.queries import ClinicFacts
from clinic.rules.intervals import Interval, intersect, subtract, union
from clinic.rules.visit_status import VisitStatus, holds_claims
from clinic.rules.wall_time import (
    WallClock,
    WeeklyHours,
    dates_from,
    epoch_minute,
    epoch_minute_after,
    hours_on,
    moment,
    spill_days,
)
from clinic.therapists import queries as therapists
from clinic.therapists.models import TimeOff

COMING = (VisitStatus.ARRIVED, VisitStatus.CONFIRMED)


@dataclass(frozen=True)
class Me:
    """The therapist who is signed in."""

    id: int
    name: str
    tint: int
    licence_expires_on: dt.date


@dataclass(frozen=True)
class OwnVisit:
    """A visit on the therapist's grid. `start` and `until` are local "HH:MM"."""

    id: int
    revision: int
    client: str
    service: str
    room: str
    status: VisitStatus
    starts_at: dt.datetime
    ends_at: dt.datetime
    start: str
    until: str
    minutes: int
    first_visit: bool
    care: Care
    sooner: Passed | None

    @property
    def flag(self) -> str:
        """What stands on the grid beside the name."""
        if self.status in (VisitStatus.PENDING, VisitStatus.SUSPENDED):
            return "Not confirmed"
        return self.care.flag or ("First visit" if self.first_visit else "")


@dataclass(frozen=True)
class OwnDay:
    """One local day. `ended` are visits that hold no time any more; `hours` (start, end) as local times."""

    day: dt.date
    hours: tuple[tuple[dt.time, dt.time], ...]
    off: tuple[Span, ...]
    visits: tuple[OwnVisit, ...]
    ended: tuple[OwnVisit, ...]
    licensed: bool

    @property
    def coming(self) -> list[OwnVisit]:
        """Booked visits, without times that somebody online is still choosing."""
        return [one for one in self.visits if one.status is not VisitStatus.HELD]


@dataclass(frozen=True)
class _Read:
    clock: WallClock
    work: Sequence[WeeklyHours]
    breaks: Sequence[WeeklyHours]
    dated: Mapping[dt.date, Sequence[WeeklyHours]]
    blocks: Sequence[tuple[Interval, str]]
    visits: Sequence[Visit]
    care: Mapping[int, Care]
    sooner: Mapping[int, Passed]
    licence_ends: dt.date


def therapist_who(user_id: int | None) -> Me | None:
    """The therapist of this account; None for one that the owner has not linked to a profile."""
    row = therapists.therapist_of_user(user_id) if user_id is not None else None
    return Me(row.id, row.name, row.tint, row.licence_expires_on) if row is not None else None


def own_days(therapist: Me, facts: ClinicFacts, first: dt.date, days: int) -> list[OwnDay]:
    """This many local days from `first`. Nine statements."""
    clock = WallClock(ZoneInfo(facts.zone))
    dates = dates_from(first, days)
    start, end = moment(clock.day_bounds(dates[0])[0]), moment(clock.day_bounds(dates[-1])[1])
    week = therapists.week_of(therapist.id, facts.location_id)
    off = therapists.time_off_between([therapist.id], start, end)
    shut = [
        one
        for one in premises.closures_from(facts.location_id, start)
        if one.resource_id is None and one.starts_at < end
    ]
    found = treated.visits_of_therapist(therapist.id, start, end)
    rows = next_steps.screenings([one.screening_id for one in found if one.screening_id])
    read = _Read(
        clock=clock,
        work=week["work"],
        breaks=week["break"],
        dated=therapists.dated_hours([therapist.id], facts.location_id, spill_days(first, days))[
            therapist.id
        ],
        blocks=[
            *(
                ((epoch_minute(one.starts_at), epoch_minute_after(one.ends_at)), _block_words(one))
                for one in off
            ),
            *(((epoch_minute(one.starts_at), epoch_minute_after(one.ends_at)), one.reason) for one in shut),
        ],
        visits=found,
        care={one.id: care_of(rows.get(one.screening_id or 0)) for one in found},
        sooner=rest.passed([one.id for one in found]),
        licence_ends=therapist.licence_expires_on,
    )
    return [_own_day(read, day) for day in dates]


def _block_words(row: TimeOff) -> str:
    words = BLOCK_WORDS.get(row.kind, BLOCK_WORDS["other"])
    return f"{words}: {row.note}" if row.note else words


def _own_day(read: _Read, day: dt.date) -> OwnDay:
    bounds = read.clock.day_bounds(day)
    days = spill_days(day, 1)
    hours = intersect(hours_on(read.clock, days, read.work, dated=read.dated), [bounds])
    duty = intersect(hours_on(read.clock, days, read.work, read.breaks, read.dated), [bounds])
    blocks = [(span, label) for one, label in read.blocks for span in intersect([one], [bounds])]
    labelled = [*((span, "Break") for span in subtract(hours, duty)), *blocks]
    outside = subtract([bounds], union(hours, [span for span, _label in labelled]))
    spans = [*((span, "") for span in outside), *labelled]
    mine = [
        _own_visit(one, read, bounds)
        for one in read.visits
        if epoch_minute(one.starts_at) < bounds[1] and epoch_minute_after(one.ends_at) > bounds[0]
    ]
    return OwnDay(
        day=day,
        hours=tuple((read.clock.show(start).time(), read.clock.show(end).time()) for start, end in hours),
        off=tuple(piece for span, label in spans for piece in _pieces(span, label, read.clock)),
        visits=tuple(one for one in mine if holds_claims(one.status)),
        ended=tuple(one for one in mine if not holds_claims(one.status)),
        licensed=day <= read.licence_ends,
    )


def _pieces(span: Interval, label: str, clock: WallClock) -> list[Span]:
    """The span as it can be drawn: a block is at most twelve hours long."""
    pieces, (start, end) = [], span
    while start < end:
        stop = min(end, start + LONGEST_BLOCK_MINUTES)
        pieces.append(Span(f"{clock.show(start):%H:%M}", stop - start, label))
        start, label = stop, ""
    return pieces


def _own_visit(visit: Visit, read: _Read, bounds: Interval) -> OwnVisit:
    start = max(epoch_minute(visit.starts_at), bounds[0])
    end = min(epoch_minute_after(visit.ends_at), bounds[1])
    is_held = visit.status == VisitStatus.HELD
    return OwnVisit(
        id=visit.id,
        revision=visit.revision,
        client="Somebody is booking" if is_held or visit.client is None else visit.client.name,
        service=visit.service.name,
        room=visit.room.name,
        status=VisitStatus(visit.status),
        starts_at=visit.starts_at,
        ends_at=visit.ends_at,
        start=f"{read.clock.show(start):%H:%M}",
        until=f"{read.clock.show(end):%H:%M}",
        minutes=max(end - start, 5),
        first_visit=visit.first_visit,
        care=read.care[visit.id],
        sooner=read.sooner.get(visit.id),
    )


def next_visit(day: OwnDay, now: dt.datetime) -> OwnVisit | None:
    """Who is on the table now, or who comes next; None when today's work is done."""
    for one in day.visits:
        if one.status is VisitStatus.IN_SESSION:
            return one
    waiting = [one for one in day.visits if one.status in COMING and one.ends_at > now]
    return min(waiting, key=lambda one: one.starts_at, default=None)


def window(days: Sequence[OwnDay]) -> tuple[int, int]:
    """The hours to draw: work and visits, whole hours."""
    minutes = [_minutes(one.start) for day in days for one in day.visits]
    minutes += [start.hour * 60 + start.minute for day in days for start, _end in day.hours]
    ends = [_minutes(one.start) + one.minutes for day in days for one in day.visits]
    # hours that end at midnight or on the next day are drawn to the day's end
    ends += [(end.hour * 60 + end.minute) or 24 * 60 for day in days for _start, end in day.hours]
    if not minutes:
        return USUAL_HOURS
    first, last = min(minutes) // 60, min(-(-max(ends) // 60), 24)
    return first, max(last, first + 1)


def _minutes(clock_time: str) -> int:
    return int(clock_time[:2]) * 60 + int(clock_time[3:])
