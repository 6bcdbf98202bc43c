"""Who signs for a young person: a parent or guardian, and the young person agrees too."""

from __future__ import annotations

from typing import Any

from wtforms import BooleanField, Form, RadioField
from wtforms.validators import InputRequired

from clinic.intake.services.intakes import Signature
from clinic.shared.fields import choose, text_field
from clinic.shared.languages import lazy

RELATIONS = (
    ("mother", lazy("Mother")),
    ("father", lazy("Father")),
    ("guardian", lazy("Legal guardian")),
)


class YoungPersonForm(Form):
    """What is asked besides the signature of everybody under age, wherever health answers are signed."""

    guardian_relation = RadioField(
        lazy("How is the person who signs related to the young person?"),
        [InputRequired(lazy("A parent or guardian has to sign. Choose which of the two it is."))],
    )
    young_person = BooleanField(
        lazy("The young person agrees too"), [InputRequired(lazy("The young person has to agree too."))]
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choose(self.guardian_relation, RELATIONS)

    def signature(self, name: str, points: list[Any] | None = None) -> Signature:
        """What was typed; call it on a valid form only."""
        return Signature(
            name,
            self.guardian_relation.data or "",
            points,
            young_person_agrees=bool(self.young_person.data),
        )


class GuardianSignsForm(YoungPersonForm):
    """The same where nothing else asks for a name."""

    guardian_name = text_field(
        lazy("Full name of the parent or guardian"), longest=160,
        required=lazy("Type the full name of the parent or guardian: it counts as the signature."),
        autocomplete="name",
    )  # fmt: skip
