"""Steps inside a transaction: keep the place, decide what the judgement makes of a held visit, and tell the person."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from clinic.booking.models import Checkout, Claim, Visit
from clinic.booking.queries import visits
from clinic.booking.queries.next_steps import PARTNER
from clinic.booking.queries.unfit import visits_to_reassign
from clinic.booking.queries.visits import plan_of
from clinic.booking.services._claims import claim_best, give_up, is_claimed, keep_until
from clinic.booking.services._judging import Judged, local_day
from clinic.booking.services._placing import claim_anew
from clinic.booking.services._steps import (
    ask_for,
    booked_mail,
    new_manage_key,
    rest_on,
    set_status,
    tell_client,
    wait_for,
)
from clinic.catalogue.queries import VisitPlan
from clinic.clients import queries as clients
from clinic.clients.models import Client
from clinic.clients.steps import lead_to_account
from clinic.intake import queries as intake
from clinic.premises import queries as premises
from clinic.premises.models import Device
from clinic.rules.errors import (
    BarredOnline,
    HoldExpired,
    NotQualified,
    RuleViolation,
    SlotTaken,
    TooManyPending,
)
from clinic.rules.language import _
from clinic.rules.visit_status import VisitStatus
from clinic.rules.wall_time import WallClock, moment
from clinic.shared.audit import leave_trace
from clinic.therapists import queries as therapists


def keep_place(session: Session, visit: Visit, now: dt.datetime) -> None:
    """A hold that ran out is taken again when it is still free; raises SlotTaken when it is not. The claims count as
    well as the deadline: by the clock of another one they may have ended already."""
    plan = plan_of(visit)
    is_kept = visit.deadline_at is not None and visit.deadline_at > now
    if is_kept and is_claimed(session, visit, len(plan.device_kinds)):
        return
    if visit.starts_at <= now:
        raise HoldExpired()
    visit.deadline_at = now  # kept no more: what was entered meanwhile counts when it is claimed anew
    until = now + dt.timedelta(minutes=premises.booking_settings().hold_minutes)
    if visit.hold_until is not None:
        until = min(
            until, visit.hold_until
        )  # taken again to be decided now, never kept longer than any other
    try:
        claim_anew(session, visit, plan, expires_at=until, now=now)
    except SlotTaken as error:
        raise SlotTaken(
            _("We could not keep this time any longer, and it has been taken."), error.nearest
        ) from error
    visit.deadline_at = until


def keep_room(session: Session, visit: Visit, now: dt.datetime) -> None:
    """Place, room and devices of a kept time are still in use, and of the kind that is needed; else others are taken.
    Raises SlotTaken where none is free, as at a place that is used no more."""
    plan = plan_of(visit)
    serves = visit.room.is_active and visit.room.room_kind == plan.room_kind
    if visit.location.is_active and serves and _has_devices(session, visit, plan):
        return
    claim_anew(session, visit, plan, expires_at=visit.deadline_at, now=now)


def _has_devices(session: Session, visit: Visit, plan: VisitPlan) -> bool:
    if not plan.device_kinds:
        return True
    theirs = Claim.visit_id == visit.id, Claim.resource_id == Device.id, Device.is_active
    return set(session.scalars(select(Device.device_kind).where(*theirs))) >= set(plan.device_kinds)


def has_to_reconfirm(visit: Visit) -> bool:
    """Whether the person has still to say what has changed since the answers that the visit was booked on."""
    if visit.to_reconfirm and visit.client_id is not None:
        day = local_day(visit.created_at, visit.zone)
        since = WallClock(ZoneInfo(visit.zone)).day_bounds(day)[0]
        if intake.is_reconfirmed(visit.client_id, since=moment(since), since_day=day):
            visit.to_reconfirm = False
    return visit.to_reconfirm


def is_skilled(therapist_id: int, client_id: int, day: dt.date) -> bool:
    """Whether this therapist works here and has on that day the skills that this person's answers ask for, whatever the
    service."""
    row = therapists.therapist(therapist_id)
    return row is not None and row.is_active and intake.skills_needed(client_id) <= row.skills_on(day)


def keep_therapist(session: Session, visit: Visit, now: dt.datetime) -> None:
    """The therapist of a kept time may give it to this person: licence, the skills that the treatment and the answers
    ask for, not kept apart from them, a woman or a man where that was asked for. Else another one has it, where any was
    asked for. Raises SlotTaken, in words that give no reason, when nobody can."""
    is_as_asked = visit.asked_gender in ("", visit.therapist.gender)
    if is_as_asked and not visits_to_reassign([visit]):
        return
    try:
        if is_as_asked:
            claim_anew(session, visit, plan_of(visit), expires_at=visit.deadline_at, now=now)
        else:  # by name a man would have it as well
            wish = ask_for(visit, plan_of(visit), now=now, by_staff=True, therapist_id=None)
            give_up(session, visit, now)
            claim_best(session, visit, wish, expires_at=visit.deadline_at)
    except SlotTaken as error:
        nobody = _("Nobody who can treat you is free at this time. Please choose another time.")
        sentence = nobody if visit.any_therapist else NotQualified.default_sentence
        raise SlotTaken(sentence, error.nearest) from error


def keep_or_find_skilled(session: Session, visit: Visit, now: dt.datetime) -> bool:
    """Whether somebody with the skills that this person's answers ask for gives a booked visit. Where any therapist
    was asked for, another who is free at the same time takes it over, and the client is told who, not why. A couple
    keeps its two therapists until the desk moves both."""
    if is_skilled(visit.therapist_id, visit.client_id or 0, visit.day):
        return True
    if not visit.any_therapist or visit.couple_id is not None:
        return False
    wish = ask_for(visit, plan_of(visit), now=now, by_staff=True, therapist_id=None)
    try:
        with session.begin_nested():
            give_up(session, visit, now)
            claim_best(session, visit, replace(wish, rested_areas=None), expires_at=None)
    except SlotTaken:
        return False
    visit.revision += 1
    tell_client(session, visit, "visit_changed", now=now)
    leave_trace(session, "visit.reassigned", "visit", visit.id, by=None, now=now)
    return True


def decide(
    session: Session, visit: Visit, client: Client, judged: Judged, *, user_id: int | None, now: dt.datetime
) -> RuleViolation | None:
    """Confirmed, waiting with its time kept, or given back. Where too many wait already nothing is decided, and the
    refusal is returned: the caller keeps the judgement before raising it."""
    openly = int(judged.told.waiting_for is not None)
    refusal = too_many_wait(
        client, openly=openly, besides=visit.id
    )  # in any case: an unseen wait takes no longer
    if judged.permits and judged.row is not None:
        rest_on(visit, judged.row)
        set_status(session, visit, VisitStatus.CONFIRMED, by=user_id, now=now)
        keep_until(session, visit.id, None)
    elif judged.refuses:
        set_status(session, visit, VisitStatus.RELEASED, by=user_id, now=now, reason="not booked")
    elif refusal is not None:
        return refusal
    else:
        visit.deadline_at = None
        wait_for(session, visit, judged, now=now)
        set_status(session, visit, VisitStatus.PENDING, by=user_id, now=now)
    return None


def too_many_wait(client: Client, *, openly: int, besides: int | None = None) -> RuleViolation | None:
    """The refusal where too many visits of one person would wait at once, under whatever name. `openly`: how many more
    they would know to wait; none where all that waits is to be looked at unseen.

    What an unproven record cannot know, a look-alike's visit or that its own waits, is refused in words that say
    nothing of it. A visit that waits only for the other of two is nobody's own wait, unless its client is told so."""
    ids = [client.id]
    if client.is_unproven:
        ids += [one.id for one in clients.look_alikes(client) if one.is_unproven]
    waiting = visits.others_pending(ids, besides=besides)
    told = [one for one in waiting if one.client_id == client.id and not visits.is_hidden_wait(one)]
    unseen = [one for one in waiting if one not in told and one.waiting_for != PARTNER]
    most = premises.booking_settings().pending_per_client
    if openly and len(told) + openly > most:
        return TooManyPending()
    in_the_way = len(told) + len(unseen) + openly > most if openly else len(unseen) >= most
    return BarredOnline() if in_the_way else None


def tell(session: Session, visit: Visit, client: Client, checkout: Checkout, *, now: dt.datetime) -> None:
    """The mail with the visit's own link; for somebody without an account, the way to one."""
    token = new_manage_key(visit)
    checkout.details = {**(checkout.details or {}), "manage": token}
    tell_client(session, visit, booked_mail(visit), now=now, token=token)
    if checkout.user_id is None and client.email_key:
        lead_to_account(session, client, (checkout.details or {}).get("relation", "self"), now=now)
