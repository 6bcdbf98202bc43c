"""When a clinician's clearance counts: who issued it, for how long, and what ends it.

A clearance is a dated statement of an authorised clinician about one condition and named services. It turns
*clearance* into *caution* and nothing else. Day counts and who may clear stand in the table, row by row; how
it ends follows the section on clearances of the clinical rules.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from clinic.rules.answers import Declared
from clinic.rules.body_areas import expand
from clinic.rules.rule_table import TABLE
from clinic.rules.verdicts import COLUMNS, INTERVAL

CUPS = "cups"
"""How a clearance names vacuum work by hand, beside ``interval`` for the chamber."""

DOCTOR_SAID_NO = "doctor_said_no"


@dataclass(frozen=True)
class Clearance:
    """A verified clearance on file.

    ``services`` are column keys, add-ons included. ``modes`` (``cups``, ``interval``) and ``areas`` limit it;
    ``None`` means that it says nothing about them. ``expires_on`` is the last day on which it holds,
    ``withdrawn_on`` the first on which it no longer does.
    """

    condition: str
    services: frozenset[str]
    issued_on: dt.date
    issued_by: str
    expires_on: dt.date | None = None
    withdrawn_on: dt.date | None = None
    modes: frozenset[str] | None = None
    areas: frozenset[str] | None = None
    id: object = None


def may_clear(condition: str, issued_by: str) -> bool:
    """Whether this kind of clinician may clear this condition; raises ``KeyError`` for an unknown one."""
    return issued_by in TABLE.clearable(condition).who_may_clear


def lapses_on(clearance: Clearance) -> dt.date:
    """The first day on which the clearance is too late: its days are over or its end date has passed.

    Valid on day n while 0 <= n < days; day 90 of a 90-day clearance is too late.
    """
    days = TABLE.clearable(clearance.condition).clearance_days
    end = clearance.issued_on + dt.timedelta(days=days)
    if clearance.expires_on is not None:
        end = min(end, clearance.expires_on + dt.timedelta(days=1))
    if clearance.withdrawn_on is not None:
        end = min(end, clearance.withdrawn_on)
    return end


def is_valid(clearance: Clearance, declared: Mapping[str, Declared], day: dt.date) -> bool:
    """Whether the clearance counts on ``day`` for a client with these declared conditions."""
    return (
        may_clear(clearance.condition, clearance.issued_by)
        and clearance.issued_on <= day < lapses_on(clearance)
        and not _is_ended(clearance, declared)
    )


def covers(clearance: Clearance, column: str, mode: str | None, areas: Iterable[str]) -> bool:
    """Whether a clearance speaks about this column, in this mode, on all of these areas."""
    if column not in clearance.services or column not in COLUMNS:
        return False
    if clearance.modes is not None and (INTERVAL if mode == INTERVAL else CUPS) not in clearance.modes:
        return False
    if clearance.areas is None:
        return True
    wanted = expand(areas)
    return bool(wanted) and wanted <= expand(clearance.areas)


def _is_ended(clearance: Clearance, declared: Mapping[str, Declared]) -> bool:
    """Ended by a change of the answer, a newer event, something newly declared, or a newer refusal.

    For a doctor's "no" the clearance has to be later than the refusal, so a refusal of unknown date or of the
    same day cannot be lifted by it.
    """
    issued = clearance.issued_on
    own = declared.get(clearance.condition)
    if own is not None and (_is_later(own.changed_on, issued) or _is_later(own.since, issued)):
        return True
    if (
        own is not None
        and clearance.condition == DOCTOR_SAID_NO
        and (own.since is None or own.since >= issued)
    ):
        return True
    return any(
        _is_later(one.changed_on, issued)
        or (key in TABLE.ends_clearances_by_date and _is_later(one.since, issued))
        for key, one in declared.items()
        if key in TABLE.ends_clearances
    )


def _is_later(day: dt.date | None, issued: dt.date) -> bool:
    return day is not None and day > issued
