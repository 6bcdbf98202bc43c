"""Bookings that were begun and given up: what they left is forgotten once nobody can go on with them."""

from __future__ import annotations

import datetime as dt

from clinic.booking.models import Checkout
from clinic.booking.queries import unfinished
from clinic.booking.queries.checkouts import LASTS
from clinic.booking.services._forgetting import forget_guest, forget_if_bare
from clinic.shared.database import db, transaction, tried_again


def forget_unfinished(now: dt.datetime) -> int:
    """Forget what ended, one checkout a transaction; returns how many. Safe to run twice or in two processes."""
    due = unfinished.ended(now)
    db.session.rollback()
    return sum(_forget(checkout_id, now) for checkout_id in due)


@tried_again
def _forget(checkout_id: int, now: dt.datetime) -> bool:
    with transaction() as session:
        checkout = session.get(Checkout, checkout_id, with_for_update=True)
        if checkout is None or checkout.finished_at is not None or checkout.updated_at >= now - LASTS:
            return False
        client_id = checkout.client_id
        forget_guest(session, checkout)
        session.delete(checkout)
        session.flush()
        if client_id is not None:
            forget_if_bare(session, client_id)
        return True
