"""Pages: read input, call a query or a service, answer."""

from __future__ import annotations

from clinic.diary.views import client_card, desk, find, own_profile, therapist, to_do
from clinic.diary.views.blueprint import pages

__all__ = ["client_card", "desk", "find", "own_profile", "pages", "therapist", "to_do"]
