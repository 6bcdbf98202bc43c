"""Backups: taken while others write, read again, put back on an empty machine; a damaged one is noticed."""

from __future__ import annotations

import datetime as dt
import errno
import os
import shutil
import sqlite3
import subprocess
import sys
import tarfile
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pyrage
import pytest
from click.testing import CliRunner
from flask import Flask
from sqlalchemy import create_engine, make_url, select, text

from clinic import checkup, cli, worker
from clinic.checkup import everyday
from clinic.cli import backups as commands
from clinic.intake.models import Intake
from clinic.shared import backups, clock, heartbeat
from clinic.shared.audit import AuditRow
from clinic.shared.backups import dumps
from clinic.shared.database import db
from clinic.shared.guards import missing_guards
from tests.booking import world as w
from tests.conftest import NOW
from tests.empty_machine import empty_machine
from tests.postgres import find_binaries

pytestmark = pytest.mark.usefixtures("now")


@pytest.fixture
def settings() -> dict[str, object]:
    return {"CLINIC_PG_BINDIR": str(find_binaries() or "")}


@pytest.fixture
def clinic(app: Flask) -> Flask:
    """A clinic in which one person has said something that only they and their therapist may read."""
    w.build(therapists=1)
    w.sign(w.person(), doctor_said_no={"reason": "told so", "date": "2025-01-01"})
    return app


@pytest.fixture
def empty(clinic: Flask, tmp_path: Path) -> Iterator[Flask]:
    with empty_machine(clinic, tmp_path) as made:
        yield made


def take(app: Flask, *, now: dt.datetime = NOW) -> Path:
    tools = backups.Tools(app.config["CLINIC_PG_BINDIR"])
    return backups.take(
        db.engine, app.config["CLINIC_BACKUP_DIR"], app.config["CLINIC_BACKUP_KEY_FILE"], tools, now=now
    )


def test_a_backup_is_put_back_on_an_empty_machine(
    clinic: Flask, empty: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commands, "make_app", lambda: clinic)
    heartbeat.beat(NOW)
    said = CliRunner().invoke(cli.main, ["backup"])
    assert said.exit_code == 0, said.output
    saved = backups.newest(clinic.config["CLINIC_BACKUP_DIR"], now=clock.now())
    assert saved
    assert str(saved) in said.output
    deeds = [tuple(row) for row in db.session.execute(select(AuditRow.sequence, AuditRow.deed))]
    sealed = db.session.scalars(select(Intake.answers_sealed)).all()
    db.session.rollback()

    monkeypatch.setattr(commands, "make_app", lambda: empty)
    with empty.app_context():  # as `clinic doctor` does, after which SQLite's file is there
        assert checkup.before_work(empty, now=NOW)[0].says == "The database is empty."
    said = CliRunner().invoke(cli.main, ["restore", str(saved)])
    assert said.exit_code == 0, said.output
    with empty.app_context():
        found = sorted(tuple(row) for row in db.session.execute(select(AuditRow.sequence, AuditRow.deed)))
        assert found == [*deeds, (len(deeds) + 1, "signed_out_everybody")]
        assert db.session.scalars(select(Intake.answers_sealed)).all() == sealed
        assert db.session.scalars(select(Intake)).one().answers["doctor_said_no"]["reason"] == "told so"
        assert missing_guards(db.session()) == []
        assert heartbeat.last_beat_at() is None  # no worker has been at work here yet
        db.session.remove()
    again = CliRunner().invoke(cli.main, ["restore", str(saved)])
    assert again.exit_code == 1
    assert "not empty" in again.output or "there already" in again.output


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_backup_is_opened_by_the_python_of_debian_12_too(
    clinic: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """3.11.2 cannot extract with a filter; so nothing but our own two files is ever taken out of an archive."""

    def extract(*_arguments: object, **_options: object) -> None:
        raise AssertionError("extracted without care")

    monkeypatch.setattr(tarfile.TarFile, "extractall", extract)
    monkeypatch.setattr(tarfile.TarFile, "extract", extract)
    assert backups.check(take(clinic), clinic.config["CLINIC_BACKUP_KEY_FILE"], backups.Tools()).rows


def test_a_backup_says_nothing_to_who_has_no_key(clinic: Flask, tmp_path: Path) -> None:
    saved = take(clinic)
    name = str(db.session.scalars(text("SELECT name_key FROM client")).first()).encode()
    whole = saved.read_bytes()
    assert name not in whole
    assert b"about.json" not in whole
    assert saved.stat().st_mode & 0o777 == 0o600
    assert sorted(saved.parent.iterdir()) == [saved, saved.parent / "people.clinic-keys"]
    backups.load_or_make_key(other := tmp_path / "other.key")
    with pytest.raises(backups.BackupFailed, match="another key"):
        backups.check(saved, other, backups.Tools())


@pytest.mark.parametrize("part", [0.02, 0.5, 0.999])
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_flipped_bit_is_noticed(clinic: Flask, part: float, empty: Flask) -> None:
    saved = take(clinic)
    whole = bytearray(saved.read_bytes())
    whole[int(len(whole) * part)] ^= 1
    saved.write_bytes(whole)
    with empty.app_context(), pytest.raises(backups.BackupFailed, match="damaged"):
        backups.restore(saved, db.engine, clinic.config["CLINIC_BACKUP_KEY_FILE"], backups.Tools())
    assert not Path(str(make_url(empty.config["SQLALCHEMY_DATABASE_URI"]).database)).exists()


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_broken_database_is_not_saved(clinic: Flask) -> None:
    """A backup of what is already broken would push a good one out."""
    path = Path(str(db.engine.url.database))
    db.session.remove()
    db.engine.dispose()
    with sqlite3.connect(path) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        page = database.execute("SELECT rootpage FROM sqlite_master WHERE name = 'audit_row'").fetchone()[0]
        size = database.execute("PRAGMA page_size").fetchone()[0]
    database.close()
    with path.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xff" * 64)
    with pytest.raises(backups.BackupFailed):
        take(clinic)
    assert backups.newest(clinic.config["CLINIC_BACKUP_DIR"], now=clock.now()) is None


@pytest.mark.parametrize("part", [0, 0.5], ids=["another file", "cut in half"])
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_file_that_is_no_database_any_more_is_said_in_a_sentence(
    clinic: Flask, part: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is what somebody runs first whose disk is damaged."""
    saved = take(clinic)
    path = Path(str(db.engine.url.database))
    db.session.remove()
    db.engine.dispose()
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * part)] or b"x" * len(whole))
    monkeypatch.setattr(commands, "make_app", lambda: clinic)
    for command, says in (
        (["backup"], "The database cannot be read as a whole. ("),
        (["restore", str(saved)], "The database cannot be reached or used ("),
    ):
        said = CliRunner().invoke(cli.main, command)
        assert (said.exit_code, type(said.exception)) == (1, SystemExit), command
        assert said.output.startswith(says)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_restored_without_the_old_keys_is_said(
    clinic: Flask, empty: Flask, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from clinic.shared import crypto

    saved = take(clinic)
    crypto.use(crypto.KeyRing.load_or_make(tmp_path / "fresh.key"))
    monkeypatch.setattr(commands, "make_app", lambda: empty)
    said = CliRunner().invoke(cli.main, ["restore", str(saved)])
    assert said.exit_code == 1
    assert "cannot be read with the keys" in said.output
    assert "intake.answers_sealed" in said.output


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_the_worker_saves_when_it_is_due_and_keeps_so_many(clinic: Flask) -> None:
    folder = clinic.config["CLINIC_BACKUP_DIR"]
    clinic.config["CLINIC_BACKUPS_KEPT"] = 2
    hour = dt.timedelta(hours=1)
    for ago in (24 * hour - dt.timedelta(seconds=1), 24 * hour, 48 * hour, 72 * hour):
        for old in folder.glob("*") if folder.exists() else ():
            old.unlink()
        first = take(clinic, now=NOW - ago)
        worker.do(clinic, worker.Job(worker.save_when_due, 3600))
        made = sorted(folder.glob("clinic-*"))
        assert len(made) == (1 if ago < 24 * hour else 2), ago
        assert made[0] == first
    clinic.config["CLINIC_BACKUPS_KEPT"] = 1
    backups.keep_newest(folder, 1, now=NOW)
    assert [backups.made_at(path) for path in folder.glob("clinic-*")] == [NOW]
    clinic.config["CLINIC_BACKUP_HOURS"] = 0
    next(folder.glob("clinic-*")).unlink()
    worker.do(clinic, worker.Job(worker.save_when_due, 3600))
    assert list(folder.glob("clinic-*")) == []


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_a_missing_tool_is_named(clinic: Flask, tmp_path: Path) -> None:
    clinic.config["CLINIC_PG_BINDIR"] = str(tmp_path)
    with pytest.raises(backups.BackupFailed, match="pg_dump is not on this machine"):
        take(clinic)


@pytest.mark.parametrize(
    "error", [OSError(errno.ENOSPC, "No space left on device"), sqlite3.OperationalError("disk is full")]
)
def test_a_full_disk_is_said_in_a_sentence_and_leaves_nothing(
    clinic: Flask, error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_arguments: object) -> None:
        raise error

    folder = clinic.config["CLINIC_BACKUP_DIR"]
    monkeypatch.setattr(commands, "make_app", lambda: clinic)
    monkeypatch.setattr(backups, "_seal", full)
    done = CliRunner().invoke(cli.main, ["backup"])
    assert done.exit_code == 1
    assert f"No backup could be made: {folder}: " in done.output
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_disk_that_was_full_at_the_first_backup_takes_the_next_one(
    clinic: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The key is made at the first one; an earlier version left an empty file in its place."""
    clinic.config["CLINIC_BACKUP_KEY_FILE"] = key = tmp_path / "backup.key"
    key.touch()

    def full(_handle: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as disk:
        disk.setattr(os, "fsync", full)
        with pytest.raises(backups.BackupFailed, match="No space"):
            take(clinic)
    assert take(clinic).exists()


def test_nothing_is_saved_while_a_restore_is_unfinished(clinic: Flask) -> None:
    """Its mark would go along, and what was saved could not be put back."""
    with db.engine.begin() as connection:
        connection.execute(text(f"CREATE TABLE {dumps.UNFINISHED} AS SELECT 'abc put' AS digest"))
    try:
        with pytest.raises(backups.BackupFailed, match="first finish it"):
            take(clinic)
    finally:
        backups.finish_restore(db.engine)
    assert take(clinic).exists()


@pytest.mark.parametrize(
    "error", [OSError(errno.ENOSPC, "No space"), pyrage.DecryptError("no room (os error 28)")]
)
def test_a_sound_backup_without_room_beside_it_is_not_called_damaged(
    clinic: Flask, error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = take(clinic)

    def full(*_arguments: object) -> None:
        raise error

    monkeypatch.setattr(pyrage, "decrypt_file", full)
    with pytest.raises(backups.BackupFailed, match="there has to be room beside it"):
        backups.check(file, clinic.config["CLINIC_BACKUP_KEY_FILE"], backups.Tools(""))


def test_a_place_where_no_folder_can_be_is_said_in_a_sentence(clinic: Flask, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    clinic.config["CLINIC_BACKUP_DIR"] = tmp_path / "file" / "backups"
    with pytest.raises(
        backups.BackupFailed, match=r"No backup could be made: .*file/backups: Not a directory"
    ):
        take(clinic)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_only_what_who_was_killed_left_is_cleared_away(clinic: Flask) -> None:
    """Hidden folders and files of other programs in the same folder are theirs, and stop nothing; what another process
    is at work on stays."""
    folder = clinic.config["CLINIC_BACKUP_DIR"]
    own = (".making-x1x1x1x1", ".reading-x2x2x2_2")
    foreign = (".staging-offsite", ".syncing-now", ".reading-list", ".making-of", ".making-x1")
    for name in (*own, *foreign, ".reading-now_here", ".reading-material"):
        (folder / name).mkdir(parents=True)
        (folder / name / "database").write_bytes(b"x")
    (folder / ".reading-material" / "book.txt").write_text("somebody's")
    (folder / own[0] / own[1]).mkdir()  # killed while it read itself again
    (folder / own[0] / own[1] / "plain.tar").write_bytes(b"x")
    (folder / ".making-for_them" / own[1]).mkdir(parents=True)
    (folder / ".making-for_them" / own[1] / "theirs").write_bytes(b"x")
    (folder / ".uploading-clinic.tmp").write_bytes(b"x")
    (folder / ".making-one_file").write_bytes(b"x")
    (folder / ".making-one_link").symlink_to(folder / ".staging-offsite")
    with at_work_in(folder / ".reading-now_here"):
        assert take(clinic).exists()
    left = {path.name for path in folder.iterdir() if path.name.startswith(".")}
    others = {
        ".reading-material",
        ".making-for_them",
        ".uploading-clinic.tmp",
        ".making-one_file",
        ".making-one_link",
    }
    assert left == {*foreign, *others, ".reading-now_here"}
    assert (folder / ".staging-offsite" / "database").exists()


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_medium_that_can_only_be_read_is_said_in_a_sentence(
    clinic: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = take(clinic)

    def cannot(*_: object, **__: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr("clinic.shared.backups.tempfile.TemporaryDirectory", cannot)
    with pytest.raises(
        backups.BackupFailed, match=f"Nothing can be written in {path.parent}: Read-only file system"
    ):
        backups.check(path, clinic.config["CLINIC_BACKUP_KEY_FILE"], backups.Tools(""))


@contextmanager
def at_work_in(folder: Path) -> Iterator[None]:
    """Another process that has locked FOLDER."""
    lock = "import fcntl, os, sys; fcntl.flock(os.open(sys.argv[1], 0), fcntl.LOCK_SH); print(1, flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", lock, folder], stdin=-1, stdout=-1) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"1\n"
        yield
        other.communicate(b"\n")


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_what_a_killed_restore_left_in_the_clear_goes_with_the_next_one(
    clinic: Flask, tmp_path: Path
) -> None:
    """A backup is mostly restored from another folder than the one where backups are made."""
    brought = tmp_path / "brought"
    brought.mkdir()
    path = shutil.copy(take(clinic), brought)
    (brought / ".reading-killed_1").mkdir()
    (brought / ".reading-killed_1" / "database").write_bytes(b"x")
    with backups.opened(Path(path), clinic.config["CLINIC_BACKUP_KEY_FILE"]) as (_, database):
        assert database.exists()
        assert [one.name for one in brought.glob(".reading-*")] == [database.parent.name]
    assert list(brought.glob(".reading-*")) == []


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_two_backups_at_once_may_let_go_of_the_same_old_one(
    clinic: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worker's and one by hand: the first has removed it when the second comes to it."""
    clinic.config["CLINIC_BACKUPS_KEPT"] = 1
    old, up_to = take(clinic), backups._up_to

    def chosen(folder: Path, now: dt.datetime) -> list[Path]:
        found = up_to(folder, now)
        old.unlink()
        return found

    monkeypatch.setattr(backups, "_up_to", chosen)
    assert backups.save(db.engine, clinic.config, now=NOW + dt.timedelta(seconds=1)).exists()


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize("where", ["copied", "marked"])
def test_a_restore_on_a_full_disk_names_it_and_is_begun_again(
    clinic: Flask, empty: Flask, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    """Full where the database goes: while it is copied, or with the note that the restore goes on."""
    saved = take(clinic)
    monkeypatch.setattr(commands, "make_app", lambda: empty)

    def full(source: Path, target: Path) -> None:
        if where == "copied":
            target.write_bytes(b"half")
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(source), None, str(target))
        copy(source, target)
        with sqlite3.connect(target) as database:  # no page more than it has
            most = database.execute("PRAGMA page_count").fetchone()[0]
        connect = sqlite3.connect

        def small(path: Path) -> sqlite3.Connection:
            found = connect(path)
            found.execute(f"PRAGMA max_page_count = {most}")
            return found

        disk.setattr(sqlite3, "connect", small)

    copy, place = (
        shutil.copyfile,
        Path(str(make_url(empty.config["SQLALCHEMY_DATABASE_URI"]).database)).parent,
    )
    with monkeypatch.context() as disk:
        disk.setattr(shutil, "copyfile", full)
        said = CliRunner().invoke(cli.main, ["restore", str(saved)])
    assert (said.exit_code, type(said.exception)) == (1, SystemExit), said.exception
    assert said.output.startswith(f"Nothing could be put back in {place}: ")
    assert list(place.iterdir()) == []
    assert CliRunner().invoke(cli.main, ["restore", str(saved)]).exit_code == 0


def place_of(empty: Flask) -> Path:
    return Path(str(make_url(empty.config["SQLALCHEMY_DATABASE_URI"]).database))


def put_back(saved: Path, empty: Flask) -> str:
    """What is said when the backup is put where EMPTY has its database; nothing when it lies there."""
    engine = create_engine(empty.config["SQLALCHEMY_DATABASE_URI"])
    try:
        backups.restore(saved, engine, empty.config["CLINIC_BACKUP_KEY_FILE"], backups.Tools(""))
    except backups.BackupFailed as error:
        return str(error)
    finally:
        engine.dispose()
    return ""


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize("is_there", [False, True], ids=["no file", "an empty file"])
@pytest.mark.parametrize("when", ["while it is read", "before the last step"])
def test_a_database_that_came_to_be_meanwhile_is_not_written_over(
    clinic: Flask, empty: Flask, monkeypatch: pytest.MonkeyPatch, when: str, is_there: bool
) -> None:
    saved, path = take(clinic), place_of(empty)
    path.parent.mkdir(parents=True, exist_ok=True)
    if is_there:
        path.touch()
    where, name = {"while it is read": (dumps, "look_through"), "before the last step": (os, "link")}[when]
    goes_on = getattr(where, name)

    def meanwhile(*arguments: Any) -> None:
        with closing(sqlite3.connect(path)) as other, other:
            other.execute("CREATE TABLE visit AS SELECT 'booked meanwhile' AS who")
        goes_on(*arguments)

    monkeypatch.setattr(where, name, meanwhile)
    assert put_back(saved, empty).startswith(f"{path} is there already.")
    with closing(sqlite3.connect(path)) as other:
        assert other.execute("SELECT who FROM visit").fetchall() == [("booked meanwhile",)]
    assert list(path.parent.glob("*.restoring*")) == []


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize("is_there", [False, True], ids=["no file", "an empty file"])
def test_of_two_restores_at_once_one_puts_the_backup_back(
    clinic: Flask, empty: Flask, monkeypatch: pytest.MonkeyPatch, is_there: bool
) -> None:
    """Both have found the place empty before either puts anything there."""
    saved, path, both = take(clinic), place_of(empty), threading.Barrier(2)
    path.parent.mkdir(parents=True, exist_ok=True)
    if is_there:
        path.touch()
    look_through = dumps.look_through

    def together(*arguments: Any) -> None:
        look_through(*arguments)
        both.wait(timeout=20)

    monkeypatch.setattr(dumps, "look_through", together)
    with ThreadPoolExecutor(2) as pool:
        said = sorted(pool.map(lambda _one: put_back(saved, empty), range(2)))
    assert said[0] == ""
    assert said[1].startswith(f"{path} is there already.")
    assert list(path.parent.glob("*.restoring*")) == []


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_disk_that_gives_no_file_two_names_takes_a_restore(
    clinic: Flask, empty: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    def link(*_names: Any) -> None:
        raise PermissionError

    saved, path = take(clinic), place_of(empty)
    monkeypatch.setattr(os, "link", link)
    assert put_back(saved, empty) == ""
    assert path.exists()
    assert put_back(saved, empty) == "", "it lies there, and the rest of the restore is done again"
    assert list(path.parent.glob("*.restoring*")) == []


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_what_a_killed_restore_left_stops_nothing_and_is_not_written_into(
    clinic: Flask, empty: Flask
) -> None:
    """Half a draft, or the second name of a database that was moved away since."""
    saved, path = take(clinic), place_of(empty)
    path.parent.mkdir(parents=True, exist_ok=True)
    draft, moved = path.with_name(f"{path.name}.restoring"), path.with_name("moved-away.db")
    moved.write_bytes(b"of another clinic")
    os.link(moved, draft)
    assert put_back(saved, empty) == ""
    assert moved.read_bytes() == b"of another clinic"
    os.link(path, draft)
    assert put_back(saved, empty) == ""
    assert not draft.exists()


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_other_names_in_the_folder_are_somebodys_own_and_stop_nothing(clinic: Flask) -> None:
    """A copy that was given a telling name, and a backup that was made while the clock ran ahead."""
    folder = clinic.config["CLINIC_BACKUP_DIR"]
    folder.mkdir(parents=True, exist_ok=True)
    own = [
        folder / f"clinic-{name}.clinic-backup"
        for name in ("before-upgrade", "20991231T000000Z", "20269999T000000Z")
    ]
    for path in own:
        path.write_bytes(b"x")
    day = dt.timedelta(hours=24)
    assert backups.is_due(folder, day, now=NOW)
    (found,) = everyday.saved(clinic, NOW)
    assert found.grade is checkup.Grade.WRONG
    for ago in (2, 1, 0):
        made = backups.save(db.engine, {**clinic.config, "CLINIC_BACKUPS_KEPT": 1}, now=NOW - ago * day)
        assert made.exists()
    assert sorted(folder.glob("clinic-*.clinic-backup")) == sorted([made, *own])
    assert backups.newest(folder, now=NOW) == made
    assert not backups.is_due(folder, day, now=NOW)
    ahead = folder / f"clinic-{NOW + dt.timedelta(minutes=59):%Y%m%dT%H%M%SZ}.clinic-backup"
    ahead.write_bytes(b"x")
    assert backups.newest(folder, now=NOW) == ahead, "another machine's clock may differ a little"
