"""What nobody can see goes; what a script needs stays."""

from __future__ import annotations

import pytest

from clinic.rules.contact import name_key
from clinic.rules.typed_text import visible


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("Ann\u202egnaw", "Anngnaw"),
        ("\u202bAnn\u202c", "Ann"),
        ("\u2066Ann\u2069 \u200eLee\u200f\u061c", "Ann Lee"),
        ("A\u200bn\u2060n\ufeff", "Ann"),
        ("An\u00adn", "Ann"),
        ("A\u200dn\u200cn", "Ann"),
        ("\u3164\u115f\u2800", ""),
        ("\U000e0041\U000e007f", ""),
        ("Ann\x07Lee\x85Ray\u2028Kim\tAda", "Ann Lee Ray Kim Ada"),
        ("one\ntwo", "one\ntwo"),
    ],
)
def test_hidden_characters_go(typed: str, kept: str) -> None:
    assert visible(typed) == kept


@pytest.mark.parametrize(
    "name",
    [
        "Zoë O’Neill-Nuñez",
        "נועה כהן",
        "محمد الأحمد",
        "مهشید ره\u200cنورد",  # Persian
        "क्\u200dष",  # Devanagari, half letter
        "ശ്രീമാന്\u200d",  # Malayalam, a joiner ends the word
        "ක්\u200dරිස්ටිනා",  # Sinhala
        "王小明",
        "e\u0301lodie",
    ],
)
def test_names_of_all_scripts_stay_as_they_are(name: str) -> None:
    assert visible(name) == name


def test_a_joiner_that_joins_nothing_goes() -> None:
    assert visible("\u200cره\u200c") == "ره"
    assert visible("ره\u200c\u200cنورد") == "ره\u200cنورد"


def test_a_name_with_and_without_joiner_is_the_same_name() -> None:
    assert name_key("ره\u200cنورد", "A") == name_key("رهنورد", "A")
