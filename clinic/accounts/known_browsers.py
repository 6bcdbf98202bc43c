"""Which browsers an account was used in, so that a new one is told by mail, and a PIN opens only a known one."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import select
from sqlalchemy.orm import Session

from clinic.accounts.browsers import shown
from clinic.accounts.models import KnownBrowser, User
from clinic.accounts.notices import Notice, tell
from clinic.accounts.queries import hash_of
from clinic.accounts.tries import Origin


def meet_browser(session: Session, user: User, origin: Origin, now: dt.datetime) -> None:
    """Remember the browser that this person signs in with. A mail tells of every one but their first."""
    row = session.get(KnownBrowser, (user.id, hash_of(origin.device)))
    if row is not None:
        row.last_used_at = now
        return
    known = select(KnownBrowser.user_id).where(KnownBrowser.user_id == user.id).limit(1)
    if session.scalar(known) is not None:
        tell(session, Notice.NEW_BROWSER, user, now=now, browser=shown(origin.browser))
    session.add(KnownBrowser(user_id=user.id, mark_hash=hash_of(origin.device), last_used_at=now))


def is_known(session: Session, user_id: int, origin: Origin) -> bool:
    """Whether this person signed in with this browser before."""
    return session.get(KnownBrowser, (user_id, hash_of(origin.device))) is not None
