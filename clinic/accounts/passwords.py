"""Passwords as they are kept: Argon2id, at no less than OWASP's minimum (19 MiB, 2 passes, 1 lane).

Hashing takes tens of milliseconds, so no function here is called inside a write transaction. One at a time, and after
what other people are waiting for: however many try to sign in, the clinic's pages answer.
"""

from __future__ import annotations

import os
import sys
import threading
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import cache
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

MEMORY_KIB = 19456
PASSES = 2
LANES = 1
LONGEST = 256  # in characters
MOST_WAITING = 2  # of the four that a server answers at once (cli/server.py)
_LATER_THAN_OTHERS = 10  # of 19: a tenth of a processor that others want, too; all of one that is free

T = TypeVar("T")


class _Line:
    """Whoever waits for a password to be hashed. Its thread steps back behind those that answer people; on Linux a
    thread may do so by itself."""

    def __init__(self) -> None:
        self.waiting = 0
        self._lock = threading.Lock()
        self._worker = ThreadPoolExecutor(1, "passwords", self._step_back)

    def do(self, work: Callable[..., T], *given: str) -> T:
        """This work's result, when its turn has come."""
        self._count(1)
        try:
            return self._worker.submit(work, *given).result()
        finally:
            self._count(-1)

    def _count(self, one: int) -> None:
        with self._lock:
            self.waiting += one

    @staticmethod
    def _step_back() -> None:
        if sys.platform == "linux":
            with suppress(OSError):
                os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _LATER_THAN_OTHERS)


_LINE = _Line()
_HASHER = PasswordHasher(time_cost=PASSES, memory_cost=MEMORY_KIB, parallelism=LANES)


def is_crowded() -> bool:
    """So many wait that one more would keep those who ask for something else waiting, too."""
    return _LINE.waiting >= MOST_WAITING


def hash_password(password: str) -> str:
    """What is stored for this password; it holds its own salt and parameters."""
    return _LINE.do(_HASHER.hash, _as_typed_anywhere(password))


def is_right(stored: str | None, password: str) -> bool:
    """Whether the password fits. Without a stored one the same work is done, so that the time says nothing."""
    try:
        _LINE.do(_HASHER.verify, _nobodys() if stored is None else stored, _as_typed_anywhere(password))
    except (VerificationError, InvalidHashError):
        return False
    return stored is not None


def renewed(stored: str, password: str) -> str | None:
    """A new hash of the right password when the stored one was made with weaker parameters, else None."""
    return hash_password(password) if _HASHER.check_needs_rehash(stored) else None


@cache
def _nobodys() -> str:
    return _HASHER.hash("the password of an account that does not exist")


def _as_typed_anywhere(password: str) -> str:
    """The same characters from every keyboard; what is too long to have been accepted is cut, not hashed."""
    return unicodedata.normalize("NFKC", password[: LONGEST + 1])
