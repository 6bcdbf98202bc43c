"""Where on the body a therapist keeps away from, and where they take care, in one visit.

A place counts when the treatment would call for care there if it were asked for there: so a sore arm is named in a
visit for the back too, where the gate itself has nothing to say about it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, replace

from clinic.rules.answers import Answers, Declared
from clinic.rules.body_areas import AREAS
from clinic.rules.language import _
from clinic.rules.rule_table import TABLE, RuleTable
from clinic.rules.sheet import Sheet, Treatment
from clinic.rules.verdicts import Verdict
from clinic.rules.words import in_sentence, join_words


@dataclass(frozen=True)
class Place:
    """One condition's place. `areas` are body-area keys, none when the place is not known; with `avoid` it is
    not touched, else it lies in what was asked for and may be treated with care."""

    rule: str
    label: str
    areas: tuple[str, ...]
    avoid: bool


def places_to_avoid(
    treatment: Treatment, answers: Answers, *, day: dt.date, age: int, table: RuleTable = TABLE
) -> tuple[Place, ...]:
    """The places of local conditions, those to keep away from first.

    Raises AnswerError for answers that cannot be read.
    """
    columns = (*treatment.judged_as, *treatment.addons)
    as_wished = Sheet.of(treatment, answers, day=day, age=age, table=table)
    if not any(one.condition.is_local_somewhere for one in as_wished.declared.values()):
        return ()
    here = {one.rule: one.verdict for one in as_wished.findings(columns)}
    # No area at all is judged as lying on the site: what would be said if it were asked for right there.
    on_site = Sheet.of(replace(treatment, areas=()), answers, day=day, age=age, table=table)
    found = []
    for finding in on_site.findings(columns):
        declared = on_site.declared.get(finding.rule)
        if declared is None or not declared.condition.is_local_somewhere:
            continue
        place = _site(declared)
        care_is_enough = as_wished.rows[finding.rule].on_site and here.get(finding.rule) is Verdict.CAUTION
        may_be_touched = bool(place) and (declared.condition.place == "sore" or care_is_enough)
        found.append(Place(finding.rule, finding.label, place, avoid=not may_be_touched))
    untouched = {area for one in found if one.avoid for area in one.areas}
    return tuple(sorted(_apart(found, untouched), key=lambda one: not one.avoid))


def _apart(found: list[Place], untouched: set[str]) -> Iterator[Place]:
    """Care is taken where something is touched at all: a place that is kept away from is not named twice."""
    for one in found:
        left = tuple(area for area in one.areas if area not in untouched)
        if one.avoid or not one.areas or left == one.areas:
            yield one
        elif left:
            yield replace(one, areas=left)


def _site(declared: Declared) -> tuple[str, ...]:
    site = declared.details.get("site")
    return tuple(site) if isinstance(site, tuple) and site else declared.condition.default_site


def areas_in_words(areas: tuple[str, ...] | list[str]) -> str:
    """`left knee and lower back`; empty for none."""
    return join_words([in_sentence(_(AREAS[area])) for area in areas if area in AREAS])
