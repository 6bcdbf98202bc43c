"""Therapists: the public page, and the owner's pages."""

from __future__ import annotations

from clinic.therapists.views import days, hours, pairs, people
from clinic.therapists.views.blueprint import pages

__all__ = ["days", "hours", "pages", "pairs", "people"]
