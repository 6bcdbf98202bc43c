"""What stands in the way of a start, in words for staff."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from clinic.rules.booking_policy import BookingSettings
from clinic.rules.wall_time import WallClock
from clinic.rules.why_no_times import Reason, Why
from clinic.rules.words import day_words, length_words, time_words


@dataclass(frozen=True)
class Shut:
    """A closure: from when to when (epoch minutes), and why."""

    starts: int
    ends: int
    reason: str


@dataclass(frozen=True)
class Named:
    """What the words need. `names`: of therapists, rooms and devices, by id; `licence_ends`: therapist → the licence's
    last day; `device_kinds`: of the groups of `Eligible`, in their order; `shut`: closures by their number."""

    names: Mapping[int, str]
    licence_ends: Mapping[int, dt.date]
    device_kinds: Sequence[str]
    shut: Mapping[int, Shut]
    settings: BookingSettings
    clock: WallClock
    uses_24_hours: bool

    def say(self, reason: Reason) -> str:
        """One sentence."""
        name = self.names.get(reason.resource, "")
        if reason.why in _PLAIN:
            return _PLAIN[reason.why].format(name=name)
        if reason.why in (Why.CLOSED, Why.SHUT):
            return self._shut(reason, name)
        if reason.why is Why.CLIENT_BUSY:
            return self._other_visit(reason.detail)
        if reason.why is Why.LICENCE:
            return f"The licence of {name} ends on {day_words(self.licence_ends[reason.resource])}."
        if reason.why is Why.NO_DEVICE:
            return f"There is no {self.device_kinds[reason.detail].replace('_', ' ')} in use here."
        return self._bound(reason.why)

    def _bound(self, why: Why) -> str:
        if why is Why.LEAD_TIME:
            return (
                f"Lead time: online this is booked at least {length_words(self.settings.lead_minutes)} ahead."
            )
        return f"Too far ahead: online this is booked up to {self.settings.horizon_days} days ahead."

    def _other_visit(self, starts: int) -> str:
        if not starts:
            return "The client has another visit."
        local = self.clock.show(starts)
        time = time_words(local.time(), uses_24_hours=self.uses_24_hours)
        return f"The client has another visit at {time} on {day_words(local.date())}."

    def _shut(self, reason: Reason, name: str) -> str:
        one = self.shut[reason.detail]
        what = "Closed" if reason.why is Why.CLOSED else f"{name} is closed"
        return f"{what} {self._span(one)}: {one.reason}."

    def _span(self, one: Shut) -> str:
        """`on Thursday 24 December 2026`, for whole days; else with the times."""
        start, end = self.clock.show(one.starts), self.clock.show(one.ends)
        if start.time() == end.time() == dt.time():
            last = end.date() - dt.timedelta(days=1)
            first_words = day_words(start.date())
            return f"on {first_words}" if last == start.date() else f"from {first_words} to {day_words(last)}"
        begin, finish = (
            f"{day_words(at.date())} at {time_words(at.time(), uses_24_hours=self.uses_24_hours)}"
            for at in (start, end)
        )
        return f"from {begin} to {finish}"


_PLAIN = {
    Why.REFUSED: "This treatment cannot be booked for this client on that day.",
    Why.TOO_SOON: "Too soon after, or before, another visit of this client.",
    Why.NOBODY: "Nobody who may give this here has working hours.",
    Why.NOBODY_WORKS: "No therapist who may give this works that day.",
    Why.NOT_WORKING: "{name} does not work that day.",
    Why.OUTSIDE_HOURS: "It does not fit into the working hours of {name}.",
    Why.OFF: "{name} is off.",
    Why.LIMIT: "One more such visit is more than {name} gives that day.",
    Why.AWAY: "{name} is at another place, or on the way.",
    Why.PAUSE: "{name} needs a pause between two visits.",
    Why.KNOWN_ONLY: "Online this is only for clients who have been here before.",
    Why.GAP: "It would leave a gap which nobody can book.",
    Why.NO_ROOM: "There is no room of the kind this needs in use here.",
    Why.TAKEN: "{name} is taken by another visit.",
    Why.KEPT: "{name} is kept for somebody who is booking now.",
}
