"""New answers, a birthday, a merge: every future visit of the client is judged again."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from sqlalchemy.orm import Session

from clinic.booking.models import Visit
from clinic.booking.queries import visits
from clinic.booking.services._judging import Judged, judge, local_day, wait_for_answers
from clinic.booking.services._steps import (
    order_of,
    plan_of,
    plan_without,
    rest_on,
    set_status,
    tell_client,
    wait_for,
)
from clinic.clients import queries as clients
from clinic.clients.models import Client
from clinic.premises import queries as premises
from clinic.rules.visit_status import VisitStatus
from clinic.shared.audit import leave_trace


def judge_after_new_answers(session: Session, client_id: int, *, by: int | None, now: dt.datetime) -> None:
    """Judge every future visit of this client again, and those of unproven records that look like them: but what
    somebody not signed in typed touches nobody else's visits.

    Handed to the intake feature by the application factory: it runs in the transaction of the new answers.
    """
    session.flush()
    client = clients.client(client_id)
    if client is None:
        return
    wait_for_answers(session, client)
    judge_visits_of(session, client, door="answers", by=by, now=now)
    if not client.is_unproven:
        judge_unproven(session, clients.look_alikes(client), door="answers", by=by, now=now)


def judge_unproven(
    session: Session, look_alikes: Iterable[Client], *, door: str, by: int | None, now: dt.datetime
) -> None:
    """Judge the coming visits of those look-alikes who are unproven: what counts for them has changed too."""
    for one in {one.id: one for one in look_alikes if one.is_unproven}.values():
        judge_visits_of(session, one, door=door, by=by, now=now)


def judge_visits_of(session: Session, client: Client, *, door: str, by: int | None, now: dt.datetime) -> None:
    """Judge what lies ahead, today included; what has begun is left to the therapist."""
    place = premises.clinic_facts()
    today = local_day(now, place.zone) if place else now.date()
    for visit in visits.visits_ahead(client.id, today):
        if visit.status != VisitStatus.HELD:  # a hold is judged when it is confirmed
            judge_visit_again(session, visit, client, door=door, by=by, now=now)


def judge_visit_again(
    session: Session, visit: Visit, client: Client, *, door: str, by: int | None, now: dt.datetime
) -> None:
    """Judge one visit and do what follows: keep, confirm, suspend with its time held, or cancel."""
    judged = judge_with_addons(session, visit, client, door=door, by=by, now=now)
    follow(session, visit, judged, by=by, now=now)


def judge_with_addons(
    session: Session, visit: Visit, client: Client, *, door: str, by: int | None, now: dt.datetime
) -> Judged:
    """Judge one visit; an add-on that is not safe any more is taken off, and the client is told."""
    plan = plan_of(visit)
    judged = judge(session, client, order_of(visit, plan), door=door, visit_id=visit.id, by=by, now=now)
    if judged.unsafe_addons and judged.permits:
        less = plan_without(visit, plan, judged.unsafe_addons)
        visit.addons, visit.price = sorted(less.addons), visit.price - (plan.price - less.price)
        visit.revision += 1
        plan = less
        judged = judge(session, client, order_of(visit, plan), door=door, visit_id=visit.id, by=by, now=now)
        tell_client(session, visit, "visit_changed", now=now)
    return judged


def follow(session: Session, visit: Visit, judged: Judged, *, by: int | None, now: dt.datetime) -> None:
    """Do what the judgement says with a visit that is pending, suspended, confirmed or arrived."""
    status = VisitStatus(visit.status)
    if judged.permits and judged.row is not None:
        was_waiting = status in (VisitStatus.PENDING, VisitStatus.SUSPENDED)
        rest_on(visit, judged.row)
        if was_waiting:
            set_status(session, visit, VisitStatus.CONFIRMED, by=by, now=now, reason="judged again")
            tell_client(session, visit, "visit_confirmed_now", now=now)
    elif judged.refuses:
        visit.permits = None
        set_status(session, visit, VisitStatus.CANCELLED, by=by, now=now, reason="judged again")
        tell_client(session, visit, "visit_cannot_go_ahead", now=now)
    elif status in (VisitStatus.CONFIRMED, VisitStatus.ARRIVED):
        visit.permits = None
        set_status(session, visit, VisitStatus.SUSPENDED, by=by, now=now, reason="judged again")
        visit.deadline_at = None
        wait_for(session, visit, judged, now=now)
        tell_client(session, visit, "visit_on_hold", now=now)
    else:
        wait_for(session, visit, judged, now=now)
    leave_trace(session, "visit.judged", "visit", visit.id, by=by, now=now, outcome=_fact(judged))


def _fact(judged: Judged) -> str:
    """The outcome as a neutral word for the audit."""
    if judged.permits:
        return "permitted"
    return "refused" if judged.refuses else "waiting"


__all__ = [
    "follow",
    "judge_after_new_answers",
    "judge_unproven",
    "judge_visit_again",
    "judge_visits_of",
    "judge_with_addons",
]
