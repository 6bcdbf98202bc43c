"""The account pages. Importing this package declares all of them."""

from __future__ import annotations

from clinic.accounts.views import (
    comfort,
    emails,
    factors,
    links,
    locking,
    mailed_sign_in,
    own,
    proving,
    second_step,
    signing_in,
    team,
)
from clinic.accounts.views.blueprint import pages

__all__ = [
    "comfort",
    "emails",
    "factors",
    "links",
    "locking",
    "mailed_sign_in",
    "own",
    "pages",
    "proving",
    "second_step",
    "signing_in",
    "team",
]
