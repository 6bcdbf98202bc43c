"""When the worker was last at work: one row, so that every web process and host can tell."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Mapped, mapped_column

from clinic.shared.database import UNREADABLE, Base, db, transaction

EVERY = dt.timedelta(seconds=20)  # each is a write to the disk
LATE = dt.timedelta(minutes=2)


class WorkerBeat(Base):
    """The only row. Two workers write it in turn; which of them is of no interest."""

    __tablename__ = "worker_beat"
    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[dt.datetime]


def beat(now: dt.datetime) -> None:
    """Note that a round of work was done."""
    last = last_beat_at()
    if last is None or not now - EVERY < last <= now:
        with transaction() as session:
            noted = session.execute(update(WorkerBeat).where(WorkerBeat.id == 1).values(at=now))
            if not noted.rowcount:  # type: ignore[attr-defined]
                session.add(WorkerBeat(id=1, at=now))


def last_beat_at() -> dt.datetime | None:
    """When the last round was noted; None before the first, and where somebody wrote what is no time: the next round
    writes over it."""
    try:
        return db.session.scalar(select(WorkerBeat.at).where(WorkerBeat.id == 1))
    except UNREADABLE:
        return None


def forget() -> None:
    """The last sign of life came with a backup: it was another machine's, or of another day."""
    with transaction() as session:
        session.execute(delete(WorkerBeat))


def is_late(seen_at: dt.datetime, now: dt.datetime) -> bool:
    """Whether that sign of life is no sign that the worker is at work now. One of a time to come neither: a clock was
    wrong, and it would hide for as long that nobody is at work."""
    return abs(now - seen_at) > LATE
