"""One treatment on one day, with everything that is declared: what every rule says about every column.

The order is that of the clinical rules: row verdicts by day and place, the chamber's raise, clearances,
combinations as minimums. ``screening.py`` makes the judgement from it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from clinic.rules.answers import Answers, Declared, read_answers
from clinic.rules.body_areas import FULL_BODY, expand, with_chamber
from clinic.rules.clearances import Clearance, covers, is_valid
from clinic.rules.findings import Finding, combination_finding, row_finding
from clinic.rules.row_verdicts import RowJudgement, holds, judge_row
from clinic.rules.rule_change import RuleChange
from clinic.rules.rule_table import TABLE, Combination, RuleTable
from clinic.rules.verdicts import ADDONS, COLUMNS, INTERVAL, SERVICES, VACUUM, Urgency, Verdict

MAGNETS = "decompression_vacuum_magnetic"
_INDEX = {column: index for index, column in enumerate(COLUMNS)}


@dataclass(frozen=True)
class Treatment:
    """What is to be done: the columns it is judged as (the strictest holds), mode, add-ons, areas, minutes.

    Raises ``ValueError`` for an unknown column, add-on, mode or area, and for magnets in the chamber.
    """

    judged_as: tuple[str, ...]
    mode: str | None = None
    addons: tuple[str, ...] = ()
    areas: tuple[str, ...] = (FULL_BODY,)
    minutes: int = 0

    def __post_init__(self) -> None:
        if not self.judged_as or not set(self.judged_as) <= set(SERVICES):
            raise ValueError(f"not services: {self.judged_as}")
        if not set(self.addons) <= set(ADDONS):
            raise ValueError(f"not add-ons: {self.addons}")
        if self.mode not in (None, INTERVAL):
            raise ValueError(f"unknown mode: {self.mode}")
        if self.mode == INTERVAL and (VACUUM not in self.judged_as or MAGNETS in self.judged_as):
            raise ValueError("the interval chamber goes with vacuum decompression only, without magnets")
        expand(self.areas)

    @property
    def requested(self) -> frozenset[str]:
        """The areas to judge by: in the chamber every area below the ribs is added."""
        return with_chamber(self.areas) if self.mode == INTERVAL else frozenset(self.areas)


def strongest(findings: Iterable[Finding]) -> Verdict:
    """The strongest verdict among findings; clear when there is none."""
    return max((finding.verdict for finding in findings), default=Verdict.CLEAR)


@dataclass(frozen=True)
class Sheet:
    """Everything known for one judgement: declared conditions, their rows on the day, what combines."""

    treatment: Treatment
    requested: frozenset[str]
    declared: Mapping[str, Declared]
    rows: Mapping[str, RowJudgement]
    combinations: tuple[Combination, ...]
    clearances: tuple[Clearance, ...]
    age: int
    day: dt.date
    table: RuleTable

    @classmethod
    def of(
        cls,
        treatment: Treatment,
        answers: Answers,
        *,
        day: dt.date,
        age: int,
        clearances: Iterable[Clearance] = (),
        table: RuleTable = TABLE,
    ) -> Sheet:
        """Read the answers and judge every declared row and combination on ``day``, at ``age`` in whole years."""
        declared = read_answers(answers)
        requested = treatment.requested
        facts = {key: one.facts_on(day) for key, one in declared.items()}
        return cls(
            treatment=treatment,
            requested=requested,
            declared=declared,
            rows={key: judge_row(one.condition, facts[key], requested) for key, one in declared.items()},
            combinations=tuple(rule for rule in table.combinations if holds(rule, facts, age)),
            clearances=tuple(one for one in clearances if is_valid(one, declared, day)),
            age=age,
            day=day,
            table=table,
        )

    @property
    def urgency(self) -> Urgency:
        """The most urgent of all rows and combinations."""
        rows = (row.urgency for row in self.rows.values())
        return max((*rows, *(rule.red_flag for rule in self.combinations)), default=Urgency.NONE)

    def findings(self, columns: tuple[str, ...]) -> list[Finding]:
        """What speaks against these columns: one finding per rule, for the column where it is strongest."""
        found = []
        for key in self.rows:
            each = [one for column in columns if (one := self._row_finding(key, column)) is not None]
            found.extend(sorted(each, key=lambda one: -one.verdict)[:1])
        for rule in self.combinations:
            each = [one for column in columns if (one := self._combination_finding(rule, column)) is not None]
            found.extend(sorted(each, key=lambda one: -one.verdict)[:1])
        return found

    def _row_finding(self, key: str, column: str) -> Finding | None:
        verdict, changed = self._row_verdict(key, self.rows[key], column)
        if verdict is Verdict.CLEAR:
            return None
        clearances = self._clearances((key,), column) if verdict is Verdict.CLEARANCE else ()
        if clearances:
            verdict = Verdict.CAUTION
        condition = self.declared[key].condition
        until = self._row_weaker_on(key, column, verdict)
        return row_finding(
            condition, self.rows[key], column, verdict, until=until, clearances=clearances, changed=changed
        )

    def _combination_finding(self, rule: Combination, column: str) -> Finding | None:
        shipped = rule.minimum[_INDEX[column]]
        change = self.table.change_of(rule.key, column)
        verdict = change.raised(shipped)  # a combination is never made less strict
        changed = change.named(shipped, verdict)
        if verdict is Verdict.CLEAR:
            return None
        clearances: tuple[Clearance, ...] = ()
        if verdict is Verdict.CLEARANCE:
            named = [
                key for key in rule.must_name if key in self.declared or key in self.table.clearance_only
            ]
            clearances = self._clearances(named, column)
        if clearances:
            verdict = Verdict.CAUTION
        until = self._combination_weaker_on(rule)
        return combination_finding(rule, column, verdict, until=until, clearances=clearances, changed=changed)

    def _row_verdict(self, key: str, row: RowJudgement, column: str) -> tuple[Verdict, RuleChange | None]:
        """The row's verdict for a column, and the clinic's change that made it.

        In the chamber the vacuum column is raised where the row says so. What is urgent, and a row that holds
        because a detail is missing, is never made less strict.
        """
        shipped = row.verdicts[_INDEX[column]]
        change = self.table.change_of(key, column)
        verdict = change.lowered(shipped) if row.sure and row.urgency is Urgency.NONE else shipped
        if self.treatment.mode == INTERVAL and column == VACUUM:
            least = self.declared[key].condition.interval_vacuum_raise
            shipped, verdict = max(shipped, least), max(verdict, least)
        verdict = change.raised(verdict)
        return verdict, change.named(shipped, verdict)

    def _clearances(self, keys: Iterable[str], column: str) -> tuple[Clearance, ...]:
        """One clearance for each of these conditions; none at all when one of them has none."""
        found = [self._clearance(key, column) for key in keys]
        return () if None in found else tuple(one for one in found if one is not None)

    def _clearance(self, key: str, column: str) -> Clearance | None:
        for one in self.clearances:
            if one.condition == key and covers(one, column, self.treatment.mode, self.requested):
                return one
        return None

    def _row_weaker_on(self, key: str, column: str, verdict: Verdict) -> dt.date | None:
        one = self.declared[key]
        for later in one.turning_days:
            if later > self.day:
                row = judge_row(one.condition, one.facts_on(later), self.requested)
                if self._row_verdict(key, row, column)[0] < verdict:
                    return later
        return None

    def _combination_weaker_on(self, rule: Combination) -> dt.date | None:
        if not rule.when.turns:
            return None
        named = {key: one for key, one in self.declared.items() if key in rule.conditions}
        for later in sorted({later for one in named.values() for later in one.turning_days}):
            if later > self.day:
                facts = {key: one.facts_on(later) for key, one in named.items()}
                if not holds(rule, facts, self.age):
                    return later
        return None
