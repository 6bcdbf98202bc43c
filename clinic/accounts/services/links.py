"""Links that are mailed once and set a password."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

import structlog
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from clinic.accounts import passwords, queries, steps, tries
from clinic.accounts.models import MailedLink, User
from clinic.accounts.password_rules import check_new_password, is_short
from clinic.accounts.tries import Origin
from clinic.rules.contact import email_key
from clinic.rules.errors import NotFound, RuleViolation
from clinic.rules.language import N_
from clinic.rules.permissions import STAFF
from clinic.shared.audit import leave_trace
from clinic.shared.database import transaction, tried_again
from clinic.shared.mail import queue_mail

log = structlog.get_logger()

TRACES = {"reset": "password_link_asked", "sign_in": "sign_in_link_asked"}
MAILS = {"reset": "reset", "sign_in": "sign_in_link"}


class DeadLink(RuleViolation):
    """The link was used, replaced by a newer one, is too old, or never was: all of these look the same."""

    default_sentence = N_("This link does not work any more.")


@tried_again
def ask_for_link(email: str, purpose: str = "reset", *, origin: Origin, now: dt.datetime) -> None:
    """Mail a link for a new password, or (`sign_in`, never to the team) one that signs in, when an active account has
    this e-mail.

    The caller cannot tell whether one has: it returns nothing, counts every ask, leaves a trace of each, and
    without an account does the same work for another one and takes it back. Raises TooManyTries.
    """
    key = email_key(email) or ""
    with transaction() as session:
        limits = [origin.of_account(tries.LINK_ACCOUNT, key), origin.of_address(tries.LINK_ADDRESS)]
        tries.count(session, limits, now)
        user, anybody = _whom(session, key)
        if user is not None and purpose == "sign_in" and user.roles & STAFF:
            user = None
        user_id = user.id if user is not None else None
        work = session.begin_nested()
        if anybody is not None:
            _mail_link(session, anybody, purpose, now)
        if user is not None:
            work.commit()
        else:
            work.rollback()
        leave_trace(session, TRACES[purpose], "user", user_id, by=None, now=now)


def _whom(session: Session, email: str) -> tuple[User | None, User | None]:
    """The active account under this e-mail, locked, and the account for which the work is done: that one, or else
    another. As many statements for an e-mail that is known as for one that is not."""
    theirs = select(User.id).where(User.email == email, User.is_active).scalar_subquery()
    one = func.coalesce(theirs, select(func.min(User.id)).scalar_subquery())
    anybody = session.scalars(select(User).where(User.id == one).with_for_update()).one_or_none()
    is_theirs = anybody is not None and anybody.email == email and anybody.is_active
    return anybody if is_theirs else None, anybody  # an erased one has no mail written to


def _mail_link(session: Session, user: User, purpose: str, now: dt.datetime) -> None:
    token = steps.new_link(session, user, purpose, now)
    queue_mail(
        session,
        MAILS[purpose],
        user.email,
        key=f"{purpose}:{user.id}:{queries.hash_of(token)}",
        now=now,
        language=user.language,
        name=user.name,
        token=token,
    )
    session.flush()


def send_welcome_link(user_id: int, now: dt.datetime, by: int | None = None) -> None:
    """Mail a new welcome link; earlier links end. Raises NotFound for an account that is switched off."""
    with transaction() as session:
        user = session.get(User, user_id, with_for_update=True)
        if user is None or not user.is_active:
            raise NotFound
        steps.mail_welcome(session, user, steps.new_link(session, user, "welcome", now), now)
        leave_trace(session, "welcome_link_sent", "user", user_id, by=by, now=now)


def set_password_by_link(
    token: str, password: str, *, clinic_name: str, origin: Origin, now: dt.datetime
) -> None:
    """Set the password of the account that the link was mailed to, and sign out everywhere.

    Raises DeadLink, InvalidInput for `password`, or TooManyTries after many dead links.
    """
    link = live_link(token, queries.PASSWORD_LINKS, origin=origin, now=now)
    check_new_password(
        password, has_second_step=link.has_second_step, email=link.email, clinic_name=clinic_name
    )
    _set_password(link, passwords.hash_password(password), is_short(password), now)


def live_link(token: str, purposes: Collection[str], *, origin: Origin, now: dt.datetime) -> queries.LiveLink:
    """The link with this key. Raises DeadLink, or TooManyTries after many dead ones."""
    link = queries.live_link(token, now, purposes)
    if link is None:
        _count_dead_link(origin, now)
        raise DeadLink
    return link


@tried_again
def _count_dead_link(origin: Origin, now: dt.datetime) -> None:
    log.warning("dead_link_used")
    with transaction() as session:
        tries.count(session, [origin.of_address(tries.DEAD_LINK_ADDRESS)], now)


def use_link(session: Session, link: queries.LiveLink, now: dt.datetime) -> User:
    """Use the link up, once; returns the account, locked. Raises DeadLink when somebody was faster by a moment."""
    user = session.get_one(User, link.user_id, with_for_update=True)
    row = session.get(MailedLink, link.id, with_for_update=True)
    if row is None or row.used_at is not None or not user.is_active:
        raise DeadLink
    row.used_at = now
    return user


@tried_again
def _set_password(link: queries.LiveLink, password_hash: str, is_short: bool, now: dt.datetime) -> None:
    with transaction() as session:
        user = use_link(session, link, now)
        steps.store_password(session, user, password_hash, now, is_short=is_short)
        leave_trace(
            session, "password_set_by_link", "user", user.id, by=user.id, now=now, purpose=link.purpose
        )
