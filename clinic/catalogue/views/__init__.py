"""The public pages about the services, and the owner's pages of the catalogue."""

from __future__ import annotations

from clinic.catalogue.views import addons, public, services
from clinic.catalogue.views.blueprint import pages

__all__ = ["addons", "pages", "public", "services"]
