"""What would come of a series before anything is booked: each start judged for its day, and looked up in the book.

Reads only. A start that does not fit is named with the reason, in words without a health detail, and with the nearest
alternatives that do fit. Booking (`services/series.py`) asks the same of every start once more.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from zoneinfo import ZoneInfo

from clinic.booking.queries import visits
from clinic.booking.queries.availability import Ask, Open, look
from clinic.booking.queries.next_steps import RECONFIRM
from clinic.booking.queries.rest import Rest, rest_around
from clinic.booking.services._chosen import plan_as_chosen
from clinic.booking.services._judging import Judged, Order, weigh_by
from clinic.booking.services._known import Known, known_of
from clinic.booking.services._programs import settings_for, since_kept
from clinic.booking.services.alternatives import look_again_on, urgency_of
from clinic.booking.services.checkout import Choice
from clinic.booking.services.resting import NOT_SAID, RestSaid, Warned, is_passed, warned_of
from clinic.booking.services.series_starts import (
    DESK,
    ONLINE,
    OneStart,
    Planned,
    clinic_of,
    has_said_today,
    in_order,
    is_outside,
    may_lie_beyond,
)
from clinic.catalogue.queries import VisitPlan
from clinic.clients import queries as clients
from clinic.premises.queries import ClinicFacts
from clinic.rulebook import queries as rulebook
from clinic.rules.availability import Start
from clinic.rules.booking_policy import is_on_step
from clinic.rules.frequency import BodyWork
from clinic.rules.intervals import Interval, overlaps
from clinic.rules.rule_table import RuleTable
from clinic.rules.series import DAYS_AROUND, Pattern, nearest_around
from clinic.rules.wall_time import WallClock, epoch_minute, moment


@dataclass(frozen=True)
class _Wanted:
    day: dt.date
    at: dt.time
    minute: int | None
    therapist_id: int | None
    rest: RestSaid = NOT_SAID


def plan_series(
    choice: Choice,
    client_id: int,
    pattern: Pattern,
    *,
    source: str,
    now: dt.datetime,
    instead_of: int | None = None,
) -> list[Planned]:
    """Each date of the pattern, soonest first. `instead_of`: a time that is kept for this person, and is not in the way
    of its own date. Raises NotFound, InvalidInput."""
    facts = clinic_of(choice)
    clock = WallClock(ZoneInfo(facts.zone))
    wanted = [
        _Wanted(day, pattern.at, pattern.start_on(day, clock), choice.therapist_id) for day in pattern.days()
    ]
    return _Planner(choice, client_id, facts, source=source, now=now, instead_of=instead_of).plan(wanted)


def plan_starts(
    choice: Choice,
    client_id: int,
    starts: Sequence[OneStart],
    *,
    source: str,
    now: dt.datetime,
    instead_of: int | None = None,
) -> list[Planned]:
    """The same for these very starts: the plan shown afresh when one of them went meanwhile."""
    facts = clinic_of(choice)
    local = [(one, one.starts_at.astimezone(ZoneInfo(facts.zone))) for one in in_order(starts)]
    wanted = [
        _Wanted(at.date(), at.time(), epoch_minute(one.starts_at), one.therapist_id, one.rest)
        for one, at in local
    ]
    return _Planner(choice, client_id, facts, source=source, now=now, instead_of=instead_of).plan(wanted)


@dataclass
class _Sight:
    """What is known of the person and the treatment: the answers are read once, whatever the number of dates."""

    known: Known
    table: RuleTable
    plans: dict[bool, VisitPlan]
    rest: dict[bool, Rest | None] = field(default_factory=dict)
    judged: dict[dt.date, Judged] = field(default_factory=dict)


@dataclass(frozen=True)
class _Taken:
    """What a visit of the plan takes: the person's time, with turnover the therapist's, and who could give it."""

    span: Interval
    whole: Interval
    therapists: frozenset[int]

    def clashes(self, other: _Taken) -> bool:
        is_one = len(self.therapists | other.therapists) < 2
        return overlaps(self.span, other.span) or (is_one and overlaps(self.whole, other.whole))


class _Planner:
    """Walks through the dates in order. A visit that fits counts for the rest before and after the others, and takes
    the person's time; the first that fits is the first of the series, as those before it may be left out."""

    def __init__(
        self,
        choice: Choice,
        client_id: int,
        facts: ClinicFacts,
        *,
        source: str,
        now: dt.datetime,
        instead_of: int | None,
    ) -> None:
        client = clients.client_in_book(client_id)
        plans = {first: plan_as_chosen(choice, first) for first in (True, False)}
        self.choice, self.facts, self.source, self.now = choice, facts, source, now
        self.instead_of = instead_of
        self.held = visits.visit(instead_of) if instead_of is not None else None
        self.clock = WallClock(ZoneInfo(facts.zone))
        self.client_id = client.id
        self.sight = _Sight(known_of(client), rulebook.in_force(), plans)
        self.kept: list[BodyWork] = []
        self.taken: list[_Taken] = []
        self.first_visit_at = visits.first_visit_at(client.id)
        self.is_asked = source != DESK or has_said_today(client.id, facts, now)
        waiting = visits.others_pending([client.id])
        if source == ONLINE:  # what waits unseen counts as standing
            waiting = [one for one in waiting if not visits.is_hidden_wait(one)]
        self.settings = settings_for(client.id)
        self.may_wait = self.settings.pending_per_client - len(waiting)

    def plan(self, wanted: Sequence[_Wanted]) -> list[Planned]:
        """Which fit; then, with those that do in mind, the alternatives for those that do not."""
        self.since = min((one.minute for one in wanted if one.minute is not None), default=None)
        found: list[Planned] = []
        for want in wanted:
            found.append(self._look_at(want, is_first=not any(one.fits for one in found)))
        first = next((at for at, one in enumerate(found) if one.fits), len(found))
        return [
            replace(one, alternatives=() if one.fits else tuple(self._instead(want, is_first=at < first)))
            for at, (want, one) in enumerate(zip(wanted, found, strict=True))
        ]

    def _look_at(self, want: _Wanted, *, is_first: bool) -> Planned:
        if want.minute is None:
            return Planned(want.day, None, code="no_such_time")
        starts_at = moment(want.minute)
        code, judged = self._judge(starts_at, want.day, is_first=is_first)
        free: tuple[int, ...] = ()
        warned: Warned | None = None
        if not code:
            code, free, warned = self._place(want, self._is_first_visit(starts_at), is_first=is_first)
        if code or judged is None:
            refused = judged if code == "screening_refuses" else None
            return Planned(
                want.day, starts_at, code=code,
                look_again_on=look_again_on(refused) if refused else None,
                urgency=urgency_of(refused) if refused else "",
                unsafe_addons=refused.unsafe_addons if refused and not refused.refuses else (),
                therapists=free, rest=warned,
            )  # fmt: skip
        self._keep(want.minute, self._is_first_visit(starts_at), judged, free)
        shown = self._shown(judged)
        waits_for = shown.waiting_for if self.is_asked or not shown.permits else RECONFIRM
        return Planned(want.day, starts_at, free, waits_for=waits_for, rest=warned)

    def _judge(self, starts_at: dt.datetime, day: dt.date, *, is_first: bool) -> tuple[str, Judged | None]:
        if is_outside(
            starts_at, is_first=is_first, source=self.source, now=self.now, facts=self.facts,
            settings=self.settings, since=self._since(starts_at),
        ):  # fmt: skip
            return "too_late", None
        judged = self._judged_on(day)
        if judged.refuses or judged.unsafe_addons:
            return "screening_refuses", judged
        if not self._shown(judged).permits and self.source != DESK and self.may_wait < 1:
            return "too_many_pending", judged
        return "", judged

    def _since(self, starts_at: dt.datetime) -> dt.datetime | None:
        return since_kept(self.held, starts_at, self.now)

    def _shown(self, judged: Judged) -> Judged:
        """A client is shown what would come out if nobody looked like them, staff and programs what comes out."""
        return judged.told if self.source == ONLINE else judged

    def _judged_on(self, day: dt.date) -> Judged:
        known = self.sight.judged
        if day not in known:
            order = Order(self.sight.plans[False], tuple(sorted(self.choice.areas)), day)
            known[day] = weigh_by(self.sight.table, self.sight.known, order)
        return known[day]

    def _place(
        self, want: _Wanted, first: bool, *, is_first: bool
    ) -> tuple[str, tuple[int, ...], Warned | None]:
        """What speaks against a start that is judged, who is free, and what staff are told of the rest."""
        minute = want.minute or 0
        since = self._since(moment(minute))
        found = self._open(want.day, 1, first, want.therapist_id, is_first=is_first, since=since)
        free = next((one.therapists for one in found.starts() if one.starts_at == minute), ())
        if not free:
            may_be = any(one.wanted.not_before <= minute <= one.wanted.not_after for one in found.parts)
            return ("slot_taken" if may_be else "too_late"), (), None
        if self._clashes(minute, first, free):
            return "slot_taken", (), None
        warned = warned_of(self._rest_with_kept(first), minute)
        is_fine = warned is None or is_passed(warned, want.rest)
        return ("" if is_fine else "rest_needed"), free, warned

    def _clashes(self, minute: int, first: bool, free: Sequence[int]) -> bool:
        """Whether the person is at another visit of the plan then, or the only therapist for both is not done yet."""
        wanted = self._taken(minute, first, free)
        return any(wanted.clashes(one) for one in self.taken)

    def _taken(self, minute: int, first: bool, free: Sequence[int]) -> _Taken:
        plan = self.sight.plans[first]
        whole = minute, minute + plan.total_minutes + plan.turnover_minutes
        return _Taken((minute, minute + plan.total_minutes), whole, frozenset(free))

    def _keep(self, minute: int, first: bool, judged: Judged, free: Sequence[int]) -> None:
        self.taken.append(self._taken(minute, first, free))
        rest = self._rest(first)
        if rest is not None:
            self.kept.append(rest.wish.moved_to(minute))
        if not self._shown(judged).permits:
            self.may_wait -= 1
        if judged.told.permits and self.is_asked:
            at = moment(minute)
            self.first_visit_at = min(self.first_visit_at or at, at)

    def _is_first_visit(self, starts_at: dt.datetime) -> bool:
        return self.first_visit_at is None or starts_at <= self.first_visit_at

    def _rest_with_kept(self, first: bool) -> Rest | None:
        rest = self._rest(first)
        return replace(rest, others=(*rest.others, *self.kept)) if rest is not None else None

    def _is_too_soon(self, minute: int, first: bool) -> bool:
        rest = self._rest_with_kept(first)
        return rest is not None and rest.is_short(minute)

    def _rest(self, first: bool) -> Rest | None:
        if first not in self.sight.rest:
            since = moment(self.since) if self.since is not None else self.now
            self.sight.rest[first] = rest_around(
                self.client_id, self.sight.plans[first], self.choice.areas,
                since=since - dt.timedelta(days=DAYS_AROUND), zone=self.facts.zone,
            )  # fmt: skip
        return self.sight.rest[first]

    def _open(
        self,
        day: dt.date,
        days: int,
        first: bool,
        therapist_id: int | None,
        *,
        is_first: bool,
        since: dt.datetime | None = None,
    ) -> Open:
        return look(
            Ask(
                plan=self.sight.plans[first], location_id=self.facts.location_id, first_day=day, days=days,
                now=self.now, therapist_id=therapist_id, client_id=self.client_id,
                by_staff=self.source == DESK, instead_of=self.instead_of, gender=self.choice.gender,
                follows=may_lie_beyond(self.source, is_first=is_first), kept_since=since,
            )
        )  # fmt: skip

    def _instead(self, want: _Wanted, *, is_first: bool) -> list[OneStart]:
        """The nearest starts that fit: on the same day, and on the days around it."""
        since = want.day - dt.timedelta(days=DAYS_AROUND)
        days = 2 * DAYS_AROUND + 1
        edges = self.clock.day_bounds(since)[0], self.clock.day_bounds(since + dt.timedelta(days=days))[0]
        good = []
        # those up to the person's first visit would be their first, and take longer: nearly always all, or none
        for first in sorted({self._is_first_visit(moment(edge)) for edge in edges}, reverse=True):
            around = self._open(since, days, first, None, is_first=is_first)
            good += [
                one
                for one in around.starts()
                if self._is_first_visit(moment(one.starts_at)) is first
                and self._is_good(one, first, is_first=is_first)
            ]
        near = nearest_around(good, want.day, want.at, self.clock, want.therapist_id)
        return [OneStart(moment(one.starts_at), self._with_whom(one, want)) for one in near]

    def _is_good(self, one: Start, first: bool, *, is_first: bool) -> bool:
        starts_at = moment(one.starts_at)
        if not is_on_step(starts_at, self.clock.zone, self.settings):
            return False  # the desk may book between the steps, and is shown fewer times instead
        day = starts_at.astimezone(self.clock.zone).date()
        code, _judged = self._judge(starts_at, day, is_first=is_first)
        if code or self._clashes(one.starts_at, first, one.therapists):
            return False
        return not self._is_too_soon(one.starts_at, first)

    def _with_whom(self, one: Start, want: _Wanted) -> int | None:
        """The same therapist where possible; any, where any was asked for."""
        if want.therapist_id is None or want.therapist_id in one.therapists:
            return want.therapist_id
        return one.therapists[0]
