"""Booking a series: all of it or nothing.

Every visit is judged for its own day, rests on its own screening and has its own claims, as if it were booked alone.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from clinic.booking.models import Checkout, Series, Visit
from clinic.booking.queries import series as reading
from clinic.booking.queries import visits
from clinic.booking.queries.availability import Ask
from clinic.booking.queries.next_steps import RECONFIRM
from clinic.booking.queries.visits import plan_of
from clinic.booking.services._chosen import client_of, new_visit, plan_as_chosen
from clinic.booking.services._claims import claim_best
from clinic.booking.services._deciding import has_to_reconfirm, is_skilled, too_many_wait
from clinic.booking.services._from_hold import (
    Kept,
    check_books_online,
    checkout_of,
    claimed_by,
    finish,
    give_back,
    note_questions,
)
from clinic.booking.services._judging import Judged, judge
from clinic.booking.services._locking import wait_for_places
from clinic.booking.services._mailing import tell_of_several
from clinic.booking.services._programs import settings_for, since_kept
from clinic.booking.services._steps import ask_for, first_status, order_of, rest_on, set_plan, wait_for
from clinic.booking.services._taking_back import Step, remember, told_from
from clinic.booking.services.checkout import Choice
from clinic.booking.services.resting import NOT_SAID, RestSaid, Warned, is_passed, keep_pass, warn_in_series
from clinic.booking.services.series_starts import (
    DESK,
    ONLINE,
    OneStart,
    clinic_of,
    in_order,
    is_outside,
    may_lie_beyond,
)
from clinic.catalogue.queries import VisitPlan
from clinic.clients.models import Client
from clinic.premises import queries as premises
from clinic.rules.errors import (
    InvalidInput,
    NotQualified,
    RuleViolation,
    SlotTaken,
    TooFarAhead,
    TooManyPending,
)
from clinic.rules.language import _
from clinic.rules.series import MOST_WEEKS_APART
from clinic.rules.visit_status import VisitStatus
from clinic.shared.audit import leave_trace
from clinic.shared.database import broken_guard, transaction, tried_again


@dataclass(frozen=True)
class SeriesOutcome:
    """What came of booking a series. `series_id` None: nothing was booked, since the gate refuses these `refused`
    starts (with their judgements, soonest first)."""

    series_id: int | None
    refused: tuple[tuple[dt.datetime, Judged], ...] = ()


@tried_again
def book_series(  # noqa: PLR0913 - all by name, and each door says its own
    choice: Choice,
    client_id: int,
    starts: Sequence[OneStart],
    *,
    every_weeks: int,
    request_key: str | None,
    source: str,
    by: int | None,
    now: dt.datetime,
    reconfirmed: bool = False,
    checkout: str | None = None,
    at_desk: bool = False,
) -> SeriesOutcome:
    """Book every one of these starts, or none. `choice` says what; with whom stands at each start. Online it begins in
    a `checkout` (its token), whose held time makes room for the series. `at_desk`: it can be taken back for a moment.

    Done twice with one `request_key` it answers with the first series. Raises SlotTaken (RestNeeded) naming the time
    that went meanwhile, TooManyPending, TooFarAhead, InvalidInput, NotFound, and online HoldExpired, BarredOnline.
    """
    _check_weeks(every_weeks)
    wish = _Wish(
        choice, client_id, in_order(starts), every_weeks, request_key, source, by, now, reconfirmed, checkout, at_desk
    )  # fmt: skip
    try:
        with transaction() as session:
            outcome = _booked_before(request_key) or _book_all(session, wish)
    except (SlotTaken, IntegrityError) as error:  # this very request may have booked it a moment ago
        if isinstance(error, IntegrityError) and broken_guard(error, "request_key") is None:
            raise
        before = _booked_before(request_key)
        if before is None:
            raise
        return before
    if isinstance(outcome, RuleViolation):  # the judgements are kept
        raise outcome
    return outcome


def _check_weeks(every: int) -> None:
    if not 1 <= every <= MOST_WEEKS_APART:
        raise InvalidInput(
            "every_weeks",
            _(
                "Choose from every week to every %(most_weeks_apart)s weeks.",
                most_weeks_apart=MOST_WEEKS_APART,
            ),
        )


@dataclass(frozen=True)
class _Wish:
    """What was asked of `book_series`, its starts in order."""

    choice: Choice
    client_id: int
    starts: Sequence[OneStart]
    every_weeks: int
    request_key: str | None
    source: str
    by: int | None
    now: dt.datetime
    reconfirmed: bool
    checkout: str | None
    at_desk: bool


def _booked_before(request_key: str | None) -> SeriesOutcome | None:
    """What this very request made before."""
    done = reading.by_request(request_key) if request_key else None
    return SeriesOutcome(done) if done is not None else None


def _book_all(session: Session, wish: _Wish) -> SeriesOutcome | RuleViolation:
    """Judge each visit, and book them when the gate lets them all stand."""
    source, by, now = wish.source, wish.by, wish.now
    client = client_of(wish.client_id)
    begun = checkout_of(wish.checkout or "", client.id, by) if source == ONLINE else None
    if begun is not None:
        check_books_online(client, wish.choice, user_id=by, now=now)
        note_questions(session, begun, client)
    booked = [_judged(session, wish.choice, client, one, source, by, now) for one in wish.starts]
    held = session.get(Visit, begun.visit_id) if begun is not None and begun.visit_id is not None else None
    stopped = _refused(session, client, booked, source, held, by=by, now=now) or _too_many(
        client, booked, source
    )
    if stopped is not None:
        return stopped
    row = Series(every_weeks=wish.every_weeks, request_key=wish.request_key, made_at=now, made_by_id=by)
    for one in booked:
        one.visit.to_reconfirm = not wish.reconfirmed
    _place_all(session, row, client, booked, begun, source=source, by=by, now=now)
    _finish(session, row, [one.visit for one in booked], source, by=by, now=now, at_desk=wish.at_desk)
    return SeriesOutcome(row.id)


@dataclass(frozen=True)
class _Booked:
    visit: Visit
    choice: Choice
    judged: Judged
    rest: RestSaid


def _place_all(
    session: Session,
    row: Series,
    client: Client,
    booked: Sequence[_Booked],
    begun: Checkout | None,
    *,
    source: str,
    by: int | None,
    now: dt.datetime,
) -> None:
    """Claim every place, soonest first. All of them are waited for before the first one."""
    session.add(row)
    session.flush()
    held_id = begun.visit_id if begun is not None else None
    by_weekday = {one.visit.day.weekday(): one for one in booked}
    asks = [_anyone(one, now) for one in by_weekday.values()]
    claimed = claimed_by(session, held_id)
    wait_for_places(session, asks, also=claimed)
    kept = give_back(session, held_id, claimed, by=by, now=now)
    placed: set[int] = set()
    for one in booked:
        one.visit.series_id = row.id
        _place(session, one, client, placed, kept, source=source, by=by, now=now, is_first=one is booked[0])
        placed.add(one.visit.id)
    if begun is not None:
        finish(session, begun, booked[0].visit, now)


def _anyone(one: _Booked, now: dt.datetime) -> Ask:
    """Whoever could give the visit."""
    plan = plan_of(one.visit)
    return ask_for(one.visit, plan, now=now, by_staff=True, therapist_id=None)


def _judged(
    session: Session,
    choice: Choice,
    client: Client,
    one: OneStart,
    source: str,
    by: int | None,
    now: dt.datetime,
) -> _Booked:
    """A visit that is not in the session yet, and its judgement, which is kept whatever comes of it."""
    chosen = replace(choice, therapist_id=one.therapist_id)
    visit, plan = new_visit(chosen, client, one.starts_at, source=source, by=by, now=now)
    door = "desk" if source == DESK else "online"
    judged = judge(session, client, order_of(visit, plan), door=door, visit_id=visit.id, by=by, now=now)
    return _Booked(visit, chosen, judged, one.rest)


def _refused(
    session: Session,
    client: Client,
    booked: Sequence[_Booked],
    source: str,
    held: Visit | None,
    *,
    by: int | None,
    now: dt.datetime,
) -> SeriesOutcome | None:
    """What the gate says no to; else None. `held`: the time that is kept. Raises TooFarAhead for a start outside what
    can be booked."""
    facts, settings = clinic_of(booked[0].choice), settings_for(client.id)
    for at, one in enumerate(booked):
        start = one.visit.starts_at
        since = since_kept(held, start, now)
        if is_outside(
            start, is_first=at == 0, source=source, now=now, facts=facts, settings=settings, since=since
        ):
            raise TooFarAhead(_("One of these times lies outside the days that can be booked now."))
    against = [one for one in booked if one.judged.refuses or one.judged.unsafe_addons]
    if not against:
        return None
    leave_trace(session, "series.refused", "client", client.id, by=by, now=now, visits=len(against))
    return SeriesOutcome(None, tuple((one.visit.starts_at, one.judged) for one in against))


def _too_many(client: Client, booked: Sequence[_Booked], source: str) -> RuleViolation | None:
    """For a client who books, what the gate says of a single visit; for a program one visit of a person waits at a
    time, also of a series. The desk may keep several."""
    waiting = [one.judged for one in booked if not one.judged.permits]
    if source == DESK or not waiting:
        return None
    if source == ONLINE:
        return too_many_wait(client, openly=sum(not one.told.permits for one in waiting))
    others = len(visits.others_pending([client.id]))
    most = premises.booking_settings().pending_per_client
    return TooManyPending() if others + len(waiting) > most else None


def _place(
    session: Session,
    one: _Booked,
    client: Client,
    placed: Collection[int],
    kept: Kept | None,
    *,
    source: str,
    by: int | None,
    now: dt.datetime,
    is_first: bool,
) -> None:
    """Claim the place of one visit. Those before it are in the book: it may not be a first visit any more."""
    visit, judged = one.visit, one.judged
    visit.first_visit = not visits.has_been_before(client.id, visit.starts_at)
    plan = plan_as_chosen(one.choice, visit.first_visit)
    set_plan(visit, plan)
    therapist = one.choice.therapist_id
    if therapist is not None and not is_skilled(therapist, client.id, visit.day):
        raise SlotTaken(NotQualified.default_sentence)
    is_good = not has_to_reconfirm(visit) and judged.permits
    if is_good and judged.row is not None:
        rest_on(visit, judged.row)
    else:
        wait_for(session, visit, judged, now=now, what=RECONFIRM if judged.permits else None)
    visit.status = VisitStatus.CONFIRMED if is_good else VisitStatus.PENDING
    ask = ask_for(visit, plan, now=now, by_staff=source == DESK, therapist_id=therapist)
    is_kept = kept is not None and kept.held.starts_at == visit.starts_at
    since = kept.held.created_at if kept is not None and is_kept else None
    ask = replace(ask, follows=may_lie_beyond(source, is_first=is_first), kept_since=since)
    passed = _passed(one, client, plan, placed) if source != ONLINE else None
    ask = replace(ask, rested_areas=None) if passed is not None else ask
    try:
        claim_best(session, visit, ask, expires_at=None)
    except SlotTaken:
        if kept is None or not kept.claim_for(session, visit, ask):
            raise
    first_status(session, visit, by=by, now=now)
    keep_pass(session, visit, passed, one.rest, by=by, now=now)


def _passed(one: _Booked, client: Client, plan: VisitPlan, placed: Collection[int]) -> Warned | None:
    """The warning about too little rest that staff have passed for this start; None where there is none, or nobody
    passed it, and the claim refuses what comes too soon."""
    if one.rest == NOT_SAID:
        return None
    warned = warn_in_series(one.visit, client, order_of(one.visit, plan), placed)
    return warned if warned is not None and is_passed(warned, one.rest) else None


def _finish(
    session: Session,
    row: Series,
    booked: Sequence[Visit],
    source: str,
    *,
    by: int | None,
    now: dt.datetime,
    at_desk: bool,
) -> None:
    key, not_before = f"series_booked:{row.id}", told_from(now) if at_desk else None
    tell_of_several(session, "series_booked", booked, key=key, now=now, not_before=not_before)
    if at_desk:
        mail_key = key if booked[0].client is not None and booked[0].client.email else None
        remember(session, [Step(visit, {}, mail_key) for visit in booked], "booked", by=by, now=now)
    for visit in booked:
        leave_trace(
            session, "visit.booked", "visit", visit.id, by=by, now=now, status=visit.status, door=source,
            series=row.id,
        )  # fmt: skip
