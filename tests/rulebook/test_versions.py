"""Versions of the rules: every one kept, only the newest in force, none made over another's head."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.exc import DatabaseError

from clinic.rulebook import queries
from clinic.rulebook.models import RulesVersion
from clinic.rulebook.services import save_rules
from clinic.rules.changed_table import digest_of
from clinic.rules.errors import ChangedMeanwhile, InvalidInput, NotFound
from clinic.rules.house_rules import HOUSE_RULES
from clinic.rules.permissions import Role
from clinic.rules.proposals import Proposal, house_rules_on, mark_of
from clinic.rules.rule_change import RuleChange
from clinic.rules.rule_table import TABLE
from clinic.rules.verdicts import Verdict
from clinic.shared.audit import AuditRow
from clinic.shared.database import db, transaction
from clinic.shared.guards import missing_guards
from tests import factories
from tests.conftest import NOW

pytestmark = pytest.mark.every_way_on_both

TODAY = NOW.date()


@pytest.fixture
def owner(app: Flask) -> int:
    return factories.make_user(email="olive@clinic.example", roles=[Role.OWNER]).id


def switch(*keys: str, reason: str = "We are careful") -> Proposal:
    return Proposal("house_rules", reason, house_rules=keys)


def stricter(rule: str = "hernia", verdict: Verdict = Verdict.BLOCK, *columns: str) -> Proposal:
    change = RuleChange(rule, columns or ("swedish",), verdict, TODAY, "We are careful")
    return Proposal("change", "We are careful", change=change)


def laxer(rule: str = "blood_thinners") -> Proposal:
    change = RuleChange(
        rule, ("sports",), Verdict.CLEARANCE, TODAY, "Seen for years", is_laxer=True, clinician="Dr Ada Ray",
        role="physician", register_number="MD 1", said_on=TODAY,
    )  # fmt: skip
    return Proposal("change", "Seen for years", change=change)


def save(proposal: Proposal, seen: int, by: int) -> int:
    return save_rules(proposal, seen=seen, by=by, now=NOW)


def in_force() -> str:
    db.session.rollback()
    return queries.in_force().version


def changes_now() -> tuple[RuleChange, ...]:
    db.session.rollback()
    return queries.changes_of(queries.newest_number()) or ()


def test_without_a_version_the_shipped_table_is_in_force(owner: int) -> None:
    assert queries.in_force() is TABLE
    assert (queries.newest_number(), queries.changes_of(0), queries.changes_of(1)) == (0, (), None)
    assert queries.history() == []


def test_a_version_is_kept_with_who_when_why_and_everything_in_force(owner: int) -> None:
    assert save(switch("no_scents"), 0, owner) == 1
    assert save(stricter(), 1, owner) == 2
    db.session.rollback()
    row = db.session.get_one(RulesVersion, 2)
    assert (row.previous, row.kind, row.reason, row.made_by_id, row.made_at) == (
        1, "change", "We are careful", owner, NOW,
    )  # fmt: skip
    assert len(row.changes) == len(HOUSE_RULES["no_scents"].minimums) + 1
    assert row.version == in_force() == f"{TABLE.version}+2-{digest_of(changes_now())}"
    deeds = db.session.scalars(
        select(AuditRow).where(AuditRow.deed == "rules.changed").order_by(AuditRow.sequence)
    ).all()
    assert [(one.thing_id, one.by_user_id, one.detail) for one in deeds] == [
        (1, owner, {"kind": "house_rules"}), (2, owner, {"kind": "change"}),
    ]  # fmt: skip


def test_what_another_process_saved_is_in_force_at_once(owner: int) -> None:
    queries.in_force()
    save(stricter(), 0, owner)
    assert in_force().startswith(f"{TABLE.version}+1-")
    assert queries.in_force().change_of("hernia", "swedish").raised(Verdict.CLEAR) is Verdict.BLOCK


@pytest.mark.parametrize("statement", [
    "UPDATE rules_version SET reason = 'other'", "UPDATE rules_version SET changes = '[]'",
    "DELETE FROM rules_version",
])  # fmt: skip
def test_the_database_refuses_to_edit_or_delete_a_version(owner: int, statement: str) -> None:
    save(stricter(), 0, owner)
    with pytest.raises(DatabaseError, match="ap_rules_version"), transaction() as session:
        session.execute(text(statement))


def test_the_database_refuses_a_gap(owner: int) -> None:
    row = RulesVersion(
        number=3,
        previous=1,
        kind="change",
        reason="x",
        changes=[],
        version="x",
        made_at=NOW,
        made_by_id=owner,
    )
    with pytest.raises(DatabaseError, match="ck_rules_version_order"), transaction() as session:
        session.add(row)


def test_missing_guard_is_noticed(owner: int) -> None:
    on = "" if db.session.get_bind().dialect.name == "sqlite" else " ON rules_version"
    db.session.execute(text(f"DROP TRIGGER ap_rules_version_delete{on}"))
    assert missing_guards(db.session()) == ["ap_rules_version_delete"]
    db.session.rollback()  # the next test needs it
    assert missing_guards(db.session()) == []


def test_a_second_owner_is_told_that_the_rules_changed_meanwhile(owner: int) -> None:
    save(stricter(), 0, owner)
    for seen in (0, 5):
        with pytest.raises(ChangedMeanwhile):
            save(switch("no_scents"), seen, owner)
    assert [step.row.number for step in queries.history()] == [1]


def test_two_owners_at_once_make_one_version(app: Flask, owner: int) -> None:
    db.session.remove()
    ready = threading.Barrier(2)

    def run(proposal: Proposal) -> str:
        with app.app_context():
            ready.wait()
            try:
                return str(save(proposal, 0, owner))
            except ChangedMeanwhile:
                return "meanwhile"
            finally:
                db.session.remove()

    with ThreadPoolExecutor(2) as pool:
        done = sorted(pool.map(run, [stricter(), switch("no_scents")]))
    assert done == ["1", "meanwhile"]
    assert queries.newest_number() == 1


def test_wrong_proposals_are_refused_and_leave_nothing(owner: int) -> None:
    for proposal in (
        switch("no_scents", reason=" ab "), switch("nothing"), switch(), stricter("nothing"),
        stricter("I17", Verdict.CLEARANCE, "sports"), laxer("fever"), Proposal("take_back", "No longer", mark="x"),
        Proposal("go_back", "As before", number=0),
    ):  # fmt: skip
        with pytest.raises(InvalidInput):
            save(proposal, 0, owner)
    for proposal in (Proposal("go_back", "As before", number=5), Proposal("what", "As before")):
        with pytest.raises(NotFound):
            save(proposal, 0, owner)
    assert queries.newest_number() == 0


def test_a_newer_change_takes_the_place_of_the_older_one_for_its_treatments(owner: int) -> None:
    save(stricter("hernia", Verdict.CAUTION, "aromatherapy", "hot_stone"), 0, owner)
    save(stricter("hernia", Verdict.BLOCK, "aromatherapy"), 1, owner)
    assert [(one.columns, one.verdict) for one in changes_now()] == [
        (("hot_stone",), Verdict.CAUTION), (("aromatherapy",), Verdict.BLOCK),
    ]  # fmt: skip


def test_house_rules_are_switched_on_and_off_beside_own_changes(owner: int) -> None:
    save(stricter(), 0, owner)
    save(switch("no_scents", "thinners_letter"), 1, owner)
    assert house_rules_on(changes_now()) == ("thinners_letter", "no_scents")
    save(switch("no_scents"), 2, owner)
    assert house_rules_on(changes_now()) == ("no_scents",)
    assert "hernia" in {one.rule for one in changes_now()}


def test_less_strict_keeps_the_clinician_and_the_table_they_saw(owner: int) -> None:
    save(laxer(), 0, owner)
    [change] = changes_now()
    assert (change.clinician, change.role, change.register_number, change.said_on, change.made_on) == (
        "Dr Ada Ray", "physician", "MD 1", TODAY, TABLE.version,
    )  # fmt: skip


def test_undoing_is_a_new_version(owner: int) -> None:
    save(stricter(), 0, owner)
    save(switch("no_scents"), 1, owner)
    [mine] = [one for one in changes_now() if not one.house_rule]
    save(Proposal("take_back", "No longer", mark=mark_of(mine)), 2, owner)
    assert {one.house_rule for one in changes_now()} == {"no_scents"}
    save(Proposal("go_back", "As it was", number=1), 3, owner)
    assert changes_now() == queries.changes_of(1)
    save(Proposal("go_back", "As shipped", number=0), 4, owner)
    assert (changes_now(), queries.in_force().changes) == ((), {})
    assert in_force() == f"{TABLE.version}+5-{digest_of(())}"
    assert [step.row.number for step in queries.history()] == [5, 4, 3, 2, 1]
    steps = queries.history("hernia")
    assert [(step.row.number, len(step.began), len(step.ended)) for step in steps] == [
        (5, 0, 1), (4, 1, 0), (3, 0, 1), (1, 1, 0),
    ]  # fmt: skip


def test_going_back_never_brings_back_what_was_less_strict(owner: int) -> None:
    save(laxer(), 0, owner)
    save(Proposal("go_back", "As shipped", number=0), 1, owner)
    with pytest.raises(InvalidInput, match="Make that change anew"):
        save(Proposal("go_back", "As it was", number=1), 2, owner)
    save(laxer(), 2, owner)
    assert [one.is_laxer for one in changes_now()] == [True]


def test_less_strict_from_before_a_new_shipped_table_does_not_act(
    owner: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(laxer(), 0, owner)
    db.session.rollback()
    assert queries.in_force().changes != {}
    monkeypatch.setattr(queries, "TABLE", replace(TABLE, version="2-renewed"))
    queries._table.cache_clear()
    db.session.rollback()  # the rules in force are read once in a transaction
    assert queries.in_force().changes == {}
    queries._table.cache_clear()


def test_an_address_names_no_condition() -> None:
    codes = {queries.code_of(key) for key in TABLE.conditions}
    assert len(codes) == len(TABLE.conditions)
    assert all(code.isalnum() and len(code) == 10 for code in codes)
    rule = queries.rule_of(queries.code_of("I17"))
    assert rule is not None
    assert rule.key == "I17"
    assert queries.rule_of("nothing") is None
