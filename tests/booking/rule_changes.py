"""Proposals, people and visits for the tests of changed rules."""

from __future__ import annotations

import datetime as dt

from clinic.rulebook import queries as rulebook
from clinic.rulebook.services import save_rules
from clinic.rules.proposals import Proposal
from clinic.rules.rule_change import RuleChange
from clinic.rules.verdicts import Verdict
from clinic.shared.database import db
from tests.booking import world as w
from tests.conftest import NOW

PILLS = {"med_class": "anticoagulant", "medication": "warfarin", "stable_3_months": True, "bruising": False}
PREGNANT = {
    "status": "confirmed", "weeks": 20, "weeks_as_of": "2026-06-09", "high_risk": False, "complication": "none",
}  # fmt: skip
LETTER_FIRST = Proposal("house_rules", "We are careful", house_rules=("thinners_letter",))


def change(rule: str, verdict: Verdict, *columns: str, only_if_found: bool = False) -> Proposal:
    made = RuleChange(rule, columns, verdict, w.TODAY, "We are careful", only_if_found=only_if_found)
    return Proposal("change", "We are careful", change=made)


def laxer(rule: str, verdict: Verdict, *columns: str) -> Proposal:
    made = RuleChange(
        rule, columns, verdict, w.TODAY, "Seen for years", is_laxer=True, clinician="Dr Ada Ray",
        role="physician", register_number="MD 1", said_on=w.TODAY,
    )  # fmt: skip
    return Proposal("change", "Seen for years", change=made)


def person(**declared: object) -> int:
    client = w.person()
    w.sign(client, **declared)  # type: ignore[arg-type]
    return client


def booked(world: w.World, client: int, service: str = "relaxation", days: int = 3, hour: int = 10) -> int:
    visit_id = w.at_desk(world, client, service, when=w.at(days, hour)).visit_id
    assert visit_id is not None
    return visit_id


def save(world: w.World, proposal: Proposal, now: dt.datetime = NOW) -> int:
    db.session.rollback()
    return save_rules(proposal, seen=rulebook.newest_number(), by=world.desk_id, now=now)
