"""A clearance turns clearance into caution for what it names, and ends by itself: through the services, on both
databases."""

# ruff: noqa: E501 (one answer a line)

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.exc import DatabaseError

from clinic.booking.models import Screening, Visit
from clinic.booking.services import lapses, people, visits
from clinic.booking.services._judging import Order, weigh
from clinic.catalogue import queries as catalogue
from clinic.clients import queries as clients
from clinic.clients.models import Client, ClientAccess
from clinic.intake.models import Clearance, ClearanceDocument, ClearanceLetter, HealthStop, Intake
from clinic.intake.queries import in_force
from clinic.intake.queries.clearances import to_clear
from clinic.intake.services import clearances, intakes, reviews
from clinic.intake.services import letters as sending
from clinic.rules.clearances import may_clear
from clinic.rules.conditions import ISSUERS
from clinic.rules.errors import InvalidInput, NotFound
from clinic.rules.letter_scope import COLUMN_WORDS
from clinic.rules.rule_table import TABLE
from clinic.rules.verdicts import Verdict
from clinic.rules.visit_status import VisitStatus
from clinic.shared.database import db, transaction
from clinic.shared.mail import OutgoingMail
from tests.booking import world as w
from tests.conftest import NOW
from tests.intake import letters

DAY = dt.timedelta(days=1)
LATER = NOW + dt.timedelta(hours=2)


@pytest.fixture
def reviewer(world: w.World) -> int:
    return letters.reviewer()


@pytest.fixture
def patient(world: w.World) -> int:
    """Heart failure that does not get worse; signed ten days ago, so that letters may be older than today."""
    client = w.person()
    w.sign(client, now=NOW - 200 * DAY, heart_failure=letters.HEART)
    return client


def visit_of(client_id: int) -> Visit:
    db.session.rollback()
    return db.session.scalars(select(Visit).where(Visit.client_id == client_id)).one()


def newest(client_id: int) -> Screening:
    db.session.rollback()
    wanted = select(Screening).where(Screening.client_id == client_id)
    return max(db.session.scalars(wanted).all(), key=lambda row: (row.judged_at, row.permits))


def wait_and_clear(world: w.World, client: int, by: int, **values: Any) -> Visit:
    """A visit that waited and was confirmed by a letter of today."""
    w.at_desk(world, client, "relaxation")
    assert w.statuses(client) == ["pending"]
    letters.verify(client, by, **values)
    assert w.statuses(client) == ["confirmed"]
    return visit_of(client)


def test_it_confirms_the_waiting_visit_and_says_caution_never_clear(
    world: w.World, patient: int, reviewer: int
) -> None:
    visit = wait_and_clear(world, patient, reviewer, limits="Half sitting, light pressure.")
    row = db.session.get_one(Screening, visit.screening_id)
    assert (row.permits, row.verdict, row.outcome) == (True, "caution", "allow_flag_therapist")
    made = db.session.scalars(select(Clearance)).one()
    assert row.clearance_ids == [made.id]
    note = row.findings["own"][0]["staff_note"]
    assert "Half sitting, light pressure." in note
    assert made.lapses_on == w.TODAY + 90 * DAY


def test_waiting_to_be_verified_it_changes_nothing(world: w.World, patient: int) -> None:
    w.at_desk(world, patient, "relaxation")
    letter = letters.send(patient)
    assert w.statuses(patient) == ["pending"]
    assert w.at_desk(world, patient, "swedish", when=w.at(4)).status == VisitStatus.PENDING
    assert db.session.get_one(ClearanceLetter, letter).state == "pending"


def test_refused_it_changes_nothing_and_is_decided_once(world: w.World, patient: int, reviewer: int) -> None:
    w.at_desk(world, patient, "relaxation")
    letter = letters.send(patient)
    clearances.refuse_letter(letter, "No name on it, and not signed.", by=reviewer, now=NOW)
    assert w.statuses(patient) == ["pending"]
    with pytest.raises(NotFound):
        clearances.verify_letter(letter, letters.statement(), by=reviewer, now=NOW, today=w.TODAY)
    with pytest.raises(NotFound):
        clearances.refuse_letter(letter, "Once more for luck", by=reviewer, now=NOW)


@pytest.mark.parametrize("service", ["decompression_vacuum", "deep_tissue", "sports"])
def test_no_letter_lifts_a_block(world: w.World, patient: int, reviewer: int, service: str) -> None:
    letters.verify(patient, reviewer, services=tuple(w.SERVICES), chamber=True)
    outcome = w.at_desk(world, patient, service, areas=("lower_back",))
    assert (outcome.visit_id, w.statuses(patient)) == (None, [])


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        ({"services": ("swedish",)}, "service"),
        ({"areas": ("neck", "shoulders")}, "area"),
    ],
    ids=["another service", "another part of the body"],
)
def test_outside_what_it_names_it_does_not_count(
    world: w.World, patient: int, reviewer: int, values: dict[str, Any], wanted: str
) -> None:
    letters.verify(patient, reviewer, **values)
    assert w.at_desk(world, patient, "relaxation").status == VisitStatus.PENDING


@pytest.mark.parametrize(("chamber", "expected"), [(False, "pending"), (True, "confirmed")])
def test_the_chamber_must_be_named(world: w.World, reviewer: int, chamber: bool, expected: str) -> None:
    client = w.person()
    w.sign(client, now=NOW - DAY, easy_bruising={})
    letters.verify(client, reviewer, "easy_bruising", services=("decompression_vacuum",), chamber=chamber)
    w.at_desk(world, client, "decompression_vacuum", mode="interval", minutes=30, areas=("lower_back",))
    assert w.statuses(client) == [expected]
    assert (
        w.at_desk(world, client, "decompression_vacuum", areas=("lower_back",), when=w.at(5)).status
        == VisitStatus.CONFIRMED
    )


@pytest.mark.parametrize(
    ("days_ago", "expected"), [(86, "confirmed"), (87, "pending")], ids=["day 89", "day 90"]
)
def test_day_90_is_too_late(
    world: w.World, patient: int, reviewer: int, days_ago: int, expected: str
) -> None:
    """The visit is in three days: 86 days after the letter is day 89 there."""
    letters.verify(patient, reviewer, issued_on=w.TODAY - days_ago * DAY)
    w.at_desk(world, patient, "relaxation")
    assert w.statuses(patient) == [expected]


def test_the_clinicians_own_end_date_is_the_last_good_day(
    world: w.World, patient: int, reviewer: int
) -> None:
    letters.verify(patient, reviewer, ends_on=w.TODAY + 3 * DAY)
    assert w.at_desk(world, patient, "relaxation", when=w.at(3)).status == VisitStatus.CONFIRMED
    assert w.at_desk(world, patient, "swedish", when=w.at(4)).status == VisitStatus.PENDING


def test_withdrawn_it_suspends_the_visit_at_once(world: w.World, patient: int, reviewer: int) -> None:
    wait_and_clear(world, patient, reviewer)
    made = db.session.scalars(select(Clearance.id)).one()
    clearances.withdraw_clearance(made, "The doctor called it back.", by=reviewer, now=LATER)
    assert w.statuses(patient) == ["suspended"]
    assert newest(patient).clearance_ids == []
    with pytest.raises(NotFound):
        clearances.withdraw_clearance(made, "Once more for luck", by=reviewer, now=LATER)


ENDINGS: dict[str, dict[str, dict[str, Any]]] = {
    "the answer changed": {"heart_failure": {"worsening": False, "not_sure": True}},
    "a new medicine": {
        "heart_failure": letters.HEART,
        "blood_thinners": {"med_class": "single_antiplatelet", "medication": "aspirin", "stable_3_months": True, "bruising": False},
    },
    "an operation": {
        "heart_failure": letters.HEART,
        "recent_surgery": {"date": "2026-02-01", "type": "tooth", "site": ["face"], "minor": True, "complications": False},
    },
    "a fracture": {
        "heart_failure": letters.HEART,
        "fracture": {"date": "2024-02-01", "site": ["left_foot"]},
    },
    "a bad reaction": {"heart_failure": letters.HEART, "bad_reaction_before": {}},
}  # fmt: skip


@pytest.mark.parametrize("declared", ENDINGS.values(), ids=ENDINGS)
@pytest.mark.parametrize("after", [dt.timedelta(hours=2), 2 * DAY], ids=["same day", "two days later"])
def test_new_answers_end_it(
    world: w.World, patient: int, reviewer: int, declared: dict[str, Any], after: dt.timedelta
) -> None:
    wait_and_clear(world, patient, reviewer)
    w.sign(patient, now=NOW + after, **declared)
    assert "confirmed" not in w.statuses(patient)
    assert newest(patient).clearance_ids == []


def test_the_same_answers_signed_again_keep_it(world: w.World, patient: int, reviewer: int) -> None:
    wait_and_clear(world, patient, reviewer)
    w.sign(patient, now=LATER, heart_failure=letters.HEART)
    assert w.statuses(patient) == ["confirmed"]


def test_a_warning_sign_ends_it_also_when_it_was_assessed(
    world: w.World, patient: int, reviewer: int
) -> None:
    letters.verify(patient, reviewer)
    told = w.answers(heart_failure=letters.HEART, rf_saddle_numbness={"checked_by_doctor": False})
    intakes.raise_stop(patient, told, source="online", by=None, now=LATER, today=w.TODAY)
    stop = db.session.scalars(select(HealthStop.id)).one()
    reviews.end_stop(stop, "assessed", "Assessed by Dr Gray", by=reviewer, now=LATER)
    w.sign(patient, now=LATER + DAY, heart_failure=letters.HEART)
    assert w.at_desk(world, patient, "relaxation").status == VisitStatus.PENDING
    letters.verify(patient, reviewer, now=LATER + DAY)
    assert w.statuses(patient) == ["confirmed"]


def test_a_warning_sign_entered_in_error_does_not_end_it(world: w.World, patient: int, reviewer: int) -> None:
    letters.verify(patient, reviewer)
    told = w.answers(heart_failure=letters.HEART, rf_saddle_numbness={"checked_by_doctor": False})
    intakes.raise_stop(patient, told, source="online", by=None, now=LATER, today=w.TODAY)
    stop = db.session.scalars(select(HealthStop.id)).one()
    reviews.end_stop(stop, "entered_in_error", "Wrong person", by=reviewer, now=LATER)
    w.sign(patient, now=LATER + DAY, heart_failure=letters.HEART)
    assert w.at_desk(world, patient, "relaxation").status == VisitStatus.CONFIRMED


@pytest.mark.parametrize(
    ("refused_on", "is_taken"),
    [("2026-06-01", True), ("2026-06-09", False), (None, False)],
    ids=["earlier", "same day", "unknown"],
)
def test_a_doctors_no_needs_a_later_letter(
    world: w.World, reviewer: int, refused_on: str | None, is_taken: bool
) -> None:
    client = w.person()
    details = {"reason": "back", **({"date": refused_on} if refused_on else {"not_sure": True})}
    w.sign(client, now=NOW - DAY, doctor_said_no=details)
    w.at_desk(world, client, "relaxation")
    if is_taken:
        letters.verify(client, reviewer, "doctor_said_no")
    else:
        with pytest.raises(InvalidInput) as error:
            letters.verify(client, reviewer, "doctor_said_no")
        assert error.value.field == "issued_on"
    assert w.statuses(client) == ["confirmed" if is_taken else "pending"]


@pytest.mark.parametrize("role", ["midwife", "physiotherapist", "massage_therapist", "chiropractor", "other"])
def test_who_may_not_clear_is_refused_with_a_sentence(
    world: w.World, patient: int, reviewer: int, role: str
) -> None:
    w.at_desk(world, patient, "relaxation")
    with pytest.raises(InvalidInput) as error:
        letters.verify(patient, reviewer, role=role)
    assert error.value.field == "role"
    assert "needs a letter from a doctor" in error.value.sentence
    assert w.statuses(patient) == ["pending"]


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("conditions", {"conditions": ("pregnancy",)}),
        ("conditions", {"conditions": ("heart_failure", "no_such_thing")}),
        ("services", {"services": ()}),
        ("services", {"services": ("acupuncture",)}),
        ("areas", {"areas": ("moon",)}),
        ("clinician", {"clinician": " "}),
        ("register_number", {"register_number": ""}),
        ("contact", {"contact": ""}),
        ("how", {"how": "ok"}),
        ("issued_on", {"issued_on": w.TODAY + DAY}),
        ("issued_on", {"issued_on": w.TODAY - 90 * DAY}),
        ("ends_on", {"ends_on": w.TODAY - DAY}),
    ],
)
def test_what_is_not_right_stands_at_its_field(
    world: w.World, patient: int, reviewer: int, field: str, values: dict[str, Any]
) -> None:
    letter = letters.send(patient)
    with pytest.raises(InvalidInput) as error:
        clearances.verify_letter(letter, letters.statement(**values), by=reviewer, now=NOW, today=w.TODAY)
    assert error.value.field == field
    db.session.rollback()
    assert db.session.scalars(select(Clearance.id)).all() == []


def test_nobody_verifies_their_own_letter(world: w.World, patient: int, reviewer: int) -> None:
    with transaction() as session:
        session.add(ClientAccess(user_id=reviewer, client_id=patient, relation="partner", since=NOW))
    with pytest.raises(InvalidInput) as error:
        letters.verify(patient, reviewer)
    assert error.value.field == "how"


def test_a_combination_needs_every_condition_named(world: w.World, reviewer: int) -> None:
    client = w.person()
    thinners = {"med_class": "single_antiplatelet", "medication": "aspirin", "stable_3_months": True, "bruising": False}  # fmt: skip
    w.sign(client, now=NOW - DAY, blood_thinners=thinners, easy_bruising={})
    w.at_desk(world, client, "relaxation")
    assert w.statuses(client) == ["pending"]
    letters.verify(client, reviewer, "blood_thinners")
    assert w.statuses(client) == ["pending"]
    letters.verify(client, reviewer, "easy_bruising")
    assert w.statuses(client) == ["confirmed"]
    assert len(newest(client).clearance_ids) == 2


def test_after_a_merge_the_letter_of_the_other_record_counts(
    world: w.World, patient: int, reviewer: int
) -> None:
    letters.verify(patient, reviewer)
    keep = w.person()
    w.sign(keep, now=NOW - DAY, heart_failure=letters.HEART)
    assert w.at_desk(world, keep, "swedish", when=w.at(5)).status == VisitStatus.PENDING
    people.merge_clients(keep, patient, by=world.desk_id, now=LATER)
    assert w.at_desk(world, keep, "relaxation").status == VisitStatus.CONFIRMED
    assert newest(keep).clearance_ids != []


def test_somebody_not_signed_in_gains_nothing_from_a_letter_on_file(
    world: w.World, patient: int, reviewer: int
) -> None:
    letters.verify(patient, reviewer)
    result = w.online("relaxation", {"heart_failure": letters.HEART})
    assert result.status == VisitStatus.PENDING
    visit = db.session.get_one(Visit, result.visit_id)
    stranger = db.session.get_one(Client, visit.client_id)
    name_key, born_on = stranger.name_key, stranger.born_on
    with transaction() as session:
        row = session.get_one(Client, patient)
        row.name_key, row.born_on = name_key, born_on
    intakes.confirm_still_right(
        patient, intakes.Signature("Pat"), source="online", by=None, now=LATER, today=w.TODAY
    )
    assert w.statuses(stranger.id) == ["pending"]
    assert newest(stranger.id).clearance_ids == []


def test_moving_beyond_its_last_day_is_refused(world: w.World, patient: int, reviewer: int) -> None:
    visit = wait_and_clear(world, patient, reviewer, ends_on=w.TODAY + 5 * DAY)
    moved = visits.change_visit(
        visit.id, revision=visit.revision, starts_at=w.at(6), by=world.desk_id, now=NOW
    )
    assert moved.visit_id is None
    assert w.statuses(patient) == ["confirmed"]


def test_the_worker_takes_a_visit_back_that_rests_on_an_ended_one(
    world: w.World, patient: int, reviewer: int
) -> None:
    wait_and_clear(world, patient, reviewer)
    assert lapses.keep_clearances(LATER) == 0
    with transaction() as session:  # past every service, as a slip in an import might
        session.execute(update(Clearance).values(withdrawn_at=LATER))
    assert w.statuses(patient) == ["confirmed"]
    assert lapses.keep_clearances(LATER) == 1
    assert w.statuses(patient) == ["suspended"]
    assert lapses.keep_clearances(LATER) == 0


@pytest.mark.parametrize(("ends_in", "warned"), [(13, True), (14, False), (0, True)])
def test_client_and_desk_are_warned_two_weeks_before(
    world: w.World, reviewer: int, ends_in: int, warned: bool
) -> None:
    client = w.person(email="pat@people.example")
    w.sign(client, now=NOW - DAY, heart_failure=letters.HEART)
    letters.verify(client, reviewer, ends_on=w.TODAY + ends_in * DAY)
    assert lapses.warn_of_lapses(NOW) == 0  # no visit is booked
    w.at_desk(world, client, "relaxation", when=w.at(10))
    assert lapses.warn_of_lapses(NOW) == lapses.warn_of_lapses(LATER) == int(warned)
    keys = db.session.scalars(select(OutgoingMail.key).where(OutgoingMail.key.startswith("papers"))).all()
    assert len(keys) == int(warned)


def test_a_newer_letter_ends_the_warning(world: w.World, reviewer: int) -> None:
    client = w.person(email="pat@people.example")
    w.sign(client, now=NOW - DAY, heart_failure=letters.HEART)
    w.at_desk(world, client, "relaxation")
    letters.verify(client, reviewer, ends_on=w.TODAY + 5 * DAY)
    letters.verify(client, reviewer)
    assert lapses.warn_of_lapses(NOW) == 0


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_every_condition_with_every_letter_it_may_have(world: w.World, reviewer: int) -> None:
    """Whatever is declared: a letter makes a clearance a caution and nothing else any different."""
    wrong, cleared = [], 0
    for key in TABLE.conditions:
        client = w.person()
        w.sign(client, now=NOW - DAY, **{key: {"date": "2020-01-01"} if key == "doctor_said_no" else {}})
        row = clients.client(client)
        assert row is not None
        offered = to_clear(row, in_force(client), w.TODAY)
        before = verdicts(row)
        for one in offered:
            role = next(issuer for issuer in ISSUERS if may_clear(one, issuer))
            letters.verify(client, reviewer, one, role=role, services=tuple(COLUMN_WORDS), chamber=True)
        after = verdicts(row)
        for service, was in before.items():
            fits = was is Verdict.CLEARANCE and key in offered and service in offered[key]
            cleared += fits
            if after[service] is not (Verdict.CAUTION if fits else was):
                wrong.append((key, service, was, after[service]))
    assert wrong == []
    assert cleared > 50


def verdicts(client: Client) -> dict[str, Verdict]:
    """The strictest verdict for each service on the whole body in three days."""
    found = {}
    for service, minutes in w.SERVICES.items():
        plan = catalogue.plan_for(service, None, (), minutes, first_visit=False)
        assert plan is not None
        found[service] = weigh(client, Order(plan, ("full_body",), w.at(3).date())).strictest.verdict
    return found


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE clearance SET lapses_on = '2030-01-01'",
        "UPDATE clearance SET issued_on = '2030-01-01'",
        "UPDATE clearance SET client_id = client_id",
        "DELETE FROM clearance",
        "UPDATE clearance SET withdrawn_at = NULL",
        "UPDATE clearance_letter SET decision = 'refused'",
        "UPDATE clearance_letter SET source = 'desk'",
        "DELETE FROM clearance_letter",
        "UPDATE clearance_document SET kind = 'png'",
        "DELETE FROM clearance_document",
        "UPDATE screening SET clearance_ids = '[1]'",
    ],
)
def test_the_database_itself_keeps_what_was_verified(
    world: w.World, patient: int, reviewer: int, sql: str
) -> None:
    wait_and_clear(world, patient, reviewer)
    made = db.session.scalars(select(Clearance.id)).one()
    clearances.withdraw_clearance(made, "Called back by the doctor", by=reviewer, now=LATER)
    with pytest.raises(DatabaseError), transaction() as session:
        session.execute(text(sql))


def test_no_health_word_lies_in_a_plain_column(
    world: w.World, patient: int, reviewer: int, capsys: pytest.CaptureFixture[str]
) -> None:
    canary = "Zanzibar-canary"
    made = letters.verify(
        patient, reviewer, clinician=canary, contact=canary, register_number=canary, limits=canary, how=canary
    )
    clearances.withdraw_clearance(made[0], canary, by=reviewer, now=LATER)
    clearances.refuse_letter(
        sending.send_letter(patient, [letters.PDF + canary.encode() + b"\nstartxref\n%%EOF"], source="client", by=None, now=NOW),
        canary, by=reviewer, now=NOW,
    )  # fmt: skip
    db.session.rollback()
    for table in db.metadata.sorted_tables:
        for row in db.session.execute(select(table)):
            said = " ".join(
                bytes(value).decode("latin-1") if isinstance(value, bytes | memoryview) else str(value)
                for value in row
            )
            assert canary not in said, table.name
            if table.name.startswith("clearance"):
                assert "heart" not in said
                assert "physician" not in said
    shown = capsys.readouterr()
    assert canary not in shown.out + shown.err
    assert db.session.scalars(select(ClearanceDocument)).first() is not None


def test_what_was_read_beside_it_is_kept(world: w.World, patient: int, reviewer: int) -> None:
    letters.verify(patient, reviewer)
    row = db.session.scalars(select(Clearance)).one()
    assert row.intake_id == db.session.scalars(select(Intake.id).where(Intake.client_id == patient)).one()
    letter = db.session.get_one(ClearanceLetter, row.letter_id)
    assert (letter.state, letter.decided_by_id) == ("verified", reviewer)
