"""A clinic's own word on one rule: stricter than the shipped table, or, on a named clinician's word, less strict.

What a change does to a verdict is decided here and nowhere else:

- *Stricter* is a minimum. It holds whenever the rule holds, or (``only_if_found``) only where the shipped table
  asks for at least caution: off the place of a local rule and after the end of a window it then says nothing.
- *Less strict* goes one step down and no further: a block becomes a wait for a clearance, a wait becomes caution.
  Everything else stays as shipped. It never clears anything wholly, so there is always a finding to mark.
- Where both speak the stricter holds. So the order in which changes were made means nothing.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from clinic.rules.verdicts import COLUMNS, VERDICT_WORDS, Verdict


@dataclass(frozen=True)
class RuleChange:
    """One change of one rule (a condition's or a combination's key) for some columns.

    ``since`` is the day on which it was made. ``house_rule`` names the house rule it comes from, if any. Only a
    change that is less strict has a clinician (``role`` as in the table, ``said_on`` the day of their word) and
    ``made_on``, the version of the shipped table that the clinician looked at: on another one it does not act.
    """

    rule: str
    columns: tuple[str, ...]
    verdict: Verdict
    since: dt.date
    reason: str
    only_if_found: bool = False
    house_rule: str = ""
    is_laxer: bool = False
    clinician: str = ""
    role: str = ""
    register_number: str = ""
    said_on: dt.date | None = None
    made_on: str = ""

    def as_record(self) -> dict[str, Any]:
        """Plain values, as they are kept and compared."""
        return {
            "rule": self.rule,
            "columns": [column for column in COLUMNS if column in self.columns],
            "verdict": self.verdict.word,
            "since": self.since.isoformat(),
            "reason": self.reason,
            "only_if_found": self.only_if_found,
            "house_rule": self.house_rule,
            "is_laxer": self.is_laxer,
            "clinician": self.clinician,
            "role": self.role,
            "register_number": self.register_number,
            "said_on": self.said_on.isoformat() if self.said_on else None,
            "made_on": self.made_on,
        }

    @classmethod
    def of_record(cls, record: Mapping[str, Any]) -> RuleChange:
        """Read what ``as_record`` wrote."""
        said_on = record["said_on"]
        return cls(**{
            **record,
            "columns": tuple(record["columns"]),
            "verdict": VERDICT_WORDS[record["verdict"]],
            "since": dt.date.fromisoformat(record["since"]),
            "said_on": dt.date.fromisoformat(said_on) if said_on else None,
        })  # fmt: skip


@dataclass(frozen=True)
class Adjustment:
    """All changes of one rule for one column."""

    stricter: tuple[RuleChange, ...] = ()
    laxer: tuple[RuleChange, ...] = ()

    def lowered(self, shipped: Verdict) -> Verdict:
        """The shipped verdict after what is less strict: one step at most, and of several the least of it."""
        steps = [one.verdict for one in self.laxer]
        return Verdict(shipped - 1) if steps and all(step == shipped - 1 for step in steps) else shipped

    def raised(self, verdict: Verdict) -> Verdict:
        """The verdict after what is stricter."""
        return max([verdict, *(one.verdict for one in self._minimums(verdict))])

    def named(self, shipped: Verdict, verdict: Verdict) -> RuleChange | None:
        """The change to name when it made ``verdict`` of what was shipped; none when nothing came of it."""
        if verdict < shipped:
            return self.laxer[0]
        if verdict > shipped:
            return max(self._minimums(shipped), key=lambda one: one.verdict)
        return None

    def _minimums(self, verdict: Verdict) -> tuple[RuleChange, ...]:
        if verdict is Verdict.CLEAR:
            return self._always
        return self.stricter

    @cached_property
    def _always(self) -> tuple[RuleChange, ...]:
        return tuple(one for one in self.stricter if not one.only_if_found)


UNCHANGED = Adjustment()
