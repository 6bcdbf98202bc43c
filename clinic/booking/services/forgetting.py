"""Bookings that were begun and given up: what they left is forgotten once nobody can go on with them, and once no visit
that stands or waits rests on what was said there (`_forgetting`). Whoever was known before is known again then."""

from __future__ import annotations

import datetime as dt

from clinic.booking.models import Checkout, OpenQuestion
from clinic.booking.queries import open_questions, unfinished
from clinic.booking.queries.checkouts import LASTS
from clinic.booking.services._forgetting import forget_guest, forget_if_bare
from clinic.booking.services._known_again import know_again, may_be_known_again
from clinic.booking.services.judging import judge_visits_of
from clinic.clients import queries as clients
from clinic.clients.steps import who_stands
from clinic.shared.database import db, transaction, tried_again


def forget_unfinished(now: dt.datetime) -> int:
    """Forget what ended, one checkout a transaction; returns how many. Safe to run twice or in two processes."""
    due = unfinished.ended(now)
    db.session.rollback()
    _forget_answered(now)
    done = sum(_forget(checkout_id, now) for checkout_id in due)
    for client_id in clients.known_before():
        _know_again(client_id, now)
    return done


@tried_again
def _know_again(client_id: int, now: dt.datetime) -> None:
    """Looked at first: for most of them nothing is decided for weeks, and nobody is kept waiting for that."""
    found = clients.client(client_id)
    is_due = found is not None and may_be_known_again(found)
    db.session.rollback()
    if not is_due:
        return
    with transaction() as session:
        client = who_stands(session, client_id)
        if client is not None and know_again(session, client):
            judge_visits_of(session, client, door="known again", by=None, now=now)


@tried_again
def _forget_answered(now: dt.datetime) -> None:
    """Of visits that are over: what waited for them concerns nothing any more."""
    with transaction() as session:
        for visit_id, client_id in open_questions.over(now):
            session.delete(session.get_one(OpenQuestion, (visit_id, client_id)))
            session.flush()
            forget_if_bare(session, client_id)


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
