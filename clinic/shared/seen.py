"""Two tabs, one row: a form carries a mark of what it showed, so that a save over a newer change is noticed."""

from __future__ import annotations

import hashlib
import json
from typing import Any


def mark_of(shown: Any) -> str:
    """A short mark of a value, the same for equal values. Anything that has no JSON form counts by its text."""
    text = json.dumps(shown, sort_keys=True, default=str)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()[:20]
