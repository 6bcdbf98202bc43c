"""Reading one object of a screening case strictly: what is not known is refused, with the place named."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TypeVar

from clinic.rules.answers import AnswerError, read_date

_T = TypeVar("_T")


class CaseError(ValueError):
    """A case that cannot be judged; says which case (its id, or its place), which field and why."""

    def __init__(self, case_id: str, field: str, problem: str) -> None:
        super().__init__(f"case {case_id}, {field}: {problem}")
        self.case_id = case_id
        self.field = field
        self.problem = problem


class DoubledFields(dict[str, object]):
    """A JSON object that says one field twice; nobody can know which was meant."""

    def __init__(self, pairs: Sequence[tuple[str, object]]) -> None:
        super().__init__(pairs)
        names = [name for name, _ in pairs]
        self.field = next(name for name in names if names.count(name) > 1)


def object_of(pairs: Sequence[tuple[str, object]]) -> dict[str, object]:
    """An object as JSON spells it; to be given to the reader of JSON, so that doubled fields are not lost."""
    read = dict(pairs)
    return read if len(read) == len(pairs) else DoubledFields(pairs)


class CasePart:
    """One object of a case; what is not taken is an unknown field."""

    def __init__(self, case_id: str, name: str, value: object) -> None:
        self.case_id = case_id
        self.name = name
        if not isinstance(value, Mapping):
            raise self.fail("", "needs an object")
        if isinstance(value, DoubledFields):
            raise self.fail(value.field, "is there twice")
        self._left: dict[str, object] = {str(field): one for field, one in value.items()}

    def fail(self, field: str, problem: str) -> CaseError:
        """The error to raise about one field of this part."""
        return CaseError(self.case_id, ".".join(filter(None, (self.name, field))) or "case", problem)

    def fields(self) -> list[str]:
        """The fields that nobody has taken yet."""
        return list(self._left)

    def take(self, field: str, *, optional: bool = False) -> object:
        """The value of a field; refuses a missing one unless it is optional."""
        if not optional and field not in self._left:
            raise self.fail(field, "is missing")
        return self._left.pop(field, None)

    def take_day(self, field: str) -> dt.date | None:
        """A day, or ``None`` when the field is empty or not there."""
        value = self.take(field, optional=True)
        return None if value is None else self._day_of(field, value)

    def take_needed_day(self, field: str) -> dt.date:
        """A day that has to be there."""
        return self._day_of(field, self.take(field))

    def _day_of(self, field: str, value: object) -> dt.date:
        try:
            return read_date("", "", value if isinstance(value, str) else None)
        except AnswerError as error:
            raise self.fail(field, error.problem) from error

    def take_flag(self, field: str) -> bool:
        """True or false; false when it is not there."""
        value = self.take(field, optional=True)
        if value is not None and not isinstance(value, bool):
            raise self.fail(field, "needs true or false")
        return bool(value)

    def take_word(self, field: str, words: Collection[str]) -> str:
        """One of ``words``."""
        value = self.take(field)
        if not isinstance(value, str) or value not in words:
            raise self.fail(field, f"unknown word {value!r}")
        return value

    def take_words(self, field: str, words: Collection[str], *, optional: bool = False) -> tuple[str, ...]:
        """A list of some of ``words``."""

        def read(index: int, value: object) -> str:
            if not isinstance(value, str) or value not in words:
                raise self.fail(f"{field}[{index}]", f"unknown word {value!r}")
            return value

        return self.take_list(field, read, optional)

    def take_list(self, field: str, read: Callable[[int, object], _T], optional: bool) -> tuple[_T, ...]:
        """A list, every item read by ``read(index, item)``."""
        value = self.take(field, optional=optional)
        if value is None and optional:
            return ()
        if not isinstance(value, list):
            raise self.fail(field, "needs a list")
        return tuple(read(index, one) for index, one in enumerate(value))

    def close(self) -> None:
        """Refuse what nobody has taken."""
        for field in self._left:
            raise self.fail(field, "unknown field")
