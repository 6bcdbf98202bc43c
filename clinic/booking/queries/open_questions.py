"""What was typed online under another name, looked at by nobody, and may concern a visit that stands or waits."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from sqlalchemy import exists, select

from clinic.booking.models import Checkout, OpenQuestion, Visit
from clinic.booking.queries import visits
from clinic.booking.queries.checkouts import LASTS
from clinic.clients import queries as clients
from clinic.clients.models import Client
from clinic.intake import queries as intake
from clinic.rules import answer_history
from clinic.rules.visit_status import UPCOMING, VisitStatus
from clinic.shared.database import db

AHEAD = (*UPCOMING, VisitStatus.ARRIVED)


def of_visit(visit_id: int | None, client: Client) -> list[Client]:
    """The records for which this client's visit waits, but those of whom the desk has decided."""
    asked = db.session.scalars(select(OpenQuestion.client_id).where(OpenQuestion.visit_id == visit_id)).all()
    return clients.not_told_apart(client, asked) if asked else []


def with_whom(client: Client) -> list[Client]:
    """Those whom the desk has to compare with this record, since a visit of one of them waits for the other."""
    rows = db.session.execute(
        select(OpenQuestion.client_id, Visit.client_id)
        .join(Visit, Visit.id == OpenQuestion.visit_id)
        .where(
            (OpenQuestion.client_id == client.id) | (Visit.client_id == client.id), Visit.status.in_(AHEAD)
        )
    )
    return clients.not_told_apart(client, {one for row in rows for one in row if one is not None})


def pairs() -> list[tuple[Client, Client]]:
    """Each record for which a visit waits, with the visit's client: the older one first."""
    rows = db.session.execute(
        select(Client, OpenQuestion.client_id)
        .join(Visit, Visit.client_id == Client.id)
        .join(OpenQuestion, OpenQuestion.visit_id == Visit.id)
        .where(Visit.status.in_(AHEAD))
        .order_by(Visit.id, OpenQuestion.client_id)
    ).all()
    found = [(one, other) for one, asked in rows for other in clients.not_told_apart(one, [asked])]
    return list(dict.fromkeys((one, other) if one.id < other.id else (other, one) for one, other in found))


def speaks(client_id: int) -> bool:
    """Whether something was said for this record that is more than "no"."""
    last = intake.newest(client_id)
    signed = answer_history.more_than({}, last.answers) if last is not None else {}
    return bool(signed or intake.unsigned_drafts([client_id]) or intake.stops_in_force(client_id))


def waiting_for(client: Client) -> list[Visit]:
    """The visits ahead of others who may be this person, as they were booked after it was typed and not signed."""
    said = [one.updated_at for one in intake.unsigned_drafts([client.id])]
    if not said:
        return []
    alike = [
        one.id for one in clients.look_alikes(client) if one.is_unproven and one.born_on == client.born_on
    ]
    ahead = select(Visit).where(Visit.client_id.in_(alike), Visit.status.in_(AHEAD)).order_by(Visit.id)
    return [
        one
        for one in db.session.scalars(ahead)
        if (booked_at := visits.booked_at(one.id)) is not None and min(said) <= booked_at
    ]


def over(now: dt.datetime, limit: int = 100) -> Sequence[tuple[int, int]]:
    """Questions, by visit and client, whose visit is over; not while a booking may go on in which that client was
    named."""
    goes_on = exists().where(
        Checkout.finished_at.is_(None),
        Checkout.created_at <= Client.created_at,
        Checkout.updated_at >= now - LASTS,
    )
    rows = db.session.execute(
        select(OpenQuestion.visit_id, OpenQuestion.client_id)
        .join(Visit, Visit.id == OpenQuestion.visit_id)
        .join(Client, Client.id == OpenQuestion.client_id)
        .where(Visit.status.not_in((*AHEAD, VisitStatus.HELD, VisitStatus.IN_SESSION)), ~goes_on)
        .order_by(OpenQuestion.visit_id, OpenQuestion.client_id)
        .limit(limit)
    ).all()
    return [(row[0], row[1]) for row in rows]
