from __future__ import annotations

import pytest

from clinic.rules.body_areas import AREAS, SINGLE_AREAS, expand, is_on_site, with_chamber


def test_areas_are_those_of_the_clinical_table() -> None:
    sided = [
        "shoulder",
        "upper_arm",
        "elbow",
        "forearm",
        "wrist",
        "hand",
        "hip",
        "thigh",
        "knee",
        "lower_leg",
        "ankle",
        "foot",
    ]
    singles = [
        "head",
        "face",
        "neck",
        "upper_back",
        "mid_back",
        "lower_back",
        "buttocks",
        "chest",
        "abdomen",
        "groin",
    ]
    groups = [
        "back",
        "left_arm",
        "right_arm",
        "left_leg",
        "right_leg",
        "shoulders",
        "lower_legs",
        "feet",
        "head_neck",
        "trunk_front",
    ]
    sides = [f"{side}_{part}" for side in ("left", "right") for part in sided]
    assert set(AREAS) == {*singles, *groups, *sides, "full_body"}
    assert {*singles, *sides} == SINGLE_AREAS


def test_groups_cover_their_parts() -> None:
    assert expand(["left_leg"]) == {
        "left_hip", "left_thigh", "left_knee", "left_lower_leg", "left_ankle", "left_foot",
    }  # fmt: skip
    assert expand(["right_arm"]) == {
        "right_shoulder", "right_upper_arm", "right_elbow", "right_forearm", "right_wrist", "right_hand",
    }  # fmt: skip
    assert expand(["back"]) == {"upper_back", "mid_back", "lower_back", "buttocks"}
    assert expand(["trunk_front"]) == {"chest", "abdomen", "groin"}
    assert expand(["head_neck"]) == {"head", "face", "neck"}
    assert expand(["shoulders"]) == {"left_shoulder", "right_shoulder"}
    assert expand(["lower_legs"]) == {"left_lower_leg", "right_lower_leg"}
    assert expand(["feet"]) == {"left_foot", "right_foot"}
    assert expand(["full_body"]) == SINGLE_AREAS
    assert expand(["feet", "neck"]) == {"left_foot", "right_foot", "neck"}
    assert expand([]) == frozenset()


def test_every_area_has_a_label_and_groups_come_before_their_parts() -> None:
    order = list(AREAS)
    assert order[0] == "full_body"
    assert order.index("back") < order.index("upper_back")
    assert AREAS["left_lower_leg"] == "Left lower leg"
    assert AREAS["abdomen"] == "Belly"
    assert all(label and label[0].isupper() for label in AREAS.values())


def test_unknown_area_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="'tail'"):
        expand(["neck", "tail"])


@pytest.mark.parametrize(
    ("site", "requested", "expected"),
    [
        (["left_lower_leg"], ["left_lower_leg"], True),
        (["left_lower_leg"], ["left_leg"], True),
        (["left_leg"], ["left_foot"], True),
        (["left_leg"], ["lower_legs"], True),
        (["left_leg"], ["right_leg"], False),
        (["left_lower_leg"], ["upper_back"], False),
        (["left_lower_leg", "upper_back"], ["upper_back"], True),
        (["left_lower_leg"], ["upper_back", "left_leg"], True),
        (["left_lower_leg"], ["full_body"], False),
        (["left_lower_leg"], ["full_body", "left_leg"], True),
        (["back"], ["full_body"], False),
        (["full_body"], ["full_body"], True),
        (["full_body"], ["neck"], True),
        (
            ["head_neck", "back", "trunk_front", "left_arm", "right_arm", "left_leg", "right_leg"],
            ["feet"],
            True,
        ),
        ([], ["upper_back"], True),
        ([], ["full_body"], True),
        (["left_hand"], [], True),
    ],
)
def test_place_is_on_site_when_it_overlaps_or_is_unknown(
    site: list[str], requested: list[str], expected: bool
) -> None:
    assert is_on_site(site, requested) is expected


def test_chamber_adds_everything_below_the_ribs() -> None:
    below = with_chamber(["upper_back"])
    assert {"upper_back", "lower_back", "buttocks", "abdomen", "groin", "left_hip", "right_foot"} <= below
    assert not {"mid_back", "chest", "neck", "left_hand"} & below
    assert with_chamber([]) == frozenset()
