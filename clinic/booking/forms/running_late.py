"""How late a therapist is, and who is told."""

from __future__ import annotations

from wtforms import RadioField, SelectMultipleField

from clinic.shared.fields import FactsForm
from clinic.shared.languages import lazy


class LateForm(FactsForm):
    """`tell` is made of the next visits of today."""

    minutes = RadioField(lazy("How late are you, about?"), coerce=int)
    tell = SelectMultipleField(
        lazy("Who is told by e-mail?"), description=lazy("A kind word with the new time, nothing else.")
    )
