"""Requests that the database does not answer: told at once and kindly, with a time to ask again."""

from __future__ import annotations

import sqlite3
import time

import structlog
from flask import Flask, g, request
from sqlalchemy.exc import (
    DBAPIError,
    InterfaceError,
    OperationalError,
    PendingRollbackError,
    SQLAlchemyError,
)
from sqlalchemy.exc import TimeoutError as NoConnection

from clinic.rules.language import _
from clinic.shared.database import is_full
from clinic.shared.metrics import DATABASE_ERRORS
from clinic.shared.web import DISK_FULL, Answer, error_page

log = structlog.get_logger()

REST_SECONDS = 1.0
NEED_NONE = ("checkup.health", "checkup.numbers", "static")


class Away:
    """When this process has just found the database away: for a moment nobody else waits in line to find that out."""

    def __init__(self) -> None:
        self._until = 0.0

    def note(self) -> None:
        """It has just not answered."""
        self._until = time.monotonic() + REST_SECONDS

    def is_so(self) -> bool:
        """Whether it did not answer within the last moment."""
        return time.monotonic() < self._until


def answer_without_database(app: Flask) -> None:
    """Answer 503, with a time to ask again, while the database is away, refuses for want of room, or takes too long."""
    away = app.extensions["clinic_away"] = Away()

    @app.before_request
    def let_it_rest() -> Answer | None:
        g.database_is_away = away.is_so() and request.endpoint not in NEED_NONE
        return error_page(503) if g.database_is_away else None

    @app.errorhandler(OperationalError)
    @app.errorhandler(InterfaceError)
    @app.errorhandler(PendingRollbackError)
    @app.errorhandler(NoConnection)
    def no_database(error: SQLAlchemyError) -> Answer:
        if is_away(error):
            away.note()
            g.database_is_away = True
        full = isinstance(error, DBAPIError) and is_full(error)
        kind = "Full" if full else type(getattr(error, "orig", error)).__name__
        DATABASE_ERRORS.labels(kind).inc()
        log.error("database_did_not_answer", kind=kind, endpoint=request.endpoint)
        return error_page(503, _(DISK_FULL) if full else None)


def is_away(error: SQLAlchemyError) -> bool:
    """Whether nobody answers, rather than that one statement was refused. A file is never away: on a full disk one
    connection may not be opened, and another one reads."""
    if isinstance(error, DBAPIError) and not isinstance(error.orig, sqlite3.Error):
        return error.connection_invalidated or error.statement is None
    return isinstance(error, NoConnection)
