"""A PIN, with which somebody of the team takes back a device that they handed to a client.

It opens no door by itself: only a browser that this very person handed over asks for it, and only for as long as their
sign-in with the password would have lasted. Wrong tries are counted in the database, as with passwords.
"""

from __future__ import annotations

import datetime as dt
import re

import structlog
from sqlalchemy import select

from clinic.accounts import passwords, steps, tries
from clinic.accounts.models import User
from clinic.accounts.services.signing_in import admit
from clinic.accounts.tries import Origin
from clinic.rules.errors import InvalidInput, RuleViolation
from clinic.rules.language import N_, _
from clinic.rules.permissions import STAFF
from clinic.rules.session_rules import STAFF_LONGEST
from clinic.shared.audit import leave_trace
from clinic.shared.database import transaction, tried_again

log = structlog.get_logger()

FEWEST_DIGITS, MOST_DIGITS = 6, 12
RUNS = "01234567890 09876543210"


class WrongPin(RuleViolation):
    """Which of wrong, missing or too late it is, is nobody's business but the owner's of the PIN."""

    default_sentence = N_("This PIN does not fit. Check it, or sign in with your e-mail and password.")


def set_pin(user_id: int, password: str, pin: str, *, origin: Origin, now: dt.datetime) -> None:
    """Set one's own PIN, or another one. Raises InvalidInput at `current_password` or `pin`, or TooManyTries."""
    _check_new_pin(pin)
    counted, email, stored = _own_password(user_id, origin, now)
    if not passwords.is_right(stored, password):
        log.warning("pin_change_failed")
        raise InvalidInput("current_password", _("This is not the password you have now."))
    _keep(user_id, passwords.hash_password(pin), counted, origin.of_account(tries.PIN_ACCOUNT, email), now)


def _check_new_pin(pin: str) -> None:
    if not re.fullmatch(rf"[0-9]{{{FEWEST_DIGITS},{MOST_DIGITS}}}", pin, re.ASCII):
        raise InvalidInput(
            "pin",
            _(
                "Choose %(fewest_digits)s to %(most_digits)s digits, and digits only.",
                fewest_digits=FEWEST_DIGITS,
                most_digits=MOST_DIGITS,
            ),
        )
    if len(set(pin)) < 3 or pin in RUNS:
        raise InvalidInput(
            "pin", _("This is too easy to guess. Choose digits that do not simply repeat or count.")
        )


def _own_password(user_id: int, origin: Origin, now: dt.datetime) -> tuple[list[int], str, str | None]:
    with transaction() as session:
        email = session.get_one(User, user_id).email
    counted, _, stored = admit(email, origin, now)
    return counted, email, stored


@tried_again
def _keep(
    user_id: int, pin_hash: str, counted: list[int], wrong_pins: tries.Counted, now: dt.datetime
) -> None:
    with transaction() as session:
        user = session.get_one(User, user_id, with_for_update=True)
        user.pin_hash = pin_hash
        tries.take_back(session, counted)
        tries.forget(session, wrong_pins)
        leave_trace(session, "pin_set", "user", user_id, by=user_id, now=now)


@tried_again
def remove_pin(user_id: int, now: dt.datetime) -> None:
    """Without a PIN only the password takes a device back."""
    with transaction() as session:
        session.get_one(User, user_id, with_for_update=True).pin_hash = None
        leave_trace(session, "pin_removed", "user", user_id, by=user_id, now=now)


def open_by_pin(
    user_id: int, pin: str, *, began_at: dt.datetime, handed_at: dt.datetime, origin: Origin, now: dt.datetime
) -> str:
    """A new session for the person who handed this browser over; returns its key for the cookie.

    `began_at` is when they signed in with their password: the new session ends when that one would have, and with it
    where they were signed out everywhere after they handed the browser over. Raises WrongPin or TooManyTries.
    """
    counted, stored = _count(user_id, origin, now)
    if not passwords.is_right(stored, pin):
        log.warning("pin_failed")
        raise WrongPin
    return _open(user_id, stored, counted, (began_at, handed_at), origin.browser, now)


@tried_again
def _count(user_id: int, origin: Origin, now: dt.datetime) -> tuple[list[int], str | None]:
    with transaction() as session:
        user = session.get_one(User, user_id)
        limits = [origin.of_account(tries.PIN_ACCOUNT, user.email), origin.of_address(tries.PIN_ADDRESS)]
        counted = tries.count(session, limits, now)
        return counted, session.scalar(select(User.pin_hash).where(User.id == user_id, User.is_active))


@tried_again
def _open(
    user_id: int,
    stored: str | None,
    counted: list[int],
    since: tuple[dt.datetime, dt.datetime],
    browser: str,
    now: dt.datetime,
) -> str:
    began_at, handed_at = since
    with transaction() as session:
        user = session.get_one(User, user_id, with_for_update=True)
        is_ended = user.signed_out_at is not None and user.signed_out_at >= handed_at
        is_late = is_ended or now - began_at > STAFF_LONGEST
        if is_late or not user.is_active or user.pin_hash != stored or not user.roles & STAFF:
            raise WrongPin
        tries.take_back(session, counted)
        row, token = steps.add_session(session, user_id, browser, now, factor_at=began_at)
        row.created_at = row.proved_at = began_at
        leave_trace(session, "pin_accepted", "user_session", row.id, by=user_id, now=now)
    return token
