"""A drawing of the body, from the front and from the back: where each area of body_areas.py lies on it.

Drawn by hand for this program, on a sheet of 200 by 440. What comes in pairs is drawn once, on the left half of the
sheet, and mirrored: seen from the front that half is the person's right, seen from the back their left.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from clinic.rules.body_areas import expand

WIDTH, HEIGHT = 200, 440

_PAIRS = {
    "shoulder": (
        "M86 81 C74 82 61 83 54 92 C50 98 48.5 104 47.5 110 C55 111 63 110.5 70 108 C71 98 77 91 88 86 Z"
    ),
    "upper_arm": (
        "M47 111 C54 112 63 111.5 69.5 109.5 C69.5 126 66 144 61.5 159 C55 161.5 48 161 42.5 158 C42 "
        "142 43 126 47 111 Z"
    ),
    "elbow": (
        "M42.5 159.5 C48 162.5 55 163 61 160.5 C59.5 167 58.5 173 57 180 C51 182.5 45 182 40 179 "
        "C40.5 172 41.5 166 42.5 159.5 Z"
    ),
    "forearm": (
        "M39.5 180.5 C45 183.5 51 184 56.5 181.5 C54.5 198 50.5 214 46 228 C42 229.5 37 229 33 227 "
        "C33 210 35.5 194 39.5 180.5 Z"
    ),
    "wrist": (
        "M32.8 228.5 C37 230.5 41.5 231 45.5 229.5 C44.5 234 43.5 238 42.5 242 C38.5 243.5 34 243 "
        "30.3 241 C31 236 32 232 32.8 228.5 Z"
    ),
    "hand": (
        "M30 242.5 C34 244.5 38.5 245 42.3 243.5 C46.5 248 48.5 254 49 262 C48 265.5 46 264 45 259.5 "
        "C45.5 268 41 277.5 35 279.5 C28.5 280 25.5 272 25 264 C25 256 27 248 30 242.5 Z"
    ),
    "knee": (
        "M71.5 296 C78 299 86 299 92.7 296 C93 305 92.5 314 91.5 323 C85 326 78 326 72 323 C70.5 314 "
        "70.5 305 71.5 296 Z"
    ),
    "lower_leg": (
        "M72 324.5 C78 327.5 85 327.5 91.3 324.5 C94 342 92 366 88.5 387 C84.5 389 79.5 389 76 387 "
        "C70.5 366 68.5 342 72 324.5 Z"
    ),
    "ankle": (
        "M76 388.5 C79.5 390.5 84.5 390.5 88.3 388.5 C88.3 394 88.6 399 89.3 404 C85 406 80 406 75.3 "
        "404 C75.8 399 76.2 394 76 388.5 Z"
    ),
}
_FRONT_PAIRS = {
    **_PAIRS,
    "hip": (
        "M71.5 189 C76 191 81 192.7 86 193.7 C88.5 204 92.5 213 98 221.5 C86 219.5 75 219 64.3 221.5 "
        "C64.3 208 66.5 198 71.5 189 Z"
    ),
    "thigh": (
        "M64.2 223 C75 220.5 87 221 98.3 223.5 C98.5 248 96 272 93 294.5 C86 297.5 78 297.5 71 294.5 "
        "C65.5 272 63 247 64.2 223 Z"
    ),
    "foot": (
        "M75 405.5 C80 407.5 85 407.5 89.5 405.5 C92 412 92.5 420 90.5 427.5 C85 432 74 432 68 428.5 "
        "C66.5 421 70.5 412 75 405.5 Z"
    ),
}
_BACK_PAIRS = {
    **_PAIRS,
    "hip": (
        "M71.5 188.5 C75 189.7 79 190.6 83 191.2 C77.5 200 76 210 77.5 220.5 C73 221.7 68.5 222.5 "
        "64.3 222.5 C64.3 208 66.5 198 71.5 188.5 Z"
    ),
    "thigh": (
        "M64.2 224 C69 224 74 223.3 78.5 222 C84.5 226.7 92 227.5 98.5 224 C98.5 248 96 272 93 294.5 "
        "C86 297.5 78 297.5 71 294.5 C65.5 272 63 247 64.2 224 Z"
    ),
    "foot": (
        "M75 405.5 C80 407.5 85 407.5 89.5 405.5 C91 412 91.5 420 90 427 C85.5 431.5 77 431.5 73 428 "
        "C71.5 421 72.5 412 75 405.5 Z"
    ),
}
_NECK = (
    "M89.5 60.5 C94 65.5 106 65.5 110.5 60.5 C111 69 113.5 75.5 120 79.5 C107 84.5 93 84.5 80 "
    "79.5 C86.5 75.5 89 69 89.5 60.5 Z"
)
_FRONT_MIDDLE = {
    "head": ("M79.2 32 C78 14 87.5 5 100 5 C112.5 5 122 14 120.8 32 C107 25 93 25 79.2 32 Z"),
    "face": ("M79.3 33.5 C93 26.5 107 26.5 120.7 33.5 C121 47 113 60.5 100 62.5 C87 60.5 79 47 79.3 33.5 Z"),
    "neck": _NECK,
    "chest": (
        "M90 86 C96 87.7 104 87.7 110 86 C121 91.5 128 98.5 128.5 108.5 C130 120 128.5 131 126.8 142 "
        "C110 147 90 147 73.2 142 C71.5 131 70 120 71.5 108.5 C72 98.5 79 91.5 90 86 Z"
    ),
    "abdomen": (
        "M73.5 143.7 C90 148.7 110 148.7 126.5 143.7 C124.5 158 125 173 128.3 187.5 C110 193.5 90 "
        "193.5 71.7 187.5 C75 173 75.5 158 73.5 143.7 Z"
    ),
    "groin": (
        "M87.7 194 C95.5 195.2 104.5 195.2 112.3 194 C110 204 106 212 100 220.5 C94 212 90 204 87.7 194 Z"
    ),
}
_BACK_MIDDLE = {
    "head": (
        "M79.2 33 C78 14 87.5 5 100 5 C112.5 5 122 14 120.8 33 C121 47 113 60.5 100 62.5 C87 60.5 79 "
        "47 79.2 33 Z"
    ),
    "neck": _NECK,
    "upper_back": (
        "M90 86 C96 87.7 104 87.7 110 86 C121 91.5 128 98.5 128.5 108.5 C129.3 114 129 120 128.5 125 "
        "C110 128.5 90 128.5 71.5 125 C71 120 70.7 114 71.5 108.5 C72 98.5 79 91.5 90 86 Z"
    ),
    "mid_back": (
        "M71.7 126.7 C90 130.2 110 130.2 128.3 126.7 C127.3 137 126.3 147 126 156.5 C110 160 90 160 "
        "74 156.5 C73.7 147 72.7 137 71.7 126.7 Z"
    ),
    "lower_back": (
        "M74 158.2 C90 161.7 110 161.7 126 158.2 C126 168 126.5 177 128.3 187 C112 191.5 88 191.5 "
        "71.7 187 C73.5 177 74 168 74 158.2 Z"
    ),
    "buttocks": (
        "M84.7 191.5 C95 193 105 193 115.3 191.5 C121 200 122.7 210 120.8 220.5 C114 226.3 106 226.3 "
        "100 221 C94 226.3 86 226.3 79.2 220.5 C77.3 210 79 200 84.7 191.5 Z"
    ),
}


@dataclass(frozen=True)
class Shape:
    """One area on the sheet. ``path`` is closed, of straight lines and curves with absolute points."""

    area: str
    path: str


@dataclass(frozen=True)
class View:
    """The body from one side. ``left_half`` is which side of the person the left half of the sheet shows."""

    key: str
    left_half: str
    shapes: tuple[Shape, ...]

    @property
    def right_half(self) -> str:
        return "left" if self.left_half == "right" else "right"


def _mirrored(path: str) -> str:
    """The same path on the other half of the sheet."""
    numbers = iter(range(len(path)))

    def turn(found: re.Match[str]) -> str:
        is_across = next(numbers) % 2 == 0
        return f"{WIDTH - float(found[0]):g}" if is_across else found[0]

    return re.sub(r"\d+(?:\.\d+)?", turn, path)


def _view(key: str, left_half: str, middle: Mapping[str, str], pairs: Mapping[str, str]) -> View:
    other = "left" if left_half == "right" else "right"
    shapes = [Shape(area, path) for area, path in middle.items()]
    for part, path in pairs.items():
        shapes += [Shape(f"{left_half}_{part}", path), Shape(f"{other}_{part}", _mirrored(path))]
    return View(key, left_half, tuple(shapes))


VIEWS: Final = (
    _view("front", "right", _FRONT_MIDDLE, _FRONT_PAIRS),
    _view("back", "left", _BACK_MIDDLE, _BACK_PAIRS),
)


def marked(**kinds: Iterable[str]) -> dict[str, str]:
    """What to draw on each single area: the first of these kinds that covers it, ``avoid=…, care=…`` and so on."""
    drawn: dict[str, str] = {}
    for kind, areas in kinds.items():
        for area in expand(areas):
            drawn.setdefault(area, kind)
    return drawn
