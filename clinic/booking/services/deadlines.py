"""What time does to visits: holds run out, waiting visits are released, everybody concerned is told."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import select

from clinic.booking.models import Visit
from clinic.booking.queries import couples
from clinic.booking.queries.judged_by import RULES
from clinic.booking.queries.next_steps import PARTNER
from clinic.booking.queries.visits import IS_OFFERED
from clinic.booking.services._locking import lock_visit
from clinic.booking.services._steps import set_status, tell_client
from clinic.intake import queries as intake
from clinic.rules import booking_policy
from clinic.rules.visit_status import ENDING_AT_A_DEADLINE, VisitStatus
from clinic.shared.audit import leave_trace
from clinic.shared.database import db, transaction, tried_again


def keep_deadlines(now: dt.datetime) -> int:
    """Release what ran out, one visit a transaction; returns how many. Safe to run twice or in two processes.

    A time that is kept for an offer is left to the waitlist, which hands it to the next in line in one step."""
    wanted = select(Visit.id).where(
        Visit.status.in_(tuple(ENDING_AT_A_DEADLINE)), Visit.deadline_at <= now, ~IS_OFFERED
    )
    due = db.session.scalars(wanted.order_by(Visit.deadline_at).limit(200)).all()
    db.session.rollback()
    return sum(_release(visit_id, now) for visit_id in due)


@tried_again
def _release(visit_id: int, now: dt.datetime) -> bool:
    with transaction() as session:
        visit = lock_visit(session, visit_id)
        if visit is None or visit.status not in ENDING_AT_A_DEADLINE:
            return False
        if visit.deadline_at is None or visit.deadline_at > now:
            return False
        if _is_partners_turn(visit, now) or _is_at_the_questions(visit, now):
            return False
        if visit.waiting_for == RULES:
            set_status(session, visit, VisitStatus.CANCELLED, by=None, now=now, reason="new rules")
            tell_client(session, visit, "visit_cannot_go_ahead", now=now)
            leave_trace(session, "visit.cancelled", "visit", visit.id, by=None, now=now, door="rules")
            return True
        was_held = visit.status == VisitStatus.HELD
        set_status(session, visit, VisitStatus.RELEASED, by=None, now=now, reason="deadline passed")
        if not was_held:
            tell_client(session, visit, "visit_released", now=now)
            leave_trace(session, "visit.released", "visit", visit.id, by=None, now=now)
        return True


def _is_at_the_questions(visit: Visit, now: dt.datetime) -> bool:
    """Who answers at this moment loses no time over it: they have as long as somebody who comes to the desk too late
    to sign before the start."""
    if visit.deadline_at is None or visit.client_id is None or visit.waiting_for == RULES:
        return False
    longest = visit.deadline_at + booking_policy.AT_THE_DESK
    return visit.is_waiting and now < longest and intake.is_answering(visit.client_id, now)


def _is_partners_turn(visit: Visit, now: dt.datetime) -> bool:
    """Of a couple the one that something is missing for is given back; the other one then waits for a word, with a
    deadline of its own."""
    partner = couples.partner_of(visit) if visit.waiting_for == PARTNER else None
    return partner is not None and partner.waiting_for != PARTNER and (partner.deadline_at or now) <= now
