"""Who did what, when: a row in the deed's own transaction, numbered without gaps.

No health word and no personal detail goes in: ids and neutral words only.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import BigInteger, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from clinic.shared.database import Base


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
    """Append an audit row. Call it last in a service: the counter's row is locked until the commit."""
    session.flush()
    number = session.execute(
        update(AuditCounter)
        .where(AuditCounter.id == 1)
        .values(value=AuditCounter.value + 1)
        .returning(AuditCounter.value)
    ).scalar_one()
    session.add(
        AuditRow(
            sequence=number, at=now, by_user_id=by, deed=deed, thing=thing, thing_id=thing_id, detail=detail
        )
    )
