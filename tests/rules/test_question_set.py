"""The wording of the questions as it is kept, and answers read back in the wording they were asked in."""

from __future__ import annotations

import copy
import json

import pytest

from clinic.rules import question_set
from clinic.rules.check_in import TOPICS
from clinic.rules.conditions import OCCASIONS
from clinic.rules.question_set import NOT_ASKED, QUESTION_VERSION, answered, as_asked
from clinic.rules.questionnaire import pages
from clinic.rules.rule_table import TABLE

LEG = {"present": True, "site": ["left_lower_leg"], "status": "quiet"}


def test_every_question_detail_choice_and_topic_is_kept_as_plain_values() -> None:
    kept = json.loads(json.dumps(as_asked()))
    asked = {one.key: one for kind in OCCASIONS for page in pages(kind) for one in page.conditions}
    assert {one["key"]: one["question"] for one in kept["conditions"]} == {
        key: one.question for key, one in asked.items()
    }
    by_key = {one["key"]: one for one in kept["conditions"]}
    for condition in asked.values():
        fields = by_key[condition.key]["fields"]
        assert [(one["name"], one["question"]) for one in fields] == [
            (field.name, field.question) for field in condition.fields
        ]
        assert [one["choices"] for one in fields] == [
            [list(pair) for pair in field.choices] for field in condition.fields
        ]
    assert [one["title"] for one in kept["topics"]] == [one.title for one in TOPICS]
    assert [one["title"] for one in kept["pages"]] == [one.title for one in TABLE.pages]


def test_the_version_is_a_hash_of_every_kept_word(monkeypatch: pytest.MonkeyPatch) -> None:
    assert question_set.question_version(TABLE.asked.values()) == QUESTION_VERSION
    for part, word in (("topics", "detail"), ("pages", "intro"), ("conditions", "examples")):
        changed = copy.deepcopy(as_asked())
        changed[part][0][word] += " Or other."
        monkeypatch.setattr(question_set, "as_asked", lambda _conditions, changed=changed: changed)
        assert question_set.question_version(TABLE.asked.values()) != QUESTION_VERSION
        monkeypatch.undo()


def test_answers_are_read_in_the_wording_they_were_asked_in() -> None:
    kept = as_asked()
    old = next(one for one in kept["conditions"] if one["key"] == "varicose_veins")
    old["question"] = "Do you have bad veins?"
    status = next(one for one in old["fields"] if one["name"] == "status")
    status["question"], status["choices"] = "How bad?", [["quiet", "not bad"]]
    one = next(one for one in answered(kept, {"varicose_veins": LEG}) if one.rule == "varicose_veins")
    assert (one.question, one.answer) == ("Do you have bad veins?", "Yes")
    assert ("How bad?", "not bad") in one.details
    assert "Left lower leg" in dict(one.details).values()


def test_no_not_sure_and_no_answer_are_three_things() -> None:
    said = {
        "fever": {"present": False},
        "varicose_veins": {"present": True, "not_sure": True},
    }
    found = {one.rule: one for one in answered(as_asked(), said)}
    assert (found["fever"].answer, found["fever"].is_declared) == ("No", False)
    assert (found["varicose_veins"].answer, found["varicose_veins"].details) == ("Not sure", ())
    assert found["varicose_veins"].is_declared
    assert (found["diabetes"].answer, found["diabetes"].is_declared) == (NOT_ASKED, False)


def test_without_the_wording_the_answers_are_still_there() -> None:
    found = answered(None, {"varicose_veins": LEG, "fever": {"present": False}})
    assert [(one.question, one.answer) for one in found] == [("Varicose veins", "Yes"), ("Fever", "No")]
    assert ("Status", "quiet") in found[0].details


def test_an_answer_that_the_wording_does_not_know_comes_last() -> None:
    found = answered(as_asked(), {"once_asked": {"present": True, "since": "May"}})
    assert (found[-1].question, found[-1].details) == ("Once asked", (("Since", "May"),))
