"""A day typed into the search box."""

from __future__ import annotations

import datetime as dt
from gettext import NullTranslations

import pytest

from clinic.rules import language
from clinic.rules.typed_day import day_typed

TODAY = dt.date(2026, 6, 9)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2026-12-01", dt.date(2026, 12, 1)),
        ("12 june", dt.date(2026, 6, 12)),
        ("June 12", dt.date(2026, 6, 12)),
        ("jun 12, 2027", dt.date(2027, 6, 12)),
        ("12. jun 2025", dt.date(2025, 6, 12)),
        ("12.6.", dt.date(2026, 6, 12)),
        ("12.6.2026", dt.date(2026, 6, 12)),
        ("6/12", dt.date(2026, 6, 12)),
        ("6/12/2025", dt.date(2025, 6, 12)),
        (" Tomorrow ", dt.date(2026, 6, 10)),
        ("today", TODAY),
        ("yesterday", dt.date(2026, 6, 8)),
        ("2 january", dt.date(2026, 1, 2)),
        ("30 december", dt.date(2025, 12, 30)),  # the nearest one
        ("29 feb", None),
        ("29 feb 2028", dt.date(2028, 2, 29)),
        ("31 june", None),
        ("0/0", None),
        ("june", None),
        ("may", None),
        ("ana", None),
        ("555", None),
        ("12 nobody", None),
        ("", None),
        ("9999-99-99", None),
        ("٣ june", dt.date(2026, 6, 3)),
    ],
)
def test_a_day_is_read_as_people_write_it(text: str, day: dt.date | None) -> None:
    assert day_typed(text, TODAY, month_first=True) == day


def test_numbers_are_read_as_people_there_write_them() -> None:
    assert day_typed("6/12", TODAY, month_first=False) == dt.date(2026, 12, 6)
    assert day_typed("6.12.", TODAY, month_first=True) == dt.date(2026, 12, 6)


class German(NullTranslations):
    def gettext(self, message: str) -> str:
        return {"tomorrow": "Morgen"}.get(message, message)


def test_a_day_is_read_in_the_language_of_who_types_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(language._Spoken, "translations", staticmethod(German))
    monkeypatch.setattr(language._Spoken, "language", staticmethod(lambda: "de"))
    typed = ("12. März", "3. Dez. 2027", "morgen", "tomorrow", "12 june", "12. niemand")
    assert [day_typed(text, TODAY, month_first=False) for text in typed] == [
        dt.date(2026, 3, 12), dt.date(2027, 12, 3), dt.date(2026, 6, 10), dt.date(2026, 6, 10),
        dt.date(2026, 6, 12), None,
    ]  # fmt: skip
