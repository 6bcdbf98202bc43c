"""Signing in and out, and changing one's password while signed in.

Checking a password takes two transactions with the slow hash between them: the first counts the try, the
second, after the right password, takes it back and opens the session.
"""

from __future__ import annotations

import datetime as dt

import structlog
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from clinic.accounts import factors, passwords, steps, tries
from clinic.accounts.entering import Entered, enter
from clinic.accounts.models import HalfSignIn, MailedLink, User, UserSession
from clinic.accounts.password_rules import check_new_password, is_short
from clinic.accounts.tries import Origin
from clinic.rules.contact import email_key
from clinic.rules.errors import InvalidInput, NotFound, RuleViolation
from clinic.rules.language import N_, _
from clinic.shared.audit import leave_trace
from clinic.shared.database import transaction, tried_again

log = structlog.get_logger()


class WrongSignIn(RuleViolation):
    """No active account has this e-mail and password. Which of the two is wrong is nobody's business."""

    default_sentence = N_(
        "This e-mail and password do not fit together. Check both, or ask for a new password."
    )


def sign_in(
    email: str,
    password: str,
    *,
    origin: Origin,
    now: dt.datetime,
    replaces: int | None = None,
    is_demo: bool = False,
) -> Entered:
    """Check the password; returns the key of a session, or of a sign-in that owes its second step.

    `replaces` is the session this browser had before: it ends. Raises WrongSignIn, TooManyTries or Crowded, which
    are the same for an account that does not exist.
    """
    if passwords.is_crowded():  # before the try is counted: it is none
        raise tries.Crowded
    key = email_key(email) or ""
    counted, user_id, stored = admit(key, origin, now)
    if not passwords.is_right(stored, password) or user_id is None or stored is None:
        log.warning("sign_in_failed")
        raise WrongSignIn

    @tried_again
    def let_in(better: str | None) -> Entered:
        with transaction() as session:
            user = session.get_one(User, user_id, with_for_update=True)
            if not user.is_active or user.password_hash != stored:  # changed while the password was checked
                raise WrongSignIn
            user.password_hash = better or stored
            tries.take_back(session, counted)
            return enter(session, user, origin, now, replaces=replaces, is_demo=is_demo)

    return let_in(passwords.renewed(stored, password))


@tried_again
def admit(key: str, origin: Origin, now: dt.datetime) -> tuple[list[int], int | None, str | None]:
    """Count the try; returns its rows, and the active account's id and stored password if there is one."""
    with transaction() as session:
        limits = [
            origin.of_account(tries.SIGN_IN_ACCOUNT, key),
            origin.of_address(tries.SIGN_IN_ADDRESS),
        ]
        counted = tries.count(session, limits, now)
        found = session.execute(
            select(User.id, User.password_hash).where(User.email == key, User.is_active)
        ).one_or_none()
        return counted, *(found or (None, None))


@tried_again
def choose_language(user_id: int, language: str) -> None:
    """From now on pages and mails are in this language for this person."""
    with transaction() as session:
        session.get_one(User, user_id).language = language


def end_session(user_id: int, session_id: int, now: dt.datetime) -> None:
    """Sign one browser out. Raises NotFound when it is not this person's; an ended one stays ended."""
    with transaction() as session:
        row = session.get(UserSession, session_id)
        if row is None or row.user_id != user_id:
            raise NotFound
        _end(session, row, now)
        leave_trace(session, "signed_out", "user_session", session_id, by=user_id, now=now)


def end_other_sessions(user_id: int, session_id: int, now: dt.datetime) -> None:
    """Sign this person out in every browser but this one."""
    with transaction() as session:
        steps.end_sessions(session, user_id, now, but=session_id)
        leave_trace(session, "signed_out_elsewhere", "user", user_id, by=user_id, now=now)


@tried_again
def sign_out_everybody(now: dt.datetime) -> None:
    """End every session of everybody, sign-ins that were begun, and links into accounts that wait in mails: after an
    incident, or where a backup was put back in which some of them had not been ended yet."""
    with transaction() as session:
        session.execute(update(User).values(signed_out_at=now))
        session.execute(delete(HalfSignIn))
        session.execute(update(UserSession).where(UserSession.ended_at.is_(None)).values(ended_at=now))
        session.execute(update(MailedLink).where(MailedLink.used_at.is_(None)).values(used_at=now))
        leave_trace(session, "signed_out_everybody", "user", None, by=None, now=now)


def _end(session: Session, row: UserSession | None, now: dt.datetime) -> None:
    if row is not None and row.ended_at is None:
        row.ended_at = now
        session.flush()


def note_activity(session_id: int, now: dt.datetime) -> None:
    """Keep when a browser was last used."""
    with transaction() as session:
        row = session.get(UserSession, session_id)
        if row is not None:
            row.last_seen_at = now


def change_password(
    user_id: int,
    current: str,
    new: str,
    *,
    session_id: int,
    clinic_name: str,
    origin: Origin,
    now: dt.datetime,
) -> str:
    """Set a new password and sign out everywhere; returns the key of a fresh session for this browser, in which the
    second step counts as it did in the one before.

    Raises InvalidInput for `current_password` or `new_password`, or TooManyTries.
    """
    user_email, has_second_step = _owner_of(user_id)
    check_new_password(
        new, has_second_step=has_second_step, email=user_email, clinic_name=clinic_name, field="new_password"
    )
    if new == current:
        raise InvalidInput("new_password", _("Choose a password that is not the one you have now."))
    counted, _user, stored = admit(user_email, origin, now)
    if not passwords.is_right(stored, current):
        log.warning("password_change_failed")
        raise InvalidInput("current_password", _("This is not the password you have now."))
    new_hash = passwords.hash_password(new)

    @tried_again
    def replace_password() -> str:
        with transaction() as session:
            user = session.get_one(User, user_id, with_for_update=True)
            if not user.is_active or user.password_hash != stored:
                raise InvalidInput("current_password", _("Your password was changed elsewhere just now."))
            before = session.get_one(UserSession, session_id, with_for_update=True)
            if before.ended_at is not None:
                raise InvalidInput("current_password", _(steps.SignedOut.default_sentence))
            tries.take_back(session, counted)
            steps.store_password(session, user, new_hash, now, is_short=is_short(new))
            row, token = steps.add_session(session, user_id, origin.browser, now, factor_at=before.factor_at)
            row.created_at = before.created_at  # it ends when the one before would have
            leave_trace(session, "password_changed", "user", user_id, by=user_id, now=now, session_id=row.id)
        return token

    return replace_password()


def _owner_of(user_id: int) -> tuple[str, bool]:
    with transaction() as session:
        user = session.get_one(User, user_id)
        return user.email, factors.has_factor(session, user_id)
