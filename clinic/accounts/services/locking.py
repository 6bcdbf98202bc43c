"""A screen that nobody of the team sits at locks itself, and opens again where it was."""

from __future__ import annotations

import datetime as dt

import structlog

from clinic.accounts import passwords, tries
from clinic.accounts.known_browsers import is_known
from clinic.accounts.models import User, UserSession
from clinic.accounts.tries import Origin
from clinic.rules.errors import InvalidInput
from clinic.rules.language import _
from clinic.shared.audit import leave_trace
from clinic.shared.database import transaction, tried_again

log = structlog.get_logger()


@tried_again
def lock_screen(session_id: int, now: dt.datetime) -> None:
    """Nothing opens in this browser until the PIN or password is typed; a locked one stays locked."""
    with transaction() as session:
        row = session.get_one(UserSession, session_id)
        row.locked_at = row.locked_at or now


def reopen_screen(user_id: int, session_id: int, proof: str, *, origin: Origin, now: dt.datetime) -> None:
    """Open the locked screen with the password, or with the PIN in a browser that this person signed in with before.

    Raises InvalidInput for `proof`, or TooManyTries, counted as wrong PINs are: fewer than at the sign-in.
    """
    counted, fitting = _count(user_id, origin, now)
    if not any(passwords.is_right(stored, proof) for stored in fitting):
        log.warning("screen_not_reopened")
        raise InvalidInput("proof", _("This does not fit. Check it, or sign out and sign in again."))
    _open(user_id, session_id, counted, now)


@tried_again
def _count(user_id: int, origin: Origin, now: dt.datetime) -> tuple[list[int], list[str | None]]:
    with transaction() as session:
        user = session.get_one(User, user_id)
        limits = [origin.of_account(tries.PIN_ACCOUNT, user.email), origin.of_address(tries.PIN_ADDRESS)]
        pin = user.pin_hash if is_known(session, user_id, origin) else None
        return tries.count(session, limits, now), [pin, user.password_hash]


@tried_again
def _open(user_id: int, session_id: int, counted: list[int], now: dt.datetime) -> None:
    with transaction() as session:
        row = session.get_one(UserSession, session_id, with_for_update=True)
        row.locked_at, row.last_seen_at = None, now
        tries.take_back(session, counted)
        leave_trace(session, "screen_reopened", "user_session", session_id, by=user_id, now=now)
