"""Forms about people: finding them, and who they are."""

from __future__ import annotations

import datetime as dt
from typing import Any

from wtforms import Form, ValidationError

from clinic.rules.contact import check_email
from clinic.rules.language import _
from clinic.shared.fields import PhoneForm, Refusable, date_field, lines_field, said_at_field, text_field
from clinic.shared.languages import lazy

NO_LAST_NAME = lazy("Enter the last name. For somebody with one name only, write a dash (-).")


class DetailsForm(PhoneForm, Refusable):
    """Who a client is, as staff type it. Phone and e-mail may be left out at the desk."""

    first_name = text_field(
        lazy("First name"), longest=80, required=lazy("Enter the first name."), dir="auto"
    )
    last_name = text_field(lazy("Last name"), longest=80, required=NO_LAST_NAME, dir="auto")
    born_on = date_field(lazy("Birth date"), required=lazy("Enter the birth date, as on an identity card."))
    phone = text_field(lazy("Phone"), longest=40, type="tel", autocomplete="off")
    email = text_field("E-mail", longest=254, type="email", autocomplete="off")
    emergency_contact = text_field(
        lazy("Who to call in an emergency"), longest=200, help_text=lazy("Name and phone number.")
    )
    guardian_name = text_field(
        lazy("Parent or guardian"), longest=120, help_text=lazy("For clients under age."), dir="auto"
    )
    guardian_relation = text_field(lazy("How they are related to the client"), longest=60)
    guardian_phone = text_field(lazy("Phone of the parent or guardian"), longest=40, type="tel")

    def details(self) -> dict[str, Any]:
        """The typed values by name; what was left out is an empty text."""
        return {name: "" if value is None else value for name, value in self.data.items()}

    def validate_email(self, typed: object) -> None:
        """Something that mail can be sent to."""
        said_at_field(check_email, self.email.data or "")

    def validate_born_on(self, typed: object) -> None:
        """A birth date lies between 120 years ago and today; the service knows today, the shape is checked here."""
        born_on = self.born_on.data
        if isinstance(born_on, dt.date) and born_on.year < 1880:
            raise ValidationError(_("Check the year of the birth date."))


class NoteForm(Form):
    """A note for staff."""

    text = lines_field(lazy("New note"), longest=2000, rows=3, required=lazy("Write the note."))


class BarForm(Form):
    """Close or open online booking for one client."""

    reason = lines_field(
        lazy("Reason"), longest=2000, rows=3, required=lazy("Write the reason. Only the owner reads it.")
    )
