"""What the desk did a moment ago and can still take back. A table of its own, apart from models.py for its length."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column, relationship

from clinic.booking.models import Visit
from clinic.shared.database import Base

REASON = "taken back"
"""Of the change of status that took something back."""


class TakeBack(Base):
    """The last step of a visit at the desk, and how the visit stood before it. Until `until` it can be taken back, and
    until then nobody is told: the mail `mail_key` is due at that moment. One row a visit; what is past is deleted.

    `together` is the same for all visits of one deed, which are taken back together; None where it was one visit."""

    __tablename__ = "take_back"
    id: Mapped[int] = mapped_column(primary_key=True)
    visit_id: Mapped[int] = mapped_column(ForeignKey("visit.id"), unique=True)
    deed: Mapped[str]  # booked, moved, marked, passed, cancelled
    before: Mapped[dict[str, Any]]
    revision: Mapped[int]  # of the visit after the step: any later change ends it
    mail_key: Mapped[str | None]
    together: Mapped[str | None] = mapped_column(index=True)
    done_by_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    until: Mapped[dt.datetime] = mapped_column(index=True)
    visit: Mapped[Visit] = relationship()
