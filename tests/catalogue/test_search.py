"""Services are found by what people call them."""

from __future__ import annotations

import pytest

from clinic.catalogue.search import folded, score
from clinic.catalogue.starter import starter_rows

FIELDS = [(8, ["Décompression by vacuum"]), (5, ["cupping", "vacuum massage"]), (1, ["Tight shoulders"])]


@pytest.mark.parametrize(
    "typed",
    [
        "cupping",
        "CUPPING",
        "cupp",
        "Vacuum massage",
        "decompression",
        "dècompression",
        "massage with cupping",
        "should",
    ],
)
def test_case_accents_and_word_starts_do_not_matter(typed: str) -> None:
    assert score(typed, FIELDS) > 0


@pytest.mark.parametrize("typed", ["cuping", "cuppping", "cuppimg", "cuppnig", "vacum"])
def test_one_slip_of_a_letter_is_forgiven(typed: str) -> None:
    assert score(typed, FIELDS) > 0


@pytest.mark.parametrize("typed", ["", "   ", "!!", "ping", "cupping swedish", "kuping", "cap", "tigt"])
def test_other_words_are_not_found(typed: str) -> None:
    assert score(typed, FIELDS) == 0


def test_the_name_weighs_more_than_other_names_and_these_more_than_texts() -> None:
    assert score("vacuum", FIELDS) > score("cupping", FIELDS) > score("tight", FIELDS) > 0


def test_folding_leaves_words_with_single_spaces() -> None:
    assert folded("  Runner's  MASSAGE – Crème ") == "runners massage creme"


@pytest.mark.parametrize(
    ("typed", "key"),
    [
        ("cupping", "decompression_vacuum"),
        ("vacuum massage", "decompression_vacuum"),
        ("negative pressure", "decompression_vacuum"),
        ("mechanical decompression", "decompression_vacuum"),
        ("magnets", "decompression_vacuum_magnetic"),
        ("traction", "decompression_traction"),
        ("trigger point", "deep_tissue"),
        ("classic massage", "swedish"),
    ],
)
def test_starter_services_are_found_by_their_other_names(typed: str, key: str) -> None:
    services, _ = starter_rows()
    points = {one.key: score(typed, [(8, [one.name]), (5, one.other_names)]) for one in services}
    assert points[key] == max(points.values()) > 0
