"""The starts of a series: what is wanted, what would come of each, and which of them may be booked at all."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo

from clinic.booking.services._judging import local_day
from clinic.booking.services.checkout import Choice
from clinic.booking.services.resting import NOT_SAID, RestSaid, Warned
from clinic.intake import queries as intake
from clinic.premises import queries as premises
from clinic.premises.queries import ClinicFacts
from clinic.rules.booking_policy import BookingSettings, earliest_start, latest_start
from clinic.rules.errors import InvalidInput
from clinic.rules.language import N_, _
from clinic.rules.series import MOST_VISITS
from clinic.rules.wall_time import WallClock, moment

DESK = "desk"
ONLINE = "online"
"""A client books for themselves, signed in: every date keeps the online rules."""
REASONS = {
    "no_such_time": N_("The clock is changed on that day, and this time is left out."),
    "too_late": N_("This lies outside the days that can be booked now."),
    "slot_taken": N_("This time is not free."),
    "rest_needed": N_("This comes too soon before or after another visit: the body needs more rest."),
    "screening_refuses": N_("It cannot be booked for this person on that day."),
    "too_many_pending": N_("Another visit already waits to be confirmed. Only one may wait at a time."),
}


@dataclass(frozen=True)
class OneStart:
    """One start of a series, and with whom; None is any therapist. `rest`: what staff say where it comes too soon."""

    starts_at: dt.datetime
    therapist_id: int | None = None
    rest: RestSaid = NOT_SAID


@dataclass(frozen=True)
class Planned:
    """One date of the plan. `code` is a key of REASONS, "" where it fits; `starts_at` None where that time does not
    exist. `waits_for`: it can be kept, and what is needed before it is confirmed, in a neutral word. `rest`: it comes
    sooner than advised, which staff may pass with a reason; passed, it fits."""

    day: dt.date
    starts_at: dt.datetime | None
    therapists: tuple[int, ...] = ()
    code: str = ""
    waits_for: str | None = None
    look_again_on: dt.date | None = None
    urgency: str = ""
    unsafe_addons: tuple[str, ...] = ()
    alternatives: tuple[OneStart, ...] = ()
    rest: Warned | None = None

    @property
    def fits(self) -> bool:
        return not self.code

    @property
    def reason(self) -> str:
        return REASONS.get(self.code, "")


def in_order(starts: Sequence[OneStart]) -> list[OneStart]:
    """Soonest first. Raises InvalidInput for none, too many, or one that is there twice."""
    if not 1 <= len(starts) <= MOST_VISITS:
        raise InvalidInput("starts", _("Choose 1 to %(most_visits)s visits.", most_visits=MOST_VISITS))
    if any(one.starts_at.second or one.starts_at.microsecond for one in starts):
        raise InvalidInput("starts", _("Visits start on a whole minute."))
    if len({one.starts_at for one in starts}) < len(starts):
        raise InvalidInput("starts", _("Two visits of the series start at the same time."))
    return sorted(starts, key=lambda one: one.starts_at)


def is_outside(
    starts_at: dt.datetime,
    *,
    is_first: bool,
    source: str,
    now: dt.datetime,
    facts: ClinicFacts,
    settings: BookingSettings,
    since: dt.datetime | None,
) -> bool:
    """Whether a start lies outside what can be booked now. The desk's only bound is the past; for everybody else the
    first visit of a series lies within the days that can be booked, and the others follow it. Of a client who books
    online all of them do. Of a start that is kept for them `since` then, the notice counts from that moment.
    `settings`: the rules of this person, who may be new here."""
    if source == DESK:
        return starts_at < now
    is_bound = not may_lie_beyond(source, is_first=is_first)
    too_far = is_bound and starts_at > latest_start(now, ZoneInfo(facts.zone), settings)
    return too_far or starts_at < earliest_start(since or now, settings)


def may_lie_beyond(source: str, *, is_first: bool) -> bool:
    """Whether a visit of a series need not lie within the days that can be booked online."""
    return source == DESK or (source != ONLINE and not is_first)


def has_said_today(client_id: int, facts: ClinicFacts, now: dt.datetime) -> bool:
    """Whether the person has said today what has changed: else what the desk books waits until they have."""
    day = local_day(now, facts.zone)
    since = moment(WallClock(ZoneInfo(facts.zone)).day_bounds(day)[0])
    return intake.is_reconfirmed(client_id, since=since, since_day=day)


def clinic_of(choice: Choice) -> ClinicFacts:
    """The clinic, with the place and zone of this choice. Raises InvalidInput, NotFound for an unknown place."""
    facts = premises.clinic_facts()
    if facts is None:
        raise InvalidInput("service", _("The clinic is not set up yet."))
    place_id, zone = premises.where(facts, choice.location_id)
    return replace(facts, location_id=place_id, zone=zone)
