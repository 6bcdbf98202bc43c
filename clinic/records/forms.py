"""What a therapist notes."""

from __future__ import annotations

from clinic.shared.fields import FactsForm, lines_field
from clinic.shared.languages import lazy


class NoteForm(FactsForm):
    """One note."""

    text = lines_field(
        lazy("What did you do, and what should the next visit know?"),
        longest=4000,
        rows=6,
        required=lazy("Write what was done."),
        help_text=lazy(
            "Only therapists who treat this client read it. It cannot be changed later, only corrected."
        ),
    )
