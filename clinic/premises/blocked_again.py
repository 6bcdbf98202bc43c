"""What must happen with every new room and every change of a place: closures and whole days off claim their times anew.

Claims live in a folder above this one, so the application factory hands the claiming in (docs/adr/0005). Without it
nothing can be saved: a room that no closure claims would be booked while the place is shut.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from sqlalchemy.orm import Session

ClaimAgain = Callable[[Session, int | None, dt.datetime], None]
"""Inside the caller's transaction, for this room; with None, for all who are away for whole days."""


class _Given:
    claim: ClaimAgain | None = None


def use(claim: ClaimAgain) -> None:
    """Set by the application factory."""
    _Given.claim = claim


def block_again(session: Session, room_id: int | None, now: dt.datetime) -> None:
    """Run the claiming. Raises RuntimeError when the factory has not set it."""
    if _Given.claim is None:
        raise RuntimeError("a room or a place cannot be saved: nobody claims what is shut")
    _Given.claim(session, room_id, now)
