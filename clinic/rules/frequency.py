"""How much rest the body gets between visits: which gap a wanted visit would break, and from when on it is fine.

Too little rest is a caution. Nobody books it for themselves online; staff may pass it with a reason. It says
nothing about whether a treatment is safe for a person: that is the gate's (``screening.py``), which nobody passes.

The figures are in frequency.toml. What is counted:

* A gap runs from the end of one visit to the start of the next, whichever of the two was booked first.
* A day is a day on the clinic's wall: from 11:00 to 11:00, also where the clock is changed in between (23 or 25
  hours then). An hour that is left out means the moment of the jump, one that is there twice its first moment.
* Two visits that share a place of the body keep the longer of their gaps for the same area, others the longer of
  their gaps for another area. Whole body shares every place, and so does a place that nobody has named.
* "Most in seven days" holds in any seven days, counted from start to start, for each kind of visit by itself.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Final

from clinic.rules.body_areas import FULL_BODY, expand, with_chamber
from clinic.rules.language import _, ngettext
from clinic.rules.verdicts import INTERVAL, VACUUM
from clinic.rules.wall_time import WallClock

WEEK_DAYS: Final = 7
SHORTEST_REASON: Final = 5
"""Characters that whoever passes a caution writes at least."""


class RestRule(StrEnum):
    """Which of the rules of rest would be broken."""

    SAME_AREA = "same_area"
    OTHER_AREA = "other_area"
    WEEK = "week"


@dataclass(frozen=True, slots=True)
class Figures:
    """One row of the table."""

    key: str
    label: str
    same_area_days: int
    other_area_days: int
    most_in_7_days: int
    sources: tuple[str, ...]


def _read(path: Path) -> dict[str, Figures]:
    rows = tomllib.loads(path.read_text(encoding="utf-8"))["row"]
    return {row["key"]: Figures(**{**row, "sources": tuple(row["sources"])}) for row in rows}


FIGURES: Final = _read(Path(__file__).parent / "frequency.toml")
REACH_DAYS: Final = 1 + max(WEEK_DAYS, *(one.same_area_days for one in FIGURES.values()))
"""A visit that ended longer ago than this says nothing about a new one."""


@dataclass(frozen=True, slots=True)
class BodyWork:
    """A visit as the body feels it: `start` and `end` in epoch minutes, the rows of the table it counts under, the
    single areas it works on."""

    start: int
    end: int
    rows: tuple[str, ...]
    areas: frozenset[str]
    visit_id: int | None = None

    def moved_to(self, start: int) -> BodyWork:
        """The same visit at another start."""
        return replace(self, start=start, end=start + self.end - self.start)


def work_of(
    start: int,
    end: int,
    *,
    columns: Iterable[str],
    mode: str | None,
    addons: Iterable[str],
    areas: Iterable[str],
    visit_id: int | None = None,
) -> BodyWork:
    """A visit by the columns that judge it and its add-ons. Those without figures, such as oils, count for nothing."""
    in_chamber = mode == INTERVAL
    rows = [INTERVAL if in_chamber and column == VACUUM else column for column in columns]
    places = frozenset(areas) or frozenset((FULL_BODY,))
    return BodyWork(
        start,
        end,
        tuple(row for row in dict.fromkeys((*rows, *addons)) if row in FIGURES),
        expand(with_chamber(places) if in_chamber else places),
        visit_id,
    )


@dataclass(frozen=True, slots=True)
class ShortRest:
    """One rule that a wanted visit would break. `figure` is its days, or how many visits a week holds; `row` the row
    it comes from; `fine_from` the epoch minute from which this one no longer speaks against the visit; `visit_id`
    the other visit, None for a week."""

    rule: RestRule
    figure: int
    row: str
    fine_from: int
    visit_id: int | None = None

    @property
    def sentence(self) -> str:
        """The rule in plain words; it names no person, day or visit."""
        if self.rule is RestRule.WEEK:
            label = _(FIGURES[self.row].label)
            return _(
                "More than %(figure)s visits with %(label)s in seven days are too much for the body.",
                figure=self.figure,
                label=label,
            )
        if self.rule is RestRule.SAME_AREA:
            return ngettext(
                "The body needs %(num)d day of rest between visits that work on the same area.",
                "The body needs %(num)d days of rest between visits that work on the same area.",
                self.figure,
            )
        return ngettext(
            "The body needs %(num)d day of rest between visits.",
            "The body needs %(num)d days of rest between visits.",
            self.figure,
        )


def short_rests(wanted: BodyWork, others: Iterable[BodyWork], clock: WallClock) -> list[ShortRest]:
    """Every rule that `wanted` would break beside the client's other visits, earlier or later; none: it is fine."""
    near = list(others)
    gaps = [_gap_broken(wanted, other, clock) for other in near]
    weeks = [_week_broken(row, wanted, near, clock) for row in wanted.rows]
    return [one for one in (*gaps, *weeks) if one is not None]


def fine_from(wanted: BodyWork, others: Sequence[BodyWork], clock: WallClock) -> int:
    """The first start, from the wanted one on, at which no rule is broken."""
    while found := short_rests(wanted, others, clock):
        wanted = wanted.moved_to(max(one.fine_from for one in found))
    return wanted.start


def _gap_broken(wanted: BodyWork, other: BodyWork, clock: WallClock) -> ShortRest | None:
    is_same = not wanted.areas.isdisjoint(other.areas)
    figures = [FIGURES[row] for row in (*wanted.rows, *other.rows)]
    needed = [(one.same_area_days if is_same else one.other_area_days, one.key) for one in figures]
    days = max((days for days, _row in needed), default=0)
    first, second = (wanted, other) if wanted.start <= other.start else (other, wanted)
    if second.start >= _days_after(first.end, days, clock):
        return None
    rule = RestRule.SAME_AREA if is_same else RestRule.OTHER_AREA
    row = next((row for found, row in needed if found == days), "")
    return ShortRest(rule, days, row, _days_after(other.end, days, clock), other.visit_id)


def _week_broken(row: str, wanted: BodyWork, others: list[BodyWork], clock: WallClock) -> ShortRest | None:
    most = FIGURES[row].most_in_7_days
    starts = [one.start for one in others if row in one.rows]
    if not _is_week_full(wanted.start, starts, most, clock):
        return None
    later = sorted(_days_after(start, WEEK_DAYS, clock) for start in starts)
    free = next(one for one in later if one > wanted.start and not _is_week_full(one, starts, most, clock))
    return ShortRest(RestRule.WEEK, most, row, free)


def _is_week_full(start: int, starts: list[int], most: int, clock: WallClock) -> bool:
    """Whether some seven days with this start in them would hold more than `most`."""
    ordered = sorted((*starts, start))
    windows = zip(ordered, ordered[most:], strict=False)  # the first and the last of each `most` and one more
    return any(first <= start <= last < _days_after(first, WEEK_DAYS, clock) for first, last in windows)


def _days_after(minute: int, days: int, clock: WallClock) -> int:
    """The same time on the wall, so many days later."""
    local = clock.show(minute)
    return clock.minute_at(local.date() + timedelta(days=days), local.time())
