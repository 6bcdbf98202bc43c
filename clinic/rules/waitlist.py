"""The waitlist: which times fit a wish, how long an offer stands, and what a wish has to say.

Nothing here reads a clock or the book. A day and a part of the day are those on the clinic's wall.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Final

from clinic.rules.errors import InvalidInput
from clinic.rules.language import N_, _
from clinic.rules.words import join_words, weekday_words


class Part(StrEnum):
    """A part of the day, by the start of the visit."""

    MORNING = "morning"
    AFTERNOON = "afternoon"
    EVENING = "evening"


IN_WORDS = {
    Part.MORNING: N_("in the morning"),
    Part.AFTERNOON: N_("in the afternoon"),
    Part.EVENING: N_("in the evening"),
}
NOON, EVENING_FROM = time(12), time(17)
SHORTEST_OFFER: Final = timedelta(minutes=10)
"""Nobody reads a mail and decides in less: such an offer is not made."""
GRACE: Final = timedelta(minutes=1)
"""For so long after an offer has run out its time is still kept, so that it goes to the next in line and to nobody
who happens to look at the free times in that moment."""
SET_ASIDE: Final = timedelta(minutes=15)
"""For so long the desk has a time for itself after it has ended an offer to give the time to somebody else."""
ASKED_AGAIN_AFTER: Final = timedelta(hours=3)
"""Whoever has just said no, or nothing, is not asked about the next quarter of an hour of the same day."""
SAME_DAY: Final = timedelta(hours=12)
LONGEST_DAYS: Final = 180
MOST_NOTICE_HOURS: Final = 336
EVERY_DAY: Final = tuple(range(7))


def part_of(wall: time) -> Part:
    """Before noon, before 17:00, or later."""
    if wall < NOON:
        return Part.MORNING
    return Part.AFTERNOON if wall < EVENING_FROM else Part.EVENING


@dataclass(frozen=True)
class When:
    """When somebody could come: days and weekdays (0 is Monday), parts of the day, how long before they must know."""

    first_day: date
    last_day: date
    weekdays: frozenset[int] = frozenset(EVERY_DAY)
    parts: frozenset[str] = frozenset(Part)
    notice_hours: int = 0

    def is_on(self, day: date) -> bool:
        """Whether any time of that day could fit."""
        return self.first_day <= day <= self.last_day and day.weekday() in self.weekdays

    def fits(self, local: datetime) -> bool:
        """Whether a start fits; `local` is the moment on the clinic's wall."""
        return self.is_on(local.date()) and part_of(local.time()) in self.parts

    def check(self, *, today: date) -> None:
        """Raise InvalidInput naming the field where this can never come true, or is too much to keep."""
        if self.last_day < self.first_day:
            raise InvalidInput("last_day", _("The last day lies before the first day."))
        if self.last_day < today:
            raise InvalidInput("last_day", _("The last day has passed. Choose a later one."))
        if (self.last_day - today).days > LONGEST_DAYS:
            raise InvalidInput(
                "last_day",
                _("Choose a last day within %(longest_days)s days from now.", longest_days=LONGEST_DAYS),
            )
        if not self.weekdays:
            raise InvalidInput("weekdays", _("Choose at least one day of the week."))
        if not self.parts or not self.parts <= set(Part):
            raise InvalidInput("parts", _("Choose at least one part of the day."))
        if not 0 <= self.notice_hours <= MOST_NOTICE_HOURS:
            raise InvalidInput(
                "notice_hours",
                _(
                    "Enter a number of hours from 0 to %(most_notice_hours)s.",
                    most_notice_hours=MOST_NOTICE_HOURS,
                ),
            )
        ahead = (max(self.first_day, today) + timedelta(days=more) for more in range(7))
        if not self.weekdays <= set(EVERY_DAY) or not any(self.is_on(day) for day in ahead):
            raise InvalidInput(
                "weekdays", _("None of these weekdays lies between the first and the last day.")
            )


def offered_until(
    starts_at: datetime, *, now: datetime, minutes: int, lead_minutes: int, notice_hours: int
) -> datetime | None:
    """Until when an offer made now stands: `minutes` on, but never so long that less than the clinic's lead time or the
    notice that the person needs would be left. None where nobody could decide in what is left."""
    last = starts_at - max(timedelta(minutes=lead_minutes), timedelta(hours=notice_hours))
    until = min(now + timedelta(minutes=minutes), last)
    return until if until - now >= SHORTEST_OFFER else None


Span = tuple[datetime, datetime]


def touches(span: Span, others: Iterable[Span]) -> bool:
    """Whether a time overlaps any of these. Touching is not overlapping."""
    return any(span[0] < end and start < span[1] for start, end in others)


def words_of(when: When) -> str:
    """`Monday and Friday, in the morning or in the evening`; of a single day only the times."""
    days = [weekday_words(number) for number in sorted(when.weekdays)]
    parts = [_(IN_WORDS[part]) for part in Part if part in when.parts]
    said_parts = _("at any time") if len(parts) == len(Part) else join_words(parts, N_("or"))
    if when.first_day == when.last_day:
        return said_parts
    said_days = _("any day") if len(days) == len(EVERY_DAY) else join_words(days)
    return f"{said_days}, {said_parts}"
