"""Tables as CSV files that open well in every spreadsheet, and do nothing there but stand in their cells."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
from collections.abc import Iterable, Sequence

Cell = str | int | float | dt.date | None

BOM = "\ufeff"
"""Without it Excel reads the letters of other languages wrongly; other programs pass over it."""

_SPACES = " \N{NO-BREAK SPACE}\N{IDEOGRAPHIC SPACE}"
_FORMULA = re.compile(rf"(?<![^;,\t\r\n])(?=[{_SPACES}]*[=+\-@\t\r\n＝＋－＠])")


def csv_file(heads: Sequence[str], rows: Iterable[Sequence[Cell]], *, decimal: str = ".") -> bytes:
    """A header and rows, as RFC 4180 says. Dates as 2026-05-31, nothing for None. `decimal`: the sign in numbers. Where
    that is a comma, a spreadsheet takes a semicolon for the end of a cell, and a comma for none."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=";" if decimal == "," else ",", lineterminator="\r\n")
    writer.writerow([_cell(one, decimal) for one in heads])
    writer.writerows([_cell(one, decimal) for one in row] for row in rows)
    return (BOM + text.getvalue()).encode("utf-8")


def _cell(value: Cell, decimal: str) -> str:
    """Words that a spreadsheet would take for a formula get an apostrophe before them, which it shows as text. Spaces
    and full-width signs do not hide one: some programs look past them; nor does a sign that ends a cell where it is
    opened, whatever it ends in this file."""
    if value is None:
        return ""
    if isinstance(value, float):
        return str(value).replace(".", decimal)
    if not isinstance(value, str):
        return value.isoformat() if isinstance(value, dt.date) else str(value)
    return _FORMULA.sub("'", value)
