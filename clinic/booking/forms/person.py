"""Who is coming: names, birth date, how to reach them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

from wtforms import Form, RadioField, SelectField, SelectMultipleField, StringField
from wtforms.validators import Email, InputRequired

from clinic.clients.forms import NO_LAST_NAME
from clinic.clients.steps import Details
from clinic.rules.contact import holds_web_address
from clinic.rules.language import _
from clinic.rules.words import months
from clinic.rules.years import age_on
from clinic.shared.fields import PhoneForm, choose, stripped, text_field
from clinic.shared.languages import lazy

WHOM = {
    "self": lazy("Me"),
    "parent": lazy("My child"),
    "partner": lazy("My partner"),
    "carer": lazy("Somebody I care for"),
}
NO_BIRTH_DATE = lazy("Give the day, the month and the year of birth.")
NO_SUCH_DAY = lazy("There is no such day. Check the birth date.")
NOT_AN_EMAIL = lazy("This does not look like an e-mail address. It needs an @ and a dot, as in ann@mail.com.")


class PersonForm(Form):
    """Somebody who is treated. The guardian's name is asked for a minor only."""

    relation = RadioField(
        lazy("Who is this visit for?"),
        [InputRequired(lazy("Choose who this visit is for."))],
        default="self",
    )
    first_name = text_field(
        lazy("First name"), longest=80, required=lazy("Enter the first name."), dir="auto"
    )
    last_name = text_field(lazy("Last name"), longest=80, required=NO_LAST_NAME, dir="auto")
    born_day = StringField(
        lazy("Day"), filters=[stripped], render_kw={"inputmode": "numeric", "maxlength": 2}
    )
    born_month = SelectField(
        lazy("Month"),
        validate_choice=False,
    )
    born_year = StringField(
        lazy("Year"), filters=[stripped], render_kw={"inputmode": "numeric", "maxlength": 4}
    )
    guardian_name = text_field(lazy("Full name of a parent or guardian"), longest=160, dir="auto")

    born_on: dt.date | None = None
    born_error = ""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choose(self.relation, list(WHOM.items()))
        named = [(str(number), name) for number, name in enumerate(months(), start=1)]
        choose(self.born_month, [("", _("Month")), *named])

    def validate(self, extra_validators: Any = None) -> bool:
        """Besides the fields, the birth date as a whole, and that nobody is called like a web page: our mails begin
        with the name, and go to whatever address was typed."""
        right = super().validate(extra_validators)
        self._read_birth_date()
        for field in (self.first_name, self.last_name, self.guardian_name):
            if not field.errors and holds_web_address(field.data or ""):
                field.errors = [_("Write a name here, without a web address. Put a space after a dot.")]
                right = False
        return right and not self.born_error

    def _read_birth_date(self) -> None:
        parts = [self.born_year.data or "", self.born_month.data or "", self.born_day.data or ""]
        if not all(part.isascii() and part.isdigit() and len(part) <= 4 for part in parts):
            self.born_error = NO_BIRTH_DATE
            return
        try:
            self.born_on = dt.date(*(int(part) for part in parts))
        except ValueError:
            self.born_error = NO_SUCH_DAY

    def add_error(self, field: str, sentence: str) -> None:
        """Put what a service found wrong at its field."""
        if field == "born_on":
            self.born_error = sentence
            return
        target = self[field if field in self else "first_name"]
        target.errors = [*target.errors, sentence]

    def needs_guardian(self, adult_age: int, today: dt.date) -> bool:
        """Whether this is a minor without a guardian's name, which is then said at the field."""
        if self.born_on is None or self.guardian_name.data:
            return False
        if not 0 <= age_on(self.born_on, today) < adult_age:
            return False
        self.add_error(
            "guardian_name",
            _("Enter the name of a parent or guardian: we need it under %(adult_age)s.", adult_age=adult_age),
        )
        return True

    def in_page_order(self) -> Iterable[Any]:
        """The fields as they stand on the page."""
        return sorted(self, key=lambda field: field.name == "guardian_name")

    def errors_in_order(self) -> list[tuple[str, str]]:
        """Messages with the id of the control to go to, in the order of the page."""
        found: list[tuple[str, str]] = []
        for field in self.in_page_order():
            if field.name == "born_day" and self.born_error:
                found.append(("born_day", self.born_error))
            is_group = isinstance(field, RadioField | SelectMultipleField)
            target = f"{field.id}-0" if is_group else field.id
            found += [(target, str(text)) for text in field.errors]
        return found

    def details(self, **more: str) -> Details:
        """What was typed; call it on a valid form only."""
        if self.born_on is None:
            raise ValueError("the form is not valid")
        relation = WHOM.get(self.relation.data or "", "")
        guardian = self.guardian_name.data or ""
        return Details(
            first_name=self.first_name.data or "",
            last_name=self.last_name.data or "",
            born_on=self.born_on,
            guardian_name=guardian,
            guardian_relation="parent or guardian" if guardian and relation else "",
            **more,
        )


class OwnPhoneForm(PhoneForm):
    """Another phone number of somebody who is in the book."""

    phone = text_field(
        lazy("Phone"),
        longest=40,
        required=lazy("Enter your phone number, so that we can reach you."),
        type="tel",
        inputmode="tel",
    )


def email_field(required: Any, help_text: Any) -> Any:
    """Where we write to; `required` and `help_text` say what is sent there."""
    return text_field(
        "E-mail",
        longest=254,
        required=required,
        help_text=help_text,
        type="email",
        autocomplete="email",
        autocapitalize="none",
        spellcheck="false",
    )


class BookingPersonForm(PhoneForm, PersonForm):
    """Somebody not signed in also says where we reach them."""

    email = email_field(
        lazy("Enter your e-mail address: we send the confirmation there."),
        lazy("We send the confirmation here."),
    )
    phone = text_field(
        lazy("Mobile phone"),
        longest=40,
        required=lazy("Enter your phone number, so that we can reach you."),
        help_text=lazy("Only for this visit, when something changes."),
        type="tel",
        autocomplete="tel",
        inputmode="tel",
    )

    def validate_email(self, field: Any) -> None:
        """Checked only when something was typed: an empty one has its own message."""
        if field.data:
            Email(NOT_AN_EMAIL, allow_smtputf8=False)(self, field)

    def details(self, **more: str) -> Details:
        """What was typed, with the ways to reach them."""
        return super().details(email=self.email.data or "", phone=self.phone.data or "", **more)
