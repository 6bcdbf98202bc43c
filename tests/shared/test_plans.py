"""What a connection to PostgreSQL has prepared outlives requests that only read, and is made anew after an error.

On SQLite there is nothing to prepare: a rollback is only a rollback there."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from clinic.shared.database import db

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
