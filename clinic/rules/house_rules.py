"""House rules that come with the program: minimums that an owner may switch on, all of them off at first."""

from __future__ import annotations

import datetime as dt
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from clinic.rules.changed_table import check_change, find_rule
from clinic.rules.errors import InvalidInput
from clinic.rules.rule_change import RuleChange
from clinic.rules.rule_table import TABLE
from clinic.rules.table_entries import Entry
from clinic.rules.verdicts import COLUMNS, VERDICT_WORDS, Verdict

FILE = Path(__file__).parent / "house_rules.toml"


@dataclass(frozen=True)
class Minimum:
    """At least this verdict for these columns of one rule."""

    rule: str
    columns: tuple[str, ...]
    verdict: Verdict
    only_if_found: bool


@dataclass(frozen=True)
class HouseRule:
    """What can be switched on, in words, and the minimums that it sets."""

    key: str
    title: str
    why: str
    minimums: tuple[Minimum, ...]

    def changes(self, since: dt.date) -> tuple[RuleChange, ...]:
        """The changes that switching it on makes."""
        return tuple(
            RuleChange(
                rule=one.rule, columns=one.columns, verdict=one.verdict, since=since, reason=self.title,
                only_if_found=one.only_if_found, house_rule=self.key,
            )
            for one in self.minimums
        )  # fmt: skip


def load_house_rules(path: Path = FILE) -> dict[str, HouseRule]:
    """Read and check the file; raises ``LoadError`` naming the entry and the key that is wrong."""
    file = Entry(tomllib.loads(path.read_text(encoding="utf-8")), path.name)
    found: dict[str, HouseRule] = {}
    for raw in file.take_entries("house_rule"):
        one = _read(raw)
        if one.key in found:
            raise file.fail(one.key, "is there twice")
        found[one.key] = one
    file.close()
    return found


def _read(raw: object) -> HouseRule:
    entry = Entry(raw, "house rule")
    entry.name = entry.take_text("key")
    minimums = tuple(_read_minimum(one, entry.name) for one in entry.take_entries("minimum"))
    rule = HouseRule(entry.name, entry.take_text("title"), entry.take_text("why"), minimums)
    entry.close()
    for change in rule.changes(dt.date.min):
        try:
            check_change(change)
        except InvalidInput as error:
            raise entry.fail(error.field, error.sentence) from error
    if not minimums:
        raise entry.fail("minimum", "is missing")
    return rule


def _read_minimum(raw: object, name: str) -> Minimum:
    part = Entry(raw, f"{name} minimum")
    key = part.take_text("rule")
    if find_rule(TABLE, key) is None:
        raise part.fail("rule", f"unknown rule {key!r}")
    minimum = Minimum(
        rule=key,
        columns=part.take_words("columns", COLUMNS),
        verdict=VERDICT_WORDS[part.take_word("verdict", VERDICT_WORDS)],
        only_if_found=part.take_flag("only_if_found"),
    )
    part.close()
    return minimum


HOUSE_RULES: Final[Mapping[str, HouseRule]] = load_house_rules()
"""The house rules that come with the program, by key."""
