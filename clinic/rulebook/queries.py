"""Reading the rules that the clinic judges by, and every version of them."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from sqlalchemy import func, select
from sqlalchemy.orm import joinedload

from clinic.rulebook.models import RulesVersion
from clinic.rules import proposals
from clinic.rules.changed_table import Rule, adjusted, find_rule
from clinic.rules.findings import change_words
from clinic.rules.proposals import Changes, Proposal
from clinic.rules.rule_change import RuleChange
from clinic.rules.rule_table import TABLE, RuleTable
from clinic.shared.database import db
from clinic.shared.read_once import read_once

_NEWEST = select(RulesVersion.number, RulesVersion.changes).order_by(RulesVersion.number.desc()).limit(1)


def in_force() -> RuleTable:
    """The table that judges now, in this transaction. Every door judges by it and by nothing else.

    One small read. What is made of it is remembered by its content, so that no process can hold an older one.
    """
    return read_once("rules in force", _newest, RulesVersion)


def _newest() -> RuleTable:
    row = db.session.execute(_NEWEST).first()
    return TABLE if row is None else _table(row.number, json.dumps(row.changes))


def note_as_shipped() -> None:
    """Whoever judges in this transaction knows: the clinic has not changed any rule."""
    read_once("rules in force", lambda: TABLE, RulesVersion)


@lru_cache(maxsize=8)
def _table(number: int, changes: str) -> RuleTable:
    return adjusted(TABLE, _read(json.loads(changes)), number)


def marks(rule: str, columns: Iterable[str]) -> list[str]:
    """What staff have to know where this rule speaks about these columns: the clinic's own changes, in words."""
    table = in_force()
    changes = [table.change_of(rule, column) for column in columns]
    found = [one for change in changes for one in (*change.laxer, *change.stricter)]
    return list(dict.fromkeys(change_words(one) for one in found))


def newest_number() -> int:
    """The number of the newest version; 0 while the rules are as shipped."""
    return db.session.scalar(select(func.max(RulesVersion.number))) or 0


def changes_of(number: int) -> Changes | None:
    """The changes in force under a version (none under 0, the shipped rules); None when there is no such version."""
    if number == 0:
        return ()
    row = db.session.get(RulesVersion, number)
    return None if row is None else _read(row.changes)


def _read(records: Sequence[dict[str, object]]) -> Changes:
    return tuple(RuleChange.of_record(one) for one in records)


def proposed(proposal: Proposal, number: int, today: dt.date) -> Changes:
    """The changes that would be in force after the proposal, made on version `number`.

    Raises InvalidInput, NotFound.
    """
    earlier = changes_of(proposal.number) if proposal.kind == "go_back" else None
    return proposals.apply(proposal, changes_of(number) or (), earlier, today=today)


@dataclass(frozen=True)
class Step:
    """One version with what it began and what it ended."""

    row: RulesVersion
    began: Changes
    ended: Changes


def history(rule: str | None = None) -> list[Step]:
    """Every version, newest first; with a rule's key only those that changed something about it."""
    rows = db.session.scalars(
        select(RulesVersion).options(joinedload(RulesVersion.made_by)).order_by(RulesVersion.number)
    ).all()
    steps, before = [], Changes()
    for row in rows:
        after = _read(row.changes)
        began = tuple(one for one in after if one not in before and rule in (None, one.rule))
        ended = tuple(one for one in before if one not in after and rule in (None, one.rule))
        if rule is None or began or ended:
            steps.append(Step(row, began, ended))
        before = after
    return steps[::-1]


def code_of(rule: str) -> str:
    """What stands for a rule in an address, which never names a condition."""
    return hashlib.sha256(rule.encode()).hexdigest()[:10]


def rule_of(code: str) -> Rule | None:
    """The rule behind a code."""
    keys = (*TABLE.conditions, *(one.key for one in TABLE.combinations))
    key = next((key for key in keys if code_of(key) == code), "")
    return find_rule(TABLE, key)
