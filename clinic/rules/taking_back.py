"""A slip at the desk can be taken back for a moment. Until then nobody is told."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from clinic.rules.errors import TooLate
from clinic.rules.language import _

SHOWN_SECONDS: Final = 10
"""How long the page offers it."""

TIME_TO_TAKE_BACK: Final = timedelta(seconds=SHOWN_SECONDS + 2)
"""How long it is possible: a press in the last of the ten seconds is still on its way for a moment."""


def check_in_time(until: datetime, *, now: datetime) -> None:
    """Raise TooLate once the moment has passed: by then people are being told."""
    if now >= until:
        raise TooLate(_("It is too late to undo this. Change the visit again instead; the client is told."))
