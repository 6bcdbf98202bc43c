"""Mails that tell somebody what was done with their account, written in the deed's own transaction.

Their texts are templates/mail/notice_<kind>.txt. None of them holds a health word, or a link that signs in.
"""

from __future__ import annotations

import datetime as dt
import secrets
from enum import StrEnum
from typing import Any

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from clinic.accounts.models import User, UserRole
from clinic.rules.permissions import Role
from clinic.shared.mail import OutgoingMail, queue_mail


class Notice(StrEnum):
    """What happened, and what its text asks for beside the name."""

    NEW_BROWSER = "new_browser"  # browser
    PASSWORD_CHANGED = "password_changed"  # noqa: S105 - a kind of mail
    FACTOR_CHANGED = "factor_changed"  # what: "An authenticator app was added", without a full stop
    RECOVERY_CODE_USED = "recovery_code_used"  # left: how many codes still work
    WRONG_SECOND_STEPS = "wrong_second_steps"
    EMAIL_CHANGED = "email_changed"  # new_email; goes to the old address too
    BREAK_GLASS = "break_glass"  # who: the name of whoever read; goes to the owners
    ERASURE_ASKED = "erasure_asked"  # goes to the owners
    ERASURE_RECEIVED = "erasure_received"  # until: the day; goes to whoever asked


def tell(
    session: Session, kind: Notice, user: User, *, now: dt.datetime, to: str | None = None, **values: Any
) -> None:
    """Queue the notice for this person; `to`: another address than their own of now."""
    queue_mail(
        session,
        f"notice_{kind}",
        to or user.email,
        key=f"{_keys_of(kind, user)}{secrets.token_hex(16)}",  # each deed is told, the second one of a minute as well
        now=now,
        language=user.language,
        name=user.name,
        **values,
    )


def was_told(session: Session, kind: Notice, user: User, *, since: dt.datetime) -> bool:
    """Whether this was told them after that moment."""
    told = exists().where(
        OutgoingMail.key.startswith(_keys_of(kind, user), autoescape=True), OutgoingMail.due_at > since
    )
    return bool(session.scalar(select(told)))


def _keys_of(kind: Notice, user: User) -> str:
    return f"notice_{kind}:{user.id}:"


def tell_owners(session: Session, kind: Notice, *, now: dt.datetime, **values: Any) -> None:
    """Queue the notice for everybody who owns the clinic."""
    owners = select(User).where(User.role_rows.any(UserRole.role == Role.OWNER), User.is_active)
    for owner in session.scalars(owners.order_by(User.id)):
        tell(session, kind, owner, now=now, **values)
