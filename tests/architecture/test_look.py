"""The look keeps its promises: readable colours, icons that exist, nothing inline, a place for every time."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from scripts.vendor_assets import only_used

ROOT = Path(__file__).resolve().parents[2]
CSS = ROOT / "static" / "css"
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))

TEXT_ON_GROUND = [
    *[
        (text, ground)
        for text in ("ink", "muted", "accent")
        for ground in ("bg", "bg-deep", "surface", "raised")
    ],
    *[("brand", ground) for ground in ("bg", "surface", "raised", "brand-soft")],
    *[("on-brand", "brand"), ("on-brand", "brand-h"), ("accent", "accent-soft"), ("bg", "accent")],
    *[("ink", f"{kind}-soft") for kind in ("info", "success", "care", "urgent")],
    *[(kind, f"{kind}-soft") for kind in ("info", "success", "care", "urgent")],
    *[("urgent", ground) for ground in ("bg", "surface", "raised")],
    *[(f"t{number}", f"t{number}-bg") for number in range(1, 7)],
    *[(f"s-{state}", f"s-{state}-bg") for state in ("wait", "sure", "here", "now", "past", "away", "stop")],
    *[(f"s-{state}", "surface") for state in ("wait", "sure", "here", "now", "past", "away", "stop")],
    *[("muted", f"s-{state}-bg") for state in ("wait", "sure", "here", "now", "past", "away", "stop")],
]
CONTROL_ON_GROUND = [
    (mark, ground) for mark in ("edge", "focus", "brand") for ground in ("bg", "surface", "raised")
]


def tokens(theme: str) -> dict[str, str]:
    """The six-digit colours of one theme; the dark block only names what differs."""
    text = (CSS / "tokens.css").read_text(encoding="utf-8")
    light, dark = text.split('\n[data-bs-theme="dark"] {', 1)
    found = dict(re.findall(r"--([a-z0-9-]+): (#[0-9a-f]{3,6});", light))
    if theme == "dark":
        found |= dict(re.findall(r"--([a-z0-9-]+): (#[0-9a-f]{3,6});", dark))
    return found


def luminance(colour: str) -> float:
    """Relative luminance, 0 to 1, as WCAG 2.2 defines it."""
    digits = colour.lstrip("#")
    pairs = [digits[i : i + 2] for i in (0, 2, 4)] if len(digits) == 6 else [digit * 2 for digit in digits]
    linear = [
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (int(p, 16) / 255 for p in pairs)
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """Contrast ratio, 1 to 21, as WCAG 2.2 defines it."""
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_contrast_of_known_colours_is_the_published_one() -> None:
    assert contrast("#000", "#ffffff") == pytest.approx(21.0)
    assert contrast("#767676", "#fff") == pytest.approx(4.54, abs=0.01)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_can_be_read_on_every_ground_it_stands_on(theme: str) -> None:
    colours = tokens(theme)
    poor = {pair: round(contrast(colours[pair[0]], colours[pair[1]]), 2) for pair in TEXT_ON_GROUND}
    assert {pair: ratio for pair, ratio in poor.items() if ratio < 4.5} == {}


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_edges_of_controls_and_the_focus_ring_can_be_seen(theme: str) -> None:
    colours = tokens(theme)
    poor = {pair: round(contrast(colours[pair[0]], colours[pair[1]]), 2) for pair in CONTROL_ON_GROUND}
    assert {pair: ratio for pair, ratio in poor.items() if ratio < 3} == {}


def test_every_icon_that_a_template_names_is_in_the_sprite() -> None:
    known = set((ROOT / "scripts" / "icons.txt").read_text(encoding="utf-8").split())
    named = {
        (path.name, name)
        for path in TEMPLATES
        for name in re.findall(
            r"\b(?:icon|empty_state)\([\"']([a-z0-9-]+)[\"']", path.read_text(encoding="utf-8")
        )
    }
    assert len(named) > 20
    assert {(file, name) for file, name in named if name not in known} == set()


def test_no_icon_is_sent_to_everybody_that_nothing_names() -> None:
    known = set((ROOT / "scripts" / "icons.txt").read_text(encoding="utf-8").split())
    folders = {"templates": "html", "clinic": "py", "static/js": "js", "static/css": "css"}
    texts = [
        path.read_text(encoding="utf-8")
        for folder, ending in folders.items()
        for path in (ROOT / folder).rglob(f"*.{ending}")
    ]
    texts += [path.read_text(encoding="utf-8") for path in (ROOT / "clinic").rglob("*.toml")]
    named = {word for text in texts for word in re.findall(r"[a-z0-9]+(?:-[a-z0-9]+)*", text)}
    assert known - named == set()


def test_templates_hold_no_inline_style_script_or_handler() -> None:
    forbidden = re.compile(
        r"<[a-z][^>]*\s(?:style|on[a-z]+)=|<style|<script(?![^>]*\bsrc=)|hx-on|href=[\"']javascript:", re.I
    )
    found = {path.name: forbidden.findall(path.read_text(encoding="utf-8")) for path in TEMPLATES}
    assert {name: hits for name, hits in found.items() if hits} == {}


def test_every_five_minutes_of_the_day_has_a_place_in_the_grid() -> None:
    css = (CSS / "times.css").read_text(encoding="utf-8")
    starts = {f".t-{m // 60:02d}{m % 60:02d}{{--t:{m // 5}}}" for m in range(0, 24 * 60, 5)}
    lengths = {f".len-{m}{{--n:{m // 5}}}" for m in range(5, 725, 5)}
    assert {rule for rule in starts | lengths if rule not in css} == set()


def test_the_sheet_made_for_everybody_is_cut_down_to_what_pages_use() -> None:
    sheet = (
        '@charset "UTF-8";/*! MIT */:root{--a:1}.btn,.alert{color:red}@media print{.alert{top:0}a::after{top:1}}'
        "@keyframes spin{to{top:0}}.btn:hover>.card{left:0}"
    )
    assert only_used(sheet, {"btn", "alert", "card"}).count("alert") == 2
    assert only_used(sheet.replace(".btn:hover>.card{left:0}", ""), {"btn"}) == (
        "/*! MIT */\n:root{--a:1}.btn{color:red}@media print{a::after{top:1}}\n"
    )
    with pytest.raises(LookupError, match="there is no class unicorn"):
        only_used(sheet, {"unicorn"})


def test_pages_that_renew_a_part_load_what_does_it() -> None:
    parts = {"booking/_hold.html", "macros/visits.html"}
    uses = {
        str(path.relative_to(ROOT / "templates"))
        for path in TEMPLATES
        if re.search(r"hx-(get|post)|day_strip\(strip|_hold\.html", path.read_text(encoding="utf-8"))
    }
    loads = {
        str(path.relative_to(ROOT / "templates"))
        for path in TEMPLATES
        if "vendor/htmx.min.js" in path.read_text(encoding="utf-8")
    }
    assert uses - parts == loads


def test_the_search_in_the_head_shares_its_class_with_nothing() -> None:
    """It is hidden on phones, and hid the search for a service with it."""
    users = [
        one.name for one in (ROOT / "templates").rglob("*.html") if 'class="find"' in one.read_text("utf-8")
    ]
    assert users == ["base.html"]
