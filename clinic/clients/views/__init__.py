"""Pages: read input, call a query or a service, answer."""

from __future__ import annotations

from clinic.clients.views import people
from clinic.clients.views.blueprint import pages

__all__ = ["pages", "people"]
