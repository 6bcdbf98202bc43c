"""Setting up the second step, changing it, and taking it away."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import pyotp
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from clinic.accounts import factors, passkeys, steps, tries
from clinic.accounts.models import Authenticator, Passkey, RecoveryCode, User, UserSession
from clinic.accounts.notices import Notice, tell
from clinic.accounts.passkeys import Signed, Site
from clinic.accounts.services.second_step import HalfwayOver, half_sign_in, whole
from clinic.accounts.tries import Origin
from clinic.rules.errors import NotFound, RuleViolation
from clinic.rules.language import N_, _
from clinic.rules.permissions import STAFF
from clinic.rules.proofs import needs_second_step
from clinic.shared.audit import leave_trace
from clinic.shared.database import transaction, tried_again


class LastFactor(RuleViolation):
    """Without it this account would be open to a password alone."""

    default_sentence = N_("This is your last second step. Add another one first, then take this one away.")


class ShortPassword(LastFactor):
    """The password is long enough beside a second step only."""

    default_sentence = N_(
        "Your password is too short to be used alone. Choose one of at least 15 characters first."
    )


@dataclass(frozen=True)
class AtScreen:
    """Who sets up a second step: somebody signed in, or halfway in because a first one is still missing."""

    user_id: int
    session_id: int | None = None
    half: str | None = None


@dataclass(frozen=True)
class Added:
    """The new key for the cookie, and with the first second step the recovery codes, to be shown now and never more."""

    token: str
    codes: tuple[str, ...] = ()


@tried_again
def begin_app(user_id: int, now: dt.datetime) -> None:
    """Make the secret for an authenticator app; what counted before goes on counting until a code of it was given."""
    with transaction() as session:
        session.get_one(User, user_id, with_for_update=True)
        _drop_app(session, user_id, is_confirmed=False)
        session.add(Authenticator(user_id=user_id, secret=pyotp.random_base32(), made_at=now))


@tried_again
def confirm_app(who: AtScreen, code: str, *, origin: Origin, now: dt.datetime) -> Added:
    """A code of the new app shows that it works: from now on it counts. Raises WrongCode, HalfwayOver or SignedOut."""
    with transaction() as session:
        user = _account_of(session, who)
        row = session.scalars(
            select(Authenticator).where(
                Authenticator.user_id == user.id, Authenticator.confirmed_at.is_(None)
            )
        ).one_or_none()
        if row is None or not factors.takes(row, code.replace(" ", ""), now):
            raise factors.WrongCode(_("This is not the code that your app shows now. Wait for the next one."))
        had_one = factors.has_factor(session, user.id)
        _drop_app(session, user.id, is_confirmed=True)
        row.confirmed_at = now
        return _added(
            session, user, who, origin, now, had_one=had_one, what=N_("An authenticator app was added")
        )


@tried_again
def passkey_to_make(user_id: int, *, site: Site, now: dt.datetime) -> tuple[str, str]:
    """A challenge, and what the browser needs to make a passkey as JSON."""
    with transaction() as session:
        challenge = passkeys.new_challenge(session, now)
        return challenge, passkeys.to_make(session, session.get_one(User, user_id), challenge, site)


def add_passkey(who: AtScreen, signed: Signed, name: str, *, origin: Origin, now: dt.datetime) -> Added:
    """Keep a passkey that a browser made. Raises WrongPasskey, HalfwayOver or SignedOut."""
    with transaction() as session:
        passkeys.use_up(session, signed.challenge, now)
    return _add_passkey(who, signed, name, origin, now)


@tried_again
def _add_passkey(who: AtScreen, signed: Signed, name: str, origin: Origin, now: dt.datetime) -> Added:
    with transaction() as session:
        user = _account_of(session, who)
        had_one = factors.has_factor(session, user.id)
        passkeys.add(session, user.id, signed, name, now)
        return _added(session, user, who, origin, now, had_one=had_one, what=N_("A passkey was added"))


def _account_of(session: Session, who: AtScreen) -> User:
    if who.session_id is not None:
        return steps.own_account(session, who.user_id, who.session_id)
    return session.get_one(User, who.user_id, with_for_update=True)


def _added(
    session: Session, user: User, who: AtScreen, origin: Origin, now: dt.datetime, *, had_one: bool, what: str
) -> Added:
    """The first second step makes recovery codes, and signs out every browser that got in without one."""
    codes: tuple[str, ...] = ()
    if not had_one:
        codes = factors.new_codes(session, user.id)
        session.execute(
            update(UserSession)
            .where(UserSession.user_id == user.id, UserSession.id != who.session_id)
            .where(UserSession.ended_at.is_(None))
            .values(ended_at=now)
        )
    tell(session, Notice.FACTOR_CHANGED, user, now=now, what=_(what))
    leave_trace(session, "factor_added", "user", user.id, by=user.id, now=now, what=what)
    if who.session_id is not None:
        row = session.get_one(UserSession, who.session_id, with_for_update=True)
        return Added(steps.renew_session(session, row, now, by_factor=True), codes)
    if had_one:  # halfway in: only a first one may be set up with a password alone
        raise HalfwayOver
    return Added(whole(session, half_sign_in(session, who.half or "", now), user, origin, now), codes)


@tried_again
def remove_app(user_id: int, session_id: int, now: dt.datetime) -> None:
    """The app's codes count no more. Raises LastFactor, or SignedOut."""
    with transaction() as session:
        user = steps.own_account(session, user_id, session_id)
        _drop_app(session, user_id, is_confirmed=True)
        _removed(session, user, N_("An authenticator app was taken away"), now)


@tried_again
def rename_passkey(user_id: int, passkey_id: int, name: str, now: dt.datetime) -> None:
    """Its owner calls it by another name. Raises NotFound."""
    with transaction() as session:
        own = update(Passkey).where(Passkey.id == passkey_id, Passkey.user_id == user_id).values(name=name)
        if session.scalar(own.returning(Passkey.id)) is None:
            raise NotFound
        leave_trace(session, "passkey_renamed", "user", user_id, by=user_id, now=now)


@tried_again
def remove_passkey(user_id: int, session_id: int, passkey_id: int, now: dt.datetime) -> None:
    """This passkey opens nothing any more. Raises NotFound, LastFactor or SignedOut."""
    with transaction() as session:
        user = steps.own_account(session, user_id, session_id)
        gone = delete(Passkey).where(Passkey.id == passkey_id, Passkey.user_id == user_id)
        if session.scalar(gone.returning(Passkey.id)) is None:
            raise NotFound
        _removed(session, user, N_("A passkey was taken away"), now)


def _removed(session: Session, user: User, what: str, now: dt.datetime) -> None:
    if not factors.has_factor(session, user.id):
        if needs_second_step(user.roles, user.given):
            raise LastFactor
        if user.password_is_short:
            raise ShortPassword
        session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user.id))
    tell(session, Notice.FACTOR_CHANGED, user, now=now, what=_(what))
    leave_trace(session, "factor_removed", "user", user.id, by=user.id, now=now, what=what)


def _drop_app(session: Session, user_id: int, *, is_confirmed: bool) -> None:
    counts = Authenticator.confirmed_at.is_not(None)
    session.execute(
        delete(Authenticator).where(Authenticator.user_id == user_id, counts if is_confirmed else ~counts)
    )


@tried_again
def renew_codes(user_id: int, session_id: int, now: dt.datetime) -> tuple[str, ...]:
    """Ten new recovery codes; the earlier ones work no more. Raises NotFound without a second step, or SignedOut."""
    with transaction() as session:
        user = steps.own_account(session, user_id, session_id)
        if not factors.has_factor(session, user_id):
            raise NotFound
        codes = factors.new_codes(session, user_id)
        tell(session, Notice.FACTOR_CHANGED, user, now=now, what=_("New recovery codes were made"))
        leave_trace(session, "recovery_codes_made", "user", user_id, by=user_id, now=now)
        return codes


@tried_again
def reset_factors(user_id: int, *, by: int, now: dt.datetime) -> None:
    """Somebody of the team has lost phone and codes: they set up a new second step at their next sign-in. Raises
    NotFound."""
    with transaction() as session:
        user = session.get(User, user_id, with_for_update=True)
        if user is None or not user.roles & STAFF:
            raise NotFound
        take_away_all(session, user, by=by, now=now)


def take_away_all(session: Session, user: User, *, by: int | None, now: dt.datetime) -> None:
    """No second step, and nobody signed in."""
    factors.drop_all(session, user.id)
    steps.end_sessions(session, user.id, now)
    tell(
        session,
        Notice.FACTOR_CHANGED,
        user,
        now=now,
        what=_("The second step of your sign-in was taken away"),
    )
    leave_trace(session, "factors_reset", "user", user.id, by=by, now=now)


@tried_again
def unlock(email: str, *, origin: Origin, now: dt.datetime) -> str:
    """From the machine's own command line, for somebody who is locked out: no second step, no waiting, and the key of a
    link that sets a new password. Raises NotFound."""
    with transaction() as session:
        user = steps.user_with_email(session, email)
        if user is None or not user.is_active:
            raise NotFound("No account that is switched on has this e-mail address.")
        take_away_all(session, user, by=None, now=now)
        for limit in (tries.SIGN_IN_ACCOUNT, tries.FACTOR_ACCOUNT):
            tries.forget(session, origin.of_account(limit, user.email))
        return steps.new_link(session, user, "reset", now)
