from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import pytest

from clinic.rules import page_reading
from clinic.rules.answers import read_answer, read_answers
from clinic.rules.page_reading import FieldError, read_day
from clinic.rules.questionnaire import (
    QUESTION_VERSION,
    Page,
    PageResult,
    as_form,
    pages,
    parse_page,
    unanswered,
)
from clinic.rules.rule_table import TABLE
from clinic.rules.screening import red_flags_in
from tests.rules.gate_cases import DAY, yes


def page_of(key: str, kind: str = "intake") -> Page:
    return next(page for page in pages(kind) if any(one.key == key for one in page.conditions))


def read(
    key: str, choice: str = "yes", details: Mapping[str, object] | None = None, *, none: bool = False
) -> PageResult:
    """Reads the page of ``key`` with everything else answered with no."""
    page = page_of(key)
    form = {f"c.{one.key}": ["no"] for one in page.conditions}
    form[f"c.{key}"] = [choice]
    for name, value in (details or {}).items():
        form[f"f.{key}.{name}"] = value if isinstance(value, list) else [str(value)]
    if none:
        form[f"none.{page.key}"] = ["1"]
    return parse_page(page, form, today=DAY)


def answer(key: str, **details: object) -> dict[str, object]:
    result = read(key, "yes", details)
    assert result.errors == {}
    assert not result.errors
    return result.answers[key]


def errors(key: str, **details: object) -> dict[str, str]:
    result = read(key, "yes", details)
    assert result.errors
    assert key not in result.answers
    return result.errors


def test_intake_asks_every_condition_once_in_ten_pages_with_red_flags_first_and_the_chart_last() -> None:
    asked = [one.key for page in pages("intake") for one in page.conditions]
    assert len(pages("intake")) == 11
    assert pages("intake")[-1].key == "chart"
    assert sorted(asked) == sorted(set(TABLE.asked) - {"alcohol_drugs_today"})
    urgent = [page.urgent for page in pages("intake")]
    assert urgent == [True, True] + [False] * 9
    assert all(page.title and page.intro and len(page.conditions) <= 10 for page in pages("intake"))


def test_checkin_asks_what_is_about_the_day_itself() -> None:
    asked = {one.key for page in pages("checkin") for one in page.conditions}
    assert asked == {
        "rf_chest_pain_breathless", "rf_saddle_numbness", "rf_bladder_bowel_loss", "rf_leg_weakness",
        "rf_limb_swelling", "rf_stroke_or_sudden_headache", "rf_unchecked_trauma", "rf_pregnancy_warning", "fever",
        "contagious_illness", "skin_infection", "alcohol_drugs_today",
    }  # fmt: skip
    assert [page.urgent for page in pages("checkin")] == [True, True, False]


def test_unknown_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="survey"):
        pages("survey")


def test_question_version_names_what_is_asked() -> None:
    assert QUESTION_VERSION.startswith("q-")
    assert len(QUESTION_VERSION) == 14


def test_none_of_these_answers_the_whole_page_with_no() -> None:
    page = pages("intake")[3]
    result = parse_page(page, {f"none.{page.key}": ["1"]}, today=DAY)
    assert result.errors == {}
    assert result.answers == {one.key: {"present": False} for one in page.conditions}


def test_unanswered_question_is_an_error_and_never_a_no() -> None:
    page = page_of("epilepsy")
    result = parse_page(page, {"c.epilepsy": ["no"], "c.stroke_tia": ["perhaps"]}, today=DAY)
    assert result.answers == {"epilepsy": {"present": False}}
    open_questions = {f"c.{one.key}" for one in page.conditions} - {"c.epilepsy"}
    assert result.errors == dict.fromkeys(open_questions, page_reading.CHOOSE)
    assert parse_page(page, {"c.epilepsy": []}, today=DAY).answers == {}


@pytest.mark.parametrize("choice", ["yes", "not_sure"])
def test_none_of_these_beside_a_yes_is_asked_back_and_answers_nothing_with_no(choice: str) -> None:
    page = page_of("epilepsy")
    form = {f"none.{page.key}": ["1"], "c.epilepsy": [choice]}
    result = parse_page(page, form, today=DAY)
    assert result.errors[f"none.{page.key}"] == page_reading.BOTH
    assert not any(answer["present"] is False for answer in result.answers.values())


def test_none_of_these_beside_no_is_fine() -> None:
    assert read("epilepsy", "no", none=True).errors == {}


def test_not_sure_is_present_without_details() -> None:
    result = read("diabetes", "not_sure", {"status": "controlled"})
    assert result.answers["diabetes"] == {"present": True, "not_sure": True}
    assert result.errors == {}


def test_yes_with_its_details_is_read() -> None:
    assert answer("diabetes", status="controlled", complications="no", insulin="yes") == {
        "present": True, "status": "controlled", "complications": False, "insulin": True,
    }  # fmt: skip
    assert answer("hernia", site=["groin", "abdomen", "groin"]) == yes(site=["abdomen", "groin"])
    assert answer("fever", fever_free_hours="24,5") == yes(fever_free_hours=24.5)
    assert answer("fever", fever_free_hours=" 24.0 ") == yes(fever_free_hours=24)
    assert answer("bleeding_disorder", type=" Haemophilia\x00 A\x1b ", bleed_last_4_weeks="no") == yes(
        type="Haemophilia  A", bleed_last_4_weeks=False
    )


def test_weeks_of_pregnancy_count_from_today_unless_said() -> None:
    normal = {"status": "confirmed", "weeks": "13", "high_risk": "no", "complication": "none"}
    assert answer("pregnancy", **normal)["weeks_as_of"] == "2026-03-16"
    assert answer("pregnancy", **normal, weeks_as_of="2026-03-01")["weeks_as_of"] == "2026-03-01"
    assert errors("pregnancy", **normal, weeks_as_of="2026-03") == {
        "f.pregnancy.weeks_as_of": page_reading.NO_DAY
    }
    assert errors("pregnancy", **normal, weeks_as_of="2026-03-17") == {
        "f.pregnancy.weeks_as_of": page_reading.NOT_YET
    }


def test_details_that_decide_have_to_be_given() -> None:
    missing = page_reading.MISSING
    assert errors("diabetes") == {"f.diabetes.status": missing, "f.diabetes.complications": missing}
    assert errors("diabetes", status="controlled") == {"f.diabetes.complications": missing}
    assert errors("fracture", date="2025-12-01") == {"f.fracture.site": missing}
    assert errors("open_wound_burn", type="burn") == {
        "f.open_wound_burn.site": missing, "f.open_wound_burn.extent": missing,
    }  # fmt: skip
    assert errors("implanted_device", site="neck") == {"f.implanted_device.device_type": missing}
    assert errors("doctor_said_no", reason="pain") == {"f.doctor_said_no.date": missing}
    assert errors("rf_leg_weakness") == {
        "f.rf_leg_weakness.new_or_worse": missing, "f.rf_leg_weakness.checked_by_doctor": missing,
    }  # fmt: skip


NAMED = (
    "Warfarin 5 mg", "APIXABAN, in the evening", "Eliquis", "Xarelto 20", "Coumadin", "Marcumar", "Phenprocoumon",
    "acenocoumarol", "Sintrom", "Enoxaparin", "Clexane", "Lovenox", "heparin shots", "fondaparinux", "Arixtra",
    "Pradaxa", "dabigatran etexilate", "Lixiana", "edoxaban", "fluindione", "aspirin and Eliquis",
    "rivaroxabán", "acenocumarol", "fenprocumón", "heparyna", "warfaryna", "ｗａｒｆａｒｉｎ",
    "Mono\u2013Embolex", "mono embolex",
)  # fmt: skip


@pytest.mark.parametrize("name", NAMED)
@pytest.mark.parametrize("kind", ["single_antiplatelet", "dual_antiplatelet"])
def test_a_blood_thinner_is_not_taken_for_a_weaker_kind(kind: str, name: str) -> None:
    found = errors("blood_thinners", med_class=kind, medication=name)
    assert found == {"f.blood_thinners.medication": page_reading.STRONGER}
    rest = {"stable_3_months": "yes", "bruising": "no"}
    assert answer("blood_thinners", med_class="anticoagulant", medication=name, **rest)["medication"] == name
    assert answer("blood_thinners", med_class=kind, medication="clopidogrel")["med_class"] == kind


def test_the_names_in_the_row_are_known() -> None:
    (field,) = (one for one in TABLE.asked["blood_thinners"].fields if one.name == "med_class")
    said = dict(field.choices)["anticoagulant"]
    for name in ("warfarin", "apixaban", "rivaroxaban", "edoxaban", "dabigatran", "heparin"):
        assert name in said
        assert any(one in name for one in page_reading.ANTICOAGULANTS)


@pytest.mark.parametrize(
    "name",
    [
        "aspirin, clopidogrel", "ASS 100 und Plavix", "Brilique with aspirin", "ASA + prasugrel", "ASS/Clopidogrel",
        "ASS, Clopidogrel", "ASA/Plavix", "ASS100 + Clopidogrel", "clopidogrel (ASS)", "Herz-ASS, Plavix", "aas+plavix",
        "ácido acetilsalicílico y clopidogrel", "DuoPlavin", "Asasantin", "Aggrenox", "Aspirín + Brilinta",
        "Plavix\u2013ASA", "Plavix\u2014ASA", "Plavix\u2011ASA", "ASS\u2022Clopidogrel", "Plavix\u3001ASA",
        "\u201cASA\u201d\u201cPlavix\u201d", "A.S.A. and Plavix", "Plavix, a.s.s",
    ],
)  # fmt: skip
def test_two_antiplatelets_are_not_taken_for_one(name: str) -> None:
    found = errors("blood_thinners", med_class="single_antiplatelet", medication=name)
    assert found == {"f.blood_thinners.medication": page_reading.TWO_OF_THEM}
    assert answer("blood_thinners", med_class="dual_antiplatelet", medication=name)["medication"] == name


@pytest.mark.parametrize(
    "name",
    [
        "aspirin 100 mg", "ASS", "clopidogrel", "Aspirin (acetylsalicylic acid)", "ASS 100, aspirin",
        "basso clopidogrel",
        "clopidogrel with glass of water", "Plavix as a blood thinner", "Plavix, asap", "clopidogrel a.s.a.p.", "",
    ],
)  # fmt: skip
def test_one_antiplatelet_is_one(name: str) -> None:
    found = answer("blood_thinners", med_class="single_antiplatelet", medication=name)
    assert found["med_class"] == "single_antiplatelet"


def test_details_that_decide_nothing_may_stay_empty() -> None:
    assert answer("blood_thinners", med_class="single_antiplatelet") == yes(med_class="single_antiplatelet")
    assert answer("steroids_long_term", status="current") == yes(status="current")
    assert answer("strong_painkillers") == yes()
    assert answer("heart_disease", type="angina_unstable") == yes(type="angina_unstable")


@pytest.mark.parametrize(
    "key",
    ["rf_chest_pain_breathless", "rf_saddle_numbness", "rf_limb_swelling", "rf_stroke_or_sudden_headache",
     "rf_pregnancy_warning"],
)  # fmt: skip
def test_no_question_stands_between_a_yes_and_the_urgent_message(key: str) -> None:
    result = read(key)
    assert result.errors == {}
    assert [flag.rule for flag in red_flags_in(result.answers, DAY)] == [key]


@pytest.mark.parametrize(
    ("key", "field", "typed", "message"),
    [
        ("diabetes", "status", "fine", page_reading.NO_CHOICE),
        ("diabetes", "complications", "true", page_reading.NO_CHOICE),
        ("stroke_tia", "date", "last year", page_reading.NO_DATE),
        ("stroke_tia", "date", "2026-02-30", page_reading.NO_SUCH_DAY),
        ("stroke_tia", "date", "2025-13", page_reading.NO_SUCH_DAY),
        ("stroke_tia", "date", "0000", page_reading.NO_DATE),
        ("stroke_tia", "date", "2026-03-17", page_reading.NOT_YET),
        ("stroke_tia", "date", "2026-04", page_reading.NOT_YET),
        ("stroke_tia", "date", "2027", page_reading.NOT_YET),
        ("stroke_tia", "date", "1905-01-01", page_reading.TOO_OLD),
        ("fever", "fever_free_hours", "a day", page_reading.NO_NUMBER),
        ("fever", "fever_free_hours", "-3", page_reading.NO_NUMBER),
        ("fever", "fever_free_hours", "1e3", page_reading.NO_NUMBER),
        ("fever", "fever_free_hours", "١٢", page_reading.NO_NUMBER),
        ("fever", "fever_free_hours", "100001", "This has to be between 0 and 100000."),
        ("fever", "fever_free_hours", "9" * 400, page_reading.NO_NUMBER),
        ("high_blood_pressure", "systolic", "49", "This has to be between 50 and 300."),
        ("high_blood_pressure", "systolic", "301", "This has to be between 50 and 300."),
        ("high_blood_pressure", "diastolic", "19", "This has to be between 20 and 200."),
        ("pregnancy", "weeks", "46", "This has to be between 0 and 45."),
        ("hernia", "site", "tail", page_reading.NO_AREA),
        ("weak_immune", "reason", "x" * 501, page_reading.TOO_LONG),
    ],
)
def test_wrong_detail_gets_a_message_at_its_field(key: str, field: str, typed: str, message: str) -> None:
    result = read(key, "yes", {field: typed})
    assert result.errors[f"f.{key}.{field}"] == message
    assert key not in result.answers
    assert result.typed[f"f.{key}.{field}"] == [typed]
    assert result.typed[f"c.{key}"] == ["yes"]


def test_edges_of_what_may_be_typed_are_taken() -> None:
    assert answer("weak_immune", reason="x" * 500)["reason"] == "x" * 500
    good = answer("high_blood_pressure", status="controlled", systolic="300", diastolic="20")
    assert (good["systolic"], good["diastolic"]) == (300, 20)
    assert answer("stroke_tia", date="1906-01-01")["date"] == "1906-01-01"
    assert answer("stroke_tia", date="2026-03-16")["date"] == "2026-03-16"


def test_what_is_not_of_this_page_is_ignored() -> None:
    page = page_of("epilepsy")
    form = {
        f"none.{page.key}": ["1"],
        "c.diabetes": ["yes"],
        "f.epilepsy.colour": ["red"],
        "csrf_token": ["x"],
    }
    result = parse_page(page, form, today=DAY)
    assert "diabetes" not in result.answers
    assert result.typed == {f"none.{page.key}": ["1"]}


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("2025-12-05", dt.date(2025, 12, 5)),
        ("2025-2-5", dt.date(2025, 2, 5)),
        ("2025-12", dt.date(2025, 12, 31)),
        ("2024-02", dt.date(2024, 2, 29)),
        ("2025-1", dt.date(2025, 1, 31)),
        ("2025", dt.date(2025, 12, 31)),
        ("2026-03", DAY),
        ("2026", DAY),
    ],
)
def test_month_or_year_counts_as_its_last_day_not_after_today(typed: str, expected: dt.date) -> None:
    assert read_day(typed, DAY) == expected


def test_time_that_has_begun_today_may_be_named() -> None:
    first = dt.date(2026, 1, 1)
    assert read_day("2026", first) == read_day("2026-01", first) == read_day("2026-01-01", first) == first


def test_whole_day_is_wanted_where_a_month_would_not_do() -> None:
    assert read_day("2026-03-01", DAY, whole_day=True) == dt.date(2026, 3, 1)
    with pytest.raises(FieldError, match="like 2026-03-16"):
        read_day("2026-03", DAY, whole_day=True)


def test_every_readable_answer_can_be_judged_and_shown_again() -> None:
    filled: dict[str, dict[str, object]] = {}
    samples = {
        "yes_no": ["yes"],
        "date": ["2025-12-05"],
        "number": ["60"],
        "text": ["a word"],
        "area": ["neck", "feet"],
    }
    for page in pages("intake"):
        form: dict[str, list[str]] = {}
        for one in page.conditions:
            form[f"c.{one.key}"] = ["yes"]
            for field in one.fields:
                typed = samples[field.type] if field.type != "choice" else [field.choice_keys[0]]
                form[f"f.{one.key}.{field.name}"] = ["20"] if field.name == "weeks" else typed
        result = parse_page(page, form, today=DAY)
        assert result.errors == {}
        again = as_form(page, result.answers)
        assert parse_page(page, again, today=DAY).answers == result.answers
        filled |= result.answers
    assert set(read_answers(filled)) == set(TABLE.asked) - {"alcohol_drugs_today"}
    assert unanswered(filled, "intake") == ()


def test_as_form_shows_no_not_sure_and_what_is_open() -> None:
    page = page_of("epilepsy")
    answers: dict[str, dict[str, object]] = {
        "epilepsy": {"present": False},
        "stroke_tia": yes(not_sure=True),
        "ms_parkinsons": yes(relapse_now=True),
    }
    assert as_form(page, answers) == {
        "c.stroke_tia": ["not_sure"],
        "c.epilepsy": ["no"],
        "c.ms_parkinsons": ["yes"],
        "f.ms_parkinsons.relapse_now": ["yes"],
    }
    all_no = {one.key: {"present": False} for one in page.conditions}
    assert as_form(page, all_no)[f"none.{page.key}"] == ["1"]
    assert as_form(page, {}) == {}


def test_unanswered_names_what_is_still_open() -> None:
    asked = [one.key for page in pages("intake") for one in page.conditions if one.key in TABLE.conditions]
    assert list(unanswered({}, "intake")) == asked
    answers: dict[str, dict[str, object]] = {key: {"present": False} for key in asked}
    assert unanswered(answers, "intake") == ()
    answers["epilepsy"] = {"status": "controlled"}
    answers["fever"] = {"present": "no"}
    assert unanswered(answers, "intake") == ("fever", "epilepsy")
    assert "alcohol_drugs_today" in unanswered(answers, "checkin")


def test_every_choice_of_every_condition_can_be_answered() -> None:
    for condition in TABLE.conditions.values():
        for field in condition.fields:
            assert field.question
            for key, label in field.choices:
                assert label
                declared = read_answer(condition.key, yes(**{field.name: key}))
                assert declared is not None
                assert declared.details == {field.name: key}


def test_what_helps_to_answer_a_detail_is_kept_with_it() -> None:
    by_name = TABLE.conditions["rf_bladder_bowel_loss"].fields_by_name
    assert by_name["new_or_worse"].help == "it is new or getting worse"
    assert by_name["checked_by_doctor"].help == "a doctor has looked at this and told you the cause"


@pytest.mark.parametrize(
    ("top", "bottom", "is_wrong"),
    [
        ("80", "190", True),
        ("120", "120", False),
        ("121", "120", False),
        ("190", "80", False),
        ("80", "", False),
    ],
)
def test_the_numbers_of_a_blood_pressure_are_not_taken_for_each_other(
    top: str, bottom: str, is_wrong: bool
) -> None:
    typed = {"status": "controlled", "systolic": top, "diastolic": bottom}
    found = read("high_blood_pressure", "yes", {name: value for name, value in typed.items() if value}).errors
    assert (found.get("f.high_blood_pressure.systolic") == page_reading.SWAPPED) is is_wrong
