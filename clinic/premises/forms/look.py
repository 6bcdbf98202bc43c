"""The clinic's look, as an owner chooses it."""

from __future__ import annotations

from wtforms import BooleanField, ColorField

from clinic.rules.colours import LIGHT_ACCENT, LIGHT_BRAND, Theme
from clinic.shared.fields import FactsForm
from clinic.shared.languages import lazy


class LookForm(FactsForm):
    """Two colours; the picture comes beside them. The colours of the house are kept as none of one's own."""

    brand = ColorField(
        lazy("Main colour"),
        default=LIGHT_BRAND,
        description=lazy("Of buttons, links and what is chosen. White words stand on it."),
    )
    accent = ColorField(
        lazy("Second colour"), default=LIGHT_ACCENT, description=lazy("Of small headings and marks.")
    )
    drop_logo = BooleanField(lazy("Take the logo away"), description=lazy("The leaf is shown again."))

    @property
    def theme(self) -> Theme:
        """What was chosen."""
        brand, accent = (self.brand.data or "").lower(), (self.accent.data or "").lower()
        return Theme("" if brand == LIGHT_BRAND else brand, "" if accent == LIGHT_ACCENT else accent)
