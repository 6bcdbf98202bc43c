from __future__ import annotations

import datetime as dt

import pytest

from clinic.rules.answers import read_answers
from clinic.rules.clearances import Clearance, covers, is_valid, lapses_on, may_clear
from clinic.rules.rule_table import TABLE
from tests.rules.gate_cases import DAY, ago, code, yes

EPILEPSY = {"epilepsy": yes(status="uncontrolled")}
SWEDISH = frozenset({"swedish"})


def day_before(days: int) -> dt.date:
    return DAY - dt.timedelta(days=days)


def letter(
    condition: str = "epilepsy",
    *,
    issued: int = 10,
    by: str = "physician",
    services: frozenset[str] = SWEDISH,
    expires_on: dt.date | None = None,
    withdrawn_on: dt.date | None = None,
    modes: frozenset[str] | None = None,
    areas: frozenset[str] | None = None,
) -> Clearance:
    return Clearance(condition, services, day_before(issued), by, expires_on, withdrawn_on, modes, areas)


def counts(clearance: Clearance, answers: dict[str, dict[str, object]] | None = None) -> bool:
    return is_valid(clearance, read_answers(EPILEPSY if answers is None else answers), DAY)


@pytest.mark.parametrize(
    ("issued", "expected"), [(0, True), (179, True), (180, False), (181, False), (-1, False)]
)
def test_holds_for_the_days_of_its_row(issued: int, expected: bool) -> None:
    assert counts(letter(issued=issued)) is expected


@pytest.mark.parametrize(("issued", "expected"), [(89, True), (90, False)])
def test_day_90_of_a_90_day_clearance_is_too_late(issued: int, expected: bool) -> None:
    answers = {"disc_herniation": yes(nerve_signs=True)}
    assert counts(letter("disc_herniation", issued=issued), answers) is expected


def test_end_date_of_the_clinician_is_its_last_day() -> None:
    assert counts(letter(expires_on=DAY))
    assert not counts(letter(expires_on=day_before(1)))
    assert not counts(letter(issued=180, expires_on=DAY))


def test_withdrawal_ends_it_at_once() -> None:
    assert not counts(letter(withdrawn_on=DAY))
    assert not counts(letter(withdrawn_on=day_before(5)))
    assert counts(letter(withdrawn_on=day_before(-1)))


def test_lapses_on_is_the_first_day_too_late() -> None:
    assert lapses_on(letter(issued=0)) == DAY + dt.timedelta(days=180)
    assert lapses_on(letter(expires_on=DAY)) == DAY + dt.timedelta(days=1)
    assert lapses_on(letter(expires_on=DAY, withdrawn_on=DAY)) == DAY


@pytest.mark.parametrize(
    ("condition", "allowed"),
    [
        ("epilepsy", {"physician", "specialist", "nurse_practitioner"}),
        ("pregnancy", {"physician", "specialist", "nurse_practitioner", "midwife"}),
        ("postpartum", {"physician", "specialist", "nurse_practitioner", "midwife"}),
        ("disc_herniation", {"physician", "specialist", "nurse_practitioner", "physiotherapist"}),
        ("age_under_18", {"physician", "specialist", "nurse_practitioner"}),
        ("fever", set()),
        ("medicated_patch", set()),
    ],
)
def test_only_some_clinicians_may_clear(condition: str, allowed: set[str]) -> None:
    issuers = (
        "physician", "specialist", "nurse_practitioner", "midwife", "physiotherapist", "massage_therapist",
        "chiropractor", "other",
    )  # fmt: skip
    assert {issuer for issuer in issuers if may_clear(condition, issuer)} == allowed


def test_nobody_else_may_clear_anything() -> None:
    for key in TABLE.conditions:
        assert not any(may_clear(key, issuer) for issuer in ("massage_therapist", "chiropractor", "other"))


def test_issuer_who_may_not_clear_is_ignored() -> None:
    assert not counts(letter(by="physiotherapist"))
    assert not counts(letter(by="massage_therapist"))
    assert counts(letter(by="nurse_practitioner"))


def test_change_of_the_answer_ends_it() -> None:
    assert not counts(letter(), {"epilepsy": yes(changed_on=ago(9))})
    assert counts(letter(), {"epilepsy": yes(changed_on=ago(10))})
    assert counts(
        letter(), {"epilepsy": yes(), "strong_painkillers": {"present": False, "changed_on": ago(1)}}
    )


def test_newer_event_ends_it() -> None:
    assert not counts(letter(), {"epilepsy": yes(date=ago(9))})
    assert counts(letter(), {"epilepsy": yes(date=ago(10))})


@pytest.mark.parametrize(
    "key", ["recent_surgery", "spinal_surgery", "blood_clot", "fracture", "spine_instability"]
)
def test_new_operation_clot_or_fracture_ends_every_clearance(key: str) -> None:
    assert not counts(letter(), {**EPILEPSY, key: yes(date=ago(9))})
    assert counts(letter(), {**EPILEPSY, key: yes(date=ago(10))})
    assert not counts(letter(), {**EPILEPSY, key: yes(date=ago(500), changed_on=ago(9))})


@pytest.mark.parametrize(
    "key",
    ["pregnancy", "cancer_active", "cancer_metastatic", "blood_thinners", "steroids_long_term", "strong_painkillers",
     "medicated_patch", "bad_reaction_before", "fever", "rf_chest_pain_breathless"],
)  # fmt: skip
def test_new_medicine_pregnancy_cancer_reaction_or_red_flag_ends_every_clearance(key: str) -> None:
    assert not counts(letter(), {**EPILEPSY, key: yes(changed_on=ago(9))})
    assert counts(letter(), {**EPILEPSY, key: yes(changed_on=ago(10))})
    assert counts(letter(), {**EPILEPSY, key: yes()})


def test_other_changes_leave_it_alone() -> None:
    assert counts(letter(), {**EPILEPSY, "asthma_breathing": yes(changed_on=ago(1))})
    assert counts(letter(), {**EPILEPSY, "stroke_tia": yes(date=ago(1))})
    assert counts(letter(), {**EPILEPSY, "steroids_long_term": yes(status="stopped", date=ago(1))})


def test_a_doctors_no_needs_a_later_clearance() -> None:
    assert counts(letter("doctor_said_no"), {"doctor_said_no": yes(date=ago(11))})
    assert not counts(letter("doctor_said_no"), {"doctor_said_no": yes(date=ago(10))})
    assert not counts(letter("doctor_said_no"), {"doctor_said_no": yes(date=ago(9))})
    assert not counts(letter("doctor_said_no"), {"doctor_said_no": yes()})
    assert counts(letter("epilepsy"), {**EPILEPSY, "doctor_said_no": yes()})


def test_a_doctors_no_does_not_keep_its_clearance_alive_when_something_new_happened() -> None:
    refused = {"doctor_said_no": yes(date=ago(11))}
    assert not counts(letter("doctor_said_no"), {**refused, "fracture": yes(date=ago(9))})
    assert not counts(letter("doctor_said_no"), {**refused, "blood_thinners": yes(changed_on=ago(9))})
    assert counts(letter("doctor_said_no"), {**refused, "fracture": yes(date=ago(10))})


def test_pregnancy_that_began_after_the_clearance_ends_it() -> None:
    def weeks(number: float) -> dict[str, dict[str, object]]:
        return {"pregnancy": yes(weeks=number, weeks_as_of=ago(3))}

    assert not counts(letter(issued=74), {**EPILEPSY, **weeks(10)})
    assert counts(letter(issued=73), {**EPILEPSY, **weeks(10)})
    assert not counts(letter("pregnancy", issued=74, by="midwife"), weeks(10.9))
    assert counts(letter("pregnancy", issued=73, by="midwife"), weeks(10))
    assert counts(letter(issued=74), {**EPILEPSY, "pregnancy": yes(weeks=10)})
    assert counts(letter(issued=74), {**EPILEPSY, **weeks(100_000)})


def test_covers_only_named_services() -> None:
    assert covers(letter(), "swedish", None, ["full_body"])
    assert not covers(letter(), "relaxation", None, ["full_body"])
    assert not covers(letter(services=frozenset({"sauna"})), "sauna", None, ["full_body"])


def test_covers_only_named_modes_and_areas() -> None:
    vacuum = frozenset({"decompression_vacuum"})
    any_mode = letter(services=vacuum)
    by_hand = letter(services=vacuum, modes=frozenset({"cups"}))
    chamber = letter(services=vacuum, modes=frozenset({"interval"}))
    ways = (None, "interval")
    assert [covers(any_mode, "decompression_vacuum", mode, ["neck"]) for mode in ways] == [True, True]
    assert [covers(by_hand, "decompression_vacuum", mode, ["neck"]) for mode in ways] == [True, False]
    assert [covers(chamber, "decompression_vacuum", mode, ["neck"]) for mode in ways] == [False, True]
    back = letter(areas=frozenset({"back"}))
    assert covers(back, "swedish", None, ["upper_back"])
    assert covers(back, "swedish", None, ["back"])
    assert not covers(back, "swedish", None, ["upper_back", "neck"])
    assert not covers(back, "swedish", None, ["full_body"])
    assert not covers(back, "swedish", None, [])


def test_clearance_becomes_caution_for_that_service_only() -> None:
    assert code(EPILEPSY) == "222222223"
    assert code(EPILEPSY, clearances=[letter()]) == "222122223"
    everything = frozenset({"swedish", "relaxation", "hot_stone", "aromatherapy"})
    assert code(EPILEPSY, clearances=[letter(services=everything)]) == "222122113"


def test_clearance_of_another_condition_or_out_of_date_changes_nothing() -> None:
    assert code(EPILEPSY, clearances=[letter("diabetes")]) == "222222223"
    assert code(EPILEPSY, clearances=[letter(issued=180)]) == "222222223"


def test_block_is_lifted_by_nobody() -> None:
    both = frozenset({"decompression_vacuum", "swedish"})
    assert (
        code({"bleeding_disorder": yes()}, clearances=[letter("bleeding_disorder", services=both)])
        == "233133220"
    )


def test_each_condition_needs_its_own() -> None:
    answers = {**EPILEPSY, "disc_herniation": yes(nerve_signs=True)}
    assert code(answers, clearances=[letter()]) == "222222223"
    assert code(answers, clearances=[letter(), letter("disc_herniation")]) == "222122223"


def test_combination_is_met_only_when_all_that_the_client_has_is_named() -> None:
    thinner = yes(med_class="single_antiplatelet")
    answers = {"blood_thinners": thinner, "easy_bruising": yes()}
    assert code(answers) == "233233220"
    assert code(answers, clearances=[letter("blood_thinners")]) == "233233220"
    assert code(answers, clearances=[letter("blood_thinners"), letter("easy_bruising")]) == "233133220"
    pressure = {"high_blood_pressure": yes(status="uncontrolled", systolic=120, diastolic=80)}
    stroke = {**pressure, "stroke_tia": yes(date=ago(400))}
    assert code(stroke, clearances=[letter("high_blood_pressure")]) == "333233230"
    assert code(stroke, clearances=[letter("high_blood_pressure"), letter("stroke_tia")]) == "333133230"


def test_combination_with_something_nobody_may_clear_is_never_met() -> None:
    answers = {
        "weak_immune": yes(),
        "open_wound_burn": yes(type="tattoo", extent="small", site=["left_hand"]),
    }
    deep = frozenset({"deep_tissue"})
    letters = [letter("weak_immune", services=deep), letter("open_wound_burn", services=deep)]
    assert code(answers, areas=["upper_back"], clearances=letters) == "133122131"


def test_being_under_18_is_cleared_like_a_condition() -> None:
    deep = letter("age_under_18", services=frozenset({"deep_tissue"}))
    assert code({}, age=17, clearances=[deep]) == "233111131"
    assert code({}, age=11, clearances=[deep]) == "333133131"
