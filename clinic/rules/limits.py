"""How much a therapist gives on one day: treatment in all, and treatment that is hard on the hands.

Minutes are those of treatment, turnover not counted; a visit belongs to the local day on which it starts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


class Given(NamedTuple):
    """What stands in the book for one therapist on one day, in minutes; `intense` is part of `minutes`."""

    minutes: int = 0
    intense: int = 0


@dataclass(frozen=True, slots=True)
class Limits:
    """The most minutes a day; None is no limit."""

    minutes: int | None = None
    intense: int | None = None

    def concern(self, *, is_intense: bool) -> bool:
        """Whether one more visit of this kind could be too much at all."""
        return self.minutes is not None or (is_intense and self.intense is not None)

    def allow(self, given: Given, minutes: int, *, is_intense: bool) -> bool:
        """Whether a visit of so many minutes may be added to what is given that day; exactly the most is allowed."""
        if self.minutes is not None and given.minutes + minutes > self.minutes:
            return False
        return not is_intense or self.intense is None or given.intense + minutes <= self.intense
