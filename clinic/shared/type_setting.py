"""Text as the typeface of our PDFs can show it: nothing is lost without a sign.

A character that it lacks is printed by its number ([U+738B]). What is read from right to left is joined and put in
the order in which it is drawn.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from functools import cache
from typing import Final

_RIGHT_TO_LEFT: Final = "\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc"
_RUN = re.compile(f"[{_RIGHT_TO_LEFT}]+(?:[ '’-]+[{_RIGHT_TO_LEFT}]+)*")
_DIGITS = re.compile(r"\d+")
_UNSEEN: Final = frozenset("\u200b\u200c\u200d\u200e\u200f\u2060\ufeff\u00ad")
"""Characters that nobody sees where they are honest: they join, part or give a direction."""


def in_type(text: str, has: Callable[[str], bool]) -> str:
    """The text with every character that `has` denies replaced by its number, ready to be drawn left to right."""
    whole = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\t", " "))
    shown = "".join(
        one if one == "\n" or has(one) else f"[U+{ord(one):04X}]" for one in whole if one not in _UNSEEN
    )
    return _RUN.sub(_as_drawn, shown)


def _as_drawn(run: re.Match[str]) -> str:
    """Letters joined, then the whole turned round; digits keep their direction, marks stay with their letter."""
    joined = _DIGITS.sub(lambda digits: digits[0][::-1], _shaper()(run[0]))
    clusters: list[str] = []
    for one in joined:
        if clusters and unicodedata.combining(one):
            clusters[-1] += one
        else:
            clusters.append(one)
    return "".join(reversed(clusters))


@cache
def _shaper() -> Callable[[str], str]:
    from arabic_reshaper import ArabicReshaper

    reshape: Callable[[str], str] = ArabicReshaper({"delete_harakat": False}).reshape
    return reshape
