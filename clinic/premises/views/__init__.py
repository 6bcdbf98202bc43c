"""The owner's pages about the clinic: its settings and its look."""

from __future__ import annotations

from clinic.premises.views import look, settings
from clinic.premises.views.blueprint import pages

__all__ = ["look", "pages", "settings"]
