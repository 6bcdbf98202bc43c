"""Asking to be erased, taking that back, and erasing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy.orm import Session

from clinic.accounts.models import User
from clinic.accounts.notices import Notice, tell, tell_owners
from clinic.clients import queries as clients
from clinic.clients.steps import who_stands
from clinic.keeping.models import Erasure
from clinic.keeping.queries import people, requests
from clinic.keeping.services import _erasing
from clinic.premises import queries as premises
from clinic.rules.errors import NotFound
from clinic.rules.keeping import month_after
from clinic.rules.language import spoken
from clinic.rules.words import day_words
from clinic.shared.audit import leave_trace
from clinic.shared.database import transaction, tried_again
from clinic.shared.languages import speaking
from clinic.shared.person_keys import Gone

A_DAY = dt.timedelta(days=1)
"""How often the owners are told at most that the same person asks."""


@tried_again
def ask_to_be_erased(client_id: int, *, by: int, now: dt.datetime) -> dt.date:
    """Somebody asks for themselves, or for their child; returns until when it will be done. They are told that it has
    arrived, and the owners that it waits. Asked twice it is one request. Raises NotFound, as if there were nothing, for
    whoever may not."""
    with transaction() as session:
        stands = who_stands(session, client_id, is_judged=False)
        client_id = stands.id if stands is not None else client_id
        _check_own(client_id, by, now)  # of the record of today: a child's may have become that of an adult
        if row := requests.open_request(client_id):
            return row.due_on
        is_known = requests.was_asked_since(now - A_DAY, client_id)
        row = _new(session, client_id, "client", by=by, now=now)
        user = session.get_one(User, by)
        facts = premises.clinic_facts()
        with speaking(user.language or spoken()):
            tell(
                session, Notice.ERASURE_RECEIVED, user, now=now, until=day_words(row.due_on),
                clinic=facts.name if facts else "", phone=facts.phone if facts else "",
                is_waiting=bool(people.visits_ahead(clients.all_ids(client_id))),
            )  # fmt: skip
        if not is_known:  # asked, taken back and asked again
            tell_owners(session, Notice.ERASURE_ASKED, now=now)
        return row.due_on


@tried_again
def take_request_back(client_id: int, *, by: int, now: dt.datetime) -> None:
    """They want to stay after all. Raises NotFound."""
    with transaction() as session:
        stands = clients.client(client_id)
        client_id = stands.id if stands is not None else client_id
        _check_own(client_id, by, now)
        rows = requests.open_requests_of(clients.all_ids(client_id))
        for row in rows:
            row.withdrawn_at = now
        if rows:
            leave_trace(session, "client.erasure_withdrawn", "client", client_id, by=by, now=now)


def _check_own(client_id: int, by: int, now: dt.datetime) -> None:
    rules = premises.clinic()
    if not clients.may_know_all(by, client_id, adult_age=rules.adult_age, today=premises.today(now)):
        raise NotFound()


def _new(session: Session, client_id: int, source: str, *, by: int | None, now: dt.datetime) -> Erasure:
    due_on = month_after(premises.today(now))
    row = Erasure(client_id=client_id, source=source, asked_at=now, asked_by_id=by, due_on=due_on)
    session.add(row)
    leave_trace(session, "client.erasure_asked", "client", client_id, by=by, now=now)
    return row


def erase_person(client_id: int, *, settings: Mapping[str, Any], by: int | None, now: dt.datetime) -> None:
    """Erase somebody, now, but for what the law makes the clinic keep. Raises NotFound, VisitsAhead; KeysLeft
    when all of it is done but the copy of the keys beside the backups."""
    mails = _erase(client_id, "clinic", by=by, now=now)
    _erasing.clean_up(mails, settings)


@tried_again
def _erase(client_id: int, source: str, *, by: int | None, now: dt.datetime) -> list[str]:
    with transaction() as session:
        client = clients.client(client_id)
        if client is not None:
            _erasing.wait_for(session, client)
        if client is None or people.is_erased(client.id):
            raise NotFound("This person is not in the clinic's book.")
        row = requests.open_request(client.id) or _new(session, client.id, source, by=by, now=now)
        return _erasing.erase(session, client, row, until=people.kept_until(client, now), by=by, now=now)


def erase_once_more(gone: Collection[Gone], *, settings: Mapping[str, Any], now: dt.datetime) -> int:
    """After a restore: whoever was erased since that backup is erased again, as far as they were; returns how many. One
    person a transaction: broken off it is begun again. Raises VisitsAhead for whom something is still booked."""
    done = [mails for one in gone if (mails := _erase_again(one, now)) is not None]
    if done:
        _erasing.clean_up([key for mails in done for key in mails], settings)
    return len(done)


@tried_again
def _erase_again(gone: Gone, now: dt.datetime) -> list[str] | None:
    with transaction() as session:
        client = people.comes_back(gone)
        if client is None:
            return None
        row = requests.unfinished(client.id) if client.merged_into_id is not None else None
        row = row or requests.open_request(client.id) or _new(session, client.id, "clinic", by=None, now=now)
        return _erasing.erase(session, client, row, until=gone.until, by=None, now=now)
