"""The account pages. Importing this package declares all of them."""

from __future__ import annotations

from clinic.accounts.views import comfort, emails, links, locking, own, signing_in, team
from clinic.accounts.views.blueprint import pages

__all__ = ["comfort", "emails", "links", "locking", "own", "pages", "signing_in", "team"]
