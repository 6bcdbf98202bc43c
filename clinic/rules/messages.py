"""Every message of the clinic: whom it goes to, where its button leads, and whether it can be switched off.

The texts are templates/mail/<kind>.txt; an owner may write their own. A place for a health word, or for the service,
does not exist in any of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Final
from zoneinfo import ZoneInfo

from clinic.rules.visit_status import UPCOMING, VisitStatus
from clinic.rules.wall_time import WallClock, moment


class Off(StrEnum):
    """How somebody can do without a kind of message."""

    NEVER = "never"
    ON_PAGE = "on_page"  # on their own page, with what it means beside it: never by a slip in a mail program
    BY_LINK = "by_link"  # also by one press in the mail itself


@dataclass(frozen=True)
class Kind:
    """`link`: where the button leads, with a key in it where the message is one."""

    label: str
    link: str = ""
    off: Off = Off.NEVER


REMINDER: Final = "visit_reminder"
ANSWERS_MISSING: Final = "visit_answers_missing"
AFTERCARE: Final = "visit_aftercare"
DAY_OF_THERAPIST: Final = "day_of_therapist"
DAY_OF_DESK: Final = "day_of_desk"
SMS: Final = "visit_reminder_sms"

_VISIT, _OFFER, _PASSWORD = "/visit/{token}", "/offer/{token}", "/password/{token}"  # noqa: S105 - addresses

KINDS: Final[Mapping[str, Kind]] = MappingProxyType({
    "visit_booked": Kind("Visit booked", _VISIT),
    "visit_waiting": Kind("Visit booked, not confirmed yet", _VISIT),
    "visit_confirmed_now": Kind("Visit confirmed after waiting"),
    "visit_moved": Kind("Visit moved"),
    "visit_changed": Kind("Visit changed a little"),
    "visit_given": Kind("Visit with another therapist", _OFFER),
    "visit_on_hold": Kind("Visit on hold"),
    "visit_cancelled": Kind("Visit cancelled", "/book"),
    "visit_called_off": Kind("Visit called off by the clinic", "/book"),
    "visit_cannot_go_ahead": Kind("Visit cannot go ahead"),
    "visit_released": Kind("Time given back", "/book"),
    REMINDER: Kind("Reminder", _VISIT, Off.ON_PAGE),
    SMS: Kind("Reminder by SMS", off=Off.ON_PAGE),
    ANSWERS_MISSING: Kind("Questions not answered yet", _VISIT),
    "visit_check_in": Kind("Has anything changed?", "/check-in/{token}"),
    "running_late": Kind("Running late"),
    AFTERCARE: Kind("The day after", "/book", Off.BY_LINK),
    "series_booked": Kind("Several visits booked"),
    "series_cancelled": Kind("Several visits cancelled", "/book"),
    "couple_invited": Kind("Invited to a visit for two", _VISIT),
    "couple_apart": Kind("Visit for two, one cannot come", "/my"),
    "offer_made": Kind("A time from the waitlist", _OFFER),
    "offer_instead": Kind("Another time instead", _OFFER),
    "waitlist_joined": Kind("On the waitlist", "/waiting/{token}"),
    "papers_needed": Kind("A paper is needed", "/my"),
    "papers_not_enough": Kind("Please get in touch"),
    "papers_run_out": Kind("A paper runs out", "/my"),
    "invitation": Kind("Invitation to the team", _PASSWORD),
    "welcome": Kind("Set up an account", _PASSWORD),
    "reset": Kind("New password asked for", _PASSWORD),
    "password_changed": Kind("Password changed", "/password/forgot"),
    "new_browser": Kind("New sign-in", "/password/forgot"),
    DAY_OF_THERAPIST: Kind("A therapist’s day, every morning", "/diary", Off.BY_LINK),
    DAY_OF_DESK: Kind("What waits at the desk, every morning", "/todo", Off.BY_LINK),
})  # fmt: skip

FOR_STAFF: Final = (DAY_OF_THERAPIST, DAY_OF_DESK)
FOR_CLIENTS: Final = (REMINDER, AFTERCARE)
"""What a client can switch off. A reminder by SMS is the other way round: it has to be wished for."""

TIMED: Final = (REMINDER, ANSWERS_MISSING, AFTERCARE)
LONGEST_REMINDERS, MOST_HOURS = 4, 14 * 24
BEFORE_DEADLINE = timedelta(hours=24)
AFTERCARE_AT = time(10)


@dataclass(frozen=True)
class Timing:
    """What the clinic set: hours before a visit, and whether the other messages go out at all."""

    reminder_hours: tuple[int, ...]
    asks_for_answers: bool
    sends_aftercare: bool


def timed_messages(
    status: VisitStatus,
    starts_at: datetime,
    ends_at: datetime,
    zone: str,
    *,
    answers_by: datetime | None,
    timing: Timing,
    now: datetime,
) -> list[tuple[str, datetime]]:
    """(kind, when) of everything that is to be sent about a visit later than now. `answers_by`: the deadline of one
    that waits for answers. A reminder is so many real hours before the start, whatever the clock on the wall does."""
    found: list[tuple[str, datetime]] = []
    if status in UPCOMING:
        found += [(REMINDER, starts_at - timedelta(hours=hours)) for hours in sorted(set(timing.reminder_hours))]
        if answers_by is not None and timing.asks_for_answers:
            found.append((ANSWERS_MISSING, answers_by - BEFORE_DEADLINE))
    elif status is VisitStatus.DONE and timing.sends_aftercare:
        found.append((AFTERCARE, day_after(ends_at, zone)))
    return [(kind, due_at) for kind, due_at in found if due_at > now]


def day_after(ends_at: datetime, zone: str) -> datetime:
    """Ten in the morning on the wall of the place, on the day after."""
    day: date = ends_at.astimezone(ZoneInfo(zone)).date() + timedelta(days=1)
    return moment(WallClock(ZoneInfo(zone)).minute_at(day, AFTERCARE_AT))


def hours_from(text: str) -> tuple[int, ...]:
    """The hours in `48, 3`, longest first. Raises ValueError for anything else; nothing at all is no reminder."""
    hours = sorted({int(part) for part in text.replace(",", " ").split()}, reverse=True)
    if len(hours) > LONGEST_REMINDERS or any(not 1 <= one <= MOST_HOURS for one in hours):
        raise ValueError(text)
    return tuple(hours)
