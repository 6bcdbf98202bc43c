"""What was typed online under another name, looked at by nobody, and may concern a visit that stands or waits.

It is kept with the visit at whose booking it was typed, and concerns whoever that visit is for, in all their visits: a
time that was offered instead, or one that was called off and is taken back, waits for the same decision.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable

from sqlalchemy import exists, select

from clinic.booking.models import Checkout, OpenQuestion, Visit
from clinic.booking.queries import visits
from clinic.booking.queries.checkouts import LASTS
from clinic.clients import queries as clients
from clinic.clients.models import Client
from clinic.clients.queries import Pair
from clinic.intake import queries as intake
from clinic.rules import answer_history
from clinic.rules.language import _
from clinic.rules.visit_status import UPCOMING, VisitStatus
from clinic.shared.database import db

AHEAD = (*UPCOMING, VisitStatus.ARRIVED)
GRACE = dt.timedelta(days=1)
"""After the time of a visit: it may be taken back that it was called off, or that nobody came."""


def about(client: Client) -> list[Client]:
    """The records for which this person's visits wait, but those of whom it was decided."""
    asked = _asked_about(_numbers(client))
    return clients.not_told_apart(client, asked) if asked else []


def _numbers(client: Client) -> list[int]:
    return [client.id, *clients.alias_ids(client.id)]


def _asked_about(client_ids: Collection[int]) -> set[int]:
    asked = select(OpenQuestion.client_id).join(Visit, Visit.id == OpenQuestion.visit_id)
    return set(db.session.scalars(asked.where(Visit.client_id.in_(client_ids))))


def with_whom(client: Client) -> list[Client]:
    """Those whom the desk has to compare with this record, since a visit of one of them waits for the other."""
    ids = _numbers(client)
    return clients.not_told_apart(client, _who_wait(ids) | _asked_about(ids))


def _who_wait(client_ids: Collection[int]) -> set[int]:
    waiting = select(Visit.client_id).join(OpenQuestion, OpenQuestion.visit_id == Visit.id)
    found = db.session.scalars(waiting.where(OpenQuestion.client_id.in_(client_ids)))
    return {one for one in found if one is not None}


def is_waited_for(client: Client) -> bool:
    """Whether somebody's visits wait for what was said for this record."""
    return bool(clients.not_told_apart(client, _who_wait(_numbers(client))))


def pairs() -> list[tuple[Client, Client]]:
    """Each person whose visits wait, with each record for which they do, as the records of today: the older first."""
    rows = db.session.execute(
        select(Visit.client_id, OpenQuestion.client_id)
        .join(OpenQuestion, OpenQuestion.visit_id == Visit.id)
        .order_by(OpenQuestion.visit_id, OpenQuestion.client_id)
    ).all()
    found = [
        (one, other)
        for number, asked in rows
        if number is not None and (one := clients.client(number)) is not None
        for other in clients.not_told_apart(one, [asked])
    ]
    return list(dict.fromkeys((one, other) if one.id < other.id else (other, one) for one, other in found))


def shown_pair(one: Client, other: Client) -> Pair:
    """Two of whom a visit of one waits for the other, with what they share."""
    shared = (*clients.what_is_shared(one, other), _("typed for the same visit"))
    return Pair(clients.known(one), clients.known(other), shared)


def who_speak(client_ids: Iterable[int]) -> set[int]:
    """Of these records, as they are today, those for which something was said that is more than "no"."""
    found = {one.id for number in client_ids if (one := clients.client(number)) is not None}
    return {one for one in found if _speaks(one)}


def _speaks(client_id: int) -> bool:
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


def over(now: dt.datetime) -> list[tuple[int, int]]:
    """Questions, by visit and client, that concern nothing any more: everything that was booked for the person is over
    for a day. Not while a booking may go on in which that client was named."""
    goes_on = exists().where(
        Checkout.finished_at.is_(None),
        Checkout.created_at <= Client.created_at,
        Checkout.updated_at >= now - LASTS,
    )
    rows = db.session.execute(
        select(OpenQuestion, Visit.client_id)
        .join(Visit, Visit.id == OpenQuestion.visit_id)
        .join(Client, Client.id == OpenQuestion.client_id)
        .where(Visit.ends_at < now - GRACE, ~goes_on)
        .order_by(OpenQuestion.visit_id, OpenQuestion.client_id)
    ).all()
    return [(one.visit_id, one.client_id) for one, person in rows if not _has_more(person, now)]


def _has_more(client_id: int | None, now: dt.datetime) -> bool:
    person = clients.client(client_id) if client_id is not None else None
    if person is None:
        return False
    more = select(Visit.id).where(
        Visit.client_id.in_(_numbers(person)),
        Visit.ends_at >= now - GRACE,
        Visit.status != VisitStatus.RELEASED,
    )
    return db.session.scalar(more.limit(1)) is not None
