"""The states of a visit, which may follow which, and what each means for claims and for the gate."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from clinic.rules.errors import MoveNotAllowed
from clinic.rules.language import N_, _


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
        # released: the desk takes the booking back before anybody was told of it
        _S.CONFIRMED: frozenset(
            {_S.ARRIVED, _S.NO_SHOW, _S.CANCELLED, _S.LATE_CANCELLED, _S.SUSPENDED, _S.RELEASED}
        ),
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
CALLED_OFF: Final = frozenset({_S.CANCELLED, _S.LATE_CANCELLED, _S.RELEASED})
ENDING_AT_A_DEADLINE: Final = frozenset({_S.HELD, _S.PENDING, _S.SUSPENDED})
AHEAD: Final = HOLDING_CLAIMS - {_S.DONE}
"""Booked or being booked, and to come or going on as long as its time is not over."""
UPCOMING: Final = frozenset({_S.PENDING, _S.CONFIRMED, _S.SUSPENDED})

WAY_TO_DONE: Final[Mapping[VisitStatus, tuple[VisitStatus, ...]]] = MappingProxyType(
    {
        _S.CONFIRMED: (_S.ARRIVED, _S.IN_SESSION, _S.DONE),
        _S.ARRIVED: (_S.IN_SESSION, _S.DONE),
        _S.IN_SESSION: (_S.DONE,),
    }
)
"""The steps that are entered afterwards, of a visit that took place and that nobody marked."""

_CLIENT_LABELS: Final[Mapping[VisitStatus, str]] = MappingProxyType(
    {
        _S.HELD: N_("Kept for you for a short time"),
        _S.PENDING: N_("Not confirmed yet"),
        _S.CONFIRMED: N_("Confirmed"),
        _S.ARRIVED: N_("You are here"),
        _S.IN_SESSION: N_("Under way"),
        _S.DONE: N_("Done"),
        _S.NO_SHOW: N_("Missed"),
        _S.CANCELLED: N_("Cancelled"),
        _S.LATE_CANCELLED: N_("Cancelled late"),
        _S.SUSPENDED: N_("On hold: we need something from you"),
        _S.RELEASED: N_("Given up: the time ran out"),
    }
)
_STAFF_LABELS: Final[Mapping[VisitStatus, str]] = MappingProxyType(
    {
        _S.HELD: N_("Being booked"),
        _S.PENDING: N_("Waiting to be confirmed"),
        _S.CONFIRMED: N_("Confirmed"),
        _S.ARRIVED: N_("Arrived"),
        _S.IN_SESSION: N_("In session"),
        _S.DONE: N_("Done"),
        _S.NO_SHOW: N_("Did not come"),
        _S.CANCELLED: N_("Cancelled"),
        _S.LATE_CANCELLED: N_("Cancelled late"),
        _S.SUSPENDED: N_("On hold after a new answer or rule"),
        _S.RELEASED: N_("Time given back"),
    }
)


STEP_REASONS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "afterwards": N_("entered afterwards"),
        "booked": N_("booked"),
        "by the client": N_("by the client"),
        "by the clinic": N_("by the clinic"),
        "changed": N_("changed"),
        "deadline passed": N_("deadline passed"),
        "judged again": N_("judged again"),
        "let pass": N_("let pass"),
        "moved": N_("moved"),
        "new rules": N_("new rules"),
        "other therapist declined": N_("other therapist declined"),
        "taken back": N_("taken back"),
        "with the other visit of the two": N_("with the other visit of the two"),
    }
)
"""Why a visit came to be as it is, as it is kept, and the words for a reader."""


def holds_claims(status: VisitStatus) -> bool:
    """Whether a visit in this state keeps its therapist, room, devices and client taken."""
    return status in HOLDING_CLAIMS


def needs_permit(status: VisitStatus) -> bool:
    """Whether a visit may be in this state only with a screening that permits it."""
    return status in NEEDING_PERMIT


def may_become(old: VisitStatus, new: VisitStatus) -> bool:
    """Whether `new` may follow `old`."""
    return new in TRANSITIONS[old]


def may_have_begun(status: VisitStatus, starts_at: dt.datetime, now: dt.datetime) -> bool:
    """Whether somebody can have been treated in it by now: not before its time, nor in one that was called off."""
    begun = {_S.IN_SESSION, _S.DONE}
    return status in begun or (starts_at <= now and status not in CALLED_OFF)


def standing_since(steps: Iterable[tuple[VisitStatus, dt.datetime]]) -> dt.datetime:
    """Since when a visit stands as it does, by its steps, oldest first. One that leads back to where it stood before (a
    slip that was taken back, "not finished after all") leaves it there since then. Raises LookupError for none."""
    way: list[tuple[VisitStatus, dt.datetime]] = []
    for status, at in steps:
        before = next((place for place, (one, _at) in enumerate(way) if one is status), None)
        way = [*way, (status, at)] if before is None else way[: before + 1]
    return way[-1][1]


def check_transition(old: VisitStatus, new: VisitStatus) -> None:
    """Raise MoveNotAllowed, in words for the person, where `new` may not follow `old`."""
    if old is new:
        raise MoveNotAllowed(_("This visit is already marked “%(old)s”.", old=staff_label(old)))
    if not may_become(old, new):
        raise MoveNotAllowed(
            _(
                "A visit that is marked “%(old)s” cannot be marked “%(new)s”.",
                old=staff_label(old),
                new=staff_label(new),
            )
        )


def client_label(status: VisitStatus) -> str:
    """What the client reads."""
    return _(_CLIENT_LABELS[status])


def staff_label(status: VisitStatus) -> str:
    """What the desk and the therapists read."""
    return _(_STAFF_LABELS[status])
