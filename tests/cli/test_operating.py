"""Every command says in a sentence what is wrong with the database or a folder, and how to mend it."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from click.testing import CliRunner
from psycopg.errors import DataCorrupted
from sqlalchemy.exc import InternalError

from clinic import cli
from clinic.app import create_app
from clinic.cli import audit, upkeep
from clinic.shared import audit_chain
from clinic.shared.keyring import KeyRing

NEEDS_A_CLINIC = (
    "account sign-out-everybody", "account unlock owner@clinic.example", "archive --before 2026-01-01",
    "audit verify", "backup", "keys drop --yes",
    "keys reseal", "retention", "retention --dry-run", "token create site", "token end 1", "token list",
    "zone change 1 Europe/Lisbon",
)  # fmt: skip
AWAY = "postgresql+psycopg://clinic:right-horse@127.0.0.1:1/clinic"


def said_by(command: str) -> str:
    """What a command says that ends with 1 and no traceback."""
    done = CliRunner().invoke(cli.main, command.split())
    assert (done.exit_code, type(done.exception)) == (1, SystemExit), (command, done.exception)
    return done.output


def with_database(monkeypatch: pytest.MonkeyPatch, **settings: object) -> None:
    """One application for all commands: to make one takes longer than what is asked of it."""
    app = create_app(settings)
    monkeypatch.setattr("clinic.app.create_app", lambda _overrides: app)


def test_without_a_clinic_or_its_database_a_command_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_database(monkeypatch, CLINIC_DATA_DIR=tmp_path)
    assert "The database is empty." in said_by("doctor")
    for command in NEEDS_A_CLINIC:
        assert "The database is empty" in said_by(command), command
    with_database(monkeypatch, CLINIC_DATA_DIR=tmp_path, SQLALCHEMY_DATABASE_URI=AWAY)
    for command in ("migrate", "doctor", *NEEDS_A_CLINIC):
        said = said_by(command)
        assert "The database cannot be reached or used (connection" in said, command
        assert "To mend it: Is CLINIC_DATABASE_URL right?" in said, command
        assert "right-horse" not in said, command


def test_a_damaged_database_ends_a_command_with_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def damaged(_heads: Path) -> None:
        raise InternalError(
            "SELECT", {}, DataCorrupted("invalid page in block 4 of relation 16423\nCONTEXT: x")
        )

    app = create_app({"CLINIC_DATA_DIR": tmp_path})
    monkeypatch.setattr(audit, "make_working_app", lambda: app)
    monkeypatch.setattr(audit_chain, "verify", damaged)
    said = said_by("audit verify")
    assert said.startswith(
        "The database is damaged (invalid page in block 4 of relation 16423).\n  To mend it: "
    )
    assert "put the newest backup back with clinic restore" in said


def test_a_folder_that_may_not_be_used_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_room() -> None:
        raise PermissionError(13, "Permission denied", "/srv/clinic")

    monkeypatch.setattr(upkeep, "make_app", no_room)
    assert (
        said_by("where")
        == "/srv/clinic: Permission denied. Is it the program's own, and has the disk room?\n"
    )


def test_keys_on_a_full_disk_end_with_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The system does not say which file it has no room for."""
    with_database(monkeypatch, CLINIC_DATA_DIR=tmp_path)

    def full(_handle: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    assert said_by("keys add") == (
        f"{tmp_path}/keys/clinic.key.new: No space left on device. Is it the program's own, and has the disk room?\n"
    )
    assert len(KeyRing.load(tmp_path / "keys" / "clinic.key").keys) == 1
