"""What an owner may do to the changes in force, as plain values: from those of now to those of the next version."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from clinic.rules.changed_table import check_change, digest_of, shipped_version
from clinic.rules.errors import InvalidInput, NotFound
from clinic.rules.house_rules import HOUSE_RULES
from clinic.rules.language import _
from clinic.rules.rule_change import RuleChange
from clinic.rules.rule_table import TABLE, RuleTable

Changes = tuple[RuleChange, ...]


@dataclass(frozen=True)
class Proposal:
    """One deed: ``kind`` is change, house_rules, take_back or go_back, with what belongs to it.

    ``change`` is the change to make; ``house_rules`` the keys that are to be on; ``mark`` the one to take back;
    ``number`` the version to go back to. ``reason`` is written into the history.
    """

    kind: str
    reason: str
    change: RuleChange | None = None
    house_rules: tuple[str, ...] = ()
    mark: str = ""
    number: int = 0


def mark_of(change: RuleChange) -> str:
    """What names one change on a page."""
    return digest_of([change])


def apply(
    proposal: Proposal, now: Changes, earlier: Changes | None, *, today: dt.date, shipped: RuleTable = TABLE
) -> Changes:
    """The changes of the next version. ``earlier`` are those of the version to go back to, if there is one.

    Raises InvalidInput at what is wrong, NotFound for what is not there (any more).
    """
    if proposal.kind == "change" and proposal.change is not None:
        after = _with(proposal.change, now, shipped)
    elif proposal.kind == "house_rules":
        after = _with_house_rules(proposal.house_rules, now, today)
    elif proposal.kind == "take_back":
        after = tuple(one for one in now if mark_of(one) != proposal.mark)
    elif proposal.kind == "go_back" and earlier is not None:
        after = _back_to(earlier, now)
    else:
        raise NotFound(_("There is no such version."))
    if digest_of(after) == digest_of(now):
        raise InvalidInput("", _("This would change nothing: the rules are like this already."))
    return after


def _with(change: RuleChange, now: Changes, table: RuleTable) -> Changes:
    """The change added; an earlier one of the same kind for the same rule no longer speaks about its columns."""
    change = replace(change, made_on=shipped_version(table) if change.is_laxer else "")
    check_change(change, table)
    kept = []
    for one in now:
        if (one.rule, one.is_laxer, one.house_rule) == (change.rule, change.is_laxer, ""):
            columns = tuple(column for column in one.columns if column not in change.columns)
            kept += [replace(one, columns=columns)] if columns else []
        else:
            kept.append(one)
    return (*kept, change)


def _with_house_rules(keys: Collection[str], now: Changes, today: dt.date) -> Changes:
    if not set(keys) <= set(HOUSE_RULES):
        raise InvalidInput("house_rules", _("Choose house rules from the list."))
    on = {one.house_rule for one in now}
    kept = [one for one in now if not one.house_rule or one.house_rule in keys]
    new = [
        one for key in HOUSE_RULES if key in keys and key not in on for one in HOUSE_RULES[key].changes(today)
    ]
    return (*kept, *new)


def _back_to(earlier: Changes, now: Changes) -> Changes:
    """What was in force then. What was less strict then and no longer is needs its clinician's word anew."""
    here = {mark_of(one) for one in now}
    if any(one.is_laxer and mark_of(one) not in here for one in earlier):
        raise InvalidInput(
            "", _("That version was less strict than this one on a clinician’s word. Make that change anew.")
        )
    return earlier


def house_rules_on(changes: Sequence[RuleChange]) -> tuple[str, ...]:
    """The keys of the house rules that are switched on, in the order of the file."""
    on = {one.house_rule for one in changes}
    return tuple(key for key in HOUSE_RULES if key in on)
