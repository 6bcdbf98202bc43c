"""What a therapist notes of a visit: sealed, added to and never edited."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from clinic.shared.crypto import BigId, Sealed, SealedRow
from clinic.shared.database import Base


class SessionNote(SealedRow, Base):
    """A note of one visit. `corrects_id`: it takes the place of that one, which stays to be read; each is corrected
    once at most, so that there is one newest wording (the database refuses edits and a second correction)."""

    __tablename__ = "session_note"
    about = "visit_id"
    visit_id: Mapped[int] = mapped_column(BigId, ForeignKey("visit.id"), index=True)
    corrects_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("session_note.id"), unique=True)
    written_at: Mapped[dt.datetime]
    written_by_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    text_sealed: Mapped[bytes]
    text = Sealed()
