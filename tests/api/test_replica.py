"""Free times are listed from a copy of the database where there is one; nothing else ever is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import time_machine
from flask import Flask

from clinic.booking.models import Visit
from clinic.shared import replica
from clinic.shared.database import db
from tests.api.conftest import Program
from tests.booking import world
from tests.conftest import NOW
from tests.web import app_on, migrate, sqlite_address

ASKED = {"service": "swedish", "minutes": 60, "from": "2026-06-12"}


@pytest.fixture
def copy_folder(tmp_path: Path) -> Path:
    """A copy that is far behind: it has the tables, and not even a clinic."""
    folder = tmp_path / "copy"
    migrate(app_on(sqlite_address(folder), folder))
    return folder


@pytest.fixture
def settings(copy_folder: Path) -> dict[str, object]:
    return {"SQLALCHEMY_BINDS": {"copy": sqlite_address(copy_folder)}}


def free(program: Program) -> tuple[int, int]:
    answer = program.get("/availability", **ASKED)
    return answer.status_code, len(answer.get_json().get("starts", ()))


def test_only_free_times_are_read_from_the_copy_and_not_by_whoever_has_just_written(desk: Program) -> None:
    assert free(desk) == (409, 0)  # the empty copy offers nothing
    client = world.person()
    world.sign(client)
    wish = {"client": client, "service": "swedish", "minutes": 60, "starts_at": world.at(3).isoformat()}
    assert desk.post("/visits", wish).status_code == 201
    assert db.session.query(Visit).count() == 1
    assert free(desk)[0] == 200
    with time_machine.travel(NOW.replace(minute=NOW.minute + 1), tick=False):
        assert free(desk) == (409, 0)


def test_a_copy_that_is_behind_or_down_is_left_alone(
    desk: Program, app: Flask, monkeypatch: pytest.MonkeyPatch, copy_folder: Path
) -> None:
    monkeypatch.setattr(replica, "_seconds_behind", lambda: replica.MOST_SECONDS_BEHIND + 1)
    assert free(desk)[0] == 200
    app.extensions["clinic_copy"] = replica.Copy()
    monkeypatch.setattr(replica, "_seconds_behind", lambda: 0.0)
    (copy_folder / "database" / "clinic.db").unlink()  # good a moment ago, gone in the middle
    assert free(desk)[0] == 200
    assert app.extensions["clinic_copy"].alone_until > 0


def test_a_database_that_follows_nobody_is_not_behind(app: Flask, database: str) -> None:
    if app.config["SQLALCHEMY_DATABASE_URI"].startswith("postgresql"):
        with db.engine.connect() as connection:
            assert connection.execute(replica.BEHIND).scalar_one() == 0


def test_nothing_is_written_while_a_copy_is_read(app: Flask, clinic: Any) -> None:
    from clinic.shared.database import transaction

    def write() -> None:
        with transaction():
            raise AssertionError("a write went to a copy")

    with pytest.raises(RuntimeError, match="only read"):
        replica.read(write, fresh=False)
