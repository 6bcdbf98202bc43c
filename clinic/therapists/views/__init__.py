"""Therapists: the public page, and the owner's pages."""

from __future__ import annotations

from clinic.therapists.views import days, face, own, pairs, people
from clinic.therapists.views.blueprint import pages

__all__ = ["days", "face", "own", "pages", "pairs", "people"]
