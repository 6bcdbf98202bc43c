"""A device that staff hand over for one client: who has it, whether it is in use, and when it comes back."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import select

from clinic.accounts import queries as accounts
from clinic.accounts.queries import hash_of
from clinic.accounts.steps import new_token
from clinic.clients.models import Client
from clinic.intake.models import TabletPass
from clinic.rules.errors import NotFound
from clinic.rules.language import _
from clinic.shared.audit import leave_trace
from clinic.shared.database import transaction, tried_again

TABLET_MINUTES = 45
NOTED_EVERY = dt.timedelta(seconds=20)
"""How exactly it is known when it was last used: a write for each page is enough."""


@tried_again
def hand_over_tablet(client_id: int, *, by: int, session_id: int, now: dt.datetime) -> str:
    """A one-time pass for this client's questions on the device with this session; earlier passes of the client end.
    Returns the pass."""
    token = new_token()
    with transaction() as session:
        if session.get(Client, client_id) is None:
            raise NotFound(_("This person is not in the clinic's book."))
        for row in session.scalars(
            select(TabletPass).where(TabletPass.client_id == client_id, TabletPass.ended_at.is_(None))
        ):
            row.ended_at = now
        session.add(
            TabletPass(
                client_id=client_id,
                token_hash=hash_of(token),
                made_at=now,
                made_by_id=by,
                seen_at=now,
                signed_in_at=accounts.session_began_at(session_id),
                expires_at=now + dt.timedelta(minutes=TABLET_MINUTES),
            )
        )
        leave_trace(session, "tablet.handed_over", "client", client_id, by=by, now=now)
    return token


@tried_again
def note_use(pass_id: int, *, now: dt.datetime) -> None:
    """Somebody is at it: it does not lock itself yet."""
    with transaction() as session:
        session.get_one(TabletPass, pass_id).seen_at = now


@tried_again
def lock_tablet(pass_id: int, *, now: dt.datetime) -> None:
    """The pass opens nothing any more: signed, given back, left alone, or stopped."""
    with transaction() as session:
        row = session.get_one(TabletPass, pass_id)
        if row.ended_at is None:
            row.ended_at = now
            leave_trace(session, "tablet.locked", "client", row.client_id, by=None, now=now)
