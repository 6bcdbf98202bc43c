"""Making and ending keys of programs, and keeping what a repeated request gets again."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import Any

from sqlalchemy import delete
from sqlalchemy.exc import IntegrityError

from clinic.accounts.queries import hash_of
from clinic.accounts.steps import new_token
from clinic.api import queries
from clinic.api.models import ApiAnswer, ApiToken, RequestCount
from clinic.api.queries import KeptAnswer
from clinic.rules.api_scopes import scopes_for
from clinic.rules.errors import InvalidInput, NotFound
from clinic.shared.audit import leave_trace
from clinic.shared.database import transaction, tried_again

KEPT_FOR = dt.timedelta(days=2)
ABANDONED_AFTER = dt.timedelta(minutes=1)
"""A request that has not been answered by then died with its process."""


@tried_again
def make_token(
    name: str,
    role: str,
    scopes: Collection[str],
    *,
    per_minute: int,
    expires_at: dt.datetime | None = None,
    now: dt.datetime,
) -> str:
    """A new key for a program; returned once, kept as a hash. Raises InvalidInput."""
    if not name.strip():
        raise InvalidInput("name", "Say which program the key is for.")
    token = f"clinic_{new_token()}"
    with transaction() as session:
        row = ApiToken(
            name=name.strip(), token_hash=hash_of(token), role=role, scopes=list(scopes_for(role, scopes)),
            per_minute=per_minute, created_at=now, expires_at=expires_at,
        )  # fmt: skip
        session.add(row)
        session.flush()
        leave_trace(session, "token.made", "api_token", row.id, by=None, now=now, role=role)
    return token


@tried_again
def end_token(token_id: int, *, now: dt.datetime) -> None:
    """The key opens nothing from now on. Raises NotFound."""
    with transaction() as session:
        row = session.get(ApiToken, token_id)
        if row is None:
            raise NotFound("There is no such key.")
        row.ended_at = row.ended_at or now
        leave_trace(session, "token.ended", "api_token", row.id, by=None, now=now)


@tried_again
def begin_answer(
    token_id: int, key: str, fingerprint: str, *, begins_anew: bool = False, now: dt.datetime
) -> KeptAnswer | None:
    """Take this key for the request at hand: None, or what an earlier one under the same key left.

    Two at the same moment: one of them begins, the other gets the unanswered row. `begins_anew`: where the earlier one
    was abandoned, this one takes its key over.
    """
    try:
        with transaction() as session:
            there = queries.kept_answer(token_id, key)
            stale = there is not None and there.status is None and there.asked_at < now - ABANDONED_AFTER
            if there is not None and not (stale and begins_anew):
                return queries.plain(there, is_abandoned=stale)
            if there is not None:
                session.delete(there)
                session.flush()
            session.add(
                ApiAnswer(
                    token_id=token_id,
                    key_hash=hash_of(key),
                    fingerprint=fingerprint,
                    status=None,
                    asked_at=now,
                )
            )
            return None
    except IntegrityError:
        return queries.plain(queries.kept_answer(token_id, key))


@tried_again
def end_answer(token_id: int, key: str, status: int, body: Any, *, client_id: int | None = None) -> None:
    """Keep what the request was answered, about this person; a failure of the server is not kept, so that it can be
    tried again. Raises NotFound when the person was erased meanwhile."""
    with transaction() as session:
        row = queries.kept_answer(token_id, key)
        if row is None:
            return
        if status >= 500:
            session.delete(row)
            return
        row.client_id = client_id  # first: its key seals the body
        row.status, row.body = status, body


@tried_again
def keep_answer(
    token_id: int,
    key: str,
    fingerprint: str,
    status: int,
    body: Any,
    *,
    client_id: int | None,
    now: dt.datetime,
) -> KeptAnswer | None:
    """Keep what a request was answered that took no key beforehand, about this person; returns what was kept under this
    key first. Raises NotFound when the person was erased meanwhile."""
    try:
        with transaction() as session:
            row = ApiAnswer(
                token_id=token_id, client_id=client_id, key_hash=hash_of(key), fingerprint=fingerprint,
                status=status, asked_at=now,
            )  # fmt: skip
            row.body = body
            session.add(row)
    except IntegrityError:
        return queries.plain(queries.kept_answer(token_id, key))
    return None


@tried_again
def drop_old_answers(now: dt.datetime) -> None:
    """Forget answers that nobody asks for again, and who was counted; nothing is written where there are none."""
    if not queries.has_answers_before(now - KEPT_FOR) and not queries.has_counted_before(now):
        return
    with transaction() as session:
        session.execute(delete(RequestCount).where(RequestCount.ends_at < now))
        session.execute(delete(ApiAnswer).where(ApiAnswer.asked_at < now - KEPT_FOR))
