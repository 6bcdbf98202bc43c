"""New answers, a birthday, a merge: every future visit of the client is judged again."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence

from sqlalchemy.orm import Session

from clinic.booking.models import StatusChange, Visit
from clinic.booking.queries import couples, visits
from clinic.booking.queries.next_steps import ANOTHER_THERAPIST, PARTNER, RECONFIRM
from clinic.booking.queries.visits import plan_of
from clinic.booking.services._deciding import has_to_reconfirm, keep_or_find_skilled
from clinic.booking.services._judging import Judged, judge, wait_for_answers
from clinic.booking.services._steps import (
    WITH_THE_OTHER,
    order_of,
    plan_without,
    rest_on,
    say_it_stands,
    set_status,
    tell_client,
    wait_for,
)
from clinic.catalogue.queries import VisitPlan
from clinic.clients import queries as clients
from clinic.clients.models import Client
from clinic.intake import queries as intake
from clinic.rules.visit_status import VisitStatus
from clinic.shared.audit import leave_trace

AGAIN = "judged again"


def judge_after_new_answers(session: Session, client_id: int, *, by: int | None, now: dt.datetime) -> None:
    """Judge every future visit of this client again, and those of unproven records that look like them: but what
    somebody not signed in typed touches nobody else's visits.

    Handed to the intake feature by the application factory: it runs in the transaction of the new answers.
    """
    session.flush()
    client = clients.client(client_id)
    if client is None:
        return
    judge_visits_of_all(session, clients.people_like(client), door="answers", by=by, now=now)


def _unproven(rows: Iterable[Client]) -> list[Client]:
    return [one for one in rows if one.is_unproven]


def judge_unproven(
    session: Session, look_alikes: Iterable[Client], *, door: str, by: int | None, now: dt.datetime
) -> None:
    """Judge the coming visits of those look-alikes who are unproven: what counts for them has changed too."""
    judge_visits_of_all(session, _unproven(look_alikes), door=door, by=by, now=now)


def judge_visits_of_all(
    session: Session, people: Iterable[Client], *, door: str, by: int | None, now: dt.datetime
) -> None:
    """Judge the visits of several people. All are waited for first: a booking under way for one of them is either
    seen here, or sees what has changed."""
    once = [one for one in dict.fromkeys(people) if one.merged_into_id is None]
    wait_for_answers(session, *once)
    for one in once:
        judge_visits_of(session, one, door=door, by=by, now=now)


def judge_visits_of(session: Session, client: Client, *, door: str, by: int | None, now: dt.datetime) -> None:
    """Judge what lies ahead, today included; what has begun is left to the therapist."""
    for visit in visits.visits_ahead(client.id, now):
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
    judged, less = judge_what_is_safe(session, visit, client, door=door, by=by, now=now)
    if less is None or not judged.permits:
        return judged
    with session.no_autoflush:  # what the visit is changes together with the judgement it rests on
        take_off_addons(visit, less)
        if judged.row is not None and visit.permits:
            rest_on(visit, judged.row)
    tell_client(session, visit, "visit_changed", now=now)
    return judged


def judge_what_is_safe(
    session: Session, visit: Visit, client: Client, *, door: str, by: int | None, now: dt.datetime
) -> tuple[Judged, VisitPlan | None]:
    """The judgement of the visit, or of what is left when add-ons that are not safe come off; then with that plan."""
    plan = plan_of(visit)
    judged = judge(session, client, order_of(visit, plan), door=door, visit_id=visit.id, by=by, now=now)
    if not (judged.unsafe_addons and judged.permits):
        return judged, None
    less = plan_without(visit, plan, judged.unsafe_addons)
    return judge(session, client, order_of(visit, less), door=door, visit_id=visit.id, by=by, now=now), less


def take_off_addons(visit: Visit, less: VisitPlan) -> None:
    """The visit without the add-ons that `less` leaves out; its time stays as it is."""
    visit.addons, visit.price = sorted(less.addons), less.price
    visit.revision += 1


def follow(session: Session, visit: Visit, judged: Judged, *, by: int | None, now: dt.datetime) -> None:
    """Do what the judgement says with a visit that is pending, suspended, confirmed or arrived."""
    status, before = VisitStatus(visit.status), _as_seen(visit)
    missing = _missing_besides(session, visit, judged, now)
    if judged.permits and missing is None and judged.row is not None:
        was_waiting = status in (VisitStatus.PENDING, VisitStatus.SUSPENDED)
        rest_on(visit, judged.row)
        if was_waiting:
            set_status(session, visit, VisitStatus.CONFIRMED, by=by, now=now, reason=AGAIN)
            say_it_stands(session, visit, status, now=now)
    elif judged.refuses:
        visit.permits = None
        set_status(session, visit, VisitStatus.CANCELLED, by=by, now=now, reason=AGAIN)
        tell_client(session, visit, "visit_cannot_go_ahead", now=now)
    else:
        _hold(session, visit, judged, missing, by=by, now=now)
        if missing == PARTNER:
            _ask_partner(visit)
        _say_what_is_seen(session, before, now=now)
    leave_trace(session, "visit.judged", "visit", visit.id, by=by, now=now, outcome=_fact(judged))


def _as_seen(visit: Visit) -> list[tuple[Visit, VisitStatus]]:
    """How its client sees it, and how that of the other one of two sees theirs."""
    both = (visit, couples.partner_of(visit))
    return [(one, visits.seen_as(one)) for one in both if one is not None]


def _say_what_is_seen(
    session: Session, before: Sequence[tuple[Visit, VisitStatus]], *, now: dt.datetime
) -> None:
    """What waits and may be taken for a visit that stands from now on, or may not any more, is told as if it did: with
    the step and the revision that it would have then."""
    for visit, was in before:
        stands = visits.is_hidden_wait(visit)
        if visit.status != VisitStatus.PENDING or stands == (was is VisitStatus.CONFIRMED):
            continue
        if visit is not before[0][0]:
            session.flush()
            session.refresh(visit, with_for_update=True)
        visit.revision += 1
        if stands:
            reason = AGAIN if visit is before[0][0] else WITH_THE_OTHER
            session.add(StatusChange(visit_id=visit.id, status=visit.status, at=now, reason=reason))
            say_it_stands(session, visit, VisitStatus.PENDING, now=now)
        else:
            tell_client(session, visit, "visit_on_hold", now=now)


def _ask_partner(visit: Visit) -> None:
    """The other one changed their answers and has not signed: that is what both wait for."""
    partner = couples.partner_of(visit, to_change=True)
    if partner is None or partner.client_id is None or partner.waiting_for != PARTNER:
        return
    if intake.has_unsigned(partner.client_id):
        partner.waiting_for = "intake"


def _missing_besides(session: Session, visit: Visit, judged: Judged, now: dt.datetime) -> str | None:
    """What a visit that the judgement permits still waits for, in a neutral word."""
    still_to_ask = has_to_reconfirm(visit)
    if not judged.permits:
        return None
    if still_to_ask:
        return RECONFIRM
    if not keep_or_find_skilled(session, visit, now):
        return ANOTHER_THERAPIST
    return PARTNER if couples.misses_partner(visit) else None


def _hold(
    session: Session, visit: Visit, judged: Judged, what: str | None, *, by: int | None, now: dt.datetime
) -> None:
    """Keep the time of a visit that is not permitted, or that nobody with the skills gives yet (`what`)."""
    was_on = visit.status in (VisitStatus.CONFIRMED, VisitStatus.ARRIVED)
    if was_on:
        visit.permits = None
        set_status(session, visit, VisitStatus.SUSPENDED, by=by, now=now, reason=AGAIN)
        visit.deadline_at = None
    wait_for(session, visit, judged, now=now, what=what)
    if was_on:
        tell_client(session, visit, "visit_on_hold", now=now)


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
    "judge_visits_of_all",
    "judge_what_is_safe",
    "judge_with_addons",
    "take_off_addons",
]
