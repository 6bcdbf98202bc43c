"""What comes after two people were booked together: both are moved, both or one cancelled, or one goes on alone."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from clinic.booking.models import Couple, Visit
from clinic.booking.queries import couples as reading
from clinic.booking.queries.availability import Ask
from clinic.booking.queries.couples import OpenForTwo
from clinic.booking.queries.next_steps import PARTNER
from clinic.booking.queries.visits import plan_of
from clinic.booking.services._chosen import client_of
from clinic.booking.services._claims import give_up
from clinic.booking.services._couples import end_couple
from clinic.booking.services._deciding import is_skilled
from clinic.booking.services._judging import Judged, Order, judge, wait_for_answers
from clinic.booking.services._locking import check_as_seen, lock_visit, wait_for_places, waited_for
from clinic.booking.services._pairing import CoupleOutcome, claim_pair, keep_passes, settle
from clinic.booking.services._programs import check_online_start
from clinic.booking.services._steps import (
    ask_for,
    news_of_cancelling,
    rest_on,
    set_start,
    set_status,
    tell_client,
)
from clinic.booking.services._taking_back import (
    Step,
    as_it_stands,
    remember,
    tell_of_move,
    told_by,
    told_from,
)
from clinic.booking.services.judging import judge_visit_again
from clinic.booking.services.resting import NOT_SAID, RestSaid, Warned
from clinic.booking.services.visits import CHANGEABLE
from clinic.catalogue.queries import VisitPlan
from clinic.premises import queries as premises
from clinic.rules import booking_policy
from clinic.rules.errors import (
    MoveNotAllowed,
    NotFound,
    NotQualified,
    RestNeeded,
    SlotTaken,
)
from clinic.rules.language import _
from clinic.rules.visit_status import VisitStatus, holds_claims
from clinic.shared.audit import leave_trace
from clinic.shared.database import transaction, tried_again


@tried_again
def move_couple(
    couple_id: int,
    starts_at: dt.datetime,
    *,
    seen: Sequence[int] | None = None,
    rest: RestSaid = NOT_SAID,
    by: int | None,
    now: dt.datetime,
    at_desk: bool = False,
    by_program: bool = False,
) -> CoupleOutcome:
    """Move both to another time: both judged for the new day, the same therapists first, another only where any was
    asked for. When one of them could not stand there, nothing changes. `seen`: the revisions that were looked at.
    `at_desk`: it can be taken back for a moment. `by_program`: a new time is one that is offered online, as for a
    booking by a program.

    Raises SlotTaken, RestShort, TooSoon, TooFarAhead, MoveNotAllowed, NotFound: both keep their place then.
    """
    booking_policy.check_not_past(starts_at, now=now)
    with transaction() as session:
        _wait_for_people(session, couple_id)
        pair = _standing(couple_id)
        check_as_seen(pair, seen)
        is_offered = by_program and starts_at != pair[0].starts_at
        if is_offered:
            for visit in pair:
                check_online_start(starts_at, now, visit.location_id, client_id=visit.client_id)
        before = [as_it_stands(one) for one in pair]
        clients = [client_of(one.client_id or 0) for one in pair]
        plans = [plan_of(one) for one in pair]
        judged = tuple(
            judge(
                session, client, Order(plan, tuple(visit.areas), _day(visit, starts_at)), door="move",
                visit_id=visit.id, by=by, now=now,
            )
            for client, visit, plan in zip(clients, pair, plans, strict=True)
        )  # fmt: skip
        if not _both_stand(pair, judged):
            for visit in pair:
                leave_trace(session, "visit.change_refused", "visit", visit.id, by=by, now=now)
            return CoupleOutcome(None, judged)
        wait_for_places(session, [_anyone(visit, plan, now) for visit, plan in zip(pair, plans, strict=True)])
        _free(session, couple_id, pair, now)
        _write_move(session, pair, plans, judged, starts_at, couple_id, now=now)
        passed = _claim_pair_again(session, couple_id, pair, plans, rest, by_staff=not is_offered, now=now)
        keep_passes(session, pair, passed, rest, by=by, now=now)
        for visit in pair:
            visit.revision += 1
        tell_of_move(session, pair, before, at_desk=at_desk, by=by, now=now)
        for visit in pair:
            leave_trace(session, "visit.changed", "visit", visit.id, by=by, now=now, moved=True)
        return CoupleOutcome(couple_id, judged)


def _wait_for_people(session: Session, couple_id: int) -> None:
    """People are waited for before visits, and visits before times."""
    people = [one.client_id for one in reading.visits_of_couple(couple_id)]
    wait_for_answers(session, *(client_of(one) for one in people if one is not None))


def _anyone(visit: Visit, plan: VisitPlan, now: dt.datetime) -> Ask:
    return ask_for(visit, plan, now=now, by_staff=True, therapist_id=None)


def _standing(couple_id: int) -> list[Visit]:
    """Both visits of a couple that can be moved, locked. Raises NotFound, MoveNotAllowed."""
    pair = list(reading.visits_to_change(couple_id))
    if not pair:
        raise NotFound(_("There is no such couple."))
    if len(pair) != 2 or any(one.status not in CHANGEABLE for one in pair):
        raise MoveNotAllowed(_("These two visits cannot be moved together any more."))
    return pair


def _day(visit: Visit, starts_at: dt.datetime) -> dt.date:
    return starts_at.astimezone(ZoneInfo(visit.zone)).date()


def _both_stand(pair: Sequence[Visit], judged: Sequence[Judged]) -> bool:
    """As for one visit: a confirmed couple is moved only where both are permitted; a waiting one may go on waiting."""
    if any(one.refuses or one.unsafe_addons for one in judged):
        return False
    return all(one.permits for one in judged) or all(one.status != VisitStatus.CONFIRMED for one in pair)


def _free(session: Session, couple_id: int, pair: Sequence[Visit], now: dt.datetime) -> None:
    """Give up the places of both inside the transaction that claims them anew."""
    end_couple(session, couple_id, keeper=pair[0], now=now)
    for visit in pair:
        visit.couple_id = None
    session.flush()
    for visit in pair:
        give_up(session, visit, now)


def _write_move(
    session: Session,
    pair: Sequence[Visit],
    plans: Sequence[VisitPlan],
    judged: Sequence[Judged],
    starts_at: dt.datetime,
    couple_id: int,
    *,
    now: dt.datetime,
) -> None:
    """The day changes together with the judgement that each rests on; what waits no more is confirmed."""
    waited = [visit for visit in pair if visit.status != VisitStatus.CONFIRMED]
    with session.no_autoflush:
        for visit, plan in zip(pair, plans, strict=True):
            set_start(visit, plan, starts_at)
            visit.deadline_at = None  # the deadline follows the new time
        settle(session, pair, judged, is_new=False, now=now)
        if waited and all(one.waiting_for is None for one in pair):
            for visit in waited:
                visit.permits = None
    session.flush()
    if waited and all(one.waiting_for is None for one in pair):
        for visit, one in zip(pair, judged, strict=True):
            if visit in waited and one.row is not None:
                rest_on(visit, one.row)
                set_status(session, visit, VisitStatus.CONFIRMED, by=None, now=now, reason="changed")
    for visit in pair:
        visit.couple_id = couple_id
    session.get_one(Couple, couple_id).ended_at = None
    session.flush()


def _claim_pair_again(
    session: Session,
    couple_id: int,
    pair: Sequence[Visit],
    plans: Sequence[VisitPlan],
    rest: RestSaid,
    *,
    by_staff: bool,
    now: dt.datetime,
) -> list[Warned | None]:
    asks = [
        replace(
            ask_for(visit, plan, now=now, by_staff=by_staff, therapist_id=visit.therapist_id),
            at_its_place=by_staff,
        )
        for visit, plan in zip(pair, plans, strict=True)
    ]
    for visit, ask in zip(pair, asks, strict=True):
        if not is_skilled(ask.therapist_id or 0, visit.client_id or 0, visit.day) and not visit.any_therapist:
            raise SlotTaken(NotQualified.default_sentence)
    try:
        return claim_pair(session, couple_id, pair, asks, rest)
    except SlotTaken as error:
        if isinstance(error, RestNeeded) or not any(visit.any_therapist for visit in pair):
            raise
        anyone = [
            replace(ask, therapist_id=None) if visit.any_therapist else ask
            for visit, ask in zip(pair, asks, strict=True)
        ]
        return claim_pair(session, couple_id, pair, anyone, rest)


@tried_again
def cancel_couple(
    couple_id: int,
    *,
    by: int | None,
    by_clinic: bool,
    now: dt.datetime,
    at_desk: bool = False,
    seen: Sequence[int] | None = None,
) -> list[VisitStatus]:
    """Cancel both, each by the clinic's notice. A second cancel changes nothing. `at_desk`: it can be taken back for a
    moment. `seen`: the revisions that were looked at. Raises NotFound, MoveNotAllowed."""
    with transaction() as session:
        _wait_for_people(session, couple_id)
        pair = list(reading.visits_to_change(couple_id))
        if not pair:
            raise NotFound(_("There is no such couple."))
        standing = [one for one in pair if one.status in CHANGEABLE]
        if not standing:
            return [VisitStatus(one.status) for one in pair]
        if len(standing) < len([one for one in pair if holds_claims(VisitStatus(one.status))]):
            raise MoveNotAllowed(_("One of the two is here already. Cancel the other visit by itself."))
        check_as_seen(pair, seen)
        before = [as_it_stands(one) for one in standing]
        end_couple(session, couple_id, keeper=standing[0], now=now)
        for visit in standing:
            visit.couple_id = None  # no partner to take along: both go
        session.flush()
        steps = []
        for visit, was in zip(standing, before, strict=True):
            _cancel(session, visit, by=by, by_clinic=by_clinic, now=now, can_go_back=at_desk)
            visit.couple_id = couple_id
            steps.append(Step(visit, was, told_by(visit, news_of_cancelling(by_clinic=by_clinic))))
        if at_desk:
            remember(session, steps, "cancelled", by=by, now=now)
        return [VisitStatus(one.status) for one in pair]


@tried_again
def cancel_one(
    visit_id: int,
    *,
    by: int | None,
    by_clinic: bool,
    now: dt.datetime,
    at_desk: bool = False,
    seen: Sequence[int] | None = None,
) -> None:
    """One of the two does not come, the other one goes on alone: it keeps the room, and is judged once more, so that it
    is confirmed where only the other one was missing. `at_desk`: it can be taken back for a moment, but for one that
    confirms the other. `seen`: the revisions that were looked at. Raises NotFound, MoveNotAllowed."""
    with transaction() as session:
        visit = waited_for(session, visit_id)
        other = reading.partner_of(visit, to_change=True)
        if other is None or visit.couple_id is None:
            raise NotFound(_("This visit is not booked for two."))
        check_as_seen(reading.visits_to_change(visit.couple_id), seen)
        couple_id = visit.couple_id
        before, of_other = as_it_stands(visit), as_it_stands(other)
        end_couple(session, couple_id, keeper=other, now=now)
        visit.couple_id = other.couple_id = None
        session.flush()
        can_go_back = at_desk and not _waits_for_other(other)
        _cancel(session, visit, by=by, by_clinic=by_clinic, now=now, can_go_back=can_go_back)
        visit.couple_id = couple_id
        _alone(session, other, by=by, now=now)
        if can_go_back:
            news = news_of_cancelling(by_clinic=by_clinic)
            steps = [Step(visit, before, told_by(visit, news)), Step(other, of_other)]
            remember(session, steps, "cancelled", by=by, now=now)


@tried_again
def go_on_alone(visit_id: int, *, by: int | None, now: dt.datetime) -> VisitStatus:
    """The other one fell away, and this one comes alone: judged again, and confirmed where the gate lets it stand.

    Raises NotFound for a visit that waits for no such word.
    """
    with transaction() as session:
        visit = lock_visit(session, visit_id)
        if visit is None or visit.couple_id is not None or not _waits_for_other(visit):
            raise NotFound(_("This visit does not wait for anybody else."))
        _alone(session, visit, by=by, now=now)
        return VisitStatus(visit.status)


def _waits_for_other(visit: Visit) -> bool:
    return visit.waiting_for == PARTNER and visit.is_waiting


def _alone(session: Session, visit: Visit, *, by: int | None, now: dt.datetime) -> None:
    if _waits_for_other(visit):
        visit.waiting_for = None
        client = client_of(visit.client_id or 0)
        judge_visit_again(session, visit, client, door="desk", by=by, now=now)


def _cancel(
    session: Session, visit: Visit, *, by: int | None, by_clinic: bool, now: dt.datetime, can_go_back: bool
) -> None:
    new = booking_policy.cancelled_status(
        VisitStatus(visit.status), visit.starts_at, now=now, by_clinic=by_clinic,
        settings=premises.booking_settings(),
    )  # fmt: skip
    set_status(session, visit, new, by=by, now=now, reason="by the clinic" if by_clinic else "by the client")
    visit.deadline_at = visit.waiting_for = None
    not_before = told_from(now) if can_go_back else None
    news = news_of_cancelling(by_clinic=by_clinic)
    tell_client(session, visit, news, now=now, not_before=not_before)
    leave_trace(session, "visit.cancelled", "visit", visit.id, by=by, now=now, status=new)


def times_to_move(couple_id: int, day: dt.date, *, now: dt.datetime) -> OpenForTwo | None:
    """What is free for both on a day, their own places counted as free; None for a couple that does not stand."""
    pair = reading.visits_of_couple(couple_id)
    if len(pair) != 2:
        return None
    asks = [
        replace(
            ask_for(
                visit, plan_of(visit), now=now, by_staff=True,
                therapist_id=None if visit.any_therapist else visit.therapist_id,
            ),
            first_day=day, rested_areas=None, stands=True, at_its_place=True,
        )
        for visit in pair
    ]  # fmt: skip
    return reading.look_for_two(asks[0], asks[1], instead_of=couple_id)
