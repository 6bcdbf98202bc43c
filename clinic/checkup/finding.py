"""What a look at an installation finds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum


class Grade(StrEnum):
    """How a finding is: as it should be, worth a look, or to be mended."""

    GOOD = "good"
    LOOK = "look"
    WRONG = "wrong"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at, in a sentence; `mend` says what to do and is empty where all is well."""

    grade: Grade
    says: str
    mend: str = ""


Findings = Iterator[Finding]


def wrong(says: str, mend: str) -> Finding:
    """Something to be mended."""
    return Finding(Grade.WRONG, says, mend)


def good(says: str) -> Finding:
    """Something as it should be."""
    return Finding(Grade.GOOD, says)
