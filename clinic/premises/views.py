"""The owner's pages about the clinic itself."""

from __future__ import annotations

from clinic.shared.web import Pages

pages = Pages("premises", __name__)
