"""A finding: what one rule says about one column, and the words that explain it to client and staff."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from clinic.rules.answer_history import MARKS
from clinic.rules.clearances import Clearance
from clinic.rules.conditions import Condition
from clinic.rules.language import N_, _
from clinic.rules.row_verdicts import RowJudgement
from clinic.rules.rule_change import RuleChange
from clinic.rules.rule_table import TABLE, Combination
from clinic.rules.verdicts import Urgency, Verdict
from clinic.rules.words import day_words, join_words

ISSUER_WORDS = {
    "physician": N_("a doctor"),
    "specialist": N_("a specialist"),
    "nurse_practitioner": N_("a nurse practitioner"),
    "midwife": N_("a midwife"),
    "physiotherapist": N_("a physiotherapist"),
}
CARE_FIRST = N_("Please get medical care first. Afterwards tell us what was found, and we look at it again.")

LETTER = N_("It can be possible with a letter from %(who)s that names this and the treatment.")
WAIT = N_("From %(day)s on more may be possible: we look at it again then.")
WITH_DETAILS = N_("We do not know all about it yet. If you can tell us more, more may be possible.")
LASTS = N_(
    "As long as this is so, we do not do it, to keep you safe. A doctor’s letter would not change that."
)
OTHER_PLACE = N_("Choose another part of the body, or change this mark in your health answers.")

HOUSE_WORDS = {
    Verdict.CAUTION: N_("Our clinic asks for extra care here."),
    Verdict.CLEARANCE: N_("Our clinic asks for a letter first."),
    Verdict.BLOCK: N_("Our clinic asks you to choose something else in this case."),
}


AT_THE_AREA = N_("At or near the requested area.")
ELSEWHERE = N_("Not in the requested area: avoid it.")
HOLDS = N_("In this case:")
HELD = N_("Holds:")
"""How notes began that were kept before."""
NO_DETAILS = N_("Details are missing: the strict default holds.")


@dataclass(frozen=True)
class Finding:
    """What one rule says about one column (a service or an add-on), clearances counted.

    ``reason`` and ``what_would_change`` are written for the client, ``staff_note`` for people who may read
    answers. ``until`` is the first day on which this finding would be weaker, where a window decides.
    ``sure`` is False when a detail is missing and the strict columns hold because of that. ``clearances`` made it
    weaker; the first of them is ``cleared_by``. ``changed`` is the clinic's own change of the shipped rule that made
    this verdict, if one did.
    """

    rule: str
    label: str
    column: str
    verdict: Verdict
    urgency: Urgency
    reason: str
    staff_note: str
    source: str
    until: dt.date | None
    who_may_clear: tuple[str, ...]
    sure: bool
    cleared_by: Clearance | None = None
    clearances: tuple[Clearance, ...] = ()
    changed: RuleChange | None = None

    @property
    def what_would_change(self) -> str:
        """What the client can do about it, in one or two sentences; empty when nothing is asked of them."""
        if self.urgency is not Urgency.NONE:
            return _(CARE_FIRST)
        wait = wait_words(self.until) if self.until else ""
        if self.verdict is Verdict.CAUTION:
            return ""
        if self.rule in MARKS:
            return _(OTHER_PLACE)
        letter = ""
        if self.verdict is Verdict.CLEARANCE and self.who_may_clear:
            letter = letter_words(self.who_may_clear)
        details = "" if self.sure else _(WITH_DETAILS)
        said = " ".join(part for part in (letter, wait, details) if part)
        return said or _(LASTS)


def letter_words(issuers: Iterable[str]) -> str:
    """Whose letter would change it."""
    return _(LETTER, who=join_words([_(ISSUER_WORDS[issuer]) for issuer in issuers], N_("or")))


def wait_words(until: dt.date) -> str:
    """From when on it is judged anew."""
    return _(WAIT, day=day_words(until))


def change_words(change: RuleChange) -> str:
    """What staff read where the clinic's own change acts."""
    if not change.is_laxer:
        return _(
            "House rule since %(day)s, stricter than shipped: %(reason)s",
            day=day_words(change.since),
            reason=_ended(change.reason),
        )
    return _(
        "Less strict than shipped, on the word of %(who)s since %(day)s: %(reason)s",
        who=f"{change.clinician} ({_(ISSUER_WORDS[change.role])}, {change.register_number})",
        day=day_words(change.since),
        reason=_ended(change.reason),
    )


def _ended(sentence: str) -> str:
    return sentence if sentence.endswith((".", "!", "?")) else f"{sentence}."


def _for_client(reason: str, change: RuleChange | None) -> str:
    """The client's sentence; where the clinic asks for more than the shipped rule it says so itself."""
    if change is None or change.is_laxer:
        return reason
    return f"{reason} {HOUSE_WORDS[change.verdict]}"


def row_finding(
    condition: Condition,
    row: RowJudgement,
    column: str,
    verdict: Verdict,
    *,
    until: dt.date | None,
    clearances: tuple[Clearance, ...],
    changed: RuleChange | None = None,
) -> Finding:
    """The finding of a row of the table."""
    notes = [f"{condition.label}: {condition.reason}"]
    if row.variant is not None and row.variant.note:
        notes.append(f"{HOLDS} {row.variant.note}.")
    if condition.is_local_somewhere:
        notes.append(AT_THE_AREA if row.on_site else ELSEWHERE)
    if not row.sure:
        notes.append(NO_DETAILS)
    if changed is not None:
        notes.append(change_words(changed))
    return Finding(
        rule=condition.key,
        label=condition.label,
        column=column,
        verdict=verdict,
        urgency=row.urgency,
        reason=_for_client(condition.plain_reason, changed),
        staff_note=" ".join(notes),
        source="; ".join(condition.sources),
        until=until,
        who_may_clear=condition.who_may_clear,
        sure=row.sure,
        cleared_by=clearances[0] if clearances else None,
        clearances=clearances,
        changed=changed,
    )


def combination_finding(
    rule: Combination,
    column: str,
    verdict: Verdict,
    *,
    until: dt.date | None,
    clearances: tuple[Clearance, ...],
    changed: RuleChange | None = None,
) -> Finding:
    """The finding of a combination; who may clear it is whoever may clear everything it wants named."""
    issuers = [set(TABLE.clearable(key).who_may_clear) for key in rule.must_name]
    may = set.intersection(*issuers) if issuers else set()
    notes = [f"{rule.key}, {rule.label}: {rule.reason}", *([change_words(changed)] if changed else [])]
    return Finding(
        rule=rule.key,
        label=rule.label,
        column=column,
        verdict=verdict,
        urgency=rule.red_flag,
        reason=_for_client(rule.plain_reason, changed),
        staff_note=" ".join(notes),
        source="; ".join(rule.sources),
        until=until,
        who_may_clear=tuple(issuer for issuer in ISSUER_WORDS if issuer in may),
        sure=True,
        cleared_by=clearances[0] if clearances else None,
        clearances=clearances,
        changed=changed,
    )
