"""Reading clients, who may act for them, and who looks alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, exists, or_, select

from clinic.clients.models import Client, ClientAccess, ClientNote, NotSamePerson
from clinic.rules.contact import name_key
from clinic.shared.database import db


def client(client_id: int) -> Client | None:
    """The client, or the one it was merged into."""
    row = db.session.get(Client, client_id)
    while row is not None and row.merged_into_id is not None:
        row = db.session.get(Client, row.merged_into_id)
    return row


def alias_ids(client_id: int) -> list[int]:
    """Records that were merged into this one, directly or through another."""
    found: list[int] = []
    ahead = [client_id]
    while ahead:
        ahead = list(
            db.session.scalars(select(Client.id).where(Client.merged_into_id.in_(ahead)).order_by(Client.id))
        )
        found += ahead
    return found


def look_alikes(one: Client) -> Sequence[Client]:
    """Other records with the same phone, the same e-mail, or the same name and birth date.

    People may share a phone or an e-mail: a hint, never a proof. Pairs found to be two people are left out.
    """
    same = [and_(Client.name_key == one.name_key, Client.born_on == one.born_on)]
    if one.email_key:
        same.append(Client.email_key == one.email_key)
    if one.phone_key:
        same.append(Client.phone_key == one.phone_key)
    apart = exists().where(
        or_(
            and_(NotSamePerson.client_id == Client.id, NotSamePerson.other_id == one.id),
            and_(NotSamePerson.client_id == one.id, NotSamePerson.other_id == Client.id),
        )
    )
    return db.session.scalars(
        select(Client)
        .where(or_(*same), Client.id != one.id, Client.merged_into_id.is_(None), ~apart)
        .order_by(Client.id)
    ).all()


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


def client_of(user_id: int, client_id: int) -> Client | None:
    """The client, if this account may act for it; else None, as if it were not there."""
    return db.session.scalars(
        select(Client)
        .join(ClientAccess, ClientAccess.client_id == Client.id)
        .where(ClientAccess.user_id == user_id, Client.id == client_id, Client.merged_into_id.is_(None))
    ).one_or_none()


def search(text: str, limit: int = 20) -> Sequence[Client]:
    """Clients by the start of any name, by digits of the phone, or by e-mail; at least two characters."""
    words = name_key(text, "").split()
    digits = "".join(char for char in text if char.isdigit())
    ways = []
    if words and any(len(word) > 1 for word in words):
        ways.append(and_(*(_starts_a_name(word) for word in words)))
    if len(digits) >= 3:
        ways.append(Client.phone_key.contains(digits, autoescape=True))
    if "@" in text:
        ways.append(Client.email_key.startswith(text.strip().casefold(), autoescape=True))
    if not ways:
        return []
    return db.session.scalars(
        select(Client)
        .where(or_(*ways), Client.merged_into_id.is_(None))
        .order_by(Client.last_name, Client.first_name, Client.id)
        .limit(limit)
    ).all()


def _starts_a_name(word: str) -> ColumnElement[bool]:
    return or_(
        Client.name_key.startswith(word, autoescape=True),
        Client.name_key.contains(f" {word}", autoescape=True),
    )


def notes(client_id: int, kind: str = "note") -> Sequence[ClientNote]:
    """Notes of one kind, newest first."""
    return db.session.scalars(
        select(ClientNote)
        .where(ClientNote.client_id == client_id, ClientNote.kind == kind)
        .order_by(ClientNote.written_at.desc(), ClientNote.id)
    ).all()
