"""What an intake's answers look like: every question with its details, as rules/answers.py reads them."""

from __future__ import annotations

from typing import Any

from clinic.rules import questionnaire
from clinic.rules.answers import LARGEST_NUMBER
from clinic.rules.body_areas import AREAS
from clinic.rules.conditions import Condition, Field
from clinic.rules.rule_table import TABLE


def answers_schema() -> dict[str, Any]:
    """Every question is asked and answered; a detail may be left out, which counts as the strictest. The body chart
    may be left out as well."""
    asked = questionnaire.unanswered({}, "intake")
    return {
        "type": "object",
        "properties": {key: _answer(one) for key, one in TABLE.asked.items()},
        "required": list(asked),
        "additionalProperties": False,
    }


def _answer(condition: Condition) -> dict[str, Any]:
    details = {one.name: {"anyOf": [_detail(one), {"type": "null"}]} for one in condition.fields}
    return {
        "type": "object",
        "properties": {
            "present": {"type": "boolean"},
            "not_sure": {"type": "boolean"},
            "changed_on": {"anyOf": [_day(), {"type": "null"}]},
            **details,
        },
        "required": ["present"],
        "additionalProperties": False,
    }


def _detail(field: Field) -> dict[str, Any]:
    match field.type:
        case "yes_no":
            return {"type": "boolean"}
        case "date":
            return _day()
        case "number":
            return {"type": "number", "minimum": 0, "maximum": LARGEST_NUMBER}
        case "area":
            return {"type": "array", "items": {"type": "string", "enum": list(AREAS)}}
        case "choice":
            return {"type": "string", "enum": list(field.choice_keys)}
    return {"type": "string", "pattern": "^[^\\x00]*$"}


def _day() -> dict[str, Any]:
    return {"$ref": "#/components/schemas/DayOfALife"}
