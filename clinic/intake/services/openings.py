"""Opening answers that are closed to who opens them: with a reason, for a while, and known to the owners at once."""

from __future__ import annotations

import datetime as dt

from clinic.accounts.models import User
from clinic.accounts.notices import Notice, tell_owners
from clinic.clients.models import Client
from clinic.intake.models import AnswersOpening
from clinic.intake.queries.openings import opening as open_now
from clinic.rules.errors import InvalidInput, NotFound
from clinic.rules.language import _
from clinic.shared.audit import leave_trace
from clinic.shared.database import transaction, tried_again

LASTS = dt.timedelta(minutes=15)
FEWEST_LETTERS = 10


@tried_again
def open_answers(client_id: int, reason: str, *, by: int, now: dt.datetime) -> None:
    """Open this client's answers to this person for a quarter of an hour. Raises NotFound, or InvalidInput."""
    if len(reason.strip()) < FEWEST_LETTERS:
        raise InvalidInput("reason", _("Write in a few words why it cannot wait."))
    with transaction() as session:
        client = session.get(Client, client_id, with_for_update=True, populate_existing=True)
        user = session.get_one(User, by)
        if client is None or client.merged_into_id is not None or client.is_nameless:
            raise NotFound
        row = AnswersOpening(client_id=client_id, user_id=by, opened_at=now, ends_at=now + LASTS)
        row.reason = reason.strip()
        session.add(row)
        tell_owners(session, Notice.BREAK_GLASS, now=now, who=user.name)
        leave_trace(session, "answers.opened", "client", client_id, by=by, now=now, opening=row.id)


@tried_again
def note_look(client_id: int, *, by: int, now: dt.datetime) -> dt.datetime:
    """Record that somebody reads answers that they opened; returns until when they are open. Raises NotFound when they
    are not, or not any more."""
    with transaction() as session:
        opening = open_now(client_id, by, now)
        if opening is None:
            raise NotFound
        leave_trace(
            session, "answers.read", "client", client_id, by=by, now=now, door="opened", opening=opening.id
        )
        return opening.ends_at
