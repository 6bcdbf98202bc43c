"""CSV files: what stands in a cell is text, a number or a day, and never a formula."""

from __future__ import annotations

import csv
import datetime as dt
import io

import pytest

from clinic.shared.csv_file import BOM, csv_file


@pytest.mark.parametrize(
    "text",
    [
        "=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "\nx", "  =1", "\u00a0=cmd", "＝1+1", "＋1", "－1", "＠x",
        "=HYPERLINK(\"http://x\",\"y\")",
    ],
)  # fmt: skip
def test_words_that_look_like_a_formula_are_shown_as_text(text: str) -> None:
    assert _read(csv_file(["Name"], [[text]]))[1] == ["'" + text]


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("decimal", [".", ","])
@pytest.mark.parametrize("between", [";", ",", "\t", "; ", "\n", "\r\n"])
def test_no_cell_is_a_formula_where_the_file_is_opened_with_another_separator(
    separator: str, decimal: str, between: str
) -> None:
    written = csv_file(
        ["Name"], [[f"Terry{between}=HYPERLINK(1)"], [f"x{between}{between}-1"]], decimal=decimal
    )
    lines = csv.reader(io.StringIO(written.decode("utf-8-sig"), newline=""), delimiter=separator)
    cells = [cell.strip() for line in lines for cell in line]
    assert len(cells) > 2
    assert [one for one in cells if one.startswith(("=", "-"))] == []


def test_other_cells_stay_as_they_are() -> None:
    row = [
        "Ana, “the best”",
        'say "hi"',
        "two\nlines",
        "山田",
        "שלום",
        None,
        12,
        -3,
        0.5,
        dt.date(2026, 5, 31),
        "a=b",
    ]
    written = csv_file(["=Head", *"bcdefghijk"], [row])
    assert written.decode("utf-8").startswith(BOM)
    assert written.endswith(b"\r\n")
    head, found = _read(written)
    assert head == ["'=Head", *"bcdefghijk"]
    assert found == [*row[:5], "", "12", "-3", "0.5", "2026-05-31", "a=b"]


def test_without_rows_the_header_stands_alone() -> None:
    assert _read(csv_file(["One", "Two"], [])) == [["One", "Two"]]


def _read(written: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(written.decode("utf-8-sig"), newline="")))


def test_where_numbers_have_a_comma_cells_end_with_a_semicolon() -> None:
    written = csv_file(["Anteil, %", "Zahl"], [[8.7, 12], ["a;b", -0.5]], decimal=",")
    assert written.decode("utf-8-sig") == 'Anteil, %;Zahl\r\n8,7;12\r\n"a;b";-0,5\r\n'
