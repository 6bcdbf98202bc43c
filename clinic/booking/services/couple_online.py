"""Two people at once, booked online by the account of one of them.

The other one is somebody the account may act for, or somebody named, who gets a record of their own and answers their
own questions by a mailed link. Until both are let in both wait; nobody is told what came out for the other.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace

from sqlalchemy.orm import Session

from clinic.booking.models import Checkout
from clinic.booking.queries import couples as reading
from clinic.booking.queries import open_questions, visits
from clinic.booking.queries.availability import Ask
from clinic.booking.queries.checkouts import COMPANION, all_before, chosen_by
from clinic.booking.queries.couples import OpenForTwo, look_for_two
from clinic.booking.services._chosen import client_of, plan_as_chosen
from clinic.booking.services._from_hold import check_books_online, checkout_of, finish, note_questions
from clinic.booking.services._judging import Judged, Order, local_day, weigh
from clinic.booking.services._pairing import CoupleOutcome
from clinic.booking.services._programs import check_online_start
from clinic.booking.services.checkout import Choice
from clinic.booking.services.couples import Begun, Half, book_both
from clinic.booking.services.series_starts import ONLINE, clinic_of
from clinic.catalogue.queries import VisitPlan
from clinic.clients import queries as clients
from clinic.clients.models import Client
from clinic.clients.steps import Details, add_client
from clinic.premises import queries as premises
from clinic.rules.contact import name_key
from clinic.rules.errors import BarredOnline, ChangedMeanwhile, InvalidInput, NotFound
from clinic.rules.language import _
from clinic.rules.years import age_on
from clinic.shared.audit import leave_trace
from clinic.shared.database import transaction, tried_again
from clinic.shared.seen import mark_of


@dataclass(frozen=True)
class Companion:
    """Who comes along: somebody the account may act for, or somebody who is named."""

    client_id: int | None = None
    details: Details | None = None


def times_for_two(
    choice: Choice,
    client_id: int,
    companion: Companion,
    first_day: dt.date,
    days: int,
    *,
    held_id: int,
    now: dt.datetime,
) -> OpenForTwo:
    """When both can have it, the time that is kept counted as free. Nothing of what somebody named has in the book, or
    of what is known of them, is asked. Raises InvalidInput, NotFound."""
    one, other = (
        Ask(
            plan=plan_as_chosen(choice, True), location_id=choice.location_id, first_day=first_day, days=days, now=now,
            client_id=person, therapist_id=therapist, gender=gender, rested_areas=choice.areas, by_history=True,
            instead_of=held_id,
        )
        for person, therapist, gender in (
            (client_id, choice.therapist_id, choice.gender), (companion.client_id, None, ""),
        )
    )  # fmt: skip
    return look_for_two(one, other)


@dataclass(frozen=True)
class Planned:
    """One of the two, as it would be booked."""

    therapist_id: int
    plan: VisitPlan


def both_as_planned(
    choice: Choice,
    client_id: int,
    companion: Companion,
    starts_at: dt.datetime,
    *,
    held_id: int,
    now: dt.datetime,
) -> tuple[Planned, Planned] | None:
    """What `book_with` would book for each at that time; None where it is not free for both. Raises as `times_for_two`,
    TooSoon, TooFarAhead."""
    check_online_start(starts_at, now, choice.location_id)
    day = local_day(starts_at, clinic_of(choice).zone)
    found = times_for_two(choice, client_id, companion, day, 1, held_id=held_id, now=now)
    way = next(found.pairs(starts_at), None)
    if way is None:
        return None
    one, other = (
        plan_as_chosen(choice, person is None or not visits.has_been_before(person, starts_at))
        for person in (client_id, companion.client_id)
    )
    return Planned(way.first.therapist, one), Planned(way.second.therapist, other)


@tried_again
def book_with(
    checkout: str,
    choice: Choice,
    client_id: int,
    companion: Companion,
    starts_at: dt.datetime,
    *,
    looked_at: tuple[Planned, Planned],
    user_id: int,
    now: dt.datetime,
) -> CoupleOutcome:
    """Book both, confirmed or waiting, or nothing when the gate refuses one of them; the kept time makes room for it.
    `looked_at`: what was shown of both, from `both_as_planned`; nothing else is booked.

    The checkout is finished by it: pressed twice it books once. Raises SlotTaken with the nearest times for both,
    ChangedMeanwhile, TooManyPending, BarredOnline, TooSoon, TooFarAhead, HoldExpired, NotFound, InvalidInput naming
    the field.
    """
    check_online_start(starts_at, now, choice.location_id)
    with transaction() as session:
        begun = checkout_of(checkout, client_id, user_id)
        first = client_of(client_id)
        check_books_online(first, choice, user_id=user_id, now=now)
        note_questions(session, begun, first)
        judged = _weighed(first, choice, starts_at)
        if judged.refuses or judged.unsafe_addons:  # somebody named leaves no record behind then
            leave_trace(session, "couple.refused", "client", first.id, by=user_id, now=now)
            return CoupleOutcome(None, (judged,))
        other = _companion(session, first, companion, user_id=user_id, now=now)
        before = _who_else(begun, first, other, is_typed=companion.details is not None)
        if companion.details is None and other.is_unproven and open_questions.who_speak(before):
            raise BarredOnline()  # they may be one of those, and could be confirmed at once
        one, two = looked_at
        halves = (
            Half(first.id, choice, one.therapist_id),
            Half(other.id, replace(choice, therapist_id=None, gender=""), two.therapist_id),
        )
        outcome = book_both(
            session, halves, starts_at, request_key=f"hold-{begun.visit_id}", source=ONLINE, by=user_id, now=now,
            begun=Begun(
                begun.visit_id, before, first.first_name[:40] if companion.details is not None else ""
            ),
        )  # fmt: skip
        if outcome.couple_id is not None:
            pair = reading.visits_of_couple(outcome.couple_id)
            mine, theirs = sorted(pair, key=lambda visit: visit.client_id != first.id)
            if [(v.price, v.ends_at) for v in (mine, theirs)] != [
                (p.plan.price, starts_at + dt.timedelta(minutes=p.plan.total_minutes)) for p in looked_at
            ]:
                raise ChangedMeanwhile
            finish(session, begun, mine, now)
            if companion.details is not None:
                named = [other.id, mark_of(other.name), mark_of(first.first_name)]
                begun.details = {**(begun.details or {}), COMPANION: named}
        return outcome


def _who_else(begun: Checkout, first: Client, other: Client, *, is_typed: bool) -> set[int]:
    """Those whom the booking was for before, and who are likely to be the other one of the two. The people of one
    account are not each other, where the other one is not typed."""
    chosen = chosen_by(begun)
    before = [one for one in all_before(begun) if is_typed or chosen.get(one) != begun.user_id]
    named = [one for number in before if (one := clients.client(number)) is not None]
    return {one.id for one in named if open_questions.is_likely_same(one, other)} - {first.id, other.id}


def _weighed(first: Client, choice: Choice, starts_at: dt.datetime) -> Judged:
    day = local_day(starts_at, clinic_of(choice).zone)
    return weigh(first, Order(plan_as_chosen(choice, True), tuple(sorted(choice.areas)), day))


def _companion(
    session: Session, first: Client, companion: Companion, *, user_id: int, now: dt.datetime
) -> Client:
    """Somebody of the account, or a new record: whoever is named is never taken for somebody in the book."""
    if companion.details is None:
        other = clients.client_of(user_id, companion.client_id or 0)
        if other is None:
            raise NotFound()
        if other.id == first.id:
            raise InvalidInput("who", _("Choose two different people."))
        if other.is_barred_online:
            raise BarredOnline()
        return other
    facts, details = premises.clinic_facts(), companion.details
    if facts is None:
        raise NotFound()
    check_named(details, first, adult_age=facts.adult_age, today=local_day(now, facts.zone))
    return add_client(session, details, region=facts.phone_region, by=None, now=now, unproven=True)


def check_named(details: Details, first: Client, *, adult_age: int, today: dt.date) -> None:
    """Raise InvalidInput where somebody cannot be asked by a mailed link: no address, too young, or the same person."""
    if not details.email.strip():
        raise InvalidInput("email", _("Enter their e-mail address: we send them the health questions."))
    if age_on(details.born_on, today) < adult_age:
        raise InvalidInput(
            "born_on",
            _(
                "Under %(adult_age)s a parent or guardian answers: add them under “Who you book for” first.",
                adult_age=adult_age,
            ),
        )
    if (name_key(details.first_name, details.last_name), details.born_on) == (first.name_key, first.born_on):
        raise InvalidInput(
            "first_name", _("This is the person you book for already. Choose two different people.")
        )
