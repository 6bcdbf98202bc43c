"""Reading clients, who may act for them, and who looks alike."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, Final
from unicodedata import digit

from sqlalchemy import ColumnElement, Subquery, and_, exists, false, func, or_, select, union
from sqlalchemy.orm import aliased

from clinic.accounts.models import User
from clinic.clients.models import Client, ClientAccess, ClientNote, NotSamePerson
from clinic.rules.contact import email_key, name_key, phone_key, spellings
from clinic.rules.errors import NotFound
from clinic.rules.language import _
from clinic.shared.audit import AuditRow
from clinic.shared.database import db
from clinic.shared.read_once import may_have, read_once

Which = Callable[[Any], ColumnElement[bool]]
"""A condition on a client's row, or on an alias of it."""


LONGEST_FOUND = 254
"""Characters of an e-mail address, and no name or number is longer: a longer text is nobody's, and no database takes a
pattern of any length."""

_BY_NAME = Client.last_name, Client.first_name, Client.id


def _nobody(_one: Any) -> ColumnElement[bool]:
    return false()


def client(client_id: int) -> Client | None:
    """The client, or the one it was merged into."""
    row = db.session.get(Client, client_id)
    while row is not None and row.merged_into_id is not None:
        row = db.session.get(Client, row.merged_into_id)
    return row


def client_in_book(client_id: int) -> Client:
    """As `client`, for whatever would be begun: whoever was erased takes nothing more. Raises NotFound."""
    found = client(client_id)
    if found is None or found.is_erased:
        raise NotFound(_("This person is not in the clinic's book."))
    return found


@dataclass(frozen=True)
class Alias:
    """A record that was merged away, and since when."""

    id: int
    merged_at: dt.datetime | None  # not known: nothing that was signed is surely later


def aliases(client_ids: Collection[int]) -> dict[int, list[Alias]]:
    """What was merged into these records, and into those in turn, under the record it was merged into. One statement
    where nothing was, also for no records at all; the same people are asked for once in each transaction."""
    wanted = tuple(sorted(client_ids))
    if not wanted:
        return _aliases(wanted)
    return read_once(("aliases", wanted), lambda: _aliases(wanted), Client)


def _aliases(client_ids: Collection[int]) -> dict[int, list[Alias]]:
    found: dict[int, list[Alias]] = {}
    ahead = may_have(Client, client_ids)
    while ahead or not client_ids:
        rows = db.session.execute(
            select(Client.id, Client.merged_into_id, Client.merged_at)
            .where(Client.merged_into_id.in_(ahead))
            .order_by(Client.id)
        ).all()
        for one, into, at in rows:
            found.setdefault(into, []).append(Alias(one, at))
        ahead = [one for one, _into, _at in rows]
        if not ahead:
            break
    return found


def alias_ids(*client_ids: int) -> list[int]:
    """Records that were merged into this one (or these), directly or through another."""
    return [one.id for below in aliases(client_ids).values() for one in below]


def all_ids(*client_ids: int) -> list[int]:
    """This record (or these), and those that were merged into it."""
    return [*client_ids, *alias_ids(*client_ids)]


def look_alikes(one: Client, *, besides: Which = _nobody) -> Sequence[Client]:
    """Other records with the same phone, the same e-mail, or the same name and birth date.

    What a record said that was merged into another counts for that other: a known person has several telephones.
    People may share a phone or an e-mail: a hint, never a proof. Pairs found to be two people are left out. In one
    transaction the same person is asked about once, unless they are only described or `besides` narrows it.
    """
    if not one.id or besides is not _nobody:
        return _look_alikes(one, besides)
    return [*read_once(("look-alikes", one.id), lambda: _look_alikes(one, besides), Client, NotSamePerson)]


def _look_alikes(one: Client, besides: Which) -> Sequence[Client]:
    mine = [one, *db.session.scalars(select(Client).where(Client.id.in_(alias_ids(one.id))))]
    same = [and_(Client.alike_name == row.alike_name, Client.born_on == row.born_on) for row in mine]
    emails, phones = {row.alike_email for row in mine} - {None}, {row.phone_key for row in mine} - {None}
    same += [Client.alike_email.in_(sorted(emails))] if emails else []
    same += [Client.phone_key.in_(sorted(phones))] if phones else []
    rows = db.session.scalars(
        select(Client).where(or_(*same), Client.id != one.id, ~besides(Client)).order_by(Client.id)
    )
    found = {row.id: kept for row in rows if (kept := client(row.id)) is not None and kept.id != one.id}
    apart = _told_apart([row.id for row in mine], {*found, *(kept.id for kept in found.values())})
    others = {kept.id: kept for kept in found.values()}
    for told in apart:
        others.pop(found[told].id if told in found else told, None)
    return [others[key] for key in sorted(others)]


def people_like(one: Client) -> list[Client]:
    """Whose visits the answers of this person count for: their own, and, of one who is proven or was, those of unproven
    records that look like them. What somebody typed who is not signed in touches nobody else's visit."""
    return [one, *(row for row in look_alikes(one) if row.is_unproven)] if one.is_heard else [one]


def known_before() -> Sequence[int]:
    """Those who were proven until a record that waits was joined with theirs, by their numbers."""
    was = (Client.was_proven, Client.is_unproven, Client.merged_into_id.is_(None))
    return db.session.scalars(select(Client.id).where(*was).order_by(Client.id)).all()


def counted_with(*people: Client) -> set[int]:
    """The records that are waited for where these people are judged: theirs, and of an unproven one all that look like
    it, for what they declared counts too."""
    ids = {one.id for one in people}
    for one in people:
        if one.is_unproven:
            ids.update(other.id for other in look_alikes(one))
    return ids


def _told_apart(ids: Collection[int], others: Collection[int]) -> set[int]:
    """Those of the others of whom staff said that they are somebody else than these. Asked too where there are no
    others: that it takes longer with a match would tell that there is one."""
    one, other = NotSamePerson.client_id, NotSamePerson.other_id
    pairs = db.session.execute(
        select(one, other).where(
            or_(and_(one.in_(ids), other.in_(others)), and_(other.in_(ids), one.in_(others)))
        )
    )
    return {key for pair in pairs for key in pair} - set(ids)


def not_told_apart(one: Client, others: Collection[int]) -> list[Client]:
    """Those of these records who may be this person, as the records of today: not this one itself, and not those of
    whom staff said that they are somebody else."""
    found = {number: kept for number in others if (kept := client(number)) is not None and kept.id != one.id}
    apart = _told_apart(all_ids(one.id), {*found, *(kept.id for kept in found.values())})
    may_be = {kept.id: kept for number, kept in found.items() if not apart & {number, kept.id}}
    return [may_be[key] for key in sorted(may_be)]


def like(
    first_name: str, last_name: str, born_on: dt.date, *, email: str, phone: str, region: str
) -> Sequence[Client]:
    """Known people who may be the one described: the same phone, e-mail, or name and birth date. Raises
    InvalidInput for a phone number that cannot be one."""
    probe = Client(
        id=0,
        name_key=name_key(first_name, last_name),
        born_on=born_on,
        email_key=email_key(email),
        phone_key=phone_key(phone, region),
    )
    return look_alikes(probe)


@dataclass(frozen=True)
class ActsFor:
    """One person an account may act for."""

    client_id: int
    name: str
    relation: str


def people_of(user_id: int) -> list[ActsFor]:
    """Everybody this account may act for: itself first, then by name."""
    rows = db.session.execute(
        select(Client, ClientAccess.relation)
        .join(ClientAccess, ClientAccess.client_id == Client.id)
        .where(ClientAccess.user_id == user_id, Client.merged_into_id.is_(None))
        .order_by(Client.first_name, Client.last_name, Client.id)
    ).all()
    people = [ActsFor(row.id, row.name, relation) for row, relation in rows]
    return sorted(people, key=lambda person: person.relation != "self")


def who_it_may_be(client_id: int) -> list[int]:
    """This record, and where it is unproven those who look like it."""
    row = db.session.get(Client, client_id)
    alike = look_alikes(row) if row is not None and row.is_unproven else []
    return [client_id, *(one.id for one in alike)]


def may_be_another(one: Client, user_id: int) -> bool:
    """Whether this record may be somebody in the book under another name. Those whom the account acts for as well
    share its phone and e-mail; that they are other people is seen by name and birth date."""
    family = {person.client_id for person in people_of(user_id)}
    return any(row.id not in family or is_same_name(one, row) for row in look_alikes(one))


def own_account_ids(client_id: int) -> list[int]:
    """The accounts that are this person's own: one, or several once records of theirs were merged."""
    ids = all_ids(client_id)
    own = select(ClientAccess.user_id).where(ClientAccess.client_id.in_(ids), ClientAccess.relation == "self")
    return list(db.session.scalars(own.distinct().order_by(ClientAccess.user_id)))


def own_account_id(client_id: int) -> int | None:
    """The first account that is this person's own; None where there is none."""
    return next(iter(own_account_ids(client_id)), None)


def client_of(user_id: int, client_id: int) -> Client | None:
    """The client, or the one it was merged into, if this account may act for it; else None, as if it were not there. A
    page that was opened before a merge goes on being about the same person, by another number than it was asked for."""
    found = db.session.scalars(
        select(Client)
        .join(ClientAccess, ClientAccess.client_id == Client.id)
        .where(ClientAccess.user_id == user_id, Client.id == client_id, Client.merged_into_id.is_(None))
    ).one_or_none()
    if found is not None:
        return found
    today = client(client_id)
    return client_of(user_id, today.id) if today is not None and today.id != client_id else None


def may_know_all(user_id: int, client_id: int, *, adult_age: int, today: dt.date) -> str:
    """As what this account may have everything that is kept about this client: as `self`, or as `parent` while they
    are a child; empty for everybody else, who may act for them but not know all."""
    found = client_of(user_id, client_id)
    if found is None:
        return ""
    relation = next((one.relation for one in people_of(user_id) if one.client_id == found.id), "")
    is_childs_parent = relation == "parent" and found.age_on(today) < adult_age
    return relation if relation == "self" or is_childs_parent else ""


def search(text: str, limit: int = 20) -> Sequence[Client]:
    """Clients by the start of any name, by digits of the phone, or by e-mail; at least two characters."""
    ways = _ways_to_find(text)
    if not ways:
        return []
    found = select(Client).where(or_(*ways), Client.merged_into_id.is_(None))
    return db.session.scalars(found.order_by(*_BY_NAME).limit(limit)).all()


def _ways_to_find(text: str) -> list[ColumnElement[bool]]:
    if len(text) > LONGEST_FOUND:
        return []
    words = name_key(text, "").split()
    digits = "".join(
        str(digit(char)) for char in text if char.isdigit()
    )  # of any script, as numbers are kept
    ways = []
    if sum(map(len, words)) > 1:
        ways.append(and_(*(_starts_a_name(word) for word in words)))
    if len(digits) >= 3:
        at_home = digits.lstrip("0")  # numbers are kept with their country, and then without this nought
        wanted = at_home if len(at_home) >= 3 else digits
        ways.append(Client.phone_key.contains(wanted, autoescape=True))
    if "@" in text:
        ways.append(Client.email_key.startswith(text.strip().lower(), autoescape=True))
    return ways


def _starts_a_name(word: str) -> ColumnElement[bool]:
    ways = [
        (
            Client.name_key.startswith(one, autoescape=True),
            Client.name_key.contains(f" {one}", autoescape=True),
        )
        for one in spellings(word)
    ]
    return or_(*chain.from_iterable(ways))


def notes(client_id: int, kind: str = "note") -> Sequence[ClientNote]:
    """Notes of one kind, newest first."""
    return db.session.scalars(
        select(ClientNote)
        .where(ClientNote.client_id == client_id, ClientNote.kind == kind)
        .order_by(ClientNote.written_at.desc(), ClientNote.id)
    ).all()


@dataclass(frozen=True)
class Known:
    """Enough of a client to tell two of the same name apart."""

    id: int
    name: str
    born_on: dt.date
    phone: str
    email: str
    is_unproven: bool


def known(row: Client) -> Known:
    """The client as lists show them."""
    return Known(row.id, row.name, row.born_on, row.phone or "", row.email or "", row.is_unproven)


@dataclass(frozen=True)
class Pair:
    """Two records that may be one person, and what they share: words such as "same phone"."""

    first: Known
    second: Known
    shared: tuple[str, ...]


def pairs(limit: int = 200, *, besides: Which = _nobody) -> list[Pair]:
    """Records that look alike and that nobody has decided on, those typed online by a stranger first.

    People may share a phone or an e-mail (families), so this is a list to look at, not a fault. One statement.
    """
    first, second, alike = aliased(Client), aliased(Client), _alike()
    apart = exists().where(NotSamePerson.client_id == first.id, NotSamePerson.other_id == second.id)
    rows = db.session.execute(
        select(first, second)
        .select_from(alike)
        .join(first, first.id == alike.c.first)
        .join(second, second.id == alike.c.second)
        .where(first.merged_into_id.is_(None), second.merged_into_id.is_(None), ~apart)
        .where(~besides(first), ~besides(second))
        .order_by(or_(first.is_unproven, second.is_unproven).desc(), first.id, second.id)
        .limit(limit)
    ).all()
    return [Pair(known(one), known(other), what_is_shared(one, other)) for one, other in rows]


def _alike() -> Subquery:
    """Numbers of two records that share something, the lower one first. Each way by its own index: with an "or" of the
    three SQLite would compare everybody with everybody."""
    one, other = Client.__table__.alias(), Client.__table__.alias()
    ways = (
        and_(one.c.alike_name == other.c.alike_name, one.c.born_on == other.c.born_on),
        one.c.phone_key == other.c.phone_key,
        one.c.alike_email == other.c.alike_email,
    )
    numbers = one.c.id.label("first"), other.c.id.label("second")
    return union(
        *(select(*numbers).join_from(one, other, and_(one.c.id < other.c.id, way)) for way in ways)
    ).subquery()


def is_same_name(one: Client, other: Client) -> bool:
    """The same name, however it is written, and birth date."""
    return (one.alike_name, one.born_on) == (other.alike_name, other.born_on)


def what_is_shared(one: Client, other: Client) -> tuple[str, ...]:
    """What makes two records look alike, in words."""
    same = []
    if is_same_name(one, other):
        same.append(_("same name and birth date"))
    if one.phone_key and one.phone_key == other.phone_key:
        same.append(_("same phone"))
    if one.alike_email and one.alike_email == other.alike_email:
        same.append(_("same e-mail"))
    return tuple(same)


ACCESS_ENDED: Final = "client.access_ended"


def lost_relation(client_id: int) -> str | None:
    """As what an account acted for this person until the e-mail on their card was corrected; None where one acts for
    them, or none was lost so."""
    if may_act_for(client_id):
        return None
    ended = (
        select(AuditRow.detail)
        .where(AuditRow.thing == "client", AuditRow.thing_id.in_(all_ids(client_id)))
        .where(AuditRow.deed == ACCESS_ENDED)
        .order_by(AuditRow.sequence.desc())
    )
    return next((one["relation"] for one in db.session.scalars(ended) if "relation" in one), None)


def people_at(email: str) -> Sequence[Client]:
    """Everybody on whose card this e-mail is, the first first."""
    stands = Client.merged_into_id.is_(None), Client.erased_at.is_(None)
    return db.session.scalars(
        select(Client).where(Client.email_key == email, *stands).order_by(Client.id)
    ).all()


def may_act_for(client_id: int) -> list[tuple[int, str, str, str]]:
    """Number, name, e-mail and relation of the accounts that may act for this client, by name."""
    rows = db.session.execute(
        select(User.id, User.name, User.email, ClientAccess.relation)
        .join(ClientAccess, ClientAccess.user_id == User.id)
        .where(ClientAccess.client_id == client_id)
        .order_by(User.name, User.id)
    ).all()
    return [(number, name, email, relation) for number, name, email, relation in rows]


@dataclass(frozen=True)
class ClientFacts:
    """A client as programs see them: plain values."""

    id: int
    first_name: str
    last_name: str
    born_on: dt.date
    email: str | None
    phone: str | None


def facts_of(row: Client) -> ClientFacts:
    return ClientFacts(row.id, row.first_name, row.last_name, row.born_on, row.email, row.phone)


def page(number: int, size: int, text: str = "") -> tuple[list[ClientFacts], int]:
    """One page of all clients by id, or of those that `search` finds, and how many there are; records that were merged
    away are left out."""
    here: ColumnElement[bool] = Client.merged_into_id.is_(None)
    if text:
        here = and_(here, or_(false(), *_ways_to_find(text)))
    total = db.session.scalar(select(func.count()).select_from(Client).where(here)) or 0
    order = _BY_NAME if text else (Client.id,)
    wanted = select(Client).where(here).order_by(*order).limit(size).offset((number - 1) * size)
    return [facts_of(row) for row in db.session.scalars(wanted)], total
