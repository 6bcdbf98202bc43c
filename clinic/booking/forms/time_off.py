"""Time off as a therapist or the desk types it: days, and times only where it is not the whole day."""

from __future__ import annotations

import datetime as dt
from typing import Any

from wtforms import DateField, Form, RadioField, SelectField, StringField
from wtforms.validators import InputRequired, Optional, ValidationError

from clinic.rules.language import _
from clinic.rules.typed_span import Wall
from clinic.rules.week import parse_time
from clinic.shared.fields import PlainDateField, date_field, stripped, text_field
from clinic.shared.languages import lazy

KINDS = {
    "off": lazy("Time off"),
    "meeting": lazy("Meeting"),
    "laundry": lazy("Laundry"),
    "other": lazy("Something else"),
}
BAD_TIME = lazy("Type a time such as 9:30 or 2 pm.")


class TimeOffForm(Form):
    """A span on the wall clock of a place; its meaning is read by rules/typed_span.py. The view gives the places."""

    kind = RadioField(
        lazy("What is it?"),
        choices=KINDS,
        default="off",
        validators=[InputRequired(lazy("Choose what this is."))],
    )
    starts_on = date_field(lazy("First day"), required=lazy("Enter the first day."))
    starts = StringField(
        lazy("From"),
        filters=[stripped],
        description=lazy("For example 9:30 or 2 pm. Leave this empty for the whole day."),
        render_kw={"maxlength": 40},
    )
    ends_on = PlainDateField(
        lazy("Last day"), validators=[Optional()], description=lazy("Leave this empty when it is one day.")
    )
    ends = StringField(
        lazy("Until"),
        filters=[stripped],
        description=lazy("For example 5 pm. Leave this empty for the end of the day."),
        render_kw={"maxlength": 40},
    )
    place = SelectField(
        lazy("Times by the clock of"), validate_choice=False,
        description=lazy("Whole days hold at every place, by its own clock."),
    )  # fmt: skip
    note = text_field(
        lazy("Note for the team"), longest=200, help_text=lazy("Clients never see it. No reason is needed.")
    )

    def validate_starts(self, typed: StringField) -> None:
        """A time, or nothing."""
        _check_time(typed)
        if (typed.data or "").startswith("24"):
            raise ValidationError(_("At 24:00 the day is over. Enter the next day, from 0:00."))

    def validate_ends(self, typed: StringField) -> None:
        """A time, or nothing."""
        _check_time(typed)

    def validate_starts_on(self, typed: Any) -> None:
        """A year somebody can have meant."""
        _check_year(typed)

    def validate_ends_on(self, typed: Any) -> None:
        """A year somebody can have meant; what is no date at all is not taken for left out."""
        if typed.data is None and any(stripped(text) for text in typed.raw_data or ()):
            raise ValidationError(_("Enter a day, or leave this empty when it is one day."))
        _check_year(typed)

    def first(self) -> Wall:
        """The start, of a valid form."""
        return Wall(_day(self.starts_on), parse_time(self.starts.data or ""))

    def last(self) -> Wall:
        """The end, of a valid form."""
        day = self.ends_on.data or _day(self.starts_on)
        return Wall(day, parse_time(self.ends.data or ""))


def _day(field: DateField) -> dt.date:
    if field.data is None:
        raise ValueError("the form is not valid")
    return field.data


def _check_time(typed: StringField) -> None:
    if typed.data and parse_time(typed.data) is None:
        raise ValidationError(BAD_TIME)


def _check_year(typed: Any) -> None:
    if typed.data is not None and not 2000 < typed.data.year < 2100:
        raise ValidationError(_("Check the year."))
