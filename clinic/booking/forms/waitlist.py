"""When somebody on the waitlist could come, as they type it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

from wtforms import SelectField, ValidationError

from clinic.booking.forms.choice import whole_number
from clinic.booking.forms.desk import ManyCheckboxField, WhatForm
from clinic.booking.forms.person import BookingPersonForm, email_field
from clinic.rules.language import _
from clinic.rules.waitlist import EVERY_DAY, Part, When
from clinic.rules.words import length_words, weekday_words
from clinic.shared.fields import Plain, date_field
from clinic.shared.languages import lazy

NOTICE_HOURS = (0, 1, 2, 4, 12, 24, 48)
PARTS = {
    Part.MORNING: lazy("Morning, before 12"),
    Part.AFTERNOON: lazy("Afternoon, 12 to 5"),
    Part.EVENING: lazy("Evening, after 5"),
}


class WhenForm(Plain):
    """Days, weekdays, parts of the day and notice. What they mean is checked by rules/waitlist.py."""

    first_day = date_field(lazy("From"), required=lazy("Enter the first day on which you could come."))
    last_day = date_field(lazy("Until"), required=lazy("Enter the last day on which you could come."))
    weekdays = ManyCheckboxField(
        lazy("Which days of the week?"),
        description=lazy("All days are chosen at the start: take away those that do not suit."),
        choices={str(number): lazy.made_by(weekday_words, number) for number in range(7)},
        default=[str(number) for number in EVERY_DAY],
    )
    day_parts = ManyCheckboxField(
        lazy("What time of the day?"),
        description=lazy("All times are chosen at the start: take away those that do not suit."),
        choices={part.value: name for part, name in PARTS.items()},
        default=[part.value for part in Part],
    )
    notice_hours = SelectField(
        lazy("How long before the visit do you have to know?"),
        coerce=int,
        choices={
            str(hours): lazy.made_by(length_words, hours * 60) if hours else lazy("Short notice is fine")
            for hours in NOTICE_HOURS
        },
        default=2,
    )

    def validate_weekdays(self, field: ManyCheckboxField) -> None:
        """Said here with every other fault of the page, not only by the rules, one at a time."""
        if not field.data:
            raise ValidationError(_("Choose at least one day of the week."))

    def validate_day_parts(self, field: ManyCheckboxField) -> None:
        """The same for the parts of the day."""
        if not field.data:
            raise ValidationError(_("Choose at least one part of the day."))

    def when(self) -> When:
        """What was typed; call it on a valid form only."""
        return When(
            _day(self.first_day.data),
            _day(self.last_day.data),
            frozenset(int(one) for one in self.weekdays.data or ()),
            frozenset(self.day_parts.data or ()),
            self.notice_hours.data,
        )

    def add_error(self, field: str, sentence: str) -> None:
        """Put what a service found wrong at its field, or above the form."""
        field = "day_parts" if field == "parts" else field
        if field in self._fields:
            self._fields[field].errors = [*self._fields[field].errors, sentence]
        else:
            self.form_errors.append(sentence)

    def mistakes(self) -> list[tuple[str, str]]:
        """Messages with the id of the control to go to."""
        many = (self.weekdays, self.day_parts)
        found = [("", sentence) for sentence in self.form_errors]
        for field in self:
            target = f"{field.id}-0" if field in many else field.id
            found += [(target, str(sentence)) for sentence in field.errors]
        return found


def _day(day: dt.date | None) -> dt.date:
    if day is None:
        raise ValueError("the form is not valid")
    return day


class JoinForm(WhenForm, BookingPersonForm):
    """Somebody not signed in also says who they are."""

    email = email_field(
        lazy("Enter your e-mail address: we send the offer there."), lazy("We send the offer here.")
    )

    def add_error(self, field: str, sentence: str) -> None:
        """Put what a service found wrong at its field, or above the form."""
        if field == "born_on" or field in BookingPersonForm():
            BookingPersonForm.add_error(self, field, sentence)
        else:
            WhenForm.add_error(self, field, sentence)

    def in_page_order(self) -> Iterable[Any]:
        """When, then who."""
        when, who = WhenForm(), BookingPersonForm().in_page_order()
        return [self[field.name] for field in (*when, *who)]

    def mistakes(self) -> list[tuple[str, str]]:
        """Messages with the id of the control to go to."""
        return [("", sentence) for sentence in self.form_errors] + self.errors_in_order()


class DeskWishForm(WhenForm, WhatForm):
    """A wish that the desk takes down: what, where, and when."""

    place = SelectField(lazy("Place"), validate_choice=False)

    @property
    def place_id(self) -> int | None:
        """The place; None is the first."""
        return whole_number(self.place.data)
