"""The wording of all that is asked, as plain values that can be kept: a later program may ask otherwise.

``QUESTION_VERSION`` names it. What was answered is read back in the wording it was asked in.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from clinic.rules.answer_history import plain
from clinic.rules.answers import Answers
from clinic.rules.answers_in_words import NOT_SURE, plain_words, value_words
from clinic.rules.check_in import TOPICS
from clinic.rules.conditions import Condition, Field
from clinic.rules.language import _
from clinic.rules.rule_table import TABLE

Wording = Mapping[str, Any]

NOT_ASKED: Final = "Not asked"
"""Nobody signs a form with an open question: what has no answer was no part of it."""


def as_asked(conditions: Iterable[Condition] = tuple(TABLE.asked.values())) -> dict[str, Any]:
    """Every word that a person reads when they are asked: pages, questions, details, choices, the check-in's topics.
    In the language of the moment; without one that anybody chose, in English."""
    return {
        "pages": [{"key": one.key, "title": _(one.title), "intro": _(one.intro)} for one in TABLE.pages],
        "conditions": [_condition(one) for one in conditions],
        "topics": [{"key": one.key, "title": _(one.title), "detail": _(one.detail)} for one in TOPICS],
    }


def _condition(one: Condition) -> dict[str, Any]:
    return {
        "key": one.key,
        "label": _(one.label),
        "page": one.page,
        "question": _(one.question),
        "examples": _(one.examples),
        "ask_when": list(one.ask_when),
        "fields": [
            {
                "name": field.name,
                "type": field.type,
                "question": _(field.question),
                "help": _(field.help),
                "choices": [[key, _(text)] for key, text in field.choices],
            }
            for field in one.fields
        ],
    }


def question_version(conditions: Iterable[Condition]) -> str:
    """Names exactly what is asked: it changes with any word that the person reads."""
    digest = hashlib.sha256(json.dumps(as_asked(conditions)).encode()).hexdigest()
    return f"q-{digest[:12]}"


QUESTION_VERSION: Final = question_version(tuple(TABLE.asked.values()))


def shown_version() -> str:
    """Names exactly what is shown in the language of the moment: another one than `QUESTION_VERSION` where it is not
    English. A judgement never reads it."""
    return question_version(tuple(TABLE.asked.values()))


@dataclass(frozen=True)
class Answered:
    """One question as it was asked, what was said to it, and (question, answer) of each detail."""

    rule: str
    question: str
    answer: str
    details: tuple[tuple[str, str], ...] = ()

    @property
    def is_declared(self) -> bool:
        return self.answer not in ("No", NOT_ASKED)


def answered(wording: Wording | None, answers: Answers) -> list[Answered]:
    """Every question with its answer, in the order of the wording; without one (it was not kept) by the keys."""
    asked = {one["key"]: one for one in wording["conditions"]} if wording else {}
    lost = [key for key in answers if key not in asked]
    return [
        *(_answered(one, answers.get(key)) for key, one in asked.items()),
        *(_bare(key, answers[key]) for key in lost),
    ]


def _answered(asked: Wording, answer: Mapping[str, object] | None) -> Answered:
    said = _said(answer)
    if answer is None or not answer.get("present"):
        return Answered(asked["key"], asked["question"], said)
    details = []
    for one in asked["fields"]:
        choices = tuple((str(key), str(text)) for key, text in one["choices"])
        field = Field(one["name"], one["type"], one["question"], one["help"], choices)
        if field.name in answer or said != NOT_SURE:
            details.append((field.question, value_words(field, answer.get(field.name))))
    return Answered(asked["key"], asked["question"], said, tuple(details))


def _bare(key: str, answer: Mapping[str, object]) -> Answered:
    details = tuple(
        (name.replace("_", " ").capitalize(), plain_words(value))
        for name, value in plain(answer).items()
        if name not in ("present", "not_sure")
    )
    return Answered(key, key.replace("_", " ").capitalize(), _said(answer), details)


def _said(answer: Mapping[str, object] | None) -> str:
    present = answer.get("present") if answer else None
    if answer and answer.get("not_sure"):
        return NOT_SURE
    if present is None:
        return NOT_ASKED
    return "Yes" if present else "No"
