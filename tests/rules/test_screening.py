from __future__ import annotations

import datetime as dt

import pytest

from clinic.rules.answers import AnswerError
from clinic.rules.findings import LASTS
from clinic.rules.screening import (
    Clearance,
    GuardianConsent,
    Screening,
    Treatment,
    earliest_day,
    red_flags_in,
    safe_services,
    screen,
    stops_today,
    touches_combination,
)
from clinic.rules.verdicts import SERVICES, Outcome, Urgency, Verdict
from clinic.rules.years import age_on
from tests.rules.gate_cases import ADULT, DAY, ago, yes

BORN = dt.date(1986, 1, 1)


def judged(
    answers: dict[str, dict[str, object]],
    *services: str,
    age: int = ADULT,
    intake: dt.date | None = DAY,
    mode: str | None = None,
    addons: tuple[str, ...] = (),
    areas: tuple[str, ...] = ("full_body",),
    clearances: tuple[Clearance, ...] = (),
    consent: GuardianConsent | None = None,
) -> Screening:
    treatment = Treatment(services or ("swedish",), mode, addons, areas, 60)
    return screen(
        treatment,
        answers,
        day=DAY,
        age=age,
        intake_completed_on=intake,
        clearances=clearances,
        consent=consent,
    )


def letter(condition: str, *services: str, issued: int = 10) -> Clearance:
    return Clearance(condition, frozenset(services), DAY - dt.timedelta(days=issued), "physician")


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("age", [18, 40, 74])
def test_healthy_people_are_allowed_everything(service: str, age: int) -> None:
    everything_no: dict[str, dict[str, object]] = {
        "epilepsy": {"present": False},
        "fever": {"present": False},
    }
    for mode in (None, "interval") if service == "decompression_vacuum" else (None,):
        found = judged(everything_no, service, age=age, mode=mode, addons=("hot_stone", "aromatherapy"))
        assert found.outcome is Outcome.ALLOW
        assert found.verdict is Verdict.CLEAR
        assert found.addon_verdicts == {"hot_stone": Verdict.CLEAR, "aromatherapy": Verdict.CLEAR}
        assert (found.findings, found.gates, found.dropped_addons, found.clearances_used) == ((), (), (), ())
        assert found.permits
        assert not found.is_urgent
        assert not found.call_first


@pytest.mark.parametrize(
    ("answers", "outcome", "permits"),
    [
        ({"strong_painkillers": yes()}, Outcome.ALLOW_FLAG_THERAPIST, True),
        ({"epilepsy": yes()}, Outcome.HOLD_UNTIL_CLEARANCE, False),
        ({"alcohol_drugs_today": yes()}, Outcome.REFUSE, False),
        ({"fever": yes()}, Outcome.REFUSE_URGENT, False),
    ],
)
def test_verdict_becomes_an_outcome(
    answers: dict[str, dict[str, object]], outcome: Outcome, permits: bool
) -> None:
    found = judged(answers)
    assert found.outcome is outcome
    assert found.permits is permits
    assert found.is_urgent is (outcome is Outcome.REFUSE_URGENT)


def test_gates_stand_between_hold_and_refuse() -> None:
    held, refused = {"epilepsy": yes()}, {"alcohol_drugs_today": yes()}
    assert judged({}, intake=None).outcome is Outcome.NEEDS_INTAKE
    assert judged(held, intake=None).outcome is Outcome.NEEDS_INTAKE
    assert judged(refused, intake=None).outcome is Outcome.REFUSE
    assert judged({}, age=17).outcome is Outcome.NEEDS_GUARDIAN_CONSENT
    assert judged(held, age=17).outcome is Outcome.NEEDS_GUARDIAN_CONSENT
    assert judged(refused, age=17).outcome is Outcome.REFUSE
    assert judged({}, age=17, intake=None).outcome is Outcome.NEEDS_INTAKE
    assert judged({"fever": yes()}, age=17, intake=None).outcome is Outcome.REFUSE_URGENT
    assert [gate.outcome for gate in judged({}, age=17, intake=None).gates] == [
        Outcome.NEEDS_INTAKE,
        Outcome.NEEDS_GUARDIAN_CONSENT,
    ]


def test_consent_opens_the_gate_for_minors() -> None:
    given = GuardianConsent(DAY, services=frozenset({"swedish"}))
    assert judged({}, age=17, consent=given).outcome is Outcome.ALLOW_FLAG_THERAPIST
    assert (
        judged({}, age=17, consent=given, addons=("aromatherapy",)).outcome is Outcome.NEEDS_GUARDIAN_CONSENT
    )
    assert judged({}, "relaxation", age=17, consent=given).outcome is Outcome.NEEDS_GUARDIAN_CONSENT


def test_service_of_several_columns_is_judged_by_the_strictest() -> None:
    answers = {"heart_rhythm": yes()}
    assert judged(answers, "swedish").verdict is Verdict.CAUTION
    found = judged(answers, "swedish", "deep_tissue")
    assert found.verdict is Verdict.CLEARANCE
    assert [(one.rule, one.column) for one in found.findings] == [("heart_rhythm", "deep_tissue")]
    assert judged(
        answers, "swedish", "deep_tissue", clearances=(letter("heart_rhythm", "swedish"),)
    ).verdict is (Verdict.CLEARANCE)
    assert judged({}, "swedish", "decompression_vacuum", age=17).verdict is Verdict.BLOCK
    assert judged({}, "decompression_vacuum", "swedish", age=17).verdict is Verdict.BLOCK


def test_service_may_be_judged_as_all_seven_columns() -> None:
    assert judged({}, *SERVICES).outcome is Outcome.ALLOW
    assert judged({"osteoporosis": yes(severity="osteopenia")}, *SERVICES).verdict is Verdict.CLEARANCE


def test_addons_are_judged_apart() -> None:
    found = judged({"asthma_breathing": yes(status="unstable")}, addons=("hot_stone", "aromatherapy"),
                   clearances=(letter("asthma_breathing", "swedish"),))  # fmt: skip
    assert found.verdict is Verdict.CAUTION
    assert found.outcome is Outcome.ALLOW_FLAG_THERAPIST
    assert found.addon_verdicts == {"hot_stone": Verdict.CLEARANCE, "aromatherapy": Verdict.BLOCK}
    assert found.dropped_addons == ("hot_stone", "aromatherapy")
    assert [one.column for one in found.main_findings] == ["swedish"]
    assert {one.column for one in found.findings} == {"swedish", "hot_stone", "aromatherapy"}
    named = judged({"asthma_breathing": yes()}, addons=("hot_stone",),
                   clearances=(letter("asthma_breathing", "swedish", "hot_stone"),))  # fmt: skip
    assert named.addon_verdicts == {"hot_stone": Verdict.CAUTION}
    assert named.dropped_addons == ()


def test_clearance_leaves_a_caution_and_is_named_as_used() -> None:
    used = letter("epilepsy", "swedish")
    found = judged({"epilepsy": yes()}, clearances=(letter("diabetes", "swedish"), used))
    assert found.verdict is Verdict.CAUTION
    assert found.clearances_used == (used,)
    assert found.findings[0].cleared_by == used
    assert found.findings[0].what_would_change == ""


def test_urgent_and_strong_findings_come_first() -> None:
    answers = {"strong_painkillers": yes(), "epilepsy": yes(), "alcohol_drugs_today": yes(), "fever": yes()}
    found = judged(answers)
    assert [one.rule for one in found.findings] == [
        "fever",
        "alcohol_drugs_today",
        "epilepsy",
        "strong_painkillers",
    ]
    assert found.urgency is Urgency.SAME_DAY


def test_three_cautions_ask_for_a_call() -> None:
    two = {"strong_painkillers": yes(), "low_blood_pressure": yes()}
    assert not judged(two).call_first
    assert judged({**two, "heart_rhythm": yes()}).call_first
    assert not judged({**two, "epilepsy": yes()}).call_first


def test_finding_explains_itself() -> None:
    answers = {"recent_surgery": yes(date=ago(50), minor=False, complications=False, site=["left_knee"])}
    one = judged(answers).findings[0]
    assert one.rule == "recent_surgery"
    assert one.label == "Operation in the last year"
    assert one.verdict is Verdict.CLEARANCE
    assert one.reason == "After an operation the body needs time to heal before a massage is safe."
    assert one.source == "SEED002; SEED000; R03; R36; R52; R24"
    assert one.who_may_clear == ("physician", "specialist", "nurse_practitioner")
    assert one.until == DAY + dt.timedelta(days=34)
    assert one.what_would_change == (
        "It can be possible with a letter from a doctor, a specialist or a nurse practitioner that names this"
        " and the treatment. From Sunday 19 April 2026 on more may be possible: we look at it again then."
    )
    assert "6-12 weeks" in one.staff_note
    assert one.sure


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        (
            {"fever": yes()},
            "Please get medical care first. Afterwards tell us what was found, and we look at it again.",
        ),
        (
            {"alcohol_drugs_today": yes()},
            LASTS,
        ),
        ({"postpartum": yes()}, None),
        ({"strong_painkillers": yes()}, ""),
    ],
)
def test_what_would_change(answers: dict[str, dict[str, object]], expected: str | None) -> None:
    said = judged(answers).findings[0].what_would_change
    if expected is None:
        assert said.endswith(
            "We do not know all about it yet. If you can tell us more, more may be possible."
        )
    else:
        assert said == expected


def test_combination_finding_names_who_may_clear_all_of_it() -> None:
    answers = {"blood_thinners": yes(med_class="single_antiplatelet"), "easy_bruising": yes()}
    one = next(one for one in judged(answers).findings if one.rule == "I01")
    assert one.who_may_clear == ("physician", "specialist", "nurse_practitioner")
    assert one.verdict is Verdict.CLEARANCE
    assert one.until is None
    pregnant = {"pregnancy": yes(), "diabetes": yes()}
    assert next(one for one in judged(pregnant).findings if one.rule == "I08").who_may_clear == (
        "physician", "specialist", "nurse_practitioner", "midwife",
    )  # fmt: skip
    broken = {"weak_immune": yes(), "open_wound_burn": yes()}
    deep = judged(broken, "deep_tissue").findings
    assert next(one for one in deep if one.rule == "I10").who_may_clear == ()
    assert next(one for one in judged({}, age=11).findings if one.rule == "I16").who_may_clear == ()


def test_staff_note_says_where_and_whether_details_are_missing() -> None:
    local = {"open_wound_burn": yes(type="wound", extent="small", site=["left_foot"])}
    assert "Not in the requested area" in judged(local, areas=("neck",)).findings[0].staff_note
    assert "At or near the requested area" in judged(local, areas=("feet",)).findings[0].staff_note
    missing = judged({"diabetes": yes()}).findings[0]
    assert not missing.sure
    assert "Details are missing" in missing.staff_note
    assert "requested area" not in missing.staff_note


@pytest.mark.parametrize(
    ("answers", "service", "days"),
    [
        ({"fracture": yes(date=ago(10), site=["left_hand"])}, "swedish", 74),
        ({"fracture": yes(date=ago(100))}, "deep_tissue", 265),
        ({"heart_disease": yes(type="heart_attack", date=ago(10))}, "swedish", 80),
        ({"heart_disease": yes(type="heart_attack", date=ago(10))}, "deep_tissue", 355),
        ({"heart_disease": yes(type="heart_attack", date=ago(400))}, "deep_tissue", None),
        ({"stroke_tia": yes(date=ago(10))}, "decompression_vacuum", None),
        ({"deep_infection": yes(type="kidney", status="finished", date=ago(-1))}, "swedish", 1),
        ({"epilepsy": yes(status="controlled", date=ago(30))}, "swedish", 60),
        ({"epilepsy": yes(status="uncontrolled", date=ago(30))}, "swedish", None),
    ],
)
def test_until_is_the_first_day_on_which_the_finding_is_weaker(
    answers: dict[str, dict[str, object]], service: str, days: int | None
) -> None:
    found = judged(answers, service, areas=("neck",)).findings[0]
    assert found.until == (None if days is None else DAY + dt.timedelta(days=days))


def test_until_counts_weeks_of_pregnancy() -> None:
    answer = yes(status="confirmed", weeks=12, weeks_as_of=ago(3), high_risk=False, complication="none")
    assert judged({"pregnancy": answer}).findings[0].until == DAY + dt.timedelta(days=11)


def test_until_of_a_combination_waits_for_all_its_windows() -> None:
    answers = {
        "osteoporosis": yes(severity="osteoporosis"),
        "fracture": yes(date=ago(300), site=["left_hand"]),
    }
    found = {one.rule: one for one in judged(answers, areas=("neck",)).findings}
    assert found["I13"].until == DAY + dt.timedelta(days=65)
    risks = {"clotting_tendency": yes(), "postpartum": yes(date=ago(80))}
    assert {one.rule: one.until for one in judged(risks).findings}["I12"] == DAY + dt.timedelta(days=4)


def test_until_of_a_cleared_finding_is_the_day_it_is_weaker_by_itself() -> None:
    answers = {"recent_surgery": yes(date=ago(50), minor=False, complications=False)}
    found = judged(answers, clearances=(letter("recent_surgery", "swedish"),)).findings[0]
    assert found.verdict is Verdict.CAUTION
    assert found.until == DAY + dt.timedelta(days=315)


@pytest.mark.parametrize(
    ("judged_as", "mode", "addons", "areas"),
    [
        ((), None, (), ("neck",)),
        (("hot_stone",), None, (), ("neck",)),
        (("swedish",), "interval", (), ("neck",)),
        (("decompression_vacuum_magnetic",), "interval", (), ("neck",)),
        (("decompression_vacuum", "decompression_vacuum_magnetic"), "interval", (), ("neck",)),
        (("decompression_vacuum",), "chamber", (), ("neck",)),
        (("swedish",), None, ("sauna",), ("neck",)),
        (("swedish",), None, (), ("tail",)),
    ],
)
def test_treatment_that_makes_no_sense_is_refused(
    judged_as: tuple[str, ...], mode: str | None, addons: tuple[str, ...], areas: tuple[str, ...]
) -> None:
    with pytest.raises(ValueError, match=r"service|add-on|mode|chamber|area"):
        Treatment(judged_as, mode, addons, areas)


@pytest.mark.parametrize(
    ("answers", "key", "field"),
    [
        ({"flu": yes()}, "flu", "key"),
        ({"diabetes": {}}, "diabetes", "present"),
        ({"diabetes": {"present": "yes"}}, "diabetes", "present"),
        ({"diabetes": {"present": None}}, "diabetes", "present"),
        ({"diabetes": yes(colour="red")}, "diabetes", "colour"),
        ({"diabetes": yes(status="fine")}, "diabetes", "status"),
        ({"diabetes": yes(status=3)}, "diabetes", "status"),
        ({"diabetes": yes(complications="no")}, "diabetes", "complications"),
        ({"diabetes": yes(complications=0)}, "diabetes", "complications"),
        ({"diabetes": yes(not_sure="yes")}, "diabetes", "not_sure"),
        ({"diabetes": yes(changed_on="yesterday")}, "diabetes", "changed_on"),
        ({"diabetes": {"present": False, "status": "fine"}}, "diabetes", "status"),
        ({"stroke_tia": yes(date="2026-02-30")}, "stroke_tia", "date"),
        ({"stroke_tia": yes(date="16.3.2026")}, "stroke_tia", "date"),
        ({"stroke_tia": yes(date="20260316")}, "stroke_tia", "date"),
        ({"stroke_tia": yes(date="1066-10-14")}, "stroke_tia", "date"),
        ({"stroke_tia": yes(date="2201-01-01")}, "stroke_tia", "date"),
        ({"stroke_tia": yes(date=20260316)}, "stroke_tia", "date"),
        ({"stroke_tia": yes(date=dt.datetime(2026, 3, 1, tzinfo=dt.UTC))}, "stroke_tia", "date"),
        ({"fever": yes(fever_free_hours="24")}, "fever", "fever_free_hours"),
        ({"fever": yes(fever_free_hours=True)}, "fever", "fever_free_hours"),
        ({"fever": yes(fever_free_hours=-1)}, "fever", "fever_free_hours"),
        ({"fever": yes(fever_free_hours=float("nan"))}, "fever", "fever_free_hours"),
        ({"fever": yes(fever_free_hours=float("inf"))}, "fever", "fever_free_hours"),
        ({"hernia": yes(site="abdomen")}, "hernia", "site"),
        ({"hernia": yes(site=["tail"])}, "hernia", "site"),
        ({"hernia": yes(site=[3])}, "hernia", "site"),
        ({"bleeding_disorder": yes(type=["x"])}, "bleeding_disorder", "type"),
        ({"bleeding_disorder": "yes"}, "bleeding_disorder", "present"),
    ],
)
def test_answers_that_cannot_be_read_are_refused(
    answers: dict[str, dict[str, object]], key: str, field: str
) -> None:
    with pytest.raises(AnswerError) as caught:
        judged(answers)
    assert (caught.value.key, caught.value.field) == (key, field)
    assert str(caught.value) == f"{key}.{field}: {caught.value.problem}"


def test_smallest_and_largest_numbers_and_years_are_taken() -> None:
    for hours in (0, 0.5, 100_000):
        assert judged({"fever": yes(fever_free_hours=hours)}).is_urgent is (hours < 24)
    for day in ("1900-01-01", "2200-12-31"):
        assert not judged({"stroke_tia": yes(date=day)}).is_urgent
    with pytest.raises(AnswerError):
        judged({"fever": yes(fever_free_hours=100_001)})


def test_dates_and_tuples_are_read_like_texts_and_lists() -> None:
    answers = {"fracture": yes(date=DAY - dt.timedelta(days=100), site=("left_hand",))}
    assert judged(answers, "deep_tissue", areas=("left_arm",)).verdict is Verdict.CLEARANCE


@pytest.mark.parametrize(
    ("born_on", "day", "age"),
    [
        (dt.date(2008, 3, 16), dt.date(2026, 3, 15), 17),
        (dt.date(2008, 3, 16), dt.date(2026, 3, 16), 18),
        (dt.date(2008, 2, 29), dt.date(2026, 2, 28), 17),
        (dt.date(2008, 2, 29), dt.date(2026, 3, 1), 18),
        (dt.date(2008, 12, 31), dt.date(2026, 1, 1), 17),
    ],
)
def test_age_is_counted_in_whole_years(born_on: dt.date, day: dt.date, age: int) -> None:
    assert age_on(born_on, day) == age


def test_red_flags_are_found_at_once_with_the_most_urgent_first() -> None:
    assert red_flags_in({"epilepsy": yes()}, DAY) == ()
    assert red_flags_in({"rf_limb_swelling": {"present": False}}, DAY) == ()
    found = red_flags_in(
        {"fever": yes(), "unexplained_pain": yes(), "rf_unexplained_weight_loss": yes()}, DAY
    )
    assert [(one.rule, one.urgency.word) for one in found] == [
        ("I06", "emergency"), ("fever", "same_day"), ("rf_unexplained_weight_loss", "prompt"),
    ]  # fmt: skip
    assert found[1].reason == "With a fever your body needs rest and perhaps a doctor, not a massage."
    assert red_flags_in({"rf_unexplained_weight_loss": yes(checked_by_doctor=True)}, DAY) == ()
    varicose = red_flags_in({"varicose_veins": yes(status="inflamed", site=["left_leg"])}, DAY)
    assert [one.rule for one in varicose] == ["varicose_veins"]


def test_stops_today_names_what_is_about_now() -> None:
    answers: dict[str, dict[str, object]] = {
        "epilepsy": yes(),
        "contagious_illness": yes(),
        "rf_leg_weakness": yes(),
        "fever": {"present": False},
    }
    assert stops_today(answers) == ("contagious_illness", "rf_leg_weakness")


def test_touches_combination_counts_age_and_answers() -> None:
    assert touches_combination({}, age=40, day=DAY) == ()
    assert touches_combination({}, age=80, day=DAY) == ("I17",)
    assert touches_combination({"diabetes": yes(), "reduced_feeling": yes()}, age=17, day=DAY) == (
        "I09",
        "I15",
    )


def test_safe_services_are_those_that_may_be_booked() -> None:
    answers = {"osteoporosis": yes(severity="osteoporosis")}
    safe = safe_services(answers, day=DAY, age=40)
    assert safe == {"swedish": Verdict.CAUTION, "relaxation": Verdict.CAUTION}
    assert safe_services({}, day=DAY, age=40) == dict.fromkeys(SERVICES, Verdict.CLEAR)
    assert safe_services({"fever": yes()}, day=DAY, age=40) == {}
    cleared = safe_services(answers, day=DAY, age=40, clearances=[letter("osteoporosis", "sports")])
    assert cleared == {"swedish": Verdict.CAUTION, "sports": Verdict.CAUTION, "relaxation": Verdict.CAUTION}
    wound = {"open_wound_burn": yes(type="wound", extent="small", site=["neck"])}
    assert safe_services(wound, day=DAY, age=40, areas=("neck",)) == {}
    assert len(safe_services(wound, day=DAY, age=40, areas=("feet",))) == 7


def first_day(answers: dict[str, dict[str, object]], service: str = "swedish", **more: object) -> int | None:
    found = earliest_day(
        Treatment((service,)),
        answers,
        start=DAY,
        **{"born_on": BORN, **more},  # type: ignore[arg-type]
    )
    return None if found is None else (found - DAY).days


def test_earliest_day_waits_for_windows() -> None:
    assert first_day({}) == 0
    assert first_day({"strong_painkillers": yes()}) == 0
    operation = yes(date=ago(10), minor=False, complications=False)
    assert first_day({"recent_surgery": operation}) == 74
    assert first_day({"recent_surgery": operation}, clearances=(letter("recent_surgery", "swedish"),)) == 32
    both = {"recent_surgery": operation, "stroke_tia": yes(date=ago(100))}
    assert first_day(both) == 265
    assert first_day({"stroke_tia": yes(date=ago(0))}) == 365
    assert first_day({"stroke_tia": yes(date=ago(0))}, within_days=364) is None
    assert first_day({"stroke_tia": yes(date=ago(0))}, "decompression_vacuum") is None
    assert first_day({"epilepsy": yes(status="uncontrolled")}) is None


def test_earliest_day_never_looks_past_something_urgent() -> None:
    assert first_day({"fever": yes()}) is None
    assert first_day({"recent_surgery": yes(date=ago(400)), "rf_leg_weakness": yes()}) is None


def test_earliest_day_counts_birthdays_and_clearances_to_come() -> None:
    assert first_day({}, "decompression_vacuum", born_on=dt.date(2008, 3, 20)) == 4
    assert first_day({}, "decompression_vacuum", born_on=dt.date(2009, 3, 20)) is None
    assert first_day({}, "sports", born_on=dt.date(2014, 4, 16)) == 31
    assert first_day({"epilepsy": yes()}, clearances=(letter("epilepsy", "swedish", issued=-5),)) == 5


def test_earliest_day_knows_leap_day_birthdays() -> None:
    found = earliest_day(
        Treatment(("decompression_vacuum",)), {}, start=dt.date(2026, 2, 20), born_on=dt.date(2008, 2, 29)
    )
    assert found == dt.date(2026, 3, 1)


def caesarean(days: int | None, surgery: dict[str, object] | None = None, *services: str) -> Verdict:
    answers = {"postpartum": yes(caesarean=True) if days is None else yes(caesarean=True, date=ago(days))}
    if surgery is not None:
        answers["recent_surgery"] = surgery
    return judged(answers, *(services or ("relaxation",))).verdict


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        (0, Verdict.BLOCK),
        (41, Verdict.BLOCK),
        (42, Verdict.CLEARANCE),
        (83, Verdict.CLEARANCE),
        (84, Verdict.CAUTION),
        (None, Verdict.BLOCK),
    ],
)
def test_caesarean_counts_as_an_operation_without_being_declared_as_one(
    days: int | None, expected: Verdict
) -> None:
    assert caesarean(days) is expected
    assert caesarean(days, {"present": False}) is expected


def test_birth_without_caesarean_is_no_operation() -> None:
    born = {"postpartum": yes(caesarean=False, date=ago(20))}
    assert judged(born, "relaxation").verdict is Verdict.CLEARANCE
    assert (
        judged({"postpartum": {"present": False, "caesarean": True}}, "relaxation").verdict is Verdict.CLEAR
    )


def test_caesarean_beside_another_operation_counts_from_the_newer_day() -> None:
    old = yes(date=ago(300), minor=False, complications=False)
    assert caesarean(20, old) is Verdict.BLOCK
    assert caesarean(50, old) is Verdict.CLEARANCE
    small = yes(date=ago(20), minor=True, complications=False, site=["left_foot"])
    assert caesarean(60, small) is Verdict.BLOCK
    assert caesarean(200, yes(date=ago(50), minor=False, complications=False)) is Verdict.CLEARANCE
    assert caesarean(200, yes(minor=False, complications=False)) is Verdict.BLOCK
    assert caesarean(50, yes(date=ago(50), complications=False)) is Verdict.BLOCK
