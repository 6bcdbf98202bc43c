"""The same program with the same keys on an empty database of the same kind, to put a backup back into."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flask import Flask
from sqlalchemy import create_engine, make_url, text

from clinic.shared.database import db
from tests.web import app_on

KEPT = ("CLINIC_KEY_FILE", "CLINIC_BACKUP_KEY_FILE", "CLINIC_PG_BINDIR")


@contextmanager
def empty_machine(clinic: Flask, folder: Path) -> Iterator[Flask]:
    """A program of its own in FOLDER; with PostgreSQL its database is dropped afterwards."""
    address = f"sqlite:///{folder}/new/database/clinic.db"
    url = make_url(clinic.config["SQLALCHEMY_DATABASE_URI"])
    outside = create_engine(url, isolation_level="AUTOCOMMIT")
    if url.get_backend_name() == "postgresql":
        with outside.connect() as connection:
            connection.execute(text("CREATE DATABASE put_back"))
        address = url.set(database="put_back").render_as_string(hide_password=False)
    made = app_on(address, folder / "new", **{name: clinic.config[name] for name in KEPT})
    yield made
    with made.app_context():
        db.engine.dispose()
    if url.get_backend_name() == "postgresql":
        with outside.connect() as connection:
            connection.execute(text("DROP DATABASE put_back"))
    outside.dispose()
