"""The shape of a report: a table of plain values, and what of it is drawn."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from clinic.rules.language import form_for
from clinic.rules.words import grouped

Cell = str | int | float | dt.date | None
Kind = Literal["text", "number", "minutes", "share", "day", "hour"]


@dataclass(frozen=True)
class Column:
    """`kind` says how a page writes its cells; a file holds them as they are. A share lies between 0 and 1."""

    title: str
    kind: Kind = "number"


@dataclass(frozen=True)
class Bar:
    """One bar: `size` of the longest is 1, `words` stand at its end."""

    label: str
    size: float
    words: str


@dataclass(frozen=True)
class Square:
    """One hour of the week; no `share`: nothing can be booked then."""

    share: float | None


@dataclass(frozen=True)
class WeekPicture:
    """Hours as rows, days of the week as columns."""

    hours: tuple[int, ...]
    weekdays: tuple[int, ...]
    squares: dict[tuple[int, int], Square]


@dataclass(frozen=True)
class Table:
    """One report. `key` names its file; `says` is the week's picture in one sentence, for whoever does not see it."""

    key: str
    title: str
    lede: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    says: str = ""
    bars: tuple[Bar, ...] = ()
    week: WeekPicture | None = None
    note: str = ""


@dataclass(frozen=True)
class Headline:
    """One number that sums a report up."""

    value: str
    words: str


def bars_of(
    rows: Sequence[tuple[str, float | None, str]], *, longest: float | None = None
) -> tuple[Bar, ...]:
    """(label, number, words) as bars. `longest`: the number of a full bar; without it the largest is full."""
    full = longest or max((number or 0 for _label, number, _words in rows), default=0) or 1
    return tuple(Bar(label, min((number or 0) / full, 1), words) for label, number, words in rows)


def percent(share: float | None) -> str:
    """`64 %`, or a dash where there is nothing to measure by."""
    return "–" if share is None else f"{share * 100:.0f} %".replace(" ", "\N{NARROW NO-BREAK SPACE}")


def hours_words(minutes: int) -> str:
    """`12 h 30`, for columns."""
    return f"{grouped(minutes // 60)}\N{NO-BREAK SPACE}h" + (
        f"\N{NO-BREAK SPACE}{minutes % 60:02}" if minutes % 60 else ""
    )


def visits_words(count: int) -> str:
    """`3 visits`, `12,345 visits`."""
    return form_for("%(num)d visit", "%(num)d visits", count).replace("%(num)d", grouped(count))
