"""Therapists: the public page and the owner's."""

from __future__ import annotations

from clinic.shared.web import Pages

pages = Pages("therapists", __name__)
