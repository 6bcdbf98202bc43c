"""The owner changes rules: tried on the coming visits first, saved as it was tried, acting at every door at once."""

from __future__ import annotations

import datetime as dt

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from clinic.booking.models import Screening, Visit
from clinic.booking.queries import judged_by
from clinic.booking.services import reconciling, rehearsing, safe_online, suggesting
from clinic.booking.services._known import Known, known_of
from clinic.booking.services._steps import plan_of
from clinic.clients import queries as clients
from clinic.clients.models import Client
from clinic.diary.queries.findings import care_of
from clinic.intake import queries as intake
from clinic.intake.queries import clearances
from clinic.rulebook import queries as rulebook
from clinic.rulebook.services import save_rules
from clinic.rules.changed_table import Rule
from clinic.rules.goals import BY_KEY
from clinic.rules.permissions import Role
from clinic.rules.proposals import Proposal
from clinic.rules.rule_change import RuleChange
from clinic.rules.rule_table import TABLE
from clinic.rules.verdicts import Verdict
from clinic.rules.visit_status import VisitStatus
from clinic.shared.database import db
from tests import factories
from tests.architecture.doors import everything
from tests.booking import world as w
from tests.conftest import NOW
from tests.owners import browser_of, owner_browser
from tests.typed_forms import form_on

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


@pytest.fixture
def world(app: Flask) -> w.World:
    return w.build()


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


def visit_of(visit_id: int) -> Visit:
    db.session.rollback()
    return db.session.get_one(Visit, visit_id)


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


def test_clinical_review_reads_beside_a_letter_what_the_clinic_changed(app: Flask, now: dt.datetime) -> None:
    world = w.build()
    client = person(blood_thinners={**PILLS, "stable_3_months": False})
    reviewer = browser_of(app, factories.make_user(email="t@clinic.example", roles=[Role.THERAPIST]))
    assert "shipped" not in reviewer.get(f"/reviews/clients/{client}/clearances").text
    save(world, laxer("blood_thinners", Verdict.CLEARANCE, "sports"))
    save(world, change("hernia", Verdict.BLOCK, "swedish"))  # says nothing about this client
    page = reviewer.get(f"/reviews/clients/{client}/clearances").text
    assert page.count("than shipped") == 1
    assert "on the word of Dr Ada Ray (a doctor, MD 1)" in page


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

    def unreadable(client: Client) -> Known:
        if client.id == bad:
            raise ValueError("unreadable")
        return known_of(client)

    monkeypatch.setattr(rehearsing, "known_of", unreadable)
    tried = rehearsing.rehearse(LETTER_FIRST, now=NOW)
    assert (tried.unread, tried.client_ids) == (1, (good,))


# ── pages ─────────────────────────────────────────────────────────────────────────────────────────────────


def code(rule: str) -> str:
    return rulebook.code_of(rule)


def fill(browser: FlaskClient, address: str, **values: object) -> dict[str, list[str]]:
    fields = form_on(browser.get(address).text, "/owner/rules/dry-run")
    typed = {key: one if isinstance(one, list) else [str(one)] for key, one in values.items()}
    return fields | typed


def confirm(page: str) -> dict[str, list[str]]:
    return form_on(page, "/owner/rules/save") | {"sure": ["y"]}


def test_owner_makes_a_rule_stricter(app: Flask, now: dt.datetime) -> None:
    world = w.build()
    visit_id = booked(world, person(blood_thinners=PILLS))
    owner = owner_browser(app)
    fields = fill(
        owner, f"/owner/rules/{code('blood_thinners')}/stricter", columns=["relaxation", "swedish"],
        verdict="block", reason="Our own caution",
    )  # fmt: skip
    page = owner.post("/owner/rules/dry-run", data=fields)
    assert page.status_code == 200
    assert "1 would change, of 1 client." in page.text
    assert "Cancelled, once staff have seen the list" in page.text
    name = visit_of(visit_id).client
    assert name is not None
    assert name.last_name not in page.text  # with the rule it would say what somebody answered
    assert visit_of(visit_id).status == "confirmed"
    unsure = owner.post("/owner/rules/save", data=form_on(page.text, "/owner/rules/save"))
    assert (unsure.status_code, "Tick that you have seen" in unsure.text) == (422, True)
    saved = owner.post("/owner/rules/save", data=confirm(page.text))
    assert saved.location == "/owner/rules/versions"
    assert (visit_of(visit_id).status, visit_of(visit_id).waiting_for) == ("suspended", "rules")
    after = owner.get("/owner/rules/versions").text
    assert "Version 1 of your rules is saved" in after
    assert "1 visit is no longer safe" in after
    rule = owner.get(f"/owner/rules/{code('blood_thinners')}").text
    assert "House rule since" in rule
    assert "Our own caution" in rule
    assert "House rule" in owner.get("/owner/rules").text


def test_owner_with_clinical_review_sees_who_and_goes_on_to_the_list(app: Flask, now: dt.datetime) -> None:
    world = w.build()
    visit_id = booked(world, person(blood_thinners=PILLS))
    user = factories.make_user(email="rev@clinic.example", roles=[Role.OWNER, Role.THERAPIST])
    owner = browser_of(app, user)
    fields = fill(
        owner, f"/owner/rules/{code('blood_thinners')}/stricter", columns=["relaxation"], verdict="block",
        reason="Our own caution",
    )  # fmt: skip
    page = owner.post("/owner/rules/dry-run", data=fields).text
    client = visit_of(visit_id).client
    assert client is not None
    assert client.last_name in page
    saved = owner.post("/owner/rules/save", data=confirm(page))
    assert saved.location == "/reviews/visits"
    assert "House rule since" in owner.get("/reviews/visits").text


def test_owner_makes_a_rule_less_strict_on_a_named_word(app: Flask, now: dt.datetime) -> None:
    w.build()
    owner = owner_browser(app)
    address = f"/owner/rules/{code('blood_thinners')}/less-strict"
    values: dict[str, object] = {
        "columns": ["sports"], "verdict": "clearance", "clinician": "Dr Ada Ray", "role": "physician",
        "register_number": "MD 1", "said_on": "2026-06-01", "reason": "Seen for years",
    }  # fmt: skip
    for missing in values:
        fields = fill(owner, address, **{**values, missing: []})
        assert owner.post("/owner/rules/dry-run", data=fields).status_code == 422, missing
    late = fill(owner, address, **{**values, "said_on": "2026-07-01"})
    assert owner.post("/owner/rules/dry-run", data=late).status_code == 422
    page = owner.post("/owner/rules/dry-run", data=fill(owner, address, **values))
    assert "On the word of" in page.text
    assert owner.post("/owner/rules/save", data=confirm(page.text)).status_code == 303
    for read in (f"/owner/rules/{code('blood_thinners')}", "/owner/rules/versions"):
        assert "Dr Ada Ray" in owner.get(read).text
    assert "Less strict than shipped" in owner.get("/owner/rules").text
    assert owner.get(f"/owner/rules/{code('fever')}/less-strict").status_code == 404
    assert "Make it less strict" not in owner.get(f"/owner/rules/{code('fever')}").text
    assert "Make it less strict" not in owner.get(f"/owner/rules/{code('I03')}").text


def test_owner_switches_house_rules_and_undoes_it(app: Flask, now: dt.datetime) -> None:
    w.build()
    owner = owner_browser(app)
    fields = fill(owner, "/owner/rules/house", house_rules=["no_scents"], reason="Many react to scents")
    page = owner.post("/owner/rules/dry-run", data=fields).text
    assert "None would change." in page
    owner.post("/owner/rules/save", data=confirm(page))
    assert 'value="no_scents" checked' in owner.get("/owner/rules/house").text
    back = fill(owner, "/owner/rules/versions/0/again", reason="As shipped again")
    page = owner.post("/owner/rules/dry-run", data=back).text
    assert "No longer" in page
    owner.post("/owner/rules/save", data=confirm(page))
    db.session.rollback()
    assert (rulebook.newest_number(), rulebook.changes_of(2)) == (2, ())
    history = owner.get("/owner/rules/versions").text
    assert history.index("Version 2") < history.index("Version 1")
    assert "Many react to scents" in history


def test_owner_takes_one_change_back(app: Flask, now: dt.datetime) -> None:
    world = w.build()
    save(world, change("hernia", Verdict.BLOCK, "swedish"))
    owner = owner_browser(app)
    rule = owner.get(f"/owner/rules/{code('hernia')}").text
    address = rule.split('href="/owner/rules/changes/')[1].split('"')[0]
    fields = fill(owner, f"/owner/rules/changes/{address}", reason="No longer needed")
    page = owner.post("/owner/rules/dry-run", data=fields).text
    owner.post("/owner/rules/save", data=confirm(page))
    db.session.rollback()
    assert rulebook.changes_of(2) == ()
    assert owner.get(f"/owner/rules/changes/{address}").status_code == 404


def test_a_second_owner_sees_the_dry_run_anew(app: Flask, now: dt.datetime) -> None:
    world = w.build()
    owner = owner_browser(app)
    fields = fill(owner, "/owner/rules/house", house_rules=["no_scents"], reason="Many react")
    page = owner.post("/owner/rules/dry-run", data=fields).text
    save(world, change("hernia", Verdict.BLOCK, "swedish"))
    answer = owner.post("/owner/rules/save", data=confirm(page))
    assert (answer.status_code, "The rules changed since you tried this" in answer.text) == (422, True)
    assert rulebook.newest_number() == 1
    assert owner.post("/owner/rules/save", data=confirm(answer.text)).status_code == 303


@pytest.mark.parametrize("changes", [
    {"kind": ["nothing"]}, {"kind": []}, {"rule_code": ["nothing"]}, {"rule_code": []},
])  # fmt: skip
def test_what_is_not_there_is_not_found(app: Flask, now: dt.datetime, changes: dict[str, list[str]]) -> None:
    w.build()
    owner = owner_browser(app)
    fields = fill(
        owner,
        f"/owner/rules/{code('hernia')}/stricter",
        columns=["swedish"],
        verdict="block",
        reason="Careful",
    )
    for door in ("dry-run", "save"):
        assert owner.post(f"/owner/rules/{door}", data={**fields, **changes}).status_code == 404


@pytest.mark.parametrize("changes", [
    {"columns": []}, {"columns": ["spa"]}, {"verdict": []}, {"verdict": ["clear"]}, {"reason": [" "]},
    {"reason": ["x" * 501]}, {"found": ["x"]}, {"kind": ["go_back"], "number": ["x"]}, {"kind": ["go_back"]},
    {"kind": ["go_back"], "number": ["9" * 30]}, {"kind": ["take_back"], "mark": ["x"]},
    {"kind": ["house_rules"], "house_rules": ["x"]}, {"kind": ["house_rules"]},
])  # fmt: skip
def test_bad_input_is_said_and_nothing_is_saved(
    app: Flask, now: dt.datetime, changes: dict[str, list[str]]
) -> None:
    w.build()
    owner = owner_browser(app)
    fields = fill(
        owner,
        f"/owner/rules/{code('hernia')}/stricter",
        columns=["swedish"],
        verdict="block",
        reason="Careful",
    )
    for door in ("dry-run", "save"):
        answer = owner.post(f"/owner/rules/{door}", data={**fields, **changes, "sure": "y", "version": "0"})
        assert answer.status_code == 422, changes
        assert "error-box" in answer.text
    assert rulebook.newest_number() == 0


def test_rule_nobody_may_clear_offers_no_wait(app: Flask, now: dt.datetime) -> None:
    w.build()
    owner = owner_browser(app)
    assert 'value="clearance"' not in owner.get(f"/owner/rules/{code('I17')}/stricter").text
    assert 'value="clearance"' in owner.get(f"/owner/rules/{code('hernia')}/stricter").text


def test_every_rule_has_its_page_with_its_sources(app: Flask, now: dt.datetime) -> None:
    w.build()
    owner = owner_browser(app)
    listed = owner.get("/owner/rules").text
    assert "Not signed off by a clinician" in listed
    assert TABLE.version in listed
    rules: list[Rule] = [*TABLE.conditions.values(), *TABLE.combinations]
    for one in rules:
        assert f"/owner/rules/{code(one.key)}" in listed
        page = owner.get(f"/owner/rules/{code(one.key)}")
        assert page.status_code == 200
        assert all(f"({key})" in page.text for key in one.sources)
    assert owner.get("/owner/rules/nothing").status_code == 404


def test_who_is_no_owner_changes_no_rule(app: Flask, now: dt.datetime) -> None:
    w.build()
    desk = browser_of(app, factories.make_user(email="d@clinic.example", roles=[Role.FRONT_DESK]))
    assert desk.get("/owner/rules").status_code == 403
    assert desk.post("/owner/rules/save", data={}).status_code == 403


def test_a_visit_is_out_of_date_after_saving_until_it_is_judged(world: w.World) -> None:
    visit_id = booked(world, person())
    assert judged_by.out_of_date(w.TODAY) == []
    save(world, LETTER_FIRST)
    assert [visit for _client, visit in judged_by.out_of_date(w.TODAY)] == [visit_id]
    assert reconciling.judge_clients([visit_of(visit_id).client_id or 0], NOW) == 1
    assert judged_by.out_of_date(w.TODAY) == []
