"""Answers as a person reads them: what was declared, its details, and what changed from one version to the next."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from clinic.rules.answer_history import plain
from clinic.rules.answers import Answers
from clinic.rules.conditions import Condition, Field
from clinic.rules.language import N_, _
from clinic.rules.places_to_avoid import areas_in_words
from clinic.rules.rule_table import TABLE
from clinic.rules.words import capital, day_words

NOT_SURE = N_("Not sure")
NOT_GIVEN = N_("not given")


@dataclass(frozen=True)
class Said:
    """One declared condition: its key and label, and (question, answer) for each detail."""

    rule: str
    label: str
    details: tuple[tuple[str, str], ...]
    changed_on: dt.date | None = None


@dataclass(frozen=True)
class Change:
    """One condition that two versions answer differently; None is "no"."""

    label: str
    before: Said | None
    after: Said | None


def declared_in_words(answers: Answers) -> list[Said]:
    """What these answers declare, in the order of the table; conditions that the table has lost come last."""
    known = [key for key in TABLE.asked if plain(answers.get(key))]
    lost = [key for key in answers if key not in TABLE.asked and plain(answers[key])]
    return [_said(key, answers[key]) for key in (*known, *lost)]


def changes_in_words(before: Answers, after: Answers) -> list[Change]:
    """Every condition that the two answer differently, in the order of the table."""
    keys = [*TABLE.asked, *(key for key in {**before, **after} if key not in TABLE.asked)]
    found = []
    for key in keys:
        old, new = plain(before.get(key)), plain(after.get(key))
        if old != new:
            was = _said(key, before[key]) if old else None
            now_is = _said(key, after[key]) if new else None
            found.append(Change(_label(key), was, now_is))
    return found


def _label(key: str) -> str:
    condition = TABLE.asked.get(key)
    return condition.label if condition else key.replace("_", " ").capitalize()


def _said(key: str, answer: Mapping[str, object]) -> Said:
    changed = answer.get("changed_on")
    changed_on = dt.date.fromisoformat(changed) if isinstance(changed, str) else None
    condition = TABLE.asked.get(key)
    if condition is None:
        rest = {name: value for name, value in plain(answer).items() if name != "present"}
        details = tuple(
            (name.replace("_", " ").capitalize(), plain_words(value)) for name, value in rest.items()
        )
        return Said(key, _label(key), details, changed_on)
    return Said(key, condition.label, _details(condition, answer), changed_on)


def _details(condition: Condition, answer: Mapping[str, object]) -> tuple[tuple[str, str], ...]:
    if answer.get("not_sure"):
        return ((_(condition.question), _(NOT_SURE)),)
    return tuple(
        (_(field.question), value_words(field, answer.get(field.name))) for field in condition.fields
    )


def value_words(field: Field, value: object) -> str:
    """The answer to one detail, by what kind of detail it is."""
    if value is None or value in ("", []):
        return _(NOT_GIVEN)
    if field.type == "choice":
        return _(dict(field.choices).get(str(value), str(value)))
    if field.type == "area" and isinstance(value, list | tuple):
        return capital(areas_in_words(value)) or _(NOT_GIVEN)
    if field.type == "date":
        return day_words(dt.date.fromisoformat(str(value)[:10]))
    return plain_words(value)


def plain_words(value: object) -> str:
    """A kept value as it is read, whatever it answers."""
    if isinstance(value, bool):
        return _("Yes") if value else _("No")
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return f"{value:g}" if isinstance(value, float) else str(value)
