"""A therapist asks for more care for a client than the rules do."""

from __future__ import annotations

from wtforms import DateField, Form, RadioField, SelectMultipleField
from wtforms.validators import InputRequired
from wtforms.widgets import CheckboxInput, ListWidget

from clinic.rules.therapists_say import COLUMN_WORDS
from clinic.shared.fields import DayField, lines_field
from clinic.shared.languages import lazy


class MoreCareForm(Form):
    """What is asked for, for which treatments, why, and until when."""

    verdict = RadioField(
        lazy("What do you ask for?"),
        choices={
            "caution": lazy("Take care: the visit goes ahead, whoever treats reads this"),
            "clearance": lazy("Talk first: visits wait until I say that they may go on"),
            "block": lazy("Not this treatment: visits are cancelled, and none is booked"),
        },
        validators=[InputRequired(lazy("Choose what you ask for."))],
    )
    services = SelectMultipleField(
        lazy("For which treatments?"),
        choices=COLUMN_WORDS,
        widget=ListWidget(prefix_label=False),
        option_widget=CheckboxInput(),
        description=lazy("None ticked: for all."),
    )
    reason = lines_field(
        lazy("Why"), longest=1500, rows=3, required=lazy("Write in a few words why."),
        help_text=lazy("Only who treats this client, and clinical review, read this."),
    )  # fmt: skip
    until: DateField = DayField(
        lazy("Last day on which it holds"), description=lazy("Empty: until it is withdrawn.")
    )

    def add_error(self, field: str, sentence: str) -> None:
        """Show what a service found wrong at its field."""
        if field in self:
            self[field].errors = [*self[field].errors, sentence]
