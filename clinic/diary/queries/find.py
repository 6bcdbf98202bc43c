"""Finding a client or a visit from any page of the desk. What is to do about a visit is said, never why."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import select

from clinic.booking.models import Visit
from clinic.booking.queries import next_steps
from clinic.booking.queries.next_steps import NextStep
from clinic.booking.queries.visits import WITH_NAMES
from clinic.clients import queries as clients
from clinic.clients.models import Client
from clinic.premises import queries as premises
from clinic.rules.typed_day import day_typed
from clinic.rules.visit_status import AHEAD, VisitStatus
from clinic.shared.database import db

MOST_CLIENTS = 12
MOST_VISITS = 60


@dataclass(frozen=True)
class FoundVisit:
    """A visit with what is to do about it."""

    visit: Visit
    step: NextStep


@dataclass(frozen=True)
class FoundClient:
    """A client with the visit that comes next, if one is booked."""

    client: Client
    ahead: FoundVisit | None


@dataclass(frozen=True)
class Found:
    """Clients by name, phone or e-mail; and the visits of a day, where what was typed is one."""

    clients: tuple[FoundClient, ...] = ()
    day: dt.date | None = None
    visits: tuple[FoundVisit, ...] = ()
    has_more_clients: bool = False
    has_more_visits: bool = False

    @property
    def count(self) -> int:
        return len(self.clients) + len(self.visits)


def find(text: str, now: dt.datetime) -> Found:
    """Everything that fits what was typed. A fixed number of statements."""
    facts = premises.clinic_facts()
    if facts is None:
        return Found()
    day = day_typed(text, premises.today(now), month_first=facts.month_first)
    every = clients.search(text, MOST_CLIENTS + 1)
    people = every[:MOST_CLIENTS]
    ahead = _ahead([one.id for one in people], now)
    all_day = _on_day(day) if day is not None else ()
    on_day = all_day[:MOST_VISITS]
    steps = _with_steps([*ahead.values(), *on_day])
    return Found(
        tuple(FoundClient(one, steps.get(ahead[one.id].id) if one.id in ahead else None) for one in people),
        day,
        tuple(steps[one.id] for one in on_day),
        has_more_clients=len(every) > len(people),
        has_more_visits=len(all_day) > len(on_day),
    )


def _ahead(client_ids: Collection[int], now: dt.datetime) -> dict[int, Visit]:
    """Client → the visit that is going on or comes next."""
    rows = db.session.scalars(
        select(Visit)
        .where(
            Visit.client_id.in_(client_ids),
            Visit.ends_at > now,
            Visit.status.in_(AHEAD - {VisitStatus.HELD}),
        )
        .order_by(Visit.starts_at.desc(), Visit.id)
        .options(*WITH_NAMES)
    )
    return {row.client_id: row for row in rows if row.client_id is not None}


def _on_day(day: dt.date) -> Sequence[Visit]:
    return db.session.scalars(
        select(Visit)
        .where(Visit.day == day, Visit.client_id.is_not(None), Visit.status.not_in(("held", "released")))
        .order_by(Visit.starts_at, Visit.id)
        .options(*WITH_NAMES)
        .limit(MOST_VISITS + 1)
    ).all()


def _with_steps(found: Sequence[Visit]) -> dict[int, FoundVisit]:
    steps = next_steps.next_steps(found)
    return {one.id: FoundVisit(one, steps[one.id]) for one in found}
