"""The owner's pages about the clinic: settings, its places."""

from __future__ import annotations

from clinic.premises.views import look, places, settings
from clinic.premises.views.blueprint import pages

__all__ = ["look", "pages", "places", "settings"]
