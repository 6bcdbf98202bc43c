"""Requests to be erased, how long each kind of thing is kept, and the pass that lets rows be deleted."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from clinic.shared.database import Base

OPEN = text("erased_at IS NULL AND withdrawn_at IS NULL")


class Erasure(Base):
    """A person is to be erased, or was. `client_id` is no foreign key: the number stays when the record is gone.

    `kept_until`: what the law makes the clinic keep stays until then, and `finished_at` is when that went too.
    """

    __tablename__ = "erasure"
    id: Mapped[int] = mapped_column(primary_key=True)
    client_id: Mapped[int] = mapped_column(index=True)
    source: Mapped[str]  # client, clinic, period
    asked_at: Mapped[dt.datetime]
    asked_by_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    due_on: Mapped[dt.date]
    withdrawn_at: Mapped[dt.datetime | None]
    erased_at: Mapped[dt.datetime | None]
    erased_by_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    kept_until: Mapped[dt.date | None]
    finished_at: Mapped[dt.datetime | None]
    __table_args__ = (
        Index("uq_erasure_open", "client_id", unique=True, sqlite_where=OPEN, postgresql_where=OPEN),
    )


class ErasurePass(Base):
    """While a row stands here, rows that are otherwise never deleted may be. It is written and taken away again in
    the transaction that erases, so that nobody else ever sees it."""

    __tablename__ = "erasure_pass"
    id: Mapped[int] = mapped_column(primary_key=True)


class KeepingPeriod(Base):
    """How long one kind of thing is kept, where the clinic has set it (clinic/rules/keeping.py has the kinds)."""

    __tablename__ = "keeping_period"
    kind: Mapped[str] = mapped_column(primary_key=True)
    amount: Mapped[int]


class KeepingConfirmation(Base):
    """The owner looked at what would go by these periods and let it begin. Other periods ask for another one."""

    __tablename__ = "keeping_confirmation"
    id: Mapped[int] = mapped_column(primary_key=True)
    periods: Mapped[dict[str, Any]]
    confirmed_at: Mapped[dt.datetime]
    confirmed_by_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
