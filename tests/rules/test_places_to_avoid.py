"""Where a therapist keeps away from, and answers in words."""

from __future__ import annotations

import datetime as dt

import pytest

from clinic.rules.answers_in_words import Said, changes_in_words, declared_in_words
from clinic.rules.places_to_avoid import Place, areas_in_words, places_to_avoid
from clinic.rules.rule_table import TABLE
from clinic.rules.screening import Treatment

DAY = dt.date(2026, 6, 9)
VEINS = {"present": True, "site": ["left_lower_leg"], "status": "quiet"}


def places(
    answers: dict[str, dict[str, object]], *areas: str, service: str = "relaxation"
) -> list[tuple[object, ...]]:
    treatment = Treatment((service,), areas=areas or ("full_body",))
    return [(one.rule, one.areas, one.avoid) for one in places_to_avoid(treatment, answers, day=DAY, age=40)]


@pytest.mark.parametrize("areas", [(), ("back",), ("left_lower_leg",)])
def test_a_sore_place_is_named_whatever_was_asked_for(areas: tuple[str, ...]) -> None:
    found = places(
        {"eczema_psoriasis": {"present": True, "status": "flare", "site": ["left_forearm"]}}, *areas
    )
    assert found == [("eczema_psoriasis", ("left_forearm",), True)]


def test_a_place_that_was_asked_for_and_may_be_treated_is_care_not_avoid() -> None:
    assert places({"varicose_veins": VEINS}, "left_leg") == [("varicose_veins", ("left_lower_leg",), False)]
    assert places({"varicose_veins": VEINS}, "back") == [("varicose_veins", ("left_lower_leg",), True)]
    # on the site deep tissue is not done at all: the place is kept away from
    assert places({"varicose_veins": VEINS}, "left_leg", service="deep_tissue")[0][2] is True


def test_a_place_that_is_not_known_is_avoided_and_asked_for() -> None:
    assert places({"varicose_veins": {"present": True, "not_sure": True}}) == [("varicose_veins", (), True)]


@pytest.mark.parametrize(
    ("sore", "care"),
    [
        (["face", "lower_back"], [("chart_pain", ("lower_back",), False)]),
        (["face"], []),
        (["lower_back"], [("chart_pain", ("lower_back",), False)]),
    ],
)
def test_what_is_not_touched_is_not_named_once_more_for_care(
    sore: list[str], care: list[tuple[object, ...]]
) -> None:
    marks = {
        "chart_avoid": {"present": True, "site": ["face"]},
        "chart_pain": {"present": True, "site": sore},
    }
    assert places(marks) == [("chart_avoid", ("face",), True), *care]


def test_a_place_elsewhere_where_nothing_speaks_against_the_visit_is_named_all_the_same() -> None:
    knee = {"present": True, "date": "2026-01-01", "site": ["left_knee"]}
    assert places({"fracture": knee}, "upper_back") == [("fracture", ("left_knee",), True)]


def test_places_to_keep_away_from_come_first_whatever_was_said_first() -> None:
    answers = {
        "diabetes": {"present": True, "status": "controlled", "complications": False},
        "varicose_veins": VEINS,
        "eczema_psoriasis": {"present": True, "status": "flare", "site": ["left_forearm"]},
    }
    found = places_to_avoid(Treatment(("relaxation",), areas=("left_leg",)), answers, day=DAY, age=40)
    assert found == (
        Place("eczema_psoriasis", TABLE.conditions["eczema_psoriasis"].label, ("left_forearm",), avoid=True),
        Place("varicose_veins", "Varicose veins", ("left_lower_leg",), avoid=False),
    )


def test_a_place_that_was_left_empty_is_the_rows_own() -> None:
    assert places({"hernia": {"present": True, "site": []}}) == [("hernia", ("abdomen",), True)]


def test_nothing_local_means_no_place() -> None:
    assert places({}) == []
    assert places({"varicose_veins": {"present": False}}) == []
    assert (
        places(
            {"diabetes": {"present": True, "status": "controlled", "complications": False, "insulin": False}}
        )
        == []
    )


def test_areas_in_words() -> None:
    assert areas_in_words(["left_knee", "lower_back", "abdomen"]) == "left knee, lower back and belly"
    assert areas_in_words([]) == ""


def test_answers_in_words() -> None:
    said = declared_in_words(
        {"diabetes": {"present": False}, "varicose_veins": {**VEINS, "changed_on": "2026-06-01"}}
    )
    assert said == [
        Said(
            "varicose_veins", "Varicose veins",
            (
                ("Where on your body?", "Left lower leg"),
                ("Is any of these veins hot, hard or painful?", "No, they are quiet"),
            ),
            dt.date(2026, 6, 1),
        )
    ]  # fmt: skip
    unsure = declared_in_words({"varicose_veins": {"present": True, "not_sure": True, "site": ["left_foot"]}})
    assert unsure[0].details[0][1] == "Not sure"
    lost = declared_in_words({"gone_row": {"present": True, "site": ["left_foot"], "bad": True}})
    assert (lost[0].label, lost[0].details) == ("Gone row", (("Site", "left_foot"), ("Bad", "Yes")))


def test_plain_words_for_what_the_table_has_lost() -> None:
    gone = {
        "present": True,
        "checked": False,
        "places": ["left", "right"],
        "weeks": 12.0,
        "days": 3.5,
        "kind": "x",
    }
    assert declared_in_words({"gone_row": gone})[0].details == (
        ("Checked", "No"), ("Places", "left, right"), ("Weeks", "12"), ("Days", "3.5"), ("Kind", "x"),
    )  # fmt: skip


def test_changes_in_what_the_table_has_lost_come_last() -> None:
    changes = changes_in_words({"gone_row": {"present": True}}, {"varicose_veins": VEINS})
    assert [one.label for one in changes] == ["Varicose veins", "Gone row"]


def test_changes_in_words() -> None:
    changes = changes_in_words(
        {"varicose_veins": VEINS}, {"asthma_breathing": {"present": True, "status": "controlled"}}
    )
    found = {one.label: (one.before is not None, one.after is not None) for one in changes}
    assert len(found) == 2
    assert found.pop("Varicose veins") == (True, False)
    assert list(found.values()) == [(False, True)]
    assert (
        changes_in_words({"varicose_veins": VEINS}, {"varicose_veins": {**VEINS, "changed_on": "2026-06-01"}})
        == []
    )
