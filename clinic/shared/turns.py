"""Whoever writes to SQLite takes turns with all others, threads and processes alike.

SQLite has one writer and no queue: who finds it taken looks again a little later, up to a tenth of a second, and others
may have been faster each time. Here everybody waits for a lock on a file beside the database, and the system wakes
them when it is free. The database stays the last word: a writer that takes no turn is only less lucky.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import OperationalError

LONGEST_WAIT = 15.0
"""Seconds, as long as SQLite itself would wait for a writer (SQLITE_SETTINGS)."""

if sys.platform != "win32":
    import fcntl

    @contextmanager
    def _only_me(path: str, give_up_at: float) -> Iterator[None]:
        """Nobody else is in a block with this file. Raises TimeoutError."""
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        held: Future[None] = Future()
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            held.set_result(None)
        except BlockingIOError:  # the system knows no end of waiting: let another thread wait
            threading.Thread(target=_wait_for, args=(file, held), daemon=True).start()
        try:
            held.result(max(0.0, give_up_at - time.monotonic()))
            yield
        finally:
            held.add_done_callback(lambda _held: os.close(file))  # at once, or when it is given after all

    def _wait_for(file: int, held: Future[None]) -> None:
        fcntl.flock(file, fcntl.LOCK_EX)
        held.set_result(None)

else:

    @contextmanager
    def _only_me(path: str, give_up_at: float) -> Iterator[None]:
        """There are no such locks: SQLite looks again by itself."""
        yield


@contextmanager
def alone_with(path: Path) -> Iterator[None]:
    """Nobody else on this machine is in a block with this file. Not for use inside itself. Raises TimeoutError."""
    with _only_me(str(path), time.monotonic() + LONGEST_WAIT):
        yield


@contextmanager
def turn_to_write(bind: Engine | Connection) -> Iterator[None]:
    """Wait until no other writer is at work, and keep the others waiting. Not for use inside itself.

    The first in line keeps the file `next` while it waits for the file `turn`: who has just had a turn cannot take the
    next one before them. On PostgreSQL many write at once. Raises OperationalError, as a database does that stays busy,
    where somebody keeps their turn too long.
    """
    database = bind.engine.url.database
    if bind.dialect.name != "sqlite" or not database or database == ":memory:":
        yield
        return
    give_up_at = time.monotonic() + LONGEST_WAIT
    with ExitStack() as turn:
        try:
            with _only_me(f"{database}-next", give_up_at):
                turn.enter_context(_only_me(f"{database}-turn", give_up_at))
        except TimeoutError as error:
            raise OperationalError("wait for a turn to write", None, error) from None
        yield
