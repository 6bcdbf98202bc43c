"""What a client books at once, more than one visit: how often, or with whom."""

from __future__ import annotations

from typing import Any

from wtforms import Form, RadioField
from wtforms.validators import InputRequired

from clinic.booking.forms.choice import whole_number
from clinic.booking.forms.desk import NEW
from clinic.booking.forms.person import BookingPersonForm
from clinic.rules.language import _
from clinic.rules.series import MOST_VISITS
from clinic.shared.fields import WholeNumberField, text_field
from clinic.shared.languages import lazy

EVERY = {
    "1": lazy("Every week"),
    "2": lazy("Every second week"),
    "3": lazy("Every third week"),
    "4": lazy("Every fourth week"),
}


class OwnSeriesForm(Form):
    """How often, and how many visits: the first one is the time that is kept."""

    every = RadioField(
        lazy("How often?"), choices=EVERY, default="1", validators=[InputRequired(lazy("Choose how often."))]
    )
    count = WholeNumberField(
        lazy("How many visits?"), default=4, validators=[InputRequired(lazy("Say how many visits."))],
        description=lazy("2 to %(most_visits)s, the first one included.", most_visits=MOST_VISITS),
        render_kw={"inputmode": "numeric"},
    )  # fmt: skip


class CompanionForm(BookingPersonForm):
    """Who comes along: one of the account's people, or somebody new, whose fields are read only then."""

    email = text_field(
        "E-mail", longest=254, required=lazy("Enter their e-mail address: we send the health questions there."),
        type="email", autocomplete="off", autocapitalize="none", spellcheck="false",
    )  # fmt: skip
    phone = text_field(
        lazy("Mobile phone"), longest=40, required=lazy("Enter their phone number, so that we can reach them."),
        help_text=lazy("Only for this visit, when something changes."), type="tel", autocomplete="off",
        inputmode="tel",
    )  # fmt: skip
    who = RadioField(lazy("Who comes with you?"), validate_choice=False)

    @property
    def client_id(self) -> int | None:
        """The chosen one of the account's people."""
        return whole_number(self.who.data)

    @property
    def name_of_companion(self) -> str:
        """As the account knows them, or as it was typed."""
        typed = f"{self.first_name.data} {self.last_name.data}".strip()
        return next(
            (label for key, label, *_more in self.who.iter_choices() if key == self.who.data != NEW), typed
        )

    def validate(self, extra_validators: Any = None) -> bool:
        """Somebody chosen needs nothing else; somebody new needs a name, a birth date and how we reach them."""
        if self.client_id is not None:
            return True
        if self.who.data != NEW:
            self.who.errors = [_("Choose who comes with you.")]
            return False
        return super().validate(extra_validators)
