"""Steps inside a transaction: who is first in line for a time, and keeping it for them.

Whoever makes or ends an offer stands in line for the clinic's row first (`stand_in_line`): two workers at once make the
same offers as one, in the same order.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from clinic.accounts.queries import hash_of
from clinic.accounts.steps import new_token
from clinic.booking.models import CallRequest, Offer, Visit, WaitlistWish
from clinic.booking.queries import taking_back, visits, waitlist
from clinic.booking.queries.availability import Ask, look
from clinic.booking.queries.visits import OFFERED
from clinic.booking.services._claims import claim_best
from clinic.booking.services._judging import Order, weigh_by
from clinic.booking.services._known import Known, known_of
from clinic.booking.services._steps import ask_for, first_status, set_plan, set_status, tell_client
from clinic.catalogue import queries as catalogue
from clinic.catalogue.queries import VisitPlan
from clinic.clients import queries as clients
from clinic.clients.models import Client
from clinic.premises import queries as premises
from clinic.premises.models import Clinic
from clinic.rulebook import queries as rulebook
from clinic.rules import waitlist as rule
from clinic.rules.errors import SlotTaken
from clinic.rules.language import _
from clinic.rules.quiet_time import QuietTime
from clinic.rules.rule_table import RuleTable
from clinic.rules.visit_status import VisitStatus
from clinic.rules.waitlist import GRACE, Span
from clinic.rules.wall_time import WallClock, dates_from, epoch_minute, local_day, moment
from clinic.shared.audit import leave_trace
from clinic.shared.crypto import CannotOpen

log = structlog.get_logger()


def stand_in_line(session: Session) -> None:
    """From here to the commit nobody else makes or ends an offer. (SQLite has one writer anyway.)"""
    session.scalars(select(Clinic.id).order_by(Clinic.id).with_for_update()).all()


@dataclass(frozen=True)
class Fit:
    """A free start that somebody on the list could book now, and until when it could be offered to them."""

    client: Client
    plan: VisitPlan
    is_first: bool  # whether it would be their first visit
    starts_at: dt.datetime
    zone: str
    until: dt.datetime


class Line:
    """The clinic as every wish is held against it; what is known of a person is read once."""

    def __init__(self, now: dt.datetime) -> None:
        self.now = now
        self.zones = {one.id: ZoneInfo(one.zone) for one in premises.places()}
        self.settings = premises.booking_settings()
        self.table: RuleTable = rulebook.in_force()
        self.aside = waitlist.spans_set_aside(now)
        rules = premises.clinic()
        self.minutes = rules.offer_minutes
        quiet, minute = QuietTime(rules.quiet_from, rules.quiet_until), epoch_minute(now)
        self.quiet = {one for one, zone in self.zones.items() if quiet.holds_at(minute, WallClock(zone))}
        """Places at which nobody is sent an offer by itself now."""
        self._people: dict[int, Known | None] = {}

    def fit(self, wish: WaitlistWish, days: Sequence[dt.date]) -> Fit | None:
        """The soonest start in these days that this person could book now: by their wish, the free times, their other
        visits, their rest, and the gate. Whoever the gate would not simply confirm is passed over, and so is somebody
        whose answers cannot be read: the others in line do not wait for that."""
        try:
            return self._fit(wish, days)
        except (CannotOpen, ValueError) as error:
            log.warning("wish_not_judged", wish=wish.id, kind=type(error).__name__)
            return None

    def _fit(self, wish: WaitlistWish, days: Sequence[dt.date]) -> Fit | None:
        known = self._known(wish.client_id) if wish.location_id in self.zones else None
        if known is None:
            return None
        plan = plan_of_wish(wish, first_visit=True)
        if plan is None:
            return None
        refused = [*waitlist.refused_spans(wish, self.now), *self.aside]
        for day in days:
            judged = weigh_by(self.table, known, Order(plan, tuple(wish.areas), day))
            if not judged.permits or judged.unsafe_addons:
                continue
            found = self._first(wish, known.client, plan, day, refused)
            if found is not None:
                return found
        return None

    def why_none(self, wish: WaitlistWish) -> str:
        """What keeps everything from being offered to this wish, for the desk: never why the gate says no."""
        known, plan = self._known(wish.client_id), plan_of_wish(wish, first_visit=True)
        if known is None:
            return _(
                "This person does not book online, so nothing is offered: book a visit for them instead."
            )
        if plan is None:
            return _("What they wish for is not given any more. Ask what else they would like.")
        orders = [Order(plan, tuple(wish.areas), day) for day in self.days_of(wish)]
        judged = [weigh_by(self.table, known, one) for one in orders]
        if judged and not any(one.permits and not one.unsafe_addons for one in judged):
            return _(
                "Their health answers do not allow it on these days. Open their card: it says what is next."
            )
        return _("No free time fits this wish at the moment. As soon as one comes free, it is offered.")

    def days_of(self, wish: WaitlistWish) -> list[dt.date]:
        """The days that could fit, as far ahead as can be booked; none at a place that is no longer used."""
        if wish.location_id not in self.zones:
            return []
        when, today = waitlist.when_of(wish), self.day_of(wish, self.now)
        first = max(wish.first_day, today)
        ahead = max(self.settings.horizon_days, self.settings.for_new().horizon_days)
        last = min(wish.last_day, today + dt.timedelta(days=ahead))
        days = dates_from(first, (last - first).days + 1) if last >= first else []
        return [day for day in days if when.is_on(day)]

    def day_of(self, wish: WaitlistWish, at: dt.datetime) -> dt.date:
        """The day on the wall of the place that is wished for."""
        return local_day(at, self.zones[wish.location_id])

    def _known(self, client_id: int) -> Known | None:
        """None for somebody who does not book online."""
        if client_id not in self._people:
            client = clients.client(client_id)
            can_book = client is not None and not client.is_barred_online
            self._people[client_id] = known_of(client) if client is not None and can_book else None
        return self._people[client_id]

    def _first(
        self, wish: WaitlistWish, client: Client, plan: VisitPlan, day: dt.date, refused: Sequence[Span]
    ) -> Fit | None:
        free = look(
            Ask(
                plan=plan, location_id=wish.location_id, first_day=day, days=1, now=self.now,
                therapist_id=wish.therapist_id, client_id=client.id, rested_areas=tuple(wish.areas), by_history=True,
                gender=wish.asked_gender,
            )
        )  # fmt: skip
        first_visit = visits.first_visit_at(client.id)
        for start in (moment(one.starts_at) for one in free.starts()):
            until = self.offered_until(wish, start)
            is_first = first_visit is None or start <= first_visit
            real = plan.as_first(is_first)
            span = start, start + dt.timedelta(minutes=real.total_minutes)
            if until is not None and not rule.touches(span, refused):
                return Fit(client, real, is_first, start, free.zone, until)
        return None

    def offered_until(self, wish: WaitlistWish, start: dt.datetime) -> dt.datetime | None:
        """Until when this start could be offered to this wish; None when it does not fit."""
        if not waitlist.when_of(wish).fits(start.astimezone(self.zones[wish.location_id])):
            return None
        return rule.offered_until(
            start, now=self.now, minutes=self.minutes, lead_minutes=self.settings.lead_minutes,
            notice_hours=wish.notice_hours,
        )  # fmt: skip


def plan_of_wish(wish: WaitlistWish, *, first_visit: bool) -> VisitPlan | None:
    """What is wished for, as the catalogue offers it today."""
    return catalogue.plan_for(wish.service.key, wish.mode, wish.addons, wish.minutes, first_visit=first_visit)


def offer_next(session: Session, day: dt.date, now: dt.datetime) -> Offer | None:
    """Offer what is free on this day to the first in line who could book it; None when nobody could, and in the quiet
    time of the place: the round after it asks the book again. What cannot be offered any more by then is passed over:
    it stands free for the desk and online. Nor is anything offered in the seconds in which a step of the desk, which
    may have freed just that time, can be taken back."""
    if taking_back.may_free_time_again(now):
        return None
    line = Line(now)
    for wish in waitlist.waiting(day):
        fit = line.fit(wish, [day]) if wish.location_id not in line.quiet else None
        made = offer_to(session, wish, fit, by=None, now=now) if fit is not None else None
        if made is not None:
            return made
    return None


def offer_to(
    session: Session, wish: WaitlistWish, fit: Fit, *, by: int | None, now: dt.datetime
) -> Offer | None:
    """Keep the time for this person and tell them; None when somebody was faster, or their record was merged."""
    visit = _kept_time(wish, fit, now)
    ask = ask_for(visit, fit.plan, now=now, by_staff=False, therapist_id=wish.therapist_id)
    try:
        with session.begin_nested():  # a time that went to somebody else leaves no visit behind
            claim_best(session, visit, ask, expires_at=fit.until + GRACE)
            _check_stands(session, fit.client.id)
    except SlotTaken:
        return None
    first_status(session, visit, by=by, now=now)
    made = open_offer(session, visit, "wish", fit.until, wish_id=wish.id, by=by, now=now)
    leave_trace(session, "waitlist.offered", "offer", made.id, by=by, now=now)
    return made


def _check_stands(session: Session, client_id: int) -> None:
    """Raise SlotTaken where the record was merged while this looked for a time: a visit that names it waits for the
    merge, and is seen by one that comes later."""
    if session.scalar(select(Client.merged_into_id).where(Client.id == client_id)) is not None:
        raise SlotTaken()


def _kept_time(wish: WaitlistWish, fit: Fit, now: dt.datetime) -> Visit:
    facts = premises.clinic_facts()
    if facts is None:
        raise LookupError("the clinic is not set up")
    visit = Visit(
        location_id=wish.location_id, client_id=fit.client.id, areas=sorted(wish.areas), zone=fit.zone,
        starts_at=fit.starts_at, status=VisitStatus.HELD, deadline_at=fit.until,
        first_visit=fit.is_first, currency=facts.currency, source=OFFERED,
        any_therapist=wish.therapist_id is None, asked_gender=wish.asked_gender, created_at=now, created_by_id=None,
        revision=1,
    )  # fmt: skip
    set_plan(visit, fit.plan)
    return visit


TOLD_BY = {"wish": "offer_made", "move": "offer_instead", "given": "visit_given"}


def open_offer(
    session: Session,
    visit: Visit,
    kind: str,
    until: dt.datetime,
    *,
    wish_id: int | None = None,
    instead_of_id: int | None = None,
    by: int | None,
    now: dt.datetime,
    not_before: dt.datetime | None = None,
) -> Offer:
    """The offer of a time that is claimed, and the mail with its link, which leaves at once or at that moment."""
    token = new_token()
    made = Offer(
        kind=kind, wish_id=wish_id, instead_of_id=instead_of_id, visit_id=visit.id, starts_at=visit.starts_at,
        ends_at=visit.ends_at, expires_at=until, token_hash=hash_of(token), made_at=now, made_by_id=by,
    )  # fmt: skip
    session.add(made)
    session.flush()
    session.refresh(visit, ["client", "therapist", "location"])
    tell_client(
        session, visit, TOLD_BY[kind], now=now, token=token, about=f"offer-{made.id}", not_before=not_before
    )
    return made


def unsay(session: Session, visit: Visit, since: dt.datetime, *, by: int | None, now: dt.datetime) -> None:
    """What was done to this visit at that moment is taken back: nobody is asked about it or called because of it."""
    given = select(Offer).where(
        Offer.visit_id == visit.id, Offer.kind == "given", Offer.ended_at.is_(None), Offer.made_at >= since
    )
    for one in session.scalars(given).all():
        end_offer(session, one, "withdrawn", by=by, now=now)
    session.execute(
        delete(CallRequest).where(
            CallRequest.visit_id == visit.id, CallRequest.about == "news", CallRequest.done_at.is_(None),
            CallRequest.asked_at >= since,
        )
    )  # fmt: skip


def end_offer(session: Session, offer: Offer, ended_as: str, *, by: int | None, now: dt.datetime) -> None:
    """The offer is over; its time is given back where it was only kept."""
    offer.ended_at, offer.ended_as = now, ended_as
    visit = session.get_one(Visit, offer.visit_id)
    if offer.kind != "given" and visit.status == VisitStatus.HELD:
        set_status(session, visit, VisitStatus.RELEASED, by=by, now=now, reason=f"offer {ended_as}")
    session.flush()


def end_offers_for(session: Session, visit: Visit, *, by: int | None, now: dt.datetime) -> bool:
    """What was offered for this visit before is over: something else is done about it now. Whether anything was."""
    rows = session.scalars(select(Offer).where(waitlist.asked_about(visit.id))).all()
    for one in rows:
        end_offer(session, one, "withdrawn", by=by, now=now)
    return bool(rows)


def end_and_pass_on(
    session: Session, offer: Offer, ended_as: str, *, by: int | None, now: dt.datetime
) -> None:
    """In the transaction that frees the time the next in line gets it: nobody comes in between."""
    day = session.get_one(Visit, offer.visit_id).day
    end_offer(session, offer, ended_as, by=by, now=now)
    if offer.kind != "given":
        offer_next(session, day, now)
