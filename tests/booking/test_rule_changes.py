"""The owner changes rules: tried on the coming visits first, saved as it was tried, acting at every door at once."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import select

from clinic.booking.models import Screening, Visit
from clinic.booking.queries import judged_by
from clinic.booking.queries.visits import plan_of
from clinic.booking.services import reconciling, rehearsing, safe_online, suggesting
from clinic.booking.services._known import Known, known_of
from clinic.clients import queries as clients
from clinic.clients.models import Client
from clinic.diary.queries.findings import care_of
from clinic.intake import queries as intake
from clinic.intake.queries import clearances
from clinic.rulebook import queries as rulebook
from clinic.rules.goals import BY_KEY
from clinic.rules.proposals import Proposal
from clinic.rules.rule_table import TABLE
from clinic.rules.verdicts import Verdict
from clinic.rules.visit_status import VisitStatus
from clinic.shared.database import db
from tests.architecture.doors import everything
from tests.booking import world as w
from tests.booking.rule_changes import LETTER_FIRST, PILLS, PREGNANT, booked, change, laxer, person, save
from tests.booking.world import visit_of
from tests.conftest import NOW


def record_of(visit_id: int) -> Screening:
    return db.session.get_one(Screening, visit_of(visit_id).screening_id)


# ── every door ────────────────────────────────────────────────────────────────────────────────────────────


def test_no_door_judges_by_the_shipped_table_any_more(world: w.World) -> None:
    client = person(blood_thinners=PILLS)
    assert w.at_desk(world, client, "relaxation").status == "confirmed"
    moved = booked(world, client, days=6)
    save(world, change("blood_thinners", Verdict.BLOCK, "relaxation", "swedish"))
    assert w.at_desk(world, client, "relaxation", when=w.at(5)).visit_id is None
    online = w.online("relaxation", {"blood_thinners": PILLS})
    assert online.status == "released"
    row = clients.client(client)
    assert row is not None
    advice = suggesting.suggest(BY_KEY["calm"], client, day=w.TODAY)
    assert "relaxation" in advice.advice.fallen_out
    held = visit_of(moved)
    assert safe_online.possible_from(held, row, plan_of(held)) is None


def test_a_letter_is_asked_for_where_only_the_house_rule_wants_one(world: w.World) -> None:
    client = clients.client(person(blood_thinners=PILLS))
    assert client is not None
    client_id = client.id

    def offered() -> tuple[str, ...]:
        db.session.rollback()
        found = clients.client(client_id)
        assert found is not None
        return clearances.to_clear(found, intake.in_force(client_id), w.TODAY)["blood_thinners"]

    assert "relaxation" not in offered()
    save(world, LETTER_FIRST)
    assert "relaxation" in offered()
    visit = visit_of(booked(world, client_id))
    assert (visit.status, visit.waiting_for) == ("pending", "clearance")


def test_the_record_names_the_version_and_the_change(world: w.World) -> None:
    client = person(blood_thinners=PILLS)
    plain = record_of(booked(world, client))
    assert plain.rules_version == TABLE.version
    assert {one["changed_by_clinic"] for one in plain.findings["own"]} == {None}
    save(world, laxer("blood_thinners", Verdict.CLEARANCE, "sports"))
    waits = record_of(booked(world, client, "sports", days=8))
    assert waits.rules_version == rulebook.in_force().version != TABLE.version
    [finding] = waits.findings["own"]
    marked = finding["changed_by_clinic"]
    assert (finding["verdict"], marked["is_laxer"], marked["clinician"]) == ("clearance", True, "Dr Ada Ray")
    assert "Less strict than shipped, on the word of Dr Ada Ray" in marked["words"]
    assert marked["words"] in finding["staff_note"]


def test_what_is_less_strict_is_marked_for_who_treats(world: w.World) -> None:
    client = person(osteoporosis={"severity": "osteopenia"})
    save(world, laxer("osteoporosis", Verdict.CAUTION, "decompression_traction"))
    visit_id = booked(world, client, "decompression_traction")
    assert visit_of(visit_id).status == "confirmed"
    [caution] = care_of(record_of(visit_id)).cautions
    assert "Less strict than shipped, on the word of Dr Ada Ray (a doctor, MD 1)" in caution.note


# ── dry run ───────────────────────────────────────────────────────────────────────────────────────────────

PROPOSALS = [
    LETTER_FIRST,
    Proposal("house_rules", "We are careful", house_rules=(
        "thinners_letter", "pregnancy_letter", "no_firm_work_from_75", "no_decompression_on_thin_bones",
        "no_heat_on_numb_skin", "no_scents",
    )),
    change("blood_thinners", Verdict.BLOCK, "relaxation", "swedish"),
    change("pregnancy", Verdict.BLOCK, "aromatherapy", only_if_found=True),
    change("I17", Verdict.BLOCK, "relaxation"),
    change("recent_surgery", Verdict.BLOCK, "relaxation", "swedish"),
    laxer("osteoporosis", Verdict.CAUTION, "decompression_traction"),
]  # fmt: skip


def populate(world: w.World) -> None:
    booked(world, person())
    booked(world, person(blood_thinners=PILLS), days=4)
    booked(world, person(blood_thinners=PILLS), "swedish", days=0, hour=18)  # inside 24 hours
    booked(world, person(blood_thinners={**PILLS, "stable_3_months": False}), "swedish", days=5)  # waits
    booked(world, person(osteoporosis={"severity": "osteopenia"}), "decompression_traction", days=6)  # waits
    booked(world, person(postpartum={"date": "2026-01-02", "caesarean": True}), days=7)
    scented = person(pregnancy=PREGNANT)
    w.at_desk(world, scented, "relaxation", when=w.at(8), addons=("aromatherapy",))
    old = w.person(born_on=dt.date(1940, 1, 1))
    w.sign(old)
    booked(world, old, days=9)
    booked(world, w.person(), days=10)  # without an intake


def fates() -> dict[int, tuple[str, str | None, tuple[str, ...]]]:
    db.session.rollback()
    return {
        one.id: (one.status, None if one.status == "cancelled" else one.waiting_for, tuple(one.addons))
        for one in db.session.scalars(select(Visit).order_by(Visit.id))
    }


@pytest.mark.parametrize("number", range(len(PROPOSALS)))
def test_the_dry_run_is_what_then_happens(world: w.World, number: int) -> None:
    populate(world)
    before, proposal = fates(), PROPOSALS[number]
    tried = rehearsing.rehearse(proposal, now=NOW)
    assert (tried.visits, tried.unread) == (len(before), 0)
    foreseen = before | {
        one.visit.id: (one.after.status.value, one.after.waiting_for, one.after.addons) for one in tried.turns
    }
    assert tried.turns
    save(world, proposal)
    assert reconciling.judge_out_of_date(NOW) == len(before)
    assert fates() == foreseen
    told = {one.id: record_of(one.id).outcome for one in db.session.scalars(select(Visit)).all()}
    for one in tried.turns:
        if one.after.goes_on:
            assert one.after.told == (told[one.visit.id] == "allow_flag_therapist")


def test_the_dry_run_writes_nothing(world: w.World) -> None:
    populate(world)
    before = everything()
    for proposal in PROPOSALS:
        rehearsing.rehearse(proposal, now=NOW)
    assert not db.session.dirty
    assert not db.session.new
    assert everything() == before


def test_the_dry_run_counts_from_what_to_what(world: w.World) -> None:
    populate(world)
    counted = rehearsing.rehearse(PROPOSALS[2], now=NOW).counted()
    assert counted == {("hold", "cancelled", False): 1, ("told", "cancelled", False): 2}
    scents = rehearsing.rehearse(PROPOSALS[3], now=NOW)
    assert scents.counted() == {("told", "told", True): 1}
    assert [one.after.status for one in scents.turns] == [VisitStatus.CONFIRMED]


def test_one_visit_that_cannot_be_read_does_not_hide_the_others(
    world: w.World, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad, good = person(blood_thinners=PILLS), person(blood_thinners=PILLS)
    booked(world, bad), booked(world, good, days=4)

    def unreadable(client: Client, visit_id: int | None = None) -> Known:
        if client.id == bad:
            raise ValueError("unreadable")
        return known_of(client, visit_id)

    monkeypatch.setattr(rehearsing, "known_of", unreadable)
    tried = rehearsing.rehearse(LETTER_FIRST, now=NOW)
    assert (tried.unread, tried.client_ids) == (1, (good,))


def test_a_visit_is_out_of_date_after_saving_until_it_is_judged(world: w.World) -> None:
    visit_id = booked(world, person())
    assert judged_by.out_of_date(NOW) == []
    save(world, LETTER_FIRST)
    assert [visit for _client, visit in judged_by.out_of_date(NOW)] == [visit_id]
    assert reconciling.judge_clients([visit_of(visit_id).client_id or 0], NOW) == 1
    assert judged_by.out_of_date(NOW) == []
