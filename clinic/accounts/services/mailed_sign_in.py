"""Signing in by a link that was mailed, for clients."""

from __future__ import annotations

import datetime as dt

from clinic.accounts import queries
from clinic.accounts.entering import Entered, enter
from clinic.accounts.services.links import DeadLink, live_link, use_link
from clinic.accounts.tries import Origin
from clinic.rules.permissions import STAFF
from clinic.shared.database import transaction, tried_again


def sign_in_by_link(
    token: str, *, origin: Origin, now: dt.datetime, replaces: int | None, is_demo: bool
) -> Entered:
    """Use the link up and go on as after a right password: an account with a second step is asked for it.

    Raises DeadLink, also for somebody who has joined the team meanwhile, or TooManyTries after many dead links.
    """
    link = live_link(token, {"sign_in"}, origin=origin, now=now)
    return _enter(link, origin, now, replaces=replaces, is_demo=is_demo)


@tried_again
def _enter(
    link: queries.LiveLink, origin: Origin, now: dt.datetime, *, replaces: int | None, is_demo: bool
) -> Entered:
    with transaction() as session:
        user = use_link(session, link, now)
        if user.roles & STAFF:
            raise DeadLink
        return enter(session, user, origin, now, replaces=replaces, is_demo=is_demo)
