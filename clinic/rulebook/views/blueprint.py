"""The pages object that the views of this folder hang on."""

from __future__ import annotations

from clinic.shared.web import Pages

pages = Pages("rulebook", __name__)
