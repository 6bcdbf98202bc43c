"""The only reader of the clock: everything else takes `now` as a parameter."""

from __future__ import annotations

import datetime as dt


def now() -> dt.datetime:
    """The present moment, aware, in UTC, to the second (what the database keeps)."""
    return dt.datetime.now(dt.UTC).replace(microsecond=0)
