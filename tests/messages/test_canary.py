"""No health word in a subject, a text, a page of a mail, a file, or the log: for every mail of a visit's life."""

from __future__ import annotations

import datetime as dt

import pytest
from flask import Flask
from sqlalchemy import select

from clinic.booking.models import Visit
from clinic.booking.services import visits
from clinic.booking.services.asking import ask_for_check_ins
from clinic.booking.services.at_desk import Change, change_at_desk
from clinic.rules.messages import KINDS
from clinic.rules.rule_table import TABLE
from clinic.shared.database import db
from clinic.shared.logs import set_up_logs
from clinic.shared.mail import OutgoingMail, standard_text
from tests.booking import world as w
from tests.conftest import NOW
from tests.mailing import sent_at, words_of

CANARY = "zaubercumarin"
DECLARED = {
    "blood_thinners": {
        "med_class": "anticoagulant", "medication": CANARY, "stable_3_months": True, "bruising": False,
    }
}  # fmt: skip


def test_no_mail_of_a_visits_life_holds_a_health_word(app: Flask, capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logs()  # onto this test's own standard error
    world = w.build(check_in=True)
    client = w.person(email="pat@people.example")
    w.sign_answers(client, DECLARED, now=NOW)
    w.at_desk(world, client, "deep_tissue", when=w.at(6, 10))  # waits, or is refused
    visit = w.at_desk(world, client, "relaxation", when=w.at(4, 14)).visit_id or 0
    letters = sent_at(NOW)
    row = db.session.get_one(Visit, visit)
    change_at_desk(
        visit, Change(row.revision, w.at(5, 14), therapist_id=world.therapists[0], by=world.desk_id), now=NOW
    )
    start = w.at(5, 14)
    for hours in (120, 47, 20, 2):
        now = start - dt.timedelta(hours=hours)
        ask_for_check_ins(now)
        letters += sent_at(now)
    visits.cancel_visit(visit, by=world.desk_id, by_clinic=True, now=start - dt.timedelta(hours=1))
    letters += sent_at(start)
    db.session.rollback()
    kinds = set(db.session.scalars(select(OutgoingMail.kind)))
    assert {"visit_booked", "visit_moved", "visit_reminder", "visit_check_in", "visit_called_off"} <= kinds
    everything = [
        part for one in letters for part in (str(one["Subject"]), words_of(one), words_of(one, "html"))
    ] + [capsys.readouterr().err]
    forbidden = {CANARY, "anticoagulant", "blood thinner", "relaxation", "deep tissue"}
    found = {word for word in forbidden for text in everything if word in text.lower()}
    assert found == set()


@pytest.mark.usefixtures("app")
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_no_standard_text_names_a_condition() -> None:
    labels = {one.label.lower() for one in TABLE.conditions.values() if len(one.label) > 4}
    for kind in KINDS:
        text = standard_text(kind).lower()
        assert {label for label in labels if f" {label} " in text} == set(), kind
