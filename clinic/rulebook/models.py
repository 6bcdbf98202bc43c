"""The clinic's own versions of the rules: every one kept, with who, when and why."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column, relationship

from clinic.accounts.models import User
from clinic.shared.database import Base


class RulesVersion(Base):
    """One version, made from the one before it. Rows are added, never edited (the database refuses it).

    `changes` is the complete list of changes in force under this version, as rules/rule_change.py writes them;
    `kind` what the owner did (rules/proposals.py); `version` how judgements made by it are named.
    """

    __tablename__ = "rules_version"
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    previous: Mapped[int]
    kind: Mapped[str]
    reason: Mapped[str]
    changes: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    version: Mapped[str]
    made_at: Mapped[dt.datetime]
    made_by_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    made_by: Mapped[User] = relationship()
    __table_args__ = (CheckConstraint("number >= 1 AND previous = number - 1", name="order"),)
