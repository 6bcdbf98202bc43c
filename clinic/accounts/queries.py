"""Reading accounts, sessions and mailed links."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, and_, func, select

from clinic.accounts.browsers import shown
from clinic.accounts.models import (
    Authenticator,
    HalfSignIn,
    MailedLink,
    Passkey,
    RecoveryCode,
    User,
    UserRole,
    UserSession,
)
from clinic.rules.permissions import STAFF, Permission, Role
from clinic.rules.session_rules import SessionRules
from clinic.shared.database import db

HALF_LASTS = dt.timedelta(minutes=30)  # time enough to set up an app on the phone


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
    has_second_step: bool


PASSWORD_LINKS = frozenset({"welcome", "reset"})
IS_UNENTERED = and_(User.entered_at.is_(None), User.password_hash.is_(None))
"""A mail opened this account, and nobody has taken the way that it carries."""


@dataclass(frozen=True)
class LiveLink:
    """A mailed link that still works, and whose account it is about."""

    id: int
    user_id: int
    purpose: str
    email: str
    new_email: str | None
    has_second_step: bool


def hash_of(token: str) -> str:
    """How a random token is kept: its SHA-256. The tokens have 256 bits, so no salt is needed."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def signed_in(token: str, rules: SessionRules, now: dt.datetime) -> dict[str, Any] | None:
    """The person behind a live session, as plain values; None when it ended, ran out or was switched off."""
    found = db.session.execute(
        select(UserSession, User)
        .join(User)
        .where(UserSession.token_hash == hash_of(token), UserSession.ended_at.is_(None), User.is_active)
    ).one_or_none()
    if found is None:
        return None
    row, user = found
    if now > _ends_at(row, user, rules):
        return None
    left_alone = rules.is_left_alone(user.roles, seen_at=row.last_seen_at, now=now)
    return {
        "id": user.id,
        "name": user.name,
        "email": user.email,
        "language": user.language,
        "roles": user.roles,
        "given": user.given,
        "session_id": row.id,
        "last_seen_at": row.last_seen_at,
        "is_locked": row.locked_at is not None or left_alone,
        "proved_at": row.proved_at,
        "factor_at": row.factor_at,
    }


@dataclass(frozen=True)
class Halfway:
    """Somebody who gave the right password, and has a second step to do or to set up."""

    user_id: int
    name: str
    has_factor: bool


def halfway(token: str, now: dt.datetime) -> Halfway | None:
    """Whose sign-in it is that was begun with this key; None when it is over or never was."""
    found = db.session.execute(
        select(User.id, User.name)
        .join(HalfSignIn, HalfSignIn.user_id == User.id)
        .where(
            HalfSignIn.token_hash == hash_of(token), HalfSignIn.made_at >= now - HALF_LASTS, User.is_active
        )
    ).one_or_none()
    return Halfway(found.id, found.name, bool(with_second_step([found.id]))) if found else None


@dataclass(frozen=True)
class OwnPasskey:
    """A passkey as its owner reads it."""

    id: int
    name: str
    made_at: dt.datetime
    used_at: dt.datetime | None


@dataclass(frozen=True)
class Ways:
    """How an account can show that it is its person."""

    has_password: bool
    has_app: bool
    passkeys: tuple[OwnPasskey, ...]
    codes_left: int

    @property
    def has_factor(self) -> bool:
        return self.has_app or bool(self.passkeys)


def ways_of(user_id: int) -> Ways:
    """The ways of this account, the oldest passkey first."""
    keys = db.session.scalars(select(Passkey).where(Passkey.user_id == user_id).order_by(Passkey.id))
    app = select(Authenticator.id).where(
        Authenticator.user_id == user_id, Authenticator.confirmed_at.is_not(None)
    )
    unused = select(func.count()).where(RecoveryCode.user_id == user_id, RecoveryCode.used_at.is_(None))
    return Ways(
        has_password=db.session.get_one(User, user_id).password_hash is not None,
        has_app=db.session.scalar(app.limit(1)) is not None,
        passkeys=tuple(OwnPasskey(one.id, one.name, one.made_at, one.used_at) for one in keys),
        codes_left=db.session.scalar(unused) or 0,
    )


def app_to_confirm(user_id: int) -> str | None:
    """The secret of an authenticator app that is being set up."""
    row = db.session.scalars(
        select(Authenticator).where(Authenticator.user_id == user_id, Authenticator.confirmed_at.is_(None))
    ).one_or_none()
    return row.secret if row is not None else None


def signed_in_browsers(user_id: int, rules: SessionRules, now: dt.datetime) -> list[SignedInBrowser]:
    """Where this person is signed in, last used first."""
    user = db.session.get_one(User, user_id)
    rows = db.session.scalars(
        select(UserSession)
        .where(UserSession.user_id == user_id, UserSession.ended_at.is_(None))
        .order_by(UserSession.last_seen_at.desc(), UserSession.id.desc())
    )
    return [
        SignedInBrowser(row.id, shown(row.browser), row.created_at, row.last_seen_at)
        for row in rows
        if now <= _ends_at(row, user, rules)
    ]


def _ends_at(row: UserSession, user: User, rules: SessionRules) -> dt.datetime:
    return rules.ends_at(user.roles, began_at=row.created_at, seen_at=row.last_seen_at)


def session_began_at(session_id: int) -> dt.datetime:
    """When the person of this session signed in with their password."""
    return db.session.get_one(UserSession, session_id).created_at


def first_name_and_pin(user_id: int) -> tuple[str, bool]:
    """What to call somebody of the team to whom a device belongs, and whether they have set a PIN."""
    user = db.session.get_one(User, user_id)
    return user.name.split(" ")[0], user.pin_hash is not None


def live_link(token: str, now: dt.datetime, purposes: Collection[str] = PASSWORD_LINKS) -> LiveLink | None:
    """The mailed link with this key, for one of these purposes; None when it was used, replaced, ran out, or never
    was."""
    found = db.session.execute(
        select(MailedLink, User)
        .join(User, MailedLink.user_id == User.id)
        .where(
            MailedLink.token_hash == hash_of(token),
            MailedLink.purpose.in_(purposes),
            MailedLink.used_at.is_(None),
            MailedLink.expires_at >= now,
            User.is_active,
        )
    ).one_or_none()
    if found is None:
        return None
    link, user = found
    has_second_step = bool(with_second_step([user.id]))
    return LiveLink(link.id, user.id, link.purpose, user.email, link.new_email, has_second_step)


def is_over(token_hash: str) -> bool:
    """Whether the mailed link with this hashed key was used, replaced or ended."""
    ended = select(MailedLink.id).where(MailedLink.token_hash == token_hash, MailedLink.used_at.is_not(None))
    return db.session.scalar(ended) is not None


def email_of(user_id: int) -> str:
    """The address that this account signs in with."""
    return db.session.get_one(User, user_id).email


def names_of(user_ids: Collection[int]) -> dict[int, str]:
    """The names of these people by their id, in one statement."""
    rows = db.session.execute(select(User.id, User.name).where(User.id.in_(user_ids)).order_by(User.id))
    return {row.id: row.name for row in rows}


def team() -> list[Member]:
    """Everybody with a staff role, by name; those who are switched off last."""
    rows = db.session.scalars(_team().order_by(User.is_active.desc(), User.name, User.id)).all()
    secured = with_second_step([row.id for row in rows])
    return [_member(row, secured) for row in rows]


def member(user_id: int) -> Member | None:
    """One of the team; None for clients and for nobody."""
    row = db.session.scalars(_team().where(User.id == user_id)).one_or_none()
    return _member(row, with_second_step([user_id])) if row else None


def with_second_step(user_ids: Collection[int]) -> set[int]:
    """Those of these accounts that have a second step."""
    app = select(Authenticator.user_id).where(
        Authenticator.user_id.in_(user_ids), Authenticator.confirmed_at.is_not(None)
    )
    return set(db.session.scalars(app.union(select(Passkey.user_id).where(Passkey.user_id.in_(user_ids)))))


def _team() -> Select[tuple[User]]:
    return select(User).where(User.role_rows.any(UserRole.role.in_(sorted(STAFF))))


def _member(row: User, secured: Collection[int]) -> Member:
    return Member(
        id=row.id,
        name=row.name,
        email=row.email,
        roles=row.roles,
        given=row.given,
        is_active=row.is_active,
        has_password=row.password_hash is not None,
        has_second_step=row.id in secured,
    )
