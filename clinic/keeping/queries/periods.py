"""How long things are kept here."""

from __future__ import annotations

from sqlalchemy import select

from clinic.keeping.models import KeepingConfirmation, KeepingPeriod
from clinic.rules.keeping import PERIODS
from clinic.shared.database import db


def periods(*, to_change: bool = False) -> dict[str, int]:
    """Every kind and how long it is kept, in its own unit. `to_change`: nobody else changes them until the commit."""
    wanted = select(KeepingPeriod.kind, KeepingPeriod.amount).order_by(KeepingPeriod.kind)
    own = dict(db.session.execute(wanted.with_for_update() if to_change else wanted).tuples().all())
    return {one.kind: own.get(one.kind, one.usual) for one in PERIODS}


def is_confirmed() -> bool:
    """Whether the owner let things go by just these periods."""
    last = select(KeepingConfirmation.periods).order_by(KeepingConfirmation.id.desc()).limit(1)
    return db.session.scalar(last) == periods()
