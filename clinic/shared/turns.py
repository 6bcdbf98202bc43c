"""Whoever writes to SQLite takes turns with all others, threads and processes alike.

SQLite has one writer and no queue: who finds it taken looks again a little later, up to a tenth of a second, and others
may have been faster each time. Here everybody waits for a lock on a file beside the database, and the system wakes
them when it is free. The database stays the last word: a writer that takes no turn is only less lucky.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from sqlalchemy import Connection, Engine

if sys.platform != "win32":
    import fcntl

    @contextmanager
    def _only_me(path: str) -> Iterator[None]:
        """Nobody else is in a block with this file."""
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield
        finally:
            os.close(file)

else:

    @contextmanager
    def _only_me(path: str) -> Iterator[None]:
        """There are no such locks: SQLite looks again by itself."""
        yield


@contextmanager
def turn_to_write(bind: Engine | Connection) -> Iterator[None]:
    """Wait until no other writer is at work, and keep the others waiting. Not for use inside itself.

    The first in line keeps the file `next` while it waits for the file `turn`: who has just had a turn cannot take the
    next one before them. On PostgreSQL many write at once.
    """
    database = bind.engine.url.database
    if bind.dialect.name != "sqlite" or not database or database == ":memory:":
        yield
        return
    with ExitStack() as turn:
        with _only_me(f"{database}-next"):
            turn.enter_context(_only_me(f"{database}-turn"))
        yield
