"""Reading one entry of a rule file strictly: every key must be known, every value of the right kind.

A table that decides about people's health must not be half understood: whatever is unknown, misspelt or of
the wrong kind is refused when the program starts, with the entry and the key named.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from clinic.rules.verdicts import COLUMNS, URGENCY_WORDS, Urgency, Verdict

Verdicts: TypeAlias = tuple[Verdict, ...]
"""Nine verdicts, in the order of ``COLUMNS``."""


class LoadError(ValueError):
    """A rule file that cannot be trusted; says which entry and which key."""

    def __init__(self, entry: str, key: str, problem: str) -> None:
        super().__init__(f"{entry}, {key}: {problem}")
        self.entry = entry
        self.key = key


class Entry:
    """One table of a TOML file; every ``take_…`` removes what it reads, ``close`` refuses what is left."""

    def __init__(self, values: object, name: str) -> None:
        if not isinstance(values, Mapping):
            raise LoadError(name, "entry", "is not a table")
        self._left: dict[str, object] = dict(values)
        self.name = name

    def fail(self, key: str, problem: str) -> LoadError:
        """The error to raise about one key of this entry."""
        return LoadError(self.name, key, problem)

    def take_text(self, key: str, *, optional: bool = False) -> str:
        """A sentence or a word; ``""`` when it is optional and not there."""
        value = self._left.pop(key, "" if optional else None)
        if not isinstance(value, str) or not (value or optional):
            raise self.fail(key, "needs a text")
        return value

    def take_word(self, key: str, words: Sequence[str] | Mapping[str, object], default: str = "") -> str:
        """One of ``words``; ``default`` when it is not there and a default is given."""
        value = self.take_text(key, optional=bool(default)) or default
        if value not in words:
            raise self.fail(key, f"unknown word {value!r}")
        return value

    def take_words(self, key: str, words: Sequence[str] | Mapping[str, object]) -> tuple[str, ...]:
        """A list of some of ``words``, without repeats; empty when it is not there."""
        values = self._left.pop(key, [])
        if not isinstance(values, list) or len(set(map(str, values))) != len(values):
            raise self.fail(key, "needs a list without repeats")
        for value in values:
            if value not in words:
                raise self.fail(key, f"unknown word {value!r}")
        return tuple(values)

    def take_flag(self, key: str) -> bool:
        """True or false; false when it is not there."""
        value = self._left.pop(key, False)
        if not isinstance(value, bool):
            raise self.fail(key, "needs true or false")
        return value

    def take_whole_number(self, key: str, *, optional: bool = False) -> int | None:
        """A positive whole number; ``None`` when it is optional and not there."""
        value = self._left.pop(key, None)
        if value is None and optional:
            return None
        if type(value) is not int or value < 1:
            raise self.fail(key, "needs a positive whole number")
        return value

    def take_urgency(self, key: str) -> Urgency:
        """An urgency; none when it is not there."""
        return URGENCY_WORDS[self.take_word(key, URGENCY_WORDS, "none")]

    def take_verdicts(self, key: str) -> Verdicts:
        """Nine verdicts written as a code of nine digits 0 to 3."""
        code = self.take_text(key)
        if len(code) != len(COLUMNS) or not set(code) <= set("0123"):
            raise self.fail(key, f"unknown verdicts {code!r}: nine digits 0 to 3 are needed")
        return tuple(Verdict(int(digit)) for digit in code)

    def take_optional_verdicts(self, key: str) -> Verdicts | None:
        """Like ``take_verdicts``; ``None`` when it is not there."""
        return self.take_verdicts(key) if key in self._left else None

    def take_entries(self, key: str) -> list[object]:
        """A list of tables, to be read as entries of their own; empty when it is not there."""
        values = self._left.pop(key, [])
        if not isinstance(values, list):
            raise self.fail(key, "needs a list")
        return values

    def close(self) -> None:
        """Refuse what nobody has read; raises ``LoadError`` naming the first unknown key."""
        for key in self._left:
            raise self.fail(key, "unknown key")
