"""Answers as the gate reads them: declared conditions with typed details, counted to the day of a visit.

An answer is a mapping with ``present``; ``{"present": False}`` is "no". With ``not_sure`` the details given are
not relied on. Dates are ISO strings (or dates); an empty detail is a missing one. ``changed_on`` is the day on
which the answer replaced an earlier signed one; it is not there in a first intake.
"""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TypeAlias

from clinic.rules.body_areas import AREAS
from clinic.rules.conditions import Condition, Field
from clinic.rules.rule_table import TABLE

Answers: TypeAlias = Mapping[str, Mapping[str, object]]

_ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
EARLIEST_YEAR, LATEST_YEAR = 1900, 2200
LARGEST_NUMBER = 100_000
LONGEST_PREGNANCY = 60
"""In weeks; a larger number is a typing mistake and must not lead before the first day of the calendar."""
_PLAIN_KEYS = frozenset({"present", "not_sure", "changed_on"})


class AnswerError(ValueError):
    """An answer that cannot be read; ``key`` is the condition, ``field`` the detail."""

    def __init__(self, key: str, field: str, problem: str) -> None:
        super().__init__(f"{key}.{field}: {problem}")
        self.key = key
        self.field = field
        self.problem = problem


@dataclass(frozen=True)
class Facts:
    """The details of one declared condition on one day, with ``days`` and ``weeks`` counted to it.

    ``ahead`` says that the date they are counted from lies after that day, so that the count is not sure.
    """

    values: Mapping[str, object]
    ahead: bool


@dataclass(frozen=True)
class Declared:
    """One condition that the client has, or is not sure about."""

    condition: Condition
    details: Mapping[str, object]
    changed_on: dt.date | None

    @cached_property
    def event_on(self) -> dt.date | None:
        """The date of the row's event, when it has one and it was given."""
        date = self.details.get("date")
        return date if isinstance(date, dt.date) else None

    @property
    def since(self) -> dt.date | None:
        """The date of the row's event; of a pregnancy the day from which its full weeks are counted."""
        as_of, weeks = self.details.get("weeks_as_of"), self.details.get("weeks")
        if isinstance(as_of, dt.date) and isinstance(weeks, int | float):
            return as_of - dt.timedelta(weeks=min(math.floor(weeks), LONGEST_PREGNANCY))
        return self.event_on

    def facts_on(self, day: dt.date) -> Facts:
        """The details with ``days`` since the event and full ``weeks`` of pregnancy on ``day``.

        Whole calendar days; day 0 is the day itself. Without the day on which a number of weeks was true there
        are no weeks to carry forward.
        """
        event = self.event_on
        counted_from = self.details.get("weeks_as_of")
        weeks = self.details.get("weeks")
        values = dict(self.details)
        values.pop("weeks", None)
        ahead = False
        if event is not None:
            values["days"] = (day - event).days
            ahead = event > day
        if isinstance(weeks, int | float) and isinstance(counted_from, dt.date):
            values["weeks"] = math.floor(weeks) + (day - counted_from).days // 7
            ahead = ahead or counted_from > day
        return Facts(values, ahead)

    @cached_property
    def turning_days(self) -> tuple[dt.date, ...]:
        """The days on which this row may change its verdict, in order; empty when no window is known."""
        event = self.event_on
        counted_from = self.details.get("weeks_as_of")
        weeks = self.details.get("weeks")
        days: set[dt.date] = set()
        for name, turn in self.condition.turns:
            if name == "days" and event is not None:
                days |= {event, event + dt.timedelta(days=turn)}
            if name == "weeks" and isinstance(weeks, int | float) and isinstance(counted_from, dt.date):
                days |= {counted_from, counted_from + dt.timedelta(weeks=turn - math.floor(weeks))}
        return tuple(sorted(days))


def read_answers(answers: Answers) -> dict[str, Declared]:
    """The declared conditions by key; those answered with "no" are left out.

    Raises ``AnswerError`` for an unknown condition or detail, a value of the wrong type or outside its choices,
    and an impossible date: a judgement is never made on half-understood answers.
    """
    declared: dict[str, Declared] = {}
    for key, answer in answers.items():
        one = read_answer(key, answer)
        if one is not None:
            declared[key] = one
    birth = declared.get("postpartum")
    if birth is not None and birth.details.get("caesarean") is True:
        declared["recent_surgery"] = _with_caesarean(declared.get("recent_surgery"), birth)
    return declared


def _with_caesarean(surgery: Declared | None, birth: Declared) -> Declared:
    """A caesarean is an operation, also where the question about operations was answered with "no".

    Beside another operation the newer day counts, and neither is a small one. Where one of the days is missing
    it cannot be told which is newer, so there is none.
    """
    if surgery is None:
        known = {"minor": False, "complications": False, "date": birth.event_on}
        return Declared(TABLE.conditions["recent_surgery"], known, birth.changed_on)
    days = (surgery.event_on, birth.event_on)
    newest = None if None in days else max(day for day in days if day is not None)
    details = {**surgery.details, "date": newest}
    if details.get("minor") is True:
        details["minor"] = False
    return replace(surgery, details=details)


def read_answer(key: str, answer: object) -> Declared | None:
    """One answer; ``None`` for "no". Raises ``AnswerError`` as ``read_answers`` does."""
    condition = TABLE.asked.get(key)
    if condition is None:
        raise AnswerError(key, "key", "unknown condition")
    if type(answer) is dict and len(answer) == 1 and answer.get("present") is False:
        return None  # nearly all answers of nearly everybody: nothing else is there to be read
    if not isinstance(answer, Mapping):
        raise AnswerError(key, "present", "needs an answer with present")
    details: dict[str, object] = {}
    for name, value in answer.items():
        field = condition.fields_by_name.get(name)
        if field is not None and value is not None:
            details[name] = read_detail(key, field, value)
        elif field is None and name not in _PLAIN_KEYS:
            raise AnswerError(key, str(name), "unknown field")
    present = _flag(key, "present", answer.get("present"))
    not_sure = "not_sure" in answer and _flag(key, "not_sure", answer["not_sure"])
    changed_on = answer.get("changed_on")
    changed = None if changed_on is None else read_date(key, "changed_on", changed_on)
    if not present:
        return None
    return Declared(condition, {} if not_sure else details, changed)


def _flag(key: str, name: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise AnswerError(key, name, "needs true or false")
    return value


def read_detail(key: str, field: Field, value: object) -> object:
    """A detail as its type wants it; raises ``AnswerError`` when it cannot be that."""
    match field.type:
        case "yes_no":
            return _flag(key, field.name, value)
        case "date":
            return read_date(key, field.name, value)
        case "number":
            return _number(key, field.name, value)
        case "area":
            return _areas(key, field.name, value)
    if not isinstance(value, str):
        raise AnswerError(key, field.name, "needs a text")
    if field.type == "choice" and value not in field.choice_keys:
        raise AnswerError(key, field.name, f"is not one of {', '.join(field.choice_keys)}")
    return value


def read_date(key: str, name: str, value: object) -> dt.date:
    """A day of the calendar from an ISO text or a date; raises ``AnswerError`` for anything else."""
    if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
        date = value
    elif isinstance(value, str) and _ISO_DATE.fullmatch(value):
        try:
            date = dt.date.fromisoformat(value)
        except ValueError as error:
            raise AnswerError(key, name, f"there is no day {value}") from error
    else:
        raise AnswerError(key, name, "needs a day like 2026-03-16")
    if not EARLIEST_YEAR <= date.year <= LATEST_YEAR:
        raise AnswerError(key, name, f"cannot be in the year {date.year}")
    return date


def _number(key: str, name: str, value: object) -> int | float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise AnswerError(key, name, "needs a number")
    if not 0 <= value <= LARGEST_NUMBER:
        raise AnswerError(key, name, f"cannot be {value}")
    return value


def _areas(key: str, name: str, value: object) -> tuple[str, ...]:
    if not isinstance(value, list | tuple):
        raise AnswerError(key, name, "needs a list of body areas")
    for area in value:
        if not isinstance(area, str) or area not in AREAS:
            raise AnswerError(key, name, f"unknown body area {area!r}")
    return tuple(value)
