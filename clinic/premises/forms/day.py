"""Hours of one date, as an owner types them: one or two spans, and the place where there are several."""

from __future__ import annotations

import datetime as dt

from wtforms import SelectField, StringField
from wtforms.validators import ValidationError

from clinic.rules.wall_time import WeeklyHours
from clinic.rules.week import parse_time
from clinic.shared.fields import FactsForm, date_field, stripped
from clinic.shared.languages import lazy

BAD_TIME = lazy("Type a time such as 9:30 or 2 pm.")


def _time_field(label: str) -> StringField:
    return StringField(label, filters=[stripped], render_kw={"maxlength": 12})


class DayForm(FactsForm):
    """The day, the place, and the hours. A second pair of times is for a day with a long break."""

    day = date_field(lazy("Day"), required=lazy("Enter the day."))
    place = SelectField(lazy("Place"), coerce=int)
    starts = _time_field(lazy("From"))
    ends = _time_field(lazy("Until"))
    starts_again = _time_field(lazy("And from"))
    ends_again = _time_field(lazy("And until"))

    def validate_starts(self, typed: StringField) -> None:
        _check(typed, needed=True)

    def validate_ends(self, typed: StringField) -> None:
        _check(typed, needed=True)

    def validate_starts_again(self, typed: StringField) -> None:
        _check(typed, needed=bool(self.ends_again.data))

    def validate_ends_again(self, typed: StringField) -> None:
        _check(typed, needed=bool(self.starts_again.data))

    def hours(self) -> list[WeeklyHours]:
        """The spans of a valid form."""
        pairs = (self.starts, self.ends), (self.starts_again, self.ends_again)
        times = [(parse_time(start.data or ""), parse_time(end.data or "")) for start, end in pairs]
        return [
            WeeklyHours(self.on().weekday(), start, end)
            for start, end in times
            if start is not None and end is not None
        ]

    def on(self) -> dt.date:
        """The day of a valid form."""
        if self.day.data is None:
            raise ValueError("the form is not valid")
        return self.day.data


def day_of(text: str) -> dt.date | None:
    """The day in an address, or None."""
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        return None


def _check(typed: StringField, *, needed: bool) -> None:
    if (needed or typed.data) and parse_time(typed.data or "") is None:
        raise ValidationError(BAD_TIME)
