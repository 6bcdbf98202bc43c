"""A therapist cannot work: each visit is given to somebody else, offered another time, or called off, and the client is
told. One visit a transaction, through the same gate as every other change."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

from sqlalchemy.orm import Session

from clinic.booking.models import Visit
from clinic.booking.queries.visits import OFFERED, plan_of
from clinic.booking.services._chosen import client_of
from clinic.booking.services._claims import claim_best, give_up
from clinic.booking.services._deciding import is_skilled
from clinic.booking.services._judging import Judged, Order, judge
from clinic.booking.services._line import TOLD_BY, end_offers_for, open_offer, stand_in_line
from clinic.booking.services._locking import check_as_seen, waited_for
from clinic.booking.services._steps import ask_for, first_status, order_of, set_start, set_status, tell_client
from clinic.booking.services._taking_back import Step, as_it_stands, remember, told_by, told_from
from clinic.booking.services.judging import follow
from clinic.booking.services.resting import warn
from clinic.booking.services.visits import CHANGEABLE
from clinic.clients.models import Client
from clinic.premises import queries as premises
from clinic.rules import waitlist as rule
from clinic.rules.errors import MoveNotAllowed, NotQualified, RestNeeded, SlotTaken, TooSoon
from clinic.rules.language import N_, _
from clinic.rules.visit_status import VisitStatus
from clinic.shared.audit import leave_trace
from clinic.shared.database import transaction, tried_again
from clinic.therapists import queries as therapists

NOT_SAFE = N_(
    "With the newest answers this visit cannot go ahead as it is. Open the visit: it says what is needed."
)

TOO_SOON = N_(
    "This time comes too soon after another visit of theirs. Choose another one, or move it and say why."
)
ASKED_FOR = {
    "woman": N_(
        "The client asked for a woman here. To give the visit to somebody else all the same, move it by hand."
    ),
    "man": N_(
        "The client asked for a man here. To give the visit to somebody else all the same, move it by hand."
    ),
}


@tried_again
def give_to(
    visit_id: int,
    therapist_id: int,
    *,
    revision: int,
    by: int | None,
    now: dt.datetime,
    can_go_back: bool = False,
) -> None:
    """The same visit at the same time with another therapist; the client is told, with a link to say no at no charge.
    `can_go_back`: it was one press, which can be taken back first.

    Raises SlotTaken when that therapist is not free, may not treat this client or is not of the gender that they asked
    for, MoveNotAllowed when the gate does not let the visit stand or it was changed meanwhile, NotFound.
    """
    with transaction() as session:
        stand_in_line(session)
        visit, client = _changeable(session, visit_id, revision)
        judged = judge(
            session, client, order_of(visit, plan_of(visit)), door="move", visit_id=visit.id, by=by, now=now
        )
        is_safe = judged.may_stand(visit)
        if is_safe:
            _give(session, visit, client, judged, therapist_id, by=by, now=now, can_go_back=can_go_back)
        leave_trace(
            session,
            "visit.reassigned" if is_safe else "visit.change_refused",
            "visit",
            visit.id,
            by=by,
            now=now,
        )
    if not is_safe:
        raise MoveNotAllowed(NOT_SAFE)


def _changeable(session: Session, visit_id: int, revision: int) -> tuple[Visit, Client]:
    visit = waited_for(session, visit_id)
    check_as_seen([visit], [revision])
    if visit.status not in CHANGEABLE:
        raise MoveNotAllowed(_("This visit cannot be moved or changed any more."))
    return visit, client_of(visit.client_id or 0)


def _give(
    session: Session,
    visit: Visit,
    client: Client,
    judged: Judged,
    therapist_id: int,
    *,
    by: int | None,
    now: dt.datetime,
    can_go_back: bool,
) -> None:
    if not is_skilled(therapist_id, client.id, visit.day):
        raise SlotTaken(NotQualified.default_sentence)
    _check_gender(visit, therapist_id)
    before = as_it_stands(visit)
    was_asked = end_offers_for(session, visit, by=by, now=now)
    can_go_back = can_go_back and not was_asked and visit.couple_id is None  # as in `call_off`
    ask = ask_for(visit, plan_of(visit), now=now, by_staff=True, therapist_id=therapist_id)
    give_up(session, visit, now)
    claim_best(session, visit, replace(ask, rested_areas=None, at_its_place=True), expires_at=None)
    visit.revision += 1
    follow(session, visit, judged, by=by, now=now)
    not_before = told_from(now) if can_go_back else None
    made = open_offer(session, visit, "given", visit.starts_at, by=by, now=now, not_before=not_before)
    if can_go_back:
        key = f"{TOLD_BY['given']}:{visit.id}:offer-{made.id}" if client.email else None
        remember(session, [Step(visit, before, key)], "moved", by=by, now=now)


def _check_gender(visit: Visit, therapist_id: int) -> None:
    row = therapists.therapist(therapist_id)
    if visit.asked_gender and (row is None or row.gender != visit.asked_gender):
        raise SlotTaken(_(ASKED_FOR[visit.asked_gender]))


@tried_again
def offer_time(
    visit_id: int,
    starts_at: dt.datetime,
    therapist_id: int,
    *,
    revision: int,
    by: int | None,
    now: dt.datetime,
) -> int:
    """Keep another time for the client of this visit and ask them; the visit stays until they say yes. Returns the
    offer's id. Raises SlotTaken, MoveNotAllowed, TooSoon when nobody could answer in time, NotFound."""
    until = rule.offered_until(
        starts_at, now=now, minutes=premises.clinic().offer_minutes, lead_minutes=0, notice_hours=0
    )
    if until is None:
        raise TooSoon(_("This time is too near to wait for an answer. Please call the client."))
    with transaction() as session:
        stand_in_line(session)
        old, client = _changeable(session, visit_id, revision)
        if old.couple_id is not None:
            raise MoveNotAllowed(
                _("This visit is booked for two people, and both move together. See both visits.")
            )
        end_offers_for(session, old, by=by, now=now)
        kept = _kept_time(old, starts_at, until, by=by, now=now)
        judged = judge(
            session, client, Order(plan_of(old), tuple(old.areas), kept.day), door="move", visit_id=old.id,
            by=by, now=now,
        )  # fmt: skip
        made = None
        if judged.permits and not judged.unsafe_addons:
            if not is_skilled(therapist_id, client.id, kept.day):
                raise SlotTaken(NotQualified.default_sentence)
            if warn(old, client, Order(plan_of(old), tuple(old.areas), kept.day), starts_at) is not None:
                raise RestNeeded(_(TOO_SOON))
            ask = ask_for(kept, plan_of(old), now=now, by_staff=True, therapist_id=therapist_id)
            claim_best(session, kept, replace(ask, rested_areas=None), expires_at=until + rule.GRACE)
            first_status(session, kept, by=by, now=now)
            made = open_offer(session, kept, "move", until, instead_of_id=old.id, by=by, now=now).id
            old.revision += 1  # a plan that was shown before asks nobody a second time
            leave_trace(session, "visit.other_time_offered", "visit", old.id, by=by, now=now)
    if made is None:
        raise MoveNotAllowed(NOT_SAFE)
    return made


def _kept_time(
    old: Visit, starts_at: dt.datetime, until: dt.datetime, *, by: int | None, now: dt.datetime
) -> Visit:
    """The same visit at another time, held. Not in the session yet."""
    kept = Visit(
        location_id=old.location_id, client_id=old.client_id, areas=list(old.areas), zone=old.zone,
        starts_at=starts_at, status=VisitStatus.HELD, deadline_at=until, first_visit=old.first_visit,
        service_id=old.service_id, mode=old.mode, addons=list(old.addons), minutes=old.minutes, price=old.price,
        currency=old.currency, source=OFFERED, any_therapist=old.any_therapist, asked_gender=old.asked_gender,
        created_at=now, created_by_id=by, revision=1,
    )  # fmt: skip
    set_start(kept, plan_of(old), starts_at)
    return kept


@tried_again
def call_off(
    visit_id: int, *, revision: int, by: int | None, now: dt.datetime, can_go_back: bool = False
) -> None:
    """Cancel by the clinic and tell the client why, kindly; whoever has no e-mail is put on the list of calls.
    `can_go_back` as in `give_to`. Raises MoveNotAllowed, NotFound."""
    with transaction() as session:
        stand_in_line(session)
        visit, _client = _changeable(session, visit_id, revision)
        before = as_it_stands(visit)
        was_asked = end_offers_for(session, visit, by=by, now=now)
        # What a mail has told them already is not taken back, nor what the other one of two is told with it.
        can_go_back = can_go_back and not was_asked and visit.couple_id is None
        set_status(session, visit, VisitStatus.CANCELLED, by=by, now=now, reason="by the clinic")
        visit.deadline_at = visit.waiting_for = None
        not_before = told_from(now) if can_go_back else None
        tell_client(session, visit, "visit_called_off", now=now, not_before=not_before)
        if can_go_back:
            step = Step(visit, before, told_by(visit, "visit_called_off"))
            remember(session, [step], "cancelled", by=by, now=now)
        leave_trace(session, "visit.cancelled", "visit", visit.id, by=by, now=now, status="cancelled")
