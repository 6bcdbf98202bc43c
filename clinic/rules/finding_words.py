"""What a judgement found, in the language of whoever reads it.

A finding is kept in the words of the rules of its day, in English. Here the sentences that are still those of the
table are shown in their translation; what has been worded otherwise since stays as it was kept.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from clinic.rules.findings import (
    AT_THE_AREA,
    CARE_FIRST,
    ELSEWHERE,
    HELD,
    HOLDS,
    HOUSE_WORDS,
    LASTS,
    LETTER,
    NO_DETAILS,
    OTHER_PLACE,
    WAIT,
    WITH_DETAILS,
    letter_words,
    wait_words,
)
from clinic.rules.language import _
from clinic.rules.rule_table import TABLE


def reason(kept: str) -> str:
    """The sentence for the client, perhaps followed by what the clinic itself asks for."""
    for house in HOUSE_WORDS.values():
        if kept.endswith(f" {house}"):
            return f"{_(kept.removesuffix(f' {house}'))} {_(house)}"
    return _(kept)


def what_would_change(finding: Mapping[str, Any]) -> str:
    """What the client can do about a kept finding: whom it names and from when on are kept beside its sentences."""
    said = str(finding["what_would_change"])
    for sentence in (CARE_FIRST, OTHER_PLACE, WITH_DETAILS, LASTS):
        said = said.replace(sentence, _(sentence))
    if finding.get("who_may_clear"):
        said = _pattern(LETTER).sub(lambda _found: letter_words(finding["who_may_clear"]), said)
    if finding.get("until"):
        said = _pattern(WAIT).sub(lambda _found: wait_words(dt.date.fromisoformat(finding["until"])), said)
    return said


@cache
def _pattern(sentence: str) -> re.Pattern[str]:
    """The sentence with anything in its place."""
    before, _place, after = re.split(r"(%\(\w+\)s)", sentence)
    return re.compile(f"{re.escape(before)}[^.]+?{re.escape(after)}")


def staff_note(kept: str, rule: str) -> str:
    """What staff read, sentence by sentence."""
    for sentence in _sentences(rule):
        kept = kept.replace(sentence, _(sentence))
    return kept


@cache
def _sentences(rule: str) -> tuple[str, ...]:
    """What a note about this rule is put together from, longest first: one may be a part of another."""
    condition = TABLE.asked.get(rule)
    own = (
        [condition.label, condition.reason, *(one.note for one in condition.variants if one.note)]
        if condition
        else []
    )
    return tuple(sorted((*own, AT_THE_AREA, ELSEWHERE, HOLDS, HELD, NO_DETAILS), key=len, reverse=True))
