"""Keys of programs that use the JSON API, and the answers that a repeated request gets again."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from clinic.shared.crypto import Sealed, SealedRow
from clinic.shared.database import NEVER_TWICE, Base


class ApiToken(Base):
    """One program's key: kept as a hash, with a role and the scopes it may use of that role's."""

    __tablename__ = "api_token"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    token_hash: Mapped[str] = mapped_column(unique=True)
    role: Mapped[str]
    scopes: Mapped[list[str]]
    per_minute: Mapped[int]  # requests; 0 is no limit
    created_at: Mapped[dt.datetime]
    expires_at: Mapped[dt.datetime | None]
    ended_at: Mapped[dt.datetime | None]
    __table_args__ = (CheckConstraint("per_minute >= 0", name="per_minute"), NEVER_TWICE)


class RequestCount(Base):
    """How many requests were counted under a key until it ends: for hosts that count together."""

    __tablename__ = "request_count"
    key: Mapped[str] = mapped_column(primary_key=True)
    count: Mapped[int]
    ends_at: Mapped[dt.datetime]


class ApiAnswer(SealedRow, Base):
    """What a request with an `Idempotency-Key` was answered, so that its repetition does nothing a second time.

    `status` is None while the first one is at work. `fingerprint` tells another request under the same key apart.
    """

    __tablename__ = "api_answer"
    token_id: Mapped[int] = mapped_column(ForeignKey("api_token.id"))
    key_hash: Mapped[str]
    fingerprint: Mapped[str]
    status: Mapped[int | None]
    asked_at: Mapped[dt.datetime] = mapped_column(index=True)
    client_id: Mapped[int | None] = mapped_column(ForeignKey("client.id"), index=True)
    """Whom the answer is about: it is sealed for them, and erased with them."""
    body_sealed: Mapped[bytes | None]
    body = Sealed()
    __table_args__ = (UniqueConstraint("token_id", "key_hash"),)
