"""A therapist cannot work: what could become of each visit, and the best for all of them together.

A way is one thing that could be done about a visit: a start, and everything it would take (therapist, room, devices and
the client). Two visits never get ways that take the same thing at the same time, or that are too much together for who
gives them both. A visit keeps its time with another
therapist where that is possible; else the nearest other time is offered; else somebody calls.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from clinic.rules.intervals import overlaps
from clinic.rules.limits import Given, Limits, kept_free


class Deed(StrEnum):
    """What is done about a visit."""

    GIVE = "give"  # the same time with another therapist
    OFFER = "offer"  # another time, kept until the client has answered
    CALL = "call"  # nothing can be proposed: somebody calls


@dataclass(frozen=True)
class Extra:
    """What a way adds to the day of who gives it: minutes of treatment, on what they give that day already, at which
    place. `travel` is the way to any other place, in minutes."""

    day: dt.date
    minutes: int
    is_intense: bool
    given: Given
    limits: Limits
    place: int
    travel: int


@dataclass(frozen=True)
class Way:
    """One start, in epoch minutes, and what it takes until when. `therapist` is among `taken`."""

    starts_at: int
    until: int
    therapist: int
    taken: frozenset[int]
    extra: Extra | None = None

    def clashes(self, other: Way) -> bool:
        """Whether both cannot be."""
        if self.therapist == other.therapist and self._is_too_near(other):
            return True
        overlap = self.starts_at < other.until and other.starts_at < self.until
        return overlap and not self.taken.isdisjoint(other.taken)

    def _is_too_near(self, other: Way) -> bool:
        """Whether the same therapist has no pause, or no time for the way, between the two."""
        if self.extra is None or other.extra is None:
            return False
        travel = self.extra.travel if self.extra.place != other.extra.place else 0
        apart = kept_free(self.starts_at, self.until, max(self.extra.limits.pause or 0, travel))
        return overlaps(apart, (other.starts_at, other.until))

    def is_too_much(self, others: Iterable[Way]) -> bool:
        """Whether who gives it would give more that day than they do, `others` given too."""
        mine = self.extra
        if mine is None:
            return False
        more = [
            one.extra
            for one in others
            if one.therapist == self.therapist and one.extra is not None and one.extra.day == mine.day
        ]
        given = Given(
            mine.given.minutes + sum(one.minutes for one in more),
            mine.given.intense + sum(one.minutes for one in more if one.is_intense),
            mine.given.visits + len(more),
        )
        return not mine.limits.allow(given, mine.minutes, is_intense=mine.is_intense)


@dataclass(frozen=True)
class Touched:
    """A visit whose therapist is off. `same_time` and `other_times` are its ways, best first; `by_name`: the client
    asked for this very therapist."""

    visit_id: int
    starts_at: int
    by_name: bool
    same_time: Sequence[Way] = ()
    other_times: Sequence[Way] = ()


@dataclass(frozen=True)
class Proposal:
    """What is best for one visit. `is_ticked`: done without a further word when the whole plan is carried out. Whoever
    chose the therapist by name is not given to somebody else unless the desk says so."""

    visit_id: int
    deed: Deed
    way: Way | None
    is_ticked: bool


def best_for_all(visits: Iterable[Touched]) -> list[Proposal]:
    """A proposal for each visit, in the order of their starts. Those who have the fewest other therapists choose
    first, and whoever may be given away at all before those who would have to be asked."""
    wanted = sorted(visits, key=lambda one: (one.by_name, len(one.same_time), one.starts_at, one.visit_id))
    chosen: dict[int, Proposal] = {}
    for deed in (Deed.GIVE, Deed.OFFER):
        for one in wanted:
            if one.visit_id in chosen:
                continue
            taken = [other.way for other in chosen.values() if other.way is not None]
            ways = one.same_time if deed is Deed.GIVE else one.other_times
            way = next((way for way in ways if _is_free(way, taken)), None)
            if way is not None:
                is_ticked = deed is Deed.OFFER or not one.by_name
                chosen[one.visit_id] = Proposal(one.visit_id, deed, way, is_ticked)
    in_order = sorted(wanted, key=lambda one: (one.starts_at, one.visit_id))
    return [
        chosen.get(one.visit_id) or Proposal(one.visit_id, Deed.CALL, None, is_ticked=False)
        for one in in_order
    ]


def _is_free(way: Way, taken: Sequence[Way]) -> bool:
    return not any(way.clashes(other) for other in taken) and not way.is_too_much(taken)
