"""People whose time is over: who was last here, or last heard of, longer ago than the clinic keeps them."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import and_, exists, or_, select
from sqlalchemy.orm import aliased

from clinic.booking.models import Visit
from clinic.clients import queries as clients
from clinic.clients.models import Client
from clinic.keeping.models import Erasure
from clinic.keeping.queries import people, periods
from clinic.premises import queries as premises
from clinic.records.queries.own_copy import Whose
from clinic.rules.keeping import records_end_on
from clinic.rules.visit_status import VisitStatus
from clinic.rules.years import years_after
from clinic.shared.database import db


@dataclass(frozen=True)
class DuePerson:
    """Somebody who would go today, by which period."""

    id: int
    name: str
    kind: str


def people_due(now: dt.datetime) -> list[DuePerson]:
    """Everybody who would go today, by their record's number."""
    found = [due_person(client_id, now) for client_id in _long_gone(now)]
    return [one for one in found if one is not None]


def is_due_still(client_id: int, now: dt.datetime) -> bool:
    """Whether this person, who was due a moment ago, is: another process may have erased them since."""
    return bool(_long_gone(now, client_id)) and due_person(client_id, now) is not None


def due_person(client_id: int, now: dt.datetime) -> DuePerson | None:
    """This person, if their time is over and nothing of theirs lies ahead."""
    client = clients.client(client_id)
    if client is None:
        return None
    own, today = periods.periods(), premises.today(now)
    whose = Whose(client, None)
    if people.visits_ahead(whose.ids["client"]):
        return None
    last = people.last_visit_on(whose.ids["client"])
    if last is None:
        kind, ends = "no_visit", people.last_heard_of(whose) + dt.timedelta(days=own["no_visit"])
    else:
        kind = "records"
        years = max(own["records"], own["law"])
        ends = records_end_on(last, client.born_on, years=years, adult_age=premises.clinic().adult_age)
    return DuePerson(client.id, client.name, kind) if ends <= today else None


def _long_gone(now: dt.datetime, client_id: int | None = None) -> list[int]:
    """Records that may be due, of all or this one: begun and last visited long ago. Who is, is seen one by one."""
    own, today = periods.periods(), premises.today(now)
    records = years_after(today, -own["records"])
    no_visit = today - dt.timedelta(days=own["no_visit"])
    visited = exists().where(Visit.client_id == Client.id, Visit.status == VisitStatus.DONE)
    came_since = exists().where(
        Visit.client_id == Client.id, Visit.status == VisitStatus.DONE, Visit.day > records
    )
    booked_since = exists().where(
        Visit.client_id == Client.id,
        Visit.status.not_in((VisitStatus.HELD, VisitStatus.RELEASED)),
        Visit.day > no_visit,
    )
    recent = or_(came_since, and_(~visited, booked_since))
    shorter = today - max(records, no_visit) - dt.timedelta(days=1)  # on whatever hour of their day they came
    begun = Client.created_at < now - shorter
    came = aliased(Client)
    again = exists().where(came.merged_into_id == Client.id, came.merged_at > Erasure.erased_at)
    erased = exists().where(Erasure.client_id == Client.id, Erasure.erased_at.is_not(None), ~again)
    kept = exists().where(
        Erasure.client_id == Client.id, Erasure.erased_at.is_not(None), Erasure.finished_at.is_(None)
    )
    took_back = and_(~kept, people.has_anything())  # before an erased record took nothing more
    wanted = select(Client.id).where(Client.merged_into_id.is_(None), ~recent, begun, or_(~erased, took_back))
    if client_id is not None:
        wanted = wanted.where(Client.id == client_id)
    return list(db.session.scalars(wanted.order_by(Client.id)))
