"""What one row, and every combination, says about the nine columns on one day.

Missing details. A variant counts as decided only when every detail that its condition *needs* is there: with
three-valued logic, ``days >= 365 and hardware == False`` is false on day 100 whether or not the hardware is
known. As soon as a variant before the first true one cannot be decided, the row's default columns hold, as the
table says ("if one is missing all the same, the nine named columns apply"), and if a later variant is true and
stricter somewhere, that too. So a missing detail never gives a laxer verdict than the default, and a detail
that changes nothing (a name of a medicine, the hardware on day 100) never makes one stricter.

Angina with no date takes the default too, because the first 90 days cannot be ruled out. One variant speaks
about a missing detail itself ("over a year, hardware or not known") and says so with ``holds_without``. In the
four rows marked ``not_sure = "strictest_variant"`` all variants count when the deciding detail is missing.

A date after the day of the visit is counted as it is (a negative number of days, the strictest window) and as
missing, whichever is stricter.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from clinic.rules.answers import Facts
from clinic.rules.body_areas import is_on_site, is_touched, leaves_nothing
from clinic.rules.conditions import COUNTED, Condition, Variant
from clinic.rules.expressions import ABSENT
from clinic.rules.rule_table import Combination
from clinic.rules.table_entries import Verdicts
from clinic.rules.verdicts import Urgency

_OVERLAPS = {"condition": is_on_site, "keep_off": leaves_nothing, "sore": is_touched}
"""What makes the on-site columns hold, by what is at the place."""


@dataclass(frozen=True)
class RowJudgement:
    """The nine verdicts of a row for the requested areas, before interval raise and clearances.

    ``sure`` is False when the default holds because something is not known; ``on_site`` says whether the place
    was judged as overlapping (True for rules about the whole body).
    """

    verdicts: Verdicts
    urgency: Urgency
    variant: Variant | None
    sure: bool
    on_site: bool


def judge_row(condition: Condition, facts: Facts, requested: Iterable[str]) -> RowJudgement:
    """Judge one declared row; ``requested`` are the area keys of the visit, the chamber's included."""
    on_site = not condition.is_local_somewhere or _is_on_site(condition, facts.values, requested)
    row = _judged(condition, facts.values, on_site)
    if not facts.ahead:
        return row
    uncounted = {name: value for name, value in facts.values.items() if name not in COUNTED}
    other = _judged(condition, uncounted, on_site)
    return RowJudgement(
        verdicts=strictest([row.verdicts, other.verdicts]),
        urgency=max(row.urgency, other.urgency),
        variant=row.variant,
        sure=row.sure and other.sure,
        on_site=on_site,
    )


def _judged(condition: Condition, values: Mapping[str, object], on_site: bool) -> RowJudgement:
    variant, missing = _first_true(condition, values)
    holding: Condition | Variant = variant or condition
    if not missing:
        code = _at_place(holding, on_site)
        return RowJudgement(code, holding.red_flag, variant, sure=True, on_site=on_site)
    counted = [condition, holding, *(condition.variants if condition.not_sure_is_strictest else ())]
    return RowJudgement(
        verdicts=strictest([_at_place(part, on_site) for part in counted]),
        urgency=max(part.red_flag for part in counted),
        variant=variant,
        sure=False,
        on_site=on_site,
    )


def strictest(codes: Iterable[Verdicts]) -> Verdicts:
    """Column by column the strongest of several codes."""
    return tuple(map(max, zip(*codes, strict=True)))


def undecided_fields(condition: Condition, facts: Facts) -> frozenset[str]:
    """The missing details without which the row cannot be decided: the form has to ask for them.

    In a local row the place counts as one of them, and where the row asks for it the extent too.
    """
    _, missing = _first_true(condition, facts.values)
    needed = {"date" if name == "days" else name for name in missing}
    if condition.is_local_somewhere and not _site(condition, facts.values):
        needed.add("site")
    if "extent" in condition.fields_by_name and facts.values.get("extent") is None:
        needed.add("extent")
    return frozenset(needed)


def holds(rule: Combination, facts: Mapping[str, Facts], age: int | None) -> bool:
    """Whether a combination holds for these declared conditions at this age on the day of ``facts``.

    A detail that is missing makes its comparison true; so does an age that is not known.
    """
    if rule.conditions and rule.conditions.isdisjoint(facts):
        return False

    def read(name: str) -> object:
        if name == "age":
            return age
        key, dot, detail = name.partition(".")
        one = facts.get(key)
        if not dot:
            return one is not None
        return ABSENT if one is None else one.values.get(detail)

    return rule.when.test(read) is not False


def _first_true(condition: Condition, values: Mapping[str, object]) -> tuple[Variant | None, frozenset[str]]:
    """The first true variant, and the missing details that keep an earlier one from being surely false.

    Without such details the variant (or, without a variant, the default) is sure to be the right one.
    """
    missing: set[str] = set()
    for variant in condition.variants:
        truth = variant.when.test(values.get)
        if truth is True:
            return variant, frozenset(missing - variant.holds_without)
        if truth is None:
            missing |= {name for name in variant.when.names if values.get(name) is None}
    return None, frozenset(missing)


def _at_place(part: Condition | Variant, on_site: bool) -> Verdicts:
    return part.on_site if on_site or part.off_site is None else part.off_site


def _site(condition: Condition, values: Mapping[str, object]) -> tuple[str, ...]:
    site = values.get("site")
    return tuple(site) if isinstance(site, tuple) and site else condition.default_site


def _is_on_site(condition: Condition, values: Mapping[str, object], requested: Iterable[str]) -> bool:
    """On site: the place overlaps, is unknown, or is widespread or of unknown extent where that is asked."""
    if "extent" in condition.fields_by_name and values.get("extent") != "small":
        return True
    return _OVERLAPS[condition.place](_site(condition, values), requested)
