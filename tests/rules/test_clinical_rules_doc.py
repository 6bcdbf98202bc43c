from __future__ import annotations

from clinic.rules.house_rules import HOUSE_RULES
from clinic.rules.rule_table import TABLE
from scripts.clinical_rules_doc import PAGE, condition_part, document


def test_page_on_paper_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == document(), "run: python -m scripts.clinical_rules_doc"


def test_page_holds_every_rule_with_its_verdicts() -> None:
    page = document()
    for key, condition in TABLE.conditions.items():
        assert f"(`{key}`)" in page
        assert all(f"`{variant.when.text}`" in page for variant in condition.variants)
    assert all(f"#### {rule.key}: " in page for rule in TABLE.combinations)
    assert all(f"| {key} | " in page for key in TABLE.sources)
    assert all(f"**{one.title}** (`{one.key}`)" in page for one in HOUSE_RULES.values())


def test_row_shows_variants_elsewhere_and_default() -> None:
    lines = condition_part(TABLE.conditions["fracture"]).splitlines()
    assert "| `days<84` (first 12 weeks) | X | X | X | X | X | X | X | X | – |  |" in lines
    assert "| … elsewhere | D | ! | ! | ! | ! | ! | ! | ! | – |  |" in lines
    assert "| default | X | X | X | X | X | X | X | X | – |  |" in lines
    assert "- May clear: physician, specialist, nurse practitioner; holds 90 days." in lines
