"""The passwords that people use most, as digests in a sorted file.

The file is made at set-up (scripts/password_list.py) and is no part of the repository. It is searched where it lies:
nothing of it is kept in memory.
"""

from __future__ import annotations

import hashlib
import unicodedata
from bisect import bisect_left
from mmap import ACCESS_READ, mmap

from clinic.paths import ROOT

LIST = ROOT / "build" / "common_passwords.bin"
SIZE = 6  # bytes of a digest: one honest password in a billion is refused by chance


def digest(password: str) -> bytes:
    """What stands for a password in the list. Capitals make no other password of it."""
    folded = unicodedata.normalize("NFKC", password).casefold()
    return hashlib.sha256(folded.encode()).digest()[:SIZE]


def is_common(password: str) -> bool:
    """Whether it is in the list. Without a list nothing is; the checks before opening say so."""
    if not LIST.exists():
        return False
    wanted = digest(password)
    with LIST.open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as digests:
        place = SIZE * bisect_left(
            range(len(digests) // SIZE), wanted, key=lambda row: digests[SIZE * row : SIZE * (row + 1)]
        )
        return digests[place : place + SIZE] == wanted
