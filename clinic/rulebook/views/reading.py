"""Every rule with its source and its history, and every version of the rules."""

from __future__ import annotations

from flask import abort, render_template

from clinic.rulebook import queries
from clinic.rulebook.views.blueprint import pages
from clinic.rules.change_words import SAID, in_words, issuers_in_words, label_of_rule
from clinic.rules.changed_table import acts, why_never_laxer
from clinic.rules.conditions import Condition
from clinic.rules.findings import change_words
from clinic.rules.language import ENGLISH, N_
from clinic.rules.letter_scope import COLUMN_WORDS
from clinic.rules.permissions import Permission
from clinic.rules.proposals import mark_of
from clinic.rules.rule_change import RuleChange
from clinic.rules.rule_table import TABLE
from clinic.rules.verdicts import COLUMNS
from clinic.shared.languages import LANGUAGES, awaits_review, health_texts, health_wording, speaking
from clinic.shared.web import Answer, found

NEED = Permission.RULES_ANY_READ
MARKED = N_("The place that is marked; the whole body where it is not known or in many places.")
PLACE_WORDS = {
    "whole body": N_("Whole body"),
    "a variant with an off-site code is local; one without is whole body": N_(
        "It depends on the answer: the place where “Elsewhere” is in the table, otherwise the whole body."
    ),
    "on-site columns apply when the place overlaps the requested area, is unknown, or is widespread; otherwise"
    " off_site_code": MARKED,
    "on-site columns apply when the place overlaps the requested area, is unknown, or is widespread; otherwise"
    " off_site_code; place defaults to abdomen": N_(
        "The place that is marked, the belly where none is; the whole body where it is in many places."
    ),
}
"""Where a rule holds, in the words of the table of rules and in those of an owner."""
WORDS = {
    "in_words": in_words, "label_of": label_of_rule, "code_of": queries.code_of, "mark_of": mark_of,
    "change_words": change_words, "names": COLUMN_WORDS, "said": SAID, "columns": COLUMNS,
    "issuers_in_words": issuers_in_words, "places": PLACE_WORDS,
}  # fmt: skip
"""What the templates of the rules put into words."""


@pages.get("/owner/rules", needs=NEED)
def rules() -> Answer:
    """Every rule, in the order of the questions; those that the clinic has changed are marked."""
    groups = [
        (page.title, page.key, [one for one in TABLE.conditions.values() if one.page == page.key])
        for page in TABLE.pages
    ]
    groups = [group for group in groups if group[2]]  # the body chart's page asks about no condition
    number = queries.newest_number()
    changes = queries.changes_of(number) or ()
    return render_template(
        "rulebook/rules.html", groups=groups, combinations=TABLE.combinations, table=queries.in_force(),
        marks=_marks(changes), number=number, **WORDS,
    )  # fmt: skip


def _marks(changes: tuple[RuleChange, ...]) -> dict[str, set[str]]:
    """For each changed rule: stricter, laxer, or idle for what does not act on the table of today."""
    found: dict[str, set[str]] = {}
    for one in changes:
        kind = ("laxer" if one.is_laxer else "stricter") if acts(TABLE, one) else "idle"
        found.setdefault(one.rule, set()).add(kind)
    return found


@pages.get("/owner/rules/<rule_code>", needs=NEED)
def rule(rule_code: str) -> Answer:
    """One rule: what is asked, what it means for each treatment, where it comes from, what the clinic changed."""
    one = found(queries.rule_of(rule_code))
    changes = queries.changes_of(queries.newest_number()) or ()
    mine = [(change, acts(TABLE, change)) for change in changes if change.rule == one.key]
    return render_template(
        "rulebook/rule.html", rule=one, is_condition=isinstance(one, Condition), mine=mine, sources=TABLE.sources,
        steps=queries.history(one.key), never_laxer=why_never_laxer(one), **WORDS,
    )  # fmt: skip


@pages.get("/owner/rules/versions", needs=NEED)
def versions() -> Answer:
    """Every version: who, when, what and why."""
    return render_template(
        "rulebook/versions.html",
        steps=queries.history(),
        shipped=TABLE.version,
        table=queries.in_force(),
        **WORDS,
    )


@pages.get("/owner/rules/translations/<language>", needs=Permission.RULES_ANY_READ)
def translations(language: str) -> Answer:
    """Every health text beside its translation, for whoever reviews it."""
    if language not in LANGUAGES or language == ENGLISH:
        abort(404)
    with speaking(language):
        waits = awaits_review()
    return render_template(
        "rulebook/translations.html", language=language, name=LANGUAGES[language], waits=waits,
        texts=health_texts(language), wording=health_wording(language),
    )  # fmt: skip
