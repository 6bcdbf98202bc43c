"""Whoever has just written sees it: for a while such a program reads the database itself, never a copy."""

from __future__ import annotations

from flask import Response, request

from clinic.api.doors import auth, caller, limiter
from clinic.shared import replica

SECONDS = 30
"""Longer than a copy may be behind (clinic/shared/replica.py)."""


def note_write(response: Response) -> Response:
    """After a request: this program has written. Known to all hosts that count together."""
    if request.method == "POST" and auth.current_user is not None and replica.is_set_up():
        limiter().storage.incr(_key(), SECONDS)
    return response


def has_just_written() -> bool:
    """Whether the program behind this request wrote within the last so many seconds."""
    return replica.is_set_up() and limiter().storage.get(_key()) > 0


def _key() -> str:
    return f"wrote/{caller().token_id}"
