"""What is deleted is overwritten in SQLite's file: nothing of it can be read there, nor in a backup."""

from __future__ import annotations

import datetime as dt
import sqlite3
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Engine, event, text

from clinic.booking.services import checkout, deadlines, forgetting
from clinic.clients.models import Client
from clinic.clients.steps import Details
from clinic.intake.services import intakes
from clinic.shared import backups
from clinic.shared.database import db
from tests.booking import world as w
from tests.conftest import NOW
from tests.keeping.on_disk import everything

pytestmark = [
    pytest.mark.usefixtures("now", "plain_build"),
    pytest.mark.parametrize("database", ["sqlite"], indirect=True),
]
WORDS = (b"Canaryname", b"canary.given.up@people.example")


@pytest.fixture
def plain_build(app: Flask) -> Iterator[None]:
    """SQLite as its makers build it; that of Debian overwrites without being told."""

    def connect(connection: Any, _record: Any) -> None:
        if isinstance(connection, sqlite3.Connection):
            connection.execute("PRAGMA secure_delete = OFF")

    event.listen(Engine, "connect", connect, insert=True)
    db.engine.dispose()
    yield
    event.remove(Engine, "connect", connect)


def given_up() -> bytes:
    """Somebody begins to book, gives it up and is forgotten; returns what their key was kept as."""
    w.build()
    who = Details(
        "Canaryname", "Canarylast", dt.date(1988, 7, 4), email=WORDS[1].decode(), phone="(212) 555-3000"
    )
    token = checkout.hold_slot(None, w.choice("relaxation"), w.at(3), first_visit=True, user_id=None, now=NOW)
    one = checkout.name_person(token, who, relation="self", now=NOW)
    said = {"doctor_said_no": {"present": True, "reason": "told so", "date": "2025-01-01"}}
    intakes.save_draft(one, "client", "intake", said, now=NOW)
    db.session.rollback()
    kept = text("SELECT wrapped FROM person_key WHERE client_id = :one")
    key = bytes(db.session.execute(kept, {"one": one}).scalar_one())
    db.session.rollback()
    later = NOW + dt.timedelta(days=2)
    deadlines.keep_deadlines(later)
    forgetting.forget_unfinished(later)
    assert db.session.get(Client, one) is None
    db.session.remove()
    db.engine.dispose()
    with sqlite3.connect(str(db.engine.url.database)) as file:
        file.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    file.close()
    return key


def test_whoever_gave_a_booking_up_is_not_read_in_the_file(app: Flask) -> None:
    key = given_up()
    found = everything(app)
    assert [one for one in (*WORDS, key) if one in found] == []


def test_nor_in_a_backup(app: Flask) -> None:
    key = given_up()
    saved = backups.save(db.engine, app.config, now=NOW)
    with backups.opened(saved, app.config["CLINIC_BACKUP_KEY_FILE"]) as (_about, database):
        whole = database.read_bytes()
    assert [one for one in (*WORDS, key) if one in whole] == []


def test_every_connection_overwrites(app: Flask) -> None:
    assert db.session.scalar(text("PRAGMA secure_delete")) == 1
