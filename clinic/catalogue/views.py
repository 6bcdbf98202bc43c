"""Public pages about the services."""

from __future__ import annotations

from clinic.shared.web import Pages

pages = Pages("catalogue", __name__)
