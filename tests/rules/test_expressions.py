from __future__ import annotations

import pytest

from clinic.rules.expressions import ABSENT, Expression, ExpressionError, Name, compile_expression

NAMES = {
    "days": Name("number"),
    "weeks": Name("number"),
    "minor": Name("yes_no"),
    "known": Name("yes_no"),
    "kind": Name("choice", frozenset({"past", "current", "other"})),
    "fracture": Name("yes_no"),
    "fracture.days": Name("number"),
}


def compiled(text: str) -> Expression:
    return compile_expression(text, NAMES.get)


def truth(text: str, **values: object) -> bool | None:
    dotted = {name.replace("__", "."): value for name, value in values.items()}
    return compiled(text).test(dotted.get)


@pytest.mark.parametrize(
    ("text", "days", "expected"),
    [
        ("days < 84", 83, True),
        ("days < 84", 84, False),
        ("days <= 84", 84, True),
        ("days <= 84", 85, False),
        ("days > 84", 84, False),
        ("days > 84", 85, True),
        ("days >= 84", 84, True),
        ("days >= 84", 83, False),
        ("days >= 84", 83.5, False),
    ],
)
def test_number_is_compared(text: str, days: float, expected: bool) -> None:
    assert truth(text, days=days) is expected


def test_choice_and_yes_no_are_compared() -> None:
    assert truth("kind == 'past'", kind="past") is True
    assert truth("kind == 'past'", kind="current") is False
    assert truth("kind != 'past'", kind="past") is False
    assert truth("kind != 'past'", kind="current") is True
    assert truth("kind in ('past', 'current')", kind="current") is True
    assert truth("kind in ('past', 'current')", kind="other") is False
    assert truth("minor==True", minor=True) is True
    assert truth("minor==True", minor=False) is False
    assert truth("minor==False", minor=False) is True
    assert truth("minor", minor=True) is True
    assert truth("minor", minor=False) is False
    assert truth("not minor", minor=False) is True
    assert truth("not minor", minor=True) is False


def test_missing_detail_is_unknown_only_where_it_matters() -> None:
    assert truth("days < 84") is None
    assert truth("minor") is None
    assert truth("not minor") is None
    assert truth("kind != 'past'") is None
    assert truth("days < 84 and minor", days=100) is False
    assert truth("minor and days < 84", days=100) is False
    assert truth("days < 84 and minor", days=10) is None
    assert truth("days < 84 and minor", minor=True) is None
    assert truth("days < 84 or minor", days=10) is True
    assert truth("minor or days < 84", days=10) is True
    assert truth("days < 84 or minor", days=100) is None
    assert truth("(days < 84 or minor) and known", days=10, known=False) is False
    assert truth("days < 84 and (minor or known)", days=10, minor=False, known=True) is True


def test_detail_of_an_undeclared_condition_makes_every_comparison_false() -> None:
    assert truth("fracture.days < 84", fracture__days=ABSENT) is False
    assert truth("fracture.days >= 84", fracture__days=ABSENT) is False


def test_count_counts_what_is_true_or_unknown() -> None:
    text = "count(minor; known; days < 84) >= 2"
    assert truth(text, minor=True, known=True, days=100) is True
    assert truth(text, minor=True, known=False, days=100) is False
    assert truth(text, minor=True, known=False) is True
    assert truth(text, minor=False, known=False, days=1) is False


def test_expression_knows_its_names_and_where_it_turns() -> None:
    expression = compiled("minor and (days < 84 or days >= 84 or days <= 13 or days > 364) and weeks<14")
    assert expression.names == {"minor", "days", "weeks"}
    assert expression.turns == {("days", 84), ("days", 14), ("days", 365), ("weeks", 14)}
    assert expression.text.startswith("minor and")


@pytest.mark.parametrize(
    "text",
    [
        "unknown",
        "unknown < 3",
        "fracture.site == 'x'",
        "days <",
        "days",
        "kind",
        "days == 3",
        "days < 1.5",
        "days < '3'",
        "days < True",
        "days < minor",
        "kind == 'never'",
        "kind == True",
        "kind < 'past'",
        "kind in ('past', 'never')",
        "kind in 'past'",
        "minor == 1",
        "minor == 'yes'",
        "minor > True",
        "0 < days < 3",
        "days + 1 < 3",
        "len(kind) >= 2",
        "count(minor) > 2",
        "count(minor) >= 'x'",
        "count(minor, of=known) >= 1",
        "minor if known else days < 3",
        "__import__('os')",
        "minor; known",
        "-days < 3",
        "True",
        "",
    ],
)
def test_anything_outside_the_language_is_refused(text: str) -> None:
    with pytest.raises(ExpressionError):
        compiled(text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("days <", "cannot be read: 'days <'"),
        ("days", "days is not a yes or no"),
        ("0 < days < 3", "not part of the language: 0 < days < 3"),
        ("hours < 4", "unknown name: hours"),
        ("3 < days", "unknown name: 3"),
        ("kind < 'past'", "kind cannot be ordered"),
        ("days == 3", "days needs <, <=, > or >="),
        ("days < 1.5", "not a whole number: 1.5"),
        ("kind == 'never'", "kind is never 'never'"),
        ("kind in ()", "kind is never ()"),
        ("minor in ('past',)", "minor is never ('past',)"),
        ("len(kind) >= 2", "not part of the language: len(kind)"),
        ("count(minor) > 2", "not part of the language: count(minor)"),
        ("count(minor, of=known) >= 1", "not part of the language: count(minor, of=known)"),
    ],
)
def test_refusal_says_what_is_wrong(text: str, said: str) -> None:
    with pytest.raises(ExpressionError) as refused:
        compiled(text)
    assert str(refused.value) == said


def test_first_thing_that_is_not_known_does_not_end_the_reading() -> None:
    assert truth("minor and known", known=False) is False
    assert truth("minor or known", known=True) is True
    assert truth("not (minor and known)", known=False) is True


def test_a_number_in_the_place_of_a_yes_is_no_yes() -> None:
    assert truth("minor", minor=1) is False
    assert truth("days < 84", days="3") is False


def test_refusal_says_which_part() -> None:
    with pytest.raises(ExpressionError, match="unknown name: hours"):
        compiled("days < 3 and hours < 4")
    with pytest.raises(ExpressionError, match="kind is never 'never'"):
        compiled("kind == 'never'")
