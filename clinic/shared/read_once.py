"""What is read once in each transaction, however many ask: the clinic's settings, what counts for a person.

A value is kept with the tables' classes that it was read from. It is dropped when one of their rows is written, or is
changed and yet to be written, when a row is locked (whoever waited for it reads afresh), and at the end of the
transaction, of a part of it too.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from typing import Any, TypeVar

from sqlalchemy import event
from sqlalchemy.orm import ORMExecuteState, Session, SessionTransaction

from clinic.shared.database import db

R = TypeVar("R")
_KEPT = "read_once"


def read_once(name: Hashable, read: Callable[[], R], *of: type) -> R:
    """What `read` finds; the second time in a transaction what it found before. `of`: the classes it reads."""
    session = db.session()
    info = session.info
    kept: tuple[tuple[type, ...], Any] | None = info.get(_KEPT, {}).get(name)
    if kept is None or not _to_write(session).isdisjoint(kept[0]):
        kept = of, read()
        info.setdefault(_KEPT, {})[name] = kept  # reading may have dropped the others
    found: R = kept[1]
    return found


def note_none(kind: type, owner: int) -> None:
    """Rows of this kind were looked for, and this owner has none: whoever wants them in this transaction knows."""
    read_once(("none", kind, owner), lambda: True, kind)


def may_have(kind: type, owners: Iterable[int]) -> list[int]:
    """Those owners of whom it is not known that they have no row of this kind."""
    kept = db.session().info.get(_KEPT, {})
    return [one for one in owners if ("none", kind, one) not in kept]


def forget(session: Session, kind: type) -> None:
    """A row of this kind was written past the mapper, which would have told."""
    _drop(session, {kind})


def _to_write(session: Session) -> set[type]:
    """Of what the session has rows that are yet to be written: a statement would write them before it reads."""
    return {type(row) for rows in (session.new, session.dirty, session.deleted) for row in rows}


def _drop(session: Session, written: set[type]) -> None:
    kept = session.info.get(_KEPT)
    if kept and written:
        for name in [name for name, (of, _found) in kept.items() if not written.isdisjoint(of)]:
            del kept[name]


@event.listens_for(Session, "after_flush")
def _after_flush(session: Session, _context: object) -> None:
    _drop(session, _to_write(session))


@event.listens_for(Session, "do_orm_execute")
def _before_statement(state: ORMExecuteState) -> None:
    if state.is_select:
        if getattr(state.statement, "_for_update_arg", None) is not None:
            state.session.info.pop(_KEPT, None)
    elif state.bind_mapper is not None:
        _drop(state.session, {state.bind_mapper.class_})
    else:  # plain SQL: it may have written anything
        state.session.info.pop(_KEPT, None)


@event.listens_for(Session, "after_transaction_end")
def _at_the_end(session: Session, transaction: SessionTransaction) -> None:
    if transaction.parent is None or transaction.nested:  # else it is the end of a flush
        session.info.pop(_KEPT, None)
