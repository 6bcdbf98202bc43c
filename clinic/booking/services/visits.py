"""Booking, moving and changing visits at the desk, and moving them online.

Judged first, claimed next, written at once: the same gate and the same claims as the online checkout.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from zoneinfo import ZoneInfo

from sqlalchemy import update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from clinic.booking.models import Claim, Visit
from clinic.booking.queries import check_ins, visits
from clinic.booking.queries.unfit import visits_to_reassign
from clinic.booking.queries.visits import plan_of
from clinic.booking.services._booking import Booking, Outcome, book, booked_before, staff_ask
from clinic.booking.services._changing import CHANGEABLE, Change, change
from clinic.booking.services._chosen import client_of
from clinic.booking.services._claims import claim_best
from clinic.booking.services._deciding import is_skilled, keep_or_find_skilled
from clinic.booking.services._judging import Judged
from clinic.booking.services._locking import check_as_seen, lock_visit, waited_for
from clinic.booking.services._placing import give_to
from clinic.booking.services._programs import PROGRAM
from clinic.booking.services._steps import news_of_cancelling, rest_on, set_status, tell_client
from clinic.booking.services._taking_back import Step, as_it_stands, remember, told_by, told_from
from clinic.booking.services.checkout import Choice
from clinic.booking.services.judging import follow, judge_with_addons
from clinic.booking.services.resting import NOT_SAID, RestSaid
from clinic.clients.models import Client
from clinic.premises import queries as premises
from clinic.rules import booking_policy
from clinic.rules.errors import CheckInNeeded, MoveNotAllowed, NotFound, RuleViolation
from clinic.rules.language import N_, _
from clinic.rules.visit_status import AHEAD, WAY_TO_DONE, VisitStatus, check_transition
from clinic.shared.audit import leave_trace
from clinic.shared.database import broken_guard, transaction, tried_again

__all__ = ["CHANGEABLE", "Outcome", "book_visit", "cancel_visit", "change_visit", "mark_visit"]

MARKS = frozenset(
    {
        VisitStatus.ARRIVED,
        VisitStatus.IN_SESSION,
        VisitStatus.DONE,
        VisitStatus.NO_SHOW,
        VisitStatus.CONFIRMED,
    }
)
LET_PASS = (VisitStatus.LATE_CANCELLED, VisitStatus.CANCELLED)

ALONE = (VisitStatus.ARRIVED, VisitStatus.IN_SESSION, VisitStatus.DONE, VisitStatus.CANCELLED)
"""Marks that leave the other one of two people as they are."""

AS_IT_IS = N_("It stays as it is: what is known by now does not allow this visit.")

MOVED = N_("This visit was moved to another time, which stands. Please look at that one.")
WALK_IN_GRACE = dt.timedelta(minutes=15)
"""A walk-in is typed in while the client is already on the way to the room."""


@tried_again
def book_visit(  # noqa: PLR0913 - all by name, and each door says its own
    choice: Choice,
    client_id: int,
    starts_at: dt.datetime,
    *,
    request_key: str | None,
    source: str,
    hold_id: int | None = None,
    by: int | None,
    now: dt.datetime,
    rest: RestSaid = NOT_SAID,
    reconfirmed: bool = False,
    at_desk: bool = False,
) -> Outcome:
    """Book at the desk: confirmed, pending, or nothing when the gate refuses (the judgement is kept) or when the visit
    comes too soon for the body and `rest` does not pass that.

    `reconfirmed`: whoever books has asked the person what has changed since their answers. Else a visit on answers of
    an earlier day waits until they have said so; asking is the duty of a program that books through the interface.
    `at_desk`: it can be taken back for a moment, and nobody is told.

    Done twice with one `request_key`, also at the same moment, it answers with the first visit. `hold_id`: a time
    that was kept is taken over. A program (`source` "api") books by the rules for booking online: what it was
    offered, no more and no less. Raises SlotTaken, HoldExpired, InvalidInput, NotFound, TooSoon, TooFarAhead, KeyUsed.
    """
    if source != PROGRAM:
        booking_policy.check_not_past(starts_at + WALK_IN_GRACE, now=now)
    wish = Booking(
        choice, client_id, starts_at, request_key=request_key, source=source, hold_id=hold_id, by=by, now=now,
        rest=rest, reconfirmed=reconfirmed, at_desk=at_desk,
    )  # fmt: skip
    try:
        with transaction() as session:
            return book(session, wish)
    except (RuleViolation, IntegrityError) as error:  # this very request may have booked it a moment ago
        if isinstance(error, IntegrityError) and broken_guard(error, "request_key") is None:
            raise
        done = booked_before(wish)
        if done is None:
            raise
        return done


@tried_again
def change_visit(
    visit_id: int,
    *,
    revision: int,
    starts_at: dt.datetime | None = None,
    choice: Choice | None = None,
    by: int | None,
    by_client: bool = False,
    by_program: bool = False,
    now: dt.datetime,
    rest: RestSaid = NOT_SAID,
) -> Outcome:
    """Move a visit, or change its service, length, mode, add-ons, areas or therapist: judged and claimed anew.

    When the gate would not let a confirmed visit stand in its new form, or it comes too soon for the body and `rest`
    does not pass that, nothing changes and the outcome says why. A program (`by_program`) moves it to what
    `offering.starts` offers for this visit, no more and no less. Raises SlotTaken (the visit keeps its place;
    RestNeeded for a client), MoveNotAllowed (also for a stale `revision`), CancelTooLate, TooSoon, TooFarAhead,
    InvalidInput, NotFound.
    """
    wish = Change(revision, starts_at, choice, by=by, by_client=by_client, by_program=by_program, rest=rest)
    with transaction() as session:
        return change(session, visit_id, wish, now=now)


@tried_again
def cancel_visit(
    visit_id: int,
    *,
    by: int | None,
    by_clinic: bool,
    now: dt.datetime,
    by_client: bool = False,
    at_desk: bool = False,
    seen: int | None = None,
) -> VisitStatus:
    """Cancel; inside the notice a client's cancellation counts as late. A second cancel changes nothing.

    `at_desk`: it can be taken back for a moment, but for a visit of two people, where the other one is told as well.
    `seen`: the revision that was looked at; an older page does not cancel what was moved to another day since. Raises
    CancelTooLate or MoveNotAllowed for a client who may not cancel online any more, MoveNotAllowed for an older page,
    and for a visit in whose place another one stands.
    """
    with transaction() as session:
        visit = lock_visit(session, visit_id)
        if visit is None:
            raise NotFound()
        status, settings = VisitStatus(visit.status), premises.booking_settings()
        if status in (VisitStatus.CANCELLED, VisitStatus.LATE_CANCELLED):
            if visits.moved_to(visit) is not None:
                raise MoveNotAllowed(_(MOVED))
            return status
        check_as_seen([visit], None if seen is None else [seen])
        if by_client:
            booking_policy.check_client_may_cancel(
                visits.seen_as(visit), visit.starts_at, now=now, settings=settings
            )
        before = as_it_stands(visit) if at_desk and visit.couple_id is None else None
        new = booking_policy.cancelled_status(
            status, visit.starts_at, now=now, by_clinic=by_clinic, settings=settings
        )
        set_status(
            session, visit, new, by=by, now=now, reason="by the clinic" if by_clinic else "by the client"
        )
        visit.deadline_at = visit.waiting_for = None
        news = news_of_cancelling(by_clinic=by_clinic)
        tell_client(session, visit, news, now=now, not_before=told_from(now) if before else None)
        if before:
            step = Step(visit, before, told_by(visit, news))
            remember(session, [step], "cancelled", by=by, now=now)
        leave_trace(session, "visit.cancelled", "visit", visit.id, by=by, now=now, status=new)
        return new


@tried_again
def end_untold(visit_id: int, *, now: dt.datetime) -> None:
    """End a visit that a restored backup still has ahead, of somebody who was erased since: they are told nothing."""
    with transaction() as session:
        visit = lock_visit(session, visit_id)
        if visit is None or visit.status not in AHEAD:
            return
        new = VisitStatus.DONE if visit.status == VisitStatus.IN_SESSION else VisitStatus.CANCELLED
        set_status(session, visit, new, by=None, now=now, reason="by the clinic")
        visit.deadline_at = visit.waiting_for = None
        leave_trace(session, "visit.cancelled", "visit", visit.id, by=None, now=now, status=new)


@tried_again
def mark_visit(
    visit_id: int, new: VisitStatus, *, revision: int, by: int, now: dt.datetime, can_go_back: bool = False
) -> VisitStatus:
    """Arrived, in session, done, no-show and back: one tap each; nobody arrives before the day or is missed before
    the start. Started from confirmed, the arrival is kept as a step of its own. A late cancellation is let pass as an
    ordinary one; a visit that is over, and that nobody marked, is done in one. `can_go_back`: it can be taken back
    for a moment.

    Returns where the visit stands now: on hold or cancelled, where the gate no longer lets it go on as `new`.
    Raises MoveNotAllowed, CheckInNeeded, SlotTaken."""
    with transaction() as session:
        visit = waited_for(session, visit_id)
        if visit.status == new:
            return new
        is_let_pass = (visit.status, new) == LET_PASS
        if new not in MARKS and not is_let_pass:
            raise MoveNotAllowed()
        check_as_seen([visit], [revision])
        before = as_it_stands(visit)
        booking_policy.check_may_mark(
            VisitStatus(visit.status), new, visit.starts_at, now=now, zone=ZoneInfo(visit.zone)
        )
        if new in (VisitStatus.ARRIVED, VisitStatus.IN_SESSION, VisitStatus.CONFIRMED):
            _judge_at_the_door(session, visit, new, by=by, now=now)
        elif new is VisitStatus.DONE and visit.status != VisitStatus.IN_SESSION:
            _enter_afterwards(session, visit, by=by, now=now)
        else:
            set_status(session, visit, new, by=by, now=now, reason="let pass" if is_let_pass else "")
        stands = VisitStatus(visit.status)
        if can_go_back and stands is new and (before["couple_id"] is None or new in ALONE):
            deed = "passed" if is_let_pass else "marked"
            remember(session, [Step(visit, before)], deed, by=by, now=now)
        leave_trace(session, "visit.marked", "visit", visit.id, by=by, now=now, status=stands)
        return stands


def _enter_afterwards(session: Session, visit: Visit, *, by: int, now: dt.datetime) -> None:
    """It took place, and nobody marked it: what is over is judged no more. Raises MoveNotAllowed."""
    status = VisitStatus(visit.status)
    way = WAY_TO_DONE.get(status, (VisitStatus.DONE,))
    check_transition(status, way[0])
    booking_policy.check_is_over(visit.ends_at, now=now)
    for step in way:
        set_status(session, visit, step, by=by, now=now, reason="afterwards")


def _go_on_as(session: Session, visit: Visit, client: Client, judged: Judged) -> None:
    """A visit that was over when its record was merged stays with that record; one that goes on after all goes on with
    the record of today, whose judgement it rests on. Raises MoveNotAllowed."""
    if not judged.permits or judged.row is None:
        raise MoveNotAllowed(_(AS_IT_IS))
    theirs = update(Claim).where(Claim.visit_id == visit.id, Claim.resource_id == visit.client_id)
    with session.no_autoflush:
        give_to(visit, client.id, is_same_person=True)
        rest_on(visit, judged.row)
        session.flush()
    session.execute(theirs.values(resource_id=client.id))


def _judge_at_the_door(
    session: Session, visit: Visit, new: VisitStatus, *, by: int, now: dt.datetime
) -> None:
    """Coming in is judged like every other door: the visit goes on only when it is permitted today. Else it waits or is
    called off, as after new answers; so is one that was started by mistake, and is taken back. What is over stays so.
    """
    client = client_of(visit.client_id or 0)
    came_late = visit.status == VisitStatus.NO_SHOW
    judged = judge_with_addons(session, visit, client, door="check_in", by=by, now=now)
    if visit.client_id != client.id:
        _go_on_as(session, visit, client, judged)
    if visit.status == VisitStatus.IN_SESSION:
        set_status(session, visit, new, by=by, now=now)
        follow(session, visit, judged, by=by, now=now)
        return
    if not judged.permits or judged.row is None:
        if visit.status not in (VisitStatus.CONFIRMED, VisitStatus.ARRIVED):
            raise MoveNotAllowed(_(AS_IT_IS))
        follow(session, visit, judged, by=by, now=now)
        return
    may_reassign = visit.status == VisitStatus.CONFIRMED and new == VisitStatus.ARRIVED
    has_skills = (
        keep_or_find_skilled(session, visit, now)
        if may_reassign
        else is_skilled(visit.therapist_id, client.id, visit.day)
    )
    begins = new != VisitStatus.CONFIRMED
    if not has_skills or (begins and visits_to_reassign([visit])):
        raise MoveNotAllowed(
            _("This visit needs another therapist first. Choose one with “Change treatment or therapist”.")
        )
    if begins and check_ins.is_missing(visit, now):
        raise CheckInNeeded()
    rest_on(visit, judged.row)
    if new == VisitStatus.IN_SESSION and visit.status == VisitStatus.CONFIRMED:
        set_status(session, visit, VisitStatus.ARRIVED, by=by, now=now)
    set_status(session, visit, new, by=by, now=now)
    if came_late:
        visit.couple_id = None  # the other of two had the room meanwhile: this one stands by itself
        ask = staff_ask(visit, plan_of(visit), visit.therapist_id, now=now)
        claim_best(session, visit, replace(ask, at_its_place=True), expires_at=None)
