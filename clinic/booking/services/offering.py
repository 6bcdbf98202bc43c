"""Free times as a program may offer them to somebody: those at which the gate, too, would not refuse. Reads only."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import replace
from zoneinfo import ZoneInfo

from clinic.booking.models import Visit
from clinic.booking.queries import bookable, visits
from clinic.booking.queries.availability import look
from clinic.booking.queries.bookable import Bookable, Wish
from clinic.booking.queries.couples import look_for_two
from clinic.booking.queries.on_file import note_what_is_not_there
from clinic.booking.queries.why_no_times import Explained, why_no_times
from clinic.booking.services._changing import check_changeable
from clinic.booking.services._judging import Judged, Order, client_of, weigh_by
from clinic.booking.services._known import known_of
from clinic.booking.services.couples import Half, asks_for_two, may_not_wait
from clinic.catalogue.queries import VisitPlan
from clinic.clients import queries as clients
from clinic.clients.models import Client
from clinic.premises import queries as premises
from clinic.rulebook import queries as rulebook
from clinic.rules.availability import Start
from clinic.rules.body_areas import FULL_BODY
from clinic.rules.errors import NotFound
from clinic.rules.language import _
from clinic.rules.visit_status import VisitStatus
from clinic.rules.wall_time import dates_from, local_day, moment


def starts(wish: Wish, *, now: dt.datetime) -> Bookable:
    """What can be booked for this wish; for a person, without the days on which it would be refused.

    Raises as `bookable.ask_of`, and NotFound or MoveNotAllowed for a visit that cannot be moved.
    """
    visit = _to_move(wish)
    wish = bookable.of_visit(wish, visit) if visit else wish
    person = _in_hand(wish, now)
    ask, place = bookable.ask_of(wish, now=now, visit=visit)
    found = look(ask, place)
    free = found.starts()
    if person is None:
        return Bookable(found.zone, free)
    order = Order(ask.plan, _areas(wish), ask.first_day)
    return Bookable(
        found.zone, _let_in(free, found.clock.zone, [(person, order)], at_once=_has_to_stand(visit))
    )


def starts_for_two(halves: tuple[Half, Half], first_day: dt.date, days: int, *, now: dt.datetime) -> Bookable:
    """When both can have it, without the days on which one of them would be refused; without those on which one would
    have to wait, too, where another visit waits already. Raises InvalidInput, NotFound."""
    for half in halves:
        if half.choice.location_id is not None:
            premises.place_in_use(half.choice.location_id)
    asks = asks_for_two(halves, first_day, days, by_staff=False, now=now)
    found = look_for_two(*asks)
    orders = [
        (client_of(half.client_id), Order(ask.plan, tuple(sorted(half.choice.areas)), first_day))
        for half, ask in zip(halves, asks, strict=True)
    ]
    at_once = may_not_wait(person for person, _order in orders)
    return Bookable(
        found.first.zone, _let_in(found.starts(), found.first.clock.zone, orders, at_once=at_once)
    )


def _let_in(
    free: list[Start], zone: ZoneInfo, orders: Iterable[tuple[Client, Order]], *, at_once: bool = False
) -> list[Start]:
    """Free starts on the days on which the gate would refuse none of these people what they order (`at_once`: and
    would let them have it without waiting)."""
    days = [local_day(moment(one.starts_at), zone) for one in free]
    refused = {day for person, order in orders for day in _refused_days(person, order, days, at_once)}
    return [one for one, day in zip(free, days, strict=True) if day not in refused]


def reasons(wish: Wish, *, now: dt.datetime) -> Explained:
    """What stands in the way of what `starts` does not offer. Raises as `starts`."""
    visit = _to_move(wish)
    wish = bookable.of_visit(wish, visit) if visit else wish
    person = _in_hand(wish, now)
    ask, _place = bookable.ask_of(wish, now=now, visit=visit)
    if person is None:
        return why_no_times(ask)
    days = dates_from(ask.first_day, ask.days)
    order = Order(ask.plan, _areas(wish), ask.first_day)
    return why_no_times(ask, refused=_refused_days(person, order, days, at_once=_has_to_stand(visit)))


def days_it_could_not_stand(visit: Visit, plan: VisitPlan, days: Iterable[dt.date]) -> set[dt.date]:
    """Those of the days on which a confirmed visit would be refused or would have to wait. By the person's own answers
    alone: what is hidden from them, as when only they believe it confirmed, shows in nothing that they are offered."""
    order = Order(plan, tuple(visit.areas), visit.day)
    judged = _judged(client_of(visit.client_id or 0), order, days)
    return {day for day, one in judged.items() if one.unsafe_addons or not one.outcome.permits}


def _to_move(wish: Wish) -> Visit | None:
    """The visit that the wish is to move, if any. Raises NotFound, also where its place is not in use any more, or
    MoveNotAllowed where it cannot be moved."""
    if wish.visit_id is None:
        return None
    visit = visits.visit(wish.visit_id)
    if visit is None or visit.client_id is None:
        raise NotFound(_("There is no such visit."))
    check_changeable(visit)
    premises.place_in_use(visit.location_id)
    return visit


def _has_to_stand(visit: Visit | None) -> bool:
    """A confirmed visit is moved only to where it stays confirmed; a waiting one may go on waiting."""
    return visit is not None and visit.status == VisitStatus.CONFIRMED


def _areas(wish: Wish) -> tuple[str, ...]:
    return tuple(sorted(wish.areas or (FULL_BODY,)))


def _in_hand(wish: Wish, now: dt.datetime) -> Client | None:
    """The person whom the wish is for, if any: the row is read once while somebody holds it, and what there is nothing
    of is not asked for."""
    person = clients.client(wish.client_id) if wish.client_id is not None else None
    if person is not None:
        note_what_is_not_there(person, request_key=None, now=now)
    return person


def _refused_days(
    person: Client, order: Order, days: Iterable[dt.date], at_once: bool = False
) -> set[dt.date]:
    """Days on which the gate would not let this person have it, whatever the time."""
    return {
        day
        for day, one in _judged(person, order, days).items()
        if one.refuses or one.unsafe_addons or (at_once and not one.permits)
    }


def _judged(person: Client, order: Order, days: Iterable[dt.date]) -> dict[dt.date, Judged]:
    """Day → what would come out then. Everything is read once."""
    known, table = known_of(person), rulebook.in_force()
    return {day: weigh_by(table, known, replace(order, day=day)) for day in set(days)}
