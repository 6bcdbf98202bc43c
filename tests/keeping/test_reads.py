"""Each showing of health data to staff leaves exactly one row in the audit, and no word of what was shown."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import func, select

from clinic.intake.models import ClearanceDocument, ClearanceLetter, HealthStop
from clinic.rules.permissions import Permission, Role
from clinic.shared.audit import AuditRow
from clinic.shared.database import db
from tests.architecture.access_table import SHOWS_HEALTH
from tests.booking import world as w
from tests.diary.staff import ME, person_with, staffed
from tests.intake import letters

pytestmark = pytest.mark.usefixtures("now")
WORDS = "canary words"


def count() -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(AuditRow)) or 0


def test_every_page_that_shows_health_data_leaves_one_row(app: Flask) -> None:
    clinic = staffed(app)
    client_id = w.person()
    w.sign(client_id)
    visit_id = w.at_desk(
        clinic.world, client_id, "relaxation", when=w.at(0, 9), therapist_id=clinic.me
    ).visit_id
    letters.send(client_id)
    w.sign(w.person(), rf_chest_pain_breathless={})
    w.sign(softened := w.person(), doctor_said_no={"reason": WORDS, "date": "2025-01-01"})
    intake_id = w.sign(softened)
    ids = {
        "visit_id": visit_id, "client_id": client_id, "intake_id": intake_id,
        "letter_id": db.session.scalars(select(ClearanceLetter.id)).one(),
        "document_id": db.session.scalars(select(ClearanceDocument.id)).first(),
        "stop_id": db.session.scalars(select(HealthStop.id)).first(),
    }  # fmt: skip
    therapist, reviewer = (
        clinic.browser(ME),
        clinic.browser(person_with(Role.OWNER, Permission.CLINICAL_REVIEW)),
    )
    adapter = app.url_map.bind("localhost")
    left = {}
    for endpoint in sorted(SHOWS_HEALTH):
        (rule,) = app.url_map.iter_rules(endpoint)
        address = adapter.build(endpoint, {name: ids[name] for name in rule.arguments})
        browser = reviewer if ":any:review" in app.extensions["clinic_needs"][endpoint] else therapist
        before = count()
        answer = browser.get(address, buffered=True)
        left[endpoint] = (answer.status_code, count() - before)
    assert left == dict.fromkeys(left, (200, 1))
    rows = [(row.deed, row.thing, str(row.detail)) for row in db.session.scalars(select(AuditRow))]
    assert WORDS not in str(rows)
    assert ("health.read", "visit", "{'page': 'records.notes'}") in rows


def test_pages_that_need_a_right_to_health_data_are_all_known(app: Flask) -> None:
    """A new page for who treats or reviews is in the list, or is named here as one that shows none."""
    rights = {Permission.ANSWERS_TREATED_READ, Permission.CLINICAL_REVIEW, Permission.VISIT_TREATED_WRITE}
    shows_none = {
        "booking.after_letter", "booking.bad_reaction", "booking.diary_check_in", "booking.late",
        "booking.people_to_review", "intake.reviews",
    }  # fmt: skip
    found = {
        endpoint
        for endpoint, need in app.extensions["clinic_needs"].items()
        if need in rights and any("GET" in (rule.methods or ()) for rule in app.url_map.iter_rules(endpoint))
    }
    assert found - SHOWS_HEALTH == shows_none
    shown_again = {"booking.ask_for_more_care", "records.write_note"}  # with what is wrong in the form
    shown_again |= {
        "booking.try_rules",
        "booking.save_tried_rules",
    }  # what would change is an answer to a form
    assert (
        set(app.extensions["clinic_reads"])
        == (SHOWS_HEALTH & {*app.extensions["clinic_reads"]}) | shown_again
    )
