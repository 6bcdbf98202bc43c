"""A therapist cannot work: what could become of each visit, and the best for all of them together.

A way is one thing that could be done about a visit: a start, and everything it would take (therapist, room, devices and
the client). Two visits never get ways that take the same thing at the same time. A visit keeps its time with another
therapist where that is possible; else the nearest other time is offered; else somebody calls.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum


class Deed(StrEnum):
    """What is done about a visit."""

    GIVE = "give"  # the same time with another therapist
    OFFER = "offer"  # another time, kept until the client has answered
    CALL = "call"  # nothing can be proposed: somebody calls


@dataclass(frozen=True)
class Way:
    """One start, in epoch minutes, and what it takes until when. `therapist` is among `taken`."""

    starts_at: int
    until: int
    therapist: int
    taken: frozenset[int]

    def clashes(self, other: Way) -> bool:
        """Whether both cannot be."""
        overlap = self.starts_at < other.until and other.starts_at < self.until
        return overlap and not self.taken.isdisjoint(other.taken)


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
            way = next((way for way in ways if not any(way.clashes(other) for other in taken)), None)
            if way is not None:
                is_ticked = deed is Deed.OFFER or not one.by_name
                chosen[one.visit_id] = Proposal(one.visit_id, deed, way, is_ticked)
    in_order = sorted(wanted, key=lambda one: (one.starts_at, one.visit_id))
    return [
        chosen.get(one.visit_id) or Proposal(one.visit_id, Deed.CALL, None, is_ticked=False)
        for one in in_order
    ]
