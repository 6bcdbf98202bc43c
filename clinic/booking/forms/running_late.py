"""How late a therapist is, and who is told."""

from __future__ import annotations

from wtforms import RadioField, SelectMultipleField

from clinic.shared.fields import FactsForm


class LateForm(FactsForm):
    """`tell` is made of the next visits of today."""

    minutes = RadioField("How late are you, about?", coerce=int)
    tell = SelectMultipleField(
        "Who is told by e-mail?", description="A kind word with the new time, nothing else."
    )
