"""A PostgreSQL that restarts, hangs up or hangs is waited for a few seconds, and used again as soon as it is back."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.exc import DBAPIError, OperationalError

from clinic.shared import patience
from clinic.shared.database import ONLY_READS
from clinic.shared.postgresql import quicken

ONE = text("SELECT 1")
SELF = text("SELECT pg_backend_pid()")


@pytest.fixture
def engine(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """Connections as `clinic serve` makes them, in more of a hurry."""
    monkeypatch.setattr(patience, "ANSWER_SECONDS", 0.5)
    made = create_engine(postgres_url)
    quicken(made, ONLY_READS)
    patience.be_impatient([made])
    yield made
    made.dispose()


def works(engine: Engine) -> bool:
    with engine.connect() as connection:
        return bool(connection.execute(ONE).scalar_one() == 1)


def hang_up(engine: Engine, *pids: int) -> None:
    """What a restart of the server does to its connections. Asked for by somebody who waits as long as it takes."""
    patient = create_engine(engine.url)
    with patient.connect() as connection:
        for pid in pids:
            connection.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": pid})
    patient.dispose()


def test_connections_that_the_server_closed_meanwhile_are_not_used(engine: Engine) -> None:
    with engine.connect() as one, engine.connect() as other:
        pids = [connection.execute(SELF).scalar_one() for connection in (one, other)]
    hang_up(engine, *pids)
    assert [works(engine) for _ in pids] == [True, True]


def test_one_that_is_closed_in_the_middle_fails_once(engine: Engine) -> None:
    with engine.connect() as connection:
        hang_up(engine, connection.execute(SELF).scalar_one())
        with pytest.raises(DBAPIError) as error:
            connection.execute(ONE)
        assert error.value.connection_invalidated
    assert works(engine)


@pytest.mark.parametrize("only_reads", [False, True])
def test_one_that_is_closed_before_its_transaction_begins_fails_as_any_other(
    engine: Engine, only_reads: bool
) -> None:
    """What begins it is sent where a driver's error would reach the page as it is: 500 instead of 503."""
    with engine.connect() as connection:
        hang_up(engine, connection.connection.driver_connection.info.backend_pid)  # type: ignore[union-attr]
        connection.execution_options(**{ONLY_READS: only_reads})
        with pytest.raises(DBAPIError) as error:
            connection.execute(text("UPDATE clinic SET name = name"))
        assert error.value.connection_invalidated
    assert works(engine)


def test_a_statement_that_takes_too_long_is_ended_by_the_server(engine: Engine) -> None:
    with engine.connect() as connection:
        limits = [
            connection.execute(text(f"SHOW {name}")).scalar_one()
            for name in ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")
        ]
        assert limits == ["5s", "5s", "1min"]
        connection.execute(text("SET LOCAL statement_timeout = '50ms'"))
        with pytest.raises(OperationalError) as error:
            connection.execute(text("SELECT pg_sleep(20)"))
        assert not error.value.connection_invalidated
    assert works(engine)


def frozen(connection: Connection) -> int:
    """The process that serves this connection, stopped: it takes what is sent, and says nothing."""
    pid: int = connection.execute(SELF).scalar_one()
    os.kill(pid, signal.SIGSTOP)
    return pid


def test_a_server_that_says_nothing_is_given_up(engine: Engine) -> None:
    deeds: tuple[Callable[[Connection], object], ...] = (
        lambda connection: connection.execute(ONE),
        Connection.rollback,  # the end of a request that only read
    )
    for deed in deeds:
        began = time.monotonic()
        with engine.connect() as connection:
            pid = frozen(connection)
            try:
                with pytest.raises(DBAPIError) as error:
                    deed(connection)
                assert error.value.connection_invalidated
            finally:
                os.kill(pid, signal.SIGCONT)
        assert time.monotonic() - began < 5
        assert works(engine)
