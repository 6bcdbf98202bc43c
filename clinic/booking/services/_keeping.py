"""Steps inside a transaction: how many times one account or one address keeps at once."""

from __future__ import annotations

import datetime as dt

from sqlalchemy.orm import Session

from clinic.accounts.tries import one_at_a_time
from clinic.booking.models import Checkout
from clinic.booking.queries import checkouts
from clinic.rules.booking_policy import MOST_KEPT, MOST_KEPT_AT_ADDRESS
from clinic.rules.errors import TooManyKept


def keep_for(
    session: Session, checkout: Checkout, keeper: str, *, has_account: bool, now: dt.datetime
) -> None:
    """Note whose this checkout is, before it keeps a time. An empty `keeper` is a program of the clinic's own, and not
    counted. Raises TooManyKept."""
    checkout.keeper_hash = keeper
    if not keeper:
        return
    one_at_a_time(session, [keeper])
    most = MOST_KEPT if has_account else MOST_KEPT_AT_ADDRESS
    if checkouts.count_kept_by(keeper, now) >= most:
        raise TooManyKept()
