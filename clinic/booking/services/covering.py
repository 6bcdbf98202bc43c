"""A therapist's visits that lie in their time off, and what could be done about each. Reads only: nothing is kept."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from zoneinfo import ZoneInfo

from clinic.booking.models import Visit
from clinic.booking.queries import blocks, waitlist
from clinic.booking.queries.availability import Ask, Open, look
from clinic.booking.queries.rest import Rest, rest_around
from clinic.booking.queries.visits import plan_of
from clinic.booking.queries.waitlist import Instead
from clinic.booking.services._judging import Judged, Order, weigh_by
from clinic.booking.services._known import Known, known_of
from clinic.catalogue.queries import VisitPlan
from clinic.premises import queries as premises
from clinic.rulebook import queries as rulebook
from clinic.rules.availability import Combination, Start
from clinic.rules.booking_policy import is_on_step
from clinic.rules.intervals import Interval, overlaps
from clinic.rules.limits import Limits
from clinic.rules.rule_table import RuleTable
from clinic.rules.sick_day import Extra, Touched, Way
from clinic.rules.typed_span import TypedSpan
from clinic.rules.visit_status import VisitStatus
from clinic.rules.waitlist import SHORTEST_OFFER
from clinic.rules.wall_time import WallClock, epoch_minute, epoch_minute_after, local_day, moment
from clinic.rules.whole_days import days_at

MOST_TIMES = 12
DAYS_LOOKED_AT = 8
DAYS_FOR_THE_SAME = 15
MOST_WAYS = 40


@dataclass(frozen=True)
class Case:
    """A visit whose therapist is off. `is_safe`: by the answers of now it can go on; else something else comes first.
    `asked`: the other time that the client was asked about."""

    visit: Visit
    touched: Touched
    is_safe: bool
    asked: Instead


def cases(therapist_id: int, now: dt.datetime) -> list[Case]:
    """Every coming visit in this therapist's time off, soonest first."""
    rows = blocks.visits_under_time_off(therapist_id, now)
    asked = waitlist.asked_instead([one.id for one in rows])
    return [_case(one, asked.get(one.id, Instead()), now) for one in rows if one.client is not None]


def cases_in(therapist_id: int, span: TypedSpan, now: dt.datetime) -> list[Case]:
    """The same as if this time off were entered: nothing is proposed with the therapist in it."""
    rows = blocks.visits_in(therapist_id, span, now)
    asked = waitlist.asked_instead([one.id for one in rows])
    return [_case(one, asked.get(one.id, Instead()), now, span) for one in rows if one.client is not None]


def _case(visit: Visit, asked: Instead, now: dt.datetime, span: TypedSpan | None = None) -> Case:
    finder = _Finder(visit, now, span)
    by_name = not visit.any_therapist
    touched = Touched(visit.id, epoch_minute(visit.starts_at), by_name)
    is_safe = finder.may_stand
    if is_safe and asked.offer is None and visit.couple_id is None:  # of two people nobody is moved alone
        touched = replace(touched, same_time=finder.same_time(), other_times=finder.other_times())
    return Case(visit, touched, is_safe, asked)


def _at(span: TypedSpan, visit: Visit) -> Interval:
    """The time off at the place of this visit."""
    if span.days is not None:
        return days_at(WallClock(ZoneInfo(visit.zone)), *span.days)
    return epoch_minute(span.starts_at), epoch_minute_after(span.ends_at)


class _Finder:
    """Looks for ways for one visit; what is known of the client is read once. `span`: time off not entered yet."""

    def __init__(self, visit: Visit, now: dt.datetime, span: TypedSpan | None = None) -> None:
        if visit.client is None:
            raise LookupError("nobody's visit")
        self.visit, self.now = visit, now
        self.off = _at(span, visit) if span is not None else None
        self.plan: VisitPlan = plan_of(visit)
        self.known: Known = known_of(visit.client, visit.id)
        self.table: RuleTable = rulebook.in_force()
        self.settings = premises.booking_settings()
        self._safe_days: dict[dt.date, bool] = {}

    @cached_property
    def rest(self) -> Rest | None:
        """The client's other visits around all the times that may be proposed."""
        since = moment(min(epoch_minute(self.now), epoch_minute(self.visit.starts_at)))
        return rest_around(
            self.known.client.id, self.plan, self.visit.areas, since=since, zone=self.visit.zone,
            besides=self.visit.id,
        )  # fmt: skip

    @property
    def may_stand(self) -> bool:
        """Whether the gate lets the visit go on as it is."""
        judged = self._judged(self.visit.day)
        if judged.refuses or judged.unsafe_addons:
            return False
        return judged.permits or self.visit.status != VisitStatus.CONFIRMED

    def _judged(self, day: dt.date) -> Judged:
        return weigh_by(self.table, self.known, Order(self.plan, tuple(self.visit.areas), day))

    def same_time(self) -> list[Way]:
        """Other therapists at the same time, those who can keep the room first."""
        found = look(self._ask(self.visit.day, 1, instead_of=self.visit.id))
        ways = [one for one in found.ways(self.visit.starts_at) if one.therapist != self.visit.therapist_id]
        ways.sort(key=lambda one: one.room != self.visit.room_id)
        start = epoch_minute(self.visit.starts_at)
        return [self._way(start, one, found) for one in ways[:MOST_WAYS]]

    def other_times(self) -> list[Way]:
        """The nearest other times: that day, then the next days; for whoever asked for this therapist by name first
        their next free time. None that comes too soon for the body: to pass that, somebody says why."""
        found = look(self._ask(self._first_day, DAYS_LOOKED_AT))
        ways = self._nearest(found, MOST_TIMES)
        if not self.visit.any_therapist:
            own = look(self._ask(self._first_day, DAYS_FOR_THE_SAME, therapist_id=self.visit.therapist_id))
            ways = list(dict.fromkeys([*self._nearest(own, 1)[:1], *ways]))
        return ways

    def _nearest(self, found: Open, most: int) -> list[Way]:
        first = epoch_minute(self.now + 2 * SHORTEST_OFFER)
        ways: list[Way] = []
        for one in self._by_nearness([one for one in found.starts() if one.starts_at >= first]):
            ways += self._really_others(one, found, ways)
            if len(ways) >= most:
                break
        return ways

    def _by_nearness(self, starts: Sequence[Start]) -> list[Start]:
        """Those of the visit's day, the nearest first, and then the others, which come by time."""
        start = epoch_minute(self.visit.starts_at)
        since, until = WallClock(self._zone).day_bounds(self.visit.day)
        that_day = [one for one in starts if since <= one.starts_at < until]
        that_day.sort(key=lambda one: abs(one.starts_at - start))
        return [*that_day, *(one for one in starts if not since <= one.starts_at < until)]

    def _is_good(self, minute: int) -> bool:
        """Whether this start is one to propose, whoever is free then."""
        is_on = is_on_step(moment(minute), self._zone, self.settings)
        return is_on and not self._is_too_soon(minute) and self._is_safe_on(self._day(minute))

    def _is_safe_on(self, day: dt.date) -> bool:
        if day not in self._safe_days:
            judged = self._judged(day)
            self._safe_days[day] = judged.permits and not judged.unsafe_addons
        return self._safe_days[day]

    def _is_too_soon(self, minute: int) -> bool:
        """Whether the body would have too little rest; what was passed for another time is not passed for this one."""
        return self.rest is not None and self.rest.is_short(minute)

    def _really_others(self, start: Start, found: Open, ways: Sequence[Way]) -> list[Way]:
        """This start with each therapist who has not been named for nearly the same time: a real choice. What takes
        longer to find out, as the rest, the rules, rooms and devices, is only asked where there is one."""
        new = {one for one in start.therapists if self._is_real_choice(start.starts_at, one, ways)}
        if not new or not self._is_good(start.starts_at):
            return []
        best: dict[int, Way] = {}
        for one in found.ways(moment(start.starts_at)):
            if one.therapist in new and one.therapist not in best:
                best[one.therapist] = self._way(start.starts_at, one, found)
        return list(best.values())

    def _is_real_choice(self, start: int, therapist: int, ways: Sequence[Way]) -> bool:
        takes = start, start + self._minutes
        if self.off is not None and therapist == self.visit.therapist_id and overlaps(takes, self.off):
            return False
        return not any(
            one.therapist == therapist and overlaps(takes, (one.starts_at, one.until)) for one in ways
        )

    def _day(self, minute: int) -> dt.date:
        return local_day(moment(minute), self._zone)

    @property
    def _minutes(self) -> int:
        return self.plan.total_minutes + self.plan.turnover_minutes

    @property
    def _zone(self) -> ZoneInfo:
        return ZoneInfo(self.visit.zone)

    @property
    def _first_day(self) -> dt.date:
        """The visit's day; today for one that began before."""
        return max(self.visit.day, local_day(self.now, self._zone))

    def _way(self, start: int, one: Combination, found: Open) -> Way:
        taken = frozenset({one.therapist, one.room, *one.devices, self.known.client.id})
        day = self._day(start)
        extra = Extra(
            day, self.plan.total_minutes, self.plan.is_intense, given=found.given_on(one.therapist, day),
            limits=found.limits.get(one.therapist, Limits()), place=found.place.id, travel=found.place.travel_minutes,
        )  # fmt: skip
        return Way(start, start + self._minutes, one.therapist, taken, extra)

    def _ask(
        self, day: dt.date, days: int, *, therapist_id: int | None = None, instead_of: int | None = None
    ) -> Ask:
        return Ask(
            plan=self.plan, location_id=self.visit.location_id, first_day=day, days=days, now=self.now,
            therapist_id=therapist_id, client_id=self.visit.client_id, by_staff=True, instead_of=instead_of,
            gender=self.visit.asked_gender, picks=True, stands=instead_of is not None,
            at_its_place=instead_of is not None,
        )  # fmt: skip
