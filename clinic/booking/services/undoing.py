"""Taking back the last deed at the desk while nobody has been told of it: one visit, or all that it changed.

All of them stand again as they were, or nothing is undone and the person is told why.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby
from zoneinfo import ZoneInfo

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from clinic.booking.models import Couple, Series, StatusChange, Visit
from clinic.booking.queries.judged_by import JUDGED_AGAIN
from clinic.booking.services._booking import staff_ask
from clinic.booking.services._claims import claim_best, claim_blocks, give_up, let_back
from clinic.booking.services._couples import end_couple
from clinic.booking.services._judging import Judged, Order, client_of, judge, wait_for_answers
from clinic.booking.services._line import unsay
from clinic.booking.services._locking import wait_for_places
from clinic.booking.services._pairing import claim_pair
from clinic.booking.services._steps import rest_on, set_start, set_status, wait_for
from clinic.booking.services._taking_back import KEPT, same_deed
from clinic.booking.taken_back import REASON, TakeBack
from clinic.booking.timed_steps import follow
from clinic.catalogue import queries as catalogue
from clinic.catalogue.queries import VisitPlan
from clinic.rules import taking_back
from clinic.rules.errors import MoveNotAllowed, SlotTaken, TooLate
from clinic.rules.language import _
from clinic.rules.visit_status import VisitStatus, holds_claims, needs_permit
from clinic.shared.audit import leave_trace
from clinic.shared.database import transaction, tried_again
from clinic.shared.mail import drop_mail


@tried_again
def take_back(visit_id: int, *, seen: int | None = None, by: int, now: dt.datetime) -> tuple[str, int]:
    """Put back whatever this person's last deed at the desk did to this visit, and to every other one that it changed;
    returns which deed that was, and how many visits. Nobody is told of either. Judged and claimed like every other
    change. `seen`: the revision of the visit after the deed that is meant: what was done since, at another desk or in
    another tab of the same account, is not undone in its place. Raises TooLate, MoveNotAllowed, SlotTaken."""
    with transaction() as session:
        steps = _steps_to_undo(session, visit_id, now)
        meant = next((one for one in steps if one.visit_id == visit_id), steps[0])
        if meant.done_by_id != by or seen not in (None, meant.revision):
            raise MoveNotAllowed(_("This visit was changed meanwhile. Please look at it again."))
        for key in dict.fromkeys(one.mail_key for one in steps if one.mail_key is not None):
            if not drop_mail(session, key):
                raise TooLate(_("It is too late to undo this: the client is being told."))
        deed = steps[0].deed
        if deed == "booked":
            _unbook(session, [one.visit for one in steps], by=by, now=now)
        else:
            _put_back(session, steps, by=by, now=now)
        for one in steps:
            unsay(session, one.visit, one.until - taking_back.TIME_TO_TAKE_BACK, by=by, now=now)
            one.visit.revision += 1
            leave_trace(session, "visit.taken_back", "visit", one.visit_id, by=by, now=now, step=deed)
        session.flush()
        for one in steps:
            session.delete(one)
        return deed, len(steps)


def forget_steps(before: dt.datetime) -> int:
    """Delete the steps that nobody can take back any more; returns how many."""
    with transaction() as session:
        past = delete(TakeBack).where(TakeBack.until < before).returning(TakeBack.id)
        return len(session.execute(past).all())


def _steps_to_undo(session: Session, visit_id: int, now: dt.datetime) -> list[TakeBack]:
    """What the deed did to each of its visits; people are waited for before visits, and visits before times."""
    theirs = same_deed([visit_id])
    ids = session.scalars(select(TakeBack.visit_id).where(theirs)).all()
    people = session.scalars(select(Visit.client_id).where(Visit.id.in_(ids)).distinct()).all()
    wait_for_answers(session, *(client_of(one) for one in people if one is not None))
    locked = select(Visit).where(Visit.id.in_(ids)).order_by(Visit.id).with_for_update()
    session.scalars(locked.execution_options(populate_existing=True)).all()
    steps = session.scalars(
        select(TakeBack).where(theirs).order_by(TakeBack.visit_id).with_for_update()
    ).all()
    if not steps:
        raise TooLate(_("There is nothing to undo here any more."))
    taking_back.check_in_time(min(one.until for one in steps), now=now)
    if {one.visit_id for one in steps} != set(ids) or any(
        one.revision != one.visit.revision for one in steps
    ):
        if len(steps) > 1:
            raise MoveNotAllowed(_("One of these visits was changed meanwhile. Nothing was undone."))
        raise MoveNotAllowed(_("This visit was changed meanwhile. Please look at it again."))
    return list(steps)


def _unbook(session: Session, visits: Sequence[Visit], *, by: int, now: dt.datetime) -> None:
    """What was booked is given back like a hold, and stands in no list or report; the same form may book it again."""
    couples = {visit.id: visit.couple_id for visit in visits}
    _leave_couples(session, visits, now)
    for visit in visits:
        set_status(session, visit, VisitStatus.RELEASED, by=by, now=now, reason=REASON)
        visit.deadline_at = visit.waiting_for = visit.request_key = None
        visit.couple_id = couples[visit.id]
        if visit.series_id is not None:
            session.get_one(Series, visit.series_id).request_key = None
        if visit.couple_id is not None:
            session.get_one(Couple, visit.couple_id).request_key = None


def _put_back(session: Session, steps: Sequence[TakeBack], *, by: int, now: dt.datetime) -> None:
    """Marked by a slip, a visit that kept its place only changes its status; else it is claimed again. One that had
    begun was left out when new answers were judged: it is judged here, like those that had lost their place."""
    moved = [one for one in steps if _has_left(one)]
    if moved:
        _stand_again(session, moved, by=by, now=now)
    for one in steps:
        visit, status = one.visit, VisitStatus(one.before["status"])
        if visit.status != status:
            if visit.status not in JUDGED_AGAIN and status in JUDGED_AGAIN and one not in moved:
                _rest_on_today(session, one, by=by, now=now)
            visit.status = status
            session.flush()
            if not holds_claims(status):
                give_up(session, visit, now)
            session.add(StatusChange(visit_id=visit.id, status=status, at=now, by_user_id=by, reason=REASON))
        follow(session, visit, now=now)


def _has_left(step: TakeBack) -> bool:
    was, now = VisitStatus(step.before["status"]), VisitStatus(step.visit.status)
    return was == now or (holds_claims(was) and not holds_claims(now))


def _stand_again(session: Session, steps: Sequence[TakeBack], *, by: int, now: dt.datetime) -> None:
    """All are judged for their old days, give up where they are, and claim their old places; of a swap each frees what
    the other one needs."""
    plans = {one.visit_id: _old_plan(one) for one in steps}
    judged = {one.visit_id: _judged(session, one, plans[one.visit_id], by, now) for one in steps}
    asks = [staff_ask(one.visit, plans[one.visit_id], one.before["therapist_id"], now=now) for one in steps]
    wait_for_places(
        session, [replace(ask, first_day=_old_day(one)) for one, ask in zip(steps, asks, strict=True)]
    )
    _leave_couples(session, [one.visit for one in steps], now)
    for one in steps:
        give_up(session, one.visit, now)
    for one in steps:
        _write(session, one, plans[one.visit_id], judged[one.visit_id], now=now)
    session.flush()
    try:
        _claim(session, steps, plans, now)
    except SlotTaken as error:
        raise SlotTaken(_("The time has been taken meanwhile. Nothing was undone."), error.nearest) from error


def _old_plan(step: TakeBack) -> VisitPlan:
    before = step.before
    return catalogue.plan_for_booked(
        before["service_id"], before["mode"], before["addons"], before["minutes"],
        first_visit=step.visit.first_visit,
    )  # fmt: skip


def _old_start(step: TakeBack) -> dt.datetime:
    return dt.datetime.fromisoformat(step.before["starts_at"])


def _old_day(step: TakeBack) -> dt.date:
    return _old_start(step).astimezone(ZoneInfo(step.visit.zone)).date()


def _judged(session: Session, step: TakeBack, plan: VisitPlan, by: int, now: dt.datetime) -> Judged:
    """What the gate says today of the visit as it was. Raises MoveNotAllowed where it could not stand so."""
    visit = step.visit
    order = Order(plan, tuple(step.before["areas"]), _old_day(step))
    client = client_of(visit.client_id or 0)
    if client.id != visit.client_id:
        raise MoveNotAllowed(_("It cannot be put back as it was: something has changed. Nothing was undone."))
    judged = judge(session, client, order, door="move", visit_id=visit.id, by=by, now=now)
    stands = needs_permit(VisitStatus(step.before["status"]))
    if judged.refuses or judged.unsafe_addons or (stands and not judged.permits) or judged.row is None:
        raise MoveNotAllowed(_("It cannot be put back as it was: something has changed. Nothing was undone."))
    return judged


def _rest_on_today(session: Session, step: TakeBack, *, by: int, now: dt.datetime) -> None:
    """Raises MoveNotAllowed where the visit may not stand any more."""
    judged = _judged(session, step, _old_plan(step), by, now)
    if judged.row is not None:
        rest_on(step.visit, judged.row)


def _leave_couples(session: Session, visits: Sequence[Visit], now: dt.datetime) -> None:
    """Two who share a room give it up one by one, as the others do."""
    for visit in visits:
        if visit.couple_id is not None and session.get_one(Couple, visit.couple_id).ended_at is None:
            end_couple(session, visit.couple_id, keeper=visit, now=now)
    for visit in visits:
        visit.couple_id = None
    session.flush()


def _write(session: Session, step: TakeBack, plan: VisitPlan, judged: Judged, *, now: dt.datetime) -> None:
    visit, before = step.visit, step.before
    with session.no_autoflush:
        for name in KEPT:
            if name != "status":  # it comes last: a visit that stands needs its place
                setattr(visit, name, before[name])
        set_start(visit, plan, _old_start(step))
        if needs_permit(VisitStatus(before["status"])) and judged.row is not None:
            rest_on(visit, judged.row)
        else:
            wait_for(session, visit, judged, now=now, what=before["waiting_for"])
            deadline = before["deadline_at"]
            visit.deadline_at = dt.datetime.fromisoformat(deadline) if deadline else None


def _claim(
    session: Session, steps: Sequence[TakeBack], plans: dict[int, VisitPlan], now: dt.datetime
) -> None:
    """The old therapists, and where they are free the old rooms; two in one room claim it as one. That somebody is off
    is no hindrance: they were off under the visit, too."""
    around = set[int]()
    for one in steps:
        place = one.before["therapist_id"], one.before["room_id"]
        if let_back(session, place, one.visit):
            around.update(place)
    for couple_id, several in groupby(
        sorted(steps, key=lambda one: one.visit.couple_id or 0), lambda one: one.visit.couple_id
    ):
        group = list(several)
        pair = [one.visit for one in group]
        asks = [
            replace(
                staff_ask(one.visit, plans[one.visit_id], one.before["therapist_id"], now=now), stood=True
            )
            for one in group
        ]
        if couple_id is not None:
            session.get_one(Couple, couple_id).ended_at = None
            claim_pair(session, couple_id, pair, asks, room_first=group[0].before["room_id"])
            continue
        for one, ask in zip(group, asks, strict=True):
            claim_best(session, one.visit, ask, expires_at=None, room_first=one.before["room_id"])
    claim_blocks(session, around, now)
