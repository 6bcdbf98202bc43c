"""A clinic's own colours: what can be read is taken, what cannot is refused with the nearest that can."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clinic.rules import colours
from clinic.rules.colours import DARK, LIGHT, Theme, contrast

TOKENS = Path(__file__).resolve().parents[2] / "static" / "css" / "tokens.css"
ANY = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06x}")


def test_grounds_are_those_of_the_style_sheet() -> None:
    light, dark = TOKENS.read_text(encoding="utf-8").split('\n[data-bs-theme="dark"] {', 1)
    for text, grounds in ((light, LIGHT), (dark, DARK)):
        found = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{3,6});", text))
        whole = {
            name: one if len(one) == 7 else "#" + "".join(c * 2 for c in one[1:])
            for name, one in found.items()
        }
        assert {name: whole[name] for name in grounds} == dict(grounds)
    assert (f"--brand: {colours.LIGHT_BRAND};" in light, f"--accent: {colours.LIGHT_ACCENT};" in light) == (
        True,
        True,
    )


@pytest.mark.parametrize(
    ("one", "other", "ratio"), [("#000000", "#ffffff", 21), ("#767676", "#ffffff", 4.54)]
)
def test_contrast_is_the_published_one(one: str, other: str, ratio: float) -> None:
    assert contrast(one, other) == contrast(other, one) == pytest.approx(ratio, abs=0.01)


def test_the_colours_of_the_house_are_good_and_yellow_is_not() -> None:
    assert colours.is_readable_brand("#2c6a5d")
    assert colours.readable_brand("#2c6a5d") == "#2c6a5d"
    assert colours.is_readable_accent("#a4481f")
    assert not colours.is_readable_brand("#ffdd00")
    assert colours.readable_brand("#ffdd00").startswith("#7")
    assert not colours.is_readable_accent("#888888")


@pytest.mark.parametrize("text", ["", "red", "#fff", "#GGGGGG", "2c6a5d", "#2c6a5d;", "#2c6a5d\n", "#2C6A5D"])
def test_what_is_no_colour(text: str) -> None:
    assert not colours.is_colour(text)


@settings(max_examples=60, deadline=None)
@given(ANY)
def test_of_every_colour_the_nearest_can_be_read_in_both_themes(colour: str) -> None:
    brand, accent = colours.readable_brand(colour), colours.readable_accent(colour)
    assert colours.is_readable_brand(brand)
    assert colours.is_readable_accent(accent)
    for theme, grounds in zip(_themes(Theme(brand, accent)), (LIGHT, DARK), strict=True):
        found = {**grounds, **theme}
        pairs = [("brand", "bg"), ("brand", "surface"), ("brand", "raised"), ("brand", "brand-soft")]
        pairs += [("on-brand", "brand"), ("on-brand", "brand-h"), ("bg", "accent"), ("accent", "accent-soft")]
        pairs += [("accent", ground) for ground in ("bg", "bg-deep", "surface", "raised")]
        assert {
            pair: contrast(found[pair[0]], found[pair[1]])
            for pair in pairs
            if contrast(found[pair[0]], found[pair[1]]) < 4.5
        } == {}


def test_without_colours_of_its_own_a_clinic_needs_no_style_sheet() -> None:
    assert Theme().css() == ""
    only = Theme(accent="#7a2f52").css()
    assert "--accent: #7a2f52;" in only
    assert "--brand" not in only


def _themes(theme: Theme) -> list[dict[str, str]]:
    return [dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", block)) for block in theme.css().splitlines()]
