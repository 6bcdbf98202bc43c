"""Whoever was erased takes nothing more: looked at where rows are written, once for every door and deed.

A form that stood open while somebody else erased the person would bring them back, and so would whatever is added later
and does not look. Before each flush the session asks for the people whom its rows are about. They are locked as the
foreign keys lock them a moment later, so that whoever erases and whoever writes wait for each other.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event, inspect, select
from sqlalchemy.orm import Session, SessionTransaction

from clinic.clients.models import Client
from clinic.rules.errors import NotFound
from clinic.rules.keeping import Fate, fate_of
from clinic.rules.language import _
from clinic.shared import person_keys
from clinic.shared.crypto import SealedRow

GOES_ON = frozenset({"answers_opening", "not_same_person"})
"""What the clinic still writes about a record that a law keeps: why it reads it, and that it is somebody else's."""
OWN_WORK = frozenset({"merged_into_id", "merged_at", "erased_at", "is_unproven", "was_proven"})
"""What changes on such a record without saying anything about the person."""
_STANDS = "clients_who_stand"
_ERASES = "erases_clients"
_PEOPLE = Client.__table__


def note_locked(session: Session, *people: Client) -> None:
    """They were locked and read in this transaction: nobody has to ask for them again."""
    session.info.setdefault(_STANDS, set()).update(one.id for one in people if not one.is_erased)


def stand_again(session: Session, *people: Client) -> None:
    """A record of today was joined with theirs: from here on it is somebody's again."""
    for one in people:
        one.erased_at = None
    note_locked(session, *people)


@contextmanager
def let_erase(session: Session) -> Iterator[None]:
    """Inside, whoever erases may write on what is erased."""
    session.info[_ERASES] = True
    try:
        yield
    finally:
        del session.info[_ERASES]


@event.listens_for(Session, "before_flush")
def _refuse(session: Session, _context: object, _instances: object) -> None:
    """Raises NotFound."""
    if _ERASES in session.info:
        return
    about = {_whom_new(row) for row in session.new} | {_whom_changed(row) for row in session.dirty}
    asked = about - session.info.get(_STANDS, set()) - {None}
    if not asked:
        return
    wanted = select(_PEOPLE.c.id, _PEOPLE.c.erased_at).where(_PEOPLE.c.id.in_(asked)).order_by(_PEOPLE.c.id)
    found = session.connection().execute(wanted.with_for_update(read=True, key_share=True)).all()
    if any(erased_at is not None for _id, erased_at in found):
        raise NotFound(_("This person is not in the clinic's book."))
    session.info.setdefault(_STANDS, set()).update(one for one, _erased_at in found)


def _whom_new(row: Any) -> int | None:
    """Whom this row would be kept about; None where it says nothing of a person."""
    table = row.__tablename__
    if isinstance(row, Client) or table in GOES_ON or fate_of(table).fate is Fate.STAYS:
        return None
    return person_keys.whose(row, row.about if isinstance(row, SealedRow) else "client_id")


def _whom_changed(row: Any) -> int | None:
    """Whom this row says something new about."""
    before = inspect(row).committed_state
    changed = {name for name, value in before.items() if row.__dict__.get(name) != value}
    if isinstance(row, Client):
        return None if changed <= OWN_WORK or "erased_at" in changed else row.id
    says_more = any(row.__dict__.get(name) for name in changed if name.endswith("_sealed"))
    return _whom_new(row) if says_more or "client_id" in changed else None


@event.listens_for(Session, "after_flush")
def _note_new(session: Session, _context: object) -> None:
    note_locked(session, *(row for row in session.new if isinstance(row, Client)))


@event.listens_for(Session, "after_soft_rollback")
def _forget(session: Session, _previous: SessionTransaction) -> None:
    session.info.pop(_STANDS, None)


@event.listens_for(Session, "after_transaction_end")
def _at_the_end(session: Session, transaction: SessionTransaction) -> None:
    if transaction.parent is None:
        session.info.pop(_STANDS, None)
