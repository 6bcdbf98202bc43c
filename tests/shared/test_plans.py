"""What a connection to PostgreSQL has prepared outlives requests that only read, and is made anew after an error; and
what only reads begins no transaction there.

On SQLite there is nothing to prepare: a rollback is only a rollback there."""

from __future__ import annotations

import datetime as dt

import pytest
from flask import Flask
from sqlalchemy import Connection, event, text
from sqlalchemy.exc import DBAPIError

from clinic.booking.queries import judged_by, visits
from clinic.shared.database import db, transaction

OFTEN = text("SELECT 41 + 1")
PREPARED = text("SELECT count(*) FROM pg_prepared_statements WHERE statement = 'SELECT 41 + 1'")


def ask_often(connection: Connection) -> None:
    for _ in range(8):
        connection.execute(OFTEN).scalar_one()
        connection.rollback()


def is_prepared(connection: Connection) -> bool:
    if connection.dialect.name == "sqlite":
        return True
    found: int = connection.execute(PREPARED).scalar_one()
    connection.rollback()
    return found == 1


def test_plans_outlive_a_rollback(app: Flask) -> None:
    with db.engine.connect() as connection:
        ask_often(connection)
        assert is_prepared(connection)


def test_no_statement_is_planned_again_for_the_values_of_the_day(app: Flask) -> None:
    how_often = text(
        "SELECT generic_plans, custom_plans FROM pg_prepared_statements WHERE statement LIKE 'SELECT % + 7'"
    )
    with db.engine.connect() as connection:
        for number in range(12):
            asked = connection.execute(text("SELECT CAST(:number AS integer) + 7"), {"number": number})
            assert asked.scalar_one() == number + 7
        if connection.dialect.name == "postgresql":
            generic, custom = connection.execute(how_often).one()
            assert (generic > 0, custom) == (True, 0)


def test_visits_that_wait_are_asked_for_by_name(app: Flask, now: dt.datetime) -> None:
    """Few of all there ever were: PostgreSQL has to see in the text which, or it reads them all."""
    sent: list[str] = []
    note = lambda *what: sent.append(str(what[2]))  # noqa: E731
    event.listen(db.engine, "before_cursor_execute", note)
    assert (list(visits.waiting_visits()), judged_by.no_longer_safe()) == ([], [])
    event.remove(db.engine, "before_cursor_execute", note)
    assert len([one for one in sent if "status IN ('pending', 'suspended')" in one]) == 2


def test_an_error_is_undone_and_what_was_prepared_is_made_anew(app: Flask) -> None:
    with db.engine.connect() as connection:
        ask_often(connection)
        with pytest.raises(DBAPIError):
            connection.execute(text("SELECT no_such_column FROM clinic"))
        connection.rollback()
        assert connection.execute(OFTEN).scalar_one() == 42
        ask_often(connection)
        assert is_prepared(connection)


def test_what_is_rolled_back_is_gone(app: Flask) -> None:
    write = text(
        "INSERT INTO request_count (key, count, ends_at) VALUES ('undone', 1, '2026-01-01 00:00:00.000000')"
    )
    look = text("SELECT count(*) FROM request_count WHERE key = 'undone'")
    with db.engine.connect() as connection:
        ask_often(connection)
        connection.execute(write)
        assert connection.execute(look).scalar_one() == 1
        connection.rollback()
        assert connection.execute(look).scalar_one() == 0


def is_in_transaction(connection: Connection) -> bool:
    """By what the driver knows."""
    driver = connection.connection.driver_connection
    assert driver is not None
    if connection.dialect.name == "sqlite":
        return bool(driver.in_transaction)
    return bool(driver.info.transaction_status.name == "INTRANS")


def test_what_only_reads_is_no_transaction_and_what_writes_is_one(app: Flask) -> None:
    """On SQLite all statements of a request see the same, which costs nothing there."""
    reads = db.session.connection()
    reads.execute(OFTEN)
    assert is_in_transaction(reads) == (reads.dialect.name == "sqlite")
    with transaction() as session:
        assert is_in_transaction(session.connection())
    with db.engine.connect() as plain:
        plain.execute(OFTEN)
        assert is_in_transaction(plain)


def test_what_is_written_or_locked_where_only_reading_was_meant_can_be_taken_back(app: Flask) -> None:
    write = (
        "INSERT INTO request_count (key, count, ends_at) VALUES ('meant', 1, '2026-01-01 00:00:00.000000')"
    )
    look = "SELECT count(*) FROM request_count WHERE key = 'meant'"
    locks = "" if db.engine.dialect.name == "sqlite" else " FOR UPDATE"
    for deed in (f"SELECT key FROM request_count{locks}", write):
        db.session.execute(text(deed))
        assert is_in_transaction(db.session.connection()), deed
        db.session.rollback()
        assert db.session.execute(text(look)).scalar_one() == 0
        db.session.rollback()


def test_many_rows_are_read_a_part_at_a_time_outside_of_a_transaction_too(app: Flask) -> None:
    numbers = [f"SELECT {number} AS number" for number in range(25)]
    wanted = text(" UNION ALL ".join(numbers)).execution_options(yield_per=10)
    assert list(db.session.scalars(wanted)) == list(range(25))
    db.session.rollback()
    reads = db.session.connection()
    assert is_in_transaction(reads) == (reads.dialect.name == "sqlite")
    with transaction() as session:
        assert list(session.scalars(wanted)) == list(range(25))


def test_whoever_asks_for_one_view_of_everything_gets_it(app: Flask) -> None:
    """As a backup does."""
    level = text("SELECT current_setting('transaction_isolation')")
    with db.engine.connect() as plain:
        if plain.dialect.name == "sqlite":
            return
        assert plain.execute(level).scalar_one() == "read committed"
    with db.engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
        assert connection.execute(level).scalar_one() == "repeatable read"
        assert is_in_transaction(connection)
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM clinic"))
    with transaction() as session:
        assert session.execute(level).scalar_one() == "read committed"
