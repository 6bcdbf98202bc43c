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
_JOINERS: Final = "\u200c\u200d"  # they say how Arabic letters stand beside each other
_RUN = re.compile(rf"[{_RIGHT_TO_LEFT}{_JOINERS}]+(?:[ '’-]+[{_RIGHT_TO_LEFT}{_JOINERS}]+)*")
_WORD = re.compile(r"[^ '’-]+")
_DIGITS = re.compile(r"\d+")
_UNSEEN: Final = frozenset("\u200b\u200e\u200f\u2060\ufeff\u00ad")
"""Characters that nobody sees where they are honest: they part or give a direction."""

Has = Callable[[str], bool]


def in_type(text: str, has: Has) -> str:
    """The text with every character that `has` denies replaced by its number, ready to be drawn left to right."""
    whole = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\t", " "))
    shown = "".join(
        one if one == "\n" or one in _JOINERS or has(one) else f"[U+{ord(one):04X}]"
        for one in whole
        if one not in _UNSEEN
    )
    return re.sub(f"[{_JOINERS}]", "", _RUN.sub(lambda run: _as_drawn(run[0], has), shown))


def _as_drawn(run: str, has: Has) -> str:
    """Letters joined, then the whole turned round; digits keep their direction, marks stay with their letter."""
    shaped = _WORD.sub(lambda word: _joined(word[0], has), run)
    joined = _DIGITS.sub(lambda digits: digits[0][::-1], shaped)
    clusters: list[str] = []
    for one in joined:
        if clusters and unicodedata.combining(one):
            clusters[-1] += one
        else:
            clusters.append(one)
    return "".join(reversed(clusters))


def _joined(word: str, has: Has) -> str:
    """The word in joined letters; where the typeface lacks a form, in letters that stand beside each other."""
    found = _shaper()(word)
    return found if all(has(one) or one in _JOINERS for one in found) else word


@cache
def _shaper() -> Callable[[str], str]:
    from arabic_reshaper import ArabicReshaper

    # Few typefaces have the one sign for a whole word: without it its letters are joined as in any other.
    ways = {"delete_harakat": False, "ARABIC LIGATURE ALLAH": False}
    reshape: Callable[[str], str] = ArabicReshaper(ways).reshape
    return reshape
