"""Staff record a bad reaction to a treatment."""

from __future__ import annotations

from wtforms import Form

from clinic.rules.errors import InvalidInput
from clinic.shared.fields import date_field, lines_field
from clinic.shared.languages import lazy


class ReactionForm(Form):
    """When it was, and what happened."""

    happened_on = date_field(
        lazy("When did it happen?"), required=lazy("Enter the day on which it happened.")
    )
    what_happened = lines_field(
        lazy("What happened?"), longest=3000, rows=5, required=lazy("Write in a few words what happened."),
        help_text=lazy("Only who treats this client, and clinical review, read this."),
    )  # fmt: skip

    def add_error(self, error: InvalidInput) -> None:
        """Show what the service found wrong at its field."""
        self[error.field].errors = [*self[error.field].errors, error.sentence]
