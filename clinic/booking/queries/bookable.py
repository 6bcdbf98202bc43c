"""Free times of a wish that comes from a program: the same function as the pages and the booking itself."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace

from clinic.booking.models import Visit
from clinic.booking.queries import waitlist
from clinic.booking.queries.availability import Ask
from clinic.booking.queries.visits import plan_of
from clinic.catalogue import queries as catalogue
from clinic.catalogue.queries import VisitPlan
from clinic.clients import queries as clients
from clinic.premises.queries import OpenPlace
from clinic.rules.availability import Start
from clinic.rules.errors import InvalidInput
from clinic.rules.language import _
from clinic.rules.wall_time import days_around


@dataclass(frozen=True)
class Wish:
    """What is wanted, for whom, and in which local days. `areas` are body-area keys, none: the whole body. `gender`: of
    the therapist, where none is named. `visit_id`: the visit that is to become this, at another time; `only_moves`: the
    time alone is another one, and everything else as it was booked."""

    service: str
    minutes: int
    mode: str | None
    addons: tuple[str, ...]
    areas: tuple[str, ...]
    first_day: dt.date
    days: int
    therapist_id: int | None
    client_id: int | None
    location_id: int | None = None
    gender: str = ""
    visit_id: int | None = None
    only_moves: bool = False


@dataclass(frozen=True)
class Bookable:
    """Free starts, earliest first, and the zone of the place."""

    zone: str
    starts: list[Start]


def of_visit(wish: Wish, visit: Visit) -> Wish:
    """The wish as a move or a change of this visit reads it: its person and place, and what is left open is as it was:
    with whom it was, too, where neither a therapist nor a gender is asked for. Raises InvalidInput where somebody or
    somewhere else is named."""
    if wish.client_id not in (None, visit.client_id):
        raise InvalidInput("client", _("This visit is somebody else's."))
    if wish.location_id not in (None, visit.location_id):
        raise InvalidInput("location", _("This visit is at another place."))
    says_by_whom = wish.therapist_id is not None or bool(wish.gender)
    as_it_was = None if visit.any_therapist else visit.therapist_id
    return replace(
        wish,
        therapist_id=wish.therapist_id if says_by_whom else as_it_was,
        only_moves=not says_by_whom and _is_as_before(wish, visit),
        client_id=visit.client_id,
        location_id=visit.location_id,
        areas=wish.areas or tuple(visit.areas),
        gender=wish.gender or visit.asked_gender,
    )


def ask_of(wish: Wish, *, now: dt.datetime, visit: Visit | None = None) -> tuple[Ask, OpenPlace | None]:
    """The wish as the book is asked about it, and the place, where it is read along. Without a person the visit counts
    as a first one, which takes longest. `visit`: the one that is moved (see `of_visit`).

    Raises InvalidInput for a choice that is not on offer, NotFound for a client who is unknown or was erased.
    """
    client = clients.client_in_book(wish.client_id) if wish.client_id is not None else None
    found: tuple[VisitPlan, OpenPlace | None] | None = None
    if visit is not None and wish.only_moves:
        found = plan_of(visit), None
    found = found or catalogue.plan_at(
        wish.service, wish.mode, wish.addons, wish.minutes, first_visit=visit is None or visit.first_visit,
        location_id=wish.location_id, days=days_around(wish.first_day, wish.days),
    )  # fmt: skip
    if found is None:
        raise InvalidInput("service", _("This is not on offer in this form."))
    plan, place = found
    ask = Ask(
        plan=plan,
        location_id=wish.location_id,
        first_day=wish.first_day,
        days=wish.days,
        now=now,
        therapist_id=wish.therapist_id,
        client_id=client.id if client else None,
        by_history=visit is None,
        gender=wish.gender,
        instead_of=visit.id if visit else None,
        along=_kept_for(visit) if visit else None,
        stands=visit is not None,
    )
    return ask, place


def _kept_for(visit: Visit) -> int | None:
    """Another time that is kept for this very visit until its client answers: a move gives it up first."""
    offer = waitlist.asked_instead([visit.id]).get(visit.id, waitlist.Instead()).offer
    return offer.visit_id if offer is not None else None


def _is_as_before(wish: Wish, visit: Visit) -> bool:
    was = visit.service.key, visit.mode, visit.minutes, sorted(visit.addons)
    return was == (wish.service, wish.mode, wish.minutes, sorted(wish.addons))
