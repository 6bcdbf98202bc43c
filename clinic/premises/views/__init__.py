"""The owner's pages about the clinic: settings, places with their hours, rooms, devices."""

from __future__ import annotations

from clinic.premises.views import kit, look, places, settings
from clinic.premises.views.blueprint import pages

__all__ = ["kit", "look", "pages", "places", "settings"]
