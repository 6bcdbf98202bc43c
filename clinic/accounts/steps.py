"""Steps that work inside a caller's transaction: they add and change rows and never commit.

Services of this and of higher features put them together. Pass the session that `transaction()` gave.
"""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Collection

from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from clinic.accounts.models import HalfSignIn, MailedLink, User, UserRole, UserSession
from clinic.accounts.notices import Notice, tell
from clinic.accounts.queries import PASSWORD_LINKS, hash_of
from clinic.rules.contact import email_key
from clinic.rules.errors import InvalidInput, RuleViolation
from clinic.rules.language import N_, _
from clinic.rules.permissions import STAFF, Role
from clinic.shared.mail import queue_mail

LINK_LASTS = {
    "reset": dt.timedelta(minutes=30),
    "sign_in": dt.timedelta(minutes=20),
    "email": dt.timedelta(minutes=30),
}
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


def user_with_email(session: Session, email: str, *, is_locked: bool = False) -> User | None:
    """The account with this e-mail, switched off or not; `is_locked`: nobody changes or erases it before the commit."""
    asked = select(User).where(User.email == email_key(email))
    return session.scalars(asked.with_for_update() if is_locked else asked).one_or_none()


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


def new_link(
    session: Session, user: User, purpose: str, now: dt.datetime, *, new_email: str | None = None
) -> str:
    """Make a one-time key for this purpose and end earlier ones that open the same; the key itself is not kept."""
    end_links(session, user.id, now, PASSWORD_LINKS if purpose in PASSWORD_LINKS else {purpose})
    token = new_token()
    lasts = welcome_lasts(user) if purpose == "welcome" else LINK_LASTS[purpose]
    session.add(
        MailedLink(
            user_id=user.id,
            purpose=purpose,
            new_email=new_email,
            token_hash=hash_of(token),
            created_at=now,
            expires_at=now + lasts,
        )
    )
    return token


def welcome_lasts(user: User) -> dt.timedelta:
    """How long a welcome link may wait: a day for staff, a week for clients."""
    return STAFF_WELCOME_LASTS if user.roles & STAFF else CLIENT_WELCOME_LASTS


def end_links(
    session: Session,
    user_id: int,
    now: dt.datetime,
    purposes: Collection[str] = LINK_LASTS.keys() | {"welcome"},
) -> None:
    """No link mailed to this person for one of these purposes works any more."""
    session.execute(
        update(MailedLink)
        .where(MailedLink.user_id == user_id, MailedLink.purpose.in_(purposes), MailedLink.used_at.is_(None))
        .values(used_at=now)
    )


def mail_welcome(
    session: Session, user: User, token: str, now: dt.datetime, *, clinic: str = "", phone: str = ""
) -> None:
    """Queue the mail that carries a welcome link: an invitation for staff, a welcome for clients. `clinic`: its name,
    with its phone, where the caller knows them."""
    is_staff = bool(user.roles & STAFF)
    queue_mail(
        session,
        "invitation" if is_staff else "welcome",
        user.email,
        key=f"welcome:{user.id}:{hash_of(token)}",
        now=now,
        language=user.language,
        name=user.name,
        token=token,
        clinic=clinic,
        phone=phone,
    )


def add_session(
    session: Session, user_id: int, browser: str, now: dt.datetime, *, factor_at: dt.datetime | None = None
) -> tuple[UserSession, str]:
    """A signed-in browser with a fresh key; returns its row and the key for the cookie.

    `factor_at` is when the second step was done: without it nobody of the team gets anywhere.
    """
    token = new_token()
    user = session.get_one(User, user_id)
    user.entered_at = user.entered_at or now
    row = UserSession(
        user_id=user_id, token_hash=hash_of(token), created_at=now, last_seen_at=now, browser=browser,
        proved_at=now, factor_at=factor_at,
    )  # fmt: skip
    session.add(row)
    session.flush()
    return row, token


class SignedOut(RuleViolation):
    """The session in which this was asked for has ended since."""

    default_sentence = N_("You were signed out elsewhere just now.")


def own_account(session: Session, user_id: int, session_id: int) -> User:
    """The account of who asks, locked, to change how it is signed in to. Raises SignedOut where its sessions were ended
    while this waited: else a way in would outlast the new password that was to shut it."""
    user = session.get_one(User, user_id, with_for_update=True, populate_existing=True)
    row = session.get(UserSession, session_id, with_for_update=True, populate_existing=True)
    if not user.is_active or row is None or row.ended_at is not None or row.user_id != user_id:
        raise SignedOut()
    return user


def renew_session(session: Session, row: UserSession, now: dt.datetime, *, by_factor: bool) -> str:
    """The person showed again that it is them: the session gets a new key, and the one before opens nothing."""
    token = new_token()
    row.token_hash, row.proved_at = hash_of(token), now
    row.factor_at = now if by_factor else row.factor_at
    session.flush()
    return token


def end_sessions(session: Session, user_id: int, now: dt.datetime, *, but: int | None = None) -> None:
    """Sign this person out everywhere, or everywhere but in one session; of the devices that they handed over, too. A
    change of the e-mail that waits for its link was asked for in one of them: whoever it was would take the account."""
    end_links(session, user_id, now, {"email"})
    session.execute(update(User).where(User.id == user_id).values(signed_out_at=now))
    session.execute(delete(HalfSignIn).where(HalfSignIn.user_id == user_id))
    session.execute(
        update(UserSession)
        .where(
            UserSession.user_id == user_id,
            UserSession.ended_at.is_(None),
            UserSession.id.is_distinct_from(but),
        )
        .values(ended_at=now)
    )


def store_password(
    session: Session, user: User, password_hash: str, now: dt.datetime, *, is_short: bool
) -> None:
    """Set the password, end every session and every mailed link, and tell the person if they had one before.

    `is_short`: it is long enough beside a second step only.
    """
    had_one = user.password_hash is not None
    user.password_hash, user.password_is_short = password_hash, is_short
    end_sessions(session, user.id, now)
    end_links(session, user.id, now)
    if had_one:
        tell(session, Notice.PASSWORD_CHANGED, user, now=now)
