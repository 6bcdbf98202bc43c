"""How much a therapist gives on one day: treatment in all, treatment that is hard on the hands, and visits; and the
pause they need between two visits.

Minutes are those of treatment, turnover not counted; a visit belongs to the local day on which it starts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from clinic.rules.intervals import Interval


class Given(NamedTuple):
    """What stands in the book for one therapist on one day: minutes (`intense` is part of `minutes`), and visits."""

    minutes: int = 0
    intense: int = 0
    visits: int = 0


@dataclass(frozen=True, slots=True)
class Limits:
    """The most minutes and visits a day, and the least minutes free between two visits, the turnover of the first one
    not counted; None is no limit."""

    minutes: int | None = None
    intense: int | None = None
    visits: int | None = None
    pause: int | None = None

    def concern(self, *, is_intense: bool) -> bool:
        """Whether one more visit of this kind could be too much at all."""
        of_any_kind = self.minutes is not None or self.visits is not None
        return of_any_kind or (is_intense and self.intense is not None)

    def allow(self, given: Given, minutes: int, *, is_intense: bool) -> bool:
        """Whether a visit of so many minutes may be added to what is given that day; exactly the most is allowed."""
        if self.visits is not None and given.visits >= self.visits:
            return False
        if self.minutes is not None and given.minutes + minutes > self.minutes:
            return False
        return not is_intense or self.intense is None or given.intense + minutes <= self.intense


def kept_free(start: int, end: int, minutes: int) -> Interval:
    """What a visit, its turnover included, keeps from others of the same therapist where so many minutes stay free
    before and after it."""
    return start - minutes, end + minutes
