"""From a right password, or a mailed link, to a session: at once, or by way of the second step.

Like steps.py these work inside a caller's transaction and never commit.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import delete
from sqlalchemy.orm import Session

from clinic.accounts import factors, steps
from clinic.accounts.known_browsers import meet_browser
from clinic.accounts.models import HalfSignIn, User, UserSession
from clinic.accounts.queries import HALF_LASTS, hash_of
from clinic.accounts.tries import Origin
from clinic.rules.proofs import needs_second_step
from clinic.shared.audit import leave_trace


@dataclass(frozen=True)
class Entered:
    """The key for the cookie: of a session, or of a sign-in that owes its second step."""

    token: str
    is_whole: bool


def enter(
    session: Session, user: User, origin: Origin, now: dt.datetime, *, replaces: int | None, is_demo: bool
) -> Entered:
    """The first step is done: the password was right, or the link that was mailed. `replaces` is the session that this
    browser had before. In the demo alone staff without a second step get in."""
    owes = needs_second_step(user.roles, user.given) and not is_demo
    if not owes and not factors.has_factor(session, user.id):
        return Entered(open_session(session, user, origin, now, replaces=replaces), is_whole=True)
    token = steps.new_token()
    session.execute(delete(HalfSignIn).where(HalfSignIn.made_at < now - HALF_LASTS))
    session.add(HalfSignIn(user_id=user.id, token_hash=hash_of(token), made_at=now, replaces_id=replaces))
    return Entered(token, is_whole=False)


def open_session(
    session: Session,
    user: User,
    origin: Origin,
    now: dt.datetime,
    *,
    replaces: int | None,
    factor_at: dt.datetime | None = None,
) -> str:
    """Everything is shown that this account asks for; returns the key for the cookie."""
    before = session.get(UserSession, replaces) if replaces is not None else None
    if before is not None and before.ended_at is None:
        before.ended_at = now
    meet_browser(session, user, origin, now)
    row, token = steps.add_session(session, user.id, origin.browser, now, factor_at=factor_at)
    leave_trace(session, "signed_in", "user_session", row.id, by=user.id, now=now)
    return token
