"""The clinic's look, as an owner chooses it."""

from __future__ import annotations

from wtforms import BooleanField, ColorField

from clinic.rules.colours import LIGHT_ACCENT, LIGHT_BRAND, Theme
from clinic.shared.fields import FactsForm


class LookForm(FactsForm):
    """Two colours; the picture comes beside them. The colours of the house are kept as none of one's own."""

    brand = ColorField(
        "Main colour",
        default=LIGHT_BRAND,
        description="Of buttons, links and what is chosen. White words stand on it.",
    )
    accent = ColorField("Second colour", default=LIGHT_ACCENT, description="Of small headings and marks.")
    drop_logo = BooleanField("Take the logo away", description="The leaf is shown again.")

    @property
    def theme(self) -> Theme:
        """What was chosen."""
        brand, accent = (self.brand.data or "").lower(), (self.accent.data or "").lower()
        return Theme("" if brand == LIGHT_BRAND else brand, "" if accent == LIGHT_ACCENT else accent)
