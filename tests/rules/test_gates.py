from __future__ import annotations

import datetime as dt

import pytest

from clinic.rules.answers import read_answers
from clinic.rules.gates import (
    NO_CONSENT,
    NO_INTAKE,
    STANDARD,
    GateSettings,
    GuardianConsent,
    gates_not_passed,
    is_consent_given,
    is_intake_in_date,
    is_overtaken,
)
from tests.rules.gate_cases import DAY, ago, yes


def day_before(days: int) -> dt.date:
    return DAY - dt.timedelta(days=days)


@pytest.mark.parametrize(
    ("age", "days", "expected"),
    [
        (40, 0, True),
        (40, 365, True),
        (40, 366, False),
        (40, -1, False),
        (18, 365, True),
        (17, 182, True),
        (17, 183, False),
    ],
)
def test_intake_holds_a_year_and_half_a_year_for_minors(age: int, days: int, expected: bool) -> None:
    assert is_intake_in_date(day_before(days), DAY, age) is expected


def test_no_intake_is_never_in_date() -> None:
    assert not is_intake_in_date(None, DAY, 40)


@pytest.mark.parametrize(
    "key",
    ["recent_surgery", "spinal_surgery", "joint_replacement", "pacemaker_icd", "aneurysm", "heart_disease",
     "stroke_tia", "blood_clot", "fracture", "spine_instability", "postpartum"],
)  # fmt: skip
def test_operation_clot_or_the_like_overtakes_the_full_intake_before_it(key: str) -> None:
    declared = read_answers({key: yes(date=ago(99))})
    assert is_overtaken(day_before(100), declared)
    assert not is_overtaken(day_before(99), declared)
    assert not is_overtaken(None, declared)


def test_pregnancy_begun_since_overtakes_the_full_intake() -> None:
    declared = read_answers({"pregnancy": yes(weeks=14, weeks_as_of=ago(1))})
    assert is_overtaken(day_before(100), declared)
    assert not is_overtaken(day_before(99), declared)


@pytest.mark.parametrize(
    ("key", "details"),
    [
        ("cancer_active", {}),
        ("cancer_metastatic", {"bone_metastases": False}),
        ("bad_reaction_before", {"severity": "mild"}),
        ("heart_disease", {"type": "angina_stable"}),
        ("pregnancy", {"status": "possible"}),
    ],
)
def test_what_has_no_date_overtakes_the_full_intake_when_it_was_declared_after_it(
    key: str, details: dict[str, object]
) -> None:
    declared = read_answers({key: yes(**details, changed_on=ago(99))})
    assert is_overtaken(day_before(100), declared)
    assert not is_overtaken(day_before(99), declared)
    assert not is_overtaken(day_before(100), read_answers({key: yes(**details)}))


def test_a_date_given_says_more_than_the_day_it_was_told() -> None:
    known_before = yes(date=ago(200), changed_on=ago(1))
    assert not is_overtaken(day_before(100), read_answers({"recent_surgery": known_before}))
    weeks_brought_up_to_date = yes(weeks=30, weeks_as_of=ago(1), changed_on=ago(1))
    assert not is_overtaken(day_before(100), read_answers({"pregnancy": weeks_brought_up_to_date}))


def test_what_is_no_event_of_that_kind_leaves_the_full_intake_alone() -> None:
    assert not is_overtaken(day_before(9), read_answers({"acute_injury": yes(date=ago(1))}))
    assert not is_overtaken(day_before(9), read_answers({"fracture": yes(), "pregnancy": yes(weeks=5)}))
    assert not is_overtaken(day_before(9), read_answers({"acute_injury": yes(changed_on=ago(1))}))
    assert not is_overtaken(day_before(9), {})


def consent(signed: int = 10, *, in_room: bool = False, **more: object) -> GuardianConsent:
    return GuardianConsent(day_before(signed), in_room, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("age", "given", "expected"),
    [
        (18, None, True),
        (17, None, False),
        (17, GuardianConsent(None, will_be_in_room=True), False),
        (17, consent(), True),
        (16, consent(), True),
        (15, consent(), False),
        (15, consent(in_room=True), True),
        (17, consent(365), True),
        (17, consent(366), False),
        (17, consent(-1), False),
        (17, consent(0), True),
        (17, consent(withdrawn_on=DAY), False),
        (17, consent(withdrawn_on=day_before(-1)), True),
        (17, consent(services=frozenset({"sports", "hot_stone"})), True),
        (17, consent(services=frozenset({"sports", "swedish"})), False),
    ],
)
def test_guardian_consent(age: int, given: GuardianConsent | None, expected: bool) -> None:
    assert is_consent_given(given, ["sports", "hot_stone"], DAY, age) is expected


def test_a_consent_that_does_not_count_agrees_to_nothing() -> None:
    assert is_consent_given(consent(365), [], DAY, 17)
    assert not is_consent_given(consent(366), [], DAY, 17)


def test_ages_and_lengths_are_settings() -> None:
    settings = GateSettings(
        guardian_age=16, in_room_age=12, intake_days=100, minor_intake_days=50, consent_days=20
    )
    assert is_consent_given(None, ["sports"], DAY, 16, settings)
    assert not is_consent_given(None, ["sports"], DAY, 15, settings)
    assert is_consent_given(consent(20), ["sports"], DAY, 13, settings)
    assert not is_consent_given(consent(20), ["sports"], DAY, 12, settings)
    assert not is_consent_given(consent(21), ["sports"], DAY, 13, settings)
    assert is_intake_in_date(day_before(100), DAY, 16, settings)
    assert not is_intake_in_date(day_before(101), DAY, 16, settings)
    assert is_intake_in_date(day_before(50), DAY, 15, settings)
    assert not is_intake_in_date(day_before(51), DAY, 15, settings)


def test_gates_are_judged_by_the_clinics_own_settings() -> None:
    settings = GateSettings(guardian_age=16, minor_intake_days=50)
    assert gates_not_passed(day_before(100), None, ("sports",), DAY, 16, settings) == ()
    assert gates_not_passed(day_before(51), consent(1), ("sports",), DAY, 15, settings) == (
        NO_INTAKE,
        NO_CONSENT,
    )
    shorter = GateSettings(intake_days=10)
    assert gates_not_passed(day_before(11), None, ("sports",), DAY, 40, shorter) == (NO_INTAKE,)


def test_gates_not_passed_are_listed_with_the_strongest_first() -> None:
    assert gates_not_passed(DAY, None, ("sports",), DAY, 40, STANDARD) == ()
    assert gates_not_passed(None, None, ("sports",), DAY, 40, STANDARD) == (NO_INTAKE,)
    assert gates_not_passed(DAY, None, ("sports",), DAY, 16, STANDARD) == (NO_CONSENT,)
    assert gates_not_passed(None, None, ("sports",), DAY, 16, STANDARD) == (NO_INTAKE, NO_CONSENT)


@pytest.mark.parametrize(
    ("age", "days", "expected"),
    [
        (40, 30, ()),
        (40, 31, (NO_INTAKE,)),
        (16, 30, ()),  # grown up by this clinic's own age: no consent, and the life of an adult's answers
        (15, 20, (NO_CONSENT,)),
        (15, 21, (NO_INTAKE, NO_CONSENT)),
    ],
)
def test_gates_go_by_the_ages_and_lives_that_the_clinic_has_set(
    age: int, days: int, expected: tuple[object, ...]
) -> None:
    own = GateSettings(guardian_age=16, in_room_age=13, intake_days=30, minor_intake_days=20)
    assert gates_not_passed(day_before(days), None, ("swedish",), DAY, age, own) == expected
