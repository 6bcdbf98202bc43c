"""What stands in the way of a start, in words for staff."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from clinic.rules.booking_policy import BookingSettings
from clinic.rules.kinds import DEVICE_KINDS, words_of
from clinic.rules.language import N_, _
from clinic.rules.licence import Days
from clinic.rules.wall_time import WallClock
from clinic.rules.why_no_times import Reason, Why
from clinic.rules.words import day_words, in_sentence, length_words, time_words


@dataclass(frozen=True)
class Shut:
    """A closure: from when to when (epoch minutes), and why."""

    starts: int
    ends: int
    reason: str


@dataclass(frozen=True)
class Named:
    """What the words need. `names`: of therapists, rooms and devices, by id; `licence_ends`: therapist → the licence's
    last day; `skilled`: therapist → the days on which they have the skills; `device_kinds`: of the groups of
    `Eligible`, in their order; `shut`: closures by their number."""

    names: Mapping[int, str]
    licence_ends: Mapping[int, dt.date]
    skilled: Mapping[int, Days]
    device_kinds: Sequence[str]
    shut: Mapping[int, Shut]
    settings: BookingSettings
    clock: WallClock
    uses_24_hours: bool
    asked: str = ""
    """The one therapist who was asked for."""

    def say(self, reason: Reason) -> str:
        """One sentence."""
        name = self.names.get(reason.resource, "")
        if reason.why in _PLAIN:
            is_one = reason.why is Why.NOBODY and self.asked
            text = N_("{name} cannot give this visit.") if is_one else _PLAIN[reason.why]
            return _(text).format(name=self.asked if is_one else name)
        if reason.why in (Why.CLOSED, Why.SHUT):
            return self._shut(reason, name)
        if reason.why is Why.CLIENT_BUSY:
            return self._other_visit(reason.detail)
        if reason.why in (Why.LICENCE, Why.SKILL):
            return self._not_good(reason, name)
        if reason.why is Why.NO_DEVICE:
            kind = words_of(self.device_kinds[reason.detail], DEVICE_KINDS)
            return _("There is no %(device)s in use here.", device=in_sentence(kind))
        return self._bound(reason.why)

    def _not_good(self, reason: Reason, name: str) -> str:
        """Which skill it is, is not said: it may be one that only the answers ask for."""
        if reason.why is Why.LICENCE:
            ends_on = self.licence_ends[reason.resource]
            return _("The licence of %(name)s ends on %(day)s.", name=name, day=day_words(ends_on))
        first, last = (day_words(day) if day else "" for day in self.skilled[reason.resource])
        if first and last:
            return _(
                "%(name)s may give this only from %(first)s to %(last)s.", name=name, first=first, last=last
            )
        if first:
            return _("%(name)s may give this only from %(day)s on.", name=name, day=first)
        return _("%(name)s may give this only until %(day)s.", name=name, day=last)

    def _bound(self, why: Why) -> str:
        if why is Why.LEAD_TIME:
            return _(
                "Lead time: online this is booked at least %(length)s ahead.",
                length=length_words(self.settings.lead_minutes),
            )
        return _(
            "Too far ahead: online this is booked up to %(horizon_days)s days ahead.",
            horizon_days=self.settings.horizon_days,
        )

    def _other_visit(self, starts: int) -> str:
        if not starts:
            return _("The client has another visit, or a time that is kept for them.")
        local = self.clock.show(starts)
        time = time_words(local.time(), uses_24_hours=self.uses_24_hours)
        return _(
            "The client has another visit, or a time that is kept for them, at %(time)s on %(day)s.",
            time=time,
            day=day_words(local.date()),
        )

    def _shut(self, reason: Reason, name: str) -> str:
        one = self.shut[reason.detail]
        what = _("Closed") if reason.why is Why.CLOSED else _("%(name)s is closed", name=name)
        return f"{what} {self._span(one)}: {one.reason}."

    def _span(self, one: Shut) -> str:
        """`on Thursday 24 December 2026`, for whole days; else with the times."""
        start, end = self.clock.show(one.starts), self.clock.show(one.ends)
        if start.time() == end.time() == dt.time():
            last = end.date() - dt.timedelta(days=1)
            first_words = day_words(start.date())
            return (
                _("on %(first_words)s", first_words=first_words)
                if last == start.date()
                else _("from %(first_words)s to %(day)s", first_words=first_words, day=day_words(last))
            )
        begin, finish = (
            _(
                "%(day)s at %(time)s",
                day=day_words(at.date()),
                time=time_words(at.time(), uses_24_hours=self.uses_24_hours),
            )
            for at in (start, end)
        )
        return _("from %(begin)s to %(finish)s", begin=begin, finish=finish)


_PLAIN = {
    Why.REFUSED: N_("This treatment cannot be booked for this client on that day."),
    Why.TOO_SOON: N_("Too soon after, or before, another visit of this client."),
    Why.NOBODY: N_("Nobody who may give this here has working hours."),
    Why.NOBODY_WORKS: N_("No therapist who may give this works that day."),
    Why.NOT_WORKING: N_("{name} does not work that day."),
    Why.OUTSIDE_HOURS: N_("It does not fit into the working hours of {name}, or runs into a break."),
    Why.OFF: N_("{name} is off."),
    Why.LIMIT: N_("One more such visit is more than {name} gives that day."),
    Why.AWAY: N_("{name} is at another place, or on the way."),
    Why.PAUSE: N_("{name} needs a pause between two visits."),
    Why.KNOWN_ONLY: N_("Online this is only for clients who have been here before."),
    Why.GAP: N_("It would leave a gap which nobody can book."),
    Why.NO_ROOM: N_("There is no room of the kind this needs in use here."),
    Why.TAKEN: N_("{name} is taken by another visit."),
    Why.KEPT: N_("{name} is kept for somebody who is booking now."),
}
