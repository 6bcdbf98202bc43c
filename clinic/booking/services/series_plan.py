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
from clinic.booking.services._chosen import client_of, plan_as_chosen
from clinic.booking.services._judging import Judged, Order, local_day, weigh_by
from clinic.booking.services._known import Known, known_of
from clinic.booking.services.alternatives import look_again_on, urgency_of
from clinic.booking.services.checkout import Choice
from clinic.catalogue.queries import VisitPlan
from clinic.intake import queries as intake
from clinic.premises import queries as premises
from clinic.premises.queries import ClinicFacts
from clinic.rulebook import queries as rulebook
from clinic.rules.availability import Start
from clinic.rules.booking_policy import BookingSettings, earliest_start, latest_start
from clinic.rules.errors import InvalidInput
from clinic.rules.frequency import BodyWork
from clinic.rules.rule_table import RuleTable
from clinic.rules.series import DAYS_AROUND, MOST_VISITS, Pattern, nearest_around
from clinic.rules.wall_time import WallClock, epoch_minute, moment

DESK = "desk"
REASONS = {
    "no_such_time": "The clock is changed on that day, and this time is left out.",
    "too_late": "This lies outside the days that can be booked now.",
    "slot_taken": "This time is not free.",
    "rest_needed": "This comes too soon before or after another visit: the body needs more rest.",
    "screening_refuses": "It cannot be booked for this person on that day.",
    "too_many_pending": "Another visit already waits to be confirmed. Only one may wait at a time.",
}


@dataclass(frozen=True)
class OneStart:
    """One start of a series, and with whom; None is any therapist."""

    starts_at: dt.datetime
    therapist_id: int | None = None


@dataclass(frozen=True)
class Planned:
    """One date of the plan. `code` is a key of REASONS, "" where it fits; `starts_at` None where that time does not
    exist. `waits_for`: it can be kept, and what is needed before it is confirmed, in a neutral word."""

    day: dt.date
    starts_at: dt.datetime | None
    therapists: tuple[int, ...] = ()
    code: str = ""
    waits_for: str | None = None
    look_again_on: dt.date | None = None
    urgency: str = ""
    unsafe_addons: tuple[str, ...] = ()
    alternatives: tuple[OneStart, ...] = ()

    @property
    def fits(self) -> bool:
        return not self.code

    @property
    def reason(self) -> str:
        return REASONS.get(self.code, "")


@dataclass(frozen=True)
class _Wanted:
    day: dt.date
    at: dt.time
    minute: int | None
    therapist_id: int | None


def plan_series(
    choice: Choice, client_id: int, pattern: Pattern, *, source: str, now: dt.datetime
) -> list[Planned]:
    """Each date of the pattern, soonest first. Raises NotFound, InvalidInput."""
    facts = clinic_of(choice)
    clock = WallClock(ZoneInfo(facts.zone))
    wanted = [
        _Wanted(day, pattern.at, pattern.start_on(day, clock), choice.therapist_id) for day in pattern.days()
    ]
    return _Planner(choice, client_id, facts, source=source, now=now).plan(wanted)


def plan_starts(
    choice: Choice, client_id: int, starts: Sequence[OneStart], *, source: str, now: dt.datetime
) -> list[Planned]:
    """The same for these very starts: the plan shown afresh when one of them went meanwhile."""
    facts = clinic_of(choice)
    local = [(one, one.starts_at.astimezone(ZoneInfo(facts.zone))) for one in in_order(starts)]
    wanted = [
        _Wanted(at.date(), at.time(), epoch_minute(one.starts_at), one.therapist_id) for one, at in local
    ]
    return _Planner(choice, client_id, facts, source=source, now=now).plan(wanted)


def in_order(starts: Sequence[OneStart]) -> list[OneStart]:
    """Soonest first. Raises InvalidInput for none, too many, or one that is there twice."""
    if not 1 <= len(starts) <= MOST_VISITS:
        raise InvalidInput("starts", f"Choose 1 to {MOST_VISITS} visits.")
    if any(one.starts_at.second or one.starts_at.microsecond for one in starts):
        raise InvalidInput("starts", "Visits start on a whole minute.")
    if len({one.starts_at for one in starts}) < len(starts):
        raise InvalidInput("starts", "Two visits of the series start at the same time.")
    return sorted(starts, key=lambda one: one.starts_at)


def is_outside(
    starts_at: dt.datetime, *, is_first: bool, source: str, now: dt.datetime, facts: ClinicFacts
) -> bool:
    """Whether a start lies outside what can be booked now. The desk's only bound is the past; for everybody else the
    first visit of a series lies within the days that can be booked, and the others follow it."""
    if source == DESK:
        return starts_at < now
    settings = premises.booking_settings()
    too_far = is_first and starts_at > latest_start(now, ZoneInfo(facts.zone), settings)
    return too_far or starts_at < earliest_start(now, settings) or not _is_on_step(starts_at, facts, settings)


def _is_on_step(starts_at: dt.datetime, facts: ClinicFacts, settings: BookingSettings) -> bool:
    local = starts_at.astimezone(ZoneInfo(facts.zone))
    return (local.hour * 60 + local.minute) % settings.slot_step_minutes == 0


def _has_said_today(client_id: int, facts: ClinicFacts, now: dt.datetime) -> bool:
    """Whether the person has said today what has changed: else what the desk books waits until they have."""
    day = local_day(now, facts.zone)
    since = moment(WallClock(ZoneInfo(facts.zone)).day_bounds(day)[0])
    return intake.is_reconfirmed(client_id, since=since, since_day=day)


def clinic_of(choice: Choice) -> ClinicFacts:
    """The clinic, with the place and zone of this choice. Raises InvalidInput, NotFound for an unknown place."""
    facts = premises.clinic_facts()
    if facts is None:
        raise InvalidInput("service", "The clinic is not set up yet.")
    place_id, zone = premises.where(facts, choice.location_id)
    return replace(facts, location_id=place_id, zone=zone)


@dataclass
class _Sight:
    """What is known of the person and the treatment: the answers are read once, whatever the number of dates."""

    known: Known
    table: RuleTable
    plans: dict[bool, VisitPlan]
    rest: dict[bool, Rest | None] = field(default_factory=dict)
    judged: dict[dt.date, Judged] = field(default_factory=dict)


class _Planner:
    """Walks through the dates in order: a visit that fits counts for the rest before and after the others."""

    def __init__(
        self, choice: Choice, client_id: int, facts: ClinicFacts, *, source: str, now: dt.datetime
    ) -> None:
        client = client_of(client_id)
        plans = {first: plan_as_chosen(choice, first) for first in (True, False)}
        self.choice, self.facts, self.source, self.now = choice, facts, source, now
        self.clock = WallClock(ZoneInfo(facts.zone))
        self.client_id = client.id
        self.sight = _Sight(known_of(client), rulebook.in_force(), plans)
        self.kept: list[BodyWork] = []
        self.has_come = False
        self.is_asked = source != DESK or _has_said_today(client.id, facts, now)
        waiting = len(visits.others_pending([client.id]))
        self.settings = premises.booking_settings()
        self.may_wait = self.settings.pending_per_client - waiting

    def plan(self, wanted: Sequence[_Wanted]) -> list[Planned]:
        """Which fit; then, with those that do in mind, the alternatives for those that do not."""
        self.since = min((one.minute for one in wanted if one.minute is not None), default=None)
        found = [self._look_at(one, is_first=at == 0) for at, one in enumerate(wanted)]
        return [
            one if one.fits else replace(one, alternatives=tuple(self._instead(want, one, is_first=at == 0)))
            for at, (want, one) in enumerate(zip(wanted, found, strict=True))
        ]

    def _look_at(self, want: _Wanted, *, is_first: bool) -> Planned:
        if want.minute is None:
            return Planned(want.day, None, code="no_such_time")
        starts_at = moment(want.minute)
        code, judged = self._judge(starts_at, want.day, is_first=is_first)
        free: tuple[int, ...] = ()
        if not code:
            first = self._is_first_visit(starts_at)
            free = next(
                (one.therapists for one in self._open(want.day, 1, first, want.therapist_id).starts()
                 if one.starts_at == want.minute), ()
            )  # fmt: skip
            code = self._place(want.minute, first, free)
        if code or judged is None:
            refused = judged if code == "screening_refuses" else None
            return Planned(
                want.day, starts_at, code=code,
                look_again_on=look_again_on(refused) if refused else None,
                urgency=urgency_of(refused) if refused else "",
                unsafe_addons=refused.unsafe_addons if refused and not refused.refuses else (),
            )  # fmt: skip
        self._keep(want.minute, self._is_first_visit(starts_at), judged)
        waits_for = judged.waiting_for if self.is_asked or not judged.permits else RECONFIRM
        return Planned(want.day, starts_at, free, waits_for=waits_for)

    def _judge(self, starts_at: dt.datetime, day: dt.date, *, is_first: bool) -> tuple[str, Judged | None]:
        if is_outside(starts_at, is_first=is_first, source=self.source, now=self.now, facts=self.facts):
            return "too_late", None
        judged = self._judged_on(day)
        if judged.refuses or judged.unsafe_addons:
            return "screening_refuses", judged
        if not judged.permits and self.source != DESK and self.may_wait < 1:
            return "too_many_pending", judged
        return "", judged

    def _judged_on(self, day: dt.date) -> Judged:
        known = self.sight.judged
        if day not in known:
            order = Order(self.sight.plans[False], tuple(sorted(self.choice.areas)), day)
            known[day] = weigh_by(self.sight.table, self.sight.known, order)
        return known[day]

    def _place(self, minute: int, first: bool, free: tuple[int, ...]) -> str:
        if not free:
            return "slot_taken"
        return "rest_needed" if self._is_too_soon(minute, first) else ""

    def _keep(self, minute: int, first: bool, judged: Judged) -> None:
        rest = self._rest(first)
        if rest is not None:
            self.kept.append(rest.wish.moved_to(minute))
        if not judged.permits:
            self.may_wait -= 1
        elif self.is_asked:
            self.has_come = True

    def _is_first_visit(self, starts_at: dt.datetime) -> bool:
        return not self.has_come and not visits.has_been_before(self.client_id, starts_at)

    def _is_too_soon(self, minute: int, first: bool) -> bool:
        rest = self._rest(first)
        return rest is not None and replace(rest, others=(*rest.others, *self.kept)).is_short(minute)

    def _rest(self, first: bool) -> Rest | None:
        if first not in self.sight.rest:
            since = moment(self.since) if self.since is not None else self.now
            self.sight.rest[first] = rest_around(
                self.client_id, self.sight.plans[first], self.choice.areas,
                since=since - dt.timedelta(days=DAYS_AROUND), zone=self.facts.zone,
            )  # fmt: skip
        return self.sight.rest[first]

    def _open(self, day: dt.date, days: int, first: bool, therapist_id: int | None) -> Open:
        return look(
            Ask(
                plan=self.sight.plans[first], location_id=self.facts.location_id, first_day=day, days=days,
                now=self.now, therapist_id=therapist_id, client_id=self.client_id, by_staff=True,
            )
        )  # fmt: skip

    def _instead(self, want: _Wanted, refused: Planned, *, is_first: bool) -> list[OneStart]:
        """The nearest starts that fit: on the same day, and on the days around it."""
        first = self._is_first_visit(refused.starts_at or self.now)
        around = self._open(want.day - dt.timedelta(days=DAYS_AROUND), 2 * DAYS_AROUND + 1, first, None)
        good = [one for one in around.starts() if self._is_good(one, first, is_first=is_first)]
        near = nearest_around(good, want.day, want.at, self.clock, want.therapist_id)
        return [OneStart(moment(one.starts_at), self._with_whom(one, want)) for one in near]

    def _is_good(self, one: Start, first: bool, *, is_first: bool) -> bool:
        starts_at = moment(one.starts_at)
        if not _is_on_step(starts_at, self.facts, self.settings):
            return False  # the desk may book between the steps, and is shown fewer times instead
        day = starts_at.astimezone(self.clock.zone).date()
        code, _judged = self._judge(starts_at, day, is_first=is_first)
        return not code and not self._is_too_soon(one.starts_at, first)

    def _with_whom(self, one: Start, want: _Wanted) -> int | None:
        """The same therapist where possible; any, where any was asked for."""
        if want.therapist_id is None or want.therapist_id in one.therapists:
            return want.therapist_id
        return one.therapists[0]
