"""How long the program waits for PostgreSQL: a server that hangs, restarts or dies is waited for a few seconds, never
for ever, and is used again as soon as it is back.

Nobody is asked whether they are still there before each request, which would cost a round trip: a server that hung up
has sent word, and that is looked for. One that does not answer at all is given up by the clock.
"""

from __future__ import annotations

import select
from collections.abc import Iterable
from typing import Any

from sqlalchemy import Engine, event
from sqlalchemy.exc import DisconnectionError

STATEMENT_SECONDS = 5  # a lock that somebody holds counts too
ANSWER_SECONDS = 6  # then nobody is there who could say that it took too long
CONNECT_SECONDS = 3
ON_THE_SERVER = (
    f"SET statement_timeout = '{STATEMENT_SECONDS}s'",
    f"SET lock_timeout = '{STATEMENT_SECONDS}s'",
    "SET idle_in_transaction_session_timeout = '60s'",
)


def be_impatient(engines: Iterable[Engine]) -> None:
    """From now on wait no longer than this for an answer. For what serves people; a migration takes its time."""
    for engine in engines:
        if engine.dialect.name == "postgresql":
            _limit(engine)
            engine.dispose()  # connections that wait for ever


def _limit(engine: Engine) -> None:
    import psycopg  # only there where PostgreSQL is used
    from psycopg.pq import TransactionStatus

    class Impatient(psycopg.Connection[Any]):
        """A connection that gives up, and is of no use afterwards: an answer that comes late is to another question."""

        def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
            try:
                return super().wait(gen, interval, ANSWER_SECONDS if timeout is None else timeout)
            except psycopg.OperationalError:
                if self.pgconn.transaction_status == TransactionStatus.ACTIVE:
                    self.close()
                raise

    @event.listens_for(engine, "do_connect")
    def connect(_dialect: Any, _record: Any, args: Any, named: dict[str, Any]) -> Any:
        made = Impatient.connect(*args, **{"connect_timeout": CONNECT_SECONDS, **named}, autocommit=True)
        for setting in ON_THE_SERVER:
            made.execute(setting)
        made.autocommit = False
        return made

    @event.listens_for(engine, "checkout")
    def see_whether_it_hung_up(connection: Any, _record: Any, _fairy: Any) -> None:
        word = select.poll()
        word.register(connection.pgconn.socket, select.POLLIN)
        if word.poll(0):
            raise DisconnectionError
