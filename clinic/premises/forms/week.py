"""A week of hours, as an owner types it: works without JavaScript, row by row."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from clinic.rules.language import _
from clinic.rules.wall_time import WeeklyHours
from clinic.rules.week import parse_time, week_problems
from clinic.rules.words import weekday_words

MOST_SPANS_A_DAY = 4


@dataclass
class SpanRow:
    """One typed span of a day, as it was typed."""

    kind: str
    weekday: int
    starts: str = ""
    ends: str = ""
    error: str = ""
    number: int = 0

    @property
    def name(self) -> str:
        return f"{self.kind}.{self.weekday}.{self.number}"

    @property
    def is_blank(self) -> bool:
        return not (self.starts.strip() or self.ends.strip())


@dataclass
class WeekForm:
    """A week of hours (and breaks), several spans a day, read from `<kind>.<weekday>.<row>.starts` and `.ends`."""

    kinds: tuple[str, ...] = ("work",)
    may_be_whole_day: bool = False
    uses_24_hours: bool = True
    rows: list[SpanRow] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def fill(self, kind: str, week: Sequence[WeeklyHours]) -> None:
        """Show saved hours."""
        for row in week:
            self.rows.append(SpanRow(kind, row.weekday, f"{row.starts:%H:%M}", f"{row.ends:%H:%M}"))
        self._number()

    def read(self, typed: Mapping[str, str]) -> None:
        """Take what was typed, blank rows too."""
        for kind in self.kinds:
            for weekday in range(7):
                for number in range(MOST_SPANS_A_DAY):
                    name = f"{kind}.{weekday}.{number}"
                    if f"{name}.starts" in typed:
                        starts, ends = typed[f"{name}.starts"][:20], typed.get(f"{name}.ends", "")[:20]
                        self.rows.append(SpanRow(kind, weekday, starts, ends))
        self._number()

    def act(self, button: str) -> bool:
        """A button that changes the form but saves nothing: `add.<kind>.<weekday>` or `copy.<weekday>`."""
        verb, *parts = button.split(".")
        if verb == "add" and len(parts) == 2 and parts[0] in self.kinds and parts[1] in "0123456":
            self.rows.append(SpanRow(parts[0], int(parts[1])))
        elif verb == "copy" and len(parts) == 1 and parts[0] in "012345":
            self._copy_to_weekdays(int(parts[0]))
        else:
            return False
        self._number()
        return True

    def _copy_to_weekdays(self, weekday: int) -> None:
        """The rows of a day also on the days after it, up to Friday (from Saturday: on Sunday)."""
        targets = range(weekday + 1, 5 if weekday < 4 else 7)
        source = [row for row in self.rows if row.weekday == weekday and not row.is_blank]
        self.rows = [row for row in self.rows if row.weekday not in targets]
        self.rows += [SpanRow(row.kind, day, row.starts, row.ends) for day in targets for row in source]

    def _number(self) -> None:
        counts: dict[tuple[str, int], int] = {}
        kept = []
        for row in self.rows:
            row.number = counts.get((row.kind, row.weekday), 0)
            counts[row.kind, row.weekday] = row.number + 1
            if row.number < MOST_SPANS_A_DAY:
                kept.append(row)
        self.rows = kept

    def of(self, kind: str, weekday: int) -> list[SpanRow]:
        """The rows of a day, with one blank row where there are none."""
        rows = [row for row in self.rows if (row.kind, row.weekday) == (kind, weekday)]
        return rows or [SpanRow(kind, weekday)]

    def may_add(self, kind: str, weekday: int) -> bool:
        return len(self.of(kind, weekday)) < MOST_SPANS_A_DAY

    def validate(self) -> bool:
        """Whether the week can be; each row that cannot says why."""
        typed = {
            kind: [row for row in self.rows if row.kind == kind and not row.is_blank] for kind in self.kinds
        }
        for row in self.rows:
            row.error = _shape_error(row)
        if not any(row.error for row in self.rows):
            hours = [_hours(row) for row in typed["work"]]
            breaks = [_hours(row) for row in typed.get("break", [])]
            problems = week_problems(
                hours, breaks, may_be_whole_day=self.may_be_whole_day, uses_24_hours=self.uses_24_hours
            )
            for problem in problems:
                typed[problem.kind][problem.row].error = problem.sentence
        return not self.mistakes

    @property
    def mistakes(self) -> list[tuple[str, str]]:
        """(id of the input, sentence) for the box above the form."""
        return [
            (f"{row.name}.starts", f"{weekday_words(row.weekday)}: {row.error}")
            for row in self.rows
            if row.error
        ]

    def week(self, kind: str) -> list[WeeklyHours]:
        """The typed rows of a valid form, in the order of the week."""
        return sorted(_hours(row) for row in self.rows if row.kind == kind and not row.is_blank)


def _shape_error(row: SpanRow) -> str:
    if row.is_blank:
        return ""
    if not row.starts.strip() or not row.ends.strip():
        return _("Enter both a start and an end, or leave both empty.")
    if parse_time(row.starts) is None or parse_time(row.ends) is None:
        return _("Write times as 09:30 or 9:30 am.")
    return ""


def _hours(row: SpanRow) -> WeeklyHours:
    starts, ends = parse_time(row.starts), parse_time(row.ends)
    return WeeklyHours(row.weekday, starts or dt.time(), ends or dt.time())
