"""The owner's pages about the rules, to read. Those that change rules try them on visits, and lie in booking."""

from __future__ import annotations

from clinic.rulebook.views import reading
from clinic.rulebook.views.blueprint import pages

__all__ = ["pages", "reading"]
