"""Free times may be listed from a copy of the database that follows it (CLINIC_READ_DATABASE_URL).

Only what is wrapped in `read` goes there; every write, and all that a write reads, uses the database itself. A copy
that is down, or further behind than `MOST_SECONDS_BEHIND`, is left alone for a while.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import structlog
from flask import Flask, current_app
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from clinic.shared.database import READS_COPY, db

R = TypeVar("R")
log = structlog.get_logger()

BIND = "copy"
MOST_SECONDS_BEHIND = 5.0
LOOKED_AT_EVERY = 1.0
LEFT_ALONE_FOR = 10.0

# Caught up with what it was sent, while it is being sent something, is not behind however old the last change is.
BEHIND = text(
    "SELECT CASE WHEN NOT pg_is_in_recovery() THEN 0"
    " WHEN pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn()"
    " AND EXISTS (SELECT 1 FROM pg_stat_wal_receiver WHERE status = 'streaming') THEN 0"
    " ELSE coalesce(extract(epoch FROM now() - pg_last_xact_replay_timestamp()), 1e9) END"
)


@dataclass
class Copy:
    """What this process knows about the copy: until when it is good, or left alone. By the monotonic clock."""

    good_until: float = 0.0
    alone_until: float = 0.0


def set_up(app: Flask) -> None:
    """Use the copy, where the settings name one."""
    app.extensions["clinic_copy"] = Copy()


def is_set_up() -> bool:
    return BIND in (current_app.config["SQLALCHEMY_BINDS"] or {})


def read(ask: Callable[[], R], *, fresh: bool) -> R:
    """What `ask` finds: in the copy unless it has to be fresh, or the copy cannot be used."""
    if fresh or not is_set_up() or not _is_good():
        return ask()
    session = db.session()
    session.info[READS_COPY] = BIND
    try:
        return ask()
    except SQLAlchemyError as error:
        _leave_alone(type(error).__name__)
        session.info.pop(READS_COPY, None)
        session.rollback()
        return ask()
    finally:
        session.info.pop(READS_COPY, None)


def _is_good() -> bool:
    known: Copy = current_app.extensions["clinic_copy"]
    now = time.monotonic()
    if now < known.alone_until:
        return False
    if now >= known.good_until:
        try:
            behind = _seconds_behind()
        except SQLAlchemyError as error:
            _leave_alone(type(error).__name__)
            return False
        if behind > MOST_SECONDS_BEHIND:
            _leave_alone("behind")
            return False
        known.good_until = now + LOOKED_AT_EVERY
    return True


def _seconds_behind() -> float:
    engine = db.engines[BIND]
    with engine.connect() as connection:
        if engine.dialect.name != "postgresql":
            connection.execute(text("SELECT 1"))
            return 0.0
        return float(connection.execute(BEHIND).scalar_one())


def _leave_alone(kind: str) -> None:
    known: Copy = current_app.extensions["clinic_copy"]
    known.alone_until, known.good_until = time.monotonic() + LEFT_ALONE_FOR, 0.0
    log.warning("copy_left_alone", kind=kind)
