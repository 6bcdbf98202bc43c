"""The second step of signing in, and showing again that it is oneself before a deed that matters.

As with passwords the try is counted in a transaction of its own, before anything is looked at, and taken back when it
was right.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from clinic.accounts import entering, factors, passkeys, passwords, queries, steps, tries
from clinic.accounts.factors import Shown
from clinic.accounts.models import HalfSignIn, User, UserSession
from clinic.accounts.notices import Notice, tell, was_told
from clinic.accounts.passkeys import Signed, Site
from clinic.accounts.queries import hash_of
from clinic.accounts.services.signing_in import WrongSignIn, admit
from clinic.accounts.tries import Origin
from clinic.rules.errors import InvalidInput, RuleViolation
from clinic.rules.language import N_, _
from clinic.shared.audit import leave_trace
from clinic.shared.database import transaction, tried_again

log = structlog.get_logger()


class HalfwayOver(RuleViolation):
    """It took too long, or was finished already."""

    default_sentence = N_("That took too long. Please sign in again.")


@tried_again
def challenge_for(user_id: int | None, *, site: Site, origin: Origin, now: dt.datetime) -> tuple[str, str]:
    """Something for a passkey to sign, and what the browser needs for it as JSON. Without a user, any passkey of the
    clinic's. Raises TooManyTries."""
    with transaction() as session:
        tries.count(session, [origin.of_address(tries.PASSKEY_ADDRESS)], now)
        challenge = passkeys.new_challenge(session, now)
        return challenge, passkeys.to_sign(session, user_id, challenge, site)


def finish_sign_in(half: str, shown: Shown, *, origin: Origin, now: dt.datetime) -> str:
    """The second step of the sign-in with this key; returns the key of the new session. Raises HalfwayOver,
    TooManyTries, or WrongCode and WrongPasskey."""
    with transaction() as session:
        user_id = half_sign_in(session, half, now).user_id
    counted = count_try(user_id, shown, origin, now)
    with _wrong_ones_told(user_id, origin, now):
        return _finish(half, shown, counted, origin, now)


@contextmanager
def _wrong_ones_told(user_id: int, origin: Origin, now: dt.datetime) -> Iterator[None]:
    try:
        yield
    except (factors.WrongCode, passkeys.WrongPasskey):
        _tell_of_wrong_ones(user_id, origin, now)
        raise


@tried_again
def _tell_of_wrong_ones(user_id: int, origin: Origin, now: dt.datetime) -> None:
    """Whoever came so far has passed the first step, or is at a browser that is signed in, so its owner learns that
    somebody cannot pass the second one: when as many were wrong within the hour as there may be at a time, and once in
    an hour."""
    with transaction() as session:
        user = session.get_one(User, user_id, with_for_update=True)
        limit = tries.FACTOR_ACCOUNT
        if was_told(session, Notice.WRONG_SECOND_STEPS, user, since=now - tries.KEPT_FOR):
            return
        if tries.so_far(session, origin.of_account(limit, user.email), now) >= limit.most:
            tell(session, Notice.WRONG_SECOND_STEPS, user, now=now)


@tried_again
def _finish(half: str, shown: Shown, counted: list[int], origin: Origin, now: dt.datetime) -> str:
    with transaction() as session:
        row = half_sign_in(session, half, now)
        user = session.get_one(User, row.user_id, with_for_update=True)
        factors.check(session, user, shown, now)
        tries.take_back(session, counted)
        return whole(session, row, user, origin, now)


def whole(session: Session, row: HalfSignIn, user: User, origin: Origin, now: dt.datetime) -> str:
    """A session in place of a sign-in that was half done; returns its key."""
    session.delete(row)
    session.flush()
    return entering.open_session(session, user, origin, now, replaces=row.replaces_id, factor_at=now)


def half_sign_in(session: Session, half: str, now: dt.datetime) -> HalfSignIn:
    row = session.scalars(
        select(HalfSignIn)
        .join(User, User.id == HalfSignIn.user_id)
        .where(
            HalfSignIn.token_hash == hash_of(half),
            HalfSignIn.made_at >= now - queries.HALF_LASTS,
            User.is_active,
        )
        .with_for_update(of=HalfSignIn)
    ).one_or_none()
    if row is None:
        raise HalfwayOver
    return row


@tried_again
def count_try(user_id: int, shown: Shown, origin: Origin, now: dt.datetime) -> list[int]:
    """Count a try at the second step, and use up the challenge that was signed; returns the rows to take back."""
    with transaction() as session:
        email = session.get_one(User, user_id).email
        limits = [origin.of_account(tries.FACTOR_ACCOUNT, email), origin.of_address(tries.FACTOR_ADDRESS)]
        counted = tries.count(session, limits, now)
        if shown.signed is not None:
            passkeys.use_up(session, shown.signed.challenge, now)
        return counted


def sign_in_by_passkey(
    signed: Signed, *, origin: Origin, now: dt.datetime, replaces: int | None = None
) -> str:
    """A passkey is something one has, opened by something one knows or is: both steps in one. Returns the key of the
    new session. Raises WrongPasskey or TooManyTries."""
    counted = _count_passkey(signed, origin, now)
    return _let_in_by_passkey(signed, counted, origin, replaces, now)


@tried_again
def _count_passkey(signed: Signed, origin: Origin, now: dt.datetime) -> list[int]:
    with transaction() as session:
        counted = tries.count(session, [origin.of_address(tries.PASSKEY_ADDRESS)], now)
        passkeys.use_up(session, signed.challenge, now)
        return counted


@tried_again
def _let_in_by_passkey(
    signed: Signed, counted: list[int], origin: Origin, replaces: int | None, now: dt.datetime
) -> str:
    with transaction() as session:
        user = session.get_one(User, passkeys.owner_of(session, signed), with_for_update=True)
        if not user.is_active:
            raise passkeys.WrongPasskey
        passkeys.check(session, signed, now, user_id=user.id)
        tries.take_back(session, counted)
        return entering.open_session(session, user, origin, now, replaces=replaces, factor_at=now)


def prove_by_password(
    user_id: int, session_id: int, password: str, *, origin: Origin, now: dt.datetime
) -> str:
    """The password again; returns the new key of this session. Raises InvalidInput at `password`, or TooManyTries."""
    with transaction() as session:
        email = session.get_one(User, user_id).email
    counted, _who, stored = admit(email, origin, now)
    if not passwords.is_right(stored, password):
        log.warning("proof_failed")
        raise InvalidInput("password", _("This is not your password."))
    return _renew(user_id, session_id, None, counted, now)


def prove_by_factor(user_id: int, session_id: int, shown: Shown, *, origin: Origin, now: dt.datetime) -> str:
    """The second step again; returns the new key of this session. Raises WrongCode, WrongPasskey or TooManyTries."""
    counted = count_try(user_id, shown, origin, now)
    with _wrong_ones_told(user_id, origin, now):
        return _renew(user_id, session_id, shown, counted, now)


@tried_again
def _renew(user_id: int, session_id: int, shown: Shown | None, counted: list[int], now: dt.datetime) -> str:
    with transaction() as session:
        user = session.get_one(User, user_id, with_for_update=True)
        row = session.get_one(UserSession, session_id, with_for_update=True)
        if row.ended_at is not None or row.user_id != user_id:  # signed out meanwhile
            raise WrongSignIn
        if shown is not None:
            factors.check(session, user, shown, now)
        tries.take_back(session, counted)
        leave_trace(session, "proved_again", "user_session", row.id, by=user_id, now=now)
        return steps.renew_session(session, row, now, by_factor=shown is not None)
