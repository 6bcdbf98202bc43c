"""Reading a page that was filled in oddly: several mistakes at once, doubled boxes, everything ticked."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from clinic.rules.body_areas import AREAS
from clinic.rules.page_reading import CHOOSE, NO_NUMBER, PageResult, as_form, half_of_both, parse_page
from clinic.rules.question_pages import Page
from clinic.rules.question_set import question_version
from clinic.rules.rule_table import TABLE
from tests.rules.gate_cases import DAY, yes


def page(*keys: str) -> Page:
    return Page("health", "Health", "", False, tuple(TABLE.conditions[key] for key in keys))


def read(form: dict[str, list[str]], *keys: str) -> PageResult:
    return parse_page(page(*keys), form, today=DAY)


def test_version_of_the_questions_changes_with_any_word_of_them() -> None:
    one = TABLE.conditions["diabetes"]
    first, *others = one.fields
    versions = {
        question_version(asked)
        for asked in (
            [one],
            [replace(one, question="Sugar?")],
            [replace(one, examples="Any type")],
            [replace(one, ask_when=("checkin",))],
            [replace(one, fields=(replace(first, question="How is it?"), *others))],
            [replace(one, fields=(replace(first, choices=first.choices[:1]), *others))],
            [one, TABLE.conditions["epilepsy"]],
            [],
        )
    }
    assert len(versions) == 8
    assert all(re.fullmatch(r"q-[0-9a-f]{12}", version) for version in versions)
    assert question_version([replace(one, reason="Because.")]) == question_version([one])


def test_every_mistake_on_a_page_has_its_message() -> None:
    form = {
        "c.high_blood_pressure": ["yes"],
        "f.high_blood_pressure.systolic": ["high"],
        "f.high_blood_pressure.status": ["controlled"],
        "f.high_blood_pressure.diastolic": ["70"],
        "c.epilepsy": ["maybe"],
        "c.pregnancy": ["yes"],
        "f.pregnancy.status": ["confirmed"],
        "f.pregnancy.high_risk": ["no"],
        "f.pregnancy.complication": ["none"],
        "f.pregnancy.weeks": ["many"],
    }
    found = read(form, "high_blood_pressure", "epilepsy", "pregnancy")
    assert found.errors == {
        "f.high_blood_pressure.systolic": NO_NUMBER,
        "c.epilepsy": CHOOSE,
        "f.pregnancy.weeks": NO_NUMBER,
    }
    assert found.answers == {}


def test_of_a_doubled_answer_the_first_counts() -> None:
    assert read({"c.epilepsy": ["no", "yes"]}, "epilepsy").answers == {"epilepsy": {"present": False}}


def test_nothing_chosen_is_no_answer() -> None:
    forms: list[dict[str, list[str]]] = [{}, {"c.epilepsy": []}, {"c.epilepsy": [""]}]
    for form in forms:
        assert read(form, "epilepsy").errors == {"c.epilepsy": CHOOSE}


def test_every_area_of_the_body_may_be_ticked() -> None:
    found = read({"c.hernia": ["yes"], "f.hernia.site": list(AREAS)}, "hernia")
    assert found.errors == {}
    assert found.answers["hernia"]["site"] == list(AREAS)


def test_stored_answers_are_shown_as_they_would_be_typed() -> None:
    answers = {
        "diabetes": yes(status="controlled", complications=False, insulin=True),
        "high_blood_pressure": yes(systolic=120, diastolic=72.5),
        "hernia": yes(site=["abdomen", "groin"]),
    }
    assert as_form(page("diabetes", "high_blood_pressure", "hernia"), answers) == {
        "c.diabetes": ["yes"],
        "f.diabetes.status": ["controlled"],
        "f.diabetes.complications": ["no"],
        "f.diabetes.insulin": ["yes"],
        "c.high_blood_pressure": ["yes"],
        "f.high_blood_pressure.systolic": ["120"],
        "f.high_blood_pressure.diastolic": ["72.5"],
        "c.hernia": ["yes"],
        "f.hernia.site": ["abdomen", "groin"],
    }


def test_a_whole_number_is_stored_whole() -> None:
    form = {
        "c.high_blood_pressure": ["yes"],
        "f.high_blood_pressure.status": ["controlled"],
        "f.high_blood_pressure.systolic": ["120"],
        "f.high_blood_pressure.diastolic": ["72,5"],
    }
    answer = read(form, "high_blood_pressure").answers["high_blood_pressure"]
    assert (str(answer["systolic"]), answer["diastolic"]) == ("120", 72.5)


@pytest.mark.parametrize(
    ("one", "other", "both"),
    [
        ({}, {}, {}),
        ({"c.asthma": ["yes"]}, {}, {"c.asthma": ["yes"]}),
        ({"c.asthma": ["yes"]}, {"f.asthma.kind": ["a"]}, {"c.asthma": ["yes"], "f.asthma.kind": ["a"]}),
        ({"c.asthma": ["yes"]}, {"c.asthma": ["not_sure"]}, {"c.asthma": ["yes"]}),
        ({"c.asthma": ["no"]}, {"c.asthma": ["yes"]}, {"c.asthma": ["yes"]}),
        ({"c.asthma": ["no"]}, {"c.asthma": ["no"]}, {"c.asthma": ["no"]}),
        ({"f.asthma.kind": ["a"]}, {"f.asthma.kind": ["b"]}, {}),
        ({"f.asthma.site": ["a", "b"]}, {"f.asthma.site": ["a", "b"]}, {"f.asthma.site": ["a", "b"]}),
    ],
)
def test_what_two_have_half_typed_is_open_where_they_differ(
    one: dict[str, list[str]], other: dict[str, list[str]], both: dict[str, list[str]]
) -> None:
    assert half_of_both(one, other) == half_of_both(other, one) == both
