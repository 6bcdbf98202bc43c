"""Pages: read input, call a query or a service, answer."""

from __future__ import annotations

from clinic.diary.views.blueprint import pages

__all__ = ["pages"]
