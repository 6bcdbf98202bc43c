"""What is to be sent about a visit, and when: written with the visit, and anew whenever it changes."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from clinic.shared.database import Base

UNWRITTEN = text("written_at IS NULL")


class TimedMessage(Base):
    """One message about a visit that begins at `starts_at`. `written_at`: when it went into the outbox, or turned out
    not to be wanted any more. The three together are one message, so that a visit which is moved away and back
    reminds nobody twice."""

    __tablename__ = "timed_message"
    id: Mapped[int] = mapped_column(primary_key=True)
    visit_id: Mapped[int] = mapped_column(ForeignKey("visit.id"))
    kind: Mapped[str]
    starts_at: Mapped[dt.datetime]
    due_at: Mapped[dt.datetime]
    written_at: Mapped[dt.datetime | None]
    __table_args__ = (
        UniqueConstraint("visit_id", "kind", "due_at"),
        Index("ix_timed_message_unwritten", "due_at", sqlite_where=UNWRITTEN, postgresql_where=UNWRITTEN),
    )
