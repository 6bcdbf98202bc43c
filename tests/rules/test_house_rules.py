"""House rules that come with the program: each only ever makes stricter, and no wait is without an end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from clinic.rules.changed_table import (
    check_change,
    find_rule,
    may_wait_for_letter,
    shipped_verdicts,
)
from clinic.rules.house_rules import HOUSE_RULES, load_house_rules
from clinic.rules.rule_table import TABLE
from clinic.rules.table_entries import LoadError
from clinic.rules.verdicts import Verdict
from tests.rules.gate_cases import ADULT, ago, yes
from tests.rules.rule_changes import SINCE, STABLE, code, under


@pytest.mark.parametrize(("key", "answers", "age", "before", "after"), [
    ("thinners_letter", STABLE, ADULT, "233133110", "233233210"),
    ("thinners_letter", {"blood_thinners": yes(med_class="single_antiplatelet")}, ADULT, "122111110", "122211210"),
    ("pregnancy_letter", {"pregnancy": yes(
        status="confirmed", weeks=20, weeks_as_of=ago(0), high_risk=False, complication="none",
    )}, ADULT, "333133131", "333233231"),
    ("no_firm_work_from_75", {}, 75, "111111110", "111133110"),
    ("no_decompression_on_thin_bones", {"osteoporosis": yes(severity="osteopenia")}, ADULT, "211111100", "333111100"),
    ("no_heat_on_numb_skin", {"diabetes": yes(status="controlled", complications=False)}, ADULT, "011111110",
     "011111130"),
    ("no_scents", {"asthma_breathing": yes(status="controlled")}, ADULT, "111111111", "111111113"),
])  # fmt: skip
def test_house_rule_switched_on(key: str, answers: dict[str, Any], age: int, before: str, after: str) -> None:
    table = under(*HOUSE_RULES[key].changes(SINCE))
    old, new = code(answers, age=age), code(answers, table, age=age)
    assert (old, new) == (before, after)
    assert all(a <= b for a, b in zip(old, new, strict=True))


def test_house_rules_only_ever_make_stricter_and_each_wait_can_end() -> None:
    for rule in HOUSE_RULES.values():
        for change in rule.changes(SINCE):
            check_change(change)
            assert not change.is_laxer
            found = find_rule(TABLE, change.rule)
            assert found is not None
            assert change.verdict is not Verdict.CLEARANCE or may_wait_for_letter(found)
            for column in change.columns:
                assert min(shipped_verdicts(found, column)) < change.verdict


@pytest.mark.parametrize(("text", "entry"), [
    ('rule = "nothing"\ncolumns = ["swedish"]\nverdict = "block"', "a minimum, rule"),
    ('rule = "hernia"\ncolumns = ["spa"]\nverdict = "block"', "a minimum, columns"),
    ('rule = "hernia"\ncolumns = ["swedish"]\nverdict = "bad"', "a minimum, verdict"),
    ('rule = "I17"\ncolumns = ["swedish"]\nverdict = "clearance"', "a, verdict"),
    ('rule = "hernia"\ncolumns = ["swedish"]\nverdict = "block"\nlaxer = true', "a minimum, laxer"),
])  # fmt: skip
def test_a_wrong_house_rule_is_refused_when_the_program_starts(tmp_path: Path, text: str, entry: str) -> None:
    file = tmp_path / "house.toml"
    file.write_text(
        f'[[house_rule]]\nkey = "a"\ntitle = "A rule"\nwhy = "B"\n[[house_rule.minimum]]\n{text}\n'
    )
    with pytest.raises(LoadError) as error:
        load_house_rules(file)
    assert str(error.value).startswith(f"{entry}:")


WHOLE = """[[house_rule]]
key = "a"
title = "A rule"
why = "B"
[[house_rule.minimum]]
rule = "hernia"
columns = ["swedish"]
verdict = "block"
only_if_found = false
"""


@pytest.mark.parametrize(("text", "says"), [
    (WHOLE + WHOLE, "is there twice"),
    (WHOLE.partition("[[house_rule.minimum]]")[0] + "minimum = []", "minimum: is missing"),
    (WHOLE.replace('why = "B"', 'why = "B"\nlaxer = true'), "laxer"),
    (f"off = true\n{WHOLE}", "off"),
])  # fmt: skip
def test_a_file_of_house_rules_holds_each_once_and_nothing_unknown(
    tmp_path: Path, text: str, says: str
) -> None:
    file = tmp_path / "house.toml"
    file.write_text(WHOLE)
    assert list(load_house_rules(file)) == ["a"]
    file.write_text(text)
    with pytest.raises(LoadError, match=says):
        load_house_rules(file)
