"""A therapist's own days: hours, breaks, time off, visits and what is cautioned.

A fixed number of statements whatever the number of days and visits.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from clinic.booking.models import Visit
from clinic.booking.queries import next_steps, rest, treated, visits
from clinic.booking.queries.rest import Passed
from clinic.diary.queries.desk_columns import (
    LONGEST_BLOCK_MINUTES,
    USUAL_HOURS,
    Span,
    began_before,
    block_words,
)
from clinic.diary.queries.findings import Care, care_of
from clinic.premises import queries as premises
from clinic.premises.models import Closure, Location
from clinic.rules.intervals import Interval, intersect, subtract, union
from clinic.rules.language import _, gettext
from clinic.rules.visit_status import VisitStatus, holds_claims
from clinic.rules.wall_time import (
    WallClock,
    dates_from,
    epoch_minute,
    epoch_minute_after,
    moment,
    spill_days,
)
from clinic.rules.words import wall_text
from clinic.rules.workplace import HoursAt, place_on
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
    """A visit on the therapist's grid. `start` and `until` are "HH:MM" in `zone`, that of its place; `began_at` is on
    the wall, where it began the day before and `start` is only where the grid draws it from."""

    id: int
    revision: int
    client: str
    service: str
    room: str
    status: VisitStatus
    location_id: int
    zone: str
    starts_at: dt.datetime
    ends_at: dt.datetime
    start: str
    until: str
    minutes: int
    first_visit: bool
    care: Care
    sooner: Passed | None
    began_at: dt.datetime | None
    moved: bool
    """Ended because the client took another time: nothing was lost."""

    @property
    def flag(self) -> str:
        """What stands on the grid beside the name."""
        if self.status in (VisitStatus.PENDING, VisitStatus.SUSPENDED):
            return _("Ask the desk")  # how it stands is said beside it
        return self.care.flag or (_("First visit") if self.first_visit else "")


@dataclass(frozen=True)
class OwnDay:
    """One local day by one clock. `places`: where they work or have visits then. `ended` are visits that hold no time
    any more; `hours` (start, end) as local times."""

    day: dt.date
    zone: str
    places: tuple[int, ...]
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
    """What was read: places by id, the therapist's hours at each, and what stands in the book at all of them."""

    places: Mapping[int, Location]
    hours: Mapping[int, HoursAt]
    off: Sequence[TimeOff]
    shut: Sequence[Closure]
    visits: Sequence[Visit]
    care: Mapping[int, Care]
    sooner: Mapping[int, Passed]
    moved: Collection[int]
    licence_ends: dt.date


@dataclass(frozen=True)
class _Wall:
    """One clock, and the places of the clinic whose clock it is."""

    clock: WallClock
    places: tuple[int, ...]

    @property
    def zone(self) -> str:
        return self.clock.zone.key


def therapist_who(user_id: int | None) -> Me | None:
    """The therapist of this account; None for one that the owner has not linked to a profile."""
    row = therapists.therapist_of_user(user_id) if user_id is not None else None
    return Me(row.id, row.name, row.tint, row.licence_expires_on) if row is not None else None


def today_of(therapist_id: int, now: dt.datetime) -> dt.date:
    """The day on the wall of the place where the therapist works."""
    return premises.today(now, therapists.workplace(therapist_id, premises.today(now)).zone)


def own_days(therapist: Me, first: dt.date, days: int, now: dt.datetime) -> list[OwnDay]:
    """This many local days from `first`, each drawn by the clock of the place where they are then: a date is there once
    for each clock by which there is work on it, and once where there is none. What to take care of is there for those
    whom the therapist treats now, as on the visit's own page. Thirteen statements, one more where visits were
    cancelled."""
    places = {one.id: one for one in premises.locations()}
    dates = dates_from(first, days)
    walls = _walls(places)
    bounds = [(one.clock.day_bounds(dates[0])[0], one.clock.day_bounds(dates[-1])[1]) for one in walls]
    start, end = moment(min(one for one, _ in bounds)), moment(max(one for _, one in bounds))
    found = treated.visits_of_therapist(therapist.id, start, end)
    who = visits.treated(therapist.id, {one.client_id for one in found if one.client_id}, now)
    mine = [one for one in found if one.client_id in who]
    rows = next_steps.screenings([one.screening_id for one in mine if one.screening_id])
    read = _Read(
        places=places,
        hours=therapists.workplaces(therapist.id, spill_days(first, days)),
        off=therapists.time_off_between([therapist.id], start, end),
        shut=premises.closures_between(start, end),
        visits=found,
        care={one.id: care_of(rows.get(one.screening_id or 0)) for one in found},
        sooner=rest.passed([one.id for one in mine]),
        moved=treated.moved_away([one.id for one in found if one.status == VisitStatus.CANCELLED]),
        licence_ends=therapist.licence_expires_on,
    )
    return [one for day in dates for one in _by_clock(read, walls, day)]


def _walls(places: Mapping[int, Location]) -> list[_Wall]:
    """One for each zone, that of the first place first."""
    zones = dict.fromkeys(one.zone for one in places.values())
    return [
        _Wall(WallClock(ZoneInfo(zone)), tuple(key for key, one in places.items() if one.zone == zone))
        for zone in zones
    ]


def _by_clock(read: _Read, walls: Sequence[_Wall], day: dt.date) -> list[OwnDay]:
    shown = [_own_day(read, one, day) for one in walls]
    busy = [one for one in shown if one.hours or one.visits or one.ended]
    if busy:
        return busy
    usual = place_on(day, read.hours)
    zone = read.places[usual].zone if usual is not None else walls[0].zone
    return [one for one in shown if one.zone == zone]


def _block_words(row: TimeOff) -> str:
    words = block_words(row)
    return f"{words}: {gettext(row.note)}" if row.note else words


def _own_day(read: _Read, wall: _Wall, day: dt.date) -> OwnDay:
    clock, days = wall.clock, spill_days(day, 1)
    bounds = clock.day_bounds(day)
    at = {key: read.hours[key] for key in wall.places if key in read.hours}
    worked = {key: intersect(one.worked(clock, days, with_breaks=True), [bounds]) for key, one in at.items()}
    hours = union(*worked.values())
    duty = union(*(intersect(one.worked(clock, days, with_breaks=False), [bounds]) for one in at.values()))
    blocks = [
        *((span, _block_words(row)) for row in read.off for span in _inside(row, clock, [bounds])),
        *((span, row.reason) for row in read.shut for span in _shut(row, worked.get(row.location_id, []))),
    ]
    labelled = [*((span, _("Break")) for span in subtract(hours, duty)), *blocks]
    outside = subtract([bounds], union(hours, [span for span, _label in labelled]))
    spans = [*((span, "") for span in outside), *labelled]
    mine = [
        _own_visit(one, read, clock, bounds)
        for one in read.visits
        if one.location_id in wall.places
        and epoch_minute(one.starts_at) < bounds[1]
        and epoch_minute_after(one.ends_at) > bounds[0]
    ]
    here = {*(key for key, spans in worked.items() if spans), *(one.location_id for one in mine)}
    return OwnDay(
        day=day,
        zone=wall.zone,
        places=tuple(sorted(here)),
        hours=tuple((clock.show(start).time(), clock.show(end).time()) for start, end in hours),
        off=tuple(piece for span, label in spans for piece in _pieces(span, label, clock)),
        visits=tuple(one for one in mine if holds_claims(one.status)),
        ended=tuple(one for one in mine if not holds_claims(one.status)),
        licensed=day <= read.licence_ends,
    )


def _inside(row: TimeOff, clock: WallClock, bounds: list[Interval]) -> list[Interval]:
    return intersect([therapists.span_at(row, clock)], bounds)


def _shut(row: Closure, worked: list[Interval]) -> list[Interval]:
    """The part of a closure in which somebody would work there."""
    return intersect([(epoch_minute(row.starts_at), epoch_minute_after(row.ends_at))], worked)


def _pieces(span: Interval, label: str, clock: WallClock) -> list[Span]:
    """The span as it can be drawn: a block is at most twelve hours long."""
    pieces, (start, end) = [], span
    while start < end:
        stop = min(end, start + LONGEST_BLOCK_MINUTES)
        pieces.append(Span(f"{clock.show(start):%H:%M}", stop - start, label))
        start, label = stop, ""
    return pieces


def _own_visit(visit: Visit, read: _Read, clock: WallClock, bounds: Interval) -> OwnVisit:
    start = max(epoch_minute(visit.starts_at), bounds[0])
    end = min(epoch_minute_after(visit.ends_at), bounds[1])
    is_held = visit.status == VisitStatus.HELD
    return OwnVisit(
        id=visit.id,
        revision=visit.revision,
        client=_("Somebody is booking") if is_held or visit.client is None else visit.client.name,
        service=visit.service.name,
        room=visit.room.name,
        status=VisitStatus(visit.status),
        location_id=visit.location_id,
        zone=clock.zone.key,
        starts_at=visit.starts_at,
        ends_at=visit.ends_at,
        start=wall_text(clock.show(start)),
        until=wall_text(clock.show(epoch_minute_after(visit.ends_at))),
        minutes=max(end - start, 5),
        first_visit=visit.first_visit,
        care=read.care[visit.id],
        sooner=read.sooner.get(visit.id),
        began_at=began_before(visit, start, clock),
        moved=visit.id in read.moved,
    )


def next_visit(shown: Sequence[OwnDay], now: dt.datetime) -> OwnVisit | None:
    """Who is on the table now, or who comes next; None when today's work is done."""
    mine = [one for day in shown for one in day.visits]
    for one in mine:
        if one.status is VisitStatus.IN_SESSION:
            return one
    waiting = [one for one in mine if one.status in COMING and one.ends_at > now]
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
    return int(clock_time[:2]) * 60 + int(clock_time[3:5])
