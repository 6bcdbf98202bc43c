"""Part of saving hours: nobody works at two places of the clinic at once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from zoneinfo import ZoneInfo

from clinic.premises import queries as premises
from clinic.premises.models import Location
from clinic.rules.errors import InvalidInput
from clinic.rules.language import _
from clinic.rules.two_places import (
    DAYS_COMPARED,
    Meeting,
    Shift,
    days_beside,
    days_to_compare,
    first_meeting,
)
from clinic.rules.wall_time import WallClock, WeeklyHours, dates_from, hours_on
from clinic.rules.week import row_words
from clinic.rules.words import date_words, zone_words
from clinic.therapists import queries
from clinic.therapists.models import DatedHours, WorkingHours


def check_week_elsewhere(
    therapist_id: int, place: Location, hours: Sequence[WeeklyHours], today: dt.date
) -> None:
    """Raise InvalidInput where these hours would be worked at two places at once in any week of the coming year, or
    beside a date with hours of its own elsewhere: on that date itself they are not worked."""
    clock, dates, days = (
        WallClock(ZoneInfo(place.zone)),
        dates_from(today, DAYS_COMPARED),
        days_to_compare(today),
    )
    weekly = [_shift(row, days) for row in queries.hours_elsewhere(therapist_id, place.id)]
    _refuse("work", place, first_meeting(hours_on(clock, dates, hours), weekly))
    dated = queries.hours_of_days(therapist_id, days[0], days[-1])
    own = {row.day for row in dated}
    worked = hours_on(clock, [one for one in dates if one not in own], hours)
    _refuse("work", place, first_meeting(worked, _dated_elsewhere(dated, place)))


def check_day_elsewhere(
    therapist_id: int, place: Location, day: dt.date, hours: Sequence[WeeklyHours]
) -> None:
    """The same for one date. What is worked on it elsewhere gives way; the dates beside it may reach into it."""
    beside = days_beside(day)
    dated = [row for row in queries.hours_of_days(therapist_id, beside[0], beside[-1]) if row.day != day]
    weekly = [one for one in beside if one not in {row.day for row in dated}]
    shifts = [_shift(row, weekly) for row in queries.hours_elsewhere(therapist_id, place.id)]
    shifts += _dated_elsewhere(dated, place)
    worked = hours_on(WallClock(ZoneInfo(place.zone)), [day], hours)
    _refuse("starts", place, first_meeting(worked, shifts))


def _dated_elsewhere(dated: Sequence[DatedHours], place: Location) -> list[Shift]:
    """Those at other places that are in use."""
    return [_shift(row, [row.day]) for row in dated if row.location_id != place.id and row.location.is_active]


def _shift(row: WorkingHours | DatedHours, days: Sequence[dt.date]) -> Shift:
    weekday = row.weekday if isinstance(row, WorkingHours) else row.day.weekday()
    hours = WeeklyHours(weekday, row.starts, row.ends)
    return Shift(row.location.name, WallClock(ZoneInfo(row.location.zone)), hours, days)


def _refuse(field: str, here: Location, meeting: Meeting | None) -> None:
    """Raise InvalidInput for a meeting. By another clock these hours look free: clock and day are said."""
    if meeting is None:
        return
    shift, facts = meeting.shift, premises.clinic_facts()
    hours = row_words(shift.hours, facts is None or facts.uses_24_hours)
    if shift.clock.zone.key == here.zone:
        sentence = _(
            "This overlaps the hours at %(place)s: %(hours)s. Change one of them.",
            place=shift.place,
            hours=hours,
        )
    else:
        sentence = _(
            "This overlaps the hours at %(place)s: %(hours)s by the clock of %(zone)s, for the first time on %(day)s."
            " Change one of them.",
            place=shift.place,
            hours=hours,
            zone=zone_words(shift.clock.zone.key),
            day=date_words(shift.clock.show(meeting.minute).date()),
        )
    raise InvalidInput(field, sentence)
