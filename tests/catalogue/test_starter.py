"""The catalogue of a new clinic, against the figures it was taken from."""

from __future__ import annotations

import re

from clinic.catalogue.models import Addon, Service, ServiceMode
from clinic.catalogue.starter import starter_rows
from clinic.rules.kinds import DEVICE_KINDS, FAMILIES, LICENCES, ROOM_KINDS, SKILLS
from clinic.rules.verdicts import ADDONS, SERVICES

FIGURES = {
    "decompression_traction": ([30, 45, 60], 15, ["traction"], []),
    "decompression_vacuum": ([30, 45, 60], 20, ["cupping"], ["vacuum_unit"]),
    "decompression_vacuum_magnetic": ([30, 45], 20, ["cupping"], ["vacuum_unit", "magnet_cups"]),
    "swedish": ([30, 60, 90], 15, [], []),
    "deep_tissue": ([30, 60, 90], 15, ["deep_tissue"], []),
    "sports": ([30, 45, 60], 15, ["sports"], []),
    "relaxation": ([60, 90], 15, [], []),
}
"""Lengths and turnover in minutes, skills, devices."""


def test_seven_services_with_their_figures() -> None:
    services, _ = starter_rows()
    found = {
        one.key: (
            [length.minutes for length in one.lengths if length.mode is None],
            one.turnover_minutes,
            one.skills,
            one.device_kinds or [],
        )
        for one in services
    }
    assert found == FIGURES


def test_each_service_is_judged_as_itself_and_needs_a_licence() -> None:
    services, addons = starter_rows()
    assert {one.key: one.judged_as for one in services} == {key: [key] for key in SERVICES}
    assert {one.key: one.judged_as for one in addons} == {key: key for key in ADDONS}
    assert {one.licence_kind or "LMT" for one in services} == {"LMT"}


def test_only_vacuum_without_magnets_has_the_chamber() -> None:
    services, _ = starter_rows()
    modes = [
        (one.key, mode.key, mode.skills, mode.room_kind, mode.device_kinds)
        for one in services
        for mode in one.modes
    ]
    assert modes == [("decompression_vacuum", "interval", ["chamber"], "chamber", ["interval_chamber"])]
    vacuum = next(one for one in services if one.key == "decompression_vacuum")
    assert [length.minutes for length in vacuum.lengths if length.mode == "interval"] == [20, 30]
    assert vacuum.modes[0].turnover_minutes == 20


def test_addons_go_with_relaxation_and_swedish_only() -> None:
    services, addons = starter_rows()
    offered = {one.key: [addon.key for addon in one.addons] for one in services if one.addons}
    assert offered == {"swedish": ["hot_stone", "aromatherapy"], "relaxation": ["hot_stone", "aromatherapy"]}
    assert [(one.key, one.minutes, one.turnover_minutes) for one in addons] == [
        ("hot_stone", 15, 5),
        ("aromatherapy", 0, 5),
    ]


def test_every_kind_that_is_asked_for_has_words() -> None:
    services, addons = starter_rows()
    modes = [mode for one in services for mode in one.modes]
    things: list[Service | ServiceMode | Addon] = [*services, *modes, *addons]
    assert {skill for one in things for skill in one.skills} <= SKILLS.keys()
    assert {kind for one in things for kind in one.device_kinds or []} <= DEVICE_KINDS.keys()
    assert {one.room_kind for one in modes} <= ROOM_KINDS.keys()
    assert {"LMT"} <= LICENCES.keys()
    families = [one.family for one in services]
    assert {family for family in families if families.count(family) > 1} == FAMILIES.keys()


def test_words_promise_nothing() -> None:
    services, addons = starter_rows()
    texts = [
        f"{one.summary} {one.good_for} {one.what_happens} {one.what_to_expect} {one.techniques}"
        for one in services
    ] + [one.summary for one in addons]
    promises = re.compile(
        r"\b(treats?|cures?|heals?|detox\w*|toxins?|guarantee\w*|proven|immune)\b", re.IGNORECASE
    )
    assert [found for text in texts for found in promises.findall(text)] == []


def test_every_service_says_what_it_is_what_happens_and_what_comes_after() -> None:
    services, addons = starter_rows()
    for one in services:
        for name in (
            "summary",
            "good_for",
            "what_happens",
            "what_to_expect",
            "aftercare",
            "techniques",
            "pressure",
            "how_often",
        ):
            assert getattr(one, name).strip(), f"{one.key}.{name}"
        assert one.other_names
    assert all(one.summary and one.aftercare for one in addons)
