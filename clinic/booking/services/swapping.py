"""Two visits change places: each takes the other one's time, therapist and room, in one transaction.

Both are judged again for their new day, and both are changed or neither. No place is free in between: what one gives up
the other takes before anybody else can see it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from clinic.booking.models import Claim, Visit
from clinic.booking.queries.availability import look
from clinic.booking.queries.next_steps import RECONFIRM
from clinic.booking.queries.visits import plan_of
from clinic.booking.services._chosen import client_of
from clinic.booking.services._claims import OVERLAP, clear_expired, give_up, set_place
from clinic.booking.services._deciding import has_to_reconfirm, is_skilled
from clinic.booking.services._judging import Judged, Order, judge, wait_for_answers
from clinic.booking.services._line import end_offers_for
from clinic.booking.services._locking import wait_for_places
from clinic.booking.services._steps import ask_for, order_of, rest_on, set_start, set_status, wait_for
from clinic.booking.services._taking_back import as_it_stands, tell_of_move
from clinic.booking.services.resting import NOT_SAID, RestSaid, Warned, check_passed, keep_pass, warn
from clinic.booking.services.visits import CHANGEABLE
from clinic.catalogue.queries import VisitPlan
from clinic.clients.models import Client
from clinic.premises import queries as premises
from clinic.rules import booking_policy, words
from clinic.rules.availability import Combination
from clinic.rules.errors import InvalidInput, MoveNotAllowed, NotFound, NotQualified, SlotTaken
from clinic.rules.language import _
from clinic.rules.visit_status import VisitStatus
from clinic.shared.audit import leave_trace
from clinic.shared.database import broken_guard, transaction, tried_again
from clinic.therapists import queries as therapists

TRIES = 12
"""How many ways are tried for each of the two."""


@dataclass(frozen=True)
class SwapOutcome:
    """`is_done` False: nothing was changed, since the gate does not let both stand on their new day. The judgements are
    in the order in which the two visits were named."""

    is_done: bool
    judged: tuple[Judged, Judged]


@dataclass(frozen=True)
class _Place:
    """Where a visit was: what the other one takes."""

    starts_at: dt.datetime
    therapist_id: int
    room_id: int


@tried_again
def swap_visits(
    first_id: int,
    second_id: int,
    *,
    seen: Sequence[int] | None = None,
    keeps_therapists: bool = False,
    rest: RestSaid = NOT_SAID,
    by: int | None,
    now: dt.datetime,
    at_desk: bool = False,
) -> SwapOutcome:
    """Exchange the places of two visits. `seen`: the revisions that were looked at, in the same order.

    Each gets the other one's therapist, who may give it; else its own one. With `keeps_therapists` each keeps its own.
    `at_desk`: it can be taken back for a moment, but for a swap that confirmed one of the two.
    Raises SlotTaken where one does not fit into the other one's place, RestShort where one would come too soon and
    staff have not passed it, MoveNotAllowed, TooSoon, NotFound, InvalidInput: both keep their places then.
    """
    if first_id == second_id:
        raise InvalidInput("second", _("Choose two different visits."))
    with transaction() as session:
        _wait_for_people(session, first_id, second_id)
        pair = _both(session, first_id, second_id, seen)
        before = [as_it_stands(one) for one in pair]
        places = _each_others(pair, now)
        clients = [client_of(one.client_id or 0) for one in pair]
        plans = [plan_of(one) for one in pair]
        judged = _judge_both(session, pair, clients, plans, places, by=by, now=now)
        if not all(one.may_stand(visit) for visit, one in zip(pair, judged, strict=True)):
            for visit in pair:
                leave_trace(session, "visit.change_refused", "visit", visit.id, by=by, now=now)
            return SwapOutcome(False, judged)
        anyone = [ask_for(one, plan, now=now, by_staff=True, therapist_id=None)
                  for one, plan in zip(pair, plans, strict=True)]  # fmt: skip
        wait_for_places(session, anyone)
        was_asked = [end_offers_for(session, one, by=by, now=now) for one in pair]  # it may keep a time here
        for visit in pair:
            give_up(session, visit, now)
        for visit, plan, place, one in zip(pair, plans, places, judged, strict=True):
            _write(session, visit, plan, place.starts_at, one, now=now)
        _claim_both(session, pair, plans, places, keeps_therapists=keeps_therapists, now=now)
        for warned, visit in zip(_check_rest(pair, clients, plans, rest), pair, strict=True):
            keep_pass(session, visit, warned, rest, by=by, now=now)
        for visit, one in zip(pair, judged, strict=True):
            _confirm(session, visit, one, by=by, now=now)
            visit.revision += 1
        tell_of_move(session, pair, before, at_desk=at_desk and not any(was_asked), by=by, now=now)
        for visit, other in zip(pair, reversed(pair), strict=True):
            leave_trace(session, "visit.swapped", "visit", visit.id, by=by, now=now, other=other.id)
        return SwapOutcome(True, judged)


def _each_others(pair: Sequence[Visit], now: dt.datetime) -> list[_Place]:
    """Where each of them would come."""
    for one in pair:
        booking_policy.check_not_past(one.starts_at, now=now)
    return [_Place(one.starts_at, one.therapist_id, one.room_id) for one in reversed(pair)]


def _judge_both(
    session: Session,
    pair: Sequence[Visit],
    clients: Sequence[Client],
    plans: Sequence[VisitPlan],
    places: Sequence[_Place],
    *,
    by: int | None,
    now: dt.datetime,
) -> tuple[Judged, Judged]:
    """Each for the day of the other one."""
    first, second = (
        judge(
            session, client, Order(plan, tuple(visit.areas), _day(visit, place)), door="move",
            visit_id=visit.id, by=by, now=now,
        )
        for client, visit, plan, place in zip(clients, pair, plans, places, strict=True)
    )  # fmt: skip
    return first, second


def _wait_for_people(session: Session, *visit_ids: int) -> None:
    """People are waited for before visits, and visits before times. Raises NotFound."""
    found = session.scalars(select(Visit.client_id).where(Visit.id.in_(visit_ids))).all()
    if len(found) != len(visit_ids):
        raise NotFound(_("There is no such visit."))
    wait_for_answers(session, *(client_of(one) for one in found if one is not None))


def _both(session: Session, first_id: int, second_id: int, seen: Sequence[int] | None) -> list[Visit]:
    """The two visits, locked in one order for all. Raises NotFound, MoveNotAllowed."""
    locked = select(Visit).where(Visit.id.in_((first_id, second_id))).order_by(Visit.id).with_for_update()
    afresh = locked.execution_options(populate_existing=True)
    rows = {one.id: one for one in session.scalars(afresh)}
    pair = [rows[one] for one in (first_id, second_id) if one in rows and rows[one].client_id is not None]
    if len(pair) != 2:
        raise NotFound(_("There is no such visit."))
    if seen is not None and [one.revision for one in pair] != list(seen):
        raise MoveNotAllowed(_("One of these visits was changed meanwhile. Please look at them again."))
    if any(one.status not in CHANGEABLE for one in pair):
        raise MoveNotAllowed(_("One of these visits cannot be moved any more."))
    if any(one.couple_id is not None for one in pair):
        raise MoveNotAllowed(_("One of these visits is booked for two people, who move together."))
    if pair[0].location_id != pair[1].location_id:
        raise MoveNotAllowed(_("These visits are at two places of the clinic."))
    return pair


def _day(visit: Visit, place: _Place) -> dt.date:
    return place.starts_at.astimezone(ZoneInfo(visit.zone)).date()


def _write(
    session: Session,
    visit: Visit,
    plan: VisitPlan,
    starts_at: dt.datetime,
    judged: Judged,
    *,
    now: dt.datetime,
) -> None:
    """The day changes together with the judgement that the visit rests on."""
    with session.no_autoflush:
        set_start(visit, plan, starts_at)
        if visit.status == VisitStatus.CONFIRMED and judged.row is not None:
            rest_on(visit, judged.row)
        else:
            visit.deadline_at = None  # the deadline follows the new time
            what = RECONFIRM if has_to_reconfirm(visit) and judged.permits else None
            wait_for(session, visit, judged, now=now, what=what)
    session.flush()


def _check_rest(
    pair: Sequence[Visit], clients: Sequence[Client], plans: Sequence[VisitPlan], rest: RestSaid
) -> list[Warned | None]:
    """What is passed of the rest of each. Raises RestShort, in words for staff."""
    warned = [
        warn(visit, client, order_of(visit, plan), visit.starts_at)
        for visit, client, plan in zip(pair, clients, plans, strict=True)
    ]
    why = " ".join(dict.fromkeys(rule.sentence for one in warned if one is not None for rule in one.short))
    check_passed(warned, rest, sentence=_("One of the two would come too soon. %(why)s", why=why))
    return warned


def _confirm(session: Session, visit: Visit, judged: Judged, *, by: int | None, now: dt.datetime) -> None:
    """What waited, and is permitted on its new day, is confirmed."""
    if visit.status != VisitStatus.CONFIRMED and visit.waiting_for is None and judged.row is not None:
        rest_on(visit, judged.row)
        set_status(session, visit, VisitStatus.CONFIRMED, by=by, now=now, reason="changed")


# ── places ───────────────────────────────────────────────────────────────────────────────────────────────


def _claim_both(
    session: Session,
    pair: Sequence[Visit],
    plans: Sequence[VisitPlan],
    places: Sequence[_Place],
    *,
    keeps_therapists: bool,
    now: dt.datetime,
) -> None:
    """Claim a place for the first one such that there is one left for the second. Raises SlotTaken."""
    for visit in pair:
        if keeps_therapists and not is_skilled(visit.therapist_id, visit.client_id or 0, visit.day):
            raise SlotTaken(NotQualified.default_sentence)
    whom = [_whom(one, place, keeps=keeps_therapists) for one, place in zip(pair, places, strict=True)]
    # the other one is on its way: it takes nothing of what a therapist gives a day where it was until now
    ways = _ways(pair[0], plans[0], places[0], whom[0], now=now, along=pair[1].id)
    if not ways:
        raise _fits_not(pair[0], plans[0])
    for way in islice(ways, TRIES):
        try:
            with session.begin_nested():
                _take(session, pair[0], way, now)
                rest = _ways(pair[1], plans[1], places[1], whom[1], now=now)
                _take_first(session, pair[1], rest, now)
            return
        except IntegrityError as error:
            if broken_guard(error, OVERLAP) is None:
                raise
        except SlotTaken:
            continue
    raise _fits_not(pair[1], plans[1])


def _fits_not(visit: Visit, plan: VisitPlan) -> SlotTaken:
    """Which of the two it is, at the time it would have; it is written there already."""
    uses_24_hours = premises.clinic().uses_24_hours
    return SlotTaken(
        _(
            "They cannot change places: the visit of %(name)s does not fit on %(when)s. It takes %(length)s with the"
            " time to tidy up, and neither therapist with a suitable room is free for so long then.",
            name=client_of(visit.client_id or 0).name,
            when=words.moment_words(visit.starts_at, visit.zone, uses_24_hours=uses_24_hours),
            length=words.length_words(plan.total_minutes + plan.turnover_minutes),
        )
    )


def _whom(visit: Visit, place: _Place, *, keeps: bool) -> list[int]:
    """Who may give it in the other one's place: that one's therapist before its own. Its own alone where therapists are
    kept, or where that one is not of the gender that the client asked for."""
    theirs = therapists.therapist(place.therapist_id)
    is_asked_for = theirs is not None and visit.asked_gender in ("", theirs.gender)
    others = [place.therapist_id] if is_asked_for and not keeps else []
    return [*others, visit.therapist_id]


def _take_first(session: Session, visit: Visit, ways: Iterable[Combination], now: dt.datetime) -> None:
    for way in ways:
        _take(session, visit, way, now)
        return
    raise SlotTaken


def _ways(
    visit: Visit,
    plan: VisitPlan,
    place: _Place,
    whom: Iterable[int],
    *,
    now: dt.datetime,
    along: int | None = None,
) -> list[Combination]:
    """Free places at the new time, with each of these in turn; the other one's room first. `along`: the other visit,
    while it stands nowhere."""
    found: list[Combination] = []
    for therapist in dict.fromkeys(whom):
        ask = ask_for(visit, plan, now=now, by_staff=True, therapist_id=therapist)
        ways = look(replace(ask, along=along, at_its_place=True)).ways(visit.starts_at)
        found += sorted(ways, key=lambda way: way.room != place.room_id)
    return found


def _take(session: Session, visit: Visit, way: Combination, now: dt.datetime) -> None:
    set_place(session, visit, way)
    until = [(one, visit.free_at) for one in (way.therapist, way.room, *way.devices)]
    rows = [
        Claim(resource_id=resource, visit_id=visit.id, starts_at=visit.starts_at, ends_at=ends_at)
        for resource, ends_at in sorted([*until, (visit.client_id or 0, visit.ends_at)])
    ]
    clear_expired(session, [one.resource_id for one in rows], visit.starts_at, visit.free_at, now)
    session.add_all(rows)
    session.flush()
