"""What is said about a rule file that cannot be trusted, whole sentence by whole sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from clinic.rules.rule_table import COMBINATIONS_FILE, CONDITIONS_FILE, SOURCES_FILE, load_table
from clinic.rules.table_entries import LoadError

FILES = {"conditions": CONDITIONS_FILE, "combinations": COMBINATIONS_FILE, "sources": SOURCES_FILE}


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        ("sources", 'id = "SEED000"\n', "", "source, id: needs a text"),
        ("sources", 'id = "SEED000"\nbasis = "R"\n', 'id = "SEED000"\nbasis = "Q"\n',
         "source, basis: unknown word 'Q'"),
        ("sources", 'id = "SEED001"', 'id = "SEED000"',
         "sources.toml, SEED000: is there twice among the entries of source"),
        ("conditions", "version = 1", "version = 0", "conditions.toml, version: needs a positive whole number"),
        ("conditions", 'key = "urgent_now"\n', "", "page, key: needs a text"),
        ("conditions", 'key = "urgent_soon"\n', 'key = "urgent_now"\n',
         "conditions.toml, urgent_now: is there twice among the entries of page"),
        ("conditions", 'key = "age_under_18"\n', "", "clearance_only, key: needs a text"),
        ("conditions", "clearance_valid_days = 180\n\n[[page]]", "\n[[page]]",
         "clearance_only, clearance_valid_days: needs a positive whole number"),
        ("conditions", 'key = "fever"\n', "", "condition, key: needs a text"),
        ("conditions", 'interval_vacuum_raise = "block"', 'interval_vacuum_raise = "clear"',
         "poor_artery_circulation, interval_vacuum_raise: unknown verdict 'clear'"),
        ("conditions", 'name = "checked_by_doctor"\n', "", "rf_chest_pain_breathless field, name: needs a text"),
        ("conditions", 'name = "new_or_worse"', 'name = "checked_by_doctor"',
         "rf_bladder_bowel_loss.checked_by_doctor, name: does not fit or is there twice"),
        ("conditions", 'type = "yes_no"', 'type = "choice"',
         "rf_chest_pain_breathless.checked_by_doctor, choices: does not fit or is there twice"),
        ("conditions", '["current", "It is there now"]', '["current"]',
         "blood_clot.status, choices: needs pairs of key and label, not ['current']"),
        ("conditions", 'when = "fever_free_hours>=24"', 'when = "feverish>=24"',
         "fever variant [feverish>=24], when: unknown name: feverish"),
        ("conditions", 'when = "fever_free_hours>=24"\n', "", "fever variant, when: needs a text"),
        ("conditions", 'ask_when = ["intake"]', "ask_when = []",
         "rf_unexplained_weight_loss, ask_when: is asked nowhere"),
        ("combinations", 'id = "I01"\n', "", "combination, id: needs a text"),
        ("combinations", 'id = "I01"', 'id = "I02"',
         "combinations.toml, I02: is there twice among the entries of combination"),
        ("combinations", 'must_name = ["pregnancy"]\n', "",
         "I08, must_name: a minimum of clearance needs the conditions to be cleared"),
        ("combinations", 'id = "I17"\n', 'id = "I17"\nred_flag = "prompt"\n',
         "I17, red_flag: an urgent rule has to block every column"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_file_is_said(tmp_path: Path, file: str, old: str, new: str, said: str) -> None:
    text = FILES[file].read_text(encoding="utf-8")
    assert old in text, "the piece to replace is not in the file"
    path = tmp_path / FILES[file].name
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(LoadError) as refused:
        load_table(**{file: path})
    assert str(refused.value) == said


def test_file_that_is_not_toml_is_named(tmp_path: Path) -> None:
    path = tmp_path / "conditions.toml"
    path.write_text("version = = 1", encoding="utf-8")
    with pytest.raises(LoadError) as refused:
        load_table(conditions=path)
    assert (refused.value.entry, refused.value.key) == ("conditions.toml", "file")
    assert str(refused.value).startswith("conditions.toml, file: cannot be read: ")
