from __future__ import annotations

import copy
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from clinic.rules.rule_table import TABLE
from clinic.rules.screen_case import CaseError, judge, judge_case, object_of
from tests.rules.gate_cases import ago, yes

EXAMPLES: list[dict[str, Any]] = json.loads(
    Path(__file__).with_name("screen_examples.json").read_text(encoding="utf-8")
)
HEALTHY: dict[str, Any] = {
    "id": "healthy",
    "client": {"age": 40},
    "intake_date": "2026-03-09",
    "appointment_date": "2026-03-16",
    "service": "swedish",
    "mode": None,
    "addons": [],
    "requested_areas": ["full_body"],
    "answers": {},
    "clearances": [],
    "intake": {"completed_on": "2026-03-09"},
    "existing_booking": None,
}
CONSENT = "client.guardian_consent"
HERE, AWAY = ({"signed_on": "2026-03-01", "will_be_in_room": here} for here in (True, False))
LETTER = {
    "condition": "epilepsy",
    "services": ["swedish"],
    "issued_on": "2026-03-01",
    "issued_by": "physician",
}


def case(**changes: Any) -> dict[str, Any]:
    return {**copy.deepcopy(HEALTHY), **changes}


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: str(example["title"]))
def test_worked_examples_come_out_exactly(example: dict[str, Any]) -> None:
    result = judge_case(example["case"])
    assert {key: result[key] for key in example["result"]} == example["result"]
    assert result["id"] == example["case"]["id"]


def test_result_has_the_fields_of_the_format() -> None:
    answers = {
        "recent_surgery": yes(date=ago(50), minor=False, complications=False),
        "fever": {"present": False},
    }
    result = judge_case(case(answers=answers, addons=["hot_stone"]))
    assert result == {
        "id": "healthy",
        "verdict": "clearance",
        "urgency": "none",
        "booking": "hold_until_clearance",
        "addon_verdicts": {"hot_stone": "clearance"},
        "existing_booking": None,
        "findings": [
            {
                "rule": "recent_surgery",
                "verdict": "clearance",
                "reason": TABLE.conditions["recent_surgery"].plain_reason,
                "source": "SEED002; SEED000; R03; R36; R52; R24",
                "until": "2026-04-19",
            }
        ],
        "rules_version": TABLE.version,
    }
    assert "until" not in judge_case(case(answers={"epilepsy": yes()}))["findings"][0]  # type: ignore[index]


@pytest.mark.parametrize(
    ("changes", "booking", "existing"),
    [
        ({}, "allow", "keep"),
        ({"answers": {"strong_painkillers": yes()}}, "allow_flag_therapist", "keep_flag_therapist"),
        ({"answers": {"epilepsy": yes()}}, "hold_until_clearance", "suspend_until_clearance"),
        ({"client": {"age": 16}}, "needs_guardian_consent", "suspend_until_clearance"),
        ({"intake": None}, "needs_intake", "suspend_until_clearance"),
        ({"intake": {"completed_on": None}}, "needs_intake", "suspend_until_clearance"),
        ({"intake": {"completed_on": "2025-03-15"}}, "needs_intake", "suspend_until_clearance"),
        ({"intake": {"completed_on": "2025-03-16"}}, "allow", "keep"),
        ({"answers": {"alcohol_drugs_today": yes()}}, "refuse", "cancel"),
        ({"answers": {"fever": yes()}}, "refuse_urgent", "cancel"),
    ],
)
def test_existing_booking_follows_the_outcome(changes: dict[str, Any], booking: str, existing: str) -> None:
    result = judge_case(case(existing_booking={"status": "confirmed", "service": "swedish"}, **changes))
    assert (result["booking"], result["existing_booking"]) == (booking, existing)
    assert judge_case(case(**changes))["existing_booking"] is None


@pytest.mark.parametrize(
    ("client", "booking"),
    [
        ({"age": 16, "guardian_consent": AWAY}, "allow_flag_therapist"),
        ({"age": 15, "guardian_consent": AWAY}, "needs_guardian_consent"),
        ({"age": 15, "guardian_consent": {"signed_on": "2026-03-01"}}, "needs_guardian_consent"),
        ({"age": 15, "guardian_consent": HERE}, "allow_flag_therapist"),
        ({"age": 17, "guardian_consent": {"will_be_in_room": True}}, "needs_guardian_consent"),
        ({"age": 17, "guardian_consent": None}, "needs_guardian_consent"),
        ({"born_on": "2026-03-16"}, "needs_guardian_consent"),
        ({"age": 0}, "needs_guardian_consent"),
        ({"age": 130}, "allow_flag_therapist"),
        ({"born_on": "2008-03-16"}, "allow"),
        ({"born_on": "2008-03-17"}, "needs_guardian_consent"),
        ({"born_on": "2008-03-16", "age": 18}, "allow"),
    ],
)  # fmt: skip
def test_age_and_consent_are_read(client: dict[str, Any], booking: str) -> None:
    assert judge_case(case(client=client))["booking"] == booking


@pytest.mark.parametrize(
    ("letter", "verdict"),
    [
        (LETTER, "caution"),
        ({**LETTER, "issued_by": "massage_therapist"}, "clearance"),
        ({**LETTER, "services": ["relaxation"]}, "clearance"),
        ({**LETTER, "services": []}, "clearance"),
        ({**LETTER, "expires_on": "2026-03-16"}, "caution"),
        ({**LETTER, "expires_on": "2026-03-15"}, "clearance"),
        ({**LETTER, "expires_on": None, "withdrawn_on": None}, "caution"),
        ({**LETTER, "withdrawn_on": "2026-03-10"}, "clearance"),
    ],
)
def test_clearances_are_read(letter: dict[str, Any], verdict: str) -> None:
    assert judge_case(case(answers={"epilepsy": yes()}, clearances=[letter]))["verdict"] == verdict


def test_optional_fields_may_be_left_out() -> None:
    for field in ("intake_date", "mode", "addons", "clearances", "existing_booking"):
        without = case()
        del without[field]
        assert judge_case(without)["booking"] == "allow"


def test_chamber_is_judged_as_such() -> None:
    answers = {"low_blood_pressure": yes()}
    chamber = case(service="decompression_vacuum", mode="interval", answers=answers)
    assert judge_case(chamber)["verdict"] == "clearance"
    assert judge_case({**chamber, "mode": None})["verdict"] == "caution"


@pytest.mark.parametrize(
    "field", ["id", "client", "appointment_date", "service", "requested_areas", "answers", "intake"]
)
def test_needed_field_must_be_there(field: str) -> None:
    without = case()
    del without[field]
    with pytest.raises(CaseError) as caught:
        judge_case(without)
    assert caught.value.field == field
    assert caught.value.problem == "is missing"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"id": 7}, "id"),
        ({"color": "red"}, "color"),
        ({"client": "Ann"}, "client"),
        ({"client": {}}, "client.age"),
        ({"client": {"age": "40"}}, "client.age"),
        ({"client": {"age": True}}, "client.age"),
        ({"client": {"age": -1}}, "client.age"),
        ({"client": {"age": 131}}, "client.age"),
        ({"client": {"age": 40.0}}, "client.age"),
        ({"client": {"age": 40, "name": "Ann"}}, "client.name"),
        ({"client": {"born_on": "2026-03-17"}}, "client.born_on"),
        ({"client": {"born_on": "1986-02-30"}}, "client.born_on"),
        ({"client": {"born_on": "1986-03-16", "age": 39}}, "client.age"),
        ({"client": {"age": 16, "guardian_consent": True}}, "client.guardian_consent"),
        ({"client": {"age": 16, "guardian_consent": {"signed_on": "soon"}}}, "client.guardian_consent.signed_on"),
        ({"client": {"age": 16, "guardian_consent": {"will_be_in_room": "yes"}}}, f"{CONSENT}.will_be_in_room"),
        ({"client": {"age": 16, "guardian_consent": {"by": "mum"}}}, "client.guardian_consent.by"),
        ({"intake_date": "2026-13-01"}, "intake_date"),
        ({"appointment_date": "2026-02-29"}, "appointment_date"),
        ({"appointment_date": None}, "appointment_date"),
        ({"appointment_date": 20260316}, "appointment_date"),
        ({"service": "sauna"}, "service"),
        ({"service": "hot_stone"}, "service"),
        ({"service": ["swedish"]}, "service"),
        ({"mode": "chamber"}, "mode"),
        ({"mode": "interval"}, "mode"),
        ({"mode": "interval", "service": "decompression_vacuum_magnetic"}, "mode"),
        ({"mode": ""}, "mode"),
        ({"addons": ["sauna"]}, "addons[0]"),
        ({"addons": "hot_stone"}, "addons"),
        ({"addons": [["hot_stone"]]}, "addons[0]"),
        ({"requested_areas": ["neck", "tail"]}, "requested_areas[1]"),
        ({"requested_areas": None}, "requested_areas"),
        ({"answers": []}, "answers"),
        ({"answers": {"flu": yes()}}, "answers.flu.key"),
        ({"answers": {"fever": True}}, "answers.fever"),
        ({"answers": {"fever": {}}}, "answers.fever.present"),
        ({"answers": {"fever": {"present": 1}}}, "answers.fever.present"),
        ({"answers": {"fever": yes(hours=3)}}, "answers.fever.hours"),
        ({"answers": {"fever": yes(not_sure=True)}}, "answers.fever.not_sure"),
        ({"answers": {"fever": yes(fever_free_hours="3")}}, "answers.fever.fever_free_hours"),
        ({"answers": {"fracture": yes(date="2026-02-30")}}, "answers.fracture.date"),
        ({"answers": {"fracture": yes(changed_on="2026-02-30")}}, "answers.fracture.changed_on"),
        ({"answers": {"fracture": yes(site="left_hand")}}, "answers.fracture.site"),
        ({"clearances": {}}, "clearances"),
        ({"clearances": ["x"]}, "clearances[0]"),
        ({"clearances": [LETTER, {**LETTER, "issued_by": "barber"}]}, "clearances[1].issued_by"),
        ({"clearances": [{**LETTER, "condition": "flu"}]}, "clearances[0].condition"),
        ({"clearances": [{**LETTER, "services": ["sauna"]}]}, "clearances[0].services[0]"),
        ({"clearances": [{**LETTER, "issued_on": "2026-02-30"}]}, "clearances[0].issued_on"),
        ({"clearances": [{**LETTER, "expires_on": "x"}]}, "clearances[0].expires_on"),
        ({"clearances": [{**LETTER, "withdrawn_on": 3}]}, "clearances[0].withdrawn_on"),
        ({"clearances": [{**LETTER, "note": "x"}]}, "clearances[0].note"),
        ({"intake": "2026-03-09"}, "intake"),
        ({"intake": {"completed_on": "x"}}, "intake.completed_on"),
        ({"intake": {"signed": "2026-03-09"}}, "intake.signed"),
        ({"existing_booking": "yes"}, "existing_booking"),
        ({"existing_booking": {"status": 3}}, "existing_booking.status"),
        ({"existing_booking": {"made_on": "x"}}, "existing_booking.made_on"),
        ({"existing_booking": {"service": "sauna"}}, "existing_booking.service"),
        ({"existing_booking": {"room": 3}}, "existing_booking.room"),
    ],
)  # fmt: skip
def test_case_that_cannot_be_judged_names_the_case_and_the_field(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(CaseError) as caught:
        judge_case(case(**changes))
    assert caught.value.field == field
    assert caught.value.case_id == ("?" if "id" in changes else "healthy")
    assert str(caught.value) == f"case {caught.value.case_id}, {field}: {caught.value.problem}"


@pytest.mark.parametrize("nonsense", [None, 3, "case", [3], [[]], True])
def test_what_is_no_case_at_all_is_refused(nonsense: object) -> None:
    with pytest.raises(CaseError, match="case"):
        judge(nonsense)


def test_list_is_judged_in_its_order() -> None:
    results = judge([case(id="b"), case(id="a")])
    assert isinstance(results, list)
    assert [result["id"] for result in results] == ["b", "a"]
    assert judge([]) == []
    single = judge(case())
    assert isinstance(single, dict)
    with pytest.raises(CaseError, match="case bad, service"):
        judge([case(), case(id="bad", service="sauna")])


@pytest.mark.parametrize("nameless", [case(id=7), {"service": "swedish"}, None])
def test_case_without_an_id_is_named_by_its_place_in_the_list(nameless: object) -> None:
    with pytest.raises(CaseError, match=r"^case number 2 of the list, "):
        judge([case(), nameless])


def test_judging_loads_neither_web_server_nor_database() -> None:
    command = (
        "import sys, clinic.rules.screen_case, clinic.rules.questionnaire;"
        "assert not {'flask', 'sqlalchemy', 'wtforms', 'werkzeug'} & sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", command], check=True, cwd=Path(__file__).parents[2])


def test_event_after_the_full_intake_needs_a_new_one() -> None:
    broken = {"fracture": yes(date="2026-03-01", site=["left_foot"])}
    known = judge_case(case(answers=broken, intake={"completed_on": "2026-03-01"}))
    assert (known["verdict"], known["booking"]) == ("caution", "allow_flag_therapist")
    since = judge_case(case(answers=broken, intake={"completed_on": "2026-02-28"}))
    assert (since["verdict"], since["booking"]) == ("caution", "needs_intake")


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ('"minor": false', '"minor": true, "minor": false', "answers.recent_surgery.minor"),
        ('"answers": {', '"answers": {"recent_surgery": {"present": false}, ', "answers.recent_surgery"),
        ('"age": 40', '"age": 40, "age": 40', "client.age"),
        ('"service": "swedish"', '"service": "swedish", "service": "relaxation"', "service"),
    ],
)
def test_field_that_is_there_twice_is_refused(old: str, new: str, field: str) -> None:
    text = json.dumps(case(answers={"recent_surgery": yes(minor=False)}))
    assert old in text
    with pytest.raises(CaseError) as error:
        judge(json.loads(text.replace(old, new), object_pairs_hook=object_of))
    assert (error.value.case_id, error.value.field) == ("healthy", field)
    assert error.value.problem == "is there twice"


def run_screen(text: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "clinic", "screen", "-"]
    return subprocess.run(
        command, input=text, capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2]
    )


def test_command_returns_any_id_unchanged() -> None:
    ran = run_screen(json.dumps(case(id="\ud800 é")))
    assert (ran.returncode, ran.stderr) == (0, "")
    assert json.loads(ran.stdout)["id"] == "\ud800 é"


def test_command_refuses_a_doubled_field() -> None:
    ran = run_screen(json.dumps(case()).replace('"age": 40', '"age": 40, "age": 41'))
    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr == "case healthy, client.age: is there twice\n"
