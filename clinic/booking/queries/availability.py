"""What the book says around a window, read once; rules/availability.py then says what is free.

One indexed read each of: the place with its hours, rooms and devices, therapists with theirs, claims. The number of
statements does not grow with therapists, days or history.
"""

from __future__ import annotations

import datetime as dt
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Select

from clinic.booking.queries import the_book, visits
from clinic.booking.queries.blocks import blocked
from clinic.booking.queries.rest import Rest, rest_around
from clinic.booking.queries.the_book import Reach, Stay
from clinic.catalogue import queries as catalogue
from clinic.catalogue.queries import VisitPlan
from clinic.clients import queries as clients
from clinic.intake import queries as intake
from clinic.premises import queries as premises
from clinic.premises.queries import OpenPlace, dated_hours_of, hours_of
from clinic.rules import availability as rule
from clinic.rules.booking_policy import BookingSettings, earliest_start, latest_start
from clinic.rules.gaps import Gaps, tidy
from clinic.rules.intervals import Interval, since, until
from clinic.rules.limits import Given, Limits
from clinic.rules.wall_time import (
    WallClock,
    dates_from,
    days_around,
    epoch_minute,
    epoch_minute_after,
    grid_over,
    hours_on,
    local_day,
    moment,
)
from clinic.therapists import queries as therapists
from clinic.therapists.queries import OnDuty

STAFF_STEP_MINUTES = 5
DAY_MINUTES = 24 * 60


@dataclass(frozen=True)
class Ask:
    """Who wants what, when. `by_staff`: no lead time or horizon, starts every five minutes.

    `instead_of`: a visit that is being moved, whose own claims do not stand in its way; `along`: another one that is
    moved with it. `rested_areas`: a client's
    own wish for these areas, for which starts that leave the body too little rest are left out; None minds no rest.
    `by_history`: each start is planned as the person's first visit, or not, by their visits before it; else the plan
    holds for all starts. `people`: others whose visits make them a known client (those of an account, before it has
    said who is coming): new ones may have stricter rules online. `picks`: a combination will be picked for one of the
    starts, and what that takes is read along. `gender`: only therapists of this one, where none is named. `room_id`: in
    this room and no other. `kept_since`: this very time has been kept for them since then: the notice counts from that
    moment, and its place among the steps and whether it leaves a hole was settled then. `follows`: it follows the first
    visit of a series, which lies within the horizon; it need not. `stands`: the visit `instead_of` is still there, and
    what is off or shut under it counts though it is not claimed. `stood`: it was there a moment ago and comes back;
    hours, days off and limits that were changed meanwhile do not hinder it, as they would not have moved it.
    `at_its_place`: staff give, move or change a booked visit; that its place is used no more does not hinder them, as
    it is given nowhere else. `was_kept`: the time was kept there until a moment ago, and whole days off that were
    entered meanwhile let it be.
    """

    plan: VisitPlan
    location_id: int | None  # None: the clinic's first place
    first_day: dt.date
    days: int
    now: dt.datetime
    therapist_id: int | None = None
    client_id: int | None = None
    by_staff: bool = False
    instead_of: int | None = None
    along: int | None = None
    rested_areas: tuple[str, ...] | None = None
    by_history: bool = False
    people: tuple[int, ...] = ()
    picks: bool = False
    gender: str = ""
    room_id: int | None = None
    kept_since: dt.datetime | None = None
    stands: bool = False
    follows: bool = False
    stood: bool = False
    at_its_place: bool = False
    was_kept: bool = False


@dataclass(frozen=True)
class Part:
    """Candidate starts in a row that are planned alike. A first visit takes longer: where it is booked already, the
    starts up to it and those after it are two parts."""

    grid: list[int]
    wanted: rule.Wanted
    book: rule.Book


@dataclass(frozen=True)
class Open:
    """What was read: enough to list the free starts, and to pick who and what for one of them. `shortest`: the
    shortest visit on offer, where it matters that no hole is left which nobody can book."""

    ask: Ask
    clock: WallClock
    place: OpenPlace
    parts: tuple[Part, ...]
    eligible: rule.Eligible
    limits: dict[int, Limits]
    rest: Rest | None = None
    shortest: int = 0
    stays: Mapping[int, Sequence[Stay]] | None = None

    @property
    def zone(self) -> str:
        return self.clock.zone.key

    @property
    def settings(self) -> BookingSettings:
        return self.place.settings

    def starts(self) -> list[rule.Start]:
        """Free starts in the window, earliest first, without those that leave too little rest."""
        if self.rest is None:
            return self._free
        return [one for one in self._free if not self.is_too_soon(one.starts_at)]

    def all_starts(self) -> list[rule.Start]:
        """Free starts in the window, earliest first, also those that leave too little rest."""
        return self._free

    def left_out(self) -> list[Interval]:
        """Where free starts are left out for the rest between visits: from the first of them until it is fine again."""
        spans: list[Interval] = []
        for minute in (one.starts_at for one in self._free):
            if self.rest is not None and self.is_too_soon(minute) and (not spans or minute >= spans[-1][1]):
                spans.append((minute, self.rest.fine_from(minute)))
        return spans

    def is_too_soon(self, minute: int) -> bool:
        """Whether a start leaves the person too little rest; never where rest is not minded."""
        return self.rest is not None and self.rest.is_short(minute)

    @cached_property
    def _free(self) -> list[rule.Start]:
        if self.offers_only_tidy:
            return self._tidy
        return [start for part in self.parts for start in self._starts(part)]

    @property
    def offers_only_tidy(self) -> bool:
        """Whether starts that leave a hole which nobody can book are no free starts here."""
        is_settled = self.ask.by_staff or self.ask.kept_since is not None
        return self.settings.gaps == Gaps.ONLY and not is_settled

    @cached_property
    def _tidy(self) -> list[rule.Start]:
        """Day by day, as a booking asks: a day's starts are the same whichever days are asked for with it, and whoever
        asks, so that a time which is offered can be kept before it is said whom it is for."""
        grid = [minute for part in self.parts for minute in part.grid]
        found = []
        for part in self.parts:
            anybodys = self._by_day(replace(part, grid=grid, book=replace(part.book, client_busy=())))
            for day, starts in self._by_day(part).items():
                found += tidy(starts, anybodys[day], part.wanted, part.book, self.shortest)
        return found

    def _by_day(self, part: Part) -> dict[dt.date, list[rule.Start]]:
        return {
            day: list(starts)
            for day, starts in groupby(
                self._starts(part), key=lambda one: self.clock.show(one.starts_at).date()
            )
        }

    def _starts(self, part: Part) -> list[rule.Start]:
        return rule.bookable_starts(part.grid, part.wanted, self.eligible, part.book)

    def to_offer_first(self) -> list[rule.Start]:
        """The free starts in the order in which to name a few of them: by time, but where the clinic wishes it first
        those that leave no hole which nobody can book."""
        if self.settings.gaps == Gaps.ANY:
            return self.starts()
        first = {one.starts_at for one in self._tidy}
        return sorted(self.starts(), key=lambda one: (one.starts_at not in first, one.starts_at))

    def ways(self, starts_at: dt.datetime) -> list[rule.Combination]:
        """Therapist, room and devices for this start, best first; empty when it is not free."""
        minute = epoch_minute(starts_at)
        start = next((one for one in self._free if one.starts_at == minute), None)
        if start is None or moment(minute) != starts_at:
            return []
        part = next(one for one in self.parts if minute in one.grid)
        eligible = replace(self.eligible, therapists=start.therapists)
        day = self.clock.day_bounds(local_day(starts_at, self.clock.zone))
        stays = self.stays
        if stays is None:
            stays = the_book.stays(eligible.everything, _reach(self.ask, *day))
        leaning = the_book.leaning(stays, day, minute)
        return list(rule.combinations_for(minute, part.wanted, eligible, part.book, leaning))

    def given_on(self, therapist: int, day: dt.date) -> Given:
        """What stands in the book for this therapist on a day of those asked for; nothing where no limit counts it."""
        return self._given.get((therapist, day), Given())

    @cached_property
    def _given(self) -> dict[tuple[int, dt.date], Given]:
        days = dates_from(self.ask.first_day, self.ask.days)
        reach = _reach(self.ask, self.clock.day_bounds(days[0])[0], self.clock.day_bounds(days[-1])[1])
        limited = [one for one, theirs in self.limits.items() if theirs.concern(is_intense=True)]
        return the_book.given(limited, reach) if limited else {}

    def is_too_much(self, therapist: int, starts_at: dt.datetime) -> bool:
        """Whether such a visit is more than the therapist gives that day, too soon before or after one at another
        place, or without the pause they need, by what stands in the book at this moment: for whoever keeps others from
        booking the therapist until the commit. What stood before is never too much."""
        if self.ask.stood:
            return False
        day = self.clock.day_bounds(local_day(starts_at, self.clock.zone))
        part = next((one for one in self.parts if epoch_minute(starts_at) in one.grid), None)
        limits = {therapist: self.limits[therapist]}
        if part is None:
            return True
        minute = epoch_minute(starts_at)
        around = _reach(self.ask, minute, minute + part.wanted.claim_minutes)
        near = the_book.kept_apart(_pauses(limits), around, self.place.id, self.place.travel_minutes)
        return bool(near) or any(
            _full(
                _reach(self.ask, *day), limits, self.clock, part.wanted.minutes, self.ask.plan.is_intense
            ).values()
        )


def look(ask: Ask, place: OpenPlace | None = None) -> Open:
    """Read the book for this wish. `place`: the one asked for, on these days, where it is read already. Raises
    LookupError for an unknown place."""
    days, around = dates_from(ask.first_day, ask.days), days_around(ask.first_day, ask.days)
    place = place or premises.open_place(ask.location_id, around)
    if (ask.at_its_place or ask.stood) and not place.rooms:
        place = premises.as_if_in_use(place)
    settings, clock = place.settings, WallClock(ZoneInfo(place.zone))
    rooms = [
        one for one in place.rooms.get(ask.plan.room_kind, []) if ask.room_id is None or one == ask.room_id
    ]
    devices = [place.devices.get(kind, []) for kind in ask.plan.device_kinds]
    window = clock.day_bounds(days[0])[0], clock.day_bounds(days[-1])[1]
    reach = _reach(ask, window[0] - _before(settings), window[1] + _longest(ask.plan, settings))
    things = [*rooms, *(device for group in devices for device in group)]
    asked = things if ask.client_id is None else [*things, ask.client_id]
    found = the_book.with_people(*_who(ask, place, around), asked, reach, stays=ask.picks)
    people = _not_apart(ask, therapists.on_duty(found, without_hours=ask.stood))
    eligible = rule.Eligible([one.id for one in people], rooms, devices)
    texts = [(row[0], row[-1]) for row in found]
    stays = the_book.stays_of(texts) if ask.picks else None
    busy = the_book.spans(texts) if stays is None else _spans(stays)
    limits = {} if ask.stood else {one.id: one.limits for one in people}
    if not ask.stood:
        apart = the_book.kept_apart(_pauses(limits), reach, place.id, place.travel_minutes)
        for one in people:
            off = [] if ask.was_kept else therapists.days_off(one.off, clock)
            more = [*off, *(span[:2] for span in apart.get(one.id, ()))]
            if more:
                busy[one.id] = [*busy.get(one.id, []), *more]
    if ask.stands:
        under = blocked(eligible.therapists, rooms, place.id, clock, reach.since, reach.until)
        busy.update({thing: [*busy.get(thing, []), *spans] for thing, spans in under.items()})
    always = [(window[0], reach.until)]
    book = rule.Book(
        duty=dict.fromkeys(eligible.therapists, always)
        if ask.stood
        else _duty(people, place.id, clock, around),
        opening=always if ask.stood else hours_on(clock, around, place.weekly, dated=place.dated),
        busy=busy,
        client_busy=busy.get(ask.client_id, []) if ask.client_id else [],
    )
    # a time that is kept stays one of the starts, whatever the steps have become since
    step = STAFF_STEP_MINUTES if ask.by_staff or ask.kept_since else settings.slot_step_minutes
    parts = [
        (grid, plan, _full(_reach(ask, *window), limits, clock, plan.total_minutes, ask.plan.is_intense))
        for grid, plan in _planned(ask, grid_over(clock, days, step))
    ]
    first, last = _bounds(ask, settings, clock.zone, window)
    return Open(
        ask=ask,
        clock=clock,
        place=place,
        parts=tuple(
            Part(grid, _wanted(plan, settings, first, last), replace(book, full=full))
            for grid, plan, full in parts
        ),
        eligible=eligible,
        limits=limits,
        rest=_rest(ask, place.zone, window[0]),
        shortest=catalogue.shortest_minutes() if settings.gaps != Gaps.ANY and not ask.by_staff else 0,
        stays=stays,
    )


def _spans(stays: Mapping[int, Iterable[Stay]]) -> dict[int, list[Interval]]:
    return {resource: [(one.starts, one.ends) for one in claims] for resource, claims in stays.items()}


def _before(settings: BookingSettings) -> int:
    """How long before the first start the book matters: a day where the hole that a visit leaves before it counts."""
    return DAY_MINUTES if settings.gaps != Gaps.ANY else 0


def _longest(plan: VisitPlan, settings: BookingSettings) -> int:
    """How far beyond the last start the book matters: as long as a visit and its turnover take; a day where the hole
    that it leaves behind counts too."""
    return (
        DAY_MINUTES
        if settings.gaps != Gaps.ANY
        else plan.as_first(True).total_minutes + plan.turnover_minutes
    )


def _pauses(limits: dict[int, Limits]) -> dict[int, int]:
    return {therapist: theirs.pause or 0 for therapist, theirs in limits.items()}


def _reach(ask: Ask, since: int, until: int) -> Reach:
    return Reach(since, until, ask.now, ask.instead_of, ask.along)


def _wanted(plan: VisitPlan, settings: BookingSettings, first: int, last: int) -> rule.Wanted:
    return rule.Wanted(
        minutes=plan.total_minutes,
        turnover_minutes=plan.turnover_minutes,
        not_before=first,
        not_after=last,
        turnover_may_overrun=settings.turnover_may_overrun,
    )


def _planned(ask: Ask, grid: list[int]) -> list[tuple[list[int], VisitPlan]]:
    """The candidate starts and how long a visit at them takes: a first one takes longer."""
    if ask.client_id is None or not ask.by_history or not ask.plan.first_visit_minutes:
        return [(grid, ask.plan)]
    first_visit = visits.first_visit_at(ask.client_id, besides=ask.instead_of)
    split = len(grid) if first_visit is None else bisect_right(grid, epoch_minute(first_visit))
    return [(grid[:split], ask.plan.as_first(True)), (grid[split:], ask.plan.as_first(False))]


def _rest(ask: Ask, zone: str, first: int) -> Rest | None:
    if ask.rested_areas is None or ask.client_id is None:
        return None
    return rest_around(
        ask.client_id, ask.plan, ask.rested_areas, since=moment(first), zone=zone, besides=ask.instead_of
    )


def _bounds(ask: Ask, settings: BookingSettings, zone: ZoneInfo, window: Interval) -> Interval:
    """The first and last permitted start: lead time and horizon for clients, the window for staff."""
    if ask.by_staff:
        return window[0], window[1] - 1
    if holds_rules_for_new(ask, settings):
        if ask.plan.known_clients_only:
            return window[0], window[0] - 1
        settings = settings.for_new()
    first = epoch_minute_after(earliest_start(ask.kept_since or ask.now, settings))
    last = window[1] - 1 if ask.follows else epoch_minute(latest_start(ask.now, zone, settings))
    return max(window[0], first), min(window[1] - 1, last)


def holds_rules_for_new(ask: Ask, settings: BookingSettings) -> bool:
    """Whether the online rules for new clients hold; no statement where they are those for everybody."""
    if ask.by_staff or not (settings.tells_new_apart or ask.plan.known_clients_only):
        return False
    return not visits.is_known([*ask.people, *([ask.client_id] if ask.client_id else [])])


def _who(ask: Ask, place: OpenPlace, days: list[dt.date]) -> tuple[Select[Any], dict[str, Any]]:
    """The question for everybody who may give this to this person, with their hours there."""
    skills = ask.plan.skills | (intake.skills_needed(ask.client_id) if ask.client_id else frozenset())
    return therapists.ask_on_duty(
        skills, ask.plan.licence_kind, place.id, days, ask.therapist_id, ask.gender,
        zones_differ=place.has_other_zones,
    )  # fmt: skip


def _not_apart(ask: Ask, people: list[OnDuty]) -> list[OnDuty]:
    """Without those whom this person is never booked with."""
    apart = therapists.never_together(*clients.who_it_may_be(ask.client_id)) if ask.client_id else set()
    return [one for one in people if one.id not in apart]


def _duty(
    people: Iterable[OnDuty], place_id: int, clock: WallClock, days: list[dt.date]
) -> dict[int, list[Interval]]:
    """Working hours less breaks, on days on which the licence and the skills are good."""
    worked_out: dict[tuple[str | None, ...], list[Interval]] = {}  # many keep the same hours
    duty = {}
    for one in people:
        hours = one.work, one.breaks, one.dated
        if hours not in worked_out:
            dated = dated_hours_of(one.dated, place_id)
            worked_out[hours] = hours_on(clock, days, hours_of(one.work), hours_of(one.breaks), dated)
        first, last = one.good_on
        duty[one.id] = since(
            until(worked_out[hours], clock.day_bounds(last)[1]) if last else worked_out[hours],
            clock.day_bounds(first)[0] if first else None,
        )
    return duty


def kept_from_all(
    limits: dict[int, Limits], reach: Reach, clock: WallClock, place_id: int, travel_minutes: int
) -> dict[int, list[Interval]]:
    """Therapist → when pauses, ways between places and what they give a day refuse even the shortest visit, by what
    offers and books: for whoever draws the day."""
    apart = the_book.kept_apart(_pauses(limits), reach, place_id, travel_minutes)
    full = _full(reach, limits, clock, catalogue.shortest_minutes(), is_intense=False)
    return {one: [*(span[:2] for span in apart.get(one, ())), *full.get(one, ())] for one in limits}


def _full(
    reach: Reach, limits: dict[int, Limits], clock: WallClock, minutes: int, is_intense: bool
) -> dict[int, list[Interval]]:
    """Therapist → the days on which a visit of so many minutes is more than they give; no statement where nobody has
    a limit that could matter."""
    limited = [one for one, theirs in limits.items() if theirs.concern(is_intense=is_intense)]
    if not limited:
        return {}
    given = the_book.given(limited, reach)
    first = clock.show(reach.since).date()
    days = dates_from(first, (clock.show(reach.until - 1).date() - first).days + 1)
    return {
        one: [
            clock.day_bounds(day)
            for day in days
            if not limits[one].allow(given.get((one, day), Given()), minutes, is_intense=is_intense)
        ]
        for one in limited
    }
