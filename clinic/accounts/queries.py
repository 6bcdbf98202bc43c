"""Reading accounts and sessions."""

from __future__ import annotations

import datetime as dt
import hashlib
from typing import Any

from sqlalchemy import select

from clinic.accounts.models import User, UserSession
from clinic.rules.permissions import STAFF
from clinic.shared.database import db

STAFF_LONGEST = dt.timedelta(hours=12)
CLIENT_LONGEST = dt.timedelta(days=30)


def hash_of(token: str) -> str:
    """How a random token is kept: its SHA-256. The tokens have 256 bits, so no salt is needed."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def signed_in(token: str, now: dt.datetime) -> dict[str, Any] | None:
    """The person behind a live session, as plain values; None when it ended, ran out or was switched off."""
    found = db.session.execute(
        select(UserSession, User)
        .join(User)
        .where(UserSession.token_hash == hash_of(token), UserSession.ended_at.is_(None), User.is_active)
    ).one_or_none()
    if found is None:
        return None
    row, user = found
    longest = STAFF_LONGEST if user.roles & STAFF else CLIENT_LONGEST
    if now - row.created_at > longest:
        return None
    return {
        "id": user.id,
        "name": user.name,
        "email": user.email,
        "roles": user.roles,
        "given": user.given,
        "session_id": row.id,
    }
