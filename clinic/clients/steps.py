"""Steps on clients that a service takes inside its own transaction."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session

from clinic.accounts.models import User
from clinic.accounts.queries import IS_UNENTERED
from clinic.accounts.steps import (
    end_links,
    mail_welcome,
    new_link,
    new_token,
    open_account_for_client,
    user_with_email,
)
from clinic.clients import queries
from clinic.clients.erased import note_locked
from clinic.clients.models import Client, ClientAccess
from clinic.premises import queries as premises
from clinic.rules import contact
from clinic.rules.errors import InvalidInput
from clinic.rules.language import ENGLISH, _, spoken
from clinic.rules.permissions import Role
from clinic.shared.languages import speaking

LONGEST_LIFE = 120  # years: a birth date before that is a typing mistake


CHANGES_OF_PEOPLE = 0x70656F706C65  # a number of our own among the locks of the database
AFRESH = select(Client).with_for_update().execution_options(populate_existing=True)
"""People until the commit, as they stand by then: whoever waited for another one reads what that one wrote."""


def locked(session: Session, client_ids: Collection[int]) -> Sequence[Client]:
    """These people until the commit, in one order for all, so that nobody waits in a ring."""
    found = session.scalars(AFRESH.where(Client.id.in_(client_ids)).order_by(Client.id)).all()
    note_locked(session, *found)
    return found


def one_change_at_a_time(session: Session) -> None:
    """Two records that come to look alike by two changes at one moment would be seen by neither: each change waits for
    the other one's commit before it reads anything. (SQLite has one writer anyway.)"""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(select(func.pg_advisory_xact_lock(CHANGES_OF_PEOPLE)))


def who_stands(session: Session, client_id: int, *, is_judged: bool = True) -> Client | None:
    """The person, or the one whose record it became, until the commit: what is written on a record that is just being
    merged away is written for nobody. `is_judged`: at once with all who are waited for when what changes is judged; a
    second wait, out of the order of the first, would close a ring among those who look alike. None: there is nobody."""
    found = queries.client(client_id)
    while found is not None:
        locked(session, queries.counted_with(*queries.people_like(found)) if is_judged else [found.id])
        if found.merged_into_id is None:
            break
        found = queries.client(found.id)
    return found


@dataclass(frozen=True)
class Details:
    """Who a person says they are. Empty text means not given."""

    first_name: str
    last_name: str
    born_on: dt.date
    email: str = ""
    phone: str = ""
    emergency_contact: str = ""
    guardian_name: str = ""
    guardian_relation: str = ""
    guardian_phone: str = ""


def check_details(details: Details, *, today: dt.date) -> None:
    """Raises InvalidInput naming the field."""
    if not contact.name_key(details.first_name, details.last_name):
        raise InvalidInput("first_name", _("Enter the first and last name."))
    if details.born_on > today:
        raise InvalidInput("born_on", _("The birth date lies in the future. Check the year."))
    if details.born_on.year < today.year - LONGEST_LIFE:
        raise InvalidInput("born_on", _("Check the year of the birth date."))
    contact.check_email(details.email)


def write_details(client: Client, details: Details, *, region: str) -> None:
    """Put the details on the record, with the keys that duplicates are found by. Raises InvalidInput."""
    client.first_name, client.last_name = details.first_name.strip(), contact.family_name(details.last_name)
    client.name_key = contact.name_key(details.first_name, details.last_name)
    client.born_on = details.born_on
    client.email = details.email.strip() or None
    client.email_key = contact.email_key(details.email)
    client.phone = contact.phone_words(details.phone, region) or None
    client.phone_key = contact.phone_key(details.phone, region)
    client.emergency_contact = details.emergency_contact.strip()
    client.guardian_name = details.guardian_name.strip()
    client.guardian_relation = details.guardian_relation.strip()
    client.guardian_phone = contact.phone_words(details.guardian_phone, region)


def add_client(
    session: Session,
    details: Details,
    *,
    region: str,
    by: int | None,
    now: dt.datetime,
    unproven: bool = False,
) -> Client:
    """A new record. Looking for duplicates is the caller's page: a record is never shared by itself."""
    check_details(details, today=now.date() + dt.timedelta(days=1))
    client = Client(created_at=now, created_by_id=by, is_unproven=unproven, is_barred_online=False)
    if by is None:
        client.language = spoken()  # typed by the person at the screen
    write_details(client, details, region=region)
    session.add(client)
    session.flush()
    return client


def give_access(session: Session, user_id: int, client_id: int, relation: str, *, now: dt.datetime) -> None:
    """The account may act for the client; done twice it is still one row."""
    if session.get(ClientAccess, (user_id, client_id)) is None:
        session.add(ClientAccess(user_id=user_id, client_id=client_id, relation=relation, since=now))
        session.flush()


def unentered_accounts(session: Session, client_id: int) -> list[tuple[ClientAccess, str]]:
    """With its e-mail, each account that a mail opened for this record and that nobody has entered yet: nobody has
    shown that the address is theirs, and it may be mistyped."""
    rows = session.execute(
        select(ClientAccess, User.email)
        .join(User, User.id == ClientAccess.user_id)
        .where(ClientAccess.client_id == client_id, IS_UNENTERED)
    )
    return [(access, email) for access, email in rows]


def end_access(session: Session, access: ClientAccess, *, now: dt.datetime) -> None:
    """The account acts for this client no more; a mailed way to it that nobody has taken yet is over."""
    end_links(session, access.user_id, now)
    session.delete(access)
    session.flush()


def lead_to_account(session: Session, client: Client, relation: str, *, now: dt.datetime) -> None:
    """The mail with the way to an account, where nobody has one under the e-mail of this client. One that nobody has
    entered and that is for nobody any more, since an address was corrected, becomes theirs.

    Where somebody has, the same work is done for a made-up e-mail and taken back: how long a page takes tells
    strangers nothing.
    """
    email = client.email_key or ""
    left = _account_for_nobody(session, email)
    if left is not None:
        left.name = client.name
        _hand_over(session, client, left, new_link(session, left, "welcome", now), relation, now)
    elif user_with_email(session, email) is None:
        _open_account(session, client, email, relation, now)
    else:
        work = session.begin_nested()
        _open_account(session, client, f"{new_token()}@nobody.invalid", relation, now)
        work.rollback()


def _account_for_nobody(session: Session, email: str) -> User | None:
    acts = exists().where(ClientAccess.user_id == User.id)
    asked = select(User).where(User.email == email, User.is_active, IS_UNENTERED, ~acts).with_for_update()
    found = session.scalars(asked).one_or_none()
    return found if found is not None and found.roles == {Role.CLIENT} else None


def _open_account(session: Session, client: Client, email: str, relation: str, now: dt.datetime) -> None:
    user, welcome = open_account_for_client(session, email, client.name, now)
    if welcome is not None:  # None: another request was faster by a moment
        _hand_over(session, client, user, welcome, relation, now)


def _hand_over(
    session: Session, client: Client, user: User, welcome: str, relation: str, now: dt.datetime
) -> None:
    give_access(session, user.id, client.id, relation, now=now)
    facts = premises.clinic_facts()
    name, phone = (facts.name, facts.phone) if facts else ("", "")
    mail_welcome(session, user, welcome, now, clinic=name, phone=phone)
    session.flush()


def speaking_to(client: Client) -> AbstractContextManager[None]:
    """Inside it texts are in the language of this person: the one they chose, else that of the clinic."""
    facts = premises.clinic_facts()
    return speaking(facts.language_for(client.language) if facts else ENGLISH)
