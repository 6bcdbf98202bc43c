"""What a client books at once, more than one visit: how often, or with whom."""

from __future__ import annotations

from wtforms import Form, RadioField
from wtforms.validators import InputRequired

from clinic.rules.series import MOST_VISITS
from clinic.shared.fields import WholeNumberField

EVERY = {"1": "Every week", "2": "Every second week", "3": "Every third week", "4": "Every fourth week"}


class OwnSeriesForm(Form):
    """How often, and how many visits: the first one is the time that is kept."""

    every = RadioField(
        "How often?", choices=EVERY, default="1", validators=[InputRequired("Choose how often.")]
    )
    count = WholeNumberField(
        "How many visits?", default=4, validators=[InputRequired("Say how many visits.")],
        description=f"2 to {MOST_VISITS}, the first one included.", render_kw={"inputmode": "numeric"},
    )  # fmt: skip
