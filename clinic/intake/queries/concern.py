"""Whose answers and letters somebody with clinical review may open: given by name, everybody's; with the role of a
therapist, those of whom something waits to be decided, and of those whom they treat.

Visits lie in a folder above this one, so the application factory hands in what they say (docs/adr/0005). Without it
nobody but those given by name opens what is decided.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from sqlalchemy import exists, or_, select

from clinic.clients import queries as clients
from clinic.intake.models import ClearanceLetter, HealthStop
from clinic.intake.queries import open_stops, softened_to_review
from clinic.intake.queries.clearances import who_sent_letters
from clinic.premises import queries as premises
from clinic.shared.database import db

SaysVisit = Callable[[int, int, dt.datetime], bool]
"""Account, client, now → whether that account's therapist treats them, or a visit of theirs waits for such a look."""


class _Given:
    ask: SaysVisit = staticmethod(lambda _user, _client, _now: False)


def use(ask: SaysVisit) -> None:
    """Set by the application factory."""
    _Given.ask = staticmethod(ask)


def concerns(user_id: int, client_id: int, now: dt.datetime) -> bool:
    """Whether this client's answers and letters concern a therapist with this account: who has decided about a letter
    or a warning sign of theirs can look at it again, and withdraw what they checked, as long as they could read the
    answers after a visit. Later that is for those given by name."""
    since = now - dt.timedelta(days=premises.clinic().treated_days_back)
    theirs = set(clients.all_ids(client_id))
    waits = {one.client_id for one in open_stops()} | {one.client_id for one in softened_to_review()}
    decided = or_(
        exists().where(
            ClearanceLetter.client_id.in_(theirs),
            ClearanceLetter.decided_by_id == user_id,
            ClearanceLetter.decided_at > since,
        ),
        exists().where(
            HealthStop.client_id.in_(theirs), HealthStop.ended_by_id == user_id, HealthStop.ended_at > since
        ),
    )
    return (
        not theirs.isdisjoint(waits | who_sent_letters(theirs))
        or bool(db.session.scalar(select(decided)))
        or _Given.ask(user_id, client_id, now)
    )
