"""What is said about a case that cannot be judged, and that the areas of a case count."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from clinic.rules.screen_case import CaseError, judge_case
from tests.rules.gate_cases import yes

CASE: dict[str, Any] = {
    "id": "one",
    "client": {"age": 40},
    "appointment_date": "2026-03-16",
    "service": "swedish",
    "requested_areas": ["full_body"],
    "answers": {},
    "intake": {"completed_on": "2026-03-09"},
}
LETTER = {
    "condition": "epilepsy",
    "services": ["swedish"],
    "issued_on": "2026-03-01",
    "issued_by": "physician",
}
MINOR = {"age": 16, "guardian_consent": {"will_be_in_room": "yes"}}
CHAMBER = "the interval chamber goes with vacuum decompression only, without magnets"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"id": 7}, "case ?, id: needs a text"),
        ({"color": "red"}, "case one, color: unknown field"),
        ({"client": "Ann"}, "case one, client: needs an object"),
        ({"client": {}}, "case one, client.age: is missing, and so is born_on"),
        ({"client": {"age": "40"}}, "case one, client.age: needs whole years"),
        ({"client": {"born_on": "2026-03-17"}}, "case one, client.born_on: lies after the visit"),
        ({"client": {"born_on": "1986-03-16", "age": 39}}, "case one, client.age: does not fit born_on"),
        ({"client": MINOR}, "case one, client.guardian_consent.will_be_in_room: needs true or false"),
        ({"appointment_date": "2026-02-29"}, "case one, appointment_date: there is no day 2026-02-29"),
        ({"appointment_date": dt.date(2026, 3, 16)}, "case one, appointment_date: needs a day like 2026-03-16"),
        ({"service": "sauna"}, "case one, service: unknown word 'sauna'"),
        ({"mode": "hot"}, "case one, mode: unknown word 'hot'"),
        ({"mode": "interval"}, f"case one, mode: {CHAMBER}"),
        ({"addons": "hot_stone"}, "case one, addons: needs a list"),
        ({"addons": ["sauna"]}, "case one, addons[0]: unknown word 'sauna'"),
        ({"answers": {"fever": True}}, "case one, answers.fever: needs an object"),
        ({"answers": {"fever": yes(hours=3)}}, "case one, answers.fever.hours: unknown field"),
        ({"answers": {"fever": yes(not_sure=True)}}, "case one, answers.fever.not_sure: unknown field"),
        ({"clearances": [{**LETTER, "issued_by": "me"}]}, "case one, clearances[0].issued_by: unknown word 'me'"),
        ({"existing_booking": {"status": 3}}, "case one, existing_booking.status: needs a text"),
        ({"existing_booking": {"service": "sauna"}}, "case one, existing_booking.service: unknown word 'sauna'"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_case_is_said(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(CaseError) as refused:
        judge_case({**CASE, **changes})
    assert str(refused.value) == said


def test_what_is_no_object_is_called_a_case() -> None:
    with pytest.raises(CaseError) as refused:
        judge_case(3)
    assert str(refused.value) == "case ?, case: needs an object"


@pytest.mark.parametrize(
    ("areas", "verdict"), [(["upper_back"], "caution"), (["left_leg"], "block"), (["full_body"], "caution")]
)
def test_the_areas_of_a_case_count(areas: list[str], verdict: str) -> None:
    knee = {"fracture": yes(date="2026-03-01", site=["left_knee"])}
    assert judge_case({**CASE, "requested_areas": areas, "answers": knee})["verdict"] == verdict
