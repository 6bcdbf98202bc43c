"""A therapist asks for more care for a client than the rules do."""

from __future__ import annotations

from wtforms import DateField, Form, RadioField, SelectMultipleField
from wtforms.validators import InputRequired
from wtforms.widgets import CheckboxInput, ListWidget

from clinic.rules.therapists_say import COLUMN_WORDS
from clinic.shared.fields import DayField, lines_field


class MoreCareForm(Form):
    """What is asked for, for which treatments, why, and until when."""

    verdict = RadioField(
        "What do you ask for?",
        choices={
            "caution": "Take care: the visit goes ahead, whoever treats reads this",
            "clearance": "Talk first: visits wait until I say that they may go on",
            "block": "Not this treatment: visits are cancelled, and none is booked",
        },
        validators=[InputRequired("Choose what you ask for.")],
    )
    services = SelectMultipleField(
        "For which treatments?",
        choices=COLUMN_WORDS,
        widget=ListWidget(prefix_label=False),
        option_widget=CheckboxInput(),
        description="None ticked: for all.",
    )
    reason = lines_field(
        "Why", longest=1500, rows=3, required="Write in a few words why.",
        help_text="Only who treats this client, and clinical review, read this.",
    )  # fmt: skip
    until: DateField = DayField("Last day on which it holds", description="Empty: until it is withdrawn.")

    def add_error(self, field: str, sentence: str) -> None:
        """Show what a service found wrong at its field."""
        if field in self:
            self[field].errors = [*self[field].errors, sentence]
