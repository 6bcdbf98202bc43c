"""Text as our typeface shows it: nothing is lost without a sign."""

from __future__ import annotations

import pytest

from clinic.shared.type_setting import in_type


def everything(_one: str) -> bool:
    return True


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Łucja Żółć", "Łucja Żółć"),
        ("e\u0301", "é"),  # a letter and its accent become one
        ("a\tb\r\nc", "a b\nc"),
        ("a\u200db\ufeff", "ab"),
        ("שלום כהן", "ןהכ םולש"),
        ("ab שלום, cd", "ab םולש, cd"),
        ("ליד 123", "דיל 123"),
    ],
)
def test_text_is_put_in_the_order_in_which_it_is_drawn(text: str, shown: str) -> None:
    assert in_type(text, everything) == shown


def test_arabic_letters_are_joined_and_turned_round() -> None:
    shown = in_type("ليلى", everything)
    assert shown == "\ufef0\ufee0\ufef4\ufedf"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (
            "عبد الله",
            "\ufeea\ufee0\ufedf\ufe8d \ufeaa\ufe92\ufecb",
        ),  # one sign for the second word: few typefaces have it
        ("می\u200cخواهم", "\ufee2\ufeeb\ufe8d\ufeee\ufea7\ufbfd\ufee3"),  # a joiner of none parts them
        ("ٱب ب", "\ufe8f بٱ"),  # a letter without its joined form: that word stands in single letters
    ],
)
def test_a_word_is_joined_only_by_what_the_typeface_has(text: str, shown: str) -> None:
    assert in_type(text, lambda one: one not in "\ufdf2\ufb50\ufb51") == shown


@pytest.mark.parametrize(
    ("text", "shown"), [("王小", "[U+738B][U+5C0F]"), ("a\x07b", "a[U+0007]b"), ("😀", "[U+1F600]")]
)
def test_what_the_typeface_lacks_is_said_by_its_number(text: str, shown: str) -> None:
    assert in_type(text, lambda one: one.isascii() and one.isprintable()) == shown
