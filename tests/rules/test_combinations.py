from __future__ import annotations

import pytest

from clinic.rules.rule_table import TABLE
from clinic.rules.screening import touches_combination
from clinic.rules.verdicts import Urgency
from tests.rules.gate_cases import ADULT, DAY, ago, code, sheet, yes

BRUISE = yes(type="bruise", date=ago(2), site=["left_knee"])
ANTICOAGULANT = yes(med_class="anticoagulant", stable_3_months=True, bruising=False)
CONTROLLED = yes(status="controlled", systolic=120, diastolic=80)
BAD_PRESSURE = yes(status="uncontrolled", systolic=120, diastolic=80)


def holding(answers: dict[str, dict[str, object]], age: int = ADULT) -> tuple[str, ...]:
    return touches_combination(answers, age=age, day=DAY)


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        # I01 blood thinner and bruises
        ({"blood_thinners": ANTICOAGULANT, "easy_bruising": yes()}, {"I01"}),
        ({"blood_thinners": yes(med_class="single_antiplatelet"), "easy_bruising": yes()}, {"I01"}),
        ({"easy_bruising": yes()}, set()),
        ({"blood_thinners": ANTICOAGULANT}, set()),
        # I02 blood thinner and a fresh bruise or head knock
        ({"blood_thinners": ANTICOAGULANT, "acute_injury": BRUISE}, {"I02"}),
        ({"blood_thinners": yes(med_class="dual_antiplatelet"), "acute_injury": BRUISE}, {"I02"}),
        ({"blood_thinners": yes(), "acute_injury": BRUISE}, {"I02"}),
        ({"blood_thinners": yes(med_class="single_antiplatelet"), "acute_injury": BRUISE}, set()),
        ({"blood_thinners": ANTICOAGULANT, "acute_injury": yes(type="concussion", date=ago(0))}, {"I02"}),
        ({"blood_thinners": ANTICOAGULANT, "acute_injury": yes(type="bruise", date=ago(3))}, set()),
        ({"blood_thinners": ANTICOAGULANT, "acute_injury": yes(type="whiplash", date=ago(0))}, set()),
        ({"blood_thinners": ANTICOAGULANT, "acute_injury": yes(type="sprain_strain", date=ago(0))}, set()),
        ({"blood_thinners": ANTICOAGULANT, "acute_injury": yes()}, {"I02"}),
        ({"blood_thinners": ANTICOAGULANT, "acute_injury": yes(type="bruise")}, {"I02"}),
        ({"blood_thinners": ANTICOAGULANT, "acute_injury": yes(date=ago(1))}, {"I02"}),
        # I03, I04 steroids and weak bones
        ({"steroids_long_term": yes(), "osteoporosis": yes(severity="osteopenia")}, {"I03"}),
        ({"steroids_long_term": yes(status="stopped", date=ago(400)), "osteoporosis": yes()}, {"I03"}),
        ({"steroids_long_term": yes()}, set()),
        ({"osteoporosis": yes()}, set()),
        # I05 cancer and pain
        ({"cancer_active": yes(), "unexplained_pain": yes()}, {"I05"}),
        ({"cancer_metastatic": yes(), "unexplained_pain": yes()}, {"I05"}),
        ({"cancer_past": yes(date=ago(900)), "unexplained_pain": yes()}, {"I05"}),
        ({"cancer_past": yes(date=ago(900)), "rf_constant_night_pain": yes(checked_by_doctor=True)}, {"I05"}),
        ({"cancer_past": yes(date=ago(900))}, set()),
        ({"unexplained_pain": yes()}, set()),
        # I06 fever and pain
        ({"fever": yes(), "unexplained_pain": yes()}, {"I06"}),
        ({"fever": yes(fever_free_hours=48), "unexplained_pain": yes()}, {"I06"}),
        ({"fever": yes(fever_free_hours=48)}, set()),
        # I07 pregnancy and a clot, ever
        ({"pregnancy": yes(), "blood_clot": yes(status="past", date=ago(3000))}, {"I07", "I12"}),
        # I08 pregnancy and what makes it high risk
        ({"pregnancy": yes(), "clotting_tendency": yes()}, {"I08", "I12"}),
        ({"pregnancy": yes(), "high_blood_pressure": CONTROLLED}, {"I08"}),
        ({"pregnancy": yes(), "diabetes": yes(status="controlled", complications=False)}, {"I08"}),
        ({"pregnancy": yes(), "heart_disease": yes(type="heart_attack", date=ago(900))}, {"I08"}),
        ({"pregnancy": yes(), "kidney_liver_disease": yes(severity="mild")}, {"I08"}),
        ({"pregnancy": yes(), "heart_rhythm": yes()}, set()),
        # I09 diabetes and numb places
        ({"diabetes": yes(), "reduced_feeling": yes(cause_known=True)}, {"I09"}),
        ({"reduced_feeling": yes()}, set()),
        # I10 weak immune system and broken skin
        ({"weak_immune": yes(), "open_wound_burn": yes(type="tattoo")}, {"I10"}),
        ({"weak_immune": yes()}, set()),
        # I11 heart failure and advanced kidney or liver disease
        ({"heart_failure": yes(), "kidney_liver_disease": yes(severity="advanced")}, {"I11"}),
        ({"heart_failure": yes(), "kidney_liver_disease": yes()}, {"I11"}),
        ({"heart_failure": yes(), "kidney_liver_disease": yes(severity="mild")}, set()),
        # I13 osteoporosis and a break within a year
        ({"osteoporosis": yes(severity="osteoporosis"), "fracture": yes(date=ago(364))}, {"I13"}),
        ({"osteoporosis": yes(severity="advanced"), "fracture": yes(date=ago(0))}, {"I13"}),
        ({"osteoporosis": yes(severity="osteoporosis"), "fracture": yes(date=ago(365))}, set()),
        ({"osteoporosis": yes(severity="osteopenia"), "fracture": yes(date=ago(10))}, set()),
        ({"osteoporosis": yes(), "fracture": yes()}, {"I13"}),
        ({"osteoporosis": yes(severity="advanced")}, set()),
        # I14 uncontrolled pressure and heart disease or stroke
        ({"high_blood_pressure": BAD_PRESSURE, "heart_disease": yes()}, {"I14"}),
        ({"high_blood_pressure": BAD_PRESSURE, "stroke_tia": yes(date=ago(400))}, {"I14"}),
        ({"high_blood_pressure": yes(), "stroke_tia": yes()}, {"I14"}),
        ({"high_blood_pressure": CONTROLLED, "heart_disease": yes()}, set()),
        ({"high_blood_pressure": BAD_PRESSURE}, set()),
    ],
)
def test_combination_holds_for_exactly_these_answers(
    answers: dict[str, dict[str, object]], expected: set[str]
) -> None:
    assert set(holding(answers)) == expected


CLOT_RISKS: list[tuple[str, dict[str, object], bool]] = [
    ("recent_surgery", yes(date=ago(83), minor=False), True),
    ("recent_surgery", yes(date=ago(84), minor=False), False),
    ("recent_surgery", yes(date=ago(10), minor=True), False),
    ("recent_surgery", yes(date=ago(10)), True),
    ("recent_surgery", yes(minor=False), True),
    ("recent_surgery", yes(), True),
    ("recent_surgery", yes(date=ago(100)), False),
    ("spinal_surgery", yes(date=ago(83)), True),
    ("spinal_surgery", yes(date=ago(84)), False),
    ("spinal_surgery", yes(), True),
    ("fracture", yes(date=ago(83)), True),
    ("fracture", yes(date=ago(84)), False),
    ("fracture", yes(), True),
    ("cancer_active", yes(), True),
    ("cancer_metastatic", yes(), True),
    ("cancer_past", yes(date=ago(10)), False),
    ("postpartum", yes(date=ago(83)), True),
    ("postpartum", yes(date=ago(84)), False),
    ("postpartum", yes(), True),
    ("pregnancy", yes(), True),
    ("blood_clot", yes(status="past", date=ago(3000)), True),
    ("heart_failure", yes(), True),
    ("heart_rhythm", yes(), False),
]


@pytest.mark.parametrize(("key", "answer", "counts"), CLOT_RISKS)
def test_two_clot_risks_hold_i12(key: str, answer: dict[str, object], counts: bool) -> None:
    assert ("I12" in holding({"clotting_tendency": yes(), key: answer})) is counts
    assert "I12" not in holding({key: answer})


def test_cancer_now_and_spread_count_as_one_clot_risk() -> None:
    assert "I12" not in holding({"cancer_active": yes(), "cancer_metastatic": yes()})


@pytest.mark.parametrize(
    ("age", "expected"),
    [
        (11, {"I15", "I16"}),
        (12, {"I15"}),
        (17, {"I15"}),
        (18, set()),
        (74, set()),
        (75, {"I17"}),
    ],
)
def test_age_alone_holds_its_floors(age: int, expected: set[str]) -> None:
    assert set(holding({}, age)) == expected


def test_i04_adds_to_i03_from_65_on() -> None:
    answers = {"steroids_long_term": yes(), "osteoporosis": yes(severity="osteopenia")}
    assert set(holding(answers, 64)) == {"I03"}
    assert set(holding(answers, 65)) == {"I03", "I04"}


def test_minimums_reach_the_verdicts() -> None:
    assert code({}, age=11) == "333133131"
    assert code({}, age=17) == "233121131"
    assert code({}, age=75) == "111111110"
    numb = yes(cause_known=True, site=["left_foot"])
    diabetes = yes(status="controlled", complications=False)
    assert code({"diabetes": diabetes, "reduced_feeling": numb}, areas=["upper_back"]) == "133133130"
    assert code({"heart_failure": yes(worsening=False), "kidney_liver_disease": yes()}) == "333333231"
    assert code({"clotting_tendency": yes(), "postpartum": yes(date=ago(83))}) == "233233220"
    steroids = yes(status="stopped", date=ago(400))
    assert code({"steroids_long_term": steroids, "osteoporosis": yes(severity="osteopenia")}) == "333133110"
    assert (
        code({"steroids_long_term": steroids, "osteoporosis": yes(severity="osteopenia")}, age=65)
        == "333233220"
    )


@pytest.mark.parametrize(
    ("answers", "urgency"),
    [
        ({"blood_thinners": ANTICOAGULANT, "acute_injury": BRUISE}, Urgency.SAME_DAY),
        ({"cancer_past": yes(date=ago(900)), "unexplained_pain": yes()}, Urgency.PROMPT),
        ({"fever": yes(fever_free_hours=48), "unexplained_pain": yes()}, Urgency.EMERGENCY),
        ({"pregnancy": yes(), "blood_clot": yes()}, Urgency.NONE),
    ],
)
def test_urgent_combinations_block_everything(
    answers: dict[str, dict[str, object]], urgency: Urgency
) -> None:
    assert sheet(answers).urgency is urgency
    assert code(answers) == "333333333"


def test_there_are_seventeen_combinations_and_all_are_tried_here() -> None:
    assert [rule.key for rule in TABLE.combinations] == [f"I{number:02}" for number in range(1, 18)]
