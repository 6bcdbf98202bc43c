"""A clinic's two colours: whether words can be read in them, the nearest that can be, and the theme made of them.

Contrast is that of WCAG 2.2: 4.5 to 1 for words. The owner chooses the colours of the light theme; those of the dark
one follow from them.
"""

from __future__ import annotations

import colorsys
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

READABLE = 4.5
_HEX = re.compile(r"#[0-9a-f]{6}\Z")
_STEPS = 400

# The grounds of the house, as in static/css/tokens.css (a test compares them).
LIGHT: Mapping[str, str] = {
    "bg": "#f6f1e8",
    "bg-deep": "#efe8db",
    "surface": "#fffdf9",
    "raised": "#ffffff",
    "on-brand": "#ffffff",
}
DARK: Mapping[str, str] = {
    "bg": "#101816",
    "bg-deep": "#0c1311",
    "surface": "#17211e",
    "raised": "#1e2a26",
    "on-brand": "#0b1915",
}
LIGHT_BRAND, LIGHT_ACCENT = "#2c6a5d", "#a4481f"
SOFT_LIGHT, SOFT_DARK, LINE = 0.12, 0.16, 0.4

Rgb = tuple[float, float, float]


def is_colour(text: str) -> bool:
    """Whether it is written like #2c6a5d."""
    return _HEX.match(text) is not None


def contrast(one: str, other: str) -> float:
    """From 1 to 21."""
    high, low = sorted((_luminance(_rgb(one)), _luminance(_rgb(other))), reverse=True)
    return (high + 0.05) / (low + 0.05)


def mixed(colour: str, ground: str, share: float) -> str:
    """So much of the colour in the ground."""
    return _text(tuple(a * share + b * (1 - share) for a, b in zip(_rgb(colour), _rgb(ground), strict=True)))


def is_readable_brand(colour: str) -> bool:
    """Words in it can be read on every light ground, and white words on it."""
    return _is_brand(colour, LIGHT, SOFT_LIGHT)


def is_readable_accent(colour: str) -> bool:
    """Words in it can be read on every light ground, and words in the colour of the page on it."""
    return _is_accent(colour, LIGHT, SOFT_LIGHT)


def readable_brand(colour: str) -> str:
    """The nearest colour of the same hue that is."""
    return _nearest(colour, is_readable_brand)


def readable_accent(colour: str) -> str:
    """The nearest colour of the same hue that is."""
    return _nearest(colour, is_readable_accent)


@dataclass(frozen=True)
class Theme:
    """Two readable colours, "" for that of the house."""

    brand: str = ""
    accent: str = ""

    def css(self) -> str:
        """A style sheet that replaces the colours of the house in both themes."""
        light = {
            **_brand_of(self.brand, LIGHT, SOFT_LIGHT, hover=-0.05),
            **_accent_of(self.accent, LIGHT, SOFT_LIGHT),
        }
        dark_brand = _nearest(self.brand, lambda one: _is_brand(one, DARK, SOFT_DARK)) if self.brand else ""
        dark_accent = (
            _nearest(self.accent, lambda one: _is_accent(one, DARK, SOFT_DARK)) if self.accent else ""
        )
        dark = {
            **_brand_of(dark_brand, DARK, SOFT_DARK, hover=0.07),
            **_accent_of(dark_accent, DARK, SOFT_DARK),
        }
        return _block(':root, [data-bs-theme="light"]', light) + _block('[data-bs-theme="dark"]', dark)


def _block(selector: str, values: Mapping[str, str]) -> str:
    return (
        f"{selector} {{ {' '.join(f'--{name}: {value};' for name, value in values.items())} }}\n"
        if values
        else ""
    )


def _is_brand(colour: str, grounds: Mapping[str, str], soft: float) -> bool:
    on = [grounds["bg"], grounds["surface"], grounds["raised"], mixed(colour, grounds["surface"], soft)]
    return _is_seen_on(colour, [*on, grounds["on-brand"]])


def _is_accent(colour: str, grounds: Mapping[str, str], soft: float) -> bool:
    on = [grounds["bg"], grounds["bg-deep"], grounds["surface"], grounds["raised"]]
    return _is_seen_on(colour, [*on, mixed(colour, grounds["surface"], soft)])


def _is_seen_on(colour: str, grounds: Sequence[str]) -> bool:
    return all(contrast(colour, one) >= READABLE for one in grounds)


def _brand_of(colour: str, grounds: Mapping[str, str], soft: float, *, hover: float) -> dict[str, str]:
    if not colour:
        return {}
    over = _lighter(colour, hover)
    return {
        "brand": colour,
        "brand-h": over,
        "brand-soft": mixed(colour, grounds["surface"], soft),
        "brand-line": mixed(colour, grounds["surface"], LINE),
        "on-brand": grounds["on-brand"],
        "bs-primary": colour,
        "bs-primary-rgb": _numbers(colour),
        "bs-link-color-rgb": _numbers(colour),
        "bs-link-hover-color-rgb": _numbers(over),
    }


def _accent_of(colour: str, grounds: Mapping[str, str], soft: float) -> dict[str, str]:
    if not colour:
        return {}
    return {"accent": colour, "accent-soft": mixed(colour, grounds["surface"], soft), "bs-code-color": colour}


def _nearest(colour: str, is_good: Callable[[str], bool]) -> str:
    """The same hue a little darker or lighter, until it is good; as near as there is."""
    hue, light, full = colorsys.rgb_to_hls(*_rgb(colour))
    for step in range(_STEPS + 1):
        for near in (light - step / _STEPS, light + step / _STEPS):
            if 0 <= near <= 1:
                found = _text(colorsys.hls_to_rgb(hue, near, full))
                if is_good(found):
                    return found
    raise AssertionError("black or white can be read on every ground")


def _lighter(colour: str, by: float) -> str:
    hue, light, full = colorsys.rgb_to_hls(*_rgb(colour))
    return _text(colorsys.hls_to_rgb(hue, min(max(light + by, 0), 1), full))


def _rgb(colour: str) -> Rgb:
    red, green, blue = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    return red, green, blue


def _text(rgb: Sequence[float]) -> str:
    return "#" + "".join(f"{round(one * 255):02x}" for one in rgb)


def _numbers(colour: str) -> str:
    return ", ".join(str(round(one * 255)) for one in _rgb(colour))


def _luminance(rgb: Rgb) -> float:
    red, green, blue = (one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in rgb)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
