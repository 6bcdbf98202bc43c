"""What each setting does, said of a visit, a day or a person that the owner can picture.

The sentences are worked out by the rules that act, so that they cannot promise anything else.
"""

from __future__ import annotations

import calendar
import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol
from zoneinfo import ZoneInfo

from clinic.rules import booking_policy, words
from clinic.rules.booking_policy import BookingSettings
from clinic.rules.gaps import Gaps
from clinic.rules.language import N_, _
from clinic.rules.messages import hours_from


class Rules(Protocol):
    """The settings beside those of the booking policy."""

    reminder_hours: str
    offer_minutes: int
    travel_minutes: int
    adult_age: int
    guardian_in_room_age: int
    intake_valid_days: int
    minor_intake_valid_days: int
    treated_days_back: int
    treated_days_ahead: int
    uses_24_hours: bool
    month_first: bool
    check_in_needed: bool
    minds_rest: bool
    turnover_may_overrun: bool
    gaps: str


ON_AND_OFF = {
    "turnover_may_overrun": (
        N_("A visit may end when the working day ends; the room is cleaned after it."),
        N_("The last visit ends early enough to clean the room within the working hours."),
    ),
    "check_in_needed": (
        N_("On the day before, each client gets a link and says in three taps whether anything has changed."),
        N_("Nobody is asked again between two visits, as long as the health questions are valid."),
    ),
    "minds_rest": (
        N_("Somebody who had a deep tissue massage on Monday is offered the next one from Thursday on."),
        N_("Somebody may book the same massage every day."),
    ),
    "uses_24_hours": (
        N_("A quarter past two in the afternoon is 14:15."),
        N_("A quarter past two in the afternoon is 2:15 pm."),
    ),
    "month_first": (
        N_("New Year’s Eve is December 31, and 6/3 in a search is June 3."),
        N_("New Year’s Eve is 31 December, and 6/3 in a search is 6 March."),
    ),
}  # fmt: skip
OF_GAPS = {
    Gaps.ANY: N_("Between two visits every time can be chosen, whatever gap it leaves."),
    Gaps.FIRST: N_("A time right after another visit is named before one that leaves 15 minutes unused."),
    Gaps.ONLY: N_("A time that would leave 15 minutes unused is not offered online."),
}


@dataclass(frozen=True)
class _Telling:
    """How moments are told: in the clinic's zone, seen from now."""

    now: dt.datetime
    zone: ZoneInfo
    uses_24_hours: bool

    @property
    def today(self) -> dt.date:
        return self.now.astimezone(self.zone).date()

    def at(self, moment: dt.datetime) -> str:
        local = moment.astimezone(self.zone)
        return _("%(day)s at %(time)s", day=self.day(local.date()), time=self.clock(local))

    def clock(self, moment: dt.datetime) -> str:
        return words.time_words(moment.astimezone(self.zone).time(), uses_24_hours=self.uses_24_hours)

    def day(self, day: dt.date) -> str:
        return words.day_words(day, today=self.today)

    def on(self, days: int) -> str:
        return self.day(self.today + dt.timedelta(days=days))

    def ten(self, days: int) -> dt.datetime:
        """Ten in the morning, so many days from now: as an instant, for hours are counted as they pass."""
        local = dt.datetime.combine(self.today + dt.timedelta(days=days), dt.time(10), self.zone)
        return local.astimezone(dt.UTC)

    def birthday(self, age: int) -> str:
        """Who has this age today was born on this day at the latest."""
        year, month = self.today.year - age, self.today.month
        day = min(
            self.today.day, calendar.monthrange(year, month)[1]
        )  # born on the 28th, today being the 29th
        return words.day_words(dt.date(year, month, day)).partition(" ")[2]


def effects(booking: BookingSettings, rules: Rules, *, now: dt.datetime, zone: ZoneInfo) -> dict[str, str]:
    """Setting → what it means, in one sentence."""
    tell = _Telling(now, zone, rules.uses_24_hours)
    return {
        **_of_booking(booking, tell),
        **_of_waiting(booking, rules, tell),
        **_of_people(rules, tell),
        **{name: _(said[0 if getattr(rules, name) else 1]) for name, said in ON_AND_OFF.items()},
        "gaps": _(OF_GAPS[Gaps(rules.gaps)]),
        "reminder_hours": _of_reminders(hours_from(rules.reminder_hours), tell),
    }


def _of_booking(booking: BookingSettings, tell: _Telling) -> dict[str, str]:
    visit = tell.ten(4)
    starts = [
        dt.time(9 + n * booking.slot_step_minutes // 60, n * booking.slot_step_minutes % 60) for n in range(4)
    ]
    clocks = [words.time_words(one, uses_24_hours=tell.uses_24_hours) for one in starts]
    said = {
        "slot_step_minutes": _("Times such as %(clocks)s.", clocks=", ".join(clocks)),
        "lead_time_minutes": _earliest(booking, tell),
        "horizon_days": _(
            "Today the last day that can be booked online is %(horizon_days)s.",
            horizon_days=tell.on(booking.horizon_days),
        ),
        "new_lead_time_minutes": _("The same as for everybody."),
        "new_horizon_days": _("The same as for everybody."),
        "cancel_notice_hours": _(
            "For a visit on %(visit)s that is until %(visit2)s.",
            visit=tell.at(visit),
            visit2=tell.at(booking_policy.cancel_until(visit, booking)),
        ),
    }
    if booking.new_lead_minutes is not None:
        said["new_lead_time_minutes"] = _earliest(
            BookingSettings(lead_minutes=booking.new_lead_minutes), tell
        )
    if booking.new_horizon_days is not None:
        said["new_horizon_days"] = _(
            "Today their last day is %(new_horizon_days)s.",
            new_horizon_days=tell.on(booking.new_horizon_days),
        )
    return said


def _earliest(booking: BookingSettings, tell: _Telling) -> str:
    return _(
        "Right now nothing before %(now)s can be booked online.",
        now=tell.at(booking_policy.earliest_start(tell.now, booking)),
    )


def _of_waiting(booking: BookingSettings, rules: Rules, tell: _Telling) -> dict[str, str]:
    ten, far, near = tell.ten(0), tell.ten(21), tell.ten(1)
    minutes = dt.timedelta(minutes=1)

    def back(visit: dt.datetime, since: dt.datetime) -> str:
        until = booking_policy.waiting_deadline(visit, since=since, settings=booking)
        return _("is given back on %(until)s", until=tell.at(until))

    since = near - dt.timedelta(hours=20)
    return {
        "hold_minutes": _(
            "Who chooses a time at %(ten)s keeps it until %(value)s.",
            ten=tell.clock(ten),
            value=tell.clock(ten + booking.hold_minutes * minutes),
        ),
        "hold_max_minutes": _(
            "And while they go on typing, until %(value)s at the latest.",
            value=tell.clock(ten + booking.hold_longest_minutes * minutes),
        ),
        "pending_days": _(
            "A visit on %(far)s that is booked now and is not confirmed %(far2)s.",
            far=tell.at(far),
            far2=back(far, tell.now),
        ),
        "pending_hours_before": _(
            "A visit on %(far)s %(back)s.", far=tell.at(tell.ten(3)), back=back(tell.ten(3), tell.now)
        ),
        "pending_short_hours_before": _(
            "A visit on %(near)s that is booked on %(since)s %(near2)s.",
            near=tell.at(near),
            since=tell.at(since),
            near2=back(near, since),
        ),
        "offer_minutes": _(
            "Who is offered a time at %(ten)s can take it until %(value)s.",
            ten=tell.clock(ten),
            value=tell.clock(ten + rules.offer_minutes * minutes),
        ),
        "travel_minutes": _(
            "After a visit that ends at %(ten)s the next one elsewhere begins at %(value)s or later.",
            ten=tell.clock(ten),
            value=tell.clock(ten + rules.travel_minutes * minutes),
        ),
    }


def _of_reminders(hours: Sequence[int], tell: _Telling) -> str:
    if not hours:
        return _("Nobody is reminded.")
    visit = tell.ten(21)
    return _(
        "Of a visit on %(visit)s people are reminded on %(moments)s.",
        visit=tell.at(visit),
        moments=words.join_words([tell.at(visit - dt.timedelta(hours=one)) for one in hours]),
    )


def _of_people(rules: Rules, tell: _Telling) -> dict[str, str]:
    return {
        "adult_age": _(
            "Today that is who was born by %(adult_age)s.", adult_age=tell.birthday(rules.adult_age)
        ),
        "guardian_in_room_age": _(
            "Today that is who was born after %(value)s.", value=tell.birthday(rules.guardian_in_room_age + 1)
        ),
        "intake_valid_days": _(
            "Signed today, they hold for visits up to %(intake_valid_days)s.",
            intake_valid_days=tell.on(rules.intake_valid_days),
        ),
        "minor_intake_valid_days": _(
            "Signed today, they hold for visits up to %(minor_intake_valid_days)s.",
            minor_intake_valid_days=tell.on(rules.minor_intake_valid_days),
        ),
        "treated_days_back": _(
            "After a visit today the therapist can read them until %(treated_days_back)s.",
            treated_days_back=tell.on(rules.treated_days_back),
        ),
        "treated_days_ahead": _(
            "Today the therapist can read them for visits up to %(treated_days_ahead)s.",
            treated_days_ahead=tell.on(rules.treated_days_ahead),
        ),
    }
