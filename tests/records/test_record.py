"""The record of a visit: complete, true to what was stored at the time, and the same each time it is made."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.exc import DatabaseError

from clinic.booking.models import Screening
from clinic.booking.services import people, visits
from clinic.catalogue.models import Service
from clinic.clients.models import Client
from clinic.intake.models import QuestionSet
from clinic.intake.services import checkins, consents, intakes
from clinic.records.queries import facts as stored
from clinic.records.words import NOT_SIGNED_OFF, WITHHELD, WORDING_LOST
from clinic.rules import question_set
from clinic.rules.check_in import SLOW_SIGNS
from clinic.rules.question_set import QUESTION_VERSION
from clinic.rules.questionnaire import pages
from clinic.rules.rule_table import TABLE
from clinic.rules.visit_status import VisitStatus
from clinic.shared.database import db, transaction
from tests.booking import world as w
from tests.booking.world import visit_of
from tests.conftest import NOW
from tests.diary.staff import Staffed
from tests.intake import letters
from tests.records.proof import EARLIER, booked, facts, mark, record, words_of

pytestmark = [pytest.mark.every_way_on_both, pytest.mark.usefixtures("now")]
SIGNED = intakes.Signature("Pat Number")


def test_a_finding_stands_with_rule_answer_day_source_and_who_may_clear_it(clinic: Staffed) -> None:
    visit_id = booked(clinic)
    said = words_of(visit_id, "judgement")
    rule = TABLE.conditions["varicose_veins"]
    assert "1. Tuesday 9 June 2026 at 9:00 am: Allowed, with care by the therapist" in said
    assert f"Finding: {rule.label} (rule varicose_veins), about: Relaxation massage" in said
    assert f"Answer given: {rule.question}\nYes" in said
    assert "Left lower leg" in said
    assert "Answered: Saturday 6 June 2026 at 9:00 am, in “Answers 1”" in said
    assert f"Said to the client: {rule.plain_reason}" in said
    assert "Who may clear it: Nobody, by a letter" in said
    key = rule.sources[0]
    assert f"{key}: {TABLE.sources[key].title}" in said
    assert f"Rules: Version {TABLE.version}. Not signed off by a clinician." in said
    assert f"Questions: Version {QUESTION_VERSION}" in said
    waits = words_of(
        booked(clinic, declared={"heart_failure": {"worsening": False}}, when=w.at(3)), "judgement"
    )
    assert "Who may clear it: A letter from: " in waits
    assert "By: Desk" in said
    assert NOT_SIGNED_OFF in words_of(visit_id, "About this record")


def test_the_visit_and_its_history_say_who_and_when(clinic: Staffed) -> None:
    visit_id = booked(clinic, service="swedish", addons=("hot_stone",))
    row = visit_of(visit_id)
    visits.mark_visit(
        visit_id, VisitStatus.ARRIVED, revision=row.revision, by=clinic.world.desk_id, now=w.at(0)
    )
    said = words_of(visit_id, "The visit")
    assert "Service: Swedish massage, Hot stones (as stored: swedish, hot_stone)" in said
    assert "Length: 60 minutes of treatment, first visit" in said
    assert "Therapist: Terry 0" in said
    assert "Room: Room 1, Main Street" in said
    assert "all times are those of America/New_York" in said
    history = words_of(visit_id, "What happened").splitlines()
    assert "Tuesday 9 June 2026 at 9:00 am | Confirmed | Desk | –" in history
    assert "Tuesday 9 June 2026 at 10:00 am | Arrived | Desk | –" in history
    assert [line.split(" | ")[1] for line in history if "Trace" in line] == ["Booked", "Marked"]


def test_answers_are_those_of_that_decision_and_not_of_today(clinic: Staffed) -> None:
    visit_id = booked(clinic)
    client = visit_of(visit_id).client_id or 0
    with transaction() as session:
        session.execute(update(Client).where(Client.id == client).values(last_name="Other"))
    visits.cancel_visit(visit_id, by=clinic.world.desk_id, by_clinic=False, now=NOW)
    before = facts(visit_id)
    w.sign(client, now=NOW, diabetes={"status": "controlled", "complications": False, "insulin": False})
    assert facts(visit_id) == before
    said = words_of(visit_id, "The answers")
    assert "Signed by: Pat Number, name typed" in said
    assert f"{TABLE.conditions['varicose_veins'].question} | Yes" in said
    assert f"{TABLE.conditions['diabetes'].question} | No" in said
    assert f"{TABLE.conditions['alcohol_drugs_today'].question} |" not in said  # was not asked


def test_questions_are_printed_as_they_were_asked(clinic: Staffed, monkeypatch: pytest.MonkeyPatch) -> None:
    """A later program asks otherwise: what was kept is printed, not what it would ask."""
    old = question_set.as_asked()
    veins = next(one for one in old["conditions"] if one["key"] == "varicose_veins")
    veins["question"] = "Were your veins ever bad?"
    with transaction() as session:
        session.add(QuestionSet(version=QUESTION_VERSION, kept_at=EARLIER, wording=old))
    visit_id = booked(clinic)
    assert "Were your veins ever bad? | Yes" in words_of(visit_id, "The answers")
    assert "Answer given: Were your veins ever bad?\nYes" in words_of(visit_id, "judgement")
    assert db.session.scalars(select(QuestionSet.version)).all() == [QUESTION_VERSION]
    assert TABLE.conditions["varicose_veins"].question not in words_of(visit_id)


def test_a_wording_that_was_not_kept_is_said(clinic: Staffed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clinic.rules.questionnaire.QUESTION_VERSION", "q-forgotten00")
    monkeypatch.setattr("clinic.intake.services._versions.keep_wording", lambda *_args: None)
    visit_id = booked(clinic)
    said = words_of(visit_id, "The answers")
    assert WORDING_LOST in said
    assert "Varicose veins | Yes" in said


def test_only_what_changed_is_printed_again_and_the_check_in_is_there_whole(clinic: Staffed) -> None:
    visit_id = booked(clinic)
    client = visit_of(visit_id).client_id or 0
    checkins.take_check_in(
        client, {"acute_injury": {"present": True, "not_sure": True}}, SIGNED, source="desk",
        by=clinic.world.desk_id, now=NOW, today=w.TODAY,
    )  # fmt: skip
    said = words_of(visit_id, "The answers")
    second = said.partition("Answers 2")[2]
    assert "All other answers are the same as in “Answers 1”." in second
    assert f"{TABLE.conditions['acute_injury'].question} | Not sure" in second
    assert [line for line in second.splitlines() if line.endswith(" | No")] == []
    asked = words_of(visit_id, "The check-in")
    assert [line for line in asked.splitlines() if " | " in line] == [
        "Question, as it was asked | Answer that counted from then on",
        f"{TABLE.conditions['acute_injury'].question} | Not sure",
    ]
    assert "Asked first whether any of this had changed: Something feels wrong right now." in asked
    assert "Typed in by: Desk" in second


def test_nothing_has_changed_stands_there_with_all_that_it_answers(clinic: Staffed) -> None:
    visit_id = booked(clinic)
    client = visit_of(visit_id).client_id or 0
    checkins.take_check_in(client, None, SIGNED, source="online", by=None, now=NOW, today=w.TODAY)
    answers = [line for line in words_of(visit_id, "The check-in").splitlines() if line.endswith(" | No")]
    asked = {one.question for page in pages("checkin") for one in page.conditions}
    asked |= {TABLE.conditions[key].question for key in SLOW_SIGNS}
    assert {line.removesuffix(" | No") for line in answers} == asked


def test_a_letter_that_counted_stands_with_who_wrote_and_who_verified_it(clinic: Staffed) -> None:
    visit_id = booked(clinic, declared={"heart_failure": letters.HEART}, when=w.at(3))
    reviewer = letters.reviewer()
    letters.verify(visit_of(visit_id).client_id or 0, reviewer)
    found = facts(visit_id)
    assert [one["clearances"] for one in found["judgements"]] == [[], [found["clearances"][0]["id"]]]
    said = words_of(visit_id, "letters")
    statement = found["clearances"][0]["statement"]
    assert "Written by: Dr Sam Gray, doctor" in said
    assert f"How it was checked: {statement['how']}" in said
    assert "Cleared by: " in words_of(visit_id, "judgement")


def test_a_warning_sign_and_how_it_ended_stand_there(clinic: Staffed) -> None:
    visit_id = booked(clinic, when=w.at(3))
    client = visit_of(visit_id).client_id or 0
    sign = {**w.answers(), "rf_chest_pain_breathless": {"present": True}}
    key = next(one for one in sign if one.startswith("rf_"))
    intakes.raise_stop(client, {key: {"present": True}}, source="online", by=None, now=NOW, today=w.TODAY)
    said = words_of(visit_id, "Warning signs")
    assert f"{TABLE.conditions[key].question} | Yes" in said
    assert "Ended: Not by the time of the last decision" in said
    assert "A declared warning sign stopped every visit" in words_of(visit_id, "judgement")


def test_consents_stand_there_as_of_the_decision(clinic: Staffed) -> None:
    visit_id = booked(clinic, declared={}, person={"born_on": dt.date(2011, 1, 1)}, when=w.at(3))
    client = visit_of(visit_id).client_id or 0
    consents.give_guardian_consent(
        client, name="Ann Number", relation="mother", services=["relaxation"], will_be_in_room=True,
        signed_on=w.TODAY, by=clinic.world.desk_id, now=NOW,
    )  # fmt: skip
    said = words_of(visit_id, "Consents")
    assert "Of a parent or guardian | Tuesday 9 June 2026\nAnn Number, mother, stays in the room" in said


def test_the_mark_of_the_clinic_is_shown_where_a_finding_has_it(
    clinic: Staffed, monkeypatch: pytest.MonkeyPatch
) -> None:
    from clinic.booking.services import _records

    plain = _records.finding_record
    monkeypatch.setattr(
        "clinic.booking.services._judging.finding_record",
        lambda *args: {**plain(*args), "changed_by_clinic": True},
    )
    assert "Changed by the clinic: The clinic had changed this rule" in words_of(booked(clinic), "judgement")


def test_answers_of_somebody_who_looks_alike_are_not_handed_out(clinic: Staffed) -> None:
    known = w.person(phone="(212) 555-7777", email="same@people.example")
    w.sign(known, now=EARLIER, heart_failure=letters.HEART)
    client = w.person(phone="(212) 555-7777", email="same@people.example", is_unproven=True)
    w.sign(client, now=EARLIER)
    visit_id = w.at_desk(clinic.world, client, "relaxation", when=w.at(3)).visit_id or 0
    found = facts(visit_id)
    assert [one["others"] for one in found["judgements"]] == [1]
    assert [one["strictest"] for one in found["judgements"]] == [[]]
    row = db.session.scalars(select(Screening).where(Screening.visit_id == visit_id)).one()
    assert row.findings["strictest"] != []
    said = words_of(visit_id)
    assert WITHHELD.format(number=1) in said
    assert "Finding: " not in said
    assert "heart" not in words_of(visit_id, "judgement").lower()


def test_the_fingerprint_is_that_of_the_facts_and_survives_what_is_no_part_of_them(clinic: Staffed) -> None:
    visit_id = booked(clinic)
    first = mark(visit_id)
    assert record(visit_id).fingerprint == first
    assert len(first) == 64
    with transaction() as session:
        session.execute(update(Service).values(name="Something else"))
        session.execute(update(Client).values(first_name="Renamed"))
    assert mark(visit_id) == first
    assert "Something else (as stored: relaxation)" in words_of(visit_id, "The visit")
    visits.cancel_visit(visit_id, by=clinic.world.desk_id, by_clinic=False, now=NOW)
    assert mark(visit_id) != first


@pytest.mark.parametrize(
    "change",
    [
        ("verdict", "clear"),
        ("by", 4711),
        ("at", "2026-06-09T13:00:01+00:00"),
        ("findings", []),
        ("answers", []),
    ],
    ids=lambda change: change[0],
)
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_any_other_judgement_has_another_fingerprint(clinic: Staffed, change: tuple[str, object]) -> None:
    found = facts(booked(clinic))
    first = stored.fingerprint(found)
    found["judgements"][0][change[0]] = change[1]
    assert stored.fingerprint(found) != first


@pytest.mark.parametrize("is_kept", [True, False], ids=["the record is kept", "the record is merged away"])
def test_a_past_visit_stays_as_it_is_when_its_client_is_merged(clinic: Staffed, is_kept: bool) -> None:
    visit_id = booked(clinic)
    mine, desk, other = visit_of(visit_id).client_id or 0, clinic.world.desk_id, w.person()
    for status in (VisitStatus.ARRIVED, VisitStatus.IN_SESSION, VisitStatus.DONE):
        visits.mark_visit(visit_id, status, revision=visit_of(visit_id).revision, by=desk, now=w.at(0))
    intakes.submit_intake(
        other, w.answers(), SIGNED, writer="client", source="online", consents={"privacy": {}}, by=None,
        now=EARLIER, today=w.TODAY,
    )  # fmt: skip
    first, whole = mark(visit_id), words_of(visit_id)
    people.merge_clients(*((mine, other) if is_kept else (other, mine)), by=desk, now=w.at(1))
    assert (mark(visit_id), words_of(visit_id)) == (first, whole)


def test_a_coming_visit_of_a_merged_client_has_every_judgement_and_both_answers(clinic: Staffed) -> None:
    visit_id = booked(clinic, when=w.at(3))
    lose, keep = visit_of(visit_id).client_id or 0, w.person()
    w.sign(keep, now=EARLIER)
    people.merge_clients(keep, lose, by=clinic.world.desk_id, now=NOW)
    found = facts(visit_id)
    assert {len(one["answers"]) for one in found["judgements"]} == {1, 2}
    assert [one["others"] for one in found["judgements"]] == [0] * len(found["judgements"])
    assert len(found["answers"]) == 2


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE question_set SET version = 'x'",
        "UPDATE question_set SET wording = '{}'",
        "UPDATE question_set SET kept_at = kept_at",
        "DELETE FROM question_set",
        "UPDATE screening SET question_version = 'x'",
        "UPDATE screening SET rules_version = 'x'",
        "UPDATE screening SET basis = 'x'",
        "UPDATE screening SET outcome = 'x'",
        "UPDATE screening SET clearance_ids = '[]'",
        "UPDATE screening SET intake_ids = '[]'",
        "DELETE FROM screening",
        "UPDATE intake SET asked = '[]'",
    ],
)
def test_what_a_record_rests_on_is_neither_edited_nor_deleted(clinic: Staffed, statement: str) -> None:
    booked(clinic)
    table = next(one for one in ("screening", "question_set", "intake") if f" {one}" in statement)
    with pytest.raises(DatabaseError, match=f"ap_{table}"), transaction() as session:
        session.connection().exec_driver_sql(statement)


def test_the_wording_is_kept_once_when_it_is_first_answered(clinic: Staffed) -> None:
    assert db.session.scalars(select(QuestionSet)).all() == []
    booked(clinic)
    booked(clinic, when=w.at(2))
    kept = db.session.scalars(select(QuestionSet)).one()
    assert (kept.version, kept.kept_at) == (QUESTION_VERSION, EARLIER)
    assert kept.wording == question_set.as_asked()


def test_nobodys_hold_has_no_record(clinic: Staffed) -> None:
    from clinic.booking.services import checkout
    from clinic.records.queries.paper import record_of

    token = checkout.hold_slot(None, w.choice("relaxation"), w.at(3), first_visit=True, user_id=None, now=NOW)
    assert token
    held = db.session.execute(text("SELECT id FROM visit")).scalar_one()
    assert record_of(held) is None
    assert record_of(4711) is None
