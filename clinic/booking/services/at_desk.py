"""Moving and changing visits at the desk: tried first, done then, and taken back while nobody has been told."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from clinic.booking.models import StatusChange, Visit
from clinic.booking.services._booking import Outcome, staff_ask, waited_for
from clinic.booking.services._changing import Change, change
from clinic.booking.services._claims import claim_best, give_up
from clinic.booking.services._judging import Order, client_of, judge
from clinic.booking.services._steps import rest_on, set_start, wait_for
from clinic.booking.services._taking_back import KEPT
from clinic.booking.taken_back import TakeBack
from clinic.booking.timed_steps import follow
from clinic.catalogue import queries as catalogue
from clinic.rules import taking_back
from clinic.rules.errors import MoveNotAllowed, SlotTaken, TooLate
from clinic.rules.language import _
from clinic.rules.visit_status import VisitStatus, holds_claims, needs_permit
from clinic.shared.audit import leave_trace
from clinic.shared.database import transaction, tried_again
from clinic.shared.mail import drop_mail

__all__ = ["Change", "change_at_desk", "forget_steps", "take_back", "try_change"]


class _TriedOut(Exception):
    """Ends the transaction of a trial: what came out is known, and nothing of it is kept."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__()
        self.outcome = outcome


@tried_again
def try_change(visit_id: int, wish: Change, *, now: dt.datetime) -> Outcome:
    """What would come of a change: it is done, by the same gate and claims, and undone. Nothing is kept, not even the
    judgement. Raises what `change_at_desk` raises."""
    try:
        with transaction() as session:
            raise _TriedOut(change(session, visit_id, replace(wish, at_desk=True), now=now))
    except _TriedOut as tried:
        return tried.outcome


@tried_again
def change_at_desk(visit_id: int, wish: Change, *, now: dt.datetime) -> Outcome:
    """Move or change a visit, as `visits.change_visit`; for a moment it can be taken back, and nobody is told."""
    with transaction() as session:
        return change(session, visit_id, replace(wish, at_desk=True), now=now)


@tried_again
def take_back(visit_id: int, *, by: int, now: dt.datetime) -> str:
    """Put the visit back to how it stood before the last step at the desk; returns which step that was. Nobody is told
    of either. Judged and claimed like every other change. Raises TooLate, MoveNotAllowed, SlotTaken, NotFound."""
    with transaction() as session:
        visit = waited_for(session, visit_id)
        step = session.scalars(
            select(TakeBack).where(TakeBack.visit_id == visit_id).with_for_update()
        ).one_or_none()
        if step is None:
            raise TooLate(_("There is nothing to undo here any more."))
        taking_back.check_in_time(step.until, now=now)
        if step.revision != visit.revision:
            raise MoveNotAllowed(_("This visit was changed meanwhile. Please look at it again."))
        if step.mail_key is not None and not drop_mail(session, step.mail_key):
            raise TooLate(_("It is too late to undo this: the client is being told."))
        _put_back(session, visit, step.before, by=by, now=now)
        visit.revision += 1
        session.flush()
        session.delete(step)
        leave_trace(session, "visit.taken_back", "visit", visit.id, by=by, now=now, step=step.deed)
        return step.deed


@tried_again
def forget_steps(before: dt.datetime) -> int:
    """Delete what nobody can take back any more; returns how many."""
    with transaction() as session:
        past = delete(TakeBack).where(TakeBack.until < before).returning(TakeBack.id)
        return len(session.execute(past).all())


def _put_back(session: Session, visit: Visit, before: dict[str, Any], *, by: int, now: dt.datetime) -> None:
    """Marked by a slip, a visit that kept its place only changes its status; else it is judged and claimed again."""
    old, status = VisitStatus(visit.status), VisitStatus(before["status"])
    if old is status or not holds_claims(old):
        _stand_again(session, visit, before, by=by, now=now)
    visit.status = status
    if old is not status:
        session.add(
            StatusChange(visit_id=visit.id, status=status, at=now, by_user_id=by, reason="taken back")
        )
    follow(session, visit, now=now)


def _stand_again(
    session: Session, visit: Visit, before: dict[str, Any], *, by: int, now: dt.datetime
) -> None:
    start = dt.datetime.fromisoformat(before["starts_at"])
    plan = catalogue.plan_for_booked(
        before["service_id"], before["mode"], before["addons"], before["minutes"],
        first_visit=visit.first_visit,
    )  # fmt: skip
    order = Order(plan, tuple(before["areas"]), start.astimezone(ZoneInfo(visit.zone)).date())
    client = client_of(visit.client_id or 0)
    judged = judge(session, client, order, door="move", visit_id=visit.id, by=by, now=now)
    stands = needs_permit(VisitStatus(before["status"]))
    if judged.refuses or judged.unsafe_addons or (stands and not judged.permits) or judged.row is None:
        raise MoveNotAllowed(_("It cannot stand again as it was: something has changed. Nothing was undone."))
    give_up(session, visit, now)
    with session.no_autoflush:
        for name in KEPT:
            setattr(visit, name, before[name])
        set_start(visit, plan, start)
        if stands:
            rest_on(visit, judged.row)
        else:
            wait_for(session, visit, judged, now=now, what=before["waiting_for"])
            deadline = before["deadline_at"]
            visit.deadline_at = dt.datetime.fromisoformat(deadline) if deadline else None
    session.flush()
    place = staff_ask(visit, plan, before["therapist_id"], now=now)
    try:
        claim_best(session, visit, place, expires_at=None, room_first=before["room_id"])
    except SlotTaken as error:
        raise SlotTaken(_("The time has been taken meanwhile. Nothing was undone."), error.nearest) from error
