"""Writes docs/clinical-rules.md: the clinic's clinical rules on paper, row by row, made from the rule files.

Run it after every change of the rule files; a test compares the page with them:
``python -m scripts.clinical_rules_doc``.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from pathlib import Path

from clinic.rules.change_words import in_words
from clinic.rules.conditions import Condition, Field, Variant
from clinic.rules.house_rules import HOUSE_RULES, HouseRule
from clinic.rules.rule_table import TABLE, Combination, Source
from clinic.rules.table_entries import Verdicts
from clinic.rules.verdicts import Urgency, Verdict

PAGE = Path(__file__).parents[1] / "docs" / "clinical-rules.md"
COLUMN_LETTERS = "T V M S D P R H A"
SIGNS = {Verdict.CLEAR: "–", Verdict.CAUTION: "!", Verdict.CLEARANCE: "D", Verdict.BLOCK: "X"}
FIELD_WORDS = {"yes_no": "yes or no", "area": "body areas", "choice": "one of"}

INTRODUCTION = f"""\
# Clinical rules

Made from the rule files by `python -m scripts.clinical_rules_doc`; do not edit by hand.
Rules version `{TABLE.version}`.

**Not signed off yet.** The table was compiled from published sources, not by a clinician. A physician and a
licensed massage therapist must sign it off, row by row, before real people are booked with it. Windows without a
published source are house policy.

## How to read it

| sign | verdict | meaning |
|---|---|---|
| – | clear | nothing to do |
| ! | caution | may be booked; the therapist is told |
| D | clearance | held until a clinician's clearance for this condition and this service is on file; with it: caution |
| X | block | may not be booked while it is true; no letter lifts it |

Columns: T traction, V vacuum, M vacuum with magnets, S Swedish, D deep tissue, P sports, R relaxation, H hot stone,
A aromatherapy. The strongest verdict of all rules holds.

- The variants of a row are read from top to bottom; the first that is true holds. `days` counts from the date given
  to the day of the visit, day 0 is the day itself; weeks of pregnancy are carried forward to the visit.
- When a detail that is needed is missing, or the client is not sure, the row's default holds. In the rows marked
  "not sure: strictest variant" all variants count then.
- A line "elsewhere" holds when the place is known and lies outside the requested area, or can be skipped in a
  whole-body session. An unknown or widespread place counts as overlapping.
- The interval chamber uses column V, raised where the row says so, and counts as every area below the ribs.
- Urgent rules stop the booking and show the message of their level first.
- A clearance counts from its day of issue for the days named, or to its own end date; it ends when the answer
  changes, with a newer event, with a new operation, clot, fracture, pregnancy, cancer treatment, related medicine,
  bad reaction or red flag, and when it is withdrawn.
- A full intake holds a year, for minors half a year. An operation, a clot, a fracture, a stroke, trouble with the
  heart, a pregnancy, a birth, cancer or a bad reaction that comes after it asks for a new one at once; where no date
  is given, the day on which the answer was changed counts.
"""


def document() -> str:
    """The whole page as Markdown."""
    parts = [INTRODUCTION, "## Conditions\n"]
    for category in dict.fromkeys(one.category for one in TABLE.conditions.values()):
        parts.append(f"### {category.capitalize()}\n")
        parts += [condition_part(one) for one in TABLE.conditions.values() if one.category == category]
    parts += ["## Marks on the body chart\n", MARKS_INTRODUCTION]
    parts += [condition_part(one) for one in TABLE.marks.values()]
    parts += ["## Combinations\n", COMBINATIONS_INTRODUCTION]
    parts += [combination_part(rule) for rule in TABLE.combinations]
    parts += ["## House rules\n", HOUSE_RULES_INTRODUCTION, house_rules_part(HOUSE_RULES.values())]
    parts += ["## Sources\n", sources_part(TABLE.sources.values())]
    return "\n".join(parts)


MARKS_INTRODUCTION = """\
What a person marks on the drawing of the body, or in the list beside it. A mark makes nothing less strict, needs no
letter, is no part of any combination, and may come and go. The therapist is told of a sore place, also in a whole-body
session. A place that somebody does not want to be touched is left out of every treatment; the first line holds where
nothing else is left of what was asked for, and for what lies below the ribs in the interval chamber, which encloses it.
"""

COMBINATIONS_INTRODUCTION = """\
Each raises every column to at least these verdicts. A condition's name alone means "declared, whatever the details";
a detail that is missing makes its comparison true. Where the minimum is D, valid clearances have to name every
condition listed that the client has.
"""

HOUSE_RULES_INTRODUCTION = """\
A clinic may switch these on; each is off at first and only ever makes rules stricter. An owner may also make any rule
stricter. Less strict than this page a rule becomes only on the word of a named clinician who may clear the condition,
by one step (X to D, D to !), never for combinations, urgent rules, what is about the day itself, a doctor's "no" or
what nobody may clear, and not where a detail is missing. Staff see it, with the name, wherever it acts.
"""


def house_rules_part(rules: Iterable[HouseRule]) -> str:
    """Each house rule with the minimums that it sets."""
    lines = []
    for one in rules:
        lines += [f"- **{one.title}** (`{one.key}`). {one.why}"]
        for change in one.changes(dt.date.min):
            lines += [f"  - `{change.rule}`: {in_words(change)}"]
    return "\n".join([*lines, ""])


def condition_part(one: Condition) -> str:
    """One row of the table with its question, details, verdicts, clearance and sources."""
    lines = [
        f"#### {one.label} (`{one.key}`)\n",
        f"“{one.question}”" + (f" {one.examples}." if one.examples else ""),
    ]
    asked = "; ".join(field_words(field) for field in one.fields)
    lines += [f"\n*Details asked:* {asked}." if asked else "\n*No details are asked.*", ""]
    lines += [f"| when | {' | '.join(COLUMN_LETTERS.split())} | urgent |", "|---|" + "---|" * 10]
    for variant in one.variants:
        note = f" ({variant.note})" if variant.note else ""
        lines += verdict_lines(f"`{variant.when.text}`{note}", variant)
    lines += verdict_lines("default", one)
    lines += ["", *(f"- {fact}" for fact in facts(one)), ""]
    return "\n".join(lines)


def field_words(field: Field) -> str:
    """One detail in words, with its choices."""
    kind = FIELD_WORDS.get(field.type, field.type)
    choices = f" {', '.join(f'`{key}`' for key in field.choice_keys)}" if field.choices else ""
    return f"`{field.name}` ({kind}{choices})"


def verdict_lines(when: str, part: Condition | Variant) -> list[str]:
    """One line of verdicts, and a second one for elsewhere when the rule is local."""
    urgent = part.red_flag.word if part.red_flag is not Urgency.NONE else ""
    lines = [f"| {cell(when)} | {signs(part.on_site)} | {urgent} |"]
    if part.off_site is not None:
        lines.append(f"| … elsewhere | {signs(part.off_site)} | {urgent} |")
    return lines


def signs(verdicts: Verdicts) -> str:
    """Nine verdicts as nine cells."""
    return " | ".join(SIGNS[verdict] for verdict in verdicts)


def cell(text: str) -> str:
    """A text that does not break a table."""
    return text.replace("|", "\\|")


def facts(one: Condition) -> list[str]:
    """What else the row says, one fact a line."""
    asked = " and ".join({"intake": "at the intake", "checkin": "on the day"}[when] for when in one.ask_when)
    clears = f"{', '.join(one.who_may_clear)}; holds {one.clearance_days} days".replace("_", " ")
    raised = one.interval_vacuum_raise
    said = [
        f"Why: {one.reason}",
        f"To the client: {one.plain_reason}",
        f"Asked {asked}; {one.scope}.",
        f"May clear: {clears}." if one.who_may_clear else "May clear: nobody.",
        f"Window: {one.time_window}." if one.time_window else "",
        f"Interval chamber: at least {raised.word}." if raised else "",
        "Not sure: strictest variant." if one.not_sure_is_strictest else "",
        f"Place when not said: {', '.join(one.default_site)}." if one.default_site else "",
        f"Where sources disagree: {one.sources_disagree}" if one.sources_disagree else "",
        f"Founding texts: {one.seed_reference}." if one.seed_reference else "",
        f"Sources: {', '.join(one.sources)} ({'; '.join(one.source_basis)}).",
    ]
    return [fact for fact in said if fact]


def combination_part(rule: Combination) -> str:
    """One combination with its condition, minimum and sources."""
    urgent = rule.red_flag.word if rule.red_flag is not Urgency.NONE else ""
    lines = [
        f"#### {rule.key}: {rule.label}\n",
        f"`{rule.when.text}`\n",
        f"| | {' | '.join(COLUMN_LETTERS.split())} | urgent |",
        "|---|" + "---|" * 10,
        f"| at least | {signs(rule.minimum)} | {urgent} |\n",
        f"- Why: {rule.reason}",
        f"- To the client: {rule.plain_reason}",
    ]
    if rule.must_name:
        lines.append(f"- Clearances must name: {', '.join(f'`{key}`' for key in rule.must_name)}.")
    return "\n".join([*lines, f"- Sources: {', '.join(rule.sources)}.", ""])


def sources_part(sources: Iterable[Source]) -> str:
    """The register of sources."""
    lines = [
        "R read by the compilers; R2 read in a second-hand copy, trade or lay page; K general knowledge, not opened.",
        "",
        "| id | basis | what | address |",
        "|---|---|---|---|",
    ]
    lines += [f"| {one.key} | {one.basis} | {cell(one.title)} | {cell(one.address)} |" for one in sources]
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    PAGE.write_text(document(), encoding="utf-8")
    print(f"wrote {PAGE.name}: {len(TABLE.conditions)} conditions, {len(TABLE.combinations)} combinations")
