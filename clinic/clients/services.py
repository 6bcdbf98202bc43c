"""Keeping clients: new ones, changed details, notes, who may act for whom."""

from __future__ import annotations

import datetime as dt
from dataclasses import fields

from sqlalchemy import select
from sqlalchemy.orm import Session

from clinic.accounts.models import User
from clinic.clients import queries, same_person
from clinic.clients.models import Client, ClientAccess, ClientNote
from clinic.clients.steps import (
    Details,
    add_client,
    check_details,
    end_access,
    give_access,
    who_stands,
    write_details,
)
from clinic.rules import contact
from clinic.rules.errors import InvalidInput, NotFound
from clinic.rules.language import _
from clinic.shared.audit import leave_trace
from clinic.shared.database import transaction, tried_again

RELATIONS = ("self", "parent", "partner", "carer")
ONE_PRESS = dt.timedelta(minutes=5)


@tried_again
def create_client(
    details: Details, *, region: str, by: int | None, now: dt.datetime, is_somebody_else: bool = False
) -> int:
    """A new client. Returns its id. Raises InvalidInput. Pressed twice, by whoever is signed in, it is one record, but
    where they have said that it `is_somebody_else` than those who look the same.

    One who looks like somebody for whom something is not safe starts unproven: judged with those answers too.
    """
    with transaction() as session:
        if by is not None and not is_somebody_else:
            made = _made_a_moment_ago(session, details, region=region, by=by, now=now)
            if made is not None:
                return made.id
        client = add_client(session, details, region=region, by=by, now=now)
        client.is_unproven = same_person.is_open(client, now)
        leave_trace(session, "client.created", "client", client.id, by=by, now=now)
        return client.id


def _made_a_moment_ago(
    session: Session, details: Details, *, region: str, by: int, now: dt.datetime
) -> Client | None:
    """What the same person at the screen has just made of the very same details: the other press waits for it."""
    session.get(User, by, with_for_update=True)
    check_details(details, today=now.date() + dt.timedelta(days=1))
    wanted = Client()
    write_details(wanted, details, region=region)
    alike = contact.alike_name(wanted.name_key)
    made = (Client.created_by_id == by, Client.created_at >= now - ONE_PRESS, Client.merged_into_id.is_(None))
    found = session.scalars(
        select(Client)
        .where(Client.alike_name == alike, Client.born_on == wanted.born_on, *made)
        .order_by(Client.id)
    )
    names = [of.name for of in fields(Details)]
    return next((one for one in found if all(getattr(one, of) == getattr(wanted, of) for of in names)), None)


@tried_again
def add_person(user_id: int, details: Details, relation: str, *, region: str, now: dt.datetime) -> int:
    """A person this account acts for: themselves, their child, partner, or somebody they care for. Who they are is
    typed, not proven: it is when they are chosen for a visit, and nobody in the book looks like them. Raises
    InvalidInput, or NotFound for an account that is there no more."""
    if relation not in RELATIONS:
        raise InvalidInput("relation", _("Choose how you are related to this person."))
    with transaction() as session:
        user = session.get(User, user_id, with_for_update=True, populate_existing=True)
        if user is None or not user.is_active:  # erased, or switched off, while this waited
            raise NotFound()
        _check_is_new(session, user_id, details, relation)
        client = add_client(session, details, region=region, by=user_id, now=now, unproven=True)
        give_access(session, user_id, client.id, relation, now=now)
        leave_trace(session, "client.created", "client", client.id, by=user_id, now=now, relation=relation)
        return client.id


def _check_is_new(session: Session, user_id: int, details: Details, relation: str) -> None:
    """One person twice in an account could not be told apart, and their answers would hang on one of the two."""
    mine = select(Client, ClientAccess.relation).join(ClientAccess, ClientAccess.client_id == Client.id)
    key = contact.alike_name(contact.name_key(details.first_name, details.last_name))
    for one, of in session.execute(
        mine.where(ClientAccess.user_id == user_id, Client.merged_into_id.is_(None)).order_by(Client.id)
    ):
        if one.alike_name == key and one.born_on == details.born_on:
            raise InvalidInput("first_name", _("%(name)s is on your list already.", name=one.name))
        if relation == of == "self":
            raise InvalidInput(
                "relation", _("You are on your list already, as %(name)s. Who is this?", name=one.name)
            )


@tried_again
def write_note(client_id: int, text: str, *, kind: str = "note", by: int, now: dt.datetime) -> None:
    """Add a staff note (sealed); sent twice, it is kept once. Raises InvalidInput when it is empty or too long."""
    if not 0 < len(text.strip()) <= 2000:
        raise InvalidInput("text", _("Write the note in at most 2,000 characters."))
    with transaction() as session:
        client = who_stands(session, client_id, is_judged=False)
        if client is None:
            raise NotFound(_("This person is not in the clinic's book."))
        if _is_kept(client.id, text.strip(), kind, by=by, now=now):
            return
        row = ClientNote(client_id=client.id, kind=kind, written_at=now, written_by_id=by)
        row.text = text.strip()
        session.add(row)
        leave_trace(session, "client.note_written", "client", client.id, by=by, now=now, kind=kind)


def _is_kept(client_id: int, text: str, kind: str, *, by: int, now: dt.datetime) -> bool:
    """Whether this was written a moment ago, as by a second press. Days later the same may have come about again."""
    return any(
        one.written_by_id == by and now - one.written_at <= ONE_PRESS and one.text == text
        for one in queries.notes(client_id, kind)
    )


@tried_again
def end_account_access(client_id: int, user_id: int, *, by: int, now: dt.datetime) -> None:
    """Staff end what an account may do for this client, such as that of a former carer, or at a mistyped address. Done
    twice it is done once. Raises NotFound without such a client."""
    with transaction() as session:
        client = who_stands(session, client_id, is_judged=False)
        if client is None:
            raise NotFound(_("This person is not in the clinic's book."))
        access = session.get(ClientAccess, (user_id, client.id))
        if access is not None:
            end_access(session, access, now=now)
            leave_trace(session, queries.ACCESS_ENDED, "client", client.id, by=by, now=now, user=user_id)


@tried_again
def bar_online(client_id: int, barred: bool, reason: str, *, by: int, now: dt.datetime) -> None:
    """Close or open online booking for a client; the reason is sealed and only the owner reads it."""
    if not 0 < len(reason.strip()) <= 2000:
        raise InvalidInput("reason", _("Write the reason. Only the owner reads it."))
    with transaction() as session:
        client = who_stands(session, client_id, is_judged=False)
        if client is None:
            raise NotFound(_("This person is not in the clinic's book."))
        client.is_barred_online = barred
        note = ClientNote(client_id=client.id, kind="bar", written_at=now, written_by_id=by)
        note.text = reason.strip()
        session.add(note)
        leave_trace(
            session, "client.barred" if barred else "client.unbarred", "client", client.id, by=by, now=now
        )
