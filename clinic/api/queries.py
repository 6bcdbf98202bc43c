"""Reading keys of programs and kept answers."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, bindparam, select

from clinic.accounts.queries import hash_of
from clinic.api.models import ApiAnswer, ApiToken, RequestCount
from clinic.shared.database import db
from clinic.shared.statements import rows


@dataclass(frozen=True)
class KeptAnswer:
    """What a request was answered; `status` is None while it is still at work, or when its process died over it."""

    fingerprint: str
    status: int | None
    body: Any
    is_abandoned: bool = False
    """It has had no answer for so long that none will come, and nobody knows whether it was done."""


@dataclass(frozen=True)
class Caller:
    """The program behind a request: plain values, so that no transaction can expire them."""

    token_id: int
    role: str
    scopes: frozenset[str]
    per_minute: int
    earlier: KeptAnswer | None = None
    """What an earlier request under this one's `Idempotency-Key` was answered."""


_TOKEN, _ANSWER = ApiToken.__table__, ApiAnswer.__table__
_SAME = and_(_ANSWER.c.token_id == _TOKEN.c.id, _ANSWER.c.key_hash == bindparam("key"))
_CALLER = (
    select(
        _TOKEN.c.id, _TOKEN.c.role, _TOKEN.c.scopes, _TOKEN.c.per_minute, _TOKEN.c.expires_at,
        _ANSWER.c.id.label("answer"),
    )
    .select_from(_TOKEN.outerjoin(_ANSWER, _SAME))
    .where(_TOKEN.c.token_hash == bindparam("token"), _TOKEN.c.ended_at.is_(None))
)  # fmt: skip


def caller(token: str, now: dt.datetime, *, key: str | None = None) -> Caller | None:
    """Who holds this key; None for an unknown, ended or expired one. `key`: the request's. One statement, and one more
    where an earlier request came under the same key."""
    given = {"token": hash_of(token), "key": hash_of(key) if key else None}
    row = next(iter(rows(_CALLER, given)), None)
    if row is None or (row.expires_at is not None and row.expires_at <= now):
        return None
    earlier = plain(db.session.get(ApiAnswer, row.answer)) if row.answer else None
    return Caller(row.id, row.role, frozenset(row.scopes), row.per_minute, earlier)


def plain(row: ApiAnswer | None, *, is_abandoned: bool = False) -> KeptAnswer | None:
    """The kept answer as plain values."""
    return KeptAnswer(row.fingerprint, row.status, row.body, is_abandoned) if row is not None else None


def tokens() -> Sequence[ApiToken]:
    """Every key, newest first."""
    return db.session.scalars(select(ApiToken).order_by(ApiToken.id.desc())).all()


def kept_answer(token_id: int, key: str) -> ApiAnswer | None:
    """The row of this program's `Idempotency-Key`."""
    return db.session.scalars(
        select(ApiAnswer).where(ApiAnswer.token_id == token_id, ApiAnswer.key_hash == hash_of(key))
    ).one_or_none()


def has_counted_before(moment: dt.datetime) -> bool:
    """Whether a count of requests is kept whose time was over by that moment: it says an address, or an account."""
    return (
        db.session.scalar(select(RequestCount.key).where(RequestCount.ends_at < moment).limit(1)) is not None
    )


def has_answers_before(moment: dt.datetime) -> bool:
    """Whether an answer is kept that was asked for before that moment."""
    return db.session.scalar(select(ApiAnswer.id).where(ApiAnswer.asked_at < moment).limit(1)) is not None
