"""What reports count, and what they keep to themselves because it would be about too few people."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from clinic.rules.language import N_

FEWEST_PEOPLE = 5
"""A number about health is shown only when it is about so many people."""

LEAD_TIMES: tuple[tuple[int, str], ...] = (
    (0, N_("The same day")), (1, N_("The day before")), (3, N_("2 to 3 days")), (7, N_("4 to 7 days")),
    (14, N_("8 to 14 days")),
    (30, N_("15 to 30 days")),
)  # fmt: skip
LONGEST_LEAD = N_("More than 30 days")
LEAD_WORDS = (*(words for _most, words in LEAD_TIMES), LONGEST_LEAD)

ON_FILE, WHILE_BOOKING, BEFORE, MISSING = (
    N_("On file already"),
    N_("Signed while booking"),
    N_("Signed later, before the visit"),
    N_("Not signed in time"),
)
INTAKE_WORDS = (ON_FILE, WHILE_BOOKING, BEFORE, MISSING)
BOOKING_TAKES = dt.timedelta(hours=1)
BOOKED_WITHIN = dt.timedelta(days=1)


def lead_words(days: int) -> str:
    """Which bar a visit belongs to that was booked so many days ahead (less than 0: written down afterwards)."""
    return next((words for most, words in LEAD_TIMES if days <= most), LONGEST_LEAD)


def middle(numbers: Sequence[int]) -> float | None:
    """The median: half are below it, half above. None of nothing."""
    return median(numbers) if numbers else None


def intake_words(
    booked_at: dt.datetime, starts_at: dt.datetime, signed: Iterable[dt.datetime], valid_days: int
) -> str:
    """When the health questions of a visit were signed. `signed`: each moment at which the client signed."""
    oldest = starts_at - dt.timedelta(days=valid_days)
    good = sorted(at for at in signed if oldest <= at <= starts_at)
    if not good:
        return MISSING
    if good[0] <= booked_at:
        return ON_FILE
    return WHILE_BOOKING if good[0] <= booked_at + BOOKING_TAKES else BEFORE


def is_soon_after(booked_at: dt.datetime, refused_at: Iterable[dt.datetime]) -> bool:
    """Whether a visit was booked in the place of a wish that had just been refused."""
    return any(dt.timedelta() <= booked_at - at <= BOOKED_WITHIN for at in refused_at)


@dataclass(frozen=True)
class Guarded:
    """Numbers of people by what they have in common, without those about few. `is_some_hidden`: there were such."""

    shown: tuple[tuple[str, int], ...]
    is_some_hidden: bool


def guarded(people: Mapping[str, set[int]]) -> Guarded:
    """How many people each is about, in steps of five: the most first, and none that is about fewer than five.

    In steps, because somebody who moves the period by a day must not see one person come or go. What is hidden is not
    named either.
    """
    counts = {words: len(ids) - len(ids) % FEWEST_PEOPLE for words, ids in people.items()}
    shown = sorted(
        ((words, count) for words, count in counts.items() if count), key=lambda one: (-one[1], one[0])
    )
    return Guarded(tuple(shown), any(ids and not counts[words] for words, ids in people.items()))
