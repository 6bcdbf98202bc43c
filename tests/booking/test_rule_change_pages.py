"""The owner's pages on which rules are changed, and where others read that they were."""

from __future__ import annotations

import datetime as dt

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from clinic.intake.services.letters import send_letter
from clinic.rulebook import queries as rulebook
from clinic.rulebook.views.reading import PLACE_WORDS
from clinic.rules.changed_table import Rule
from clinic.rules.permissions import Permission, Role
from clinic.rules.rule_table import TABLE
from clinic.rules.verdicts import Verdict
from clinic.shared.audit import AuditRow
from clinic.shared.database import db
from tests import factories
from tests.booking import world as w
from tests.booking.rule_changes import PILLS, booked, change, laxer, person, save
from tests.booking.world import visit_of
from tests.owners import browser_of, owner_browser
from tests.typed_forms import form_on


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
    user = factories.make_user(
        email="rev@clinic.example", roles=[Role.OWNER], given=[Permission.CLINICAL_REVIEW]
    )
    owner = browser_of(app, user)
    fields = fill(
        owner, f"/owner/rules/{code('blood_thinners')}/stricter", columns=["relaxation"], verdict="block",
        reason="Our own caution",
    )  # fmt: skip
    before = looks()
    page = owner.post("/owner/rules/dry-run", data=fields).text
    client = visit_of(visit_id).client
    assert client is not None
    assert client.last_name in page
    assert looks() == before + 1, "with the rule it says what somebody answered"
    unsure = owner.post("/owner/rules/save", data={**confirm(page), "sure": ""})
    assert (unsure.status_code, client.last_name in unsure.text) == (422, True)
    assert looks() == before + 2
    saved = owner.post("/owner/rules/save", data=confirm(page))
    assert saved.location == "/reviews/visits"
    assert "House rule since" in owner.get("/reviews/visits").text


def looks() -> int:
    db.session.rollback()
    return len(db.session.scalars(select(AuditRow.sequence).where(AuditRow.deed == "health.read")).all())


def test_an_owner_who_treats_does_not_learn_by_a_dry_run_what_people_answered(
    app: Flask, now: dt.datetime
) -> None:
    """Clinical review by the role is for whom something waits, and for whom they treat; a dry run asks about all."""
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
    assert client.last_name not in page
    assert "only to whom clinical review was given by name" in page


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
    assert {one.body_area_rule for one in TABLE.conditions.values()} == set(PLACE_WORDS)
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


def test_clinical_review_reads_beside_a_letter_what_the_clinic_changed(app: Flask, now: dt.datetime) -> None:
    world = w.build()
    client = person(blood_thinners={**PILLS, "stable_3_months": False})
    reviewer = browser_of(app, factories.make_user(email="t@clinic.example", roles=[Role.THERAPIST]))
    send_letter(client, [], source="review", by=None, now=now)  # it waits, so it concerns every reviewer
    assert "shipped" not in reviewer.get(f"/reviews/clients/{client}/clearances").text
    save(world, laxer("blood_thinners", Verdict.CLEARANCE, "sports"))
    save(world, change("hernia", Verdict.BLOCK, "swedish"))  # says nothing about this client
    page = reviewer.get(f"/reviews/clients/{client}/clearances").text
    assert page.count("than shipped") == 1
    assert "on the word of Dr Ada Ray (a doctor, MD 1)" in page
