"""The states of a visit, which may follow which, and what each means for claims and for the gate."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from clinic.rules.errors import MoveNotAllowed


class VisitStatus(StrEnum):
    """Where a visit stands. The values are stored and sent over the wire."""

    HELD = "held"
    PENDING = "pending"
    CONFIRMED = "confirmed"
    ARRIVED = "arrived"
    IN_SESSION = "in_session"
    DONE = "done"
    NO_SHOW = "no_show"
    CANCELLED = "cancelled"
    LATE_CANCELLED = "late_cancelled"
    SUSPENDED = "suspended"
    RELEASED = "released"


_S = VisitStatus

TRANSITIONS: Final[Mapping[VisitStatus, frozenset[VisitStatus]]] = MappingProxyType(
    {
        _S.HELD: frozenset({_S.PENDING, _S.CONFIRMED, _S.CANCELLED, _S.RELEASED}),
        _S.PENDING: frozenset({_S.CONFIRMED, _S.CANCELLED, _S.RELEASED}),
        _S.CONFIRMED: frozenset({_S.ARRIVED, _S.NO_SHOW, _S.CANCELLED, _S.LATE_CANCELLED, _S.SUSPENDED}),
        # back to confirmed: the desk checked in the wrong person
        _S.ARRIVED: frozenset({_S.IN_SESSION, _S.CONFIRMED, _S.CANCELLED, _S.LATE_CANCELLED, _S.SUSPENDED}),
        # back to arrived, back to in session: pressed too soon
        _S.IN_SESSION: frozenset({_S.DONE, _S.ARRIVED}),
        _S.DONE: frozenset({_S.IN_SESSION}),
        # the client came after all; the claims have been given up and must be made again
        _S.NO_SHOW: frozenset({_S.ARRIVED}),
        _S.CANCELLED: frozenset(),
        # the clinic lets the late cancellation pass as an ordinary one
        _S.LATE_CANCELLED: frozenset({_S.CANCELLED}),
        _S.SUSPENDED: frozenset({_S.CONFIRMED, _S.CANCELLED, _S.RELEASED}),
        _S.RELEASED: frozenset(),
    }
)

HOLDING_CLAIMS: Final = frozenset(
    {_S.HELD, _S.PENDING, _S.CONFIRMED, _S.ARRIVED, _S.IN_SESSION, _S.DONE, _S.SUSPENDED}
)
NEEDING_PERMIT: Final = frozenset({_S.CONFIRMED, _S.ARRIVED, _S.IN_SESSION, _S.DONE})
ENDING_AT_A_DEADLINE: Final = frozenset({_S.HELD, _S.PENDING, _S.SUSPENDED})
UPCOMING: Final = frozenset({_S.PENDING, _S.CONFIRMED, _S.SUSPENDED})

_CLIENT_LABELS: Final[Mapping[VisitStatus, str]] = MappingProxyType(
    {
        _S.HELD: "Kept for you for a short time",
        _S.PENDING: "Not confirmed yet",
        _S.CONFIRMED: "Confirmed",
        _S.ARRIVED: "You are here",
        _S.IN_SESSION: "Under way",
        _S.DONE: "Done",
        _S.NO_SHOW: "Missed",
        _S.CANCELLED: "Cancelled",
        _S.LATE_CANCELLED: "Cancelled late",
        _S.SUSPENDED: "On hold: we need something from you",
        _S.RELEASED: "Given up: the time ran out",
    }
)
_STAFF_LABELS: Final[Mapping[VisitStatus, str]] = MappingProxyType(
    {
        _S.HELD: "Being booked",
        _S.PENDING: "Waiting to be confirmed",
        _S.CONFIRMED: "Confirmed",
        _S.ARRIVED: "Arrived",
        _S.IN_SESSION: "In session",
        _S.DONE: "Done",
        _S.NO_SHOW: "Did not come",
        _S.CANCELLED: "Cancelled",
        _S.LATE_CANCELLED: "Cancelled late",
        _S.SUSPENDED: "On hold after a new answer or rule",
        _S.RELEASED: "Released: deadline passed",
    }
)


def holds_claims(status: VisitStatus) -> bool:
    """Whether a visit in this state keeps its therapist, room, devices and client taken."""
    return status in HOLDING_CLAIMS


def needs_permit(status: VisitStatus) -> bool:
    """Whether a visit may be in this state only with a screening that permits it."""
    return status in NEEDING_PERMIT


def may_become(old: VisitStatus, new: VisitStatus) -> bool:
    """Whether `new` may follow `old`."""
    return new in TRANSITIONS[old]


def check_transition(old: VisitStatus, new: VisitStatus) -> None:
    """Raise MoveNotAllowed, in words for the person, where `new` may not follow `old`."""
    if old is new:
        raise MoveNotAllowed(f"This visit is already marked “{staff_label(old)}”.")
    if not may_become(old, new):
        raise MoveNotAllowed(
            f"A visit that is marked “{staff_label(old)}” cannot be marked “{staff_label(new)}”."
        )


def client_label(status: VisitStatus) -> str:
    """What the client reads."""
    return _CLIENT_LABELS[status]


def staff_label(status: VisitStatus) -> str:
    """What the desk and the therapists read."""
    return _STAFF_LABELS[status]
