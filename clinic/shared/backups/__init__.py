"""Backups: one encrypted file with the whole database in it, taken while the clinic runs, read again before it counts.

A backup is an `age` file (age-encryption.org), so the `age` tool opens it too. Inside lies a tar archive of two files:
`about.json` (see About) and `database`, which is an SQLite database or what pg_dump writes in its custom format. The
key of backups is one of its own, in CLINIC_BACKUP_KEY_FILE; the keys of the health answers are never in a backup.
Those of single people lie beside the backups (people.py).
"""

from __future__ import annotations

import datetime as dt
import errno
import fcntl
import hashlib
import json
import os
import re
import shutil
import sqlite3
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from clinic.shared.backups import dumps, people
from clinic.shared.backups.dumps import (
    BackupFailed,
    Dumped,
    Tools,
    finish_restore,
    is_restore_unfinished,
    locked,
)
from clinic.shared.new_file import make_private, put_in_place
from clinic.shared.person_keys import Gone

__all__ = [
    "About", "BackupFailed", "Tools", "check", "do_keys_lag", "finish_restore", "is_due",
    "is_restore_unfinished", "keep_keys", "keep_newest", "load_or_make_key", "made_at", "newest", "opened",
    "put_keys_back", "restore", "save", "take",
]  # fmt: skip

SUFFIX = ".clinic-backup"
NAMES = ("about.json", "database")
CLOCKS_DIFFER = dt.timedelta(hours=1)  # so far ahead may be what another machine has made
MAKING, READING = ".making-", ".reading-"
OURS = re.compile(rf"({re.escape(MAKING)}|{re.escape(READING)})[a-z0-9_]{{8}}")
WORK = frozenset({*NAMES, "plain.tar", "done", "database-journal", "database-wal", "database-shm"})
NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES})


@dataclass(frozen=True)
class About:
    """What a backup says of itself. `rows` counts each table at that moment; `sha256` is that of `database`."""

    made_at: str
    dialect: str
    rows: dict[str, int]
    sha256: str


def take(engine: Engine, folder: Path, key_file: Path, tools: Tools, *, now: dt.datetime) -> Path:
    """Write a backup into FOLDER, read it again from the disk, and only then give it its name.

    Raises BackupFailed with a sentence: the database cannot be read, a tool is missing, or what was written does not
    read back.
    """
    with _writable(folder):
        key = load_or_make_key(key_file)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _work_in(folder, MAKING) as work:
            dumped = dumps.dump(engine, work / "database", tools)
            about = About(
                now.isoformat(timespec="seconds"),
                engine.dialect.name,
                dumped.rows,
                _sha256(work / "database"),
            )
            done = _seal(about, work, key)
            check(done, key_file, tools)
            people.keep(engine, folder, key_file, key)
            path = folder / f"clinic-{now:%Y%m%dT%H%M%SZ}{SUFFIX}"
            put_in_place(done, path)
    return path


@contextmanager
def _writable(folder: Path) -> Iterator[None]:
    """A disk that is full or lets nobody write is said in a sentence: whoever runs the clinic reads it."""
    import pyrage

    try:
        yield
    except (OSError, sqlite3.Error, pyrage.EncryptError) as error:
        where = getattr(error, "filename", None) or folder
        why = getattr(error, "strerror", None) or error
        raise BackupFailed(f"No backup could be made: {where}: {why}.") from error


@contextmanager
def _work_in(folder: Path, prefix: str) -> Iterator[Path]:
    """A folder of our own beside the backups, gone afterwards: the database lies there in the clear. It is locked, so
    that what somebody left who was killed is told from what another is at work on. Raises BackupFailed."""
    _clear_away(folder)
    with ExitStack() as ours:
        try:
            with locked(folder, fcntl.LOCK_SH):  # nobody clears away what is not locked yet
                work = Path(ours.enter_context(tempfile.TemporaryDirectory(dir=folder, prefix=prefix)))
                ours.enter_context(locked(work, fcntl.LOCK_SH))
        except OSError as error:
            raise BackupFailed(f"Nothing can be written in {folder}: {error.strerror}.") from error
        yield work


def _clear_away(folder: Path) -> None:
    """Remove what killed backups and restores left; hidden files and folders of others are theirs, also those with such
    a name: what is ours is named as `tempfile` does it, and holds nothing but what we put there."""
    alone = fcntl.LOCK_EX | fcntl.LOCK_NB
    with suppress(OSError), locked(folder, alone):  # what cannot go keeps nothing from being done
        for left in list(folder.iterdir()):
            with suppress(OSError):  # somebody is at work there
                if _is_ours(left):
                    with locked(left, alone):
                        if any(left.iterdir()) and _is_ours(left):
                            shutil.rmtree(left)


def _is_ours(folder: Path) -> bool:
    """A backup reads itself again inside the folder in which it is made."""
    return (
        OURS.fullmatch(folder.name) is not None
        and folder.is_dir()
        and not folder.is_symlink()
        and all(one.name in WORK or _is_ours(one) for one in folder.iterdir())
    )


def keep_keys(engine: Engine, settings: Mapping[str, Any]) -> None:
    """Destroy in the copies beside the backups and their key what was destroyed in the database; nothing where there is
    none yet. Raises BackupFailed where one cannot be read or written: whoever was erased could be read with it."""
    folder, key_file = settings["CLINIC_BACKUP_DIR"], settings["CLINIC_BACKUP_KEY_FILE"]
    if people.is_kept(folder, key_file):
        with _readable():
            people.keep(engine, folder, key_file, _read_key(key_file))


def do_keys_lag(engine: Engine, settings: Mapping[str, Any]) -> bool:
    """Whether a copy of the keys still holds one that was destroyed. Raises BackupFailed where that cannot be told."""
    folder, key_file = settings["CLINIC_BACKUP_DIR"], settings["CLINIC_BACKUP_KEY_FILE"]
    with _readable():
        return people.is_kept(folder, key_file) and people.lags(engine, folder, key_file, _read_key(key_file))


@contextmanager
def _readable() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise BackupFailed(f"{error.filename}: {error.strerror}.") from error


def put_keys_back(engine: Engine, path: Path, key_file: Path) -> list[Gone]:
    """Put the keys of people, which lie beside the backup PATH, into the database that was restored from it; returns
    everybody who was ever erased, as far as is known. Raises BackupFailed."""
    return people.put_back(engine, people.find(path.parent, key_file), _read_key(key_file))


def save(engine: Engine, settings: Mapping[str, Any], *, now: dt.datetime) -> Path:
    """Take a backup where and as the clinic's settings say, and let go of those beyond the number that is kept."""
    folder, tools = settings["CLINIC_BACKUP_DIR"], Tools(settings["CLINIC_PG_BINDIR"])
    path = take(engine, folder, settings["CLINIC_BACKUP_KEY_FILE"], tools, now=now)
    keep_newest(folder, settings["CLINIC_BACKUPS_KEPT"], now=now)
    return path


def _seal(about: About, work: Path, key: str) -> Path:
    import pyrage

    (work / "about.json").write_text(json.dumps(asdict(about), indent=1), encoding="utf-8")
    with tarfile.open(work / "plain.tar", "w") as archive:
        for name in NAMES:
            archive.add(work / name, arcname=name)
    (work / "database").unlink()
    done = work / "done"
    recipient = pyrage.x25519.Identity.from_str(key).to_public()
    pyrage.encrypt_file(str(work / "plain.tar"), str(done), [recipient])
    done.chmod(0o600)
    with done.open("rb") as written:
        os.fsync(written.fileno())
    (work / "plain.tar").unlink()
    return done


def _unpack(work: Path) -> None:
    """The two files by their names, and nothing else that an archive could hold. By hand: the filters of `tarfile` are
    missing in Pythons before 3.11.4, such as that of Debian 12."""
    with tarfile.open(work / "plain.tar") as archive:
        for name in NAMES:
            content = archive.extractfile(name)
            if content is None:
                raise tarfile.TarError(f"{name} is no file")
            with (work / name).open("wb") as file:
                shutil.copyfileobj(content, file)


def _has_no_room(error: Exception) -> bool:
    """Whether the disk is full or lets nobody write: `pyrage` says so in words only."""
    said = getattr(error, "errno", None)
    return said in NO_ROOM or any(f"(os error {one})" in str(error) for one in NO_ROOM)


@contextmanager
def opened(path: Path, key_file: Path) -> Iterator[tuple[About, Path]]:
    """What a backup says of itself, and its database as a file that is gone afterwards.

    Raises BackupFailed when the key is another's, or anything in the file is not as it was written.
    """
    import pyrage

    if not key_file.exists():
        raise BackupFailed(f"The key of backups is not at {key_file}. Put it back there first.")
    identity = pyrage.x25519.Identity.from_str(_read_key(key_file))
    with _work_in(path.parent, READING) as work:
        try:
            pyrage.decrypt_file(str(path), str(work / "plain.tar"), [identity])
            _unpack(work)
            about = About(**json.loads((work / "about.json").read_text(encoding="utf-8")))
        except (
            pyrage.DecryptError,
            OSError,
            EOFError,
            tarfile.TarError,
            LookupError,
            ValueError,
            TypeError,
        ) as error:
            if _has_no_room(error):
                raise BackupFailed(
                    f"{path} cannot be unpacked: there has to be room beside it. ({error})"
                ) from error
            raise BackupFailed(f"{path} is damaged, or was made with another key. ({error})") from error
        if _sha256(work / "database") != about.sha256:
            raise BackupFailed(f"{path} is damaged: its database is not the one that was saved.")
        yield about, work / "database"


def check(path: Path, key_file: Path, tools: Tools) -> About:
    """Open a backup and look through its database. Raises BackupFailed where anything is wrong."""
    with opened(path, key_file) as (about, database):
        dumps.look_through(about.dialect, Dumped(database, about.rows), tools)
    return about


def restore(path: Path, engine: Engine, key_file: Path, tools: Tools) -> About:
    """Put a backup into an empty database and count it again; one that was put there before is let be. What has to
    follow is the caller's, who then says that it is done (`finish_restore`).

    Raises BackupFailed when the database is not empty or of another kind, or the backup is damaged; nothing has then
    been changed.
    """
    with opened(path, key_file) as (about, database):
        if about.dialect != engine.dialect.name:
            raise BackupFailed(
                f"This backup is of {about.dialect}, and CLINIC_DATABASE_URL names {engine.dialect.name}."
            )
        if dumps.LEFT_OUT in about.rows:
            people.find(path.parent, key_file)
        dumps.load(Dumped(database, about.rows), engine, tools, digest=about.sha256)
    return about


def newest(folder: Path, *, now: dt.datetime) -> Path | None:
    """The backup made last, by its name; None where there is none. One that was made while a clock ran ahead is not
    newer than all that come for years, and so is none."""
    return next(iter(_up_to(folder, now)), None)


def _up_to(folder: Path, now: dt.datetime) -> list[Path]:
    """The backups that the program has made, the newest first. Files with names that somebody gave them are theirs."""
    dated = {path: made_at(path) for path in folder.glob(f"clinic-*{SUFFIX}")}
    made = {path: at for path, at in dated.items() if at is not None and at <= now + CLOCKS_DIFFER}
    return sorted(made, reverse=True)


def made_at(path: Path) -> dt.datetime | None:
    """When a backup was made, by its name; None where the name says nothing of it."""
    try:
        return dt.datetime.strptime(path.name, f"clinic-%Y%m%dT%H%M%SZ{SUFFIX}").replace(tzinfo=dt.UTC)
    except ValueError:
        return None


def is_due(folder: Path, every: dt.timedelta, *, now: dt.datetime) -> bool:
    """Whether the newest backup is older than EVERY. With zero nothing is ever due."""
    last = newest(folder, now=now)
    at = made_at(last) if last is not None else None
    return bool(every) and (at is None or now - at >= every)


def keep_newest(folder: Path, count: int, *, now: dt.datetime) -> list[Path]:
    """Delete all but the COUNT newest backups; returns what went."""
    gone = _up_to(folder, now)[count:]
    for path in gone:
        path.unlink(missing_ok=True)  # another backup that was made at the same time lets go of the same one
    return gone


def load_or_make_key(path: Path) -> str:
    """The key of backups, made at the first one with mode 0600."""
    import pyrage

    if path.exists() and path.stat().st_size == 0:  # a full disk left it so: no backup was ever made with it
        path.unlink()
    if not path.exists():
        make_private(path, f"{pyrage.x25519.Identity.generate()}\n")
    return _read_key(path)


def _read_key(path: Path) -> str:
    import pyrage

    text = path.read_text(encoding="ascii", errors="replace").strip()
    try:
        pyrage.x25519.Identity.from_str(text)
    except pyrage.IdentityError as error:
        raise BackupFailed(f"{path} is not a key of backups.") from error
    return text


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
