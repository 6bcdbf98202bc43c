"""Who did what, when: a row in the deed's own transaction, numbered without gaps.

No health word and no personal detail goes in: ids and neutral words only.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import BigInteger, Index, bindparam, event, insert, select, update
from sqlalchemy.orm import Mapped, Session, SessionTransaction, mapped_column

from clinic.shared.database import Base, connection_of
from clinic.shared.metrics import VISIT_STEPS

_WAITING = "traces"


class AuditCounter(Base):
    """The last number given. One row; it rolls back with the deed, so there are no gaps."""

    __tablename__ = "audit_counter"
    id: Mapped[int] = mapped_column(primary_key=True)
    value: Mapped[int] = mapped_column(default=0)


class AuditRow(Base):
    """One deed. Never updated, never deleted (the database refuses both)."""

    __tablename__ = "audit_row"
    sequence: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[dt.datetime]
    by_user_id: Mapped[int | None]
    deed: Mapped[str]
    thing: Mapped[str]
    thing_id: Mapped[int | None] = mapped_column(BigInteger)
    detail: Mapped[dict[str, Any]]
    __table_args__ = (Index("ix_audit_row_thing_thing_id", "thing", "thing_id"),)


class AuditLink(Base):
    """SHA-256, in hexadecimal, of the link before and the audit row with this number. Never updated or deleted."""

    __tablename__ = "audit_link"
    sequence: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    digest: Mapped[str]


def leave_trace(
    session: Session,
    deed: str,
    thing: str,
    thing_id: int | None,
    *,
    by: int | None,
    now: dt.datetime,
    **detail: str | int | bool | None,
) -> None:
    """Append an audit row. It gets its number when all else is written, right before the commit: the counter's row is
    locked from then on, and everybody who writes waits for it."""
    if session.in_nested_transaction():
        raise RuntimeError("a trace left in a part of a transaction would stay when that part is taken back")
    session.flush()
    trace = {
        "at": now,
        "by_user_id": by,
        "deed": deed,
        "thing": thing,
        "thing_id": thing_id,
        "detail": detail,
    }
    session.info.setdefault(_WAITING, []).append(trace)


_COUNTER, _ROW = Base.metadata.tables["audit_counter"], Base.metadata.tables["audit_row"]
_TAKE = (
    update(_COUNTER).where(_COUNTER.c.id == 1).values(value=_COUNTER.c.value + 1).returning(_COUNTER.c.value)
)
_WRITE = insert(_ROW)
_TAKEN = _TAKE.cte("taken")
_TAKE_AND_WRITE = insert(_ROW).from_select(
    [column.name for column in _ROW.columns],
    select(
        _TAKEN.c.value,
        *(bindparam(one.name, type_=one.type) for one in _ROW.columns if one is not _ROW.c.sequence),
    ),
)


@event.listens_for(Session, "before_commit")
def _number(session: Session) -> None:
    traces = session.info.get(_WAITING)
    if not traces or session.in_nested_transaction():
        return
    session.flush()
    connection = connection_of(session)
    for trace in traces:
        if connection.dialect.name == "postgresql":
            connection.execute(_TAKE_AND_WRITE, trace)
        else:  # SQLite has no such statement, and nobody who waits
            connection.execute(_WRITE, {"sequence": connection.execute(_TAKE).scalar_one(), **trace})


@event.listens_for(Session, "after_commit")
def _count(session: Session) -> None:
    for trace in session.info.get(_WAITING, ()):
        if trace["thing"] == "visit":
            VISIT_STEPS.labels(trace["deed"].removeprefix("visit.")).inc()


@event.listens_for(Session, "after_transaction_end")
def _forget(session: Session, transaction: SessionTransaction) -> None:
    if transaction.parent is None:
        session.info.pop(_WAITING, None)
