"""The pages of the questionnaire, made from the table: what is asked at the intake and on the day itself."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from clinic.rules.conditions import OCCASIONS, Condition
from clinic.rules.rule_table import TABLE
from clinic.rules.verdicts import Urgency


@dataclass(frozen=True)
class Page:
    """One page of questions; ``urgent`` pages hold red flags only and come first."""

    key: str
    title: str
    intro: str
    urgent: bool
    conditions: tuple[Condition, ...]


@cache
def pages(kind: str) -> tuple[Page, ...]:
    """The pages of an ``intake`` or a ``checkin``, in order; raises ``ValueError`` for any other word.

    The check-in asks only what is about the day itself; pages without such a question are left out.
    """
    if kind not in OCCASIONS:
        raise ValueError(f"unknown kind of questionnaire: {kind}")
    made = []
    for text in TABLE.pages:
        asked = tuple(
            condition
            for condition in TABLE.asked.values()
            if condition.page == text.key and kind in condition.ask_when
        )
        if asked:
            urgent = all(condition.red_flag is not Urgency.NONE for condition in asked)
            made.append(Page(text.key, text.title, text.intro, urgent, asked))
    return tuple(made)
