"""Whether a new record may be somebody in the book for whom something is not safe: then it is not taken for another
person before somebody has decided that.

What is safe is known to folders above this one, so the application factory hands the question in (as docs/adr/0005
does for new answers). Without it no client can be added: a record that nobody compared would be the unsafe failure.
"""

from __future__ import annotations

import datetime as dt
from typing import Protocol

from clinic.clients.models import Client


class IsOpen(Protocol):
    """Whether somebody who looks like this record is stopped, or not safe for every treatment."""

    def __call__(self, client: Client, now: dt.datetime) -> bool: ...


class _Given:
    ask: IsOpen | None = None


def use(ask: IsOpen) -> None:
    """Set by the application factory."""
    _Given.ask = ask


def is_open(client: Client, now: dt.datetime) -> bool:
    """Ask it. Raises RuntimeError when the factory has not set it."""
    if _Given.ask is None:
        raise RuntimeError("clients cannot be added: nobody compares them")
    return _Given.ask(client, now)
