"""Pages: read input, call a query or a service, answer."""

from __future__ import annotations

from clinic.intake.views import desk, letters, openings, reviews, tablet
from clinic.intake.views.blueprint import pages

__all__ = ["desk", "letters", "openings", "pages", "reviews", "tablet"]
