"""Marks on the body chart: where it hurts, and where somebody does not want to be touched."""

from __future__ import annotations

import datetime as dt
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clinic.rules import answer_history
from clinic.rules.answers import Answers, read_answers
from clinic.rules.body_areas import AREAS, BELOW_THE_RIBS, SINGLE_AREAS, expand, leaves_nothing
from clinic.rules.page_reading import as_form, parse_page
from clinic.rules.places_to_avoid import places_to_avoid
from clinic.rules.question_pages import pages
from clinic.rules.questionnaire import unanswered
from clinic.rules.rule_table import TABLE
from clinic.rules.screening import Screening, Treatment, screen
from clinic.rules.verdicts import SERVICES, Outcome, Verdict

DAY = dt.date(2026, 6, 9)
CHART = pages("intake")[-1]
some_areas = st.lists(st.sampled_from(list(AREAS)), unique=True, max_size=4)


def judge(answers: Answers, *areas: str, service: str = "relaxation", mode: str | None = None) -> Screening:
    treatment = Treatment((service,), mode=mode, areas=areas)
    return screen(treatment, answers, day=DAY, age=40, intake_completed_on=DAY)


def wish(*areas: str) -> Answers:
    return {"chart_avoid": {"present": True, "site": list(areas)}}


def sore(*areas: str) -> Answers:
    return {"chart_pain": {"present": True, "site": list(areas)}}


def test_the_chart_is_the_last_page_and_nobody_has_to_mark_anything() -> None:
    assert [one.key for one in CHART.conditions] == ["chart_pain", "chart_avoid"] == list(TABLE.marks)
    assert TABLE.marks.keys() == answer_history.MARKS
    everything = {key: {"present": False} for key in TABLE.conditions}
    assert unanswered(everything, "intake") == ()
    assert "chart" not in [page.key for page in pages("checkin")]


@pytest.mark.parametrize(
    ("areas", "requested", "mode", "verdict"),
    [
        (("left_knee",), ("back",), None, Verdict.CAUTION),
        (("lower_back",), ("back",), None, Verdict.CAUTION),
        (("lower_back",), ("full_body",), None, Verdict.CAUTION),
        (("lower_back",), (), None, Verdict.CAUTION),  # not known: it is agreed on when they come
        ((), ("back",), None, Verdict.CAUTION),  # the place is not known: it is asked for first
        (("lower_back",), ("lower_back",), None, Verdict.BLOCK),
        (("back",), ("lower_back", "mid_back"), None, Verdict.BLOCK),
        (("left_leg",), ("left_knee", "left_foot"), None, Verdict.BLOCK),
        (("left_leg",), ("right_knee",), None, Verdict.CAUTION),
        (("full_body",), ("full_body",), None, Verdict.BLOCK),
        (("left_knee",), ("upper_back",), "interval", Verdict.BLOCK),  # the chamber cannot leave a knee out
        (("left_knee",), ("full_body",), "interval", Verdict.BLOCK),
        (("left_hand",), ("full_body",), "interval", Verdict.CAUTION),
    ],
)
def test_a_wish_is_left_out_and_blocks_where_nothing_else_is_left(
    areas: tuple[str, ...], requested: tuple[str, ...], mode: str | None, verdict: Verdict
) -> None:
    service = "decompression_vacuum" if mode else "relaxation"
    judged = judge(wish(*areas), *requested, service=service, mode=mode)
    assert judged.verdict is verdict
    assert judged.permits is (verdict is Verdict.CAUTION)
    assert [one.rule for one in judged.findings] == ["chart_avoid"]
    assert judged.findings[0].what_would_change == (
        ""
        if judged.permits
        else "Choose another part of the body, or change this mark in your health answers."
    )


@pytest.mark.parametrize(
    ("areas", "requested", "outcome"),
    [
        (("left_knee",), ("back",), Outcome.ALLOW),
        (("left_knee",), ("right_knee",), Outcome.ALLOW),
        (("left_knee",), ("left_leg",), Outcome.ALLOW_FLAG_THERAPIST),
        (("left_knee",), ("full_body",), Outcome.ALLOW_FLAG_THERAPIST),
        (("left_knee",), (), Outcome.ALLOW_FLAG_THERAPIST),
        ((), ("back",), Outcome.ALLOW_FLAG_THERAPIST),
    ],
)
def test_the_therapist_is_told_of_a_sore_place_where_it_is_touched(
    areas: tuple[str, ...], requested: tuple[str, ...], outcome: Outcome
) -> None:
    assert all(judge(sore(*areas), *requested, service=one).outcome is outcome for one in SERVICES)


def test_the_card_names_a_wish_as_not_touched_and_a_sore_place_with_care_whatever_was_asked_for() -> None:
    answers = {**wish("left_knee"), **sore("lower_back")}
    for areas in ((), ("full_body",), ("back",), ("left_leg",), ("left_knee",)):
        found = places_to_avoid(Treatment(("relaxation",), areas=areas), answers, day=DAY, age=40)
        assert [(one.rule, one.areas, one.avoid) for one in found] == [
            ("chart_avoid", ("left_knee",), True),
            ("chart_pain", ("lower_back",), False),
        ]
    unsure = {key: {"present": True, "not_sure": True} for key in TABLE.marks}
    found = places_to_avoid(Treatment(("relaxation",), areas=("back",)), unsure, day=DAY, age=40)
    assert [(one.areas, one.avoid) for one in found] == [((), True), ((), True)]


@settings(max_examples=100, deadline=None)
@given(
    site=st.lists(st.sampled_from(list(AREAS)), unique=True, min_size=1, max_size=4),
    requested=some_areas,
    row=st.sampled_from([key for key, one in TABLE.asked.items() if one.is_local_somewhere]),
    service=st.sampled_from(SERVICES),
)
def test_a_place_drawn_area_by_area_acts_as_the_same_place_ticked_as_a_group(
    site: list[str], requested: list[str], row: str, service: str
) -> None:
    """The drawing has single areas only, the list has groups too."""
    ticked = {row: {"present": True, "site": site}}
    drawn = {row: {"present": True, "site": [area for area in AREAS if area in expand(site)]}}
    one, other = (judge(answers, *requested, service=service) for answers in (ticked, drawn))
    assert (one.verdict, one.outcome, one.addon_verdicts) == (
        other.verdict,
        other.outcome,
        other.addon_verdicts,
    )


@settings(max_examples=100, deadline=None)
@given(
    pain=some_areas,
    avoid=some_areas,
    requested=some_areas,
    other=st.sampled_from([key for key, one in TABLE.conditions.items() if one.is_local_somewhere]),
    at=some_areas,
    service=st.sampled_from(SERVICES),
)
def test_no_mark_makes_anything_less_strict(
    pain: list[str], avoid: list[str], requested: list[str], other: str, at: list[str], service: str
) -> None:
    before: Answers = {other: {"present": True, "site": at}}
    after = {**before, **sore(*pain), **wish(*avoid)}
    without, marked = (judge(answers, *requested, service=service) for answers in (before, after))
    assert marked.verdict >= without.verdict
    assert marked.outcome >= without.outcome
    assert marked.call_first is without.call_first
    assert {*without.findings} <= {*marked.findings}


@settings(max_examples=100, deadline=None)
@given(avoid=some_areas, requested=some_areas)
def test_a_wish_blocks_exactly_when_no_area_is_left(avoid: list[str], requested: list[str]) -> None:
    left = expand(requested) - expand(avoid)
    assert leaves_nothing(avoid, requested) is (bool(requested) and not left)


def test_left_and_right_are_kept_apart_in_every_pair_of_sides() -> None:
    parts = sorted(area.removeprefix("left_") for area in SINGLE_AREAS if area.startswith("left_"))
    assert len(parts) == 12
    for part, (marked, asked) in product(parts, product(("left", "right"), repeat=2)):
        judged = judge(wish(f"{marked}_{part}"), f"{asked}_{part}")
        assert judged.permits is (marked != asked)


def test_what_is_ticked_on_the_page_is_what_is_kept_in_the_order_of_the_list() -> None:
    form = {
        "c.chart_pain": ["yes"], "f.chart_pain.site": ["left_knee", "neck"],
        "c.chart_avoid": ["no"],
    }  # fmt: skip
    result = parse_page(CHART, form, today=DAY)
    assert result.errors == {}
    assert result.answers["chart_pain"] == {"present": True, "site": ["neck", "left_knee"]}
    assert as_form(CHART, result.answers)["f.chart_pain.site"] == ["neck", "left_knee"]
    assert read_answers(result.answers)["chart_pain"].details == {"site": ("neck", "left_knee")}
    nowhere = parse_page(CHART, {"c.chart_pain": ["yes"], "c.chart_avoid": ["no"]}, today=DAY)
    assert list(nowhere.errors) == ["f.chart_pain.site"]


def test_marks_come_and_go_without_a_review_but_only_when_they_were_asked_about() -> None:
    before = {**wish("left_knee"), "fracture": {"present": False}}
    said_no = {"chart_avoid": {"present": False}, "fracture": {"present": False}}
    not_asked: Answers = {"fracture": {"present": False}}
    assert not answer_history.softens(said_no, before, given_on=DAY, today=DAY)
    assert answer_history.with_marks(said_no, before)["chart_avoid"] == {"present": False}
    assert answer_history.with_marks(not_asked, before) == before
    assert answer_history.with_marks(not_asked, None) == not_asked


def test_everything_below_the_ribs_is_what_the_chamber_cannot_leave_out() -> None:
    for area in sorted(SINGLE_AREAS):
        judged = judge(wish(area), "full_body", service="decompression_vacuum", mode="interval")
        assert judged.permits is (area not in BELOW_THE_RIBS)
