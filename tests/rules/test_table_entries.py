"""One entry of a rule file, value by value: what is taken, and what is said about what cannot be trusted."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from clinic.rules.table_entries import Entry, LoadError
from clinic.rules.verdicts import Urgency, Verdict

Take = Callable[[Entry], object]


def entry(**values: object) -> Entry:
    return Entry(values, "row")


@pytest.mark.parametrize(
    ("values", "take", "expected"),
    [
        ({"a": "word"}, lambda row: row.take_text("a"), "word"),
        ({"a": "word"}, lambda row: row.take_text("a", optional=True), "word"),
        ({"a": ""}, lambda row: row.take_text("a", optional=True), ""),
        ({}, lambda row: row.take_text("a", optional=True), ""),
        ({"a": "x"}, lambda row: row.take_word("a", ("x", "y")), "x"),
        ({"a": "x"}, lambda row: row.take_word("a", ("x", "y"), "y"), "x"),
        ({}, lambda row: row.take_word("a", ("x", "y"), "y"), "y"),
        ({"a": ["y", "x"]}, lambda row: row.take_words("a", ("x", "y")), ("y", "x")),
        ({"a": ["x"]}, lambda row: row.take_words("a", {"x": 1}), ("x",)),
        ({}, lambda row: row.take_words("a", ("x",)), ()),
        ({"a": True}, lambda row: row.take_flag("a"), True),
        ({"a": False}, lambda row: row.take_flag("a"), False),
        ({}, lambda row: row.take_flag("a"), False),
        ({"a": 1}, lambda row: row.take_whole_number("a"), 1),
        ({"a": 90}, lambda row: row.take_whole_number("a", optional=True), 90),
        ({}, lambda row: row.take_whole_number("a", optional=True), None),
        ({"a": "prompt"}, lambda row: row.take_urgency("a"), Urgency.PROMPT),
        ({}, lambda row: row.take_urgency("a"), Urgency.NONE),
        ({"a": "012301230"}, lambda row: row.take_verdicts("a"), tuple(map(Verdict, map(int, "012301230")))),
        ({"a": "333333333"}, lambda row: row.take_optional_verdicts("a"), (Verdict.BLOCK,) * 9),
        ({}, lambda row: row.take_optional_verdicts("a"), None),
        ({"a": [{"b": 1}, 2]}, lambda row: row.take_entries("a"), [{"b": 1}, 2]),
        ({}, lambda row: row.take_entries("a"), []),
    ],
)  # fmt: skip
def test_value_is_taken_once_and_leaves_nothing(
    values: dict[str, object], take: Take, expected: object
) -> None:
    row = entry(**values)
    assert take(row) == expected
    row.close()


@pytest.mark.parametrize(
    ("values", "take", "said"),
    [
        ({}, lambda row: row.take_text("a"), "needs a text"),
        ({"a": ""}, lambda row: row.take_text("a"), "needs a text"),
        ({"a": 3}, lambda row: row.take_text("a"), "needs a text"),
        ({"a": 3}, lambda row: row.take_text("a", optional=True), "needs a text"),
        ({"a": "z"}, lambda row: row.take_word("a", ("x", "y")), "unknown word 'z'"),
        ({"a": "z"}, lambda row: row.take_word("a", ("x", "y"), "y"), "unknown word 'z'"),
        ({}, lambda row: row.take_word("a", ("x", "y")), "needs a text"),
        ({"a": "x"}, lambda row: row.take_words("a", ("x",)), "needs a list without repeats"),
        ({"a": ["x", "x"]}, lambda row: row.take_words("a", ("x",)), "needs a list without repeats"),
        ({"a": ["x", "z"]}, lambda row: row.take_words("a", ("x",)), "unknown word 'z'"),
        ({"a": 1}, lambda row: row.take_flag("a"), "needs true or false"),
        ({}, lambda row: row.take_whole_number("a"), "needs a positive whole number"),
        ({"a": 0}, lambda row: row.take_whole_number("a"), "needs a positive whole number"),
        ({"a": True}, lambda row: row.take_whole_number("a"), "needs a positive whole number"),
        ({"a": "9"}, lambda row: row.take_whole_number("a", optional=True), "needs a positive whole number"),
        ({"a": "soon"}, lambda row: row.take_urgency("a"), "unknown word 'soon'"),
        ({"a": "0123"}, lambda row: row.take_verdicts("a"), "unknown verdicts '0123': nine digits 0 to 3 are needed"),
        ({"a": "012301234"}, lambda row: row.take_verdicts("a"),
         "unknown verdicts '012301234': nine digits 0 to 3 are needed"),
        ({}, lambda row: row.take_verdicts("a"), "needs a text"),
        ({"a": {}}, lambda row: row.take_entries("a"), "needs a list"),
    ],
)  # fmt: skip
def test_what_cannot_be_trusted_is_refused_with_row_key_and_reason(
    values: dict[str, object], take: Take, said: str
) -> None:
    with pytest.raises(LoadError) as refused:
        take(entry(**values))
    assert str(refused.value) == f"row, a: {said}"
    assert (refused.value.entry, refused.value.key) == ("row", "a")


def test_what_nobody_takes_is_refused() -> None:
    row = entry(a="word", b=3)
    row.take_text("a")
    with pytest.raises(LoadError) as refused:
        row.close()
    assert str(refused.value) == "row, b: unknown key"


def test_what_is_no_table_is_refused() -> None:
    with pytest.raises(LoadError) as refused:
        Entry(["a"], "row")
    assert str(refused.value) == "row, entry: is not a table"


def test_entry_leaves_what_it_was_made_from_as_it_was() -> None:
    values = {"a": "word"}
    Entry(values, "row").take_text("a")
    assert values == {"a": "word"}
