"""The client's pages, put together: importing this module declares their routes."""

from __future__ import annotations

from clinic.booking.views import (
    book_couple,
    book_series,
    checkout,
    consent,
    health,
    letters,
    own,
    own_phone,
    own_series,
    result,
    times,
    visit_health,
    visit_link,
    waitlist,
)

__all__ = [
    "book_couple",
    "book_series",
    "checkout",
    "consent",
    "health",
    "letters",
    "own",
    "own_phone",
    "own_series",
    "result",
    "times",
    "visit_health",
    "visit_link",
    "waitlist",
]
