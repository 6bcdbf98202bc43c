"""The places of the body that a client can name, and when two places overlap.

A key is a single area or a group of them; both are expanded to single areas and overlap when they share
one. Where a group's borders are open to argument (buttocks with the back, shoulders with the arms, hips with
the legs) the area belongs to the group, because overlapping is the stricter reading.
"""

from __future__ import annotations

from collections.abc import Iterable

from clinic.rules.language import N_

FULL_BODY = "full_body"
SIDES = ("left", "right")
ARM = ("shoulder", "upper_arm", "elbow", "forearm", "wrist", "hand")
LEG = ("hip", "thigh", "knee", "lower_leg", "ankle", "foot")
HEAD_NECK = ("head", "face", "neck")
BACK = ("upper_back", "mid_back", "lower_back", "buttocks")
FRONT = ("chest", "abdomen", "groin")


def _sided(part: str) -> tuple[str, ...]:
    return tuple(f"{side}_{part}" for side in SIDES)


_LIMBS = tuple(f"{side}_{part}" for part in ARM + LEG for side in SIDES)
SINGLE_AREAS: frozenset[str] = frozenset(HEAD_NECK + BACK + FRONT + _LIMBS)

_GROUPS: dict[str, frozenset[str]] = {
    "head_neck": frozenset(HEAD_NECK),
    "shoulders": frozenset(_sided("shoulder")),
    "back": frozenset(BACK),
    "trunk_front": frozenset(FRONT),
    "left_arm": frozenset(f"left_{part}" for part in ARM),
    "right_arm": frozenset(f"right_{part}" for part in ARM),
    "left_leg": frozenset(f"left_{part}" for part in LEG),
    "right_leg": frozenset(f"right_{part}" for part in LEG),
    "lower_legs": frozenset(_sided("lower_leg")),
    "feet": frozenset(_sided("foot")),
    FULL_BODY: SINGLE_AREAS,
}

BELOW_THE_RIBS: frozenset[str] = frozenset(
    ("lower_back", "buttocks", "abdomen", "groin", *(area for part in LEG for area in _sided(part)))
)
"""What the interval chamber encloses: it counts as requested whatever was asked for."""

_EXPANDED: dict[str, frozenset[str]] = {area: frozenset((area,)) for area in SINGLE_AREAS} | _GROUPS

AREAS: dict[str, str] = {
    "full_body": N_("Whole body"),
    "head_neck": N_("Head and neck"),
    "head": N_("Head"),
    "face": N_("Face"),
    "neck": N_("Neck"),
    "shoulders": N_("Shoulders"),
    "back": N_("Back"),
    "upper_back": N_("Upper back"),
    "mid_back": N_("Middle back"),
    "lower_back": N_("Lower back"),
    "buttocks": N_("Buttocks"),
    "trunk_front": N_("Front of the body (chest, belly, groin)"),
    "chest": N_("Chest"),
    "abdomen": N_("Belly"),
    "groin": N_("Groin"),
    "left_arm": N_("Left arm"),
    "right_arm": N_("Right arm"),
    "left_shoulder": N_("Left shoulder"),
    "right_shoulder": N_("Right shoulder"),
    "left_upper_arm": N_("Left upper arm"),
    "right_upper_arm": N_("Right upper arm"),
    "left_elbow": N_("Left elbow"),
    "right_elbow": N_("Right elbow"),
    "left_forearm": N_("Left forearm"),
    "right_forearm": N_("Right forearm"),
    "left_wrist": N_("Left wrist"),
    "right_wrist": N_("Right wrist"),
    "left_hand": N_("Left hand"),
    "right_hand": N_("Right hand"),
    "left_leg": N_("Left leg"),
    "right_leg": N_("Right leg"),
    "lower_legs": N_("Lower legs"),
    "feet": N_("Feet"),
    "left_hip": N_("Left hip"),
    "right_hip": N_("Right hip"),
    "left_thigh": N_("Left thigh"),
    "right_thigh": N_("Right thigh"),
    "left_knee": N_("Left knee"),
    "right_knee": N_("Right knee"),
    "left_lower_leg": N_("Left lower leg"),
    "right_lower_leg": N_("Right lower leg"),
    "left_ankle": N_("Left ankle"),
    "right_ankle": N_("Right ankle"),
    "left_foot": N_("Left foot"),
    "right_foot": N_("Right foot"),
}
"""Every key a client or a visit may name, with its label, in the order of a menu; groups come first."""


def expand(areas: Iterable[str]) -> frozenset[str]:
    """The single areas that these keys cover; raises ``ValueError`` naming a key that is not an area."""
    covered: set[str] = set()
    for area in areas:
        if area not in _EXPANDED:
            raise ValueError(f"unknown body area: {area!r}")
        covered |= _EXPANDED[area]
    return frozenset(covered)


def is_on_site(site: Iterable[str], requested: Iterable[str]) -> bool:
    """Whether a place must be judged as lying in the requested areas (the strict, on-site columns).

    An unknown place (nothing named), one that covers the whole body and an unknown request count as
    overlapping. In a whole-body session a named place can be skipped, so ``full_body`` alone overlaps with
    nothing; areas named beside it count.
    """
    place = expand(site)
    wanted = frozenset(requested)
    if not place or place == SINGLE_AREAS or not wanted:
        return True
    return not place.isdisjoint(expand(wanted - {FULL_BODY}))


def is_touched(site: Iterable[str], requested: Iterable[str]) -> bool:
    """Whether a sore place is touched in the requested areas. A whole-body session touches it; what is not known
    counts as touched."""
    place, wanted = expand(site), expand(requested)
    return not place or not wanted or not place.isdisjoint(wanted)


def leaves_nothing(site: Iterable[str], requested: Iterable[str]) -> bool:
    """Whether nothing is left of the requested areas without this place, or it cannot be left out of them: the
    interval chamber encloses every area below the ribs."""
    place, keys = expand(site), frozenset(requested)
    in_chamber = keys >= BELOW_THE_RIBS
    return bool(keys) and (expand(keys) <= place or (in_chamber and not place.isdisjoint(BELOW_THE_RIBS)))


def with_chamber(requested: Iterable[str]) -> frozenset[str]:
    """The requested areas of a session in the interval chamber: every area below the ribs is added.

    An unknown request stays unknown.
    """
    wanted = frozenset(requested)
    return wanted | BELOW_THE_RIBS if wanted else wanted
