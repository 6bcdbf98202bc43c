"""A clinic's change of a rule as a sentence for its owner."""

from __future__ import annotations

from collections.abc import Iterable

from clinic.rules.changed_table import find_rule
from clinic.rules.language import N_, _
from clinic.rules.letter_scope import COLUMN_WORDS, ISSUER_NAMES
from clinic.rules.rule_change import RuleChange
from clinic.rules.rule_table import TABLE
from clinic.rules.verdicts import COLUMNS, Verdict
from clinic.rules.words import capital, join_words

SAID = {
    Verdict.CLEAR: N_("clear"),
    Verdict.CAUTION: N_("with care"),
    Verdict.CLEARANCE: N_("only with a letter"),
    Verdict.BLOCK: N_("not possible"),
}
"""What a verdict means for a booking, in the owner's words."""


def label_of_rule(key: str) -> str:
    """What the rule is called, with a capital; its key when it is no longer in the table."""
    rule = find_rule(TABLE, key)
    return capital(key if rule is None else _(rule.label))


def columns_in_words(columns: tuple[str, ...]) -> str:
    """The treatments, joined; `every treatment` for all of them."""
    if set(columns) == set(COLUMNS):
        return _("every treatment")
    return join_words([_(COLUMN_WORDS[column]) for column in COLUMNS if column in columns])


def issuers_in_words(issuers: Iterable[str]) -> str:
    """`Doctor, midwife or physiotherapist`."""
    return capital(join_words([_(ISSUER_NAMES[one]) for one in issuers], N_("or")))


def in_words(change: RuleChange) -> str:
    """`Swedish massage: at least “only with a letter”, wherever the rule asks for care.`"""
    what, said = capital(columns_in_words(change.columns)), _(SAID[change.verdict])
    if change.is_laxer:
        above = _(SAID[Verdict(change.verdict + 1)])
        return _("%(what)s: “%(said)s” in place of “%(above)s”.", what=what, said=said, above=above)
    where = _("wherever the rule asks for care") if change.only_if_found else _("whenever the rule holds")
    return _("%(what)s: at least “%(said)s”, %(where)s.", what=what, said=said, where=where)
