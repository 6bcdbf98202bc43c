"""Moving and changing visits at the desk: tried first, done then. For a moment it can be taken back."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

from clinic.booking.services._booking import Outcome
from clinic.booking.services._changing import Change, change
from clinic.shared.database import transaction, tried_again

__all__ = ["Change", "change_at_desk", "try_change"]


class _TriedOut(Exception):
    """Ends the transaction of a trial: what came out is known, and nothing of it is kept."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__()
        self.outcome = outcome


@tried_again
def try_change(visit_id: int, wish: Change, *, now: dt.datetime) -> Outcome:
    """What would come of a change: it is done, by the same gate and claims, and undone. Nothing is kept, not even the
    judgement. Raises what `change_at_desk` raises."""
    try:
        with transaction() as session:
            raise _TriedOut(change(session, visit_id, replace(wish, at_desk=True), now=now))
    except _TriedOut as tried:
        return tried.outcome


@tried_again
def change_at_desk(visit_id: int, wish: Change, *, now: dt.datetime) -> Outcome:
    """Move or change a visit, as `visits.change_visit`; for a moment it can be taken back, and nobody is told."""
    with transaction() as session:
        return change(session, visit_id, replace(wish, at_desk=True), now=now)
