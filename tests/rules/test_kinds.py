"""Keys for what an owner types, and words for keys."""

from __future__ import annotations

import pytest

from clinic.rules.kinds import SKILLS, key_of, words_of


@pytest.mark.parametrize(
    ("typed", "key"),
    [
        ("Hot towel cabinet", "hot_towel_cabinet"),
        (" Gua-Sha! ", "gua_sha"),
        ("Crème", "cr_me"),
        ("!!", ""),
        ("x" * 60, "x" * 40),
    ],
)
def test_key_has_plain_letters_only(typed: str, key: str) -> None:
    assert key_of(typed) == key


def test_words_of_a_known_and_of_an_own_kind() -> None:
    assert words_of("cupping", SKILLS) == "Cups and vacuum"
    assert words_of("gua_sha", SKILLS) == "Gua sha"
