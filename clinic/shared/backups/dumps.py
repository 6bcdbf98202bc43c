"""A whole database as one file and back: SQLite by its own online backup, PostgreSQL by pg_dump and pg_restore."""

from __future__ import annotations

import fcntl
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine, inspect, text
from sqlalchemy.engine import URL, Connection
from sqlalchemy.exc import DatabaseError, OperationalError

from clinic.shared.person_keys import PersonKey

LEFT_OUT = PersonKey.__tablename__
"""The keys of people are in no backup (clinic/shared/backups/people.py)."""


UNFINISHED = "restore_unfinished"
"""A table that says which backup is being put back here. It goes with the last step, so that a restore that was broken
off is begun again, and nobody opens the clinic on what it left."""
PUT = " put"
"""Stands after the name of the backup once all of it lies here: PostgreSQL's own program puts it, in its own time."""


class BackupFailed(Exception):
    """A backup cannot be made, read or put back. The text is a sentence for whoever runs the clinic's machine."""


@contextmanager
def locked(folder: Path, how: int) -> Iterator[None]:
    """The system lets go of it for whoever is killed. Raises OSError."""
    itself = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(itself, how)
        yield
    finally:
        os.close(itself)


@dataclass(frozen=True)
class Tools:
    """Where PostgreSQL's own programs lie; without a folder they are looked for as the shell does."""

    folder: str = ""

    def run(self, name: str, *arguments: str, url: URL | None = None) -> None:
        """Run one of them. Raises BackupFailed when it is missing or says no."""
        found = shutil.which(name, path=self.folder or None)
        if found is None:
            raise BackupFailed(
                f"{name} is not on this machine. Install PostgreSQL's client programs of the server's version,"
                " or say where they are: CLINIC_PG_BINDIR."
            )
        done = subprocess.run(  # noqa: S603 - no shell; the program is PostgreSQL's own, the arguments are ours
            [found, *arguments], env={**os.environ, **(_as_environment(url) if url else {})},
            capture_output=True, text=True, errors="replace", check=False,
        )  # fmt: skip
        if done.returncode:
            raise BackupFailed(f"{name} failed: {done.stderr.strip()[-500:]}")


def _as_environment(url: URL) -> dict[str, str]:
    """An address as libpq's variables: on a command line everybody on the machine could read the password."""
    said = {
        "PGHOST": url.host, "PGPORT": url.port, "PGUSER": url.username, "PGPASSWORD": url.password,
        "PGDATABASE": url.database, **{f"PG{name.upper()}": value for name, value in url.query.items()},
    }  # fmt: skip
    return {name: str(value) for name, value in said.items() if value is not None}


@dataclass(frozen=True)
class Dumped:
    """A database as a file, with the number of rows of each table at that moment."""

    path: Path
    rows: dict[str, int]


def dump(engine: Engine, path: Path, tools: Tools) -> Dumped:
    """Write the database of ENGINE into a new file while others go on writing: one moment, whole."""
    try:
        return _dump(engine, path, tools)
    except (DatabaseError, sqlite3.DatabaseError) as error:
        if isinstance(error, (OperationalError, sqlite3.OperationalError)):  # away, or without room
            raise
        why = getattr(error, "orig", error)
        raise BackupFailed(f"The database cannot be read as a whole. ({why})") from error


def _dump(engine: Engine, path: Path, tools: Tools) -> Dumped:
    if not inspect(engine).has_table(LEFT_OUT):
        raise BackupFailed("The database is empty, or too old for this program to save: see clinic doctor.")
    if is_restore_unfinished(engine):
        raise BackupFailed(
            "A backup was being put back here, and that was broken off: first finish it, with clinic restore."
        )
    if engine.dialect.name == "sqlite":
        return _dump_sqlite(Path(str(engine.url.database)), path)
    with engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
        snapshot = connection.execute(text("SELECT pg_export_snapshot()")).scalar_one()
        tools.run(
            "pg_dump", "--format=custom", "--no-owner", "--no-privileges", f"--snapshot={snapshot}",
            f"--exclude-table-data={LEFT_OUT}", f"--file={path}", url=engine.url,
        )  # fmt: skip
        return Dumped(path, {**_count(connection), LEFT_OUT: 0})


def _dump_sqlite(source: Path, path: Path) -> Dumped:
    with closing(sqlite3.connect(source)) as live, closing(sqlite3.connect(path)) as copy:
        live.backup(copy)
        copy.execute("PRAGMA secure_delete = ON")
        copy.execute(f"DELETE FROM {LEFT_OUT}")  # noqa: S608 - our table
        copy.commit()
        copy.execute("PRAGMA journal_mode = DELETE")  # one file, without a -wal beside it
    return Dumped(path, _count_if_sound(path))


def look_through(dialect: str, dumped: Dumped, tools: Tools) -> None:
    """Raises BackupFailed when the file is not a sound database with as many rows as were counted."""
    if dialect == "postgresql":
        tools.run("pg_restore", "--file=/dev/null", str(dumped.path))
        return
    _compare(dumped.rows, _count_if_sound(dumped.path))


def load(dumped: Dumped, engine: Engine, tools: Tools, *, digest: str) -> None:
    """Put the file into the empty database of ENGINE, all or nothing, and count it again. Where it was put before, and
    the restore was broken off afterwards, it stays as it is. Raises BackupFailed."""
    if engine.dialect.name == "sqlite":
        path = Path(str(engine.url.database))
        if _is_put(engine, digest):
            _draft_of(path).unlink(missing_ok=True)  # its second name, where the power went before
        else:
            _load_sqlite(dumped, path, digest)
        return
    if _tables(engine):
        if _is_put(engine, digest):
            return
        if not is_restore_unfinished(engine):
            raise BackupFailed("The database is not empty. Restore into a new one, and nothing can be lost.")
        try:
            _count_again(dumped, engine)  # broken off just before it was noted, or somebody else's tables
        except BackupFailed as error:
            raise BackupFailed(f"{error} Begin again with an empty database.") from error
        return
    with engine.begin() as connection:  # before, for nothing comes between this and what is put all at once
        connection.execute(text(f"DROP TABLE IF EXISTS {UNFINISHED}"))
        connection.execute(text(f"CREATE TABLE {UNFINISHED} AS SELECT '{digest}' AS digest"))
    try:
        tools.run(
            "pg_restore", "--no-owner", "--no-privileges", "--exit-on-error", "--single-transaction",
            f"--dbname={engine.url.database}", str(dumped.path), url=engine.url,
        )  # fmt: skip
    except BackupFailed:
        if not _tables(engine):  # nothing was put: the database is as empty as it was
            finish_restore(engine)
        raise
    _count_again(dumped, engine)


def _tables(engine: Engine) -> set[str]:
    return set(inspect(engine).get_table_names()) - {UNFINISHED}


def _count_again(dumped: Dumped, engine: Engine) -> None:
    """Note that the backup lies here, whole. Raises BackupFailed where it does not."""
    with engine.begin() as connection:
        found = _count(connection)
        aside = {UNFINISHED, LEFT_OUT}  # keys come afterwards, from beside the backup
        saved, there = ({name: one[name] for name in one.keys() - aside} for one in (dumped.rows, found))
        _compare(saved, there)
        connection.execute(text(f"UPDATE {UNFINISHED} SET digest = digest || '{PUT}'"))  # noqa: S608 - our table


def _is_put(engine: Engine, digest: str) -> bool:
    """Whether this backup lies here already, whole, of a restore that was broken off. Raises BackupFailed where it is
    another one's."""
    if engine.dialect.name == "sqlite" and not Path(str(engine.url.database)).exists():
        return False
    if not is_restore_unfinished(engine):
        return False
    with engine.connect() as connection:
        said = str(connection.scalar(text(f"SELECT digest FROM {UNFINISHED}")))  # noqa: S608 - our table
    if said.removesuffix(PUT) == digest:
        # SQLite is put as one file with its note in it, as the version before wrote it.
        return said.endswith(PUT) or engine.dialect.name == "sqlite"
    raise BackupFailed(
        "Another backup was being put back here, and that was broken off. Begin again with that one,"
        " or with an empty database."
    )


def is_restore_unfinished(engine: Engine) -> bool:
    """Whether a backup was put back here, but for the last steps."""
    return inspect(engine).has_table(UNFINISHED)


def finish_restore(engine: Engine) -> None:
    """The backup is put back, and all that follows is done."""
    with engine.begin() as connection:
        connection.execute(text(f"DROP TABLE IF EXISTS {UNFINISHED}"))


def _is_empty(path: Path) -> bool:
    """Whether it holds no table: looked at by `clinic doctor`, say, before anything was put into it."""
    with closing(sqlite3.connect(path)) as found:
        try:
            found.execute("BEGIN EXCLUSIVE")  # nobody is about to put something in
            return not found.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        except sqlite3.DatabaseError:  # something else, and not ours to write over
            return False


def _load_sqlite(dumped: Dumped, path: Path, digest: str) -> None:
    _check_free(path)
    look_through("sqlite", dumped, Tools())
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = _draft_of(path)
    try:
        with locked(path.parent, fcntl.LOCK_EX):  # one restore after the other: they have one draft
            # What who was killed left; it may be the second name of a database that has been moved away since.
            for left in (draft, draft.with_name(draft.name + "-journal")):
                left.unlink(missing_ok=True)
            try:
                _write_draft(dumped, draft, digest)
                _give_name(draft, path)
            finally:
                draft.unlink(missing_ok=True)
    except (OSError, sqlite3.Error) as error:
        why = getattr(error, "strerror", None) or error
        raise BackupFailed(
            f"Nothing could be put back in {path.parent}: {why}. Has the disk room?"
        ) from error


def _draft_of(path: Path) -> Path:
    return path.with_name(path.name + ".restoring")


def _write_draft(dumped: Dumped, draft: Path, digest: str) -> None:
    shutil.copyfile(dumped.path, draft)
    with closing(sqlite3.connect(draft)) as database:
        database.execute(f"CREATE TABLE {UNFINISHED} AS SELECT '{digest}{PUT}' AS digest")
        database.commit()
    with draft.open("rb") as written:
        os.fsync(written.fileno())


def _check_free(path: Path) -> bool:
    """Whether an empty file is there. Raises BackupFailed where a database is."""
    is_there = path.exists()
    if is_there and not _is_empty(path):
        raise _is_taken(path)
    return is_there


def _give_name(draft: Path, path: Path) -> None:
    """Look once more, for reading and copying take their time, and put the database there, in place of nobody's.
    Raises BackupFailed where another one came to be meanwhile."""
    if _check_free(path):
        path.unlink()
    for beside in ("-wal", "-shm"):  # of another database that lay here; they would be read into this one
        path.with_name(path.name + beside).unlink(missing_ok=True)
    try:
        os.link(draft, path)
    except FileExistsError as error:
        raise _is_taken(path) from error
    except OSError:  # a disk that gives no file two names
        draft.replace(path)


def _is_taken(path: Path) -> BackupFailed:
    return BackupFailed(f"{path} is there already. Move it away first: nothing is ever written over it.")


def _count(connection: Connection) -> dict[str, int]:
    return {
        name: connection.execute(text(f'SELECT count(*) FROM "{name}"')).scalar_one()  # noqa: S608 - our tables
        for name in sorted(inspect(connection).get_table_names())
    }


def _count_if_sound(path: Path) -> dict[str, int]:
    try:
        with closing(sqlite3.connect(path)) as database:
            found = database.execute("PRAGMA integrity_check(1)").fetchone()[0]
            names = database.execute(
                "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name"
            ).fetchall()
            rows = {
                name: database.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]  # noqa: S608 - our tables
                for (name,) in names
            }
    except sqlite3.DatabaseError as error:
        raise BackupFailed(f"The saved database cannot be read. ({error})") from error
    if found != "ok":
        raise BackupFailed(f"The saved database is not sound: {found}")
    return rows


def _compare(saved: dict[str, int], found: dict[str, int]) -> None:
    other = sorted(name for name in saved | found if saved.get(name) != found.get(name))
    if other:
        raise BackupFailed(f"Not as many rows as were saved in: {', '.join(other)}.")
