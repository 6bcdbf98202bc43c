"""The clinic's own changes of rules: stricter freely, less strict on a clinician's word and by one step."""

from __future__ import annotations

import ast
import datetime as dt
from dataclasses import replace
from pathlib import Path

import pytest

from clinic.rules import advice, letter_scope
from clinic.rules.changed_table import (
    acts,
    adjusted,
    check_change,
    digest_of,
    find_rule,
    why_never_laxer,
)
from clinic.rules.clearances import Clearance
from clinic.rules.errors import InvalidInput
from clinic.rules.places_to_avoid import places_to_avoid
from clinic.rules.rule_change import RuleChange
from clinic.rules.rule_table import TABLE
from clinic.rules.screening import Treatment
from clinic.rules.verdicts import Outcome, Verdict
from tests.rules.gate_cases import ADULT, DAY, ago, yes
from tests.rules.rule_changes import SINCE, STABLE, code, judged, laxer, stricter, under

# ── stricter ──────────────────────────────────────────────────────────────────────────────────────────────


def test_no_change_is_the_shipped_table_itself() -> None:
    assert adjusted(TABLE, (), 0) is TABLE


def test_version_names_the_shipped_one_the_clinics_number_and_the_changes() -> None:
    one, two = stricter("fever", Verdict.CAUTION, "swedish"), stricter("hernia", Verdict.BLOCK, "swedish")
    assert under(one, number=7).version == f"{TABLE.version}+7-{digest_of([one])}"
    assert digest_of([one, two]) == digest_of([two, one]) != digest_of([one])
    assert judged({}, under(one, number=7)).rules_version == under(one, number=7).version
    # Taken back, the rules are the shipped ones, and the version still says which of the clinic's own it is.
    assert adjusted(TABLE, (), 8).version == f"{TABLE.version}+8-{digest_of([])}"
    assert code(STABLE, adjusted(TABLE, (), 8)) == code(STABLE)


def test_stricter_raises_the_named_columns_and_no_others() -> None:
    assert code(STABLE) == "233133110"
    assert (
        code(STABLE, under(stricter("blood_thinners", Verdict.BLOCK, "swedish", "hot_stone"))) == "233333130"
    )
    assert code(STABLE, under(stricter("blood_thinners", Verdict.CAUTION))) == "233133111"
    assert code({}, under(stricter("blood_thinners", Verdict.BLOCK))) == "000000000"


def test_only_if_found_leaves_alone_what_is_clear() -> None:
    always = under(stricter("blood_thinners", Verdict.BLOCK))
    found = under(stricter("blood_thinners", Verdict.BLOCK, only_if_found=True))
    assert (code(STABLE, always), code(STABLE, found)) == ("333333333", "333333330")
    past = {"postpartum": yes(date=ago(400), caesarean=False)}
    assert code(past) == "000000000"
    assert code(past, under(stricter("postpartum", Verdict.BLOCK, only_if_found=True))) == "000000000"


def test_finding_says_that_it_is_a_house_rule_to_staff_and_to_the_client() -> None:
    change = stricter("blood_thinners", Verdict.CLEARANCE, "swedish", house_rule="thinners_letter")
    [finding] = judged(STABLE, under(change)).findings
    assert finding.changed == change
    assert (
        "House rule since Sunday 1 March 2026, stricter than shipped: We want to be careful."
        in finding.staff_note
    )
    assert finding.reason == (
        TABLE.conditions["blood_thinners"].plain_reason + " Our clinic asks for a letter first."
    )
    [other] = judged(STABLE, under(change), service="sports").findings
    assert (other.changed, "House rule" in other.staff_note) == (None, False)


def test_the_house_wait_ends_with_a_letter_as_the_tables_own_does() -> None:
    table = under(stricter("blood_thinners", Verdict.CLEARANCE, "swedish"))
    letter = Clearance("blood_thinners", frozenset({"swedish"}), DAY, "physician")
    assert judged(STABLE, table).outcome is Outcome.HOLD_UNTIL_CLEARANCE
    cleared = judged(STABLE, table, clearances=[letter])
    assert (cleared.outcome, cleared.clearances_used) == (Outcome.ALLOW_FLAG_THERAPIST, (letter,))
    scope = letter_scope.awaiting_clearance(STABLE, born_on=dt.date(1980, 1, 1), today=DAY, table=table)
    assert "swedish" in scope["blood_thinners"]
    shipped = letter_scope.awaiting_clearance(STABLE, born_on=dt.date(1980, 1, 1), today=DAY)
    assert "swedish" not in shipped["blood_thinners"]


def test_combination_made_stricter() -> None:
    table = under(stricter("I17", Verdict.BLOCK, "sports"))
    assert code({}, table, age=75) == "111113110"
    assert code({}, table, age=74) == "000000000"
    [finding] = judged({}, table, "sports", age=75).findings
    assert "House rule" in finding.staff_note
    assert finding.reason.endswith("Our clinic asks you to choose something else in this case.")


def test_a_window_that_ends_does_not_end_a_minimum() -> None:
    birth = {"postpartum": yes(date=ago(50), caesarean=False)}
    [shipped] = judged(birth).findings
    [found] = judged(birth, under(stricter("postpartum", Verdict.CLEARANCE, only_if_found=True))).findings
    [always] = judged(birth, under(stricter("postpartum", Verdict.CLEARANCE))).findings
    ends = DAY + dt.timedelta(days=34)
    assert (shipped.until, found.until, always.until) == (ends, ends, None)


def test_everything_else_that_judges_follows_the_table_it_is_given() -> None:
    table = under(stricter("hernia", Verdict.BLOCK, "swedish"))
    answers = {"hernia": yes(site=["abdomen"])}
    treatment = Treatment(("swedish",), areas=("neck",))
    assert "swedish" in advice.safe_services(answers, day=DAY, age=ADULT, areas=("neck",))
    assert "swedish" not in advice.safe_services(answers, day=DAY, age=ADULT, areas=("neck",), table=table)
    born = dt.date(1980, 1, 1)
    assert advice.earliest_day(treatment, answers, start=DAY, born_on=born) == DAY
    assert advice.earliest_day(treatment, answers, start=DAY, born_on=born, table=table) is None
    wound = {"varicose_veins": yes(site=["left_lower_leg"], status="quiet")}
    heat = Treatment(("decompression_traction",), areas=("left_lower_leg",))
    assert places_to_avoid(heat, wound, day=DAY, age=ADULT) == ()
    raised = under(stricter("varicose_veins", Verdict.CAUTION, "decompression_traction"))
    assert [one.rule for one in places_to_avoid(heat, wound, day=DAY, age=ADULT, table=raised)] == [
        "varicose_veins"
    ]


# ── less strict ───────────────────────────────────────────────────────────────────────────────────────────


def test_less_strict_is_one_step_and_no_more() -> None:
    assert code(STABLE) == "233133110"
    assert code(STABLE, under(laxer("blood_thinners", Verdict.CAUTION))) == "133133110"
    assert code(STABLE, under(laxer("blood_thinners", Verdict.CLEARANCE))) == "222122110"
    both = under(laxer("blood_thinners", Verdict.CLEARANCE), laxer("blood_thinners", Verdict.CAUTION))
    assert code(STABLE, both) == "233133110"  # two words that differ: nothing is made less strict


def test_less_strict_is_marked_on_the_finding() -> None:
    change = laxer("blood_thinners", Verdict.CLEARANCE, "sports")
    [finding] = judged(STABLE, under(change), "sports").findings
    assert (finding.verdict, finding.changed) == (Verdict.CLEARANCE, change)
    assert (
        "Less strict than shipped, on the word of Dr Ada Ray (a doctor, MD 1) since Sunday 1 March 2026: Seen for"
        " years." in finding.staff_note
    )
    assert finding.reason == TABLE.conditions["blood_thinners"].plain_reason


def test_a_missing_detail_keeps_the_shipped_verdict() -> None:
    unsure = {"blood_thinners": yes()}
    assert code(unsure, under(laxer("blood_thinners", Verdict.CLEARANCE))) == code(unsure)


def test_the_chambers_own_raise_stays() -> None:
    answers = {"hernia": yes(site=["abdomen"])}
    table = under(laxer("hernia", Verdict.CLEARANCE, "decompression_vacuum"))
    assert judged(answers, table, "decompression_vacuum", areas=("abdomen",)).verdict is Verdict.CLEARANCE
    chamber = judged(answers, table, "decompression_vacuum", areas=("abdomen",), mode="interval")
    assert (chamber.verdict, chamber.findings[0].changed) == (Verdict.BLOCK, None)


def test_the_stricter_of_two_words_holds() -> None:
    table = under(
        laxer("blood_thinners", Verdict.CAUTION), stricter("blood_thinners", Verdict.CLEARANCE, "deep_tissue")
    )
    assert code(STABLE, table) == "133133110"
    again = under(
        laxer("blood_thinners", Verdict.CAUTION),
        stricter("blood_thinners", Verdict.CLEARANCE, "decompression_traction"),
    )
    [finding] = judged(STABLE, again, "decompression_traction").findings
    assert (finding.verdict, finding.changed) == (Verdict.CLEARANCE, None)


def test_less_strict_acts_only_on_the_table_that_the_clinician_saw() -> None:
    change = laxer("blood_thinners", Verdict.CAUTION)
    newer = replace(TABLE, version="2-newer")
    assert (acts(TABLE, change), acts(newer, change)) == (True, False)
    assert acts(under(change), change)
    assert code(STABLE, adjusted(newer, [change], 1)) == code(STABLE)
    assert acts(newer, stricter("blood_thinners", Verdict.BLOCK))
    assert not acts(TABLE, stricter("gone", Verdict.BLOCK))


@pytest.mark.parametrize("key", [
    *(key for key, one in TABLE.conditions.items() if one.red_flag or one.about_now or not one.who_may_clear),
    *(one.key for one in TABLE.combinations), "doctor_said_no",
])  # fmt: skip
def test_never_less_strict(key: str) -> None:
    rule = find_rule(TABLE, key)
    assert rule is not None
    assert why_never_laxer(rule)
    for verdict in (Verdict.CAUTION, Verdict.CLEARANCE):
        with pytest.raises(InvalidInput) as refused:
            check_change(laxer(key, verdict))
        assert refused.value.field == "rule"


@pytest.mark.parametrize(("field", "change"), [
    ("rule", stricter("nothing", Verdict.BLOCK)),
    ("columns", RuleChange("hernia", (), Verdict.BLOCK, SINCE, "We said so")),
    ("columns", stricter("hernia", Verdict.BLOCK, "swedish", "hammam")),
    ("reason", replace(stricter("hernia", Verdict.BLOCK), reason="  ab ")),
    ("verdict", stricter("hernia", Verdict.CLEAR)),
    ("verdict", stricter("alcohol_drugs_today", Verdict.BLOCK)),
    ("verdict", stricter("fragile_skin", Verdict.CLEARANCE)),
    ("verdict", stricter("I17", Verdict.CLEARANCE)),
    ("verdict", stricter("I15", Verdict.BLOCK, "decompression_vacuum")),
    ("verdict", stricter("hernia", Verdict.CAUTION, "swedish", only_if_found=True)),
    ("verdict", laxer("blood_thinners", Verdict.CLEAR)),
    ("verdict", laxer("blood_thinners", Verdict.BLOCK)),
    ("verdict", laxer("blood_thinners", Verdict.CAUTION, "aromatherapy")),
    ("clinician", laxer("blood_thinners", Verdict.CAUTION, clinician=" ")),
    ("role", laxer("blood_thinners", Verdict.CAUTION, role="massage_therapist")),
    ("role", laxer("blood_thinners", Verdict.CAUTION, role="midwife")),
    ("register_number", laxer("blood_thinners", Verdict.CAUTION, register_number="")),
    ("said_on", laxer("blood_thinners", Verdict.CAUTION, said_on=None)),
    ("said_on", laxer("blood_thinners", Verdict.CAUTION, said_on=SINCE + dt.timedelta(days=1))),
])  # fmt: skip
def test_a_change_that_cannot_be_made_is_refused_at_its_field(field: str, change: RuleChange) -> None:
    with pytest.raises(InvalidInput) as refused:
        check_change(change)
    assert (refused.value.field, bool(refused.value.sentence)) == (field, True)


@pytest.mark.parametrize("change", [
    stricter("fragile_skin", Verdict.BLOCK), stricter("I08", Verdict.CLEARANCE, "hot_stone"),
    stricter("I17", Verdict.CAUTION, "aromatherapy"), laxer("blood_thinners", Verdict.CAUTION, "swedish", "sports"),
    laxer("pregnancy", Verdict.CLEARANCE, role="midwife"),
])  # fmt: skip
def test_a_change_that_can_be_made(change: RuleChange) -> None:
    if change.rule == "I08":  # blocked there already
        with pytest.raises(InvalidInput):
            check_change(change)
    else:
        check_change(change)


def test_a_record_is_read_as_it_was_written() -> None:
    for change in (
        stricter("hernia", Verdict.BLOCK, only_if_found=True), laxer("hernia", Verdict.CAUTION),
        laxer("hernia", Verdict.CAUTION, "sports"),  # and for no other column
    ):  # fmt: skip
        assert RuleChange.of_record(change.as_record()) == change


# ── nobody forgets the table ──────────────────────────────────────────────────────────────────────────────

ROOT = Path(__file__).parents[2] / "clinic"


def _trees() -> dict[Path, ast.Module]:
    return {path: ast.parse(path.read_text(encoding="utf-8")) for path in sorted(ROOT.rglob("*.py"))}


def _takes_table(function: ast.FunctionDef) -> bool:
    return any(one.arg == "table" for one in function.args.kwonlyargs)


def test_every_caller_says_by_which_table_it_judges() -> None:
    """Every function of the rulebook that judges takes the table by name. A caller that leaves it out would judge by
    the shipped one, whatever the clinic has changed: only the command that screens cases may, and it says so here."""
    trees = _trees()
    names = {
        node.name if node.name != "of" else "Sheet.of"
        for path, tree in trees.items() if path.parent.name == "rules"
        for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and _takes_table(node)
    }  # fmt: skip
    assert names == {
        "Sheet.of",
        "screen",
        "safe_services",
        "earliest_day",
        "awaiting_clearance",
        "places_to_avoid",
    }
    forgot = [
        f"{path.relative_to(ROOT)}:{call.lineno}"
        for path, tree in trees.items() if path.name != "screen_case.py"
        for call in ast.walk(tree) if isinstance(call, ast.Call)
        and any(ast.unparse(call.func) == name or ast.unparse(call.func).endswith(f".{name}") for name in names)
        and not any(keyword.arg == "table" for keyword in call.keywords)
    ]  # fmt: skip
    assert forgot == []
