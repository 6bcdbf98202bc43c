from __future__ import annotations

import datetime as dt

import pytest

from clinic.rules.answers import read_answer
from clinic.rules.row_verdicts import undecided_fields
from clinic.rules.rule_table import TABLE
from clinic.rules.verdicts import Verdict
from tests.rules.gate_cases import DAY, ago, code, sheet, yes
from tests.rules.row_cases import BLOCKED, CASES, CAUTIOUS, CLEAR, RowCase

LOCAL = [case for case in CASES if case.off is not None]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_row_on_site_gives_the_verdicts_of_the_table(case: RowCase) -> None:
    site = {"site": ["left_knee"]} if "site" in TABLE.conditions[case.key].fields_by_name else {}
    answers = {case.key: yes(**case.details, **site)}
    assert code(answers, areas=["left_leg"]) == case.on
    assert sheet(answers).urgency.word == case.urgency


@pytest.mark.parametrize("case", LOCAL, ids=lambda case: case.name)
@pytest.mark.parametrize("areas", [["upper_back"], ["full_body"]])
def test_local_row_elsewhere_gives_the_off_site_verdicts(case: RowCase, areas: list[str]) -> None:
    assert code({case.key: yes(**case.details, site=["left_knee"])}, areas=areas) == case.off


def test_every_row_and_every_variant_has_a_case() -> None:
    assert {case.key for case in CASES} == set(TABLE.conditions)
    reached = set()
    for case in CASES:
        row = sheet({case.key: yes(**case.details)}).rows[case.key]
        if row.variant is not None and row.sure:
            reached.add((case.key, row.variant.when.text))
    assert reached == {
        (condition.key, variant.when.text)
        for condition in TABLE.conditions.values()
        for variant in condition.variants
    }


@pytest.mark.parametrize("case", LOCAL, ids=lambda case: case.name)
def test_unknown_place_counts_as_overlapping(case: RowCase) -> None:
    if case.key == "hernia":
        return
    assert code({case.key: yes(**case.details)}, areas=["upper_back"]) == case.on
    assert code({case.key: yes(**case.details, site=[])}, areas=["upper_back"]) == case.on
    assert code({case.key: yes(**case.details, site=["full_body"])}, areas=["upper_back"]) == case.on


def test_hernia_without_a_place_is_taken_to_be_in_the_belly() -> None:
    assert code({"hernia": yes()}, areas=["abdomen"]) == "233133110"
    assert code({"hernia": yes()}, areas=["trunk_front"]) == "233133110"
    assert code({"hernia": yes()}, areas=["upper_back"]) == "211111100"
    assert code({"hernia": yes(site=["groin"])}, areas=["groin"]) == "233133110"


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("implanted_device", "333333330"),
        ("allergy_contact", "111111113"),
        ("ms_parkinsons", "333233230"),
        ("cancer_metastatic", "333333231"),
    ],
)
def test_not_sure_takes_the_strictest_variant_in_the_four_rows(key: str, expected: str) -> None:
    assert code({key: yes()}) == expected
    assert code({key: yes(not_sure=True)}) == expected


def test_not_sure_takes_the_default_and_ignores_what_was_typed() -> None:
    assert code({"diabetes": yes(status="controlled", complications=False)}) == "011111110"
    assert code({"diabetes": yes(status="controlled", complications=False, not_sure=True)}) == "233233230"
    assert code({"diabetes": yes(status="controlled", complications=False, not_sure=False)}) == "011111110"


def test_device_of_unknown_kind_away_from_the_area_keeps_the_default() -> None:
    assert code({"implanted_device": yes(site=["left_knee"])}, areas=["upper_back"]) == "333232220"


def test_details_that_no_rule_needs_never_make_a_row_stricter() -> None:
    assert code({"blood_thinners": yes(med_class="single_antiplatelet")}) == "122111110"
    assert code({"spinal_surgery": yes(date=ago(100))}) == "333233220"
    assert code({"contagious_illness": yes(type="stomach", symptom_free_hours=50)}) == CLEAR


def test_empty_detail_is_a_missing_detail() -> None:
    assert code({"recent_surgery": yes(date=None, minor=False, complications=False)}) == BLOCKED


@pytest.mark.parametrize(
    ("key", "details", "expected"),
    [
        ("deep_infection", {"type": "kidney", "status": "finished"}, BLOCKED),
        ("pacemaker_icd", {}, BLOCKED),
        ("spine_instability", {"type": "fracture"}, BLOCKED),
        ("acute_injury", {"type": "whiplash"}, "333333330"),
        ("fracture", {}, "333333330"),
        ("spine_instability", {"type": "slipped_vertebra", "severity": "mild"}, "311122100"),
        ("fragile_skin", {"cause": "age"}, "133133131"),
    ],
)
def test_date_after_the_visit_counts_as_newest_and_as_missing(
    key: str, details: dict[str, object], expected: str
) -> None:
    assert code({key: yes(date=ago(-1), **details)}) == expected


def test_weeks_of_pregnancy_are_carried_forward_in_full_weeks() -> None:
    def at(as_of: int, weeks: float = 13) -> str:
        answer = yes(
            status="confirmed", weeks=weeks, weeks_as_of=ago(as_of), high_risk=False, complication="none"
        )
        return code({"pregnancy": answer})

    assert at(6) == "333233233"
    assert at(7) == "333133131"
    assert at(6, 13.9) == "333233233"
    assert at(7, 13.9) == "333133131"
    assert at(196) == "333133131"
    assert at(203) == "333233233"


def test_weeks_counted_from_a_day_after_the_visit_are_not_relied_on() -> None:
    answer = yes(status="confirmed", weeks=20, weeks_as_of=ago(-1), high_risk=False, complication="none")
    assert code({"pregnancy": answer}) == "333233233"


def test_chamber_raises_the_vacuum_column_only_where_the_row_says_so() -> None:
    def chamber(key: str, **details: object) -> Verdict:
        answers = {key: yes(**details)}
        judged = sheet(answers, service="decompression_vacuum", mode="interval", areas=["upper_back"])
        assert all(one.verdict < Verdict.BLOCK for one in judged.findings(("swedish",)))
        return max(one.verdict for one in judged.findings(("decompression_vacuum",)))

    assert chamber("low_blood_pressure") is Verdict.CLEARANCE
    assert (
        chamber("high_blood_pressure", status="controlled", systolic=120, diastolic=70) is Verdict.CLEARANCE
    )
    assert chamber("heart_rhythm") is Verdict.CLEARANCE
    assert chamber("kidney_liver_disease", severity="mild") is Verdict.BLOCK
    assert chamber("hernia", site=["abdomen"]) is Verdict.BLOCK
    assert chamber("swelling_lymphoedema", type="lymphoedema", site=["left_hand"]) is Verdict.BLOCK
    assert chamber("port_line_stent_stoma", site=["chest"]) is Verdict.BLOCK
    assert chamber("strong_painkillers") is Verdict.CAUTION


def test_chamber_counts_every_area_below_the_ribs_as_requested() -> None:
    def chamber(site: str, areas: list[str]) -> Verdict:
        answers = {"open_wound_burn": yes(type="wound", extent="small", site=[site])}
        judged = sheet(answers, service="decompression_vacuum", mode="interval", areas=areas)
        return max(one.verdict for one in judged.findings(("decompression_vacuum",)))

    for site in ("lower_back", "buttocks", "abdomen", "groin", "left_hip", "right_thigh", "left_knee"):
        assert chamber(site, ["upper_back"]) is Verdict.BLOCK
    for site in ("right_lower_leg", "left_ankle", "right_foot", "feet", "left_leg"):
        assert chamber(site, ["full_body"]) is Verdict.BLOCK
    assert chamber("left_hand", ["upper_back"]) is Verdict.CAUTION
    assert chamber("upper_back", ["upper_back"]) is Verdict.BLOCK


@pytest.mark.parametrize(
    ("key", "details", "missing"),
    [
        ("diabetes", {}, {"status", "complications"}),
        ("diabetes", {"status": "uncontrolled"}, {"complications"}),
        ("diabetes", {"status": "controlled", "complications": False}, set()),
        ("diabetes", {"complications": True}, set()),
        ("heart_disease", {"type": "angina_unstable"}, set()),
        ("heart_disease", {"type": "heart_attack"}, {"date"}),
        ("fragile_skin", {"cause": "age"}, set()),
        ("fragile_skin", {"cause": "isotretinoin"}, {"date"}),
        ("spinal_surgery", {"date": ago(100)}, set()),
        ("spinal_surgery", {"date": ago(400)}, set()),
        ("spinal_surgery", {"hardware": True}, {"date"}),
        ("open_wound_burn", {"type": "wound"}, {"site", "extent"}),
        ("hernia", {}, set()),
        ("blood_thinners", {"med_class": "dual_antiplatelet"}, set()),
        ("pregnancy", {"status": "confirmed", "high_risk": False, "complication": "none"}, {"weeks"}),
        ("strong_painkillers", {}, set()),
    ],
)
def test_undecided_fields_names_what_the_form_still_has_to_ask(
    key: str, details: dict[str, object], missing: set[str]
) -> None:
    declared = read_answer(key, yes(**details))
    assert declared is not None
    assert undecided_fields(declared.condition, declared.facts_on(DAY)) == missing


def test_windows_are_counted_on_the_day_of_the_visit() -> None:
    answers = {"recent_surgery": yes(date=ago(41), minor=False, complications=False)}
    assert code(answers) == BLOCKED
    assert code(answers, day=DAY + dt.timedelta(days=1)) == "222222220"
    assert code(answers, day=DAY + dt.timedelta(days=43)) == CAUTIOUS
