"""The desk's forms around the health questions: the signed paper, and a guardian's written consent."""

from __future__ import annotations

from wtforms import BooleanField, Form, SelectMultipleField
from wtforms.validators import DataRequired
from wtforms.widgets import CheckboxInput, ListWidget

from clinic.shared.fields import Refusable, date_field, text_field
from clinic.shared.languages import lazy


class PaperForm(Form):
    """What stands under the signed paper."""

    name = text_field(
        lazy("Name under the signature"), longest=120, required=lazy("Type the name that was signed with.")
    )
    signed_on = date_field(
        lazy("Date on the paper"), required=lazy("Enter the date that stands on the paper.")
    )
    treatment = BooleanField(
        lazy("The client agreed to the treatment"),
        validators=[DataRequired(lazy("This has to be ticked on the paper too."))],
    )
    privacy = BooleanField(
        lazy("The client agreed that the answers are kept"),
        validators=[DataRequired(lazy("This has to be ticked on the paper too."))],
    )


class GuardianForm(Refusable):
    """What a parent or guardian signed."""

    guardian_name = text_field(
        lazy("Name of the parent or guardian"), longest=120, required=lazy("Type the full name.")
    )
    relation = text_field(
        lazy("How they are related to the client"),
        longest=60,
        required=lazy("For example mother, or guardian."),
    )
    services = SelectMultipleField(
        lazy("What they agreed to"),
        widget=ListWidget(prefix_label=False),
        option_widget=CheckboxInput(),
        validators=[DataRequired(lazy("Tick every treatment that stands on the paper."))],
    )
    will_be_in_room = BooleanField(lazy("They stay in the room during the visit"))
    signed_on = date_field(
        lazy("Date on the paper"), required=lazy("Enter the date that stands on the paper.")
    )
