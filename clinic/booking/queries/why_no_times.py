"""Why there are no free times, for staff: what stands in the way in the days asked for, counted.

The wish is read by `look`, as everywhere; what is read here besides only names what stands in the book. A fixed number
of statements, whatever is asked.
"""

from __future__ import annotations

import datetime as dt
import sys
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from clinic.booking.queries import the_book
from clinic.booking.queries.availability import DAY_MINUTES, Ask, Open, holds_rules_for_new, look
from clinic.booking.queries.the_book import Apart, Reach
from clinic.intake import queries as intake
from clinic.premises import queries as premises
from clinic.premises.models import Closure
from clinic.rules.intervals import Interval, overlaps, union
from clinic.rules.licence import Days, common
from clinic.rules.wall_time import (
    WallClock,
    WeeklyHours,
    dates_from,
    days_around,
    epoch_minute,
    epoch_minute_after,
    hours_on,
    moment,
)
from clinic.rules.why_no_times import Behind, Block, Counted, Obstacle, Reason, Why, count_reasons, obstacles
from clinic.rules.why_words import Named, Shut
from clinic.therapists import queries as therapists
from clinic.therapists.models import Therapist


@dataclass(frozen=True)
class Said:
    """One thing that stands in the way of `starts` starts; of `alone` of them as the only one."""

    why: Why
    about: int | None
    sentence: str
    starts: int
    alone: int


@dataclass(frozen=True)
class Explained:
    """`starts` lie in opening hours, `free` of them can be booked; `closed_days` have no opening hours at all."""

    zone: str
    starts: int
    free: int
    reasons: tuple[Said, ...]
    closed_days: tuple[dt.date, ...]


def why_no_times(
    ask: Ask, at: dt.time | None = None, refused: Collection[dt.date] = frozenset()
) -> Explained:
    """What stands in the way of this wish, from now on; of the starts at that wall time alone where one is named.

    `refused`: days on which the gate would refuse the client. Raises LookupError for an unknown place.
    """
    # Read as if everybody could book this online, so that the other reasons are told too.
    found = look(replace(ask, plan=replace(ask.plan, known_clients_only=False)))
    place, clock = found.place, found.clock
    days = dates_from(ask.first_day, ask.days)
    bounds = [clock.day_bounds(day) for day in days]
    window = bounds[0][0], bounds[-1][1] + DAY_MINUTES
    people = {one.id: one for one in therapists.active_therapists()}
    closures = [
        one
        for one in premises.closures_from(place.id, moment(window[0]))
        if epoch_minute(one.starts_at) < window[1]
    ]
    is_new = holds_rules_for_new(ask, place.settings)
    skilled = _skilled(ask, [people[one] for one in found.eligible.therapists])
    behind = replace(
        _behind(ask, found, window, people, closures, bounds, skilled),
        refused=union([clock.day_bounds(day) for day in refused]),
        known_only=ask.plan.known_clients_only and is_new,
    )
    by_start: dict[int, list[Obstacle]] = {}
    for part in found.parts:
        grid = _asked_for(part.grid, ask, clock, days, at)
        by_start |= obstacles(grid, part.wanted, found.eligible, part.book, behind)
    _add_gaps(found, by_start)
    names = _names(found, people, skilled, closures, is_new=is_new)
    opening = found.parts[0].book.opening
    is_open = [any(overlaps(bound, span) for span in opening) for bound in bounds]
    return Explained(
        zone=found.zone,
        starts=len(by_start),
        free=sum(not ways for ways in by_start.values()),
        reasons=tuple(_said(one, names) for one in count_reasons(by_start.values())),
        closed_days=tuple(day for day, opens in zip(days, is_open, strict=True) if not opens),
    )


def _names(
    found: Open,
    people: dict[int, Therapist],
    skilled: dict[int, Days],
    closures: Sequence[Closure],
    *,
    is_new: bool,
) -> Named:
    """What the sentences say of everything that is named by its number alone."""
    settings, asked = found.place.settings, found.ask.therapist_id
    return Named(
        names={key: one.name for key, one in people.items()} | premises.kit_names(found.place.id),
        licence_ends={key: one.licence_expires_on for key, one in people.items()},
        skilled=skilled,
        device_kinds=found.ask.plan.device_kinds,
        shut={one.id: Shut(*_span(one), one.reason) for one in closures},
        settings=settings.for_new() if is_new else settings,
        clock=found.clock,
        uses_24_hours=premises.clinic().uses_24_hours,
        asked=people[asked].name if asked in people else "",
    )


def _add_gaps(found: Open, by_start: dict[int, list[Obstacle]]) -> None:
    """Where the clinic offers only what leaves no hole that nobody can book, this is what is left in the way."""
    offered = {one.starts_at for one in found.starts()}
    for start, ways in by_start.items():
        if not ways and start not in offered and not found.is_too_soon(start):
            ways.append(((Reason(Why.GAP),),))


def _asked_for(
    grid: list[int], ask: Ask, clock: WallClock, days: list[dt.date], at: dt.time | None
) -> list[int]:
    """The starts that are asked about: none that has passed."""
    coming = [one for one in grid if one >= epoch_minute_after(ask.now)]
    if at is None:
        return coming
    shown = {minute for day in days for minute in clock.minutes_at(day, at)}
    return [one for one in coming if one in shown]


def _said(one: Counted, names: Named) -> Said:
    return Said(one.reason.why, one.reason.resource or None, names.say(one.reason), one.starts, one.alone)


def _skilled(ask: Ask, team: Sequence[Therapist]) -> dict[int, Days]:
    """The days on which they have all the skills, of those who do not always."""
    needed = ask.plan.skills | (intake.skills_needed(ask.client_id) if ask.client_id else frozenset())
    days = {one.id: common(row.days for row in one.skill_rows if row.skill in needed) for one in team}
    return {key: one for key, one in days.items() if any(one)}


def _minutes(clock: WallClock, days: Days) -> Interval:
    first = clock.day_bounds(days.starts_on)[0] if days.starts_on else 0
    return first, clock.day_bounds(days.ends_on)[1] if days.ends_on else sys.maxsize


def _behind(
    ask: Ask,
    found: Open,
    window: Interval,
    people: dict[int, Therapist],
    closures: Sequence[Closure],
    bounds: list[Interval],
    skilled: dict[int, Days],
) -> Behind:
    """What the spans of the book are made of."""
    clock, eligible, team = found.clock, found.eligible, list(found.eligible.therapists)
    place = found.place
    reach = Reach(window[0], window[1], ask.now, ask.instead_of)
    blocks = _visits([*eligible.everything, *([ask.client_id] if ask.client_id else [])], reach)
    client_blocks = blocks.pop(ask.client_id, []) if ask.client_id else []
    for off in therapists.time_off_between(team, moment(window[0]), moment(window[1])):
        blocks[off.therapist_id].append(Block(*therapists.span_at(off, clock), Why.OFF))
    for one in closures:
        if one.resource_id is not None:
            blocks[one.resource_id].append(Block(*_span(one), Why.SHUT, one.id))
        else:
            for room in eligible.rooms:
                blocks[room].append(Block(*_span(one), Why.CLOSED, one.id))
    pauses = {one: people[one].pause_minutes or 0 for one in team}
    for person, near in the_book.kept_apart(pauses, reach, place.id, place.travel_minutes).items():
        for span in near:
            blocks[person] += _around(span, pauses[person])
    licence_ends = {one: clock.day_bounds(people[one].licence_expires_on)[1] for one in team}
    cut_short = [one for one, end in licence_ends.items() if end < window[1] or one in skilled]
    return Behind(
        hours={**found.parts[0].book.duty, **_hours(cut_short, place.id, clock, ask)},
        licence_ends=licence_ends,
        skilled={one: _minutes(clock, days) for one, days in skilled.items()},
        blocks=blocks,
        client_blocks=[one._replace(why=Why.CLIENT_BUSY) for one in client_blocks],
        days=bounds,
        too_soon=found.is_too_soon,
    )


def _around(near: Apart, pause: int) -> list[Block]:
    """At another place they are away, and on the way; here it is the pause before and after the visit itself."""
    if near.is_elsewhere:
        return [Block(near.since, near.until, Why.AWAY)]
    return [
        Block(near.since, near.since + pause, Why.PAUSE),
        Block(near.until - pause, near.until, Why.PAUSE),
    ]


def _span(one: Closure) -> Interval:
    return epoch_minute(one.starts_at), epoch_minute_after(one.ends_at)


def _visits(resources: Collection[int], reach: Reach) -> dict[int, list[Block]]:
    """What visits claim, and what is kept for somebody who is booking."""
    blocks: dict[int, list[Block]] = defaultdict(list)
    for resource, starts, ends, expires_at in the_book.taken_by_visits(resources, reach):
        blocks[resource].append(Block(starts, ends, Why.KEPT if expires_at else Why.TAKEN))
    return blocks


def _hours(team: list[int], place_id: int, clock: WallClock, ask: Ask) -> dict[int, list[Interval]]:
    """Working hours less breaks, as if no licence ended."""
    rows: dict[tuple[int, str], list[WeeklyHours]] = defaultdict(list)
    for row in therapists.weekly_hours(team, place_id):
        rows[row.therapist_id, row.kind].append(WeeklyHours(row.weekday, row.starts, row.ends))
    days = days_around(ask.first_day, ask.days)
    dated = therapists.dated_hours(team, place_id, days)
    return {one: hours_on(clock, days, rows[one, "work"], rows[one, "break"], dated[one]) for one in team}
