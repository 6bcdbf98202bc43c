"""PostgreSQL that is asked for no more than is needed. Imported only where PostgreSQL is used: psycopg is an extra."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any, overload

from psycopg import Column, Cursor, ServerCursor, generators
from psycopg.pq import TransactionStatus
from sqlalchemy import Connection, Engine, event

BEGIN = "BEGIN"
"""Sent by SQLAlchemy and not by the driver, whose own errors nobody would take for a database that is away."""


def quicken(engine: Engine, only_reads: str) -> None:
    """A session with the option `only_reads` begins no transaction: each statement sees what is committed by then, as
    it would inside one at PostgreSQL's usual level, and there are two answers less to wait for.

    A transaction that is undone keeps the statements that its connection has prepared. psycopg would forget them, since
    it may have made tables, which this program never does while it serves; all would be planned anew, which takes
    longer than to answer. After an error it may forget.

    A statement that is sent again is not planned again for the values of the day: that takes longer than to find the
    few rows by their index. Where a value is rare (visits that wait, of all there ever were) it stands in the text.
    """

    @event.listens_for(engine, "connect")
    def _connect(connection: Any, _record: Any) -> None:
        connection.autocommit = True  # we say BEGIN ourselves
        connection.execute("SET plan_cache_mode = force_generic_plan")
        connection.cursor_factory, connection.server_cursor_factory = _Cursor, _Stream

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        driver: Any = connection.connection.driver_connection
        options = connection.get_execution_options()
        wants_none = options.get(only_reads) or options.get("isolation_level") == "AUTOCOMMIT"
        if driver.autocommit and not wants_none:  # else the driver begins one at another level
            connection.exec_driver_sql(BEGIN)

    @event.listens_for(engine, "before_cursor_execute")
    def _write(connection: Connection, _cursor: Any, statement: str, *_rest: object) -> None:
        """Whoever writes or locks in a session that only reads can still take it back."""
        if statement == BEGIN or (statement.startswith("SELECT") and "FOR UPDATE" not in statement):
            return  # what begins with WITH may write
        driver: Any = connection.connection.driver_connection
        is_idle = driver.pgconn.transaction_status == TransactionStatus.IDLE
        if is_idle and connection.get_execution_options().get(only_reads):
            connection.exec_driver_sql(BEGIN)

    forgetting = engine.dialect.do_rollback

    def roll_back(connection: Any) -> None:
        if connection.pgconn.transaction_status == TransactionStatus.INTRANS:
            connection.pgconn.send_query(b"ROLLBACK")
            connection.wait(generators.execute(connection.pgconn))
        if connection.pgconn.transaction_status != TransactionStatus.IDLE:  # there was an error
            forgetting(connection)

    engine.dialect.do_rollback = roll_back  # type: ignore[assignment, method-assign]


class _Cursor(Cursor[Any]):
    """SQLAlchemy looks after each statement whether it found columns, and only once what they are. psycopg would look
    each of them up each time, which takes as long as to send the statement."""

    @property
    def description(self) -> Any:
        result = self.pgresult
        return _Columns(self, result.nfields) if result is not None and result.nfields else None


class _Stream(ServerCursor[Any]):
    """Many rows, a part at a time (`yield_per`): the server keeps them in a transaction, which the session ends."""

    def execute(self, *args: Any, **options: Any) -> Any:
        driver = self.connection
        if driver.autocommit and driver.pgconn.transaction_status == TransactionStatus.IDLE:
            driver.execute(BEGIN)
        return super().execute(*args, **options)


class _Columns(Sequence[Column]):
    """The columns of what a cursor found, looked up when somebody wants to know."""

    def __init__(self, cursor: Cursor[Any], count: int) -> None:
        self._cursor, self._count = cursor, count

    @cached_property
    def _all(self) -> list[Column]:
        return [Column(self._cursor, index) for index in range(self._count)]

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, index: int) -> Column: ...
    @overload
    def __getitem__(self, index: slice) -> list[Column]: ...
    def __getitem__(self, index: int | slice) -> Column | list[Column]:
        return self._all[index]
