"""What holds for every client, whatever they declare: tried on invented ones."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clinic.rules.body_areas import AREAS, SINGLE_AREAS
from clinic.rules.clearances import Clearance
from clinic.rules.conditions import ISSUERS, Condition, Field
from clinic.rules.rule_table import TABLE
from clinic.rules.screening import Screening, Treatment, screen
from clinic.rules.sheet import Sheet, strongest
from clinic.rules.verdicts import ADDONS, COLUMNS, SERVICES, Outcome, Verdict
from tests.rules.gate_cases import DAY, ago

EDGES = sorted(
    {near for turn in (0, 3, 14, 21, 28, 42, 84, 90, 180, 365) for near in (turn - 1, turn, turn + 1)}
)
DAYS_AGO = st.sampled_from(EDGES) | st.integers(0, 900)
NUMBERS = {
    "systolic": [120, 159, 160, 179, 180],
    "diastolic": [80, 99, 100, 119, 120],
    "weeks": [5, 12, 13, 14, 20, 40, 41, 42],
    "fever_free_hours": [0, 23, 24],
    "symptom_free_hours": [0, 23, 24, 47, 48],
}
# No deadline: a busy machine is no finding.
some, few = (settings(max_examples=count, deadline=None) for count in (40, 8))
areas = st.lists(st.sampled_from(list(AREAS)), max_size=3, unique=True)
requests = st.lists(st.sampled_from(list(AREAS)), min_size=1, max_size=3, unique=True)
ages = st.sampled_from([11, 12, 17, 18, 40, 64, 65, 74, 75])
services = st.sampled_from(SERVICES)


def details(field: Field) -> st.SearchStrategy[Any]:
    match field.type:
        case "yes_no":
            return st.booleans()
        case "choice":
            return st.sampled_from(field.choice_keys)
        case "date":
            return DAYS_AGO.map(ago)
        case "number":
            return st.sampled_from(NUMBERS.get(field.name, [1, 8]))
        case "area":
            return areas
    return st.just("some words")


def answer(condition: Condition) -> st.SearchStrategy[dict[str, Any]]:
    given_details = st.fixed_dictionaries({}, optional={one.name: details(one) for one in condition.fields})
    return given_details.map(lambda values: {"present": True, **values})


def full_answer(condition: Condition) -> st.SearchStrategy[dict[str, Any]]:
    given_details = st.fixed_dictionaries({one.name: details(one) for one in condition.fields})
    return given_details.map(lambda values: {"present": True, **values})


one_answer = st.sampled_from(list(TABLE.conditions.values())).flatmap(
    lambda condition: st.tuples(st.just(condition.key), answer(condition) | full_answer(condition))
)
many_answers = st.lists(one_answer, max_size=5).map(dict)
letters = st.builds(
    Clearance,
    condition=st.sampled_from([*TABLE.conditions, "age_under_18"]),
    services=st.frozensets(st.sampled_from(COLUMNS)),
    issued_on=st.sampled_from(EDGES).map(lambda days: DAY - dt.timedelta(days=days)),
    issued_by=st.sampled_from(ISSUERS),
)


def columns_of(
    answers: dict[str, Any],
    requested: list[str],
    *,
    age: int = 40,
    clearances: list[Clearance] | None = None,
    day: dt.date = DAY,
) -> list[Verdict]:
    treatment = Treatment(("swedish",), areas=tuple(requested))
    sheet = Sheet.of(treatment, answers, day=day, age=age, clearances=clearances or ())
    return [strongest(sheet.findings((column,))) for column in COLUMNS]


def judged(answers: dict[str, Any], service: str, requested: list[str], *, age: int = 40, mode: str | None = None,
           clearances: list[Clearance] | None = None) -> Screening:  # fmt: skip
    treatment = Treatment((service,), mode, ADDONS, tuple(requested))
    return screen(treatment, answers, day=DAY, age=age, intake_completed_on=DAY, clearances=clearances or ())


def at_least(stricter: list[Verdict], laxer: list[Verdict]) -> bool:
    return all(one >= other for one, other in zip(stricter, laxer, strict=True))


@given(service=services, age=st.integers(18, 74), requested=requests, addons=st.sampled_from([(), ADDONS]))
@some
def test_healthy_adults_are_allowed_everything(
    service: str, age: int, requested: list[str], addons: tuple[str, ...]
) -> None:
    nothing = {key: {"present": False} for key in TABLE.conditions}
    treatment = Treatment((service,), None, addons, tuple(requested))
    found = screen(treatment, nothing, day=DAY, age=age, intake_completed_on=DAY)
    assert (found.outcome, found.findings) == (Outcome.ALLOW, ())
    assert set(found.addon_verdicts.values()) <= {Verdict.CLEAR}


@given(answers=many_answers, more=one_answer, requested=requests, age=ages)
@some
def test_one_more_declared_condition_never_makes_anything_better(
    answers: dict[str, Any], more: tuple[str, dict[str, Any]], requested: list[str], age: int
) -> None:
    key, added = more
    before = {one: value for one, value in answers.items() if one != key}
    after = {**before, key: added}
    assert at_least(columns_of(after, requested, age=age), columns_of(before, requested, age=age))
    assert judged(after, "swedish", requested).urgency >= judged(before, "swedish", requested).urgency


@given(answers=many_answers, letter=letters, service=services, requested=requests)
@some
def test_declaring_more_never_helps_even_with_clearances_on_file(
    answers: dict[str, Any], letter: Clearance, service: str, requested: list[str]
) -> None:
    with_all = judged(answers, service, requested, clearances=[letter])
    for key in answers:
        fewer = {one: value for one, value in answers.items() if one != key}
        assert judged(fewer, service, requested, clearances=[letter]).verdict <= with_all.verdict


@given(answers=many_answers, letters=st.lists(letters, max_size=4), requested=requests, age=ages)
@some
def test_clearance_turns_clearance_into_caution_and_nothing_else(
    answers: dict[str, Any], letters: list[Clearance], requested: list[str], age: int
) -> None:
    without = columns_of(answers, requested, age=age)
    with_letters = columns_of(answers, requested, age=age, clearances=letters)
    for before, after in zip(without, with_letters, strict=True):
        assert after is before or (before, after) == (Verdict.CLEARANCE, Verdict.CAUTION)


@given(answers=many_answers, site=st.sampled_from(sorted(SINGLE_AREAS)), age=ages)
@some
def test_elsewhere_is_never_judged_stricter_than_at_the_place(
    answers: dict[str, Any], site: str, age: int
) -> None:
    placed = {
        key: {**value, "site": [site]} if "site" in TABLE.conditions[key].fields_by_name else value
        for key, value in answers.items()
    }
    at_the_place = columns_of(placed, [site], age=age)
    for requested in (["full_body"], ["neck"] if site != "neck" else ["feet"]):
        assert at_least(at_the_place, columns_of(placed, requested, age=age))
    unknown = {key: {**value, "site": []} if "site" in value else value for key, value in placed.items()}
    if "hernia" not in answers:
        assert at_least(columns_of(unknown, ["neck"], age=age), columns_of(placed, ["neck"], age=age))


@given(answers=many_answers, requested=requests, more=requests, age=ages)
@some
def test_asking_for_more_areas_never_makes_anything_better(
    answers: dict[str, Any], requested: list[str], more: list[str], age: int
) -> None:
    both = list(dict.fromkeys([*requested, *more]))
    assert at_least(columns_of(answers, both, age=age), columns_of(answers, requested, age=age))


@given(answers=many_answers, requested=requests, age=ages, letters=st.lists(letters, max_size=3))
@some
def test_chamber_is_never_judged_laxer_than_cups(
    answers: dict[str, Any], requested: list[str], age: int, letters: list[Clearance]
) -> None:
    cups = judged(answers, "decompression_vacuum", requested, age=age, clearances=letters)
    chamber = judged(answers, "decompression_vacuum", requested, age=age, mode="interval", clearances=letters)
    assert chamber.verdict >= cups.verdict
    assert chamber.outcome >= cups.outcome


@given(answers=many_answers, requested=requests, age=ages)
@some
def test_columns_keep_their_order(answers: dict[str, Any], requested: list[str], age: int) -> None:
    verdict = dict(zip(COLUMNS, columns_of(answers, requested, age=age), strict=True))
    assert verdict["decompression_vacuum_magnetic"] >= verdict["decompression_vacuum"]
    assert verdict["deep_tissue"] >= verdict["sports"] >= verdict["swedish"] >= verdict["relaxation"]


@given(
    answers=many_answers,
    order=st.randoms(),
    requested=requests,
    age=ages,
    letters=st.lists(letters, max_size=3),
)
@some
def test_order_of_answers_and_clearances_changes_nothing(
    answers: dict[str, Any], order: Any, requested: list[str], age: int, letters: list[Clearance]
) -> None:
    keys, shuffled = list(answers), list(letters)
    order.shuffle(keys)
    order.shuffle(shuffled)
    first = judged(answers, "swedish", requested, age=age, clearances=letters)
    second = judged({key: answers[key] for key in keys}, "swedish", requested, age=age, clearances=shuffled)
    assert (first.verdict, first.urgency, first.outcome) == (second.verdict, second.urgency, second.outcome)
    assert first.addon_verdicts == second.addon_verdicts


@pytest.mark.parametrize("condition", TABLE.conditions.values(), ids=lambda condition: condition.key)
@given(data=st.data())
@few
def test_missing_details_are_never_judged_laxer_than_the_default(
    condition: Condition, data: st.DataObject
) -> None:
    """Lose one detail of a full answer: the default holds at least, or the detail could only have made it laxer."""
    full = data.draw(full_answer(condition))
    requested = data.draw(requests)
    default = columns_of({condition.key: {"present": True}}, requested)
    site = {"site": full["site"]} if "site" in full else {}
    extent = {"extent": full["extent"]} if "extent" in full else {}
    placed_default = columns_of({condition.key: {"present": True, **site, **extent}}, requested)
    for name in full.keys() - {"present"}:
        without = {key: value for key, value in full.items() if key != name}
        judgement = columns_of({condition.key: without}, requested)
        row = Sheet.of(
            Treatment(("swedish",), areas=tuple(requested)), {condition.key: without}, day=DAY, age=40
        )
        if not row.rows[condition.key].sure:
            floor = (
                placed_default if not condition.not_sure_is_strictest else condition_default(condition, row)
            )
            assert at_least(judgement, floor)
        elif not condition.default_site and name != "caesarean":  # which speaks about the row on operations
            assert at_least(judgement, columns_of({condition.key: full}, requested))
    assert at_least(default, condition_default(condition, None))


def condition_default(condition: Condition, sheet: Sheet | None) -> list[Verdict]:
    """The named columns of the row: at the place, or elsewhere when the sheet says so."""
    on_site = sheet.rows[condition.key].on_site if sheet is not None else not condition.default_site
    return list(condition.on_site if on_site or condition.off_site is None else condition.off_site)


WINDOWED = [one for one in TABLE.conditions.values() if any(name == "days" for name, _ in one.turns)]


@pytest.mark.parametrize("condition", WINDOWED, ids=lambda condition: condition.key)
@given(data=st.data())
@few
def test_a_later_visit_is_never_judged_stricter_by_a_window(
    condition: Condition, data: st.DataObject
) -> None:
    full = data.draw(full_answer(condition))
    requested = data.draw(requests)
    answers = {condition.key: full}
    earlier = columns_of(answers, requested)
    for later in data.draw(st.lists(st.integers(1, 700), min_size=1, max_size=4)):
        assert at_least(earlier, columns_of(answers, requested, day=DAY + dt.timedelta(days=later)))


@given(answers=many_answers, service=services, requested=requests, age=ages)
@some
def test_until_is_a_day_on_which_the_finding_is_weaker_and_not_the_day_before(
    answers: dict[str, Any], service: str, requested: list[str], age: int
) -> None:
    treatment = Treatment((service,), areas=tuple(requested))

    def verdict_of(rule: str, day: dt.date) -> Verdict:
        sheet = Sheet.of(treatment, answers, day=day, age=age)
        return strongest(one for one in sheet.findings((service,)) if one.rule == rule)

    for finding in judged(answers, service, requested, age=age).main_findings:
        if finding.until is not None:
            assert finding.until > DAY
            assert verdict_of(finding.rule, finding.until) < finding.verdict
            assert verdict_of(finding.rule, finding.until - dt.timedelta(days=1)) >= finding.verdict


@given(answers=many_answers, service=services, requested=requests, age=ages)
@some
def test_verdict_urgency_and_outcome_agree_with_the_findings(
    answers: dict[str, Any], service: str, requested: list[str], age: int
) -> None:
    found = judged(answers, service, requested, age=age)
    assert found.verdict is strongest(found.main_findings)
    if found.is_urgent:
        assert (found.verdict, found.outcome) == (Verdict.BLOCK, Outcome.REFUSE_URGENT)
    assert found.permits is (found.outcome <= Outcome.ALLOW_FLAG_THERAPIST)
    if found.permits:
        assert found.verdict <= Verdict.CAUTION
        assert not found.is_urgent
