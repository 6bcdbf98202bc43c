"""Steps that work inside a caller's transaction: they add and change rows and never commit.

Services of this and of higher features put them together. Pass the session that `transaction()` gave.
"""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Collection

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from clinic.accounts.models import MailedLink, User, UserRole, UserSession
from clinic.accounts.notices import Notice, tell
from clinic.accounts.queries import hash_of
from clinic.rules.contact import email_key
from clinic.rules.errors import InvalidInput
from clinic.rules.language import _
from clinic.rules.permissions import STAFF, Role
from clinic.shared.mail import queue_mail

RESET_LASTS = dt.timedelta(minutes=30)
STAFF_WELCOME_LASTS = dt.timedelta(hours=24)
CLIENT_WELCOME_LASTS = dt.timedelta(days=7)


def new_token() -> str:
    """A key of 256 random bits, for a cookie or a link."""
    return secrets.token_urlsafe(32)


def add_user(session: Session, *, email: str, name: str, roles: Collection[Role], now: dt.datetime) -> User:
    """Add an account without a password. Raises InvalidInput when the e-mail has an account already."""
    key = email_key(email)
    if key is None:
        raise InvalidInput("email", _("Please write the e-mail address."))
    user = User(email=key, name=name.strip(), created_at=now)
    user.role_rows = [UserRole(role=role) for role in sorted(roles)]
    try:
        with session.begin_nested():
            session.add(user)
    except IntegrityError as error:
        raise InvalidInput("email", _("There is already an account with this e-mail address.")) from error
    return user


def user_with_email(session: Session, email: str) -> User | None:
    """The account with this e-mail, switched off or not."""
    return session.scalars(select(User).where(User.email == email_key(email))).one_or_none()


def open_account_for_client(
    session: Session, email: str, name: str, now: dt.datetime
) -> tuple[User, str | None]:
    """The account with that e-mail, made when there is none, and the key of its welcome link.

    The key is for a mail only (`mail_welcome`). It is None when the account was there already, which no page
    may tell to somebody who has not signed in.
    """
    there = user_with_email(session, email)
    if there is not None:
        return there, None
    try:
        user = add_user(session, email=email, name=name, roles=[Role.CLIENT], now=now)
    except InvalidInput:
        there = user_with_email(session, email)  # another request was faster by a moment
        if there is None:
            raise
        return there, None
    return user, new_link(session, user, "welcome", now)


def begin_owner(session: Session, *, email: str, name: str, now: dt.datetime) -> str:
    """Add the first owner; returns the key of the link that sets the password, good for 24 hours."""
    user = add_user(session, email=email, name=name, roles=[Role.OWNER], now=now)
    return new_link(session, user, "welcome", now)


def new_link(session: Session, user: User, purpose: str, now: dt.datetime) -> str:
    """Make a one-time key (`reset` or `welcome`) and end all earlier ones; the key itself is not kept."""
    end_links(session, user.id, now)
    token = new_token()
    lasts = RESET_LASTS if purpose == "reset" else welcome_lasts(user)
    session.add(
        MailedLink(
            user_id=user.id,
            purpose=purpose,
            token_hash=hash_of(token),
            created_at=now,
            expires_at=now + lasts,
        )
    )
    return token


def welcome_lasts(user: User) -> dt.timedelta:
    """How long a welcome link may wait: a day for staff, a week for clients."""
    return STAFF_WELCOME_LASTS if user.roles & STAFF else CLIENT_WELCOME_LASTS


def end_links(session: Session, user_id: int, now: dt.datetime) -> None:
    """No link mailed to this person works any more."""
    session.execute(
        update(MailedLink)
        .where(MailedLink.user_id == user_id, MailedLink.used_at.is_(None))
        .values(used_at=now)
    )


def mail_welcome(session: Session, user: User, token: str, now: dt.datetime) -> None:
    """Queue the mail that carries a welcome link: an invitation for staff, a welcome for clients."""
    is_staff = bool(user.roles & STAFF)
    queue_mail(
        session,
        "invitation" if is_staff else "welcome",
        user.email,
        key=f"welcome-{hash_of(token)}",
        now=now,
        name=user.name,
        token=token,
    )


def add_session(session: Session, user_id: int, browser: str, now: dt.datetime) -> tuple[UserSession, str]:
    """A signed-in browser with a fresh key; returns its row and the key for the cookie."""
    token = new_token()
    row = UserSession(
        user_id=user_id, token_hash=hash_of(token), created_at=now, last_seen_at=now, browser=browser
    )
    session.add(row)
    session.flush()
    return row, token


def end_sessions(session: Session, user_id: int, now: dt.datetime) -> None:
    """Sign this person out everywhere."""
    session.execute(
        update(UserSession)
        .where(UserSession.user_id == user_id, UserSession.ended_at.is_(None))
        .values(ended_at=now)
    )


def store_password(session: Session, user: User, password_hash: str, now: dt.datetime) -> None:
    """Set the password, end every session and every mailed link, and tell the person if they had one before."""
    had_one = user.password_hash is not None
    user.password_hash = password_hash
    end_sessions(session, user.id, now)
    end_links(session, user.id, now)
    if had_one:
        tell(session, Notice.PASSWORD_CHANGED, user, now=now)
