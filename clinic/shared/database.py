"""One engine, one session, one way to write: `with transaction() as session`.

SQLite and PostgreSQL run the same code. What differs is settled here and in the migrations.
"""

from __future__ import annotations

import datetime as dt
import random
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, wraps
from typing import Any, ParamSpec, TypeVar

from flask_sqlalchemy import SQLAlchemy
from flask_sqlalchemy.session import Session as FlaskSession
from sqlalchemy import (
    JSON,
    Connection,
    DateTime,
    Engine,
    Integer,
    LargeBinary,
    MetaData,
    String,
    event,
    text,
)
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, OperationalError
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import DeclarativeBase, Session, registry
from sqlalchemy.orm.exc import StaleDataError
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeDecorator

from clinic.rules.errors import RuleViolation
from clinic.shared.guards import OVERLAP
from clinic.shared.metrics import REFUSALS, SLOT_CONFLICTS
from clinic.shared.turns import turn_to_write

NAMING = {
    "ix": "ix_%(column_0_label)s",
    "uq": "uq_%(table_name)s_%(column_0_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

SQLITE_SETTINGS = (
    "journal_mode=WAL",
    "synchronous=FULL",  # NORMAL loses acknowledged bookings in a power cut
    "foreign_keys=ON",
    "busy_timeout=15000",
    "temp_store=MEMORY",
    "cache_size=-512",  # kB for each connection: the system has the file in memory anyway
    "recursive_triggers=ON",
    "secure_delete=ON",  # not every build of SQLite overwrites what is deleted by itself
)


class UtcDateTime(TypeDecorator[dt.datetime]):
    """An aware moment: UTC text on SQLite (sorts right), timestamptz on PostgreSQL; a naive one is refused."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: dt.datetime | None, dialect: Any) -> dt.datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise TypeError("a moment needs its time zone")
        value = value.astimezone(dt.UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: dt.datetime | None, dialect: Any) -> dt.datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=dt.UTC) if value.tzinfo is None else value.astimezone(dt.UTC)


class minute_of(FunctionElement[int]):  # noqa: N801 - reads as a function of SQL
    """The epoch minute in which a moment lies, worked out by the database: thousands of rows without a date object."""

    type = Integer()
    inherit_cache = True


class minute_after(FunctionElement[int]):  # noqa: N801
    """The first whole epoch minute at or after a moment."""

    type = Integer()
    inherit_cache = True


@compiles(minute_of, "sqlite")
def _minute_of_sqlite(element: Any, compiler: Any, **options: Any) -> str:
    return f"(unixepoch({compiler.process(element.clauses, **options)}) / 60)"


@compiles(minute_of, "postgresql")
def _minute_of_postgresql(element: Any, compiler: Any, **options: Any) -> str:
    return f"CAST(floor({_seconds_postgresql(element, compiler, options)} / 60) AS bigint)"


@compiles(minute_after, "sqlite")
def _minute_after_sqlite(element: Any, compiler: Any, **options: Any) -> str:
    # The function drops parts of a second; they stand behind the full stop of the stored text.
    column = compiler.process(element.clauses, **options)
    return f"((unixepoch({column}) + 59 + (substr({column}, 21) > '000000')) / 60)"


@compiles(minute_after, "postgresql")
def _minute_after_postgresql(element: Any, compiler: Any, **options: Any) -> str:
    return f"CAST(ceil({_seconds_postgresql(element, compiler, options)} / 60) AS bigint)"


def _seconds_postgresql(element: Any, compiler: Any, options: dict[str, Any]) -> str:
    # told in a zone: else it might hang on the connection's, by what PostgreSQL knows, and no index may keep it
    return f"date_part('epoch', timezone('UTC', {compiler.process(element.clauses, **options)}))"


NEVER_TWICE = {"sqlite_autoincrement": True}
"""For a table whose numbers are remembered when the row is gone, by a mail, a visit or an open page: SQLite too counts
on, as PostgreSQL does."""


class Base(DeclarativeBase):
    """Parent of every table."""

    # Not on the class itself: flask-sqlalchemy copies the class dictionary and would see two registries.
    registry = registry(
        metadata=MetaData(naming_convention=NAMING),
        type_annotation_map={
            dt.datetime: UtcDateTime,
            str: String(),
            bytes: LargeBinary,
            list[str]: JSON,
            list[int]: JSON,
            dict[str, Any]: JSON,
        },
    )


WRITES = "clinic_writes"
"""Where a session keeps the connection of a transaction that may write, while it is in one."""
READS_COPY = "clinic_reads_copy"
"""Where a session notes that it reads from a copy of the database (clinic/shared/replica.py)."""
ONLY_READS = "clinic_only_reads"
"""The option of a connection that nothing is written through: a session's, outside of `transaction()`."""


class RoutedSession(FlaskSession):
    """Statements go to the database itself, unless the session reads from a copy just now."""

    def get_bind(
        self, mapper: Any = None, clause: Any = None, bind: Any = None, **options: Any
    ) -> Engine | Connection:
        copy = self.info.get(READS_COPY)
        if copy is not None and bind is None:
            return _reading(db.engines[copy])
        found = super().get_bind(mapper, clause, bind, **options)
        return _reading(found) if isinstance(found, Engine) else found


@cache
def _reading(engine: Engine) -> Engine:
    """The same connections, with the option; SQLite has no use for it."""
    if engine.dialect.name == "sqlite":
        return engine
    found = engine.execution_options(**{ONLY_READS: True})
    found.dispatch = engine.dispatch  # one list of listeners for each statement, not two in a row
    return found


db = SQLAlchemy(model_class=Base, session_options={"class_": RoutedSession})


def make_ready(engine: Engine) -> None:
    """What every connection to this database is told."""
    if engine.dialect.name == "sqlite":
        harden_sqlite(engine)
    else:
        from clinic.shared.postgresql import quicken  # only there where PostgreSQL is used

        quicken(engine, ONLY_READS)


def harden_sqlite(engine: Engine) -> None:
    """Durable, foreign-keyed SQLite whose writers queue instead of failing."""

    @event.listens_for(engine, "connect")
    def _connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves
        cursor = connection.cursor()
        for setting in SQLITE_SETTINGS:
            cursor.execute("PRAGMA " + setting)
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        kind = connection.get_execution_options().get("sqlite_begin", "DEFERRED")
        connection.exec_driver_sql(f"BEGIN {kind}")


def read_as_one() -> None:
    """From here to the next rollback everything is read in one transaction, as it was at one moment. Whoever takes many
    rows bit by bit needs that: PostgreSQL hands them out within a transaction only."""
    session = db.session()
    session.rollback()
    connection = session.connection(execution_options={ONLY_READS: False})
    if connection.dialect.name == "postgresql":
        session.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))


@contextmanager
def transaction() -> Iterator[Session]:
    """One deed: begin, write, commit; anything raised inside leaves nothing behind.

    On SQLite it begins IMMEDIATE, since a read that later writes fails at once under WAL when another
    writer came between. Rows loaded before are expired by it: pass ids in, not rows.
    """
    session = db.session()
    if session.new or session.dirty or session.deleted:
        raise RuntimeError("something was changed outside a transaction")
    if READS_COPY in session.info:
        raise RuntimeError("a copy of the database is only read")
    session.rollback()
    with turn_to_write(session.get_bind()):
        options = {ONLY_READS: False, "sqlite_begin": "IMMEDIATE"}
        session.info[WRITES] = session.connection(execution_options=options)
        try:
            yield session
            session.commit()
        except BaseException as error:
            session.rollback()
            if isinstance(error, RuleViolation):
                REFUSALS.labels(type(error).__name__).inc()
            raise
        finally:
            session.info.pop(WRITES, None)


def connection_of(session: Session) -> Connection:
    """The connection of the session's transaction; the session looks for it anew each time that it is asked."""
    found: Connection | None = session.info.get(WRITES)
    return session.connection() if found is None else found


P = ParamSpec("P")
R = TypeVar("R")


class TryAgain(Exception):
    """What this needs is in somebody else's hands for a moment. Tried too often, what `refusal` makes is the answer."""

    def __init__(self, refusal: Callable[[], Exception]) -> None:
        super().__init__()
        self.refusal = refusal


TRIES = 10
_TRY_AGAIN = ("40001", "40P01")  # PostgreSQL: serialization failure, deadlock detected
_ANOTHER_WAS_FIRST = "23505"  # PostgreSQL: unique violation


def _may_try_again(error: DBAPIError, attempt: int) -> bool:
    state = getattr(error.orig, "sqlstate", None)
    if state in _TRY_AGAIN:
        return True
    if state == _ANOTHER_WAS_FIRST:  # pressed twice: the second look finds the row that was not there before
        return attempt == 0
    return isinstance(error, OperationalError) and "database is locked" in str(error.orig)


def tried_again(service: Callable[P, R]) -> Callable[P, R]:
    """A service whose transaction is run again when the database broke off a deadlock, or when what it needs is in
    another's hands for a moment (at most 10 times); once, when another one has added the same row meanwhile, or
    removed one.

    Each waits for a random while that grows: those who met once do not meet again.
    """

    @wraps(service)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        for attempt in range(TRIES):
            try:
                return service(*args, **kwargs)
            except TryAgain as error:
                if attempt == TRIES - 1:
                    raise error.refusal() from None
            except DBAPIError as error:
                if attempt == TRIES - 1 or not _may_try_again(error, attempt):
                    raise
            except StaleDataError:  # the second look sees that the row is not there any more
                if attempt > 0:
                    raise
            time.sleep(random.uniform(0.5, 1.5) * 0.01 * 2 ** min(attempt, 5))  # noqa: S311 - no secret
        raise AssertionError("unreachable")

    return run


UNREADABLE = (DataError, ValueError, TypeError, AttributeError, ArithmeticError, RecursionError)
"""What is raised where a value was written by SQL that is none of its kind: broken JSON, a day that is none, bytes in
place of text."""


def is_full(error: DBAPIError) -> bool:
    """Whether there is no room left where the database lies."""
    full_sqlite = getattr(error.orig, "sqlite_errorcode", 0) == sqlite3.SQLITE_FULL
    return full_sqlite or getattr(error.orig, "sqlstate", None) == "53100"  # PostgreSQL: disk full


def broken_guard(error: IntegrityError, *names: str) -> str | None:
    """Which of these constraints or guards refused the row; None when it was another."""
    text = str(error.orig)
    if OVERLAP in text:
        SLOT_CONFLICTS.inc()
    return next((name for name in names if name in text), None)
