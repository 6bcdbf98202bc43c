"""What time and other people's deeds do to the waitlist: wishes end, offers run out, what is free is offered in line.

It asks the book, not a list of what happened (docs/adr/0011). Every step may run twice, and in two processes.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from contextlib import suppress

from sqlalchemy import select

from clinic.booking.models import Offer, WaitlistWish
from clinic.booking.queries import taking_back, waitlist
from clinic.booking.queries.availability import Ask, look
from clinic.booking.services._line import Line, end_and_pass_on, offer_next, plan_of_wish, stand_in_line
from clinic.premises import queries as premises
from clinic.rules.errors import SlotTaken
from clinic.rules.wall_time import moment
from clinic.shared.database import db, transaction, tried_again


def keep_line(now: dt.datetime) -> int:
    """One round; returns how many offers were made. Certain to find what became free, by whatever way it did."""
    if premises.clinic_facts() is None:
        return 0
    ending = waitlist.wishes_to_end(now)
    late = waitlist.offers_to_end(now)
    db.session.rollback()
    for wish_id, ended_as in ending:
        with suppress(SlotTaken):
            _end_wish(wish_id, ended_as, now)
    for offer_id in late:
        with suppress(SlotTaken):  # somebody else has it in hand for a moment: the next round sees to it
            _end_late(offer_id, now)
    if taking_back.may_free_time_again(now):  # the round after this one comes in a few seconds
        db.session.rollback()
        return 0
    days = list(dict.fromkeys(_days_to_offer(now)))
    db.session.rollback()
    return sum(_offer_day(day, now) for day in days)


@tried_again
def _end_wish(wish_id: int, ended_as: str, now: dt.datetime) -> None:
    with transaction() as session:
        stand_in_line(session)
        wish = session.get(WaitlistWish, wish_id, with_for_update=True)
        if wish is None or wish.ended_at is not None:
            return
        wish.ended_at, wish.ended_as = now, ended_as
        session.flush()
        for offer in session.scalars(
            select(Offer).where(Offer.wish_id == wish_id, Offer.ended_at.is_(None))
        ).all():
            end_and_pass_on(session, offer, "withdrawn", by=None, now=now)


@tried_again
def _end_late(offer_id: int, now: dt.datetime) -> None:
    with transaction() as session:
        stand_in_line(session)
        offer = session.get(Offer, offer_id, with_for_update=True)
        if offer is None or offer.ended_at is not None or offer_id not in waitlist.offers_to_end(now):
            return
        said_nothing = "accepted" if offer.kind == "given" else "expired"
        overtaken = "blocked" if waitlist.is_blocked(offer) else "withdrawn"
        ended_as = said_nothing if offer.expires_at <= now else overtaken
        end_and_pass_on(session, offer, ended_as, by=None, now=now)


def _days_to_offer(now: dt.datetime) -> Iterator[dt.date]:
    """For each wish in line the first day on which its person could book something now. Reads only."""
    line = Line(now)
    free: dict[tuple[object, ...], list[dt.datetime]] = {}
    for wish in waitlist.waiting():
        days = line.days_of(wish) if wish.location_id not in line.quiet else []
        fitting = {
            line.day_of(wish, start)
            for start in _free_starts(wish, days, free, now)
            if line.offered_until(wish, start) is not None
        }
        fit = line.fit(wish, [day for day in days if day in fitting]) if fitting else None
        if fit is not None:
            yield line.day_of(wish, fit.starts_at)


def _free_starts(
    wish: WaitlistWish,
    days: Sequence[dt.date],
    known: dict[tuple[object, ...], list[dt.datetime]],
    now: dt.datetime,
) -> list[dt.datetime]:
    """Starts that are free for what is wished, read once for all who wish the same: an upper bound, since as staff ask
    no rule for new clients, no lead time and no tidy gap leaves any out."""
    if not days:
        return []
    what = wish.service_id, wish.mode, *wish.addons, wish.minutes
    key = (*what, wish.location_id, wish.therapist_id, wish.asked_gender, days[0], days[-1])
    if key not in known:
        plan, span = plan_of_wish(wish, first_visit=False), (days[-1] - days[0]).days + 1
        known[key] = []
        if plan is not None:
            found = look(
                Ask(
                    plan=plan, location_id=wish.location_id, first_day=days[0], days=span, now=now,
                    therapist_id=wish.therapist_id, gender=wish.asked_gender, by_staff=True,
                )
            )  # fmt: skip
            known[key] = [moment(one.starts_at) for one in found.starts()]
    return known[key]


def _offer_day(day: dt.date, now: dt.datetime) -> int:
    """Offer what is free on this day in line, one offer a transaction, until nothing fits anybody."""
    made = 0
    with suppress(SlotTaken):
        while _offer_once(day, now):
            made += 1
    return made


@tried_again
def _offer_once(day: dt.date, now: dt.datetime) -> bool:
    with transaction() as session:
        stand_in_line(session)
        return offer_next(session, day, now) is not None
