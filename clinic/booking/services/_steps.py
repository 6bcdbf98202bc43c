"""Steps inside a transaction: a visit's times, its status, what a judgement makes of it, and who is told."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from clinic.accounts.queries import hash_of
from clinic.accounts.steps import new_token
from clinic.booking.models import CallRequest, Screening, StatusChange, Visit
from clinic.booking.queries import couples, told, visits
from clinic.booking.queries.availability import Ask
from clinic.booking.queries.judged_by import RULES
from clinic.booking.queries.next_steps import PARTNER
from clinic.booking.services._claims import give_up, keep_until
from clinic.booking.services._forgetting import ask_as_before
from clinic.booking.services._judging import Judged, Order, wait_for_answers
from clinic.booking.timed_steps import follow, plan_messages
from clinic.catalogue import queries as catalogue
from clinic.catalogue.queries import VisitPlan
from clinic.clients.models import Client
from clinic.clients.steps import speaking_to
from clinic.premises import queries as premises
from clinic.rules import booking_policy, words
from clinic.rules.errors import InvalidInput
from clinic.rules.language import _
from clinic.rules.messages import KINDS, TIMED, VISIT_PAGE
from clinic.rules.money import price_without
from clinic.rules.visit_status import (
    CALLED_OFF,
    UPCOMING,
    VisitStatus,
    check_transition,
    holds_claims,
    needs_permit,
)
from clinic.shared.database import Base, connection_of
from clinic.shared.mail import About, queue_mail

FALLEN_AWAY = CALLED_OFF | {VisitStatus.SUSPENDED}
WITH_THE_OTHER = "with the other visit of the two"

# What happens to a visit while its client is not there. Whoever has no e-mail is called about it.
NEWS = frozenset(
    {
        "visit_on_hold",
        "visit_cannot_go_ahead",
        "visit_changed",
        "visit_confirmed_now",
        "visit_released",
        "visit_given",
        "visit_called_off",
        "couple_apart",
        "offer_made",
        "offer_instead",
    }
)


def news_of_cancelling(*, by_clinic: bool) -> str:
    """The message for a visit that its client called off, or the clinic, which owes them a word of regret."""
    return "visit_called_off" if by_clinic else "visit_cancelled"


SAY_IT_WAITS = ("visit_waiting", "visit_on_hold")

# What is not sent any more when the visit has been moved or has ended meanwhile.
TRUE_FOR_A_TIME = frozenset({*TIMED, "visit_check_in", "visit_moved"})


def plan_without(visit: Visit, plan: VisitPlan, columns: Collection[str]) -> VisitPlan:
    """The same plan without the add-ons that these columns judge, at what the visit then costs."""
    pairs = zip(plan.addons, plan.addon_columns, strict=True)
    keep = [key for key, column in pairs if column not in columns]
    less = catalogue.plan_for_booked(
        visit.service_id, visit.mode, keep, visit.minutes, first_visit=visit.first_visit
    )
    return replace(less, price=price_without(visit.price, plan.price - less.price, less.price))


def order_of(visit: Visit, plan: VisitPlan) -> Order:
    """What the gate judges of this visit."""
    return Order(plan=plan, areas=tuple(visit.areas), day=visit.day)


def set_plan(visit: Visit, plan: VisitPlan) -> None:
    """Put the plan on the visit; its end follows, and its price where something else is ordered than before: what was
    said to cost so much goes on costing that, whatever the owner has changed or taken off the list since."""
    before = visit.service_id, visit.mode, visit.addons, visit.minutes
    after = plan.service_id, plan.mode, sorted(plan.addons), plan.minutes
    visit.service_id, visit.mode, visit.addons, visit.minutes = after
    if before != after:
        visit.price = plan.price
    set_start(visit, plan, visit.starts_at)


def set_start(visit: Visit, plan: VisitPlan, starts_at: dt.datetime) -> None:
    """Put the start on the visit; the local day and time, the end and the end of turnover follow."""
    local = starts_at.astimezone(ZoneInfo(visit.zone))
    visit.starts_at = starts_at
    visit.day, visit.local_time, visit.fold = local.date(), local.time().replace(fold=0), local.fold
    visit.ends_at = starts_at + dt.timedelta(minutes=plan.total_minutes)
    visit.free_at = visit.ends_at + dt.timedelta(minutes=plan.turnover_minutes)


def ask_for(
    visit: Visit, plan: VisitPlan, *, now: dt.datetime, by_staff: bool, therapist_id: int | None
) -> Ask:
    """The wish that finds a place for a visit that somebody books for themselves, its own claims out of the way."""
    return Ask(
        plan=plan, location_id=visit.location_id, first_day=visit.day, days=1, now=now,
        therapist_id=therapist_id, client_id=visit.client_id, by_staff=by_staff, instead_of=visit.id,
        rested_areas=tuple(visit.areas), gender=visit.asked_gender,
    )  # fmt: skip


def set_status(
    session: Session, visit: Visit, new: VisitStatus, *, by: int | None, now: dt.datetime, reason: str = ""
) -> None:
    """Take the visit to another status, keep the step, and give up its claims when it has ended."""
    was = VisitStatus(visit.status)
    check_transition(was, new)
    visit.status = new
    visit.revision += 1
    if not needs_permit(new) and visit.permits:
        visit.permits = None if new in (VisitStatus.SUSPENDED, VisitStatus.PENDING) else visit.permits
    session.add(StatusChange(visit_id=visit.id, status=new, at=now, by_user_id=by, reason=reason))
    session.flush()
    if was == VisitStatus.HELD:
        _begin_to_wait(session, visit)
    if visit.couple_id is not None and holds_claims(was):
        _take_partner_along(session, visit, new, now=now)
    if not holds_claims(new):
        give_up(session, visit, now)
    follow(session, visit, now=now)


def _take_partner_along(session: Session, visit: Visit, new: VisitStatus, *, now: dt.datetime) -> None:
    """Of a couple both are confirmed or neither: what is confirmed confirms the other one that waited for it alone,
    what falls away or waits makes the other one wait."""
    partner = couples.partner_of(visit)
    if partner is None:
        return
    wait_for_answers(session, session.get_one(Client, partner.client_id))
    partner = couples.partner_of(visit, to_change=True)
    if partner is None:
        return
    if new in FALLEN_AWAY:
        wait_for_partner(session, partner, now=now)
    elif new == VisitStatus.CONFIRMED and couples.is_ready(partner):
        judged = session.get(Screening, partner.screening_id) if partner.screening_id else None
        if judged is not None and judged.permits:
            was = VisitStatus(partner.status)
            rest_on(partner, judged)
            set_status(session, partner, VisitStatus.CONFIRMED, by=None, now=now, reason=WITH_THE_OTHER)
            say_it_stands(session, partner, was, now=now)


def booked_mail(visit: Visit) -> str:
    """The mail that says how a visit stands that was booked, as far as its client may be told."""
    return "visit_booked" if visits.seen_as(visit) is VisitStatus.CONFIRMED else "visit_waiting"


def say_it_stands(session: Session, visit: Visit, was: VisitStatus, *, now: dt.datetime) -> None:
    """The visit that waited stands now, or its client may take it for one that does: they are told, once. That it `was`
    suspended they could see, whether a mail had said so yet or not."""
    if was is VisitStatus.SUSPENDED or not told.knows_it_stands(visit):
        tell_client(session, visit, "visit_confirmed_now", now=now)


def wait_for_partner(session: Session, visit: Visit, *, now: dt.datetime) -> None:
    """The visit of a couple is permitted, and the other one is not, or fell away: it keeps its time until a deadline of
    its own. One that waits for something else besides goes on waiting for that, unless the other one fell away."""
    partner = couples.partner_of(visit)
    if visit.status in (VisitStatus.CONFIRMED, VisitStatus.ARRIVED):
        visit.permits = None
        set_status(session, visit, VisitStatus.SUSPENDED, by=None, now=now, reason=WITH_THE_OTHER)
        _put_off(visit, now)
        tell_client(session, visit, "visit_on_hold", now=now)
    elif visit.is_waiting and partner is None:
        _put_off(visit, now)
        if told.knows_it_stands(visit):  # they took it for one that stands, and are told as if it had
            tell_client(session, visit, "visit_on_hold", now=now, about="apart")
        elif visit.source == "online":
            tell_client(session, visit, "couple_apart", now=now, about="apart")


def _put_off(visit: Visit, now: dt.datetime) -> None:
    settings = premises.booking_settings()
    visit.waiting_for = PARTNER
    visit.deadline_at = booking_policy.desk_deadline(visit.starts_at, since=now, settings=settings)


_STEP = insert(Base.metadata.tables["status_change"])


def first_status(session: Session, visit: Visit, *, by: int | None, now: dt.datetime) -> None:
    """The first row of a visit's life; the visit is written before."""
    step = {"visit_id": visit.id, "status": visit.status, "at": now, "by_user_id": by, "reason": ""}
    connection_of(session).execute(_STEP, step)
    _begin_to_wait(session, visit)
    plan_messages(session, [visit], now=now)


def _begin_to_wait(session: Session, visit: Visit) -> None:
    client = session.get(Client, visit.client_id) if visit.client_id is not None else None
    if client is not None and visit.status in UPCOMING:
        ask_as_before(session, visit, client)


def rest_on(visit: Visit, screening: Screening) -> None:
    """The visit rests on this permitting judgement from now on."""
    visit.screening_id, visit.judged_key, visit.permits = screening.id, screening.judged_key, True
    visit.waiting_for = visit.deadline_at = visit.hold_until = None


def wait_for(
    session: Session, visit: Visit, judged: Judged, *, now: dt.datetime, what: str | None = None
) -> None:
    """The visit waits, its claims kept until its deadline. The deadline does not move while it goes on waiting.
    `what`: what it waits for besides the judgement, in a neutral word."""
    row = judged.row
    visit.screening_id, visit.judged_key = (row.id, row.judged_key) if row else (None, None)
    visit.permits, visit.hold_until = None, None
    visit.waiting_for = what or judged.waiting_for
    if visit.status not in (VisitStatus.PENDING, VisitStatus.SUSPENDED) or visit.deadline_at is None:
        settings = premises.booking_settings()
        visit.deadline_at = booking_policy.desk_deadline(visit.starts_at, since=now, settings=settings)
    keep_until(session, visit.id, None)


def wait_for_staff(session: Session, visit: Visit, screening: Screening, deadline_at: dt.datetime) -> None:
    """The rules no longer allow the visit: it keeps its time until staff confirm the cancellation."""
    visit.screening_id, visit.judged_key = screening.id, screening.judged_key
    visit.permits, visit.hold_until = None, None
    visit.waiting_for, visit.deadline_at = RULES, deadline_at
    keep_until(session, visit.id, None)


def new_manage_key(visit: Visit) -> str:
    """A fresh key for the visit's own page; an earlier one stops working. Returned once, kept hashed."""
    token = new_token()
    visit.manage_hash = hash_of(token)
    return token


def tell_client(
    session: Session,
    visit: Visit,
    template: str,
    *,
    now: dt.datetime,
    token: str = "",
    about: str = "",
    by: str = "",
    not_before: dt.datetime | None = None,
    stop_key: str | None = None,
    **values: Any,
) -> None:
    """Queue a mail about this visit (`token` opens its own page). Neutral words: no service, reason or answer.

    One mail for each change of the visit, or for each `about`; it does not leave before `not_before`. `by`: who asked
    for it, where that is told. Without an e-mail address the desk gets a call to make instead, where the news would not
    reach the client.
    """
    client = visits.person_of(visit)
    if client is None:
        return
    if template == "visit_moved":
        follow(session, visit, now=now)
    if not client.email:
        call_instead(session, visit, template, now)
        return
    clinic = premises.clinic_facts()
    if clinic is None:
        raise InvalidInput("clinic", _("The clinic is not set up."))
    with speaking_to(client):
        queue_mail(
            session,
            template,
            client.email,
            key=f"{template}:{visit.id}:{about or visit.revision}",
            now=now,
            not_before=not_before,
            about=About(visit.id, visit.starts_at if template in TRUE_FOR_A_TIME else None, stop_key),
            name=client.first_name,
            token=token or key_of(visit, template),
            by=by,
            is_for_other=template in SAY_IT_WAITS and _waits_for_other(visit),
            **_told_of(visit, clinic, not_before or now),
            **values,
        )


def _waits_for_other(visit: Visit) -> bool:
    """Whether its client may be told that it waits for the other one of two and for nothing of theirs."""
    if visit.couple_id is None or visits.told_wait(visit) != PARTNER:
        return False
    return couples.partner_of(visit) is not None


def key_of(visit: Visit, template: str) -> str:
    """A key for the visit's own page beside the one of its booking, where the message leads there."""
    if KINDS[template].link != VISIT_PAGE:
        return ""
    if visit.manage_hash is None:
        new_manage_key(visit)
    return visits.reminder_key(visit)


def _told_of(visit: Visit, clinic: premises.ClinicFacts, read_at: dt.datetime) -> dict[str, Any]:
    """What every mail about a visit may say of it, in the language of the moment."""
    until = booking_policy.cancel_until(visit.starts_at, premises.booking_settings())

    def moment(at: dt.datetime) -> str:
        return words.moment_words(at, visit.zone, uses_24_hours=clinic.uses_24_hours)

    return {
        "when": moment(visit.starts_at),
        "length": words.length_words(visit.whole_minutes),
        "therapist": visit.therapist.name,
        "place": visit.location.address_line,
        "clinic": clinic.name,
        "phone": visit.location.phone or clinic.phone,
        "deadline": moment(visit.deadline_at) if visit.deadline_at else "",
        "notice_hours": clinic.cancel_notice_hours,
        "is_near": read_at > until,
    }


def call_instead(session: Session, visit: Visit, template: str, now: dt.datetime) -> None:
    """The desk is to call a client whom this mail cannot reach, where it would have brought news. One open call for
    each visit is enough: the desk reads there how it stands."""
    if template not in NEWS:
        return
    waiting = select(CallRequest.id).where(
        CallRequest.visit_id == visit.id, CallRequest.about == "news", CallRequest.done_at.is_(None)
    )
    if session.scalar(waiting.limit(1)) is None:
        client = visits.person_of(visit)
        whom, phone = (client.id, client.phone) if client is not None else (None, None)
        session.add(
            CallRequest(client_id=whom, visit_id=visit.id, phone=phone or "", about="news", asked_at=now)
        )
