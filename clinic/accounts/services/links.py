"""Links that are mailed once and set a password."""

from __future__ import annotations

import datetime as dt

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from clinic.accounts import passwords, queries, steps, tries
from clinic.accounts.models import MailedLink, User
from clinic.accounts.password_rules import check_new_password
from clinic.accounts.tries import Origin
from clinic.rules.contact import email_key
from clinic.rules.errors import NotFound, RuleViolation
from clinic.rules.language import N_
from clinic.shared.audit import leave_trace
from clinic.shared.database import transaction, tried_again
from clinic.shared.mail import queue_mail

log = structlog.get_logger()


class DeadLink(RuleViolation):
    """The link was used, replaced by a newer one, is too old, or never was: all of these look the same."""

    default_sentence = N_("This link does not work any more.")


@tried_again
def ask_for_link(email: str, *, origin: Origin, now: dt.datetime) -> None:
    """Mail a link for a new password when an active account has this e-mail.

    The caller cannot tell whether one has: it returns nothing, counts every ask, leaves a trace of each, and
    without an account does the same work for another one and takes it back. Raises TooManyTries.
    """
    key = email_key(email) or ""
    with transaction() as session:
        limits = [origin.of_account(tries.LINK_ACCOUNT, key), origin.of_address(tries.LINK_ADDRESS)]
        tries.count(session, limits, now)
        user = session.scalars(select(User).where(User.email == key, User.is_active)).one_or_none()
        anybody = session.scalars(select(User).order_by(User.id).limit(1)).one_or_none()
        user_id = user.id if user is not None else None
        work = session.begin_nested()
        if anybody is not None:
            _mail_reset(session, user or anybody, now)
        if user is not None:
            work.commit()
        else:
            work.rollback()
        leave_trace(session, "password_link_asked", "user", user_id, by=None, now=now)


def _mail_reset(session: Session, user: User, now: dt.datetime) -> None:
    token = steps.new_link(session, user, "reset", now)
    queue_mail(
        session,
        "reset",
        user.email,
        key=f"reset-{queries.hash_of(token)}",
        now=now,
        name=user.name,
        token=token,
    )
    session.flush()


def send_welcome_link(user_id: int, now: dt.datetime, by: int | None = None) -> None:
    """Mail a new welcome link; earlier links end. Raises NotFound for an account that is switched off."""
    with transaction() as session:
        user = session.get(User, user_id)
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
    link = queries.live_link(token, now)
    if link is None:
        _count_dead_link(origin, now)
        raise DeadLink
    check_new_password(password, is_staff=link.is_staff, email=link.email, clinic_name=clinic_name)
    _use_link(link.id, link.user_id, passwords.hash_password(password), now)


@tried_again
def _count_dead_link(origin: Origin, now: dt.datetime) -> None:
    log.warning("dead_link_used")
    with transaction() as session:
        tries.count(session, [origin.of_address(tries.DEAD_LINK_ADDRESS)], now)


@tried_again
def _use_link(link_id: int, user_id: int, password_hash: str, now: dt.datetime) -> None:
    with transaction() as session:
        user = session.get_one(User, user_id, with_for_update=True)
        link = session.get_one(MailedLink, link_id, with_for_update=True)
        if link.used_at is not None or not user.is_active:  # somebody else was faster by a moment
            raise DeadLink
        steps.store_password(session, user, password_hash, now)
        leave_trace(
            session, "password_set_by_link", "user", user_id, by=user_id, now=now, purpose=link.purpose
        )
