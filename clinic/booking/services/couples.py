"""Two people at the same time in one room: booked together, confirmed both or neither.

Each is judged for their own treatment, and each judgement is that person's alone: nobody else is shown it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from clinic.booking.models import Couple, Visit
from clinic.booking.queries import couples as reading
from clinic.booking.queries import visits
from clinic.booking.queries.availability import Ask
from clinic.booking.queries.visits import plan_of
from clinic.booking.services._chosen import client_of, new_visit, plan_as_chosen
from clinic.booking.services._deciding import is_skilled, too_many_wait
from clinic.booking.services._forgetting import ask_of_before
from clinic.booking.services._from_hold import claimed_by, give_back
from clinic.booking.services._judging import Judged, judge, wait_for_answers
from clinic.booking.services._locking import wait_for_places
from clinic.booking.services._pairing import CoupleOutcome, claim_pair, keep_passes, settle
from clinic.booking.services._programs import check_online_start
from clinic.booking.services._steps import (
    ask_for,
    booked_mail,
    first_status,
    new_manage_key,
    order_of,
    tell_client,
)
from clinic.booking.services._taking_back import Step, remember, told_by, told_from
from clinic.booking.services.checkout import Choice
from clinic.booking.services.resting import NOT_SAID, RestSaid
from clinic.booking.services.series_starts import ONLINE
from clinic.booking.services.visits import WALK_IN_GRACE
from clinic.clients import queries as clients
from clinic.clients.models import Client
from clinic.premises import queries as premises
from clinic.rules import booking_policy
from clinic.rules.errors import (
    InvalidInput,
    NotQualified,
    SlotTaken,
    TooManyPending,
)
from clinic.rules.language import _
from clinic.shared.audit import leave_trace
from clinic.shared.database import broken_guard, transaction, tried_again

DESK = "desk"


@dataclass(frozen=True)
class Half:
    """One of the two: who, and what they want; the therapist stands in the choice. `shown_with`: the therapist who was
    shown for them where anybody would do: nobody else is taken without a word."""

    client_id: int
    choice: Choice
    shown_with: int | None = None


@dataclass(frozen=True)
class Begun:
    """How it came to two. Online they begin as one. `held_id`: the kept time, which makes room; `before`: others it was
    for at some moment, one of whom may be the second, who has not answered yet; `invited_by`: who asked the second of
    them to come along, named in a mail that asks them the health questions. `at_desk`: it can be taken back for a
    moment, and until then neither is told."""

    held_id: int | None = None
    before: Collection[int] = ()
    invited_by: str = ""
    at_desk: bool = False


AT_ONCE = Begun()


@tried_again
def book_couple(
    halves: tuple[Half, Half],
    starts_at: dt.datetime,
    *,
    request_key: str | None,
    source: str,
    by: int | None,
    now: dt.datetime,
    reconfirmed: bool = False,
    rest: RestSaid = NOT_SAID,
    at_desk: bool = False,
) -> CoupleOutcome:
    """Book both, confirmed or waiting, or nothing when the gate refuses one of them (the judgements are kept).

    Done twice with one `request_key` it answers with the first couple. `at_desk`: it can be taken back for a moment.
    Raises SlotTaken with the nearest free times, RestShort where one comes too soon and staff have not passed it,
    TooManyPending, TooSoon, TooFarAhead, InvalidInput, NotFound.
    """
    _check_two(halves)
    if source == DESK:
        booking_policy.check_not_past(starts_at + WALK_IN_GRACE, now=now)
    else:
        for half in halves:
            check_online_start(starts_at, now, half.choice.location_id, client_id=half.client_id)
    try:
        with transaction() as session:
            done = reading.by_request(request_key) if request_key else None
            if done is not None:
                return CoupleOutcome(done)
            return book_both(
                session, halves, starts_at, request_key=request_key, source=source, by=by, now=now,
                reconfirmed=reconfirmed, rest=rest, begun=Begun(at_desk=at_desk),
            )  # fmt: skip
    except (SlotTaken, IntegrityError) as error:
        if isinstance(error, IntegrityError) and broken_guard(error, "request_key") is None:
            raise
        done = reading.by_request(request_key) if request_key else None
        if done is None:
            raise
        return CoupleOutcome(done)


def _check_two(halves: tuple[Half, Half]) -> None:
    one, other = halves
    people = [clients.client(half.client_id) for half in halves]  # by the numbers of today
    if one.client_id == other.client_id or (people[0] is not None and people[0] is people[1]):
        raise InvalidInput("client", _("Choose two different people."))
    if one.choice.location_id != other.choice.location_id:
        raise InvalidInput("location", _("Choose one place for both."))
    if one.choice.therapist_id is not None and one.choice.therapist_id == other.choice.therapist_id:
        raise InvalidInput("therapist", _("Two people need two therapists. Choose another one, or any."))


def book_both(
    session: Session,
    halves: tuple[Half, Half],
    starts_at: dt.datetime,
    *,
    request_key: str | None,
    source: str,
    by: int | None,
    now: dt.datetime,
    reconfirmed: bool = False,
    rest: RestSaid = NOT_SAID,
    begun: Begun = AT_ONCE,
) -> CoupleOutcome:
    """As `book_couple`, in the caller's transaction."""
    clients = [client_of(one.client_id) for one in halves]
    wait_for_answers(session, *clients)
    made = [
        new_visit(half.choice, client, starts_at, source=source, by=by, now=now)
        for half, client in zip(halves, clients, strict=True)
    ]
    door = "desk" if source == DESK else "online"
    judged = tuple(
        judge(session, client, order_of(visit, plan), door=door, visit_id=visit.id, by=by, now=now)
        for client, (visit, plan) in zip(clients, made, strict=True)
    )
    if any(one.refuses or one.unsafe_addons for one in judged):
        for client in clients:
            leave_trace(session, "couple.refused", "client", client.id, by=by, now=now)
        return CoupleOutcome(None, judged)
    if source != DESK:
        _check_wait(judged, clients, source, begun)
    _check_skilled(halves, made[0][0].day)
    row = Couple(request_key=request_key, made_at=now, made_by_id=by)
    session.add(row)
    session.flush()
    for visit, _plan in made:
        visit.couple_id, visit.to_reconfirm = row.id, not reconfirmed
    pair = [visit for visit, _plan in made]
    settle(session, pair, judged, is_new=True, now=now)
    asks = [
        ask_for(
            visit,
            plan,
            now=now,
            by_staff=source == DESK,
            therapist_id=half.choice.therapist_id or half.shown_with,
        )
        for half, (visit, plan) in zip(halves, made, strict=True)
    ]
    if begun.held_id is not None:
        claimed = claimed_by(session, begun.held_id)
        wait_for_places(session, asks, also=claimed)
        give_back(session, begun.held_id, claimed, by=by, now=now)
    passed = claim_pair(session, row.id, pair, asks, rest)
    ask_of_before(session, pair[1], clients[1], begun.before)
    _tell_both(session, pair, row.id, source, begun, by=by, now=now)
    keep_passes(session, pair, passed, rest, by=by, now=now)
    return CoupleOutcome(row.id, judged)


def _check_skilled(halves: tuple[Half, Half], day: dt.date) -> None:
    for half in halves:
        wanted = half.choice.therapist_id
        if wanted is not None and not is_skilled(wanted, half.client_id, day):
            raise SlotTaken(NotQualified.default_sentence)


def _tell_both(
    session: Session,
    pair: Sequence[Visit],
    couple_id: int,
    source: str,
    begun: Begun,
    *,
    by: int | None,
    now: dt.datetime,
) -> None:
    """The first step of each, a mail to each, and the traces."""
    steps, not_before = [], told_from(now) if begun.at_desk else None
    for visit in pair:
        first_status(session, visit, by=by, now=now)
        template = booked_mail(visit)
        if begun.invited_by and visit is pair[1]:
            template = "couple_invited"
        key = new_manage_key(visit)
        tell_client(
            session, visit, template, now=now, token=key, by=begun.invited_by, not_before=not_before,
            is_other_asked=bool(begun.invited_by),
            is_longer=visit.first_visit and plan_of(visit).first_visit_minutes > 0,
        )  # fmt: skip
        steps.append(Step(visit, {}, told_by(visit, template)))
    if begun.at_desk:
        remember(session, steps, "booked", by=by, now=now)
    for visit in pair:
        leave_trace(
            session, "visit.booked", "visit", visit.id, by=by, now=now, status=visit.status, door=source,
            couple=couple_id,
        )  # fmt: skip


def _check_wait(judged: Sequence[Judged], clients: Sequence[Client], source: str, begun: Begun) -> None:
    """Raise TooManyPending, or BarredOnline, where one of them would wait and may not. Of two that a client books both
    are told to wait, or neither; somebody who is named has had no visit yet."""
    if all(one.permits for one in judged):
        return
    if source != ONLINE:
        if may_not_wait(clients):
            raise TooManyPending()
        return
    openly = int(not all(one.told.permits for one in judged))
    for client, one in list(zip(clients, judged, strict=True))[: 1 if begun.invited_by else 2]:
        refusal = too_many_wait(client, openly=openly) if openly or not one.permits else None
        if refusal is not None:
            raise refusal


def may_not_wait(people: Iterable[Client]) -> bool:
    """Of what a program books one visit of a person waits at a time, and of a couple both wait when one has to."""
    most = premises.booking_settings().pending_per_client
    return any(len(visits.others_pending([one.id])) >= most for one in people)


def asks_for_two(
    halves: tuple[Half, Half],
    first_day: dt.date,
    days: int,
    *,
    by_staff: bool,
    now: dt.datetime,
) -> tuple[Ask, Ask]:
    """The wishes of both as the book is asked. Raises InvalidInput, NotFound."""
    _check_two(halves)
    one, other = (_wish(half, first_day, days, by_staff=by_staff, now=now) for half in halves)
    return one, other


def _wish(half: Half, first_day: dt.date, days: int, *, by_staff: bool, now: dt.datetime) -> Ask:
    client = clients.client_in_book(half.client_id)
    plan = plan_as_chosen(half.choice, True)
    return Ask(
        plan=plan, location_id=half.choice.location_id, first_day=first_day, days=days, now=now, client_id=client.id,
        therapist_id=half.choice.therapist_id, by_staff=by_staff, by_history=True,
        gender=half.choice.gender,
        rested_areas=None if by_staff else half.choice.areas,  # staff are warned when they book
    )  # fmt: skip
