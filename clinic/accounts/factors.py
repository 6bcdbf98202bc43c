"""The second step of an account: its authenticator app, passkeys and recovery codes.

Like steps.py these work inside a caller's transaction and never commit.
"""

from __future__ import annotations

import datetime as dt
import hmac
import secrets
from dataclasses import dataclass

import pyotp
from sqlalchemy import delete, exists, func, or_, select, update
from sqlalchemy.orm import Session

from clinic.accounts import passkeys
from clinic.accounts.models import Authenticator, Passkey, RecoveryCode, User
from clinic.accounts.notices import Notice, tell
from clinic.accounts.passkeys import Signed
from clinic.accounts.queries import hash_of
from clinic.rules.errors import RuleViolation
from clinic.rules.language import N_

SECONDS = 30  # how long an authenticator app shows a code
HOW_MANY_CODES = 10
LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # none that looks like another: 31 of them
GROUPS, GROUP = 6, 4  # 24 letters of these are 118 bits: no slow hash is needed to keep them


class WrongCode(RuleViolation):
    """Which of wrong, used or too old it is, is nobody's business."""

    default_sentence = N_("This does not fit, or was used before. Wait for the next code, then try again.")


@dataclass(frozen=True)
class Shown:
    """What somebody shows as their second step: a code of their app, a recovery code, or what a passkey signed."""

    code: str = ""
    signed: Signed | None = None


def has_factor(session: Session, user_id: int) -> bool:
    """Whether the account has a second step."""
    app = exists().where(Authenticator.user_id == user_id, Authenticator.confirmed_at.is_not(None))
    return bool(session.scalar(select(or_(app, exists().where(Passkey.user_id == user_id)))))


def check(session: Session, user: User, shown: Shown, now: dt.datetime) -> None:
    """Take what was shown, so that it never serves again. The row of the user is locked. Raises WrongCode."""
    code = "".join(char for char in shown.code.casefold() if char.isalnum())
    if shown.signed is not None:
        passkeys.check(session, shown.signed, now, user_id=user.id)
    elif not (_takes_code(session, user.id, code, now) or _takes_recovery_code(session, user, code, now)):
        raise WrongCode


def _takes_code(session: Session, user_id: int, code: str, now: dt.datetime) -> bool:
    row = session.scalars(
        select(Authenticator).where(Authenticator.user_id == user_id, Authenticator.confirmed_at.is_not(None))
    ).one_or_none()
    return row is not None and takes(row, code, now)


def takes(row: Authenticator, code: str, now: dt.datetime) -> bool:
    """Whether it is the code of this moment or the one before, and newer than the last one that was taken."""
    app, current = pyotp.TOTP(row.secret, interval=SECONDS), int(now.timestamp()) // SECONDS
    for step in (current, current - 1):
        if step > row.last_step and hmac.compare_digest(app.generate_otp(step).encode(), code.encode()):
            row.last_step = step
            return True
    return False


def _takes_recovery_code(session: Session, user: User, code: str, now: dt.datetime) -> bool:
    used = session.scalar(
        update(RecoveryCode)
        .where(
            RecoveryCode.user_id == user.id,
            RecoveryCode.code_hash == hash_of(code),
            RecoveryCode.used_at.is_(None),
        )
        .values(used_at=now)
        .returning(RecoveryCode.id)
    )
    if used is None:
        return False
    tell(session, Notice.RECOVERY_CODE_USED, user, now=now, left=codes_left(session, user.id))
    return True


def codes_left(session: Session, user_id: int) -> int:
    """How many recovery codes still work."""
    unused = select(func.count()).where(RecoveryCode.user_id == user_id, RecoveryCode.used_at.is_(None))
    return session.scalar(unused) or 0


def new_codes(session: Session, user_id: int) -> tuple[str, ...]:
    """Ten recovery codes in place of all earlier ones. They are shown once and kept hashed."""
    session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user_id))
    codes = tuple(
        "".join(secrets.choice(LETTERS) for _ in range(GROUPS * GROUP)) for _ in range(HOW_MANY_CODES)
    )
    session.add_all(RecoveryCode(user_id=user_id, code_hash=hash_of(code)) for code in codes)
    return tuple("-".join(code[at : at + GROUP] for at in range(0, len(code), GROUP)) for code in codes)


def drop_all(session: Session, user_id: int) -> None:
    """The account has no second step any more."""
    for table in (Authenticator, Passkey, RecoveryCode):
        session.execute(delete(table).where(table.user_id == user_id))
