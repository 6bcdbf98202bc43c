"""The pages of this feature."""

from __future__ import annotations

from clinic.shared.web import Pages

pages = Pages("clients", __name__)
