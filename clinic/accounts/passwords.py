"""Passwords as they are kept: Argon2id, at no less than OWASP's minimum (19 MiB, 2 passes, 1 lane).

Hashing takes tens of milliseconds, so no function here is called inside a write transaction.
"""

from __future__ import annotations

import unicodedata
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

MEMORY_KIB = 19456
PASSES = 2
LANES = 1
LONGEST = 256  # in characters

_HASHER = PasswordHasher(time_cost=PASSES, memory_cost=MEMORY_KIB, parallelism=LANES)


def hash_password(password: str) -> str:
    """What is stored for this password; it holds its own salt and parameters."""
    return _HASHER.hash(_as_typed_anywhere(password))


def is_right(stored: str | None, password: str) -> bool:
    """Whether the password fits. Without a stored one the same work is done, so that the time says nothing."""
    try:
        _HASHER.verify(_nobodys() if stored is None else stored, _as_typed_anywhere(password))
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
