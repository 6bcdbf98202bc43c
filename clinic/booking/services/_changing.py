"""Steps inside a transaction: a booked visit in another form or at another time, judged and claimed anew."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from clinic.booking.models import Visit
from clinic.booking.queries import visits
from clinic.booking.queries.visits import plan_of
from clinic.booking.services._booking import Outcome, rest_or_wait, staff_ask
from clinic.booking.services._chosen import client_of, plan_as_chosen
from clinic.booking.services._claims import claim_best, give_up
from clinic.booking.services._couples import check_not_of_two
from clinic.booking.services._deciding import has_to_reconfirm, is_skilled
from clinic.booking.services._forgetting import ask_of_order
from clinic.booking.services._judging import Judged, Order, judge
from clinic.booking.services._line import end_offers_for
from clinic.booking.services._locking import check_as_seen, waited_for
from clinic.booking.services._programs import check_online_start
from clinic.booking.services._steps import order_of, set_plan, set_start, set_status, wait_for
from clinic.booking.services._taking_back import as_it_stands, tell_of_move
from clinic.booking.services.checkout import Choice
from clinic.booking.services.resting import NOT_SAID, RestSaid, is_passed, keep_pass, warn_of_change
from clinic.catalogue.queries import VisitPlan
from clinic.premises import queries as premises
from clinic.rules import booking_policy
from clinic.rules.errors import MoveNotAllowed, NotQualified, SlotTaken
from clinic.rules.language import _
from clinic.rules.visit_status import VisitStatus
from clinic.shared.audit import leave_trace
from clinic.therapists import queries as therapists

CHANGEABLE = (VisitStatus.CONFIRMED, VisitStatus.PENDING, VisitStatus.SUSPENDED)


@dataclass(frozen=True)
class Change:
    """What is to become of a visit, and through which door. `revision` is that of the visit which was looked at.

    `therapist_id`: this very therapist, whoever was asked for; `room_id`: this very room. `at_desk`: it can be taken
    back for a moment. `by_program`: a new time is one that is offered online, as for a booking by a program.
    """

    revision: int
    starts_at: dt.datetime | None = None
    choice: Choice | None = None
    therapist_id: int | None = None
    room_id: int | None = None
    by: int | None = None
    by_client: bool = False
    by_program: bool = False
    at_desk: bool = False
    rest: RestSaid = NOT_SAID


def change(session: Session, visit_id: int, wish: Change, *, now: dt.datetime) -> Outcome:
    """Change as `change_visit` says, in the caller's transaction."""
    visit = waited_for(session, visit_id)
    if _is_moved_already(visit, wish):
        return Outcome(visit.id, VisitStatus(visit.status), None, is_repeated=True)
    check_as_seen([visit], [wish.revision])
    check_changeable(visit)
    before, by = as_it_stands(visit), wish.by
    start = wish.starts_at or visit.starts_at
    moved = wish.starts_at is not None
    # What a program leaves where it is need not be offered any more: the notice or the step may have passed it by.
    by_staff = not wish.by_client and not (wish.by_program and start != visit.starts_at)
    _check_policy(visit, start, wish, now=now)
    client = client_of(visit.client_id or 0)
    plan = plan_as_chosen(wish.choice, visit.first_visit) if wish.choice else plan_of(visit)
    areas = tuple(sorted(wish.choice.areas)) if wish.choice else tuple(visit.areas)
    order = Order(plan, areas, start.astimezone(ZoneInfo(visit.zone)).date())
    is_more = _is_more(order, order_of(visit, plan_of(visit)))
    judged = judge(session, client, order, door="move", visit_id=visit.id, by=by, now=now, is_another=is_more)
    if not _stands(visit, judged, by_client=wish.by_client):
        leave_trace(session, "visit.change_refused", "visit", visit.id, by=by, now=now)
        return Outcome(None, None, judged, () if judged.refuses else judged.unsafe_addons)
    warned = None if wish.by_client else warn_of_change(visit, client, order, start)
    if warned is not None and not is_passed(warned, wish.rest):
        return Outcome(None, None, judged, rest=warned)
    named = wish.therapist_id or (wish.choice.therapist_id if wish.choice else None)
    is_elsewhere = start != visit.starts_at or named not in (None, visit.therapist_id)
    # A time that is kept for this very client is free for them, and was offered for the visit as it was.
    is_another = is_elsewhere or wish.choice is not None
    if is_more:
        ask_of_order(session, visit, client)
    was_asked = is_another and end_offers_for(session, visit, by=by, now=now)
    give_up(session, visit, now)
    _write_change(session, visit, plan, areas, start, wish.choice, judged, now=now)
    _claim_again(session, visit, plan, wish, by_staff=by_staff, now=now)
    if judged.permits and judged.row is not None and visit.status != VisitStatus.CONFIRMED:
        visit.deadline_at = None  # it follows the new time
        rest_or_wait(session, visit, judged, is_good=not has_to_reconfirm(visit), now=now)
        if visit.waiting_for is None:
            set_status(session, visit, VisitStatus.CONFIRMED, by=by, now=now, reason="changed")
    visit.revision += 1
    at_desk = wish.at_desk and not was_asked  # what a mail has told them already is not taken back
    tell_of_move(session, [visit], [before], at_desk=at_desk, by=by, now=now)
    keep_pass(session, visit, warned, wish.rest, by=by, now=now)
    leave_trace(session, "visit.changed", "visit", visit.id, by=by, now=now, moved=moved)
    facts = visits.facts_as_booked(visit, plan.key)
    return Outcome(visit.id, VisitStatus(visit.status), judged, rest=warned, facts=facts)


def _is_more(order: Order, before: Order) -> bool:
    """Whether it is another treatment than before, and not only less of it."""
    plan, was = order.plan, before.plan
    return (
        (plan.key, plan.mode) != (was.key, was.mode)
        or plan.minutes > was.minutes
        or not set(plan.addons) <= set(was.addons)
        or not set(order.areas) <= set(before.areas)
        or (bool(before.areas) and not order.areas)  # anywhere
    )


def _is_moved_already(visit: Visit, wish: Change) -> bool:
    """Whether it stands where a client's page, which is older, wants it: the button was pressed twice."""
    is_old = wish.by_client and wish.choice is None and visit.revision != wish.revision
    return is_old and visit.starts_at == wish.starts_at and visit.status in CHANGEABLE


def check_changeable(visit: Visit) -> None:
    """Raise MoveNotAllowed for a visit that is over, has begun, or is booked for two people."""
    if visit.status not in CHANGEABLE:
        raise MoveNotAllowed(_("This visit cannot be moved or changed any more."))
    check_not_of_two(visit)


def _check_policy(visit: Visit, start: dt.datetime, wish: Change, *, now: dt.datetime) -> None:
    settings = premises.booking_settings()
    if wish.by_client:
        booking_policy.check_client_may_move(
            visits.seen_as(visit), visit.starts_at, now=now, settings=settings
        )
        booking_policy.check_start(start, now=now, zone=ZoneInfo(visit.zone), settings=settings)
    elif wish.by_program and start != visit.starts_at:
        check_online_start(start, now, visit.location_id, client_id=visit.client_id)
    elif wish.starts_at is not None:
        booking_policy.check_not_past(start, now=now)


def _stands(visit: Visit, judged: Judged, *, by_client: bool) -> bool:
    """A confirmed visit is changed only into one that is permitted; a waiting one may go on waiting. To a client one
    that waits unseen is as good as confirmed."""
    if judged.refuses or judged.unsafe_addons:
        return False
    if by_client and visits.is_hidden_wait(visit):
        return judged.told.permits
    return judged.permits or visit.status != VisitStatus.CONFIRMED


def _write_change(
    session: Session,
    visit: Visit,
    plan: VisitPlan,
    areas: tuple[str, ...],
    start: dt.datetime,
    choice: Choice | None,
    judged: Judged,
    *,
    now: dt.datetime,
) -> None:
    """Everything that the gate judged changes together with the judgement it rests on."""
    with session.no_autoflush:
        if choice is not None:
            visit.any_therapist, visit.asked_gender = choice.therapist_id is None, choice.gender
            set_plan(visit, plan)
        visit.areas = list(areas)
        set_start(visit, plan, start)
        if judged.permits and judged.row is not None:
            visit.screening_id, visit.judged_key = judged.row.id, judged.row.judged_key
            visit.permits = True if visit.status == VisitStatus.CONFIRMED else None
        else:
            visit.deadline_at = None  # the deadline follows the new time
            wait_for(session, visit, judged, now=now)
    session.flush()


def _claim_again(
    session: Session,
    visit: Visit,
    plan: VisitPlan,
    wish: Change,
    *,
    by_staff: bool,
    now: dt.datetime,
) -> None:
    """The same therapist first; another only where any therapist was asked for and none was named now."""
    rooms = premises.rooms(visit.location_id) if wish.room_id is not None else ()
    if rooms and wish.room_id not in {one.id for one in rooms if one.room_kind == plan.room_kind}:
        raise MoveNotAllowed(_("This treatment cannot be given in that room."))
    wanted = wish.therapist_id or (wish.choice.therapist_id if wish.choice else visit.therapist_id)
    may_differ = visit.any_therapist and wish.therapist_id is None
    if wanted is not None and not may_differ:
        _check_gives(wanted, visit)
    ask = staff_ask(visit, plan, wanted, now=now, by_staff=by_staff)
    ask = replace(ask, room_id=wish.room_id, at_its_place=by_staff)
    if wish.by_client:
        ask = replace(ask, rested_areas=tuple(visit.areas))
    try:
        claim_best(session, visit, ask, expires_at=None)
    except SlotTaken:
        if wanted is None or not may_differ:
            raise
        claim_best(session, visit, replace(ask, therapist_id=None), expires_at=None)


def _check_gives(therapist_id: int, visit: Visit) -> None:
    """Raise SlotTaken, in words that say what to choose instead, for whoever gives no visits, or not this one."""
    row = therapists.therapist(therapist_id)
    if row is not None and not row.is_active:
        raise SlotTaken(
            _("%(name)s gives no visits any more. Please choose another therapist.", name=row.name)
        )
    if not is_skilled(therapist_id, visit.client_id or 0, visit.day):
        raise SlotTaken(NotQualified.default_sentence)
