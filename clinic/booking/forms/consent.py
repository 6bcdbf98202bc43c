"""A parent's or guardian's consent, typed by them."""

from __future__ import annotations

from typing import Any

from wtforms import BooleanField, Form, RadioField
from wtforms.validators import InputRequired

from clinic.shared.fields import choose, text_field
from clinic.shared.languages import lazy

RELATIONS = (
    ("mother", lazy("Mother")),
    ("father", lazy("Father")),
    ("guardian", lazy("Legal guardian")),
)


class ConsentForm(Form):
    """Only the parent or guardian themselves fills this in."""

    guardian_name = text_field(
        lazy("Your full name"), longest=160, required=lazy("Type your full name: it counts as your signature."),
        autocomplete="name",
    )  # fmt: skip
    relation = RadioField(
        lazy("How are you related to them?"), [InputRequired(lazy("Choose how you are related to them."))]
    )
    in_room = BooleanField(lazy("I will be in the room during the visit."))
    agree = BooleanField(
        lazy("I am a parent or legal guardian, and I agree to this treatment."),
        [
            InputRequired(
                lazy(
                    "Tick this to agree. If you are not a parent or guardian, choose “Ask for consent later”."
                )
            )
        ],
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choose(self.relation, RELATIONS)
