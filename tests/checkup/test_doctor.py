"""`clinic doctor`: it says so when all is well, and each thing that is wrong with how to mend it."""

from __future__ import annotations

import datetime as dt
import socket
import sqlite3
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path

import pytest
from click.testing import CliRunner
from flask import Flask
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DatabaseError

from clinic import checkup, cli
from clinic.checkup import Grade
from clinic.cli import making, upkeep
from clinic.shared import audit_chain, backups, crypto, heartbeat, queue_file
from clinic.shared.audit import leave_trace
from clinic.shared.database import db, transaction
from clinic.shared.mail import OutgoingMail
from tests.booking import world as w
from tests.conftest import NOW
from tests.postgres import find_binaries

pytestmark = pytest.mark.usefixtures("now")


@pytest.fixture
def settings() -> dict[str, object]:
    return {
        "CLINIC_PG_BINDIR": str(find_binaries() or ""),
        "CLINIC_PUBLIC_URL": "https://book.clinic.example",
        "SESSION_COOKIE_SECURE": True,
        "CLINIC_TRUSTED_PROXIES": 1,
        "CLINIC_MAIL_URL": "smtp://mail.clinic.example",
    }


@pytest.fixture
def clinic(app: Flask, tmp_path: Path) -> Flask:
    """A clinic with which all is well."""
    w.build(therapists=1)
    w.sign(w.person())
    app.config["CLINIC_BACKUP_DIR"] = tmp_path / "elsewhere"
    audit_chain.extend(app.config["CLINIC_AUDIT_DIR"], now=NOW)
    heartbeat.beat(NOW)
    backups.take(
        db.engine,
        app.config["CLINIC_BACKUP_DIR"],
        app.config["CLINIC_BACKUP_KEY_FILE"],
        backups.Tools(app.config["CLINIC_PG_BINDIR"]),
        now=NOW,
    )
    return app


def wrong(app: Flask, *, now: dt.datetime = NOW) -> list[str]:
    return [one.says for one in checkup.look_at(app, now=now) if one.grade is not Grade.GOOD]


def test_what_is_wrong_is_named(clinic: Flask, tmp_path: Path) -> None:
    durable = db.engine.dialect.name == "sqlite"  # the throw-away server of tests is not
    fixed = [] if durable else ["synchronous_commit is off.", "fsync is off.", "full_page_writes is off."]
    assert wrong(clinic) == fixed
    key = Path(clinic.config["CLINIC_KEY_FILE"])

    key.chmod(0o644)
    clinic.config.update(CLINIC_MAIL_URL="", SECRET_KEY="short", CLINIC_TRUSTED_PROXIES=0)
    with transaction() as session:
        leave_trace(session, "late", "thing", 1, by=None, now=NOW - dt.timedelta(minutes=3))
        mail = {
            "key": "k",
            "kind": "reset",
            "to": "a@b.example",
            "subject": "s",
            "text": "t",
            "due_at": NOW,
            "attempts": 4,
        }
        session.add(OutgoingMail(**mail))
    late = NOW + dt.timedelta(hours=48, seconds=1)
    assert [one for one in wrong(clinic, now=late) if "was not seen since 2026-06-09 13:00" in one] != []
    heartbeat.beat(late)
    said = wrong(clinic, now=late)
    assert [one for one in said if one not in fixed] == [
        "CLINIC_SECRET_KEY is short enough to be guessed.",
        f"Others on this machine can read {key}.",
        "No proxy is believed, so that everybody seems to come from the proxy's own address.",
        "The worker does not get on: something has waited for it since 2026-06-09 12:57 UTC.",
        f"No mail leaves this machine: they are files in {clinic.config['CLINIC_MAIL_DIR']}.",
        "1 mails were not taken, each after 4 attempts or more.",
        f"There is no backup since 2026-06-09 in {clinic.config['CLINIC_BACKUP_DIR']}.",
    ]
    assert all(one.mend for one in checkup.look_at(clinic, now=NOW) if one.grade is not Grade.GOOD)

    crypto.use(crypto.KeyRing.load_or_make(tmp_path / "another.key"))
    assert any(one.startswith("Health answers cannot be read") for one in wrong(clinic))
    with db.engine.begin() as connection:
        head = connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one()
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    try:
        assert wrong(clinic)[:1] == ["The database (9999) belongs to a newer version of the program."]
    finally:
        with db.engine.begin() as connection:
            connection.execute(text("UPDATE alembic_version SET version_num = :head"), {"head": head})


@pytest.mark.parametrize("minutes", [-3, 3])
def test_a_sign_of_life_of_another_time_is_none(clinic: Flask, minutes: int) -> None:
    """Left by a clock that was wrong, also ahead: nobody is at work, and it must not look so for hours."""
    said = "The worker is not at work: it was not seen since 2026-06-09"
    assert not any(one.startswith(said) for one in wrong(clinic))
    heartbeat.forget()
    heartbeat.beat(NOW + dt.timedelta(minutes=minutes))
    assert any(one.startswith(said) for one in wrong(clinic))


def test_a_time_that_is_none_hides_nothing_and_the_next_round_writes_over_it(clinic: Flask) -> None:
    sound = wrong(clinic)
    bad = {"sqlite": "abc", "postgresql": "infinity"}[db.engine.dialect.name]
    with db.engine.begin() as connection:
        connection.execute(text(f"UPDATE worker_beat SET at = '{bad}'"))
    assert [one for one in wrong(clinic) if one not in sound] == [
        "The worker is not at work: it was not seen yet."
    ]
    heartbeat.beat(NOW)
    assert wrong(clinic) == sound
    with db.engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO audit_row (sequence, at, deed, thing, detail)"
                f" SELECT max(sequence) + 1, '{bad}', 'x', 'y', '{{}}' FROM audit_row"
            )
        )
    assert [one for one in wrong(clinic) if one not in sound] == [
        "The worker does not get on: a deed of the audit cannot be read."
    ]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_the_command_ends_with_one_when_anything_is_wrong(
    clinic: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upkeep, "make_app", lambda: clinic)
    good = CliRunner().invoke(cli.main, ["doctor"])
    assert (good.exit_code, "To mend it" in good.output) == (0, False)
    with db.engine.begin() as connection:
        connection.execute(text("DROP TRIGGER ap_audit_row_delete"))
    bad = CliRunner().invoke(cli.main, ["doctor"])
    assert bad.exit_code == 1
    assert "ap_audit_row_delete" in bad.output
    assert "To mend it" in bad.output


def test_a_database_that_is_away_is_said(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    away = create_engine("postgresql+psycopg://nobody@127.0.0.1:1/none?connect_timeout=1")
    monkeypatch.setattr(type(db), "engine", property(lambda _self: away))
    assert wrong(app)[0].startswith("The database cannot be reached or used (connection failed: ")


def meets_damage() -> dt.datetime:
    """What comes of a read where a page is damaged."""
    if db.engine.dialect.name == "postgresql":
        db.session.execute(
            text("DO $$ BEGIN RAISE 'invalid page in block 4' USING ERRCODE = 'XX001'; END $$")
        )
    raise DatabaseError("SELECT", {}, sqlite3.DatabaseError("database disk image is malformed"))


def test_what_is_damaged_is_said_and_the_rest_is_looked_at(
    clinic: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    sound = wrong(clinic)
    monkeypatch.setattr(heartbeat, "last_beat_at", meets_damage)
    monkeypatch.setattr(backups, "do_keys_lag", lambda *_args: meets_damage())
    found = [one for one in checkup.look_at(clinic, now=NOW) if one.says not in sound]
    said = {
        "sqlite": "The database cannot be reached or used (database disk image is malformed).",
        "postgresql": "The database is damaged (invalid page in block 4).",
    }
    bad = [one for one in found if one.grade is not Grade.GOOD]
    assert [one.says for one in bad] == [said[db.engine.dialect.name]], "once, however often it is met"
    assert "put the newest backup back with clinic restore" in bad[0].mend
    good = [one.says for one in found]
    assert "No mail is stuck." in good
    assert "There is room on the disk." in good


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_queue_that_is_away_and_notes_that_cannot_be_written_are_said(clinic: Flask) -> None:
    notes = Path(clinic.config["CLINIC_AUDIT_DIR"])
    notes.rename(notes.with_name("elsewhere"))
    assert wrong(clinic) == [], "the folder is made when it is needed"
    notes.write_text("a file", encoding="utf-8")
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
        clinic.config["CLINIC_QUEUE_URL"] = f"postgresql://clinic:quiet@{address}/clinic"
        cannot_note = f"The newest links of the audit cannot be noted in {notes}."
        assert wrong(clinic) == [cannot_note]
    away = f"The worker's queue cannot be reached at {address} (Connection refused)."
    assert wrong(clinic) == [away, cannot_note]
    with pytest.raises(SystemExit, match="Connection refused") as end:
        making.refuse_lost_queue(clinic)
    assert "quiet" not in str(end.value)
    clinic.config["CLINIC_QUEUE_URL"] = f"redis://{address}/0"
    missing = ["CLINIC_QUEUE_URL names Redis, and the package redis is not installed."]
    assert wrong(clinic)[:1] == (missing if find_spec("redis") is None else [away])


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize("what", ["the folder is a file", "the file is a folder"])
def test_a_queue_that_can_be_no_file_is_named_and_no_worker_starts(clinic: Flask, what: str) -> None:
    path = queue_file.place(clinic.config["CLINIC_DATA_DIR"])
    if what == "the folder is a file":
        path.parent.write_text("a file", encoding="utf-8")
    else:
        path.mkdir(parents=True)
    [said] = wrong(clinic)
    assert said.startswith(f"The worker's queue cannot be kept in {path} (")
    with pytest.raises(SystemExit, match="nothing is lost"):
        making.refuse_lost_queue(clinic)
