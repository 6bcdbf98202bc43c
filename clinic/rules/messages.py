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

from clinic.rules.language import N_
from clinic.rules.visit_status import UPCOMING, VisitStatus
from clinic.rules.wall_time import WallClock, moment


class Off(StrEnum):
    """How somebody can do without a kind of message."""

    NEVER = "never"
    ON_PAGE = "on_page"  # on their own page, with what it means beside it: never by a slip in a mail program
    BY_LINK = "by_link"  # also by one press in the mail itself


@dataclass(frozen=True)
class Kind:
    """`link`: where the button leads, with a key in it where the message is one. `about`: the table of the row whose
    number stands in the message's key behind its kind; empty where the message is about nobody who is treated."""

    label: str
    link: str = ""
    off: Off = Off.NEVER
    about: str = "visit"


REMINDER: Final = "visit_reminder"
ANSWERS_MISSING: Final = "visit_answers_missing"
AFTERCARE: Final = "visit_aftercare"
DAY_OF_THERAPIST: Final = "day_of_therapist"
DAY_OF_DESK: Final = "day_of_desk"
SMS: Final = "visit_reminder_sms"

VISIT_PAGE: Final = "/visit/{token}"
"""The page of one visit, by a key of its own."""
_OFFER = "/offer/{token}"
_PASSWORD, _FORGOT = "/password/{token}", "/password/forgot"

KINDS: Final[Mapping[str, Kind]] = MappingProxyType({
    "visit_booked": Kind(N_("Visit booked"), VISIT_PAGE),
    "visit_waiting": Kind(N_("Visit booked, not confirmed yet"), VISIT_PAGE),
    "visit_confirmed_now": Kind(N_("Visit confirmed after waiting"), VISIT_PAGE),
    "visit_moved": Kind(N_("Visit moved")),
    "visit_changed": Kind(N_("Visit changed a little")),
    "visit_given": Kind(N_("Visit with another therapist"), _OFFER),
    "visit_on_hold": Kind(N_("Visit on hold"), VISIT_PAGE),
    "visit_cancelled": Kind(N_("Visit cancelled"), "/book"),
    "visit_called_off": Kind(N_("Visit called off by the clinic"), "/book"),
    "visit_cannot_go_ahead": Kind(N_("Visit cannot go ahead"), VISIT_PAGE),
    "visit_released": Kind(N_("Time given back"), "/book"),
    REMINDER: Kind(N_("Reminder"), VISIT_PAGE, Off.ON_PAGE),
    SMS: Kind(N_("Reminder by SMS"), off=Off.ON_PAGE),
    ANSWERS_MISSING: Kind(N_("Questions not answered yet"), VISIT_PAGE),
    "visit_check_in": Kind(N_("Has anything changed?"), "/check-in/{token}"),
    "running_late": Kind(N_("Running late")),
    AFTERCARE: Kind(N_("The day after"), "/book", Off.BY_LINK),
    "series_booked": Kind(N_("Several visits booked"), about="series"),
    "series_cancelled": Kind(N_("Several visits cancelled"), "/book", about="series"),
    "couple_invited": Kind(N_("Invited to a visit for two"), VISIT_PAGE),
    "couple_apart": Kind(N_("Visit for two, one cannot come"), VISIT_PAGE),
    "offer_made": Kind(N_("A time from the waitlist"), _OFFER),
    "offer_instead": Kind(N_("Another time instead"), _OFFER),
    "waitlist_joined": Kind(N_("On the waitlist"), "/waiting/{token}", about="waitlist_wish"),
    "papers_needed": Kind(N_("A paper is needed"), "/my/papers", about="client"),
    "papers_not_enough": Kind(N_("Please get in touch"), about="clearance_letter"),
    "papers_run_out": Kind(N_("A paper runs out"), "/my/papers", about="clearance"),
    "invitation": Kind(N_("Invitation to the team"), _PASSWORD, about="user"),
    "welcome": Kind(N_("Set up an account"), _PASSWORD, about="user"),
    "reset": Kind(N_("New password asked for"), _PASSWORD, about="user"),
    "sign_in_link": Kind(N_("Link to sign in"), "/sign-in/link/{token}", about="user"),
    "email_confirm": Kind(N_("Confirm an e-mail address"), "/email/{token}", about="user"),
    "notice_new_browser": Kind(N_("New sign-in"), _FORGOT, about="user"),
    "notice_password_changed": Kind(N_("Password changed"), _FORGOT, about="user"),
    "notice_factor_changed": Kind(N_("Second step of signing in changed"), _FORGOT, about="user"),
    "notice_recovery_code_used": Kind(N_("Recovery code used"), _FORGOT, about="user"),
    "notice_wrong_second_steps": Kind(N_("Wrong codes at the second step"), _FORGOT, about="user"),
    "notice_email_changed": Kind(N_("E-mail address of an account changed"), about="user"),
    "notice_break_glass": Kind(N_("Closed records opened"), "/owner/opened-answers", about=""),
    "notice_erasure_asked": Kind(N_("Somebody asked to be erased"), "/owner/erasures", about=""),
    "notice_erasure_received": Kind(N_("Request to be erased arrived"), "/my", about="user"),
    DAY_OF_THERAPIST: Kind(N_("A therapist’s day, every morning"), "/diary", Off.BY_LINK, about=""),
    DAY_OF_DESK: Kind(N_("What waits at the desk, every morning"), "/todo", Off.BY_LINK, about=""),
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
        found += [(REMINDER, starts_at - timedelta(hours=hours)) for hours in timing.reminder_hours]
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
