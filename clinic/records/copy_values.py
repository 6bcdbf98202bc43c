"""What a person's own copy says on the page: words instead of stored keys. The file keeps what is stored."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from clinic.records import words as w
from clinic.rules import words
from clinic.rules.body_areas import AREAS
from clinic.rules.kinds import ASKED_FOR
from clinic.rules.language import N_, _
from clinic.rules.messages import KINDS
from clinic.rules.visit_status import STEP_REASONS, VisitStatus, client_label
from clinic.rules.waitlist import IN_WORDS
from clinic.shared.languages import LANGUAGES

FOR_PROGRAMS = re.compile(
    r"(^|_)ids?$|_version$|^(thing|rule|column|fold|basis|revision|sign_count|last_step|local_time|currency|permits|zone)$"
)
"""Numbers and marks by which the program finds its rows: in the file, and no use to a reader."""

SAID: Mapping[str, Mapping[str, str]] = {
    "verdict": w.VERDICTS,
    "outcome": w.OUTCOMES,
    "urgency": w.URGENCIES,
    "door": w.DOORS,
    "deed": w.DEEDS,
    "ending": w.ENDINGS,
    "source": {**w.SOURCES, "online": N_("online"), "waitlist": N_("from the waitlist")},
    "kind": {
        **w.CONSENTS,
        **w.KINDS,
        **{key: kind.label for key, kind in KINDS.items()},
        "wish": N_("From the waitlist"),
        "move": N_("Another time"),
        "given": N_("Another therapist"),
        "bar": N_("Books by phone only"),
    },
    "parts": {part.value: said for part, said in IN_WORDS.items()},
    "areas": AREAS,
    "asked_gender": ASKED_FOR,
    "relation": {
        "self": N_("Yourself"), "parent": N_("Parent"), "partner": N_("Partner"), "carer": N_("Carer"),
        "guardian": N_("Legal guardian"),
    },
    "by": {"you": N_("you")},
    "language": LANGUAGES,
}  # fmt: skip
"""Column → stored key → words. A key that has none here is spelled out."""

TREATMENTS = ("service", "mode", "addons")
SPELLED_OUT = frozenset(
    {*SAID, *TREATMENTS, "status", "waiting_for", "ended_as", "role", "decision", "needs", "choice"}
)
"""Columns of stored keys; everything else that is text is somebody's own words."""


def told(row: Mapping[str, Any], names: Mapping[str, str]) -> Iterator[tuple[str, Any]]:
    """Column and value for a reader, without what is not given. `names`: how treatments are called today, by key."""
    for column, value in row.items():
        if not FOR_PROGRAMS.search(column) and value not in (None, "", {}):
            yield column, _told(column, value, names)


def _told(column: str, value: Any, names: Mapping[str, str]) -> Any:
    if isinstance(value, dict) and column != "answers":
        return dict(told(_in_words_of_today(value), names))
    if isinstance(value, list):
        return [_told(column, one, names) for one in value]
    if column == "weekdays":
        return words.weekday_words(value)
    if column == "minutes":
        return words.length_words(value)
    return _text(column, value, names) if isinstance(value, str) else value


def _text(column: str, value: str, names: Mapping[str, str]) -> str:
    if column == "reason":  # of a visit's step; elsewhere it is somebody's own words
        return _(STEP_REASONS[value]) if value in STEP_REASONS else value
    return _key(column, value, names) if column in SPELLED_OUT else value


def _in_words_of_today(said: dict[str, Any]) -> dict[str, Any]:
    """What a rule said is kept in the words of the table; a reader has them in their own language."""
    if "rule" not in said:
        return said
    return {
        key: _(one) if key in ("label", "reason") and isinstance(one, str) else one
        for key, one in said.items()
    }


def _key(column: str, value: str, names: Mapping[str, str]) -> str:
    if column == "status" and value in set(VisitStatus):
        return client_label(VisitStatus(value))
    found = names.get(value) if column in TREATMENTS else SAID.get(column, {}).get(value)
    if found is not None:
        return _(found)
    spelled = value.replace("_", " ").replace(".", " ")
    if " " not in value:
        spelled = words.capital(spelled)
    return _(spelled)
