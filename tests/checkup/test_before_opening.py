"""What a server refuses to open with: each says how to mend it, and nothing is served."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from clinic import checkup
from clinic.accounts import common_passwords
from clinic.cli.making import refuse
from clinic.demo.team import make_users
from clinic.shared import crypto
from clinic.shared.database import db, transaction
from tests.booking import world as w
from tests.conftest import NOW

Spoil = Callable[[Flask], Any]


def wrong(app: Flask) -> list[str]:
    found = [*checkup.of_settings(app, now=NOW), *checkup.before_opening(app, now=NOW)]
    assert all(one.mend for one in found if one.grade is checkup.Grade.WRONG)
    return [one.says for one in found if one.grade is checkup.Grade.WRONG]


def configure(**settings: object) -> Spoil:
    return lambda app: app.config.update(settings)


UNSAFE: list[tuple[Spoil, str]] = [
    (configure(DEBUG=True), "FLASK_DEBUG is set"),
    (configure(SECRET_KEY=""), "short enough to be guessed"),
    (configure(SECRET_KEY="aaaa" * 16), "short enough to be guessed"),
    (configure(SECRET_KEY="change-me-to-something-of-your-own-please"), "a sample that others know"),
    (configure(CLINIC_HOST="0.0.0.0"), "without https"),
    (configure(CLINIC_PUBLIC_URL="http://clinic.example"), "without https"),
    (
        configure(CLINIC_PUBLIC_URL="https://clinic.example", SESSION_COOKIE_SECURE=False),
        "Cookies are sent without https",
    ),
    (configure(CLINIC_DATA_DIR=Path("/nowhere/at/all")), "cannot write to /nowhere/at/all"),
    (configure(CLINIC_KEY_FILE=Path("/nowhere/clinic.key")), "/nowhere/clinic.key cannot be read"),
]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_settings_that_are_not_for_real_people_are_refused(
    app: Flask, data_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert wrong(app) == []
    for spoil, says in UNSAFE:
        before = dict(app.config)
        spoil(app)
        said = wrong(app)
        assert [says in one for one in said] == [True], (says, said)
        app.config.update(before)
    for name in ("clinic.key", "secret.key"):
        key = data_folder / "keys" / name
        key.chmod(0o640)
        assert wrong(app) == [f"Others on this machine can read {key}."]
        key.chmod(0o600)
    with monkeypatch.context() as patched:
        patched.setattr(common_passwords, "LIST", data_folder / "nowhere")
        assert wrong(app) == ["The list of common passwords is missing."]
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 37, 2))
    assert [one.startswith("SQLite ") for one in wrong(app)] == [True, True]


def test_a_database_without_its_guards_or_of_a_newer_program_is_refused(app: Flask) -> None:
    guard = {"sqlite": "ex_claim_overlap_update", "postgresql": "ap_screening_delete"}[db.engine.dialect.name]
    take_off = f"DROP TRIGGER {guard}" + ("" if db.engine.dialect.name == "sqlite" else " ON screening")
    with db.engine.connect() as connection:
        head = connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one()

    def put(version: str) -> None:
        with db.engine.begin() as connection:
            connection.execute(text("UPDATE alembic_version SET version_num = :one"), {"one": version})

    try:
        put("9999")
        assert wrong(app) == ["The database (9999) belongs to a newer version of the program."]
        put("0022")
        assert wrong(app) == [f"The database is at 0022, the program at {head}."]
    finally:
        put(head)
    with db.engine.begin() as connection:
        ddl = connection.execute(text(TRIGGER[db.engine.dialect.name]), {"name": guard}).scalar_one()
        connection.exec_driver_sql(take_off)
    try:
        assert wrong(app) == [f"The database lacks guards that keep visits safe: {guard}."]
    finally:
        with db.engine.begin() as connection:
            connection.exec_driver_sql(ddl)
    assert wrong(app) == []


TRIGGER = {
    "sqlite": "SELECT sql FROM sqlite_master WHERE name = :name",
    "postgresql": "SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE tgname = :name",
}


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_health_answers_without_their_key_are_not_served(app: Flask, tmp_path: Path) -> None:
    w.build(therapists=1)
    w.sign(w.person())
    crypto.use(crypto.KeyRing.load_or_make(tmp_path / "new.key"))
    assert [one.startswith("Health answers cannot be read") for one in wrong(app)] == [True]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_the_demo_is_not_served_to_the_world(app: Flask) -> None:
    with transaction() as session:
        make_users(session, "no password", NOW)
    assert wrong(app) == []  # on this machine alone it may be looked at
    app.config.update(CLINIC_PUBLIC_URL="https://clinic.example", SESSION_COOKIE_SECURE=True)
    assert wrong(app) == ["This database holds the demo: invented people whose passwords everybody knows."]


def test_the_program_ends_with_what_is_wrong_and_how_to_mend_it() -> None:
    grades = checkup.Grade
    refuse([checkup.Finding(grades.GOOD, "fine"), checkup.Finding(grades.LOOK, "look", "do")])
    with pytest.raises(SystemExit) as end:
        refuse(
            [checkup.Finding(grades.WRONG, "It is broken.", "Mend it."), checkup.Finding(grades.GOOD, "fine")]
        )
    assert end.value.code == "It is broken.\n  To mend it: Mend it.\nNothing was done."
