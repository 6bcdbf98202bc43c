"""Where a therapist works: their hours at every place."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from zoneinfo import ZoneInfo

from sqlalchemy import select

from clinic.premises import queries as premises
from clinic.premises.queries import PlaceFacts
from clinic.rules.errors import NotFound
from clinic.rules.language import _
from clinic.rules.wall_time import WallClock, WeeklyHours, dates_from, epoch_minute, hours_on
from clinic.rules.workplace import HoursAt, place_on
from clinic.shared.database import db
from clinic.therapists.models import DatedHours, WorkingHours


def workplaces(therapist_id: int, days: Sequence[dt.date]) -> dict[int, HoursAt]:
    """Place → hours there, weekly and on these days (in order); every place with any. Two statements."""
    weekly: dict[str, dict[int, list[WeeklyHours]]] = {"work": defaultdict(list), "break": defaultdict(list)}
    for row in db.session.scalars(
        select(WorkingHours)
        .where(WorkingHours.therapist_id == therapist_id)
        .order_by(WorkingHours.weekday, WorkingHours.starts, WorkingHours.id)
    ):
        weekly[row.kind][row.location_id].append(WeeklyHours(row.weekday, row.starts, row.ends))
    dated = _dated(therapist_id, days)
    dates = {day for hours in dated.values() for day in hours}
    return {
        place: HoursAt(
            weekly["work"][place], weekly["break"][place], {day: dated[place][day] for day in dates}
        )
        for place in sorted({*weekly["work"], *weekly["break"], *dated})
    }


def _dated(
    therapist_id: int, days: Sequence[dt.date]
) -> defaultdict[int, defaultdict[dt.date, list[WeeklyHours]]]:
    """Place → date → the hours there on it."""
    found: defaultdict[int, defaultdict[dt.date, list[WeeklyHours]]]
    found = defaultdict(lambda: defaultdict(list))
    for row in db.session.scalars(
        select(DatedHours)
        .where(DatedHours.therapist_id == therapist_id, DatedHours.day.between(days[0], days[-1]))
        .order_by(DatedHours.day, DatedHours.starts, DatedHours.id)
    ):
        found[row.location_id][row.day].append(WeeklyHours(row.day.weekday(), row.starts, row.ends))
    return found


def workplace(therapist_id: int, day: dt.date) -> PlaceFacts:
    """The place where the therapist works that day, by whose clock they read and type times; else where they work most,
    or the clinic's first one. Raises NotFound before the clinic is set up."""
    places = {one.id: one for one in premises.places()}
    if not places:
        raise NotFound(_("The clinic is not set up yet."))
    here = None
    if len(places) > 1:
        here = place_on(day, workplaces(therapist_id, dates_from(day, 1)))
    return places.get(here or 0) or next(iter(places.values()))


def hours_are_over(therapist_id: int, day: dt.date, now: dt.datetime) -> bool:
    """Whether the therapist works on this day, and the last minute of it has passed, at whichever place."""
    zones = {one.id: ZoneInfo(one.zone) for one in premises.places()}
    ends = [
        end
        for place, at in workplaces(therapist_id, dates_from(day, 1)).items()
        if place in zones
        for _start, end in hours_on(WallClock(zones[place]), [day], at.work, at.breaks, at.dated)
    ]
    return bool(ends) and max(ends) <= epoch_minute(now)
