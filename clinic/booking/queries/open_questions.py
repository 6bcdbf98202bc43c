"""What was typed online under another name, looked at by nobody, and may concern a visit that stands or waits.

It is kept with the visit at whose booking it was typed, and with each that is booked for that person after it. A time
that is offered instead of a visit waits for what that one waits for.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Mapping

from sqlalchemy import ColumnElement, and_, exists, or_, select

from clinic.booking.models import Checkout, OpenQuestion, Visit
from clinic.booking.queries import checkouts, visits
from clinic.booking.queries.checkouts import LASTS
from clinic.clients import queries as clients
from clinic.clients.models import Client
from clinic.clients.queries import Known, Pair
from clinic.intake import queries as intake
from clinic.rules import answer_history
from clinic.rules.contact import alike_name, name_key
from clinic.rules.language import _
from clinic.rules.visit_status import UPCOMING, VisitStatus
from clinic.shared.database import db

AHEAD = (*UPCOMING, VisitStatus.ARRIVED)
GRACE = dt.timedelta(days=1)
"""After the time of a visit: it may be taken back that it was called off, or that nobody came."""


_ASKED = (
    select(Visit.client_id, OpenQuestion.client_id)
    .join(OpenQuestion, OpenQuestion.visit_id == Visit.id)
    .order_by(OpenQuestion.visit_id, OpenQuestion.client_id)
)


def about(client: Client, alike: Iterable[Client], *, is_new: bool = False) -> list[Client]:
    """The records for which somebody waits who books now, but those of whom it was decided. `alike`: whom they look
    like. Who books once more, on a new record that nobody has proved, waits for what the first one waits for; so does
    who was named after others, and answered, in a booking that went on without them or was left. `is_new`: a record
    that is just being made, of which nobody knows yet whose it is."""
    is_unproven = client.is_unproven or is_new
    again = _again(client, alike) if is_unproven else []
    asked = of_people(client.id, *(one.id for one in again))
    if is_unproven:
        asked |= _all_of(_named_with([client, *_who_answered(again)]))
    return clients.not_told_apart(client, asked - {client.id}) if asked else []


def would_wait_for(client: Client) -> set[int]:
    """The records of others who were named in one booking with this person, on this record that nobody has proved or on
    an earlier one of theirs, and for which they would wait if they booked now, but those of whom it was decided. What a
    stranger says in their name after them is asked when they book again."""
    if not client.is_unproven:
        return set()
    earlier = [one for one in _again(client, clients.look_alikes(client)) if one.id < client.id]
    found = _all_of(_named_with([client, *_who_answered(earlier)]))
    return {one.id for one in clients.not_told_apart(client, found)} if found else set()


def who_would_wait(client_ids: Collection[int]) -> set[int]:
    """Those of these people who would wait so, as far as these very records tell."""
    typed = db.session.scalars(select(Client).where(Client.id.in_(client_ids), Client.is_unproven)).all()
    return {one for one, ids in _named_with(typed).items() if ids}


def _all_of(found: Mapping[int, set[int]]) -> set[int]:
    return {one for ids in found.values() for one in ids}


def of_people(*client_ids: int) -> set[int]:
    """The records for which visits of these people wait."""
    return {about.id for _one, about in _open(Visit.client_id.in_(clients.all_ids(*client_ids)))}


def _named_with(people: Collection[Client]) -> dict[int, set[int]]:
    """Of those who were named in one booking with each of these people, those for whom something was said and of whom
    nothing was decided: who was named before them; who came after them, only where it is likely the same person."""
    whose = _by_every_number(people)
    rows = db.session.scalars(select(Client).where(Client.id.in_(whose)).order_by(Client.id)).all()
    named = checkouts.named_with(rows)
    ids = {one for before, after in named.values() for one in before | after}
    today = {one: other for one in ids if (other := clients.client(one)) is not None}
    found: dict[int, set[int]] = {one.id: set() for one in people}
    for number, (before, after) in named.items():
        person = whose[number]
        later = {one for one in after & today.keys() if is_likely_same(person, today[one])}
        found[person.id] |= {today[one].id for one in (before & today.keys()) | later}
    speak = who_speak(_all_of(found))
    for person in people:
        theirs = found[person.id] & speak - {person.id}
        found[person.id] = {one.id for one in clients.not_told_apart(person, theirs)} if theirs else set()
    return found


def _who_answered(people: Collection[Client]) -> list[Client]:
    """Those of these people for whom a question was answered, signed or not."""
    whose = _by_every_number(people)
    answered = {whose[number].id for number in intake.who_answered(whose)} if whose else set()
    return [one for one in people if one.id in answered]


def _by_every_number(people: Collection[Client]) -> dict[int, Client]:
    return {number: one for one in people for number in clients.all_ids(one.id)}


def of_booked(visit_ids: Collection[int]) -> list[Client]:
    """The records for which a visit waits that was booked before: it has its own questions, and waits for nothing that
    a stranger says in its person's name later."""
    return list({about.id: about for _one, about in _open(OpenQuestion.visit_id.in_(visit_ids))}.values())


def _again(client: Client, alike: Iterable[Client]) -> list[Client]:
    """Other records that nobody has proved, and that may have been made by the same person, one after the other."""
    found: dict[int, Client] = {}
    ahead = [(client, one) for one in alike]
    while ahead:
        before, one = ahead.pop()
        if one.is_unproven and one.id not in {client.id, *found} and is_likely_same(before, one):
            found[one.id] = one
            ahead += [(one, other) for other in clients.look_alikes(one)]
    return [found[key] for key in sorted(found)]


def is_likely_same(one: Client | Known, other: Client | Known) -> bool:
    """Whether two who look alike are more than a family with one phone: born on the same day, or of the same name."""
    name, another = (alike_name(name_key(person.name, "")) for person in (one, other))
    return one.born_on == other.born_on or name == another


def with_whom(client: Client) -> list[Client]:
    """Those whom the desk has to compare with this record, since a visit of one of them waits for the other."""
    own = clients.all_ids(client.id)
    rows = _open(or_(Visit.client_id.in_(own), OpenQuestion.client_id.in_(own)))
    others = {other.id: other for pair in rows for other in pair if other.id != client.id}
    return [others[key] for key in sorted(others)]


def who_wait(client_ids: Collection[int]) -> set[int]:
    """Those of these people whose visits wait for what was said in another record."""
    return {one.id for one, _about in _open(Visit.client_id.in_(clients.all_ids(*client_ids)))}


def is_waited_for(client: Client) -> bool:
    """Whether somebody's visits wait for what was said for this record."""
    return bool(_open(OpenQuestion.client_id.in_(clients.all_ids(client.id))))


def pairs() -> list[tuple[Client, Client]]:
    """Each person whose visits wait, with each record for which they do, as the records of today: the older first."""
    rows = _open(OpenQuestion.visit_id.is_not(None))
    return list(dict.fromkeys((one, other) if one.id < other.id else (other, one) for one, other in rows))


def _open(which: ColumnElement[bool]) -> list[tuple[Client, Client]]:
    """Who waits, and for whom, as the records of today: nothing was decided about the two."""
    return [
        (one, other)
        for number, asked in db.session.execute(_ASKED.where(which))
        if number is not None and (one := clients.client(number)) is not None
        for other in clients.not_told_apart(one, [asked])
    ]


def shown_pair(one: Client, other: Client) -> Pair:
    """Two of whom a visit of one waits for the other, with what they share."""
    shared = (*clients.what_is_shared(one, other), _("typed for the same visit"))
    return Pair(clients.known(one), clients.known(other), shared)


def who_speak(client_ids: Iterable[int]) -> set[int]:
    """Of these records, as they are today, those for which something was said that is more than "no"."""
    found = {one.id for number in client_ids if (one := clients.client(number)) is not None}
    standings = intake.standings(sorted(found)) if found else {}
    signed = {
        one
        for one, standing in standings.items()
        if standing.stops or any(answer_history.more_than({}, source.answers) for source in standing.sources)
    }
    return signed | {one for one in found - signed if intake.has_unsigned(one)}


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
        if (booked_at := visits.booked_at(visits.as_booked(one.id))) is not None and min(said) <= booked_at
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


def is_not_over(now: dt.datetime) -> ColumnElement[bool]:
    """Whether a visit is ahead, or may be taken back."""
    return and_(Visit.ends_at >= now - GRACE, Visit.status != VisitStatus.RELEASED)


def _has_more(client_id: int | None, now: dt.datetime) -> bool:
    person = clients.client(client_id) if client_id is not None else None
    if person is None:
        return False
    more = select(Visit.id).where(Visit.client_id.in_(clients.all_ids(person.id)), is_not_over(now))
    return db.session.scalar(more.limit(1)) is not None
