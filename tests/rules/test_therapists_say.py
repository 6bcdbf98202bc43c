"""A therapist's say is a minimum: never laxer than the rules, on the named columns and days only."""

from __future__ import annotations

import datetime as dt

import pytest

from clinic.rules import screening
from clinic.rules.findings import LASTS
from clinic.rules.kinds import skills_for
from clinic.rules.rule_table import TABLE
from clinic.rules.therapists_say import (
    COLUMN_WORDS,
    LABEL,
    REASON,
    RULE,
    Restriction,
    is_the_only_wait,
    raised,
)
from clinic.rules.verdicts import COLUMNS, Outcome, Verdict

DAY = dt.date(2026, 6, 20)
VERDICTS = (Verdict.CAUTION, Verdict.CLEARANCE, Verdict.BLOCK)


def judged(
    service: str = "swedish", addons: tuple[str, ...] = (), **declared: dict[str, object]
) -> screening.Screening:
    answers = {key: {"present": True, **details} for key, details in declared.items()}
    return screening.screen(
        screening.Treatment((service,), addons=addons, areas=("full_body",)),
        answers, day=DAY, age=40, intake_completed_on=DAY,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("verdict", "outcome"),
    [
        (Verdict.CAUTION, Outcome.ALLOW_FLAG_THERAPIST),
        (Verdict.CLEARANCE, Outcome.HOLD_UNTIL_CLEARANCE),
        (Verdict.BLOCK, Outcome.REFUSE),
    ],
)
def test_it_raises_to_at_least_what_was_asked_for(verdict: Verdict, outcome: Outcome) -> None:
    found = raised(judged(), [Restriction(verdict, "Was dizzy.")], ("swedish",))
    assert (found.verdict, found.outcome) == (verdict, outcome)
    assert [(one.rule, one.verdict, one.staff_note) for one in found.findings] == [
        (RULE, verdict, "Was dizzy.")
    ]
    assert "dizzy" not in found.findings[0].reason


@pytest.mark.parametrize("verdict", VERDICTS)
@pytest.mark.parametrize("condition", sorted(TABLE.conditions))
def test_it_never_makes_a_verdict_laxer(condition: str, verdict: Verdict) -> None:
    before = judged("swedish", (), **{condition: {}})
    after = raised(before, [Restriction(verdict, "Because.")], ("swedish",))
    assert after.verdict >= before.verdict
    assert after.outcome >= before.outcome
    assert after.urgency == before.urgency
    assert set(before.findings) <= set(after.findings)


def test_it_holds_for_the_named_columns_and_up_to_its_last_day() -> None:
    one = Restriction(Verdict.BLOCK, "Because.", frozenset({"deep_tissue"}), until=DAY)
    assert raised(judged(), [one], ("swedish",)) == judged()
    assert raised(judged("deep_tissue"), [one], ("deep_tissue",)).verdict is Verdict.BLOCK
    over = Restriction(Verdict.BLOCK, "Because.", until=DAY - dt.timedelta(days=1))
    assert raised(judged(), [over], ("swedish",)) == judged()


def test_what_does_not_hold_does_not_hide_what_does() -> None:
    elsewhere = Restriction(Verdict.BLOCK, "Because.", frozenset({"deep_tissue"}))
    here = Restriction(Verdict.CLEARANCE, "Because.", frozenset({"swedish"}))
    assert raised(judged(), [elsewhere, here], ("swedish",)).verdict is Verdict.CLEARANCE


def test_what_a_therapist_said_names_what_it_is_about() -> None:
    massage = Restriction(Verdict.CAUTION, "Was dizzy.", frozenset({"swedish"}))
    stones = Restriction(Verdict.BLOCK, "Got too warm.", frozenset({"hot_stone"}))
    found = raised(judged(addons=("hot_stone",)), [massage, stones], ("swedish",))
    assert [(one.label, one.column, one.staff_note, one.reason) for one in found.findings] == [
        (LABEL, "hot_stone", "Got too warm.", REASON),
        (LABEL, "swedish", "Was dizzy.", REASON),
    ]


def test_what_a_therapist_said_has_no_letter_and_no_end() -> None:
    (finding,) = raised(judged(), [Restriction(Verdict.CLEARANCE, "Because.")], ("swedish",)).findings
    assert (finding.source, finding.until, finding.who_may_clear) == ("the treating therapist", None, ())
    assert finding.sure is True
    assert finding.what_would_change == LASTS


def test_the_strongest_finding_comes_first_and_what_is_urgent_before_it() -> None:
    one = Restriction(Verdict.BLOCK, "Because.")
    found = raised(judged(strong_painkillers={}), [one], ("swedish",))
    assert [finding.rule for finding in found.findings] == [RULE, "strong_painkillers"]
    found = raised(judged(strong_painkillers={}, fever={}), [one], ("swedish",))
    assert [finding.rule for finding in found.findings] == ["fever", RULE, "strong_painkillers"]


def test_an_add_on_is_touched_only_where_it_is_named_and_only_up_to_the_last_day() -> None:
    everything = Restriction(Verdict.BLOCK, "Because.")
    assert raised(judged(addons=("hot_stone",)), [everything], ("swedish",)).dropped_addons == ()
    over = Restriction(Verdict.BLOCK, "Because.", frozenset({"hot_stone"}), until=DAY - dt.timedelta(days=1))
    assert raised(judged(addons=("hot_stone",)), [over], ("swedish",)).dropped_addons == ()
    last = Restriction(Verdict.BLOCK, "Because.", frozenset({"hot_stone"}), until=DAY)
    assert raised(judged(addons=("hot_stone",)), [last], ("swedish",)).dropped_addons == ("hot_stone",)


def test_a_named_add_on_comes_off_and_the_treatment_stays() -> None:
    one = Restriction(Verdict.BLOCK, "Because.", frozenset({"hot_stone"}))
    found = raised(judged(addons=("hot_stone",)), [one], ("swedish",))
    assert found.dropped_addons == ("hot_stone",)
    assert found.permits


def test_it_waits_for_a_talk_only_where_nothing_else_is_missing() -> None:
    one = Restriction(Verdict.CLEARANCE, "Because.")
    assert is_the_only_wait(raised(judged(), [one], ("swedish",)))
    assert not is_the_only_wait(judged())
    letter = judged(clotting_tendency={"type": "factor V Leiden"})
    assert not is_the_only_wait(raised(letter, [one], ("swedish",)))


def test_a_caution_or_an_add_on_that_waits_is_no_reason_against_a_talk() -> None:
    one = Restriction(Verdict.CLEARANCE, "Because.")
    cautious = judged(strong_painkillers={})
    assert cautious.verdict is Verdict.CAUTION
    assert is_the_only_wait(raised(cautious, [one], ("swedish",)))
    addon = judged("relaxation", ("aromatherapy",), allergy_contact={"type": "fragrance"})
    assert addon.addon_verdicts["aromatherapy"] is Verdict.BLOCK
    assert is_the_only_wait(raised(addon, [one], ("relaxation",)))


def test_every_column_has_words() -> None:
    assert tuple(COLUMN_WORDS) == COLUMNS


@pytest.mark.parametrize(
    ("answers", "skills"),
    [
        ({}, set()),
        ({"pregnancy": {"present": False}}, set()),
        ({"pregnancy": {"present": True, "not_sure": True}}, {"prenatal"}),
        ({"cancer_active": {"present": True}, "pregnancy": {"present": True}}, {"oncology", "prenatal"}),
        ({"cancer_metastatic": {"present": True}}, {"oncology"}),
        ({"cancer_past": {"present": True}}, set()),
    ],
)
def test_skills_that_answers_ask_for(answers: dict[str, dict[str, object]], skills: set[str]) -> None:
    assert skills_for(answers) == skills
