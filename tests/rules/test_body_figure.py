"""The drawing of the body: every area is on it, once for each side it is seen from, and left is left."""

from __future__ import annotations

import re

import pytest

from clinic.rules.body_areas import BACK, FRONT, SINGLE_AREAS
from clinic.rules.body_figure import HEIGHT, VIEWS, WIDTH, View, marked

FRONT_VIEW, BACK_VIEW = VIEWS
PATH = re.compile(r"M-?[\d.]+ [\d.]+(?: C[\d.]+(?: [\d.]+){5})+ Z")


def points(path: str) -> list[tuple[float, float]]:
    numbers = [float(one) for one in re.findall(r"[\d.]+", path)]
    return list(zip(numbers[::2], numbers[1::2], strict=True))


def middle(view: View, area: str) -> float:
    across = [x for one in view.shapes if one.area == area for x, _ in points(one.path)]
    return (min(across) + max(across)) / 2


def test_every_area_is_drawn_and_nothing_else() -> None:
    seen = {view.key: [one.area for one in view.shapes] for view in VIEWS}
    assert all(len(areas) == len(set(areas)) for areas in seen.values())
    assert set(seen["front"]) | set(seen["back"]) == SINGLE_AREAS
    assert set(seen["front"]) == SINGLE_AREAS - set(BACK)
    assert set(seen["back"]) == SINGLE_AREAS - set(FRONT) - {"face"}


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.key)
def test_every_outline_is_closed_lies_on_the_sheet_and_is_large_enough_to_tap(view: View) -> None:
    for shape in view.shapes:
        assert PATH.fullmatch(shape.path), shape
        across, down = ([point[index] for point in points(shape.path)] for index in (0, 1))
        assert min(across) >= 0, shape
        assert max(across) <= WIDTH, shape
        assert min(down) >= 0, shape
        assert max(down) <= HEIGHT, shape
        assert max(across) - min(across) >= 12, shape
        assert max(down) - min(down) >= 12, shape


def test_seen_from_the_front_the_persons_right_is_on_the_left_of_the_sheet_and_from_behind_it_is_not() -> (
    None
):
    assert [(view.key, view.left_half, view.right_half) for view in VIEWS] == [
        ("front", "right", "left"), ("back", "left", "right")
    ]  # fmt: skip
    for view in VIEWS:
        for one in view.shapes:
            side, _, part = one.area.partition("_")
            if side not in ("left", "right"):
                assert middle(view, one.area) == pytest.approx(WIDTH / 2)
                continue
            assert (middle(view, one.area) < WIDTH / 2) is (side == view.left_half), one.area
            mirror = middle(view, f"left_{part}") + middle(view, f"right_{part}")
            assert mirror == pytest.approx(WIDTH)


def test_what_is_drawn_is_the_first_kind_that_covers_an_area() -> None:
    assert marked(avoid=["left_knee"], care=["left_leg", "neck"]) == {
        "left_knee": "avoid",
        **dict.fromkeys(
            ("neck", "left_hip", "left_thigh", "left_lower_leg", "left_ankle", "left_foot"), "care"
        ),
    }
    assert marked(avoid=[], care=[]) == {}
    assert len(marked(avoid=["full_body"])) == len(SINGLE_AREAS)
