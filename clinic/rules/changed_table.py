"""The table a clinic judges by: the shipped one with the clinic's own changes, and which changes are possible.

Never less strict, on whoever's word: combinations, what is urgent, what is about this very day, a doctor's own "no",
and what nobody may clear. Everything else goes one step down at most (rule_change.py), by a clinician who may clear
the condition in a letter too; a block then still waits for a letter about each person.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import replace

from clinic.rules.clearances import DOCTOR_SAID_NO
from clinic.rules.conditions import Condition, Variant
from clinic.rules.errors import InvalidInput
from clinic.rules.language import _
from clinic.rules.rule_change import Adjustment, RuleChange
from clinic.rules.rule_table import TABLE, Combination, RuleTable
from clinic.rules.verdicts import COLUMNS, Urgency, Verdict

SHORTEST_REASON = 5
Rule = Condition | Combination


def adjusted(table: RuleTable, changes: Iterable[RuleChange], number: int) -> RuleTable:
    """The table under these changes, as the clinic's own version ``number``; number 0 without any is the table itself.

    A change whose rule is no longer in the table, and one that is less strict and was made on another shipped table,
    does not act: its clinician has not seen what is shipped now.
    """
    changes = tuple(changes)
    if number == 0 and not changes:
        return table
    found: dict[tuple[str, str], Adjustment] = {}
    for one in changes:
        if not acts(table, one):
            continue
        for column in one.columns:
            before = found.get((one.rule, column), Adjustment())
            if one.is_laxer:
                found[one.rule, column] = replace(before, laxer=(*before.laxer, one))
            else:
                found[one.rule, column] = replace(before, stricter=(*before.stricter, one))
    return replace(table, version=f"{table.version}+{number}-{digest_of(changes)}", changes=found)


def acts(table: RuleTable, change: RuleChange) -> bool:
    """Whether the change counts on this shipped table."""
    rule = find_rule(table, change.rule)
    if change.is_laxer:
        return isinstance(rule, Condition) and change.made_on == shipped_version(table)
    return rule is not None


def shipped_version(table: RuleTable) -> str:
    """The version of the shipped table that this one is made of."""
    return table.version.partition("+")[0]


def digest_of(changes: Iterable[RuleChange]) -> str:
    """A short hash of changes, the same in whatever order they were made."""
    records = sorted(json.dumps(one.as_record(), sort_keys=True) for one in changes)
    return hashlib.sha256("\n".join(records).encode()).hexdigest()[:12]


def find_rule(table: RuleTable, key: str) -> Rule | None:
    """The row or the combination of that key."""
    if key in table.conditions:
        return table.conditions[key]
    return next((one for one in table.combinations if one.key == key), None)


def may_wait_for_letter(rule: Rule, table: RuleTable = TABLE) -> bool:
    """Whether a wait for a clearance of this rule can end: somebody may clear all that has to be named."""
    if isinstance(rule, Condition):
        return bool(rule.who_may_clear)
    issuers = [set(table.clearable(key).who_may_clear) for key in rule.must_name]
    return bool(issuers) and bool(set.intersection(*issuers))


def why_never_laxer(rule: Rule) -> str:
    """Why nobody can make this rule less strict; empty when a clinician can."""
    if isinstance(rule, Combination):
        return _("This is about several things together, and is never made less strict.")
    if rule.red_flag is not Urgency.NONE:
        return _("This is a warning sign. It is never made less strict.")
    if rule.about_now:
        return _("This is about the day of the visit itself. It is never made less strict.")
    if rule.key == DOCTOR_SAID_NO:
        return _("A doctor’s own “no” is never made less strict.")
    return "" if rule.who_may_clear else _("Nobody may clear this, so nobody can make it less strict.")


def shipped_verdicts(rule: Rule, column: str) -> frozenset[Verdict]:
    """Every verdict that the shipped rule can give for this column, in any window and place (not while urgent)."""
    index = COLUMNS.index(column)
    if isinstance(rule, Combination):
        return frozenset({rule.minimum[index]})
    parts: list[Condition | Variant] = [rule, *rule.variants]
    codes = [(part.on_site, part.off_site) for part in parts if part.red_flag is Urgency.NONE]
    return frozenset(code[index] for pair in codes for code in pair if code is not None)


def check_change(change: RuleChange, table: RuleTable = TABLE) -> None:
    """Raise InvalidInput at what is wrong with a change that somebody wants to make."""
    rule = find_rule(table, change.rule)
    if rule is None:
        raise InvalidInput("rule", _("There is no such rule."))
    if not change.columns or not set(change.columns) <= set(COLUMNS):
        raise InvalidInput("columns", _("Choose at least one treatment."))
    if len(change.reason.strip()) < SHORTEST_REASON:
        raise InvalidInput("reason", _("Write in a few words why."))
    if change.is_laxer:
        _check_laxer(change, rule)
    else:
        _check_stricter(change, rule, table)


def _check_stricter(change: RuleChange, rule: Rule, table: RuleTable) -> None:
    if change.verdict is Verdict.CLEAR:
        raise InvalidInput("verdict", _("Choose how strict it should be."))
    if change.verdict is Verdict.CLEARANCE and not may_wait_for_letter(rule, table):
        raise InvalidInput(
            "verdict",
            _(
                "No letter counts for this rule, so a visit would wait for ever. Choose “Not possible” or “With care”."
            ),
        )
    lowest = Verdict.CAUTION if change.only_if_found else Verdict.CLEAR
    for column in change.columns:
        if any(lowest <= verdict < change.verdict for verdict in shipped_verdicts(rule, column)):
            return
    raise InvalidInput("verdict", _("The rule is at least this strict already for what you chose."))


def _check_laxer(change: RuleChange, rule: Rule) -> None:
    refusal = why_never_laxer(rule)
    if refusal or isinstance(rule, Combination):
        raise InvalidInput("rule", refusal)
    if change.verdict not in (Verdict.CAUTION, Verdict.CLEARANCE):
        raise InvalidInput("verdict", _("Choose what it should be."))
    if not change.clinician.strip():
        raise InvalidInput("clinician", _("Write the clinician’s name."))
    if change.role not in rule.who_may_clear:
        raise InvalidInput("role", _("Choose a clinician who may clear this."))
    if not change.register_number.strip():
        raise InvalidInput("register_number", _("Write the licence or register number."))
    if change.said_on is None or change.said_on > change.since:
        raise InvalidInput("said_on", _("Enter the day on which the clinician said so, today at the latest."))
    if not any(Verdict(change.verdict + 1) in shipped_verdicts(rule, column) for column in change.columns):
        raise InvalidInput(
            "verdict", _("It goes one step at a time, and no treatment you chose is one step above this.")
        )
