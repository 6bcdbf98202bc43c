"""Reading accounts, sessions and mailed links."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, select

from clinic.accounts.models import MailedLink, User, UserRole, UserSession
from clinic.rules.permissions import STAFF, Permission, Role
from clinic.shared.database import db

STAFF_LONGEST = dt.timedelta(hours=12)
CLIENT_LONGEST = dt.timedelta(days=30)


@dataclass(frozen=True)
class SignedInBrowser:
    """One browser in which a person is signed in now."""

    id: int
    browser: str
    since: dt.datetime
    last_seen_at: dt.datetime


@dataclass(frozen=True)
class Member:
    """Somebody of the clinic's team, switched off or not."""

    id: int
    name: str
    email: str
    roles: frozenset[Role]
    given: frozenset[Permission]
    is_active: bool
    has_password: bool


@dataclass(frozen=True)
class LiveLink:
    """A mailed link that still works, and whose password it sets."""

    id: int
    user_id: int
    purpose: str
    email: str
    is_staff: bool


def hash_of(token: str) -> str:
    """How a random token is kept: its SHA-256. The tokens have 256 bits, so no salt is needed."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def longest_session(roles: Collection[Role]) -> dt.timedelta:
    """How long after signing in a session ends whatever happens."""
    return STAFF_LONGEST if STAFF.intersection(roles) else CLIENT_LONGEST


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
    if now - row.created_at > longest_session(user.roles):
        return None
    return {
        "id": user.id,
        "name": user.name,
        "email": user.email,
        "language": user.language,
        "roles": user.roles,
        "given": user.given,
        "session_id": row.id,
        "last_seen_at": row.last_seen_at,
    }


def signed_in_browsers(user_id: int, now: dt.datetime) -> list[SignedInBrowser]:
    """Where this person is signed in, last used first."""
    user = db.session.get_one(User, user_id)
    rows = db.session.scalars(
        select(UserSession)
        .where(
            UserSession.user_id == user_id,
            UserSession.ended_at.is_(None),
            UserSession.created_at >= now - longest_session(user.roles),
        )
        .order_by(UserSession.last_seen_at.desc(), UserSession.id.desc())
    )
    return [SignedInBrowser(row.id, row.browser, row.created_at, row.last_seen_at) for row in rows]


def session_began_at(session_id: int) -> dt.datetime:
    """When the person of this session signed in with their password."""
    return db.session.get_one(UserSession, session_id).created_at


def first_name_and_pin(user_id: int) -> tuple[str, bool]:
    """What to call somebody of the team to whom a device belongs, and whether they have set a PIN."""
    user = db.session.get_one(User, user_id)
    return user.name.split(" ")[0], user.pin_hash is not None


def live_link(token: str, now: dt.datetime) -> LiveLink | None:
    """The mailed link with this key; None when it was used, replaced, ran out, or never was."""
    found = db.session.execute(
        select(MailedLink, User)
        .join(User, MailedLink.user_id == User.id)
        .where(
            MailedLink.token_hash == hash_of(token),
            MailedLink.used_at.is_(None),
            MailedLink.expires_at >= now,
            User.is_active,
        )
    ).one_or_none()
    if found is None:
        return None
    link, user = found
    return LiveLink(link.id, user.id, link.purpose, user.email, bool(user.roles & STAFF))


def names_of(user_ids: Collection[int]) -> dict[int, str]:
    """The names of these people by their id, in one statement."""
    rows = db.session.execute(select(User.id, User.name).where(User.id.in_(user_ids)).order_by(User.id))
    return {row.id: row.name for row in rows}


def team() -> list[Member]:
    """Everybody with a staff role, by name; those who are switched off last."""
    rows = db.session.scalars(_team().order_by(User.is_active.desc(), User.name, User.id))
    return [_member(row) for row in rows]


def member(user_id: int) -> Member | None:
    """One of the team; None for clients and for nobody."""
    row = db.session.scalars(_team().where(User.id == user_id)).one_or_none()
    return _member(row) if row else None


def _team() -> Select[tuple[User]]:
    return select(User).where(User.role_rows.any(UserRole.role.in_(sorted(STAFF))))


def _member(row: User) -> Member:
    return Member(
        id=row.id,
        name=row.name,
        email=row.email,
        roles=row.roles,
        given=row.given,
        is_active=row.is_active,
        has_password=row.password_hash is not None,
    )
