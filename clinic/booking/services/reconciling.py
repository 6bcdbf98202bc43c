"""New rules, an edited service, other settings: coming visits that were judged by something older are judged again.

A visit that is refused now is suspended at once and keeps its time; it is cancelled, and the client told, when
somebody with clinical review has confirmed that, or 24 hours before it at the latest. One client a transaction;
every step may run twice, and in two processes.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable

import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from clinic.booking.models import Visit
from clinic.booking.queries import judged_by
from clinic.booking.queries.judged_by import JUDGED_AGAIN, RULES
from clinic.booking.services._judging import Judged, wait_for_answers
from clinic.booking.services._locking import lock_visit
from clinic.booking.services._steps import set_status, wait_for_staff
from clinic.booking.services.judging import follow, judge_with_addons
from clinic.clients.models import Client
from clinic.premises import queries as premises
from clinic.rules import booking_policy
from clinic.rules.errors import NotFound
from clinic.rules.visit_status import VisitStatus
from clinic.shared.audit import leave_trace
from clinic.shared.crypto import CannotOpen
from clinic.shared.database import db, read_as_one, transaction, tried_again

log = structlog.get_logger()


def judge_out_of_date(now: dt.datetime) -> int:
    """Judge again what was judged by something older; returns how many visits. One that cannot be judged (its
    answers cannot be read) is logged and tried again in the next round: it is judged at the door in any case."""
    if premises.clinic_facts() is None:
        return 0
    read_as_one()  # every coming visit is looked at, every few seconds: together they would take half a kilobyte each
    people = dict.fromkeys(client for client, _visit in judged_by.out_of_date(now))
    db.session.rollback()
    return judge_clients(people, now)


def judge_clients(client_ids: Iterable[int], now: dt.datetime) -> int:
    """The same for these clients alone: whoever made a rule stricter does not wait for the next round."""
    done = 0
    for client_id in client_ids:
        try:
            done += _judge_client(client_id, now)
        except (SQLAlchemyError, CannotOpen, ValueError, NotFound) as error:
            log.warning("visits_not_judged_again", client=client_id, kind=type(error).__name__)
    return done


@tried_again
def _judge_client(client_id: int, now: dt.datetime) -> int:
    with transaction() as session:
        client = session.get_one(Client, client_id)
        wait_for_answers(session, client)  # from here on this is the only one that judges this client
        due = [visit for _client, visit in judged_by.out_of_date(now, client_id)]
        return sum(_judge(session, client, visit_id, now) for visit_id in due)


def _judge(session: Session, client: Client, visit_id: int, now: dt.datetime) -> bool:
    visit = session.get(Visit, visit_id, with_for_update=True, populate_existing=True)
    if visit is None or visit.status not in JUDGED_AGAIN:
        return False
    judged = judge_with_addons(session, visit, client, door="rules", by=None, now=now)
    deadline = booking_policy.unsafe_deadline(visit.starts_at, premises.booking_settings())
    if judged.refuses and not booking_policy.is_past(deadline, now=now):
        _suspend(session, visit, judged, deadline, now=now)
    else:
        follow(session, visit, judged, by=None, now=now)
    return True


def _suspend(
    session: Session, visit: Visit, judged: Judged, deadline: dt.datetime, *, now: dt.datetime
) -> None:
    """Refused by the rules of today: no visit takes place on it, and nobody is told before staff have seen it."""
    if judged.row is None:
        raise LookupError("a judgement that was not kept")
    visit.permits = None
    if visit.status in (VisitStatus.CONFIRMED, VisitStatus.ARRIVED):
        set_status(session, visit, VisitStatus.SUSPENDED, by=None, now=now, reason="new rules")
    wait_for_staff(session, visit, judged.row, deadline)
    leave_trace(session, "visit.judged", "visit", visit.id, by=None, now=now, outcome="refused", door="rules")


def confirm_cancellations(visit_ids: Collection[int], *, by: int, now: dt.datetime) -> int:
    """Staff have seen that these visits are not safe under the new rules: cancel them and tell the clients.

    Each is judged once more: one that is safe again is kept. Returns how many were cancelled; done twice, the
    second time cancels nothing.
    """
    return sum(_cancel(visit_id, by=by, now=now) for visit_id in visit_ids)


@tried_again
def _cancel(visit_id: int, *, by: int, now: dt.datetime) -> bool:
    with transaction() as session:
        visit = lock_visit(session, visit_id)
        if visit is None or visit.waiting_for != RULES or visit.status not in JUDGED_AGAIN:
            return False
        client = session.get_one(Client, visit.client_id)
        judged = judge_with_addons(session, visit, client, door="rules", by=by, now=now)
        follow(session, visit, judged, by=by, now=now)
        return bool(visit.status == VisitStatus.CANCELLED)
