"""What a judgement found, in the language of whoever reads it.

A finding is kept in the words of the rules of its day, in English. Here the sentences that are still those of the
table are shown in their translation; what has been worded otherwise since stays as it was kept.
"""

from __future__ import annotations

from functools import cache

from clinic.rules.findings import AT_THE_AREA, ELSEWHERE, HOLDS, HOUSE_WORDS, NO_DETAILS
from clinic.rules.language import _
from clinic.rules.rule_table import TABLE


def reason(kept: str) -> str:
    """The sentence for the client, perhaps followed by what the clinic itself asks for."""
    for house in HOUSE_WORDS.values():
        if kept.endswith(f" {house}"):
            return f"{_(kept.removesuffix(f' {house}'))} {_(house)}"
    return _(kept)


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
    return tuple(sorted((*own, AT_THE_AREA, ELSEWHERE, HOLDS, NO_DETAILS), key=len, reverse=True))
