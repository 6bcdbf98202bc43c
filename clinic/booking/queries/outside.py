"""Coming visits outside the hours of their therapist: what new hours would leave behind, and what they did."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from clinic.booking.models import Visit
from clinic.booking.queries.blocks import coming
from clinic.rules.wall_time import WeeklyHours
from clinic.rules.week import lies_in_week
from clinic.therapists import queries as therapists

Week = tuple[Sequence[WeeklyHours], Sequence[WeeklyHours]]
"""Hours and breaks."""


def left_outside(therapist_id: int, location_id: int, new: Week, now: dt.datetime) -> list[Visit]:
    """The therapist's coming visits at a place that lie in the hours of today and would not in the new ones, soonest
    first. A date with hours of its own keeps them."""
    ahead = coming(now, Visit.therapist_id == therapist_id, Visit.location_id == location_id)
    if not ahead:
        return []
    week = therapists.week_of(therapist_id, location_id)
    old = (week["work"], week["break"])
    days = sorted({one.day for one in ahead})
    dated = therapists.dated_hours([therapist_id], location_id, days)[therapist_id]
    return [one for one in ahead if one.day not in dated and _lies(one, old) and not _lies(one, new)]


def _lies(visit: Visit, week: Week) -> bool:
    length = (visit.ends_at - visit.starts_at) // dt.timedelta(minutes=1)
    return lies_in_week(visit.day.weekday(), visit.local_time, length, *week)
