"""What people type, without what nobody can see: hidden characters hide a name, or turn it round on a page."""

from __future__ import annotations

import re
import unicodedata

JOINERS = "\u200c\u200d"
# Scripts in which a joiner changes how a word is written, as their letters are named in Unicode.
JOINED_SCRIPTS = frozenset(
    {
        "ARABIC", "SYRIAC", "NKO", "MANDAIC", "MONGOLIAN", "DEVANAGARI", "BENGALI", "GURMUKHI", "GUJARATI", "ORIYA",
        "TAMIL", "TELUGU", "KANNADA", "MALAYALAM", "SINHALA", "KHMER",
    }
)  # fmt: skip
VIRAMA = (
    9  # the combining class of the sign that takes an Indic letter's vowel away; a joiner may end the word
)
VISIBLE_SIGNS = frozenset(
    "\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2"
)  # written, not hidden
BLANK_LETTERS = frozenset(
    "\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0"
)  # letters by name, drawn as nothing

_MANY_JOINERS = re.compile(f"([{JOINERS}])[{JOINERS}]+")


def visible(text: str) -> str:
    """The text without direction marks and zero-width characters; line breaks stay, other controls become spaces.

    Names written from right to left need none of these. Joiners stay inside words of the scripts that need them.
    """
    text = _MANY_JOINERS.sub(r"\1", text)
    return "".join(_seen(text, index, char) for index, char in enumerate(text))


def _seen(text: str, index: int, char: str) -> str:
    if char in JOINERS:
        return char if _joins(text[:index][-1:], text[index + 1 :][:1]) else ""
    if char == "\n" or char in VISIBLE_SIGNS:
        return char
    if char in BLANK_LETTERS:
        return ""
    match unicodedata.category(char):
        case "Cc" | "Zl" | "Zp":
            return " "
        case "Cf":
            return ""
    return char


def _joins(before: str, after: str) -> bool:
    """Whether a joiner belongs between these two: both of one such script, or the first takes a vowel away."""
    if not before or _script(before) not in JOINED_SCRIPTS:
        return False
    return unicodedata.combining(before) == VIRAMA or (after != "" and _script(after) == _script(before))


def _script(char: str) -> str:
    return unicodedata.name(char, "").partition(" ")[0]
