"""A clinic's change of a rule as a sentence for its owner."""

from __future__ import annotations

from clinic.rules.changed_table import find_rule
from clinic.rules.letter_scope import COLUMN_WORDS
from clinic.rules.rule_change import RuleChange
from clinic.rules.rule_table import TABLE
from clinic.rules.verdicts import COLUMNS, Verdict
from clinic.rules.words import join_words

SAID = {
    Verdict.CLEAR: "clear",
    Verdict.CAUTION: "with care",
    Verdict.CLEARANCE: "only with a letter",
    Verdict.BLOCK: "not possible",
}
"""What a verdict means for a booking, in the owner's words."""


def label_of_rule(key: str) -> str:
    """What the rule is called, with a capital; its key when it is no longer in the table."""
    rule = find_rule(TABLE, key)
    label = key if rule is None else rule.label
    return label[:1].upper() + label[1:]


def columns_in_words(columns: tuple[str, ...]) -> str:
    """The treatments, joined; `every treatment` for all of them."""
    if set(columns) == set(COLUMNS):
        return "every treatment"
    return join_words([COLUMN_WORDS[column] for column in COLUMNS if column in columns])


def in_words(change: RuleChange) -> str:
    """`Swedish massage: at least “only with a letter”, wherever the rule asks for care.`"""
    what = columns_in_words(change.columns)
    what = what[:1].upper() + what[1:]
    if change.is_laxer:
        above = SAID[Verdict(change.verdict + 1)]
        return f"{what}: “{SAID[change.verdict]}” in place of “{above}”."
    where = "wherever the rule asks for care" if change.only_if_found else "whenever the rule holds"
    return f"{what}: at least “{SAID[change.verdict]}”, {where}."
