"""The table of outgoing messages, which is the truth about them, and the owner's own texts."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from clinic.shared.crypto import BigId
from clinic.shared.database import Base

WAITS = text("sent_at IS NULL AND ended_as IS NULL")
OF_A_VISIT = text("visit_id IS NOT NULL")


class OutgoingMail(Base):
    """One message to send. `key` is unique, so that a deed done twice sends once.

    `ended_as` is failed (nobody took it) or dropped (it was no longer true when it was to leave)."""

    __tablename__ = "outgoing_mail"
    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[str]
    channel: Mapped[str] = mapped_column(default="mail")  # or sms
    visit_id: Mapped[int | None] = mapped_column(BigId)
    starts_at: Mapped[dt.datetime | None]  # of a message that is only true while the visit begins then
    to: Mapped[str]
    subject: Mapped[str]
    text: Mapped[str]
    stop_key: Mapped[str | None]  # opens the page that switches this kind off, for this person
    due_at: Mapped[dt.datetime]
    lease_until: Mapped[dt.datetime | None]
    attempts: Mapped[int] = mapped_column(default=0)
    tried_at: Mapped[dt.datetime | None]
    trouble: Mapped[str] = mapped_column(default="")  # the kind of the last failure, never what a server said
    sent_at: Mapped[dt.datetime | None]
    ended_as: Mapped[str | None]
    __table_args__ = (
        Index("ix_outgoing_mail_waits", "due_at", sqlite_where=WAITS, postgresql_where=WAITS),
        Index(
            "ix_outgoing_mail_visit_id", "visit_id", sqlite_where=OF_A_VISIT, postgresql_where=OF_A_VISIT
        ),
    )  # fmt: skip


class OwnText(Base):
    """What the owner writes instead of a standard text: its first line is the subject. No row: the standard text."""

    __tablename__ = "own_text"
    kind: Mapped[str] = mapped_column(primary_key=True)
    language: Mapped[str] = mapped_column(primary_key=True, default="en")
    text: Mapped[str]
    changed_at: Mapped[dt.datetime]
    changed_by_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
