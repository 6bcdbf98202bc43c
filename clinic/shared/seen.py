"""Two tabs, one row: a form carries a mark of what it showed, so that a save over a newer change is noticed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any

from sqlalchemy.orm import Session

from clinic.rules.errors import ChangedMeanwhile
from clinic.shared.locks import lock_row


def mark_of(shown: Any) -> str:
    """A short mark of a value, the same for equal values. Anything that has no JSON form counts by its text."""
    text = json.dumps(shown, sort_keys=True, default=str)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()[:20]


def check_seen(session: Session, row: Any, shown: Callable[[], Any], seen: str) -> None:
    """Raise ChangedMeanwhile where `shown` has another mark by now. The row is locked first: of two who save at one
    moment the second sees what the first has written."""
    lock_row(session, row)
    if mark_of(shown()) != seen:
        raise ChangedMeanwhile
