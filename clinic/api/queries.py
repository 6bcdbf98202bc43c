"""Reading keys of programs and kept answers."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, select

from clinic.accounts.queries import hash_of
from clinic.api.models import ApiAnswer, ApiToken
from clinic.shared.database import db


@dataclass(frozen=True)
class KeptAnswer:
    """What a request was answered; `status` is None while it is still at work."""

    fingerprint: str
    status: int | None
    body: Any


@dataclass(frozen=True)
class Caller:
    """The program behind a request: plain values, so that no transaction can expire them."""

    token_id: int
    role: str
    scopes: frozenset[str]
    per_minute: int
    earlier: KeptAnswer | None = None
    """What an earlier request under this one's `Idempotency-Key` was answered."""


def caller(token: str, now: dt.datetime, *, key: str | None = None) -> Caller | None:
    """Who holds this key; None for an unknown, ended or expired one. `key`: the request's. One statement."""
    same = and_(ApiAnswer.token_id == ApiToken.id, ApiAnswer.key_hash == (hash_of(key) if key else None))
    row = db.session.execute(
        select(
            ApiToken.id, ApiToken.role, ApiToken.scopes, ApiToken.per_minute, ApiToken.expires_at, ApiAnswer
        )
        .outerjoin(ApiAnswer, same)
        .where(ApiToken.token_hash == hash_of(token), ApiToken.ended_at.is_(None))
    ).one_or_none()
    if row is None or (row.expires_at is not None and row.expires_at <= now):
        return None
    earlier = plain(row.ApiAnswer)
    return Caller(row.id, row.role, frozenset(row.scopes), row.per_minute, earlier)


def plain(row: ApiAnswer | None) -> KeptAnswer | None:
    """The kept answer as plain values."""
    return KeptAnswer(row.fingerprint, row.status, row.body) if row is not None else None


def tokens() -> Sequence[ApiToken]:
    """Every key, newest first."""
    return db.session.scalars(select(ApiToken).order_by(ApiToken.id.desc())).all()


def kept_answer(token_id: int, key: str) -> ApiAnswer | None:
    """The row of this program's `Idempotency-Key`."""
    return db.session.scalars(
        select(ApiAnswer).where(ApiAnswer.token_id == token_id, ApiAnswer.key_hash == hash_of(key))
    ).one_or_none()


def has_answers_before(moment: dt.datetime) -> bool:
    """Whether an answer is kept that was asked for before that moment."""
    return db.session.scalar(select(ApiAnswer.id).where(ApiAnswer.asked_at < moment).limit(1)) is not None
