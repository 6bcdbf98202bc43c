"""The account pages. Importing this package declares all of them."""

from __future__ import annotations

from clinic.accounts.views import comfort, links, own, signing_in, team
from clinic.accounts.views.blueprint import pages

__all__ = ["comfort", "links", "own", "pages", "signing_in", "team"]
