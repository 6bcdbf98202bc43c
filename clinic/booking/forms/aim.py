"""What a visit is for, in the words of whoever comes."""

from __future__ import annotations

from wtforms import Form

from clinic.shared.fields import lines_field
from clinic.shared.languages import lazy

LONGEST = 500


class AimForm(Form):
    """One optional field: the therapist reads it before the visit, and nothing judges it."""

    aim = lines_field(
        lazy("What would you like from this visit?"), longest=LONGEST, rows=2,
        help_text=lazy(
            "For example: a loose neck after long days at the desk. Your therapist reads it before you come. Anything "
            "about your health belongs in the health questions: only those are checked."
        ),
    )  # fmt: skip
