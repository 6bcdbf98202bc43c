"""The file in which the worker's ticks wait, where no server is named for them. Nothing is lost with it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path


def place(data: Path) -> Path:
    """Where it is, in the data folder."""
    return data / "queue" / "queue.db"


def is_damaged(path: Path) -> bool:
    """Whether there is one of which no sense can be made. Raises OSError or sqlite3.OperationalError where it cannot be
    opened at all: that is no damage."""
    if not path.exists():
        return False
    try:
        with closing(sqlite3.connect(path)) as file:
            return bool(file.execute("PRAGMA integrity_check(1)").fetchone()[0] != "ok")
    except sqlite3.OperationalError:
        raise
    except sqlite3.DatabaseError:
        return True


def remove(path: Path) -> None:
    """The file goes, with what SQLite keeps beside it: the next worker makes it anew."""
    for beside in ("", "-wal", "-shm"):
        path.with_name(path.name + beside).unlink(missing_ok=True)
