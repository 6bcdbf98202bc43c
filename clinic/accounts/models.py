"""People who sign in."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import BigInteger, ForeignKey, Index, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column, relationship

from clinic.rules.permissions import GIVEN_BY_NAME, Permission, Role, may
from clinic.shared.crypto import Sealed, SealedRow
from clinic.shared.database import NEVER_TWICE, Base


class User(Base):
    """An account. Without a password hash it can only be entered by a mailed link."""

    __tablename__ = "user"
    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(unique=True)  # lower case, as mails are compared
    name: Mapped[str]
    password_hash: Mapped[str | None]
    password_is_short: Mapped[bool] = mapped_column(
        default=False
    )  # too short to be used without a second step
    pin_hash: Mapped[str | None]  # takes a device back that this person handed over, and nothing else
    signed_out_at: Mapped[
        dt.datetime | None
    ]  # everywhere: no PIN takes back a device that was handed over before
    entered_at: Mapped[dt.datetime | None]  # first: None as long as nobody has taken the way that was mailed
    is_active: Mapped[bool] = mapped_column(default=True)
    language: Mapped[str | None]  # of mails to this person; None: nobody has chosen one
    created_at: Mapped[dt.datetime]
    role_rows: Mapped[list[UserRole]] = relationship(cascade="all, delete-orphan", lazy="selectin")
    grant_rows: Mapped[list[UserGrant]] = relationship(cascade="all, delete-orphan", lazy="selectin")

    @property
    def roles(self) -> frozenset[Role]:
        return frozenset(Role(row.role) for row in self.role_rows)

    @property
    def given(self) -> frozenset[Permission]:
        return frozenset(Permission(row.permission) for row in self.grant_rows) & GIVEN_BY_NAME

    def may(self, permission: Permission) -> bool:
        return self.is_active and may(self.roles, permission, self.given)


class UserRole(Base):
    __tablename__ = "user_role"
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"), primary_key=True)
    role: Mapped[str] = mapped_column(primary_key=True)


class UserGrant(Base):
    """A permission given to a person by name (rules/permissions.py says which may be)."""

    __tablename__ = "user_grant"
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"), primary_key=True)
    permission: Mapped[str] = mapped_column(primary_key=True)


class UserSession(Base):
    """One signed-in browser. Ending the row signs it out; the cookie holds a random token, here hashed."""

    __tablename__ = "user_session"
    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"), index=True)
    token_hash: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[dt.datetime]
    last_seen_at: Mapped[dt.datetime]
    ended_at: Mapped[dt.datetime | None]
    locked_at: Mapped[dt.datetime | None]  # the screen was locked by hand, or by the page that nobody touched
    browser: Mapped[str] = mapped_column(default="")
    proved_at: Mapped[dt.datetime]  # when the person last showed by whatever means that it is them
    factor_at: Mapped[dt.datetime | None]  # the same by a second step, which staff cannot do without
    user: Mapped[User] = relationship()


class HalfSignIn(Base):
    """Somebody gave the right password and owes the second step. It opens nothing but that step; its key, here hashed,
    lies in the cookie under another name than that of a session."""

    __tablename__ = "half_sign_in"
    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"), index=True)
    token_hash: Mapped[str] = mapped_column(unique=True)
    made_at: Mapped[dt.datetime]
    replaces_id: Mapped[int | None]  # the session this browser had before


class Authenticator(SealedRow, Base):
    """An app that shows a new code every 30 seconds. It counts once a code of it was given."""

    __tablename__ = "authenticator"
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"), index=True)
    secret_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    made_at: Mapped[dt.datetime]
    confirmed_at: Mapped[dt.datetime | None]
    last_step: Mapped[int] = mapped_column(
        default=0
    )  # of the last code taken: neither it nor an older one is taken
    secret = Sealed()


class Passkey(Base):
    """A key that a device or a password safe keeps; here is its public half only."""

    __tablename__ = "passkey"
    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"), index=True)
    credential_id: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    public_key: Mapped[bytes] = mapped_column(LargeBinary)
    sign_count: Mapped[int] = mapped_column(BigInteger)
    name: Mapped[str]
    made_at: Mapped[dt.datetime]
    used_at: Mapped[dt.datetime | None]
    __table_args__ = NEVER_TWICE


class PasskeyChallenge(Base):
    """What a passkey is to sign, good once and for a few minutes."""

    __tablename__ = "passkey_challenge"
    challenge: Mapped[str] = mapped_column(primary_key=True)
    made_at: Mapped[dt.datetime]


class RecoveryCode(Base):
    """A code that stands for the second step once, when phone and passkeys are away; it has 120 bits, so it is kept as
    its SHA-256."""

    __tablename__ = "recovery_code"
    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"), index=True)
    code_hash: Mapped[str] = mapped_column(unique=True)
    used_at: Mapped[dt.datetime | None]


class KnownBrowser(Base):
    """A browser that this account was used in: it keeps a random mark in a cookie, here hashed."""

    __tablename__ = "known_browser"
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"), primary_key=True)
    mark_hash: Mapped[str] = mapped_column(primary_key=True)
    last_used_at: Mapped[dt.datetime]


class MailedLink(Base):
    """A one-time key sent by mail, stored hashed: to make an account (`welcome`), set a new password (`reset`), sign
    in (`sign_in`), or go by a new e-mail address (`email`)."""

    __tablename__ = "mailed_link"
    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"), index=True)
    purpose: Mapped[str]
    new_email: Mapped[str | None]
    token_hash: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[dt.datetime]
    expires_at: Mapped[dt.datetime]
    used_at: Mapped[dt.datetime | None]


class FailedTry(Base):
    """A wrong password or another counted try, in the database so that every process counts the same."""

    __tablename__ = "failed_try"
    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str]
    who: Mapped[str]  # a keyed hash of the e-mail or the address, never the thing itself
    at: Mapped[dt.datetime]
    __table_args__ = (Index("ix_failed_try_kind_who_at", "kind", "who", "at"),)
