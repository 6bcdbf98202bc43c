"""Finding a service by what people call it: without case or accents, by the start of words, with a slip of a letter."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence

SHORTEST_WITH_SLIP = 5
"""Shorter words are too easily another word with one letter changed."""

IGNORED = frozenset(
    ("a", "an", "and", "by", "for", "in", "massage", "massages", "of", "or", "the", "therapy", "with")
)
"""Words that tell no service from another; they count only when nothing else was typed."""


def folded(text: str) -> str:
    """Lower case, no accents, words separated by single spaces."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    letters = "".join(char for char in plain if not unicodedata.combining(char))
    return " ".join(re.findall(r"\w+", letters.replace("'", "").replace("’", "")))


def score(text: str, fields: Sequence[tuple[int, Iterable[str]]]) -> int:
    """How well the text fits a thing described by (weight, phrases): 0 is not at all.

    Every telling word of the text must begin a word of some phrase, or be within one letter of one.
    A phrase that holds the whole text counts double.
    """
    wanted = folded(text)
    words = [word for word in wanted.split() if word not in IGNORED] or wanted.split()
    if not words:
        return 0
    described = [(weight, [folded(phrase) for phrase in phrases]) for weight, phrases in fields]
    best = [_word_score(word, described) for word in words]
    whole = max(
        (weight for weight, phrases in described if any(_holds(one, wanted) for one in phrases)), default=0
    )
    return sum(best) + 2 * whole if all(best) else 0


def _holds(phrase: str, wanted: str) -> bool:
    return f" {phrase} ".find(f" {wanted}") >= 0


def _word_score(word: str, described: Sequence[tuple[int, Sequence[str]]]) -> int:
    score = 0
    for weight, phrases in described:
        for other in (part for phrase in phrases for part in phrase.split()):
            if other.startswith(word):
                score = max(score, 2 * weight)
            elif len(word) >= SHORTEST_WITH_SLIP and _within_one_letter(word, other[: len(word) + 1]):
                score = max(score, weight)
    return score


def _within_one_letter(one: str, other: str) -> bool:
    """Whether one letter changed, added, left out or swapped with the next makes `one` a start of `other`."""
    at = next(
        (n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other))
    )
    rest, other_rest = one[at:], other[at:]
    return (
        rest[1:] == other_rest[1 : len(rest)]
        or rest[1:] == other_rest[: len(rest) - 1]
        or rest == other_rest[1 : len(rest) + 1]
        or (rest[:2] == other_rest[1::-1] and rest[2:] == other_rest[2 : len(rest)])
    )
