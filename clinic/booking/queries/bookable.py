"""Free times of a wish that comes from a program: the same function as the pages and the booking itself."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from clinic.booking.queries.availability import Ask
from clinic.catalogue import queries as catalogue
from clinic.clients import queries as clients
from clinic.premises.queries import OpenPlace
from clinic.rules.availability import Start
from clinic.rules.errors import InvalidInput, NotFound
from clinic.rules.language import _
from clinic.rules.wall_time import days_around


@dataclass(frozen=True)
class Wish:
    """What is wanted, for whom, and in which local days. `areas` are body-area keys. `gender`: of the therapist, where
    none is named."""

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


@dataclass(frozen=True)
class Bookable:
    """Free starts, earliest first, and the zone of the place."""

    zone: str
    starts: list[Start]


def ask_of(wish: Wish, *, now: dt.datetime) -> tuple[Ask, OpenPlace]:
    """The wish as the book is asked about it, and the place, which is read along. Without a person the visit counts as
    a first one, which takes longest.

    Raises InvalidInput for a choice that is not on offer, NotFound for an unknown client.
    """
    client = clients.client(wish.client_id) if wish.client_id is not None else None
    if wish.client_id is not None and client is None:
        raise NotFound(_("There is no such client."))
    found = catalogue.plan_at(
        wish.service, wish.mode, wish.addons, wish.minutes, first_visit=True,
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
        by_history=True,
        gender=wish.gender,
    )
    return ask, place
