"""What staff type in from a clinician's letter, and why one does not help."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from wtforms import BooleanField, Form, SelectField, SelectMultipleField
from wtforms.validators import DataRequired, InputRequired, Optional, ValidationError
from wtforms.widgets import CheckboxInput, ListWidget

from clinic.rules.language import _
from clinic.shared.fields import DayField, Plain, Refusable, choose, lines_field, text_field
from clinic.shared.languages import lazy

ROLE_WORDS: Mapping[str, str] = {
    "physician": lazy("Doctor"),
    "specialist": lazy("Specialist doctor"),
    "nurse_practitioner": lazy("Nurse practitioner"),
    "midwife": lazy("Midwife"),
    "physiotherapist": lazy("Physiotherapist"),
    "massage_therapist": lazy("Massage therapist"),
    "chiropractor": lazy("Chiropractor"),
    "other": lazy("Somebody else"),
}


class VerifyForm(Plain, Refusable):
    """The letter as it was read, and how it was checked."""

    conditions = SelectMultipleField(
        lazy("What is the letter about?"),
        widget=ListWidget(prefix_label=False),
        option_widget=CheckboxInput(),
        validators=[DataRequired(lazy("Tick what the letter names."))],
        description=lazy(
            "Only what waits for a letter by the signed answers. Tick what the letter names itself."
        ),
    )
    services = SelectMultipleField(
        lazy("Which treatments does it name?"),
        widget=ListWidget(prefix_label=False),
        option_widget=CheckboxInput(),
        validators=[DataRequired(lazy("Tick the treatments that the letter names."))],
        description=lazy("“Massage” alone names none: call the office and ask which one is meant."),
    )
    chamber = BooleanField(lazy("It names the interval chamber too"))
    limits = lines_field(
        lazy("Limits for the therapist"), longest=1500, rows=3,
        help_text=lazy("Position, pressure, time, places to leave out. The therapist reads it before the visit."),
    )  # fmt: skip
    clinician = text_field(lazy("Name"), longest=120, required=lazy("Write the clinician’s name."))
    role = SelectField(lazy("Profession"), choices={"": lazy("Choose"), **ROLE_WORDS})
    register_number = text_field(
        lazy("Licence or register number"), longest=80, required=lazy("Write the licence or register number.")
    )
    contact = text_field(
        lazy("Phone or address of the office"),
        longest=200,
        required=lazy("Write how the clinician’s office is reached."),
    )
    issued_on = DayField(
        lazy("Date of the letter"), validators=[InputRequired(lazy("Enter the date of the letter."))]
    )
    ends_on = DayField(
        lazy("Good until"), validators=[Optional()], description=lazy("Only when the letter says so.")
    )
    how = lines_field(
        lazy("How was it checked?"), longest=1500, rows=3, required=lazy("Write how it was checked, and with whom."),
        help_text=lazy("For example: called the number in the public register, spoke with Ms Hall at reception."),
    )  # fmt: skip

    def offer(self, conditions: Sequence[tuple[str, str]], services: Sequence[tuple[str, str]]) -> None:
        """What may be ticked."""
        choose(self.conditions, conditions)
        choose(self.services, services)

    def validate_role(self, field: SelectField) -> None:
        """Somebody has written it."""
        if not field.data:
            raise ValidationError(_("Choose the profession."))


class ReasonForm(Form):
    """Why a letter does not help, or why a clearance no longer holds."""

    reason = lines_field(lazy("Why"), longest=1500, rows=3, required=lazy("Write in a few words why."))
