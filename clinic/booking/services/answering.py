"""The answer to an offer: yes, through the same gate as any booking; or no, and the next in line is asked."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy.orm import Session

from clinic.booking.models import Offer, Visit, WaitlistWish
from clinic.booking.queries import visits, waitlist
from clinic.booking.queries.next_steps import RECONFIRM
from clinic.booking.queries.visits import plan_of
from clinic.booking.services._chosen import client_of
from clinic.booking.services._claims import is_claimed, keep_until
from clinic.booking.services._deciding import decide, has_to_reconfirm, keep_room, keep_therapist
from clinic.booking.services._judging import Judged, judge
from clinic.booking.services._line import end_and_pass_on, end_offer, offer_next, stand_in_line
from clinic.booking.services._placing import claim_anew, hand_on_aim
from clinic.booking.services._steps import (
    booked_mail,
    new_manage_key,
    order_of,
    set_status,
    tell_client,
    wait_for,
)
from clinic.booking.services.resting import check_rested
from clinic.clients.models import Client
from clinic.rules.errors import BarredOnline, HoldExpired, MoveNotAllowed, NotFound, RuleViolation, SlotTaken
from clinic.rules.language import N_, _
from clinic.rules.visit_status import UPCOMING, VisitStatus
from clinic.shared.audit import leave_trace
from clinic.shared.database import transaction, tried_again

OVER = N_("This offer has run out. You are still on the list, and we will write again.")
RUN_OUT = N_("This offer has run out. We call you and find another way.")
BLOCKED = N_("This time is not free any more. You are still on the list, and we will write again.")
BLOCKED_TOO = N_("This time is not free any more. We call you and find another way.")
BEGUN_OR_CHANGED = N_("Your visit has begun, or it was changed since we wrote to you.")
CHANGED = N_("Your visit was changed meanwhile, so this offer is over. Please look at your visit.")
NOT_ANY_MORE = N_("We cannot book this time for you at the moment. Please call us, we will help you.")


@dataclass(frozen=True)
class Answered:
    """The visit as it stands after a yes, and the key of its page ("" when the yes had been said before)."""

    visit_id: int
    status: VisitStatus
    token: str = ""


@tried_again
def accept(offer_id: int, *, by: int | None, now: dt.datetime, reconfirmed: bool = False) -> Answered:
    """Yes: the kept time becomes a visit, judged now like every booking online. On answers of an earlier day it waits
    until the person has said what has changed; `reconfirmed`: whoever asks has done that. A second yes changes nothing.

    Raises HoldExpired when the offer is over, MoveNotAllowed when the gate does not let it stand (the time goes to the
    next in line), RestNeeded, SlotTaken, BarredOnline, TooManyPending, NotFound.
    """
    with transaction() as session:
        offer, visit = _locked(session, offer_id)
        if offer.kind == "given" or offer.ended_as == "accepted":
            return Answered(visit.id, visits.seen_as(visit))
        _check_stands(offer, visit, now)
        client = client_of(visit.client_id or 0)
        refusal: RuleViolation | None
        if waitlist.is_blocked(offer) and not _is_given_otherwise(session, offer, visit, now):
            end_and_pass_on(session, offer, "blocked", by=by, now=now)
            refusal = HoldExpired(why_over(offer))
        else:
            refusal = _accept(session, offer, visit, client, by=by, now=now, reconfirmed=reconfirmed)
        if refusal is None:
            token = new_manage_key(visit)
            status = visits.seen_as(visit)
            tell_client(session, visit, booked_mail(visit), now=now, token=token)
            leave_trace(session, "waitlist.accepted", "visit", visit.id, by=by, now=now, status=visit.status)
            return Answered(visit.id, status, token)
        leave_trace(session, "waitlist.not_possible", "visit", visit.id, by=by, now=now)
    raise refusal


def _locked(session: Session, offer_id: int) -> tuple[Offer, Visit]:
    """The offer and the visit it keeps, both locked. Raises NotFound."""
    stand_in_line(session)
    offer = session.get(Offer, offer_id, with_for_update=True, populate_existing=True)
    if offer is None:
        raise NotFound(_("There is no such offer."))
    return offer, session.get_one(Visit, offer.visit_id, with_for_update=True, populate_existing=True)


def _check_stands(offer: Offer, visit: Visit, now: dt.datetime) -> None:
    """Raise HoldExpired unless the offer is open. Whether its time is still kept is looked at when it is taken."""
    if offer.ended_at is not None or visit.status != VisitStatus.HELD or offer.expires_at <= now:
        raise HoldExpired(why_over(offer))


def _is_given_otherwise(session: Session, offer: Offer, visit: Visit, now: dt.datetime) -> bool:
    """Whether somebody else, or another room, could be found at that time since theirs was blocked."""
    try:
        with session.begin_nested():
            claim_anew(session, visit, plan_of(visit), expires_at=visit.deadline_at, now=now)
            if waitlist.is_blocked(offer):
                raise SlotTaken
    except SlotTaken:
        return False
    return True


def why_over(offer: Offer) -> str:
    """What is said to whoever answers an offer that cannot be answered any more."""
    is_blocked = offer.ended_as == "blocked"
    if offer.kind == "wish":
        return _(BLOCKED if is_blocked else OVER)
    if offer.kind == "given":
        return _(BEGUN_OR_CHANGED)
    if offer.ended_as == "withdrawn" or not waitlist.is_unsettled(offer):
        return _(CHANGED)
    return _(BLOCKED_TOO if is_blocked else RUN_OUT)


def _accept(
    session: Session,
    offer: Offer,
    visit: Visit,
    client: Client,
    *,
    by: int | None,
    now: dt.datetime,
    reconfirmed: bool,
) -> RuleViolation | None:
    """Take the time for good. A refusal is returned where what was judged is to be kept."""
    if client.is_barred_online and offer.kind == "wish":
        raise BarredOnline()
    plan, old = plan_of(visit), _stood_in_for(session, offer)
    visit.to_reconfirm = old.to_reconfirm if old is not None else not reconfirmed
    judged = judge(session, client, order_of(visit, plan), door="waitlist", visit_id=visit.id, by=by, now=now)
    gives_up_more = old is not None and old.status == VisitStatus.CONFIRMED and not judged.permits
    if judged.refuses or judged.unsafe_addons or gives_up_more:
        end_offer(session, offer, "not_possible", by=by, now=now)
        offer_next(session, visit.day, now)
        return MoveNotAllowed(NOT_ANY_MORE)  # what it would have stood in for stays as it is
    if old is not None:
        _give_up(session, old, by=by, now=now)
        hand_on_aim(old, visit)
        visit.series_id = old.series_id
    check_rested(visit, client, plan)
    # a part of it may be somebody else's by their clock, or the treatment needs more by now
    if not is_claimed(session, visit, len(plan.device_kinds)):
        try:
            claim_anew(session, visit, plan, expires_at=visit.deadline_at, now=now)
        except SlotTaken as error:
            raise HoldExpired(why_over(offer)) from error
    keep_room(session, visit, now)
    keep_therapist(session, visit, now)
    refusal = _settle(session, visit, client, judged, by=by, now=now)
    if refusal is not None:
        raise refusal
    offer.ended_at, offer.ended_as = now, "accepted"
    if offer.wish_id is not None:
        wish = session.get_one(WaitlistWish, offer.wish_id)
        wish.ended_at, wish.ended_as = now, "booked"
    session.flush()
    return None


def _stood_in_for(session: Session, offer: Offer) -> Visit | None:
    """The visit that this one stands in for, if it does, locked. Raises HoldExpired when it is not there to be moved
    any more: somebody has found another way meanwhile."""
    if offer.instead_of_id is None:
        return None
    old = session.get_one(Visit, offer.instead_of_id, with_for_update=True, populate_existing=True)
    if old.status not in UPCOMING:
        raise HoldExpired(_(CHANGED))
    return old


def _give_up(session: Session, old: Visit, *, by: int | None, now: dt.datetime) -> None:
    """In the same step in which the other time is taken."""
    set_status(session, old, VisitStatus.CANCELLED, by=by, now=now, reason="moved")
    old.deadline_at = old.waiting_for = None


def _settle(
    session: Session, visit: Visit, client: Client, judged: Judged, *, by: int | None, now: dt.datetime
) -> RuleViolation | None:
    """Confirmed, or waiting with its time kept: as for everybody who books online."""
    if has_to_reconfirm(visit) and judged.permits:
        visit.deadline_at = None
        wait_for(session, visit, judged, now=now, what=RECONFIRM)
        set_status(session, visit, VisitStatus.PENDING, by=by, now=now)
        keep_until(session, visit.id, None)
        return None
    return decide(session, visit, client, judged, user_id=by, now=now)


@tried_again
def decline(offer_id: int, *, by: int | None, now: dt.datetime) -> None:
    """No: the time goes to the next in line; the wish stays on the list. A visit that was given to another
    therapist is cancelled by the clinic, at no charge. A second no changes nothing. Raises NotFound, HoldExpired."""
    with transaction() as session:
        offer, visit = _locked(session, offer_id)
        if offer.ended_as == "declined":
            return
        if offer.kind == "given" and not waitlist.still_stands(offer, now):
            raise HoldExpired(why_over(offer))
        if offer.ended_at is not None:
            raise HoldExpired(_("This offer is over already."))
        end_offer(session, offer, "declined", by=by, now=now)
        if offer.kind == "given" and visit.status in UPCOMING:
            set_status(
                session, visit, VisitStatus.CANCELLED, by=by, now=now, reason="other therapist declined"
            )
            visit.deadline_at = visit.waiting_for = None
            tell_client(session, visit, "visit_cancelled", now=now)
        offer_next(session, visit.day, now)
        leave_trace(session, "offer.declined", "offer", offer.id, by=by, now=now)
